"""The node's side of the contract workers: starts them, serves their reads, and runs a block again when one fails for a local reason.

One worker executes blocks, another one answers views, so a slow view never holds up a block. A failure of a worker is never an outcome:
the block is run once more in a fresh process, and if that fails too the node is told (LED-024, CON-085). An abandoned execution ends its
worker, so nothing of it is remembered. Specification: docs/spec/contracts.md, "Worker".
"""

import os
import platform
import socket
import subprocess
import sys
import threading
from collections.abc import Sequence
from typing import Final

import structlog

import yunhe
from yunhe.contracts.worker_messages import (
    AskView,
    Done,
    Execute,
    Failed,
    FromWorker,
    Get,
    Hello,
    MessageError,
    Records,
    Refused,
    Rows,
    Scan,
    Viewed,
    receive_from_worker,
    send,
)
from yunhe.crypto import SHA256, ChainHash
from yunhe.errors import CorruptionError, InvalidInputError, ViewRefusedError, ViewTooSlowError, WorkerFailedError
from yunhe.ledger.codec import Value, as_array, as_fields, as_name, as_text, decode, encode
from yunhe.ledger.interfaces import BlockContext, Event, Execution, Outcome, StateReader
from yunhe.ledger.transaction import Transaction
from yunhe.limits import RECEIPT_BYTES_MAX, VIEW_MS_MAX, WORKER_ANSWER_BYTES, WORKER_SILENCE_MS_MAX, WORKER_START_MS_MAX

_log = structlog.get_logger("yunhe.contracts")
_COMMAND: Final = "import sys; from yunhe.contracts.worker import main; main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3])"


class _WorkerProcess:
    """One running worker."""

    def __init__(self, chain_hash: ChainHash) -> None:
        ours, theirs = socket.socketpair()
        self._end = ours
        with theirs:
            command = [sys.executable, "-s", "-P", "-B", "-c", _COMMAND, str(theirs.fileno()), str(os.getpid()), chain_hash.name]
            # The hash seed is fixed, so that nothing depends on chance; the path lets a worker find an installation in development.
            environment = {"PYTHONHASHSEED": "0", "PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry)}
            self._process = subprocess.Popen(  # our own module
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                env=environment,
                pass_fds=(theirs.fileno(),),
            )
        try:
            hello = self._receive(WORKER_START_MS_MAX)
        except MessageError as error:
            said = self.end()
            raise WorkerFailedError(f"the contract worker did not start: {said or error}") from error
        running = ".".join(platform.python_version_tuple()[:2])
        if not isinstance(hello, Hello) or hello.python != running or hello.version != yunhe.__version__:
            self.end()
            raise WorkerFailedError("the contract worker is of another installation; install Yunhe anew and start the node again")
        self.protections = hello.protections

    def ask(self, message: Execute | AskView, state: StateReader, silence_ms: int) -> Done | Viewed | Refused:
        """Send a request and serve the worker's reads until it answers.

        Raises:
            MessageError: the worker failed, is gone, hung, or sent nonsense.
            CorruptionError: it found a state that no ledger can have.
        """
        try:
            send(self._end, message)
            while True:
                answer = self._receive(silence_ms)
                if isinstance(answer, Get):
                    send(self._end, Records(_records(state, answer.keys)))
                elif isinstance(answer, Scan):
                    send(self._end, Rows(state.scan(answer.start, answer.end, answer.limit, reverse=answer.reverse)))
                elif isinstance(answer, Failed):
                    if answer.corrupt:
                        raise CorruptionError(answer.reason)
                    raise MessageError(answer.reason)
                elif isinstance(answer, Hello):
                    raise MessageError("the worker greeted twice")
                else:
                    return answer
        except OSError as error:
            raise MessageError("the worker is gone") from error

    def end(self) -> str:
        """End the process; return what it said on standard error, for people."""
        self._end.close()
        self._process.kill()
        _, said = self._process.communicate()
        lines = said.decode("utf-8", "replace").strip().splitlines()
        return lines[-1] if lines else ""

    def _receive(self, silence_ms: int) -> FromWorker:
        self._end.settimeout(silence_ms / 1000)
        try:
            return receive_from_worker(self._end)
        except TimeoutError as error:
            raise MessageError(f"the worker was silent for {silence_ms} ms") from error
        finally:
            self._end.settimeout(None)


def _records(state: StateReader, keys: Sequence[bytes]) -> list[bytes | None]:
    """Return the records of the first keys, as many as fit into an answer, at least one."""
    if not keys:
        raise MessageError("the worker asked for no records")
    records: list[bytes | None] = []
    size = 0
    for key in keys:
        record = state.get(key)
        size += len(record) if record is not None else 0
        if records and size > WORKER_ANSWER_BYTES:
            break
        records.append(record)
    return records


class WorkerExecutor:
    """Implements `yunhe.ledger.interfaces.Executor` in jailed processes. Thread-safe: one block and one view at a time."""

    def __init__(self, chain_hash: ChainHash = SHA256) -> None:
        """Start the worker that executes blocks, so that a machine which cannot jail it is found out at once.

        Raises:
            WorkerFailedError: it does not start; the message says why.
        """
        self._chain_hash = chain_hash
        self._block_lock = threading.Lock()
        self._view_lock = threading.Lock()
        self._block_worker: _WorkerProcess | None = _WorkerProcess(chain_hash)
        self._view_worker: _WorkerProcess | None = None
        self._executed_height = -1
        """Height of the block that the block worker executed last; -1 for none."""
        self._viewed_height = -1
        self.protections = self._block_worker.protections
        """Protections that are on, by name."""

    def execute(self, context: BlockContext, transactions: Sequence[Transaction], state: StateReader) -> Execution:
        """Run the transactions of a block in order.

        Raises:
            WorkerFailedError: the worker failed twice for local reasons; nothing was decided.
            CorruptionError: the state is not one that this ledger can have.
        """
        with self._block_lock:
            try:
                return self._execute(context, transactions, state)
            except (MessageError, InvalidInputError) as error:
                _log.warning("contract worker failed; running the block again", height=context.height, reason=str(error))
                self._end_block_worker()
            except BaseException:
                # CON-086: an abandoned execution ends its worker.
                self._end_block_worker()
                raise
            try:
                return self._execute(context, transactions, state)
            except (MessageError, InvalidInputError) as error:
                # LED-024
                raise WorkerFailedError(f"the contract worker failed twice over block {context.height}: {error}") from error
            finally:
                if self._executed_height != context.height:
                    self._end_block_worker()

    def view(self, context: BlockContext, contract: str, view: str, arguments: dict[str, Value], state: StateReader) -> Value:
        """Run a view.

        Raises:
            ViewRefusedError: the contract refused it, or could not run.
            ViewTooSlowError: it took too long, or too many wait.
            WorkerFailedError: the worker failed.
            InvalidInputError: the arguments cannot be encoded.
        """
        message_arguments = encode(arguments)
        if not self._view_lock.acquire(timeout=VIEW_MS_MAX / 1000):
            raise ViewTooSlowError("other views take too long; try again")
        try:
            if self._view_worker is None:
                self._view_worker = _WorkerProcess(self._chain_hash)
                self._viewed_height = -1
            follows = self._viewed_height == context.height
            message = AskView(context.height, context.time_ms, follows, contract, view, message_arguments)
            # CON-087
            answer = self._view_worker.ask(message, state, VIEW_MS_MAX)
            self._viewed_height = context.height
            if isinstance(answer, Refused):
                raise ViewRefusedError(answer.code, answer.message)
            if not isinstance(answer, Viewed):
                raise MessageError("the worker answered something else")
            return decode(answer.result, RECEIPT_BYTES_MAX)
        except (MessageError, InvalidInputError) as error:
            self._end_view_worker()
            if "silent" in str(error):
                raise ViewTooSlowError(f"the view took longer than {VIEW_MS_MAX} ms") from error
            raise WorkerFailedError(f"the contract worker failed over a view: {error}") from error
        except ViewRefusedError:
            raise
        except BaseException:
            self._end_view_worker()
            raise
        finally:
            self._view_lock.release()

    def close(self) -> None:
        """End all workers."""
        with self._block_lock:
            self._end_block_worker()
        with self._view_lock:
            self._end_view_worker()

    def _execute(self, context: BlockContext, transactions: Sequence[Transaction], state: StateReader) -> Execution:
        if self._block_worker is None:
            self._block_worker = _WorkerProcess(self._chain_hash)
            self._executed_height = -1
        # CON-086
        follows = self._executed_height == context.height - 1 >= 0
        self._executed_height = -1
        message = Execute(context.height, context.time_ms, follows, [transaction.encoded for transaction in transactions])
        done = self._block_worker.ask(message, state, WORKER_SILENCE_MS_MAX)
        if not isinstance(done, Done) or len(done.results) != len(transactions):
            raise MessageError("the worker answered something else than the block's outcomes")
        for index, fault in done.faults.items():
            _log.info("contract fault", height=context.height, transaction=transactions[index].id.hex(), fault=fault)
        outcomes = tuple(_outcome(result.code, result.call_index, result.gas_used, result.content) for result in done.results)
        self._executed_height = context.height
        return Execution(outcomes, tuple(done.writes))

    def _end_block_worker(self) -> None:
        if self._block_worker is not None:
            self._block_worker.end()
            self._block_worker = None
        self._executed_height = -1

    def _end_view_worker(self) -> None:
        if self._view_worker is not None:
            self._view_worker.end()
            self._view_worker = None
        self._viewed_height = -1


def _outcome(code: str, call_index: int, gas_used: int, content: bytes) -> Outcome:
    if not content:
        return Outcome(code, call_index, gas_used)
    results, items = as_array(decode(content, RECEIPT_BYTES_MAX), "an outcome", 2)
    events = []
    for item in as_array(items, "events"):
        contract, name, fields = as_array(item, "an event", 3)
        events.append(Event(as_name(contract, "contract"), as_text(name, "name"), as_fields(fields, "fields")))
    return Outcome(code, call_index, gas_used, tuple(as_array(results, "results")), tuple(events))
