"""STO-015, LED-042: what the cosigner signed last."""

import errno
import os

import pytest

from yunhe.crypto import SHA256
from yunhe.errors import CosignatureRefusedError, CosignerMemoryDamagedError, DiskFailedError
from yunhe.ledger.merkle import MerkleLog
from yunhe.storage import CosignerMemory, SignedTree, files

NETWORK = bytes(range(32))


@pytest.fixture
def path(tmp_path):
    return tmp_path / "cosigner"


def log(*leaves):
    return MerkleLog(SHA256, [str(leaf).encode() for leaf in leaves])


def test_growing_log_is_remembered(path):
    """LED-042 accepted."""
    memory = CosignerMemory.open(path, NETWORK)
    assert memory.last is None
    for size in (1, 2, 5, 13, 13):
        tree = log(*range(size))
        memory.advance(tree, size)
        assert memory.last == SignedTree(size, tree.root())
        assert CosignerMemory.open(path, NETWORK).last == memory.last


def test_part_of_a_log_is_remembered_as_that_part(path):
    """LED-042 accepted: the log may have grown meanwhile."""
    memory = CosignerMemory.open(path, NETWORK)
    memory.advance(log(*range(9)), 5)
    assert memory.last == SignedTree(5, log(*range(5)).root())


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        (log(*range(6)), "rolled back"),
        (log(), "rolled back"),
        (log(*range(6), "x"), "two histories"),
        (log(*range(6), "x", 7, 8), "two histories"),
    ],
    ids=["smaller", "empty", "another of this size", "larger on another history"],
)
def test_log_that_contradicts_what_was_signed_is_refused(path, other, reason):
    """LED-042 refused, by the memory in use and after a restart; nothing is forgotten."""
    memory = CosignerMemory.open(path, NETWORK)
    memory.advance(log(*range(7)), 7)
    for owner in (memory, CosignerMemory.open(path, NETWORK)):
        with pytest.raises(CosignatureRefusedError, match=reason):
            owner.advance(other, other.size)
        assert owner.last == SignedTree(7, log(*range(7)).root())
        owner.advance(log(*range(7)), 7)


def test_tree_is_durable_before_advance_returns(path, monkeypatch):
    """LED-042: new content synced, renamed into its place, and the folder synced, in this order."""
    steps = []
    for name in ("sync", "rename", "sync_directory"):
        real = getattr(files, name)
        monkeypatch.setattr(files, name, lambda *a, name=name, real=real: (steps.append(name), real(*a)))
    CosignerMemory.open(path, NETWORK).advance(log(1), 1)
    assert steps == ["sync", "rename", "sync_directory"]


@pytest.mark.parametrize("call", ["open", "pwrite", "fdatasync", "fsync"])
def test_memory_that_cannot_be_written_refuses_the_signature(path, monkeypatch, call):
    """LED-042 refused: the error comes before the caller could sign, and the old tree or the new one is in the file."""
    memory = CosignerMemory.open(path, NETWORK)
    memory.advance(log(1), 1)
    with monkeypatch.context() as patched:

        def refuse(*arguments):
            raise OSError(errno.EIO, "broken")

        patched.setattr(os, call, refuse)
        with pytest.raises(DiskFailedError):
            memory.advance(log(1, 2), 2)
    assert memory.last == SignedTree(1, log(1).root())
    assert CosignerMemory.open(path, NETWORK).last in (SignedTree(1, log(1).root()), SignedTree(2, log(1, 2).root()))


def test_any_altered_byte_is_refused(path):
    """STO-015 refused."""
    CosignerMemory.open(path, NETWORK).advance(log(*range(300)), 300)
    data = path.read_bytes()
    for offset in range(len(data)):
        path.write_bytes(data[:offset] + bytes([data[offset] ^ 0x20]) + data[offset + 1 :])
        with pytest.raises(CosignerMemoryDamagedError):
            CosignerMemory.open(path, NETWORK)


def test_cut_or_lengthened_file_is_refused(path):
    """STO-015 refused."""
    CosignerMemory.open(path, NETWORK).advance(log(*range(3)), 3)
    data = path.read_bytes()
    for content in [data[:length] for length in range(len(data))] + [data + b"\x00", data * 20]:
        path.write_bytes(content)
        with pytest.raises(CosignerMemoryDamagedError):
            CosignerMemory.open(path, NETWORK)


def test_memory_of_another_network_is_refused(path):
    """STO-015 refused."""
    CosignerMemory.open(path, NETWORK).advance(log(1), 1)
    with pytest.raises(CosignerMemoryDamagedError, match="another network"):
        CosignerMemory.open(path, bytes(32))


def test_file_left_by_a_crash_beside_the_memory_does_no_harm(path):
    CosignerMemory.open(path, NETWORK).advance(log(1), 1)
    path.with_name("cosigner.new").write_bytes(b"torn")
    memory = CosignerMemory.open(path, NETWORK)
    memory.advance(log(1, 2), 2)
    assert CosignerMemory.open(path, NETWORK).last == SignedTree(2, log(1, 2).root())
