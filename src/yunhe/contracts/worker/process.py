"""One worker process as the node sees it: started, spoken to, ended.

The process gets a socket, an empty environment and the folders of the packages that it needs, nothing else; it runs neither site
customisation nor anything from the current folder. Whatever it does wrong is a `WorkerFaultError` here, for `executor` to decide about.
Specification: docs/spec/contracts.md, "Worker".
"""

import importlib.util
import os
import platform
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import yunhe
from yunhe.contracts.worker.jail import check_memory, require_protections
from yunhe.contracts.worker.messages import (
    Failed,
    FromWorker,
    Get,
    Hello,
    MessageError,
    Records,
    Rows,
    Scan,
    ToWorker,
    receive_from_worker,
    send,
)
from yunhe.errors import CorruptionError, UnavailableError, WrongPythonError
from yunhe.ledger.interfaces import StateReader
from yunhe.limits import (
    STATE_KEY_BYTES_MAX,
    WORKER_ANSWER_BYTES,
    WORKER_ASKED_KEYS_MAX,
    WORKER_ASKED_ROWS_MAX,
    WORKER_START_MS_MAX,
)

_PACKAGES: Final = ("yunhe", "yunhe_native", "msgspec", "cbor2", "cryptography", "cffi", "_cffi_backend")
"""What the contract runtime imports outside of the standard library, as far as it is installed."""
_FLAGS: Final = ("-s", "-P", "-S", "-B")
_END_SECONDS: Final = 10
_KEY_BYTES_MAX: Final = 2 * STATE_KEY_BYTES_MAX


class WorkerFaultError(UnavailableError):
    """A worker failed, hung or broke the protocol: a fault of this place, not of a contract; handled by `executor`."""


class WorkerSilentError(WorkerFaultError):
    """A worker said nothing for too long."""


@dataclass(frozen=True, slots=True)
class Launch:
    """How workers are started; tests start theirs in other ways."""

    entry: str = "yunhe.contracts.worker.main:main"
    """Module and function that run as the worker."""
    folders: tuple[str, ...] = ()
    """Folders that are importable besides those of `_PACKAGES`."""
    environment: tuple[tuple[str, str], ...] = ()
    arguments: tuple[object, ...] = ()
    """Arguments of the function after descriptor, parent and hash name."""


class WorkerProcess:
    """A worker that is running."""

    def __init__(self, process: "subprocess.Popen[bytes]", end: socket.socket) -> None:
        self._process = process
        self._end = end
        self.protections: dict[str, bool] = {}
        """Which protections its jail has."""

    @property
    def pid(self) -> int:
        """Process id."""
        return self._process.pid

    def greet(self) -> None:
        """Wait until the worker is in its jail, and check that it fits.

        Raises:
            WorkerFaultError: it did not start.
            WrongPythonError: it runs another version of CPython.
            JailIncompleteError: its jail lacks what a node insists on.
        """
        hello = self.receive(WORKER_START_MS_MAX)
        # CON-088
        if not isinstance(hello, Hello) or hello.version != yunhe.__version__:
            raise WorkerFaultError("the contract worker is not of this version of Yunhe; install Yunhe again")
        python = ".".join(platform.python_version_tuple()[:2])
        if hello.python != python:
            raise WrongPythonError(f"the contract worker runs CPython {hello.python}, the node {python}; install Yunhe again")
        require_protections(hello.protections)
        self.protections = hello.protections

    def send(self, message: ToWorker) -> None:
        """Send a message.

        Raises:
            WorkerFaultError: the worker is gone, or takes nothing.
        """
        try:
            send(self._end, message)
        except (MessageError, TimeoutError) as error:
            raise WorkerFaultError(f"the contract worker takes no message: {error}") from error

    def receive(self, wait_ms: int) -> FromWorker:
        """Wait for a message.

        Raises:
            WorkerFaultError: none came in time, it is none, or the worker is gone or says that it fails.
            CorruptionError: the worker found the state corrupt.
        """
        # CON-085: the time-out tells a hung worker from a busy one; it never decides what a contract did.
        self._end.settimeout(max(wait_ms, 1) / 1000)
        try:
            message = receive_from_worker(self._end)
        except TimeoutError as error:
            raise WorkerSilentError(f"the contract worker said nothing for {wait_ms} ms") from error
        except MessageError as error:
            raise WorkerFaultError(f"the contract worker failed: {error.message}{self._how_it_ended()}") from error
        if isinstance(message, Failed):
            if message.corrupt:
                raise CorruptionError(message.reason)
            raise WorkerFaultError(f"the contract worker failed: {message.reason}")
        return message

    def answer(self, message: Get | Scan, state: StateReader) -> None:
        """Answer a read of the worker from a state.

        Raises:
            WorkerFaultError: it asks for more than a worker does, or is gone.
        """
        if isinstance(message, Get):
            self.send(Records(_records(message.keys, state)))
            return
        # CON-084: a worker that was broken open must not make its node collect the whole state.
        if not 1 <= message.limit <= WORKER_ASKED_ROWS_MAX or max(len(message.start), len(message.end)) > _KEY_BYTES_MAX:
            raise WorkerFaultError("the contract worker asked for rows that are none, or too many")
        self.send(Rows(state.scan(message.start, message.end, message.limit, reverse=message.reverse)))

    def end(self) -> None:
        """End the process, whatever it does, and wait until it is gone."""
        self._end.close()
        self._process.kill()
        self._process.wait(_END_SECONDS)

    def _how_it_ended(self) -> str:
        try:
            status = self._process.wait(1)
        except subprocess.TimeoutExpired:
            return ""
        return f" (ended by signal {-status})" if status < 0 else f" (ended with status {status})"


class Starter:
    """Starts workers, from a thread of its own: the kernel ends a worker with the thread that started it."""

    def __init__(self, hash_name: str, launch: Launch) -> None:
        # CON-080
        check_memory()
        self._hash_name = hash_name
        self._launch = launch
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="contract-worker-starter")

    def start(self) -> WorkerProcess:
        """Start a worker and wait until it is ready.

        Raises:
            WorkerFaultError: it did not start.
            ConfigurationError: it cannot run safely on this machine.
        """
        worker = self._thread.submit(self._start).result()
        try:
            worker.greet()
        except BaseException:
            worker.end()
            raise
        return worker

    def close(self) -> None:
        """End the thread; workers that still run end with it."""
        self._thread.shutdown()

    def _start(self) -> WorkerProcess:
        ours, theirs = socket.socketpair()
        with theirs:
            module, _, function = self._launch.entry.partition(":")
            arguments = (theirs.fileno(), os.getpid(), self._hash_name, *self._launch.arguments)
            folders = _folders(self._launch.folders)
            code = f"import sys; sys.path[:0] = {folders!r}; import {module} as worker; worker.{function}(*{arguments!r})"
            try:
                process = subprocess.Popen(
                    [sys.executable, *_FLAGS, "-c", code],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    pass_fds=(theirs.fileno(),),
                    env=dict(self._launch.environment),
                    cwd="/",
                )
            except OSError as error:
                ours.close()
                raise WorkerFaultError(f"the contract worker cannot be started: {error.strerror}") from error
        return WorkerProcess(process, ours)


def _folders(further: tuple[str, ...]) -> list[str]:
    """Return the folders that hold the packages of the contract runtime, wherever and however they are installed."""
    found = dict.fromkeys(further)
    for package in _PACKAGES:
        with suppress(ModuleNotFoundError, ValueError):
            spec = importlib.util.find_spec(package)
            if spec is not None and spec.origin is not None:
                origin = Path(spec.origin)
                found[str(origin.parents[1] if spec.submodule_search_locations else origin.parent)] = None
    return list(found)


def _records(keys: list[bytes], state: StateReader) -> list[bytes | None]:
    """Return the records of the first keys, as many as fit into one answer, at least one."""
    # CON-084
    if not 1 <= len(keys) <= WORKER_ASKED_KEYS_MAX or any(len(key) > _KEY_BYTES_MAX for key in keys):
        raise WorkerFaultError("the contract worker asked for what is no key")
    records: list[bytes | None] = []
    room = WORKER_ANSWER_BYTES
    for key in keys:
        record = state.get(key)
        records.append(record)
        room -= 0 if record is None else len(record)
        if room < 0:
            break
    return records
