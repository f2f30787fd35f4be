"""The native state store as Python meets it: errors by name, snapshots, threads, and what a killed process leaves."""

import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from yunhe.crypto import SHA256
from yunhe.errors import (
    ConfigurationError,
    ConflictError,
    CorruptionError,
    HistoryGoneError,
    InvalidInputError,
    NotFoundError,
    TooLargeError,
    UnavailableError,
)
from yunhe.ledger.state_tree import EMPTY, state_root
from yunhe.limits import RECORD_BYTES_MAX, STATE_KEY_BYTES_MAX
from yunhe_native import StateStore

CACHE_BYTES = 4 * 1024 * 1024


def opened(path: Path) -> StateStore:
    return StateStore.open(str(path / "state"), "sha256", CACHE_BYTES)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[StateStore]:
    with_store = opened(tmp_path)
    yield with_store
    with_store.close()


def test_new_store_has_no_height_and_the_empty_root(store: StateStore) -> None:
    assert store.head() == (-1, EMPTY)
    assert store.snapshot().height() == -1
    assert store.verify() == EMPTY
    assert store.prune(0) == 0


# STO-023, STO-024
def test_applied_block_is_found_again_after_reopening(tmp_path: Path) -> None:
    records = {f"key{number}".encode(): bytes([number]) * number for number in range(200)}
    store = opened(tmp_path)
    root = store.stage(0, list(records.items()))
    assert store.head() == (-1, EMPTY)
    store.apply([(b"t1", b"where")], True)
    store.close()
    store = opened(tmp_path)
    assert store.head() == (0, root) == (0, state_root(records, SHA256))
    assert store.get_many([*records, b"none"]) == [*records.values(), None]
    assert store.scan(b"", b"\xff", 1000, False) == sorted(records.items())
    assert store.index_get_many([b"t1", b"t2"]) == [b"where", None]
    assert store.verify() == root
    store.close()


# STO-020
def test_second_process_is_refused_until_the_first_has_closed(tmp_path: Path) -> None:
    opener = "import sys; from yunhe_native import StateStore; StateStore.open(sys.argv[1], 'sha256', 1 << 20).close()"
    command = [sys.executable, "-c", opener, str(tmp_path / "state")]
    store = opened(tmp_path)
    refused = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert "ConflictError" in refused.stderr
    # A snapshot that is still held does not keep the directory.
    snapshot = store.snapshot()
    store.close()
    subprocess.run(command, check=True, timeout=60)
    with pytest.raises(UnavailableError):
        snapshot.get(b"key")


# STO-021
def test_unknown_chain_hash_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="md5"):
        StateStore.open(str(tmp_path), "md5", CACHE_BYTES)


# STO-022
def test_damaged_directory_is_refused_as_corrupt(tmp_path: Path) -> None:
    store = opened(tmp_path)
    store.stage(0, [(b"key", b"value")])
    store.apply([], True)
    store.close()
    (journal,) = (tmp_path / "state").glob("*.jnl")
    damaged = bytearray(journal.read_bytes())
    damaged[damaged.index(b"value")] ^= 1
    journal.write_bytes(damaged)
    with pytest.raises(CorruptionError):
        opened(tmp_path)


def test_closed_store_is_unavailable(tmp_path: Path) -> None:
    store = opened(tmp_path)
    store.close()
    store.close()
    calls = [store.head, store.discard, store.sync, store.verify, store.snapshot, lambda: store.get(b"k"), lambda: store.stage(0, [])]
    for call in calls:
        with pytest.raises(UnavailableError):
            call()


# COD-061
@pytest.mark.parametrize(
    ("key", "value", "error"),
    [
        (b"", b"", InvalidInputError),
        (b"k" * (STATE_KEY_BYTES_MAX + 1), b"", TooLargeError),
        (b"k", b"v" * (RECORD_BYTES_MAX + 1), TooLargeError),
    ],
)
def test_write_over_a_limit_is_refused_and_nothing_is_staged(store: StateStore, key: bytes, value: bytes, error: type[Exception]) -> None:
    with pytest.raises(error):
        store.stage(0, [(b"fine", b"fine"), (key, value)])
    assert store.get(b"fine") is None
    store.stage(0, [(b"k" * STATE_KEY_BYTES_MAX, b"v" * RECORD_BYTES_MAX)])


def test_height_must_be_above_the_head(store: StateStore) -> None:
    with pytest.raises(InvalidInputError):
        store.stage(-1, [])
    store.stage(3, [])
    store.apply([], False)
    for height in (0, 3):
        with pytest.raises(ConflictError):
            store.stage(height, [])
    with pytest.raises(ConflictError):
        store.apply([], False)


# LED-031, STO-025
def test_height_that_is_not_kept_is_gone_and_one_to_come_not_found(store: StateStore) -> None:
    for height in range(5):
        store.stage(height, [(b"key", b"%d" % height)])
        store.apply([], False)
    assert [store.prove(height, b"key")[0] for height in range(5)] == [b"0", b"1", b"2", b"3", b"4"]
    assert store.prune(3) > 0
    for height in (-1, 0, 2):
        with pytest.raises(HistoryGoneError):
            store.prove(height, b"key")
    assert [store.prove(height, b"key")[0] for height in (3, 4)] == [b"3", b"4"]
    with pytest.raises(NotFoundError):
        store.prove(5, b"key")


def test_snapshot_shows_its_block_only(store: StateStore) -> None:
    store.stage(0, [(b"a", b"0"), (b"b", b"0")])
    store.apply([], False)
    snapshot = store.snapshot()
    store.stage(1, [(b"a", b"1"), (b"b", None)])
    assert (store.get(b"a"), store.get(b"b")) == (b"1", None)
    for height in (1, 2):
        assert (snapshot.height(), snapshot.get(b"a"), snapshot.get_many([b"b", b"c"])) == (0, b"0", [b"0", None])
        assert snapshot.scan(b"a", b"z", 10, True) == [(b"b", b"0"), (b"a", b"0")]
        store.apply([], False)
        store.stage(height + 1, [])


BESIDE = [b"key%03d" % number for number in range(150)]
"""Keys that get the height as their value in every block."""


def look_by_key(store: StateStore) -> set[bytes | None]:
    return set(store.get_many(BESIDE))


def look_by_scan(store: StateStore) -> set[bytes | None]:
    return {value for _, value in store.scan(b"key", b"kez", 1000, False)}


def look_at_a_snapshot(store: StateStore) -> set[bytes | None]:
    snapshot = store.snapshot()
    return {b"%08d" % snapshot.height(), *snapshot.get_many(BESIDE)}


def look_at_a_proof(store: StateStore) -> set[bytes | None]:
    height, _ = store.head()
    return {b"%08d" % height, store.prove(height, BESIDE[7])[0]}


def test_readers_beside_a_writer_see_whole_blocks(store: StateStore) -> None:
    failures: list[object] = []
    done = threading.Event()

    def look_again_and_again(look: Callable[[StateStore], set[bytes | None]]) -> None:
        try:
            while not done.is_set():
                seen = look(store)
                assert len(seen) == 1, seen
        except Exception as error:  # noqa: BLE001  # whatever a thread meets is the test's verdict
            failures.append((look, error))

    looks = (look_by_key, look_by_scan, look_at_a_snapshot, look_at_a_proof)
    readers = [threading.Thread(target=look_again_and_again, args=(look,)) for look in looks]
    for height in range(120):
        store.stage(height, [(key, b"%08d" % height) for key in BESIDE])
        store.apply([], False)
        store.prune(height - 10)
        if height == 0:
            for reader in readers:
                reader.start()
    done.set()
    for reader in readers:
        reader.join(60)
    assert failures == []


KILLED_WRITER = """
import sys
from yunhe_native import StateStore
store = StateStore.open(sys.argv[1], "sha256", 1 << 22)
for height in range(10**6):
    store.stage(height, [(b"key%05d" % (number * 7919 % 3000), b"%d" % height * 40) for number in range(height * 60, height * 60 + 60)])
    store.apply([(b"t%d" % height, b"")], height % 8 == 0)
    print(height, flush=True)
"""


# STO-022, STO-023
def test_killed_process_leaves_a_whole_block_and_no_applied_one_is_lost(tmp_path: Path) -> None:
    store_path = tmp_path / "state"
    for kill_after in (1, 30, 170):
        with subprocess.Popen([sys.executable, "-c", KILLED_WRITER, str(store_path)], stdout=subprocess.PIPE, text=True) as writer:
            assert writer.stdout is not None
            acknowledged = 0
            for line in writer.stdout:
                acknowledged = int(line)
                if acknowledged == kill_after:
                    writer.send_signal(signal.SIGKILL)
        store = opened(tmp_path)
        height, root = store.head()
        # The system keeps what a killed process has written; a block may have been applied whose line was not yet printed.
        assert acknowledged <= height <= acknowledged + 1
        records = {b"key%05d" % (number * 7919 % 3000): b"%d" % (number // 60) * 40 for number in range(height * 60 + 60)}
        assert store.verify() == root == state_root(records, SHA256)
        assert store.scan(b"", b"\xff", 10_000, False) == sorted(records.items())
        assert store.index_get_many([b"t%d" % height, b"t%d" % (height + 1)]) == [b"", None]
        store.close()
        for file in sorted(store_path.rglob("*"), reverse=True):
            file.rmdir() if file.is_dir() else file.unlink()
