"""Blocks and views through real workers: faults, retries, the cache, and workers that break the protocol (CON-084 to CON-088)."""

import os
import signal
from pathlib import Path

import pytest

from tests.hostile.contained import NEUTRAL
from tests.hostile.stage import state_with, transaction
from yunhe.contracts.runner import BlockRunner
from yunhe.contracts.worker.executor import WorkerExecutor
from yunhe.contracts.worker.process import Launch
from yunhe.crypto import SHA256
from yunhe.errors import (
    CorruptionError,
    JailIncompleteError,
    UnavailableError,
    ViewRefusedError,
    ViewTooSlowError,
    WorkerFailedError,
    WrongPythonError,
)
from yunhe.ledger.interfaces import BlockContext
from yunhe.ledger.layouts import contract_key
from yunhe.limits import BLOCK_BYTES_MAX, TRANSACTION_BYTES_MAX
from yunhe.testing import MemoryState

ROOT = str(Path(__file__).parents[4])
LEDGER = """\
from yunhe.contracts import Context, Event, Map, Org, Record, Table, action, require, view


class Note(Record):
    key: str
    text: str


class Noted(Event):
    key: str
    parts: list[int]


notes: Table[Note] = Table(key="key")
counts: Map[str, int] = Map(default=0)


@action
def write(ctx: Context, key: str, text: str) -> dict[str, int]:
    notes.add(Note(key=key, text=text))
    counts["all"] += 1
    return {"count": counts["all"]}


@action
def remove(ctx: Context, key: str) -> None:
    notes.delete(key)


@view
def read(ctx: Context, key: str) -> Note:
    return notes[key]


@view
def listing(ctx: Context) -> list[str]:
    return [note.key for note in notes.scan()]


@view
def count(ctx: Context) -> int:
    return counts["all"]


@view
def spin(ctx: Context) -> int:
    n = 0
    for i in range(10**9):
        n += 1
    return n
"""


@pytest.fixture
def state() -> MemoryState:
    return state_with({"ledger": LEDGER, "neutral": NEUTRAL})


@pytest.fixture(scope="module")
def executor():
    made = WorkerExecutor(SHA256)
    yield made
    made.close()


class Counting:
    """A state that counts what is read from it."""

    def __init__(self, state: MemoryState) -> None:
        self.state = state
        self.asked: list[bytes] = []

    def get(self, key: bytes) -> bytes | None:
        self.asked.append(key)
        return self.state.get(key)

    def get_many(self, keys: list[bytes]) -> list[bytes | None]:
        return [self.get(key) for key in keys]

    def scan(self, start: bytes, end: bytes, limit: int, *, reverse: bool = False) -> list[tuple[bytes, bytes]]:
        return self.state.scan(start, end, limit, reverse=reverse)


def write(key: str, text: str = "t"):
    return transaction(("ledger", "write", {"key": key, "text": text}))


def misbehaving(how: str, folder: str = "", **settings) -> WorkerExecutor:
    launch = Launch("tests.unit.contracts.worker.escapes:misbehave", folders=(ROOT,), arguments=(how, folder))
    return WorkerExecutor(SHA256, launch=launch, **settings)


def test_execute_in_worker_does_what_the_runner_does(executor, state) -> None:
    block = [write("a"), write("b", "运河"), write("a"), transaction(("neutral", "swell", {})), transaction(("nobody", "go", {}))]
    context = BlockContext(1, 1000)
    inside = executor.execute(context, block, state)
    assert inside == BlockRunner(SHA256).execute(context, block, state)
    assert [outcome.code for outcome in inside.outcomes] == ["OK", "OK", "ALREADY_EXISTS", "OUT_OF_MEMORY", "CONTRACT_NOT_FOUND"]
    assert inside.outcomes[1].results == ({"count": 2},)


def test_execute_largest_block_of_the_smallest_values_fits_into_the_worker(executor, state) -> None:
    # LED-015, LED-024: each byte of an argument is a value of its own, and no gas pays for decoding it.
    arguments = {"key": [{} for _ in range(TRANSACTION_BYTES_MAX - 400)]}
    largest = transaction(("ledger", "write", arguments))
    block = [largest, *(transaction(("ledger", "write", arguments)) for _ in range(BLOCK_BYTES_MAX // len(largest.encoded) - 1))]
    assert sum(len(transaction.encoded) for transaction in block) > BLOCK_BYTES_MAX - TRANSACTION_BYTES_MAX
    execution = executor.execute(BlockContext(1, 1000), block, state)
    assert {outcome.code for outcome in execution.outcomes} == {"ARGUMENTS_INVALID"}


def test_execute_blocks_that_follow_reads_nothing_twice(executor, state) -> None:
    # CON-086
    counting = Counting(state)
    first = executor.execute(BlockContext(1, 1000), [write("a")], counting)
    state.apply(first.writes)
    seen = set(counting.asked)
    counting.asked.clear()
    second = executor.execute(BlockContext(2, 2000), [write("b")], counting)
    assert not seen & set(counting.asked)
    assert second.outcomes[0].results == ({"count": 2},)


@pytest.mark.parametrize("height", [1, 3, 7])
def test_execute_block_that_does_not_follow_forgets_the_one_before(height, executor, state) -> None:
    # CON-086: the first block was abandoned; nothing of it may be seen.
    executor.execute(BlockContext(1, 1000), [write("a")], state)
    again = executor.execute(BlockContext(height, 2000), [write("a")], state)
    assert again.outcomes[0].results == ({"count": 1},)


def test_execute_on_another_state_forgets_the_one_before(executor, state) -> None:
    # CON-086
    executor.execute(BlockContext(1, 1000), [write("a")], state)
    other = executor.execute(BlockContext(2, 2000), [write("a")], state_with({"ledger": LEDGER}))
    assert other.outcomes[0].results == ({"count": 1},)


def test_discard_ends_the_worker_and_what_it_knows(state) -> None:
    # CON-086
    executor = WorkerExecutor(SHA256)
    before = executor.worker_pids
    executor.execute(BlockContext(1, 1000), [write("a")], state)
    executor.discard()
    again = executor.execute(BlockContext(2, 2000), [write("a")], state)
    assert again.outcomes[0].results == ({"count": 1},)
    assert executor.worker_pids != before
    executor.close()


def test_execute_after_the_worker_was_killed_runs_in_a_new_one(state) -> None:
    # CON-085
    executor = WorkerExecutor(SHA256)
    (pid,) = executor.worker_pids
    os.kill(pid, signal.SIGKILL)
    execution = executor.execute(BlockContext(1, 1000), [write("a")], state)
    assert execution.outcomes[0].code == "OK"
    assert executor.worker_pids != [pid]
    executor.close()


def test_close_leaves_no_process(state) -> None:
    executor = WorkerExecutor(SHA256)
    executor.view(BlockContext(1, 1000), "ledger", "count", {}, state)
    pids = executor.worker_pids
    assert len(pids) == 2
    executor.close()
    assert not [pid for pid in pids if Path(f"/proc/{pid}").exists()]


def test_execute_state_that_fails_raises_its_error_and_ends_the_worker(state) -> None:
    # CON-086
    executor = WorkerExecutor(SHA256)
    before = executor.worker_pids

    class Broken(Counting):
        def get(self, key: bytes) -> bytes | None:
            if b"notes" in key:
                raise CorruptionError("a bit flipped")
            return super().get(key)

    with pytest.raises(CorruptionError, match="flipped"):
        executor.execute(BlockContext(1, 1000), [write("a")], Broken(state))
    assert executor.execute(BlockContext(1, 1000), [write("a")], state).outcomes[0].code == "OK"
    assert executor.worker_pids != before
    executor.close()


def test_execute_state_that_is_corrupt_is_named_so(state) -> None:
    executor = WorkerExecutor(SHA256)
    state.apply([(contract_key("ledger"), b"\xff")])
    with pytest.raises((CorruptionError, UnavailableError)):
        executor.execute(BlockContext(1, 1000), [write("a")], state)
    executor.close()


PROTOCOL_BREAKS = [
    "death",
    "garbage",
    "a pickle",
    "a huge length",
    "half a message",
    "another answer",
    "deep nesting",
    "too few outcomes",
    "writes out of order",
    "a float for an outcome",
    "a key that is none",
    "no keys",
    "too many keys",
    "rows without end",
    "rows of no keys",
    "no rows",
]


@pytest.mark.parametrize("how", PROTOCOL_BREAKS)
def test_execute_worker_that_misbehaves_twice_is_a_named_error(how, state) -> None:
    # CON-084, CON-085
    executor = misbehaving(how)
    with pytest.raises(WorkerFailedError, match="nothing was decided"):
        executor.execute(BlockContext(1, 1000), [write("a")], state)
    assert executor.worker_pids == []
    executor.close()


def test_execute_worker_that_misbehaves_once_is_replaced(state, tmp_path) -> None:
    # CON-084, CON-085
    executor = misbehaving("garbage", str(tmp_path))
    block = [write("a")]
    execution = executor.execute(BlockContext(1, 1000), block, state)
    assert execution.outcomes[0].code == "OK"
    assert execution == BlockRunner(SHA256).execute(BlockContext(1, 1000), block, state)
    executor.close()


def test_execute_worker_that_hangs_is_a_local_fault(state) -> None:
    # CON-085
    executor = misbehaving("silence", silence_ms=50)
    with pytest.raises(WorkerFailedError, match="50 ms"):
        executor.execute(BlockContext(1, 1000), [write("a")], state)
    executor.close()


def test_execute_worker_that_asks_without_end_is_a_local_fault(state) -> None:
    # CON-085: it is never silent.
    executor = misbehaving("questions without end", block_ms=50)
    with pytest.raises(WorkerFailedError, match="still asks"):
        executor.execute(BlockContext(1, 1000), [write("a")], state)
    assert executor.worker_pids == []
    executor.close()


@pytest.mark.parametrize(
    ("how", "error"),
    [
        ("unjailed", JailIncompleteError),
        ("old python", WrongPythonError),
        ("old yunhe", WorkerFailedError),
        ("no hello", WorkerFailedError),
    ],
)
def test_worker_that_does_not_fit_is_refused_at_start(how, error) -> None:
    # CON-083, CON-088
    with pytest.raises(error):
        misbehaving(how)


def test_worker_of_this_installation_is_greeted(executor) -> None:
    # CON-088
    assert len(executor.worker_pids) >= 1


def test_view_reads_the_state_that_it_is_given(executor, state) -> None:
    # CON-087
    execution = executor.execute(BlockContext(1, 1000), [write("a", "x"), write("b", "y")], state)
    context = BlockContext(1, 1000)
    assert executor.view(context, "ledger", "listing", {}, state) == []
    state.apply(execution.writes)
    assert executor.view(context, "ledger", "listing", {}, state) == ["a", "b"]
    assert executor.view(context, "ledger", "read", {"key": "a"}, state) == {"key": "a", "text": "x"}


def test_view_refusal_has_the_contracts_code(executor, state) -> None:
    with pytest.raises(ViewRefusedError) as caught:
        executor.view(BlockContext(1, 1000), "ledger", "read", {"key": "none"}, state)
    assert caught.value.refusal == "NOT_FOUND"


def test_view_that_takes_too_long_is_refused_and_holds_up_nothing(state) -> None:
    # CON-087
    executor = WorkerExecutor(SHA256, view_ms=1)
    before = executor.worker_pids
    with pytest.raises(ViewTooSlowError):
        executor.view(BlockContext(1, 1000), "ledger", "spin", {}, state)
    assert executor.execute(BlockContext(1, 1000), [write("a")], state).outcomes[0].code == "OK"
    assert executor.worker_pids == before
    executor.close()


def test_view_after_its_worker_was_killed_is_answered_by_a_new_one(state) -> None:
    # CON-085
    executor = WorkerExecutor(SHA256)
    context = BlockContext(1, 1000)
    assert executor.view(context, "ledger", "count", {}, state) == 0
    os.kill(executor.worker_pids[1], signal.SIGKILL)
    assert executor.view(context, "ledger", "count", {}, state) == 0
    executor.close()


def test_view_whose_workers_keep_failing_is_a_named_error(state) -> None:
    # CON-085
    executor = misbehaving("garbage")
    with pytest.raises(WorkerFailedError, match="count"):
        executor.view(BlockContext(1, 1000), "ledger", "count", {}, state)
    executor.close()


def test_try_out_does_what_a_block_would_and_nothing_of_it_is_seen_afterwards(executor, state) -> None:
    # CON-086, CON-087: neither by views, nor by what is tried out next, nor by blocks.
    context = BlockContext(1, 1000)
    for _ in range(2):
        execution, fault = executor.try_out(context, write("a"), state)
        assert (execution.outcomes[0].results, fault) == (({"count": 1},), "")
        assert executor.view(context, "ledger", "listing", {}, state) == []
    assert executor.execute(context, [write("a")], state) == execution


def test_try_out_whose_workers_answer_something_else_is_a_named_error(state) -> None:
    # CON-084, CON-085
    executor = misbehaving("garbage")
    with pytest.raises(WorkerFailedError, match="simulation"):
        executor.try_out(BlockContext(1, 1000), write("a"), state)
    executor.close()
