"""STO-001: the store of this format version that is kept as files opens, checks and proves; one of another version is refused by name."""

import json
import shutil
from pathlib import Path

import pytest

from tests.kept_store import KEPT, PROVED, SEGMENT_BYTES, certification
from tests.unit.storage.stored_chain import (
    COUNT,
    NEXT_LEDGER,
    ItemsExecutor,
    add_transactions,
    snapshot_of,
)
from yunhe import verifier
from yunhe.errors import StoreFormatError
from yunhe.storage import CosignerMemory, DataFolder, LedgerStore, SignedTree, check_folder
from yunhe.storage.data_folder import FORMAT_VERSION
from yunhe.storage.state_store import StateStoreOpener

GENESIS = KEPT.genesis


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy, which may be changed."""
    return Path(shutil.copytree(KEPT.store, tmp_path / "store"))


def check(folder: Path, opener: StateStoreOpener):
    return check_folder(folder, GENESIS, lambda done, total: None, ItemsExecutor(), opener)


def test_kept_store_opens_with_everything_in_it(folder, opener):
    """STO-001 accepted, STO-011: its derived state is made again."""
    expected = KEPT.expected
    with LedgerStore.open(folder, GENESIS, opener=opener) as store:
        head = store.head()
        assert (head.height, store.engine_height) == (expected["height"], expected["engine_height"])
        assert head.hash(GENESIS.chain_hash).hex() == expected["header_hash"]
        assert (head.state_root.hex(), store.log_root().hex()) == (expected["state_root"], expected["log_root"])
        assert store.reader().get(COUNT) == bytes.fromhex(expected["count_record"])
        blocks = [store.block(height) for height in range(head.height + 1)]
        assert sum(len(block.transactions) for block in blocks) == expected["transactions"]
        for block in blocks:
            assert [store.receipt(transaction.id) for transaction in block.transactions] == list(block.receipts)
        assert CosignerMemory.open(DataFolder(folder).cosigner, GENESIS.network_id).last == SignedTree(5, store.log_root())


def test_kept_store_is_whole(folder, opener):
    """STO-014 accepted: contracts run again, and the only remark is what a copy without derived state must have."""
    expected = KEPT.expected
    report = check(folder, opener)
    assert (report.blocks, report.transactions) == (expected["height"] + 1, expected["transactions"])
    assert (report.log_root.hex(), report.state_root.hex()) == (expected["log_root"], expected["state_root"])
    assert report.replayed
    assert report.segments > 1
    assert report.block_log_bytes == sum(path.stat().st_size for path in (folder / "blocks").iterdir())
    assert report.remarks == ("there is no derived state; the next start makes it",)
    LedgerStore.open(folder, GENESIS, opener=opener).close()
    assert check(folder, opener).remarks == ()


def test_kept_proof_is_verified_and_made_again_byte_by_byte(folder, opener):
    """STO-016 accepted: the kept certificate leads the bundle across the change of certifiers."""
    verified = verifier.verify(KEPT.proof, (KEPT.path / "genesis.json").read_bytes())
    assert [subject.fields["record"] for subject in verified.subjects] == [{"n": 6}]
    with LedgerStore.open(folder, GENESIS, opener=opener) as store:
        assert certification(store, DataFolder(folder), NEXT_LEDGER).prove([PROVED], None) == KEPT.proof


def test_same_blocks_written_now_give_the_kept_bytes(tmp_path, folder, opener):
    """STO-001: whoever changes what is written changes the version, and keeps a store of it."""
    target = tmp_path / "again"
    with LedgerStore.open(folder, GENESIS, opener=opener) as kept:
        records = [kept.record(height) for height in range(kept.head().height + 1)]
        blocks = [kept.block(height) for height in range(kept.head().height + 1)]
    LedgerStore.create(target, GENESIS, records[0].writes, opener).close()
    with LedgerStore.open(target, GENESIS, opener=opener, segment_bytes_max=SEGMENT_BYTES) as store:
        for record, block in zip(records[1:], blocks[1:], strict=True):
            while store.engine_height + 1 < record.engine_height:
                store.commit(None, store.engine_height + 1)
            assert add_transactions(store, *block.transactions, genesis=GENESIS) == block
    written = {name: content for name, content in snapshot_of(target).items() if not name.startswith(("state/", "LOCK", "cosigner"))}
    assert written == {
        name: content for name, content in snapshot_of(KEPT.store).items() if not name.startswith(("certificates/", "cosigner"))
    }


@pytest.mark.parametrize("version", [FORMAT_VERSION - 1, FORMAT_VERSION + 1])
def test_store_of_another_version_is_refused_by_name_and_left_alone(folder, opener, version):
    """STO-001 refused, by a start and by the check, whatever else that version has in its file."""
    path = folder / "FORMAT"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"version": version, "more": "of another time"}))
    before = snapshot_of(folder)
    for refuse in (lambda: LedgerStore.open(folder, GENESIS, opener=opener), lambda: check(folder, opener)):
        with pytest.raises(StoreFormatError, match=f"format version {version} and this version of Yunhe reads {FORMAT_VERSION}"):
            refuse()
    assert {name: content for name, content in snapshot_of(folder).items() if name != "LOCK"} == before
