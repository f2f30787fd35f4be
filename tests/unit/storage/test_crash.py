"""STO-008, STO-013: a crash between any two steps of the store loses no acknowledged block and leaves no half one.

Each scenario runs once on a watched disk; then every image of every step is opened as a restarted node would open it. What comes out
must be the head that was acknowledged at that step, or the next one. The opening itself is watched too, and crashes again at each of
its own steps.
"""

from pathlib import Path

import pytest

from tests.unit.storage.disk_in_steps import Step, watch
from tests.unit.storage.state_on_file import FileStateStore
from tests.unit.storage.stored_chain import GENESIS, add_block, apply, genesis_writes, make_transaction, restore
from yunhe.errors import StoreNotFoundError
from yunhe.ledger.transition import LedgerBlock
from yunhe.storage import LedgerStore

SEGMENT_BYTES = 2500
"""About two blocks."""


def open_store(folder: Path) -> LedgerStore:
    return LedgerStore.open(folder, GENESIS, opener=FileStateStore.open, segment_bytes_max=SEGMENT_BYTES)


def state_of(store: LedgerStore) -> tuple[int, int, bytes]:
    return store.head().height, store.engine_height, store.log_root()


def blocks_of(store: LedgerStore) -> list[bytes]:
    return [store.record(height).encode() for height in range(store.head().height + 1)]


@pytest.fixture
def store_folder(tmp_path):
    LedgerStore.create(tmp_path / "store", GENESIS, genesis_writes(), FileStateStore.open).close()
    return tmp_path / "store"


def run_scenario(folder: Path) -> tuple[list[Step], list[tuple[int, int, bytes]], list[bytes]]:
    """Commit blocks and empty engine blocks over several segments; returns the steps, all states in order, and all blocks."""
    store = open_store(folder)
    with watch(folder) as disk:
        states = [state_of(store)]
        disk.acknowledged = 0
        for number in range(7):
            if number % 3 == 2:
                store.commit(None, store.engine_height + 1)
            else:
                add_block(store, *range(number * 10, number * 10 + 1 + number % 2))
            states.append(state_of(store))
            disk.acknowledged = number + 1
    blocks = blocks_of(store)
    assert len(list((folder / "blocks").iterdir())) >= 3
    store.close()
    return disk.steps, states, blocks


def check_reopened(folder: Path, states: list[tuple[int, int, bytes]], blocks: list[bytes], acknowledged: object) -> bool:
    """What is there is what was acknowledged or the next state, whole, and the ledger goes on from it; returns whether it is the next."""
    assert isinstance(acknowledged, int)
    with open_store(folder) as store:
        assert state_of(store) in states[acknowledged : acknowledged + 2]
        kept_more = state_of(store) != states[acknowledged]
        assert blocks_of(store) == blocks[: store.head().height + 1]
        assert store.log.root() == store.log_root()
        add_block(store, 1000)
        after = state_of(store)
    with open_store(folder) as store:
        assert state_of(store) == after
    return kept_more


def test_crash_at_any_step_of_a_commit_keeps_every_acknowledged_block(tmp_path, store_folder):
    """STO-013: log, marker, then the acknowledgement."""
    steps, states, blocks = run_scenario(store_folder)
    outcomes = [
        check_reopened(restore(image, tmp_path / f"crash{number}-{position}"), states, blocks, step.acknowledged)
        for number, step in enumerate(steps)
        for position, image in enumerate(step.images)
    ]
    # Both occur: the block that was being committed is there, and it is not.
    assert set(outcomes) == {True, False}


def test_crash_at_any_step_of_a_group_commit_leaves_its_beginning(tmp_path, store_folder):
    """STO-008, STO-013: blocks that are committed together are there in order: none of them, some, or all, and none half."""
    store = open_store(store_folder)
    add_block(store, 1)
    states = [state_of(store)]
    frontier = store.log.frontier()
    group: list[LedgerBlock] = []
    for number in range(2, 5):
        block = apply(store, make_transaction(number), engine_height=number, previous=group[-1].header if group else None)
        assert block is not None
        group.append(block)
        frontier.append(block.header_hash)
        states.append((block.header.height, number, frontier.root()))
    with watch(store_folder) as disk:
        disk.acknowledged = 0
        store.commit_many([(block, number) for number, block in enumerate(group, 2)])
        assert state_of(store) == states[-1]
    blocks = blocks_of(store)
    store.close()
    found = set()
    for number, step in enumerate(disk.steps):
        for position, image in enumerate(step.images):
            with open_store(restore(image, tmp_path / f"crash{number}-{position}")) as again:
                found.add(states.index(state_of(again)))
                assert blocks_of(again) == blocks[: again.head().height + 1]
                add_block(again, 1000)
    assert {0, len(group)} < found


def test_crash_during_the_restart_after_a_crash_keeps_every_acknowledged_block(tmp_path, store_folder):
    """STO-008: cutting and writing once more can be cut off too."""
    steps, states, blocks = run_scenario(store_folder)
    repaired = 0
    for number, step in enumerate(steps):
        for position, image in enumerate(step.images):
            folder = restore(image, tmp_path / f"crash{number}-{position}")
            with watch(folder) as disk:
                open_store(folder).close()
            if len(disk.steps) == 1:
                continue
            repaired += 1
            for again, (_, second) in enumerate((s, i) for s in disk.steps for i in s.images):
                check_reopened(restore(second, tmp_path / f"again{number}-{position}-{again}"), states, blocks, step.acknowledged)
    assert repaired > 20


def test_crash_while_a_store_is_made_leaves_none_or_a_whole_one(tmp_path):
    """A new store appears all at once."""
    (tmp_path / "node").mkdir()
    target = tmp_path / "node" / "store"
    with watch(tmp_path / "node") as disk:
        store = LedgerStore.create(target, GENESIS, genesis_writes(), FileStateStore.open)
        expected = state_of(store)
        store.close()
    found = 0
    for number, step in enumerate(disk.steps):
        for position, image in enumerate(step.images):
            node = tmp_path / f"crash{number}-{position}"
            node.mkdir()
            restore(image, node)
            if (node / "store").exists():
                found += 1
            else:
                with pytest.raises(StoreNotFoundError):
                    open_store(node / "store")
                LedgerStore.create(node / "store", GENESIS, genesis_writes(), FileStateStore.open).close()
            with open_store(node / "store") as store:
                assert state_of(store) == expected
    assert 0 < found < len(disk.steps) * 4


def test_log_cut_at_every_byte_of_an_unacknowledged_block_reopens(tmp_path, store_folder):
    """STO-008: the marker is one block behind, and the last record ends anywhere."""
    store = open_store(store_folder)
    add_block(store, 1)
    marker = (store_folder / "marker").read_bytes()
    states = [state_of(store)]
    size = (store_folder / "blocks" / f"{0:020}.blk").stat().st_size
    add_block(store, 2)
    states.append(state_of(store))
    blocks = blocks_of(store)
    store.close()
    paths = sorted((store_folder / "blocks").iterdir())
    whole = paths[-1].read_bytes()
    start = size if len(paths) == 1 else 0
    for length in range(start, len(whole) + 1):
        paths[-1].write_bytes(whole[:length])
        (store_folder / "marker").write_bytes(marker)
        with open_store(store_folder) as again:
            assert state_of(again) == states[length == len(whole)]
            assert blocks_of(again) == blocks[: again.head().height + 1]
        if not paths[-1].exists():
            paths[-1].touch()


@pytest.mark.parametrize("lost", [1, 2, 3])
def test_derived_state_that_fell_behind_is_rolled_forward(tmp_path, store_folder, lost):
    """STO-010 accepted: the state was never synced, and power failed."""
    store = open_store(store_folder)
    for number in range(4 - lost):
        add_block(store, number)
    behind = (store_folder / "state" / "state.cbor").read_bytes()
    for number in range(4 - lost, 4):
        add_block(store, number)
    expected, records = state_of(store), dict(store.reader().scan(b"a", b"z", 100))
    store.close()
    (store_folder / "state" / "state.cbor").write_bytes(behind)
    with open_store(store_folder) as again:
        assert state_of(again) == expected
        assert dict(again.reader().scan(b"a", b"z", 100)) == records
        assert again.seen([make_transaction(3).id]) == {make_transaction(3).id}
        assert apply(again, make_transaction(3)) is None
