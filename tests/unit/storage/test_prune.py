"""STO-033 to STO-036: what is pruned is refused by name, and everything else is as on a twin that was not pruned."""

import shutil
from pathlib import Path

import pytest

from tests.unit.storage.disk_in_steps import watch
from tests.unit.storage.state_on_file import FileStateStore
from tests.unit.storage.stored_chain import (
    COUNT,
    GENESIS,
    HISTORY_BLOCKS,
    IDENTITY,
    NODE,
    ItemsExecutor,
    genesis_writes,
    make_transaction,
    restore,
    snapshot_of,
)
from yunhe.crypto import SHA256
from yunhe.errors import (
    BlockInvalidError,
    BlockLogAlteredError,
    BlockLogShortenedError,
    BlockPrunedError,
    CorruptionError,
    StateCheckpointDamagedError,
    TransactionPrunedError,
)
from yunhe.ledger.admission import open_envelope
from yunhe.ledger.envelope import seal_envelope
from yunhe.ledger.layouts import read_parameters
from yunhe.ledger.transaction import Transaction
from yunhe.ledger.transition import EngineBlock, apply_block
from yunhe.storage import LedgerStore, LogReader, Pruned, PrunePolicy, past_state, prune_folder
from yunhe.storage.check import check_folder
from yunhe.storage.state_store import StateStoreOpener, open_native_store

MINUTE_MS = 60_000
BLOCKS = 40
"""One a minute, two or three in a segment."""
SEGMENT_BYTES = 2500
OLD = PrunePolicy(keep_ms=20 * MINUTE_MS)


def silent(done: int, total: int) -> None:
    """A progress that nobody watches."""


def transaction_of(height: int) -> Transaction:
    """The only transaction of a block."""
    return make_transaction(height, time_ms=GENESIS.time_ms + height * MINUTE_MS)


def grow(store: LedgerStore, blocks: int) -> None:
    """Commit blocks, a minute apart."""
    for _ in range(blocks):
        head = store.head()
        sealed = seal_envelope(GENESIS.network_id, IDENTITY, 1, [transaction_of(head.height + 1).encoded], NODE, SHA256)
        envelopes = (open_envelope(sealed.encoded, SHA256),)
        block = EngineBlock(store.engine_height + 1, head.time_ms + MINUTE_MS, envelopes)
        store.commit(apply_block(head, block, store, ItemsExecutor(), SHA256).block, store.engine_height + 1)


def opened(folder: Path, opener: StateStoreOpener = FileStateStore.open) -> LedgerStore:
    return LedgerStore.open(folder, GENESIS, opener=opener, segment_bytes_max=SEGMENT_BYTES)


def prune(folder: Path, policy: PrunePolicy = OLD, opener: StateStoreOpener = FileStateStore.open, **options: bool) -> Pruned:
    return prune_folder(folder, GENESIS, policy, silent, opener=opener, scratch=folder.parent, **options)


def check(folder: Path, opener: StateStoreOpener = FileStateStore.open) -> tuple[int, tuple[str, ...]]:
    report = check_folder(folder, GENESIS, silent, ItemsExecutor(), opener, folder.parent)
    return report.pruned, report.remarks


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The files of a ledger that was never pruned."""
    folder = tmp_path_factory.mktemp("whole") / "store"
    LedgerStore.create(folder, GENESIS, genesis_writes(), FileStateStore.open).close()
    with opened(folder) as store:
        grow(store, BLOCKS)
    return snapshot_of(folder)


@pytest.fixture
def twin(whole: dict[str, bytes], tmp_path: Path) -> Path:
    return restore(whole, tmp_path / "twin")


@pytest.fixture
def folder(whole: dict[str, bytes], tmp_path: Path) -> Path:
    return restore(whole, tmp_path / "store")


def compare(folder: Path, twin: Path, oldest: int, opener: StateStoreOpener = FileStateStore.open) -> None:
    """Everything that is kept is as on the twin, new blocks included; what is not is refused by name."""
    with opened(folder, opener) as store, opened(twin, opener) as other:
        assert store.oldest == oldest
        for _ in range(2):
            assert (store.head(), store.log_root(), store.engine_height) == (other.head(), other.log_root(), other.engine_height)
            top = store.head().height
            assert [store.header(h) for h in range(top + 1)] == [other.header(h) for h in range(top + 1)]
            assert store.reader().scan(b"\0", b"\xff" * 9, 1000) == other.reader().scan(b"\0", b"\xff" * 9, 1000)
            for height in range(1, top + 1):
                identity = transaction_of(height).id
                assert store.locate(identity) == other.locate(identity)
                if height >= oldest:
                    assert store.record(height) == other.record(height)
                    assert store.receipt(identity) == other.receipt(identity)
                    continue
                with pytest.raises(BlockPrunedError, match=f"oldest block that this node keeps is {oldest}"):
                    store.record(height)
                for look in (store.transaction, store.receipt):
                    with pytest.raises(TransactionPrunedError, match=f"in block {height}"):
                        look(identity)
            # The state that the tests keep in a file has no history.
            for height in range(top - HISTORY_BLOCKS, top + 1) if opener is open_native_store else ():
                assert store.prove_record(height, COUNT) == other.prove_record(height, COUNT)
            assert store.receipt(make_transaction(999).id) is None
            # LED-011: an id of a pruned block stays used.
            assert store.seen([transaction_of(1).id, transaction_of(top).id, make_transaction(999).id]) == {
                transaction_of(1).id,
                transaction_of(top).id,
            }
            grow(store, 4)
            grow(other, 4)


@pytest.mark.parametrize("opener", [FileStateStore.open, open_native_store], ids=["on file", "native"])
@pytest.mark.parametrize("is_lost", [False, True], ids=["state kept", "state made again"])
def test_pruned_ledger_is_as_one_that_was_not(folder: Path, twin: Path, opener: StateStoreOpener, is_lost: bool) -> None:
    """STO-033, STO-034 accepted; and again after more blocks."""
    if opener is open_native_store:
        shutil.rmtree(folder / "state")
        shutil.rmtree(twin / "state")
    before = sum(path.stat().st_size for path in (folder / "blocks").iterdir())
    done = prune(folder, opener=opener)
    assert 0 == done.oldest_before < done.oldest <= BLOCKS - 20
    assert done.bytes == before - sum(path.stat().st_size for path in (folder / "blocks").iterdir())
    assert check(folder, opener)[0] == done.oldest
    if is_lost:
        shutil.rmtree(folder / "state")
    compare(folder, twin, done.oldest, opener)
    again = prune(folder, opener=opener)
    assert done.oldest == again.oldest_before < again.oldest
    assert len(list((folder / "checkpoint").iterdir())) == 1
    compare(folder, twin, again.oldest, opener)
    assert check(folder, opener) == (again.oldest, ())


def test_nothing_goes_that_is_still_needed(folder: Path, tmp_path: Path) -> None:
    """STO-036: neither by age nor by size, nor without a bound; a dry run changes nothing."""
    before = snapshot_of(folder)
    assert prune(folder, PrunePolicy()).segments == 0
    assert prune(folder, PrunePolicy(keep_ms=BLOCKS * MINUTE_MS)).segments == 0
    assert prune(folder, PrunePolicy(keep_ms=0, keep_from=1)).segments == 0
    dry = prune(folder, PrunePolicy(keep_ms=0), dry_run=True)
    assert {name: content for name, content in snapshot_of(folder).items() if "blocks" in name} == {
        name: content for name, content in before.items() if "blocks" in name
    }
    assert prune(folder, PrunePolicy(keep_bytes=0)) == dry
    with opened(folder) as store:
        window_ms = read_parameters(store.reader()).validity_window_ms
        assert store.header(dry.oldest - 1).time_ms < store.head().time_ms - window_ms
        assert dry.oldest <= store.head().height - HISTORY_BLOCKS
        assert store.header(dry.oldest + 3).time_ms >= store.head().time_ms - window_ms


def test_size_is_kept_within_its_bound(folder: Path) -> None:
    """STO-036: the oldest go until what is left has no more bytes."""
    done = prune(folder, PrunePolicy(keep_bytes=20_000))
    size = sum(path.stat().st_size for path in (folder / "blocks").iterdir())
    assert 20_000 - SEGMENT_BYTES <= size <= 20_000
    assert done.segments > 1


def test_past_state_and_transactions_of_kept_blocks_are_to_be_had_and_pruned_ones_refused(folder: Path, twin: Path, tmp_path: Path) -> None:
    """STO-017, STO-033."""
    oldest = prune(folder).oldest
    log, other = LogReader.open(folder, GENESIS), LogReader.open(twin, GENESIS)
    for height in (oldest - 1, oldest, BLOCKS):
        with (
            past_state(log, height, GENESIS, silent, opener=FileStateStore.open) as state,
            past_state(other, height, GENESIS, silent, opener=FileStateStore.open) as expected,
        ):
            assert state.scan(b"\0", b"\xff" * 9, 1000) == expected.scan(b"\0", b"\xff" * 9, 1000)
    with (
        pytest.raises(BlockPrunedError, match=f"block {oldest - 1} was pruned"),
        past_state(log, oldest - 2, GENESIS, silent, opener=FileStateStore.open),
    ):
        pass
    assert log.find(transaction_of(oldest).id, silent) == other.find(transaction_of(oldest).id, silent)
    with pytest.raises(TransactionPrunedError, match=f"in block {oldest - 1}"):
        log.find(transaction_of(oldest - 1).id, silent)
    assert log.find(make_transaction(999).id, silent) is None
    assert log.header(3) == other.header(3)


def test_crash_at_any_step_of_pruning_leaves_a_ledger_that_starts_and_can_be_pruned(folder: Path, tmp_path: Path) -> None:
    """STO-035: by a kill or a loss of power; the derived state is made again from what is there."""
    with opened(folder) as store:
        expected = (store.head(), store.log_root(), store.reader().scan(b"\0", b"\xff" * 9, 1000))
    with watch(folder) as disk:
        final = prune(folder).oldest
    seen: set[bytes] = set()
    horizons = set()
    for number, step in enumerate(disk.steps):
        for position, image in enumerate(step.images):
            key = repr(sorted(image.items())).encode()
            if key in seen:
                continue
            seen.add(key)
            crashed = restore(image, tmp_path / f"crash{number}-{position}")
            check(crashed)
            with opened(crashed) as store:
                assert (store.head(), store.log_root(), store.reader().scan(b"\0", b"\xff" * 9, 1000)) == expected
                horizons.add(store.oldest)
                assert store.locate(transaction_of(1).id) is not None
            if position == 0 and number % 5 == 0:
                assert prune(crashed).oldest == final
                assert check(crashed)[0] == final
    assert {0, final} < horizons


FAULTS = {
    "the state is missing": ("checkpoint", 0, None, StateCheckpointDamagedError),
    "the state is cut short": ("checkpoint", 0, lambda data: data[:-40], StateCheckpointDamagedError),
    "a byte of the state differs": (
        "checkpoint",
        0,
        lambda data: data[:300] + bytes([data[300] ^ 1]) + data[301:],
        StateCheckpointDamagedError,
    ),
    "the state has more": ("checkpoint", 0, lambda data: data + b"x", StateCheckpointDamagedError),
    "a pruned segment is missing": ("headers", 1, None, BlockLogShortenedError),
    "the first pruned segment is missing": ("headers", 0, None, BlockLogShortenedError),
    "a pruned segment is cut": ("headers", 0, lambda data: data[:-10], BlockLogShortenedError),
    "a leaf differs": ("headers", 0, lambda data: data[:-40] + bytes([data[-40] ^ 1]) + data[-39:], BlockLogAlteredError),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_fault_in_what_is_kept_is_found_by_name(folder: Path, fault: str) -> None:
    """STO-033, STO-034 refused: by the check always, by a start that needs it."""
    prune(folder)
    place, position, change, named = FAULTS[fault]
    path = sorted((folder / place).iterdir())[position]
    if change is None:
        path.unlink()
    else:
        path.write_bytes(change(path.read_bytes()))
    with pytest.raises((named, BlockInvalidError)):
        check(folder)
    if "state" in fault:
        shutil.rmtree(folder / "state")
        with pytest.raises(CorruptionError):
            opened(folder)


def test_short_form_counts_only_where_the_long_one_is_gone_and_from_the_beginning_on(folder: Path, twin: Path) -> None:
    """STO-035 accepted as a crash leaves it, refused as none does."""
    prune(folder)
    shutil.copytree(folder / "headers", twin / "headers")
    with opened(twin) as store:
        assert store.oldest == 0
    second = sorted((twin / "headers").iterdir())[1].name
    (twin / "blocks" / second).unlink()
    with pytest.raises(BlockLogAlteredError, match="whole ones are before it"):
        opened(twin)
