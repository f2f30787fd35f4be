"""STO-008 to STO-013 and LED-011, LED-014, LED-031, LED-040: the store as the node sees it."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.unit.storage.stored_chain import (
    COUNT,
    GENESIS,
    HISTORY_BLOCKS,
    ITEMS,
    NODE,
    add_block,
    apply,
    genesis_writes,
    make_genesis,
    make_transaction,
)
from yunhe.crypto import SHA256
from yunhe.errors import (
    BlockLogAlteredError,
    BlockLogShortenedError,
    BlockNotFoundError,
    CommitOrderError,
    CosignerMemoryDamagedError,
    FolderInUseError,
    HistoryGoneError,
    InvalidInputError,
    NotFoundError,
    StoreExistsError,
    StoreFormatError,
    StoreHaltedError,
    StoreNotFoundError,
    WrongGenesisError,
    YunheError,
)
from yunhe.ledger.codec import encode
from yunhe.ledger.merkle import merkle_root
from yunhe.ledger.state_keys import prefix_end
from yunhe.ledger.state_tree import root_from_proof
from yunhe.storage import CosignerMemory, LedgerStore, Location
from yunhe.storage.block_files import BlockFiles
from yunhe.storage.state_store import StateStoreOpener

OpenStore = Callable[[], LedgerStore]


@pytest.fixture
def store(open_store: OpenStore) -> Iterator[LedgerStore]:
    return open_store()


def test_new_store_holds_the_genesis_state(store):
    """LED-002 accepted."""
    assert store.head() == GENESIS.header(store.head().state_root)
    assert store.engine_height == 0
    assert store.log_root() == merkle_root([store.head().hash(SHA256)], SHA256)
    assert [store.reader().get(key) for key, _ in genesis_writes()] == [value for _, value in genesis_writes()]
    assert store.block(0).writes == tuple(sorted(genesis_writes()))


def test_committed_blocks_survive_reopening(open_store):
    """STO-013 accepted: everything that was committed is there again, from bytes."""
    store = open_store()
    blocks = [add_block(store, *numbers) for numbers in ((1, 2), (3,), (4, 5, 6))]
    head, root = store.head(), store.log_root()
    store.close()
    again = open_store()
    assert (again.head(), again.log_root(), again.engine_height) == (head, root, 3)
    assert [again.block(height) for height in (1, 2, 3)] == blocks
    assert [again.header(height) for height in (1, 2, 3)] == [block.header for block in blocks]
    assert again.log.root() == merkle_root([again.header(height).hash(SHA256) for height in range(4)], SHA256)


def test_root_that_the_frontier_foretells_is_the_root_after_the_commit(store):
    """LED-040."""
    for number in range(5):
        block = apply(store, make_transaction(number))
        frontier = store.log.frontier()
        frontier.append(block.header_hash)
        store.commit(block, number + 1)
        assert store.log_root() == frontier.root() == store.log.root()


def test_transaction_is_found_by_its_id(store):
    add_block(store, 1, 2)
    block = add_block(store, 3, 4)
    wanted = block.transactions[1]
    assert store.locate(wanted.id) == Location(2, 1)
    assert store.transaction(wanted.id) == wanted
    assert store.receipt(wanted.id) == block.receipts[1]


def test_receipts_of_one_block_are_read_from_the_disk_once(store, monkeypatch):
    """API-005: a batch that is retried would read and verify the whole block for each of its transactions."""
    read = []
    original = BlockFiles.read
    monkeypatch.setattr(BlockFiles, "read", lambda files, height: (read.append(height), original(files, height))[1])
    blocks = [add_block(store, *range(start, start + 3)) for start in (1, 11)]
    for block in blocks:
        for transaction, receipt in zip(block.transactions, block.receipts, strict=True):
            assert store.receipt(transaction.id) == receipt
            assert store.transaction(transaction.id) == transaction
    assert read == [1, 2]


def test_unknown_transaction_is_not_found(store):
    add_block(store, 1)
    unknown = make_transaction(2).id
    assert (store.locate(unknown), store.transaction(unknown), store.receipt(unknown)) == (None, None, None)


@pytest.mark.parametrize("height", [-1, 2, 10**12])
def test_missing_height_is_refused(store, height):
    add_block(store, 1)
    with pytest.raises(BlockNotFoundError):
        store.block(height)
    with pytest.raises(BlockNotFoundError):
        store.header(height)


def test_committed_ids_are_seen_and_no_others(open_store):
    """LED-011, also after a restart."""
    store = open_store()
    add_block(store, 1, 2)
    first, second, third = (make_transaction(number).id for number in (1, 2, 3))
    assert store.seen([first, third, second]) == {first, second}
    store.close()
    assert open_store().seen([first, third, second]) == {first, second}


def test_same_transaction_takes_effect_once(store):
    """LED-011 refused: the second block of it is empty."""
    add_block(store, 1)
    assert apply(store, make_transaction(1)) is None


def test_staged_block_is_seen_by_the_next_and_not_by_readers(store):
    """What is staged is not committed: queries and views do not see it."""
    add_block(store, 1)
    before, reader = store.reader().get(COUNT), store.reader()
    block = apply(store, make_transaction(2))
    assert store.get(COUNT) == encode({"n": 2})
    assert store.get_many([COUNT, b"none"]) == [encode({"n": 2}), None]
    assert len(store.scan(ITEMS, prefix_end(ITEMS), 10)) == 2
    fresh = store.reader()
    assert fresh.get(COUNT) == before == encode({"n": 1})
    assert len(fresh.scan(ITEMS, prefix_end(ITEMS), 10)) == 1
    assert fresh.height == 1
    store.commit(block, 2)
    # A reader keeps what it began with; a new one has the new state.
    assert reader.get(COUNT) == before
    assert store.reader().get(COUNT) == encode({"n": 2})
    assert store.reader().height == 2


def test_reader_scans_in_both_orders(store):
    add_block(store, 1, 2, 3)
    rows = store.reader().scan(ITEMS, prefix_end(ITEMS), 10)
    assert [key for key, _ in rows] == sorted(key for key, _ in rows)
    assert store.reader().scan(ITEMS, prefix_end(ITEMS), 2, reverse=True) == rows[::-1][:2]


def test_discarded_block_is_forgotten(store):
    add_block(store, 1)
    block = apply(store, make_transaction(2))
    store.discard()
    assert store.get(COUNT) == encode({"n": 1})
    with pytest.raises(CommitOrderError):
        store.commit(block, 2)


def test_empty_engine_block_keeps_the_log_and_moves_the_engine_height(open_store):
    """LED-014: durable, and the log's root stays."""
    store = open_store()
    add_block(store, 1)
    root = store.log_root()
    store.commit(None, 2)
    store.commit(None, 7)
    assert (store.engine_height, store.log_root(), store.head().height) == (7, root, 1)
    store.close()
    again = open_store()
    assert (again.engine_height, again.log_root(), again.head().height) == (7, root, 1)
    block = apply(again, make_transaction(2), engine_height=8)
    again.commit(block, 8)
    assert again.engine_height == 8


@pytest.mark.parametrize("engine_height", [0, 1])
def test_engine_height_that_does_not_grow_is_refused(store, engine_height):
    """STO-012 refused."""
    add_block(store, 1)
    with pytest.raises(CommitOrderError):
        store.commit(None, engine_height)
    store.commit(None, 2)


def test_blocks_staged_on_one_another_are_committed_in_order(store):
    """STO-012 accepted; refused when one is left out, or is committed before the one below it."""
    add_block(store, 1)
    below = apply(store, make_transaction(2), engine_height=2)
    above = apply(store, make_transaction(3), engine_height=3, previous=below.header)
    assert store.get(COUNT) == encode({"n": 3})
    assert store.reader().get(COUNT) == encode({"n": 1})
    for blocks in ([(above, 3)], [(above, 3), (below, 4)], [(below, 3), (above, 3)]):
        with pytest.raises(CommitOrderError):
            store.commit_many(blocks)
    store.commit(below, 2)
    assert (store.head(), store.reader().get(COUNT), store.get(COUNT)) == (below.header, encode({"n": 2}), encode({"n": 3}))
    store.commit_many([(None, 3), (above, 4), (None, 5)])
    assert (store.head(), store.engine_height, store.log_root()) == (above.header, 5, store.log.root())
    assert store.block(3) == above


BROKEN = {
    "another height": {"height": 3},
    "another previous header": {"previous": bytes(32)},
    "another network": {"network_id": bytes(32)},
    "a state root that is not staged": {"state_root": bytes(32)},
}


@pytest.mark.parametrize("changes", BROKEN.values(), ids=BROKEN)
def test_block_that_does_not_follow_is_refused_and_the_right_one_goes_through(store, changes):
    """STO-012 refused, then accepted."""
    add_block(store, 1)
    block = apply(store, make_transaction(2))
    with pytest.raises(CommitOrderError):
        store.commit(replace(block, header=replace(block.header, **changes)), 2)
    store.commit(block, 2)
    assert store.head() == block.header


def test_block_is_not_committed_twice(store):
    """STO-012 refused."""
    block = apply(store, make_transaction(1))
    store.commit(block, 1)
    with pytest.raises(CommitOrderError):
        store.commit(block, 2)
    with pytest.raises(CommitOrderError):
        store.stage(1, [])


def test_records_are_proved_at_the_head_and_in_the_kept_history_only(store):
    """LED-031: accepted for `state_history_blocks` below the head, refused below that and above the head."""
    for number in range(10):
        add_block(store, number)
    for height in range(10 - HISTORY_BLOCKS, 11):
        record, proof = store.prove_record(height, COUNT)
        assert record == encode({"n": height})
        assert root_from_proof(COUNT, record, proof, SHA256) == store.header(height).state_root
        absent, proof = store.prove_record(height, COUNT + b"\x02no\x00")
        assert absent is None
        assert root_from_proof(COUNT + b"\x02no\x00", None, proof, SHA256) == store.header(height).state_root
    with pytest.raises(HistoryGoneError):
        store.prove_record(10 - HISTORY_BLOCKS - 1, COUNT)
    with pytest.raises(NotFoundError):
        store.prove_record(11, COUNT)


def test_closed_store_takes_nothing(store):
    block = apply(store, make_transaction(1))
    store.close()
    with pytest.raises(StoreHaltedError):
        store.commit(block, 1)
    with pytest.raises(StoreHaltedError):
        store.stage(1, [])


def test_second_node_on_one_folder_is_refused_and_the_first_goes_on(open_store):
    """STO-002 refused, and accepted once the first is closed."""
    first = open_store()
    with pytest.raises(FolderInUseError, match="stop that node first"):
        open_store()
    add_block(first, 1)
    first.close()
    assert open_store().head().height == 1


def sign(folder: Path, store: LedgerStore) -> None:
    """Remember the whole log as cosigned."""
    CosignerMemory.open(folder / "cosigner", GENESIS.network_id).advance(store.log, store.log.size, NODE.public_key.raw)


def test_log_that_continues_what_was_cosigned_is_opened(folder: Path, open_store: OpenStore):
    """LED-042 accepted: as long as what was signed, or longer."""
    for number in (1, 2):
        with open_store() as store:
            add_block(store, number)
            sign(folder, store)
    with open_store() as store:
        add_block(store, 3)
    with open_store() as store:
        assert store.head().height == 3


def test_older_log_beside_a_newer_cosignature_is_refused_with_and_without_the_memory(folder: Path, open_store: OpenStore):
    """LED-042 refused: a restored older folder would answer for transactions that it has not, and take other ones."""
    with open_store() as store:
        add_block(store, 1)
    shutil.copytree(folder, backup := folder.with_name("backup"))
    with open_store() as store:
        add_block(store, 2)
        sign(folder, store)
    (folder / "cosigner").rename(backup / "cosigner")
    shutil.rmtree(folder)
    backup.rename(folder)
    before = (folder / "marker").read_bytes()
    with pytest.raises(BlockLogShortenedError, match="put back from an older copy"):
        open_store()
    assert (folder / "marker").read_bytes() == before
    (folder / "cosigner").unlink()
    with pytest.raises(CosignerMemoryDamagedError, match="is missing"):
        open_store()


def test_another_log_than_was_cosigned_is_refused(folder: Path, open_store: OpenStore):
    """LED-042 refused"""
    shutil.copytree(folder, other := folder.with_name("other"))
    with open_store() as store:
        add_block(store, 1)
        sign(folder, store)
    shutil.move(folder / "cosigner", aside := folder.with_name("aside"))
    shutil.rmtree(folder)
    other.rename(folder)
    with open_store() as store:
        add_block(store, 2)
    shutil.move(aside, folder / "cosigner")
    with pytest.raises(BlockLogAlteredError, match="another block log"):
        open_store()


def test_another_genesis_is_refused(folder: Path, opener: StateStoreOpener):
    """STO-001 refused; nothing is lost."""
    with pytest.raises(WrongGenesisError, match=make_genesis("other").network_id.hex()):
        LedgerStore.open(folder, make_genesis("other"), opener=opener)
    LedgerStore.open(folder, GENESIS, opener=opener).close()


FORMATS = {
    "an older version": b'{"format": "yunhe-store", "version": 0, "network_id": ""}',
    "a newer version": b'{"format": "yunhe-store", "version": 2, "network_id": "", "shards": 4}',
    "a version that is no number": b'{"format": "yunhe-store", "version": true, "network_id": ""}',
    "another format": b'{"format": "other", "version": 1, "network_id": ""}',
    "an unknown field": b'{"format": "yunhe-store", "version": 1, "network_id": "", "more": 1}',
    "a network id that is no text": b'{"format": "yunhe-store", "version": 1, "network_id": 5}',
    "no object": b"[]",
    "no JSON": b"\xff\x00",
    "nothing": b"",
}


@pytest.mark.parametrize("content", FORMATS.values(), ids=FORMATS)
def test_another_store_format_is_refused(folder: Path, opener: StateStoreOpener, content):
    """STO-001 refused by name."""
    (folder / "FORMAT").write_bytes(content)
    with pytest.raises(StoreFormatError):
        LedgerStore.open(folder, GENESIS, opener=opener)


def test_missing_format_file_beside_a_store_is_refused(folder: Path, opener: StateStoreOpener):
    """STO-001 refused."""
    (folder / "FORMAT").unlink()
    with pytest.raises(StoreFormatError, match="missing"):
        LedgerStore.open(folder, GENESIS, opener=opener)


@pytest.mark.parametrize("name", [".", "nowhere"])
def test_folder_without_a_store_is_refused(tmp_path: Path, opener: StateStoreOpener, name):
    with pytest.raises(StoreNotFoundError, match="node init"):
        LedgerStore.open(tmp_path / name, GENESIS, opener=opener)


def test_creating_a_store_where_something_is_is_refused(folder: Path, opener: StateStoreOpener):
    with pytest.raises(StoreExistsError):
        LedgerStore.create(folder, GENESIS, genesis_writes(), opener)
    LedgerStore.open(folder, GENESIS, opener=opener).close()


def test_creating_a_store_in_an_empty_folder_is_accepted(tmp_path: Path, opener: StateStoreOpener):
    (tmp_path / "empty").mkdir()
    with LedgerStore.create(tmp_path / "empty", GENESIS, genesis_writes(), opener) as store:
        add_block(store, 1)


def test_creating_a_store_makes_the_folders_above_it(tmp_path: Path, opener: StateStoreOpener):
    with LedgerStore.create(tmp_path / "a" / "b" / "c", GENESIS, genesis_writes(), opener) as store:
        assert store.head().height == 0


def test_genesis_state_with_a_key_twice_is_refused_and_can_be_made_again(tmp_path: Path, opener: StateStoreOpener):
    with pytest.raises(InvalidInputError):
        LedgerStore.create(tmp_path / "store", GENESIS, [*genesis_writes(), genesis_writes()[0]], opener)
    assert not (tmp_path / "store").exists()
    LedgerStore.create(tmp_path / "store", GENESIS, genesis_writes(), opener).close()


def test_folder_that_is_being_made_by_another_is_refused(tmp_path: Path, opener: StateStoreOpener):
    """STO-002 refused."""
    seen: list[type[YunheError]] = []

    def opening_meanwhile(path: Path, hash_name: str):
        if not seen:
            with pytest.raises(FolderInUseError) as caught:
                LedgerStore.create(tmp_path / "store", GENESIS, genesis_writes(), opener)
            seen.append(caught.type)
        return opener(path, hash_name)

    LedgerStore.create(tmp_path / "store", GENESIS, genesis_writes(), opening_meanwhile).close()
    assert seen == [FolderInUseError]
