"""STO-018, STO-019: backups are whole or refused, and a restored node never signs a second history."""

import asyncio
import base64
import json
import shutil
import sys
from pathlib import Path

import pytest

from tests.small_disk import memory_disk
from tests.unit.node.open_node import DEADLINE_S, make_folder, run_node, transaction
from yunhe import verifier
from yunhe.errors import (
    BackupDamagedError,
    BackupExistsError,
    BackupNotCompleteError,
    BackupNotFoundError,
    BlockLogAlteredError,
    BlockLogShortenedError,
    CosignerBarredError,
    CosignerMemoryDamagedError,
    DiskFullError,
    DiskReadOnlyError,
    FolderNotEmptyError,
    InvalidConfigurationError,
    NodeHaltedError,
    WrongGenesisError,
)
from yunhe.network import NetworkPlan, make_network
from yunhe.node import NewNetwork, Node, NodeFolder, ProofSubjectRequest, back_up, restore
from yunhe.node.node import clock_ms, log_progress
from yunhe.storage import Continuation, files

PARAMETER = ProofSubjectRequest.of_record("governance", "parameters", ("gas_limit_max",))


def silent(done: int, total: int) -> None:
    """A progress that nobody watches."""


async def decide(node: Node, *salts: int) -> None:
    """Commit a block for each salt."""
    for salt in salts:
        (placed,) = node.submit([transaction(node, salt=salt)])
        await asyncio.wait_for(placed, DEADLINE_S)


def with_blocks(folder: NodeFolder, *salts: int, prove: bool = False) -> None:
    """Run the node for some blocks, and let it cosign the last one."""

    async def body(node: Node) -> None:
        node.start()
        await decide(node, *salts)
        if prove:
            node.certification.newest_note()

    run_node(folder, body)


@pytest.fixture
def folder(tmp_path: Path) -> NodeFolder:
    """A stopped node of three blocks, the last of which is cosigned."""
    made = make_folder(tmp_path / "node")
    with_blocks(made, 1, 2, 3, prove=True)
    return made


@pytest.fixture
def backup(folder: NodeFolder, tmp_path: Path) -> Path:
    """Of the stopped node."""
    return back_up(folder, tmp_path / "a.backup", silent)[0]


def restored(backup: Path, lost: NodeFolder, continuation: Continuation, memory: Path | None = None) -> NodeFolder:
    """Restore to a new folder, and put keys and secrets there, as its operator does."""
    made, _ = restore(backup, lost.path.with_name("restored"), continuation, memory, silent)
    assert not made.has_keys()
    for name in ("keys", "secrets"):
        shutil.copytree(lost.path / name, made.path / name, dirs_exist_ok=True)
    return made


def test_backup_of_a_running_node_restores_to_what_was_acknowledged(tmp_path: Path) -> None:
    """STO-019 accepted: while blocks are being committed; and no secret of the node is in it."""
    folder = make_folder(tmp_path / "node")
    backups: list[tuple[Path, int]] = []

    async def body(node: Node) -> None:
        node.start()
        for round_ in range(3):
            await decide(node, 10 * round_, 10 * round_ + 1)
            acknowledged = node.head().height
            working = asyncio.create_task(decide(node, *range(1000 + 10 * round_, 1004 + 10 * round_)))
            path, _ = await asyncio.to_thread(back_up, folder, tmp_path, silent)
            await working
            backups.append((path, acknowledged))

    run_node(folder, body)
    assert len({path for path, _ in backups}) == 3
    for number, (path, acknowledged) in enumerate(backups):
        made, mark = restore(path, tmp_path / f"restored{number}", Continuation.HELD, None, silent)
        assert mark.height >= acknowledged
        with made.open_store(log_progress) as store, folder.open_store(silent) as original:
            assert [store.header(height) for height in range(mark.size)] == [original.header(height) for height in range(mark.size)]
            assert store.head().height == mark.height
        content = path.read_bytes()
        for secret in ("secrets/passphrase", "secrets/api-token", "keys/node.pem", "keys/ledger.pem"):
            assert (folder.path / secret).read_bytes().strip() not in content
        assert b"yunhe-cosigner" not in content


def test_backup_of_a_networks_node_holds_nothing_of_its_engine(tmp_path: Path) -> None:
    """STO-019: neither keys nor signing state, with which votes could be signed twice, nor the engine's own blocks."""
    network = make_network(
        tmp_path / "network",
        NetworkPlan(("bank",), NewNetwork("test", clock_ms(), f"{sys.version_info.major}.{sys.version_info.minor}"), 0, 0),
    )
    folder = NodeFolder.load(network.node("bank").folder)
    back_up(folder, tmp_path / "backup", silent)
    content = (tmp_path / "backup").read_bytes()
    assert b"priv_validator" not in content
    for key in ("node_key.json", "priv_validator_key.json"):
        secret = json.loads((folder.path / "engine" / "config" / key).read_text())["priv_key"]["value"]
        assert secret.encode() not in content
        assert base64.b64decode(secret)[:32] not in content
    made, _ = restore(tmp_path / "backup", tmp_path / "restored", Continuation.HELD, None, silent)
    assert not (made.path / "engine").exists()


def test_restored_node_without_a_word_on_what_followed_answers_and_decides_nothing(folder: NodeFolder, backup: Path) -> None:
    """STO-018 refused: neither a transaction nor a signature, until somebody says how to go on."""
    made = restored(backup, folder, Continuation.HELD)

    async def body(node: Node) -> None:
        node.start()
        assert (node.status().state, node.status().height) == ("halted", 3)
        assert "--roll-back" in str(node.status().reason)
        assert node.reader().height == 3
        with pytest.raises(NodeHaltedError, match="restored"):
            node.submit([transaction(node, salt=9)])
        with pytest.raises(CosignerBarredError):
            node.certification.newest_note()

    run_node(made, body)


def test_complete_backup_goes_on_deciding_and_proving(folder: NodeFolder, backup: Path) -> None:
    """STO-018 accepted: all that was ever cosigned is in the log of a node that had stopped."""
    made = restored(backup, folder, Continuation.COMPLETE)

    async def body(node: Node) -> None:
        node.start()
        await decide(node, 4)
        bundle = node.certification.prove([PARAMETER], None)
        verifier.verify(bundle, (made.path / "genesis.json").read_bytes())

    run_node(made, body)


def test_backup_of_a_running_node_is_not_complete(folder: NodeFolder, tmp_path: Path) -> None:
    """STO-018 refused: blocks may have followed it."""

    async def body(node: Node) -> None:
        back_up(folder, tmp_path / "running.backup", silent)

    run_node(folder, body)
    with pytest.raises(BackupNotCompleteError, match="--roll-back"):
        restore(tmp_path / "running.backup", tmp_path / "restored", Continuation.COMPLETE, None, silent)
    assert not (tmp_path / "restored").exists()


def test_rolled_back_node_decides_and_its_key_cosigns_nothing_more(folder: NodeFolder, backup: Path, tmp_path: Path) -> None:
    """STO-018 refused: the lost node cosigned another block 4, which the restored one does not know of."""
    with_blocks(folder, 4, prove=True)
    made = restored(backup, folder, Continuation.ROLLED_BACK)

    async def body(node: Node) -> None:
        node.start()
        await decide(node, 5)
        assert node.head().height == 4
        with pytest.raises(CosignerBarredError, match="cosigns nothing"):
            node.certification.newest_note()
        with pytest.raises(CosignerBarredError):
            node.certification.prove([PARAMETER], None)

    run_node(made, body)
    # Neither a restart nor another backup, though the node has stopped, brings the key back.
    again, _ = back_up(made, tmp_path / "again.backup", silent)
    with pytest.raises(BackupNotCompleteError):
        restore(again, tmp_path / "again", Continuation.COMPLETE, None, silent)
    run_node(made, _barred)


async def _barred(node: Node) -> None:
    with pytest.raises(CosignerBarredError):
        node.certification.newest_note()


def test_saved_memory_lets_a_rolled_back_node_cosign(folder: NodeFolder, backup: Path, tmp_path: Path) -> None:
    """STO-018 accepted: block 4 was lost and never cosigned, and the memory that was saved says so."""
    with_blocks(folder, 4)
    made = restored(backup, folder, Continuation.ROLLED_BACK, folder.path / "store" / "cosigner")

    async def body(node: Node) -> None:
        node.start()
        await decide(node, 5)
        node.certification.newest_note()

    run_node(made, body)


def test_saved_memory_of_more_than_the_backup_holds_is_refused(folder: NodeFolder, backup: Path, tmp_path: Path) -> None:
    """STO-018 refused: the node cosigned a block that the backup does not have."""
    with_blocks(folder, 4, prove=True)
    with pytest.raises(BlockLogShortenedError, match="cosigned a block log of 5 headers"):
        restored(backup, folder, Continuation.ROLLED_BACK, folder.path / "store" / "cosigner")
    assert not (tmp_path / "restored").exists()


def test_ledger_is_put_back_into_the_folder_of_its_node(folder: NodeFolder, backup: Path, tmp_path: Path) -> None:
    """STO-019 accepted when `store` was moved away; refused over a ledger, another network's folder, or anything else."""
    with pytest.raises(FolderNotEmptyError, match="move it away"):
        restore(backup, folder.path, Continuation.COMPLETE, None, silent)
    (folder.path / "store").rename(tmp_path / "damaged")
    made, _ = restore(backup, folder.path, Continuation.COMPLETE, None, silent)
    assert made.has_keys()
    with_blocks(made, 4, prove=True)
    other = make_folder(tmp_path / "other")
    shutil.rmtree(other.path / "store")
    before = sorted(other.path.rglob("*"))
    with pytest.raises(WrongGenesisError, match="belong together"):
        restore(backup, other.path, Continuation.COMPLETE, None, silent)
    assert sorted(other.path.rglob("*")) == before
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "notes").write_text("x")
    with pytest.raises(FolderNotEmptyError):
        restore(backup, tmp_path / "full", Continuation.COMPLETE, None, silent)


def test_folder_put_back_by_hand_without_its_memory_does_not_start(folder: NodeFolder) -> None:
    """STO-015 refused."""
    (folder.path / "store" / "cosigner").unlink()
    with pytest.raises(CosignerMemoryDamagedError, match="yunhe node restore"):
        Node(folder)


def test_any_altered_byte_and_any_cut_of_a_backup_is_refused(backup: Path, tmp_path: Path) -> None:
    """STO-019 refused, before anything is written."""
    data = backup.read_bytes()
    damaged = tmp_path / "damaged.backup"
    step = len(data) // 100
    for offset in [*range(0, 500, 3), *range(500, len(data), step), len(data) - 1]:
        damaged.write_bytes(data[:offset] + bytes([data[offset] ^ 1]) + data[offset + 1 :])
        with pytest.raises(BackupDamagedError):
            restore(damaged, tmp_path / "restored", Continuation.HELD, None, silent)
    for content in [
        *(data[:length] for length in [0, 1, 8, 11, 12, 50, *range(100, len(data), step), len(data) - 1]),
        data + b"\0",
        b"x" * 99,
    ]:
        damaged.write_bytes(content)
        with pytest.raises(BackupDamagedError):
            restore(damaged, tmp_path / "restored", Continuation.HELD, None, silent)
    assert not (tmp_path / "restored").exists()
    assert not list(tmp_path.glob(".restored-*"))


def test_backup_that_is_not_there_is_refused(tmp_path: Path) -> None:
    """STO-019 refused."""
    with pytest.raises(BackupNotFoundError):
        restore(tmp_path / "nothing.backup", tmp_path / "restored", Continuation.HELD, None, silent)


def test_damaged_ledger_gives_no_backup(folder: NodeFolder, tmp_path: Path) -> None:
    """STO-019 refused: a backup that cannot be restored is none; a file that is there is not written over."""
    (segment,) = (folder.path / "store" / "blocks").iterdir()
    data = bytearray(segment.read_bytes())
    data[len(data) // 2] ^= 1
    segment.write_bytes(data)
    with pytest.raises(BlockLogAlteredError):
        back_up(folder, tmp_path / "b.backup", silent)
    assert not list(tmp_path.glob("b.backup*"))
    (tmp_path / "there").write_text("x")
    with pytest.raises(BackupExistsError):
        back_up(folder, tmp_path / "there", silent)
    with pytest.raises(InvalidConfigurationError, match="there is no folder"):
        back_up(folder, tmp_path / "nothing" / "b.backup", silent)


def test_disk_that_is_full_leaves_no_half_backup(folder: NodeFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """STO-019 refused: at any write."""
    real = files.write_at
    counted = {"writes": 0, "full at": 0}

    def count(descriptor: int, path: Path, offset: int, data: bytes) -> None:
        if ".backup" in path.name:
            counted["writes"] += 1
            if counted["writes"] == counted["full at"]:
                raise DiskFullError("no room")
        real(descriptor, path, offset, data)

    monkeypatch.setattr(files, "write_at", count)
    back_up(folder, tmp_path / "whole.backup", silent)
    assert counted["writes"] > 4
    for number in range(1, counted["writes"] + 1):
        counted.update({"writes": 0, "full at": number})
        with pytest.raises(DiskFullError):
            back_up(folder, tmp_path / "b.backup", silent)
        assert not list(tmp_path.glob("b.backup*"))


def test_restore_and_new_node_on_a_full_or_read_only_disk_are_refused_by_name(folder: NodeFolder, backup: Path, tmp_path: Path) -> None:
    """STO-009 refused: with the disk's own code, and nothing is left of the attempt."""
    disks = [(16, False), (64, False), (200, False), (64, True)]
    for number, (kibibytes, read_only) in enumerate(disks):
        named = DiskReadOnlyError if read_only else DiskFullError
        with memory_disk(tmp_path / f"disk{number}", kibibytes, read_only=read_only) as disk:
            with pytest.raises(named):
                restore(backup, disk / "restored", Continuation.HELD, None, silent)
            with pytest.raises(named):
                make_folder(disk / "node")
            assert not list(disk.iterdir())
            if read_only or kibibytes == 16:
                with pytest.raises(named):
                    back_up(folder, disk, silent)
                assert not list(disk.iterdir())


def test_folder_that_may_not_be_made_is_the_configurations_fault(backup: Path, tmp_path: Path) -> None:
    """Rights and what is in the way are no faults of the disk."""
    (tmp_path / "file").write_text("x")
    for make in (lambda path: restore(backup, path, Continuation.HELD, None, silent), make_folder):
        with pytest.raises(InvalidConfigurationError, match="cannot be made"):
            make(tmp_path / "file" / "node")


def test_second_of_two_backups_at_once_is_refused_or_gets_a_name_of_its_own(folder: NodeFolder, tmp_path: Path) -> None:
    """STO-019: neither writes into the other's file."""
    begun, others = [], []

    def during(done: int, total: int) -> None:
        if not begun:
            begun.append(done)
            with pytest.raises(BackupExistsError, match="another process"):
                back_up(folder, tmp_path / "port-node1-0001.yunhe-backup", silent)
            others.append(back_up(folder, tmp_path, silent)[0])

    first, mark = back_up(folder, tmp_path, during)
    assert (first.name, others[0].name) == ("port-node1-0001.yunhe-backup", "port-node1-0002.yunhe-backup")
    for number, path in enumerate((first, others[0])):
        assert restore(path, tmp_path / f"restored{number}", Continuation.HELD, None, silent)[1] == mark
    assert not list(tmp_path.glob("*.partial"))


def test_what_a_crash_left_of_a_backup_is_begun_anew(folder: NodeFolder, tmp_path: Path) -> None:
    """STO-019 accepted."""
    (tmp_path / "a.backup.partial").write_bytes(bytes(10_000_000))
    path, mark = back_up(folder, tmp_path / "a.backup", silent)
    assert restore(path, tmp_path / "restored", Continuation.HELD, None, silent)[1] == mark
    assert not list(tmp_path.glob("*.partial"))
