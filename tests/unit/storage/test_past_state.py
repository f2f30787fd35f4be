"""STO-017, STO-010: the past of a ledger, read from its block log beside the node."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.unit.storage.forged_log import make_block, write_log
from tests.unit.storage.state_on_file import FileStateStore
from tests.unit.storage.stored_chain import GENESIS, ITEMS, add_block, genesis_writes, make_genesis, make_transaction
from yunhe.crypto import SHA256
from yunhe.errors import (
    BlockLogAlteredError,
    BlockLogShortenedError,
    BlockNotFoundError,
    MarkerDamagedError,
    StateMismatchError,
    StoreNotFoundError,
    WrongGenesisError,
)
from yunhe.ledger.interfaces import StateReader
from yunhe.ledger.state_keys import prefix_end
from yunhe.storage import DataFolder, LedgerStore, Location, LogReader, past_state
from yunhe.storage.block_record import BlockRecord
from yunhe.storage.state_store import open_native_store

Rows = list[tuple[bytes, bytes]]


def silent(done: int, total: int) -> None:
    return


def note(told: list[tuple[int, int]], done: int, total: int) -> None:
    told.append((done, total))


def items(state: StateReader) -> Rows:
    return state.scan(ITEMS, prefix_end(ITEMS), 10)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[LedgerStore]:
    """An open store of five blocks; the last one deletes what earlier ones made."""
    with LedgerStore.create(tmp_path / "store", GENESIS, genesis_writes(), FileStateStore.open) as store:
        add_block(store, 1, 2)
        yield store


def reader(tmp_path: Path) -> LogReader:
    return LogReader.open(tmp_path / "store", GENESIS)


def rows_by_height(store: LedgerStore, *blocks: tuple[int, ...]) -> list[Rows]:
    """Add blocks, and return the items after each height."""
    rows = [[], items(store.reader())]
    for numbers in blocks:
        add_block(store, *numbers)
        rows.append(items(store.reader()))
    return rows


@pytest.mark.parametrize("batch_bytes", [1, 1 << 20])
def test_state_after_every_block_is_the_one_that_the_node_had_there(store: LedgerStore, tmp_path: Path, batch_bytes: int) -> None:
    """The node has the folder open meanwhile; the native store agrees with the reference on every root."""
    rows = rows_by_height(store, (3,), (4, 5, 6), (7,))
    log = reader(tmp_path)
    for height, expected in enumerate(rows):
        told: list[tuple[int, int]] = []
        with past_state(
            log, height, GENESIS, partial(note, told), opener=open_native_store, scratch=tmp_path, batch_bytes=batch_bytes
        ) as state:
            assert items(state) == expected
        assert told == [(count, height + 1) for count in range(1, height + 2)]
    assert len({tuple(found) for found in rows}) == len(rows)
    assert [path.name for path in tmp_path.iterdir()] == ["store"]


def test_blocks_appended_after_the_reader_was_opened_are_not_in_it(store: LedgerStore, tmp_path: Path) -> None:
    """STO-017: accepted beside the node, at the marker of its opening."""
    log = reader(tmp_path)
    add_block(store, 3)
    assert (log.size, log.root) == (2, store.log.root(2))
    for ask in (log.record, log.header):
        with pytest.raises(BlockNotFoundError):
            ask(2)
    assert reader(tmp_path).size == 3
    assert reader(tmp_path).header(2) == store.head()


def test_block_above_the_marker_is_left_alone(store: LedgerStore, tmp_path: Path) -> None:
    """STO-017: a crash between log and marker: the start would keep the block, who only reads does not wait for it, and changes nothing."""
    marker = DataFolder(tmp_path / "store").marker
    before = marker.read_bytes()
    add_block(store, 3)
    marker.write_bytes(before)
    log = reader(tmp_path)
    assert log.size == 2
    assert log.find(make_transaction(3).id, silent) is None
    assert marker.read_bytes() == before


def test_transaction_is_found_where_it_is_and_nowhere_else(store: LedgerStore, tmp_path: Path) -> None:
    add_block(store, 3)
    add_block(store, 4, 5)
    log = reader(tmp_path)
    found = {number: log.find(make_transaction(number).id, silent) for number in range(1, 7)}
    assert found == {1: Location(1, 0), 2: Location(1, 1), 3: Location(2, 0), 4: Location(3, 0), 5: Location(3, 1), 6: None}


def test_wrong_folder_or_genesis_is_refused_by_name(store: LedgerStore, tmp_path: Path) -> None:
    with pytest.raises(StoreNotFoundError):
        LogReader.open(tmp_path, GENESIS)
    with pytest.raises(WrongGenesisError):
        LogReader.open(tmp_path / "store", make_genesis("other"))


def test_damage_is_refused_by_name_and_never_read_over(store: LedgerStore, tmp_path: Path) -> None:
    """STO-017, STO-007."""
    add_block(store, 3)
    folder = DataFolder(tmp_path / "store")
    (segment,) = folder.blocks.iterdir()
    whole, marked = segment.read_bytes(), folder.marker.read_bytes()
    # A byte inside an acknowledged block is met when the block is read.
    position = whole.rindex(make_transaction(1).encoded) + 40
    segment.write_bytes(whole[:position] + bytes([whole[position] ^ 1]) + whole[position + 1 :])
    log = reader(tmp_path)
    with pytest.raises(BlockLogAlteredError), past_state(log, 2, GENESIS, silent, opener=FileStateStore.open, scratch=tmp_path):
        pass
    segment.write_bytes(whole[:-1])
    with pytest.raises(BlockLogShortenedError):
        reader(tmp_path)
    segment.write_bytes(whole)
    folder.marker.write_bytes(bytes(len(marked)))
    with pytest.raises(MarkerDamagedError):
        reader(tmp_path)


def test_write_sets_that_do_not_lead_to_the_state_root_give_no_state(store: LedgerStore, tmp_path: Path) -> None:
    """STO-010: checksums and roots of a forged block fit, its write set does not."""
    records = [store.record(height) for height in range(2)]
    block = records[1].block(SHA256)
    forged = BlockRecord(records[1].header, 1, records[1].transactions, records[1].receipts, block.writes[:-1])
    folder = tmp_path / "forged"
    write_log(folder, [records[0], forged, make_block([records[0], forged], [], [], [])])
    log = LogReader.open(folder, GENESIS)
    with pytest.raises(StateMismatchError), past_state(log, 1, GENESIS, silent, opener=FileStateStore.open, scratch=tmp_path):
        pass
