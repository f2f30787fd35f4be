"""The node's executor: runs blocks and views in workers, each in a jailed process of its own.

A local fault of a worker (it died, hung, ran out of memory, sent nonsense) ends it; a block is then run once more in a fresh one, and if
that fails too the caller gets `WorkerFailedError`, never an outcome (LED-024, CON-085). Views have a worker of their own with a time
limit, so none can hold up a block (CON-087). Nothing here decides what a contract did. Specification: docs/spec/contracts.md, "Worker".
"""

import threading
import time
from collections.abc import Callable, Sequence
from typing import Final, TypeVar

from yunhe.contracts.worker.messages import AskView, Done, Execute, FromWorker, Get, Refused, Result, Scan, Viewed
from yunhe.contracts.worker.process import Launch, Starter, WorkerFaultError, WorkerProcess, WorkerSilentError
from yunhe.crypto import ChainHash
from yunhe.errors import (
    EncodingError,
    InvalidInputError,
    ViewRefusedError,
    ViewTooSlowError,
    WorkerFailedError,
    WorkerHungError,
    YunheError,
)
from yunhe.ledger.codec import Value, as_array, as_fields, as_text, decode, encode
from yunhe.ledger.interfaces import BlockContext, Event, Execution, Outcome, StateReader, Write
from yunhe.ledger.transaction import Transaction
from yunhe.limits import RECEIPT_BYTES_MAX, RECORD_BYTES_MAX, STATE_KEY_BYTES_MAX, VIEW_MS_MAX, WORKER_BLOCK_MS_MAX, WORKER_SILENCE_MS_MAX

_ATTEMPTS: Final = 2
_CODE_CHARS_MAX: Final = 64
_SOMETHING_ELSE: Final = "the contract worker answered something else than it was asked"

R = TypeVar("R")


class WorkerExecutor:
    """Implements `yunhe.ledger.interfaces.Executor` with jailed workers. Thread-safe: one block and one view at a time."""

    def __init__(
        self,
        chain_hash: ChainHash,
        *,
        silence_ms: int = WORKER_SILENCE_MS_MAX,
        block_ms: int = WORKER_BLOCK_MS_MAX,
        view_ms: int = VIEW_MS_MAX,
        launch: Launch | None = None,
    ) -> None:
        """Start the worker for blocks; the one for views is started when the first view is asked.

        Args:
            chain_hash: the ledger's.
            silence_ms: after which a worker counts as hung.
            block_ms: after which a worker that still asks for records counts as hung, too.
            view_ms: time limit of a view.
            launch: how workers are started; tests start others.

        Raises:
            ConfigurationError: contracts cannot be run safely on this machine.
            WorkerFailedError: the worker does not start.
        """
        self._starter = Starter(chain_hash.name, launch or Launch())
        self._silence_ms = silence_ms
        self._block_ms = block_ms
        self._blocks = _Seat(self._starter)
        self._views = _Seat(self._starter)
        self._view_ms = view_ms
        self.faults: dict[int, str] = {}
        """For people: what lay behind each CONTRACT_FAULT of the last block, by the transaction's index."""
        try:
            self._blocks.worker()
        except BaseException as error:
            self._starter.close()
            if isinstance(error, WorkerFaultError):
                raise WorkerFailedError(error.message) from error
            raise

    @property
    def protections(self) -> dict[str, bool]:
        """Which protections the workers have (CON-083)."""
        return dict(self._blocks.protections)

    @property
    def worker_pids(self) -> list[int]:
        """Process ids of the workers that run."""
        return [seat.pid for seat in (self._blocks, self._views) if seat.pid is not None]

    @property
    def restarts(self) -> dict[str, int]:
        """How often the worker of blocks and that of views was started again."""
        return {"blocks": self._blocks.restarts, "views": self._views.restarts}

    def close(self) -> None:
        """End the workers."""
        self._views.end()
        self._blocks.end()
        self._starter.close()

    def discard(self) -> None:
        """Forget the last execution, because its block was not committed; ends the worker (CON-086)."""
        with self._blocks.lock:
            self._blocks.end()

    # --- Executor ---------------------------------------------------------------------------------------------------

    def execute(self, context: BlockContext, transactions: Sequence[Transaction], state: StateReader) -> Execution:
        """Run the transactions of a block in order.

        Args:
            context: of the block. One that follows the block executed last, on the same state, stands on what that one wrote.
            transactions: in order.
            state: as before the block.

        Raises:
            WorkerFailedError: two workers failed for a local reason; nothing was decided (CON-085).
            CorruptionError: the state is not one that this ledger can have.
        """
        with self._blocks.lock:
            encoded = [transaction.encoded for transaction in transactions]
            for attempt in range(1, _ATTEMPTS + 1):
                try:
                    return self._execute(context, encoded, state)
                except WorkerFaultError as fault:
                    # CON-085
                    if attempt == _ATTEMPTS:
                        kind = WorkerHungError if isinstance(fault, WorkerSilentError) else WorkerFailedError
                        raise kind(f"block {context.height} could not be executed, twice: {fault.message}; nothing was decided") from fault
            raise AssertionError("unreachable")

    def view(self, context: BlockContext, contract: str, view: str, arguments: dict[str, Value], state: StateReader) -> Value:
        """Run a view on a committed state.

        Raises:
            ViewRefusedError: the contract refused it, or could not run.
            ViewTooSlowError: it took too long (CON-087).
            WorkerFailedError: the worker failed for a local reason.
            ValueNotEncodableError: the arguments cannot be encoded.
        """
        message = AskView(context.height, context.time_ms, follows=False, contract=contract, view=view, arguments=encode(arguments))
        return self._ask_for(f"the view {contract}.{view}", message, state, _viewed)

    def try_out(self, context: BlockContext, transaction: Transaction, state: StateReader) -> tuple[Execution, str]:
        """Run a transaction that is of no block in the worker of views, and return what it would do and, for people, its fault.

        Raises:
            ViewTooSlowError: it took longer than a view may (CON-087).
            WorkerFailedError: the worker failed for a local reason.
        """
        # CON-086: nothing that was tried out is believed by what the worker runs next, because that does not follow.
        message = Execute(context.height, context.time_ms, follows=False, transactions=[transaction.encoded])
        return self._ask_for("the simulation", message, state, _tried_out)

    def _ask_for(self, what: str, message: AskView | Execute, state: StateReader, take: Callable[[FromWorker], R]) -> R:
        """Have the worker of views do something, within the time of a view."""
        deadline = time.monotonic() + self._view_ms / 1000
        # CON-087
        if not self._views.lock.acquire(timeout=self._view_ms / 1000):
            raise ViewTooSlowError(f"other views kept the worker busy for {self._view_ms} ms; try again")
        try:
            return self._view_again(message, state, deadline, take)
        except WorkerSilentError as fault:
            raise ViewTooSlowError(f"{what} took more than {self._view_ms} ms; ask for less") from fault
        except WorkerFaultError as fault:
            raise WorkerFailedError(f"{what} could not be run, twice: {fault.message}") from fault
        finally:
            self._views.lock.release()

    # --- Inside -----------------------------------------------------------------------------------------------------

    def _execute(self, context: BlockContext, encoded: list[bytes], state: StateReader) -> Execution:
        seat = self._blocks
        worker = seat.worker()
        deadline = time.monotonic() + self._block_ms / 1000
        try:
            worker.send(Execute(context.height, context.time_ms, follows=seat.follows(context.height, state), transactions=encoded))
            while True:
                message = worker.receive(self._silence_ms)
                if isinstance(message, Get | Scan):
                    # CON-085
                    if time.monotonic() > deadline:
                        raise WorkerSilentError(f"the contract worker has been at the block for {self._block_ms} ms and still asks")
                    worker.answer(message, state)
                elif isinstance(message, Done):
                    execution = _execution(message, len(encoded))
                    break
                else:
                    raise WorkerFaultError(_SOMETHING_ELSE)
        except BaseException:
            # CON-086: whatever ended this execution, what the worker remembers of it must not live on.
            seat.end()
            raise
        seat.stands_on(context.height + 1, state)
        self.faults = message.faults
        return execution

    def _view_again(self, message: AskView | Execute, state: StateReader, deadline: float, take: Callable[[FromWorker], R]) -> R:
        """Run a view, once more if its worker failed at once: it may have died while nobody asked."""
        try:
            return self._view(message, state, deadline, take)
        except WorkerSilentError:
            raise
        except WorkerFaultError:
            return self._view(message, state, deadline, take)

    def _view(self, message: AskView | Execute, state: StateReader, deadline: float, take: Callable[[FromWorker], R]) -> R:
        seat = self._views
        worker = seat.worker()
        try:
            worker.send(message)
            while True:
                answer = worker.receive(int((deadline - time.monotonic()) * 1000))
                if isinstance(answer, Get | Scan):
                    worker.answer(answer, state)
                elif isinstance(answer, Refused):
                    raise ViewRefusedError(answer.code, answer.message)
                else:
                    return take(answer)
        except ViewRefusedError:
            raise
        except BaseException:
            seat.end()
            raise


class _Seat:
    """A place for one worker, which is started when it is needed."""

    def __init__(self, starter: Starter) -> None:
        self._starter = starter
        self._worker: WorkerProcess | None = None
        self._next: tuple[int, StateReader] | None = None
        """Height and state that follow from what the worker knows."""
        self.lock = threading.Lock()
        self.protections: dict[str, bool] = {}
        self._starts = 0

    @property
    def restarts(self) -> int:
        """How often a worker took the place of one that had ended."""
        return max(self._starts - 1, 0)

    @property
    def pid(self) -> int | None:
        """Process id of the worker that runs."""
        return None if self._worker is None else self._worker.pid

    def worker(self) -> WorkerProcess:
        """Return the worker, a fresh one if there is none."""
        if self._worker is None:
            self._worker = self._starter.start()
            self._starts += 1
            self.protections = self._worker.protections
        return self._worker

    def follows(self, height: int, state: StateReader) -> bool:
        """Tell whether a block of this height on this state stands on what the worker knows (CON-086)."""
        # CON-086
        return self._next is not None and self._next[0] == height and self._next[1] is state

    def stands_on(self, height: int, state: StateReader) -> None:
        """Note what would follow."""
        self._next = (height, state)

    def end(self) -> None:
        """End the worker."""
        worker, self._worker, self._next = self._worker, None, None
        if worker is not None:
            worker.end()


def _viewed(answer: FromWorker) -> Value:
    """Check what a worker answers to a view."""
    if not isinstance(answer, Viewed):
        raise WorkerFaultError(_SOMETHING_ELSE)
    return _value(answer.result)


def _tried_out(answer: FromWorker) -> tuple[Execution, str]:
    """Check what a worker answers to a transaction of no block."""
    if not isinstance(answer, Done):
        raise WorkerFaultError(_SOMETHING_ELSE)
    return _execution(answer, 1), answer.faults.get(0, "")


def _execution(message: Done, expected: int) -> Execution:
    """Check what a worker says that a block did."""
    # CON-084
    if len(message.results) != expected:
        raise WorkerFaultError("the contract worker returned another number of outcomes than transactions")
    try:
        outcomes = tuple(_outcome(result) for result in message.results)
    except InvalidInputError as error:
        raise WorkerFaultError(f"the contract worker returned an outcome that is none: {error.message}") from error
    return Execution(outcomes, _writes(message.writes))


def _outcome(result: Result) -> Outcome:
    if not 0 < len(result.code) <= _CODE_CHARS_MAX or result.gas_used < 0 or result.call_index < -1:
        raise EncodingError("code, gas or call")
    if not result.content:
        return Outcome(result.code, result.call_index, result.gas_used)
    results, events = as_array(decode(result.content, 2 * RECEIPT_BYTES_MAX), "an outcome's content", 2)
    assert isinstance(results, list)
    assert isinstance(events, list)
    return Outcome(result.code, result.call_index, result.gas_used, tuple(results), tuple(_event(event) for event in events))


def _event(item: Value) -> Event:
    contract, name, fields = as_array(item, "an event", 3)
    return Event(as_text(contract, "an event's contract"), as_text(name, "an event's name"), as_fields(fields, "an event's fields"))


def _writes(writes: list[tuple[bytes, bytes | None]]) -> tuple[Write, ...]:
    previous = b""
    for key, record in writes:
        if not previous < key or len(key) > STATE_KEY_BYTES_MAX or (record is not None and len(record) > RECORD_BYTES_MAX):
            raise WorkerFaultError("the contract worker returned writes that are none")
        previous = key
    return tuple(writes)


def _value(data: bytes) -> Value:
    try:
        return decode(data, RECEIPT_BYTES_MAX)
    except YunheError as error:
        raise WorkerFaultError("the contract worker returned a result that is none") from error
