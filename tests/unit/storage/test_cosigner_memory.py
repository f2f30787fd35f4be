"""STO-015, LED-042: what the cosigner signed last."""

import errno
import os

import pytest

from yunhe.crypto import SHA256
from yunhe.errors import CosignatureRefusedError, CosignerBarredError, CosignerMemoryDamagedError, DiskFailedError
from yunhe.ledger.merkle import MerkleLog
from yunhe.storage import CosignerMemory, SignedTree, files
from yunhe.storage.cosigner_memory import Memory, Restored, write_memory

NETWORK = bytes(range(32))


KEY, OTHER = b"key", b"other key"
NOTHING = Memory(SignedTree(0, MerkleLog(SHA256).root()))


@pytest.fixture
def path(tmp_path):
    """A memory as a new store has it."""
    path = tmp_path / "cosigner"
    write_memory(path, NETWORK, NOTHING)
    return path


def log(*leaves):
    return MerkleLog(SHA256, [str(leaf).encode() for leaf in leaves])


def test_growing_log_is_remembered(path):
    """LED-042 accepted."""
    memory = CosignerMemory.open(path, NETWORK)
    assert memory.last == NOTHING.last
    for size in (1, 2, 5, 13, 13):
        tree = log(*range(size))
        memory.advance(tree, size, KEY)
        assert memory.last == SignedTree(size, tree.root())
        assert CosignerMemory.open(path, NETWORK).last == memory.last


def test_part_of_a_log_is_remembered_as_that_part(path):
    """LED-042 accepted: the log may have grown meanwhile."""
    memory = CosignerMemory.open(path, NETWORK)
    memory.advance(log(*range(9)), 5, KEY)
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
    memory.advance(log(*range(7)), 7, KEY)
    for owner in (memory, CosignerMemory.open(path, NETWORK)):
        with pytest.raises(CosignatureRefusedError, match=reason):
            owner.advance(other, other.size, KEY)
        assert owner.last == SignedTree(7, log(*range(7)).root())
        owner.advance(log(*range(7)), 7, KEY)


def test_tree_is_durable_before_advance_returns(path, monkeypatch):
    """LED-042: new content synced, renamed into its place, and the folder synced, in this order."""
    steps = []
    for name in ("sync", "rename", "sync_directory"):
        real = getattr(files, name)
        monkeypatch.setattr(files, name, lambda *a, name=name, real=real: (steps.append(name), real(*a)))
    CosignerMemory.open(path, NETWORK).advance(log(1), 1, KEY)
    assert steps == ["sync", "rename", "sync_directory"]


@pytest.mark.parametrize("call", ["open", "pwrite", "fdatasync", "fsync"])
def test_memory_that_cannot_be_written_refuses_the_signature(path, monkeypatch, call):
    """LED-042 refused: the error comes before the caller could sign, and the old tree or the new one is in the file."""
    memory = CosignerMemory.open(path, NETWORK)
    memory.advance(log(1), 1, KEY)
    with monkeypatch.context() as patched:

        def refuse(*arguments):
            raise OSError(errno.EIO, "broken")

        patched.setattr(os, call, refuse)
        with pytest.raises(DiskFailedError):
            memory.advance(log(1, 2), 2, KEY)
    assert memory.last == SignedTree(1, log(1).root())
    assert CosignerMemory.open(path, NETWORK).last in (SignedTree(1, log(1).root()), SignedTree(2, log(1, 2).root()))


def test_any_altered_byte_is_refused(path):
    """STO-015 refused."""
    CosignerMemory.open(path, NETWORK).advance(log(*range(300)), 300, KEY)
    data = path.read_bytes()
    for offset in range(len(data)):
        path.write_bytes(data[:offset] + bytes([data[offset] ^ 0x20]) + data[offset + 1 :])
        with pytest.raises(CosignerMemoryDamagedError):
            CosignerMemory.open(path, NETWORK)


def test_cut_or_lengthened_file_is_refused(path):
    """STO-015 refused."""
    CosignerMemory.open(path, NETWORK).advance(log(*range(3)), 3, KEY)
    data = path.read_bytes()
    for content in [data[:length] for length in range(len(data))] + [data + b"\x00", data * 20]:
        path.write_bytes(content)
        with pytest.raises(CosignerMemoryDamagedError):
            CosignerMemory.open(path, NETWORK)


def test_memory_of_another_network_is_refused(path):
    """STO-015 refused."""
    CosignerMemory.open(path, NETWORK).advance(log(1), 1, KEY)
    with pytest.raises(CosignerMemoryDamagedError, match="another network"):
        CosignerMemory.open(path, bytes(32))


def test_file_left_by_a_crash_beside_the_memory_does_no_harm(path):
    CosignerMemory.open(path, NETWORK).advance(log(1), 1, KEY)
    path.with_name("cosigner.new").write_bytes(b"torn")
    memory = CosignerMemory.open(path, NETWORK)
    memory.advance(log(1, 2), 2, KEY)
    assert CosignerMemory.open(path, NETWORK).last == SignedTree(2, log(1, 2).root())


def test_missing_memory_is_refused(path):
    """STO-015 refused: a folder that was put back without it could sign a second history."""
    path.unlink()
    with pytest.raises(CosignerMemoryDamagedError, match="yunhe node restore"):
        CosignerMemory.open(path, NETWORK)


def restored(path, *, held):
    write_memory(path, NETWORK, Memory(SignedTree(2, log(0, 1).root()), Restored(held, is_met=False, barred=())))
    return CosignerMemory.open(path, NETWORK)


def test_key_that_a_restored_node_starts_with_signs_nothing_for_ever(path):
    """STO-018 refused: also when another key was there meanwhile, and after a restart."""
    memory = restored(path, held=False)
    memory.bar(OTHER)
    memory.meet(KEY)
    for owner in (memory, CosignerMemory.open(path, NETWORK)):
        owner.meet(b"third key")
        for key in (KEY, OTHER):
            with pytest.raises(CosignerBarredError):
                owner.advance(log(0, 1, 2), 3, key)
        assert owner.last.size == 2


def test_key_that_a_restored_node_gets_later_signs(path):
    """STO-018 accepted: it is in no history but this one; what it signs is remembered with the keys that do not."""
    memory = restored(path, held=False)
    memory.meet(KEY)
    memory.advance(log(0, 1, 2), 3, OTHER)
    again = CosignerMemory.open(path, NETWORK)
    assert again.last == SignedTree(3, log(0, 1, 2).root())
    with pytest.raises(CosignatureRefusedError):
        again.advance(log(0, 1, "x"), 3, OTHER)
    with pytest.raises(CosignerBarredError):
        again.advance(log(0, 1, 2, 3), 4, KEY)


def test_held_node_signs_with_no_key(path):
    """STO-018 refused."""
    memory = restored(path, held=True)
    assert memory.is_held
    memory.meet(KEY)
    with pytest.raises(CosignerBarredError):
        memory.advance(log(0, 1, 2), 3, OTHER)


def test_any_altered_byte_of_a_restored_memory_is_refused(path):
    """STO-015 refused."""
    restored(path, held=True).meet(KEY)
    data = path.read_bytes()
    for offset in range(len(data)):
        path.write_bytes(data[:offset] + bytes([data[offset] ^ 0x20]) + data[offset + 1 :])
        with pytest.raises(CosignerMemoryDamagedError):
            CosignerMemory.open(path, NETWORK)


def test_meeting_and_barring_change_nothing_where_all_that_was_signed_is_known(path):
    """STO-018 accepted."""
    before = path.read_bytes()
    memory = CosignerMemory.open(path, NETWORK)
    memory.meet(KEY)
    memory.bar(KEY)
    assert path.read_bytes() == before
    memory.advance(log(0), 1, KEY)
