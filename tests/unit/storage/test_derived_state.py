"""STO-010, STO-011: the derived state follows from the block log, or is made again from it."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.unit.storage.forged_log import make_block, write_log
from tests.unit.storage.state_on_file import FILE, FileStateStore
from tests.unit.storage.stored_chain import COUNT, GENESIS, add_block, apply, genesis_writes, make_transaction
from yunhe.crypto import SHA256
from yunhe.errors import BlockInvalidError, BlockLogAlteredError, StateMismatchError
from yunhe.ledger.codec import encode
from yunhe.storage import LedgerStore
from yunhe.storage.block_record import BlockRecord

Damage = Callable[[Path, dict[int, bytes]], None]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    LedgerStore.create(tmp_path / "store", GENESIS, genesis_writes(), FileStateStore.open).close()
    return tmp_path / "store"


@pytest.fixture
def states(folder: Path) -> dict[int, bytes]:
    """The derived state's file after each of four blocks; the folder is at the last."""
    files: dict[int, bytes] = {}
    with LedgerStore.open(folder, GENESIS, opener=FileStateStore.open) as store:
        for height in range(1, 5):
            add_block(store, height)
            files[height] = (folder / "state" / FILE).read_bytes()
    return files


def put(content: Callable[[dict[int, bytes]], bytes]) -> Damage:
    return lambda folder, states: (folder / "state" / FILE).write_bytes(content(states)) and None


def with_height(data: bytes, height: int) -> bytes:
    """The records of one block, called those of another; heights up to 23 take one byte."""
    return data[:1] + encode(height) + data[2:]


DAMAGES: dict[str, Damage] = {
    "is missing": lambda folder, states: shutil.rmtree(folder / "state"),
    "is empty": put(lambda states: encode([-1, [], []])),
    "cannot be opened": put(lambda states: b"\xff"),
    "is behind": put(lambda states: states[2]),
    "is ahead of the log": put(lambda states: with_height(states[4], 5)),
    "is at another root": put(lambda states: with_height(states[3], 4)),
    "is behind and at another root": put(lambda states: with_height(states[3], 2)),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_derived_state_that_does_not_fit_is_brought_up_or_made_again(folder, states, damage):
    """STO-010, STO-011 accepted: whatever it is, the log leads to the right one."""
    damage(folder, states)
    with LedgerStore.open(folder, GENESIS, opener=FileStateStore.open) as store:
        assert store.reader().get(COUNT) == encode({"n": 4})
        assert (store.reader().height, store.head().height) == (4, 4)
        assert store.seen([make_transaction(number).id for number in (1, 4, 5)]) == {make_transaction(number).id for number in (1, 4)}
        assert apply(store, make_transaction(4)) is None
    assert (folder / "state" / FILE).read_bytes() == states[4]


def test_damage_that_shows_while_it_is_brought_up_is_healed_too(folder, states):
    """STO-011: the root of its own height fits, the records below do not lead to the next one."""

    def opener(path: Path, hash_name: str) -> FileStateStore:
        state = FileStateStore.open(path, hash_name)
        if state.height == 2:
            head = state.head()
            state.records.pop(COUNT)
            state.head = lambda: head if state.height == 2 else FileStateStore.head(state)  # type: ignore[method-assign]
        return state

    (folder / "state" / FILE).write_bytes(states[2])
    with LedgerStore.open(folder, GENESIS, opener=opener) as store:
        assert store.reader().get(COUNT) == encode({"n": 4})
    assert (folder / "state" / FILE).read_bytes() == states[4]


def forged(folder: Path, target: Path, **changes: object) -> Path:
    """The log with its last block made anew, and something else in it."""
    with LedgerStore.open(folder, GENESIS, opener=FileStateStore.open) as store:
        records: list[BlockRecord] = [store.record(height) for height in range(5)]
        block = store.block(4)
    writes = changes.pop("writes", block.writes)
    last = make_block(records[:-1], block.transactions, block.receipts, writes, **changes)  # type: ignore[arg-type]  # a write set
    return write_log(target, [*records[:-1], last])


def test_write_set_that_does_not_lead_to_its_root_is_refused(tmp_path, folder, states):
    """STO-010 refused: when a rebuild gives the same, it is the log that is wrong."""
    target = forged(folder, tmp_path / "forged", state_root=bytes(32))
    for state in (None, states[3]):
        if state is not None:
            (target / "state" / FILE).write_bytes(state)
        with pytest.raises(StateMismatchError, match="block 4"):
            LedgerStore.open(target, GENESIS, opener=FileStateStore.open)


def test_write_set_that_cannot_be_applied_is_refused(tmp_path, folder, states):
    """STO-010 refused: a key that no record can have; natively, because the tests' own state takes any."""
    target = forged(folder, tmp_path / "forged", writes=((b"k" * 600, b"v"),))
    with pytest.raises(BlockInvalidError, match="block 4"):
        LedgerStore.open(target, GENESIS)


def test_altered_block_that_is_needed_is_refused(folder, states):
    """STO-005, STO-011 refused: a rebuild reads every block, so it does not build on one that was altered."""
    (path,) = (folder / "blocks").iterdir()
    data = path.read_bytes()
    at = data.index(make_transaction(2).body.salt)
    path.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
    LedgerStore.open(folder, GENESIS, opener=FileStateStore.open).close()
    shutil.rmtree(folder / "state")
    with pytest.raises(BlockLogAlteredError):
        LedgerStore.open(folder, GENESIS, opener=FileStateStore.open)


def test_forged_block_without_a_fault_is_accepted(tmp_path, folder, states):
    """STO-010 accepted: what is refused above is refused for the one thing that is wrong in it."""
    target = forged(folder, tmp_path / "forged")
    with LedgerStore.open(target, GENESIS, opener=FileStateStore.open) as store:
        assert store.header(4).hash(SHA256) == store.head().hash(SHA256)
        assert store.reader().get(COUNT) == encode({"n": 4})
