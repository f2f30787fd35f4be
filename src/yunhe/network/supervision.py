"""Keeps the nodes of a network's folder running, in one process of its own.

Each node is a process with its worker and its engine. One that ends is started again, unless it ended well, as `yunhe node stop` ends it.
The process that keeps them writes what it knows to `run/network.json`; when it is told to end, it ends the nodes first. Only one at a time
has a folder. Specification: docs/spec/network.md, "The processes of a network".
"""

import contextlib
import fcntl
import json
import os
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from shlex import quote
from typing import Any, Final

from yunhe.consensus.cometbft.program import PROGRAM_VARIABLE
from yunhe.errors import NetworkRunningError, NodeNotRunningError, NodeStartError
from yunhe.network.folder import LocalNode, NetworkFolder
from yunhe.node.config import VARIABLE_PREFIX
from yunhe.sdk.local_node import process_start, read_run_file
from yunhe.storage import files

RUN_FILE: Final = "run/network.json"
_LOCK_FILE: Final = "run/lock"
_PAUSE_FIRST_S: Final = 0.2
_PAUSE_LONGEST_S: Final = 10.0
_STOP_TIMEOUT_S: Final = 60.0
_POLL_S: Final = 0.05

Command = Callable[[Path], list[str]]
"""Returns what runs the node of a folder in the foreground."""


@dataclass(frozen=True, slots=True)
class NodeRecord:
    """What is known of one node's process."""

    state: str
    """`starting`, `running`, `restarting`, `failed` or `stopped`."""
    restarts: int
    """How often it was started again."""
    reason: str
    """Why it ended last; empty when it did not."""


class _Keeper:
    """Keeps one node running, in a thread."""

    def __init__(self, node: LocalNode, command: list[str], environment: Mapping[str, str], on_change: Callable[[], None]) -> None:
        self.node = node
        self._command = command
        self._environment = environment
        self._on_change = on_change
        self._errors = node.folder / "log" / "start-errors.txt"
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._answered = False
        self.record = NodeRecord("starting", 0, "")
        self._thread = threading.Thread(target=self._keep, name=f"keeper of {node.organisation}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def answers(self) -> bool:
        """Say whether the process that runs answers; from then on it is kept."""
        with contextlib.suppress(NodeNotRunningError):
            process = self._process
            if process is not None and read_run_file(self.node.folder)[0] == process.pid:
                self._answered = True
                self._note("running")
        return self._answered

    def tell_to_stop(self) -> None:
        """Ask the process to end, and start no other."""
        with self._lock:
            self._stopping.set()
            if self._process is not None and self._process.poll() is None:
                self._process.terminate()

    def join(self) -> None:
        """Wait until the process has ended; one that does not end is killed."""
        self._thread.join(_STOP_TIMEOUT_S)
        if self._thread.is_alive() and self._process is not None:
            self._process.kill()
            self._thread.join()

    def _keep(self) -> None:
        pause_s = _PAUSE_FIRST_S
        while True:
            self._errors.parent.mkdir(exist_ok=True)
            with self._errors.open("wb") as errors, self._lock:
                if self._stopping.is_set():
                    self._note("stopped")
                    return
                self._process = subprocess.Popen(
                    self._command, env=self._environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=errors
                )
            code = self._process.wait()
            if self._stopping.is_set() or code == 0:
                self._note("stopped")
                return
            reason = self._why(code)
            if not self._answered:
                self._note("failed", reason)
                return
            # NET-011
            self._note("restarting", reason)
            if self._stopping.wait(pause_s):
                self._note("stopped")
                return
            pause_s = min(2 * pause_s, _PAUSE_LONGEST_S)
            self.record = NodeRecord("starting", self.record.restarts + 1, reason)

    def _why(self, code: int) -> str:
        said = self._errors.read_text(encoding="utf-8", errors="backslashreplace").strip().splitlines()
        return said[-1] if said else f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"

    def _note(self, state: str, reason: str | None = None) -> None:
        before = self.record
        self.record = NodeRecord(state, before.restarts, before.reason if reason is None else reason)
        if self.record != before:
            self._on_change()


def keep_network(folder: NetworkFolder, command: Command, environment: Mapping[str, str], say: Callable[[str], None]) -> None:
    """Start all nodes and keep them running until SIGTERM or SIGINT comes; call from the main thread.

    Args:
        folder: of the network.
        command: what runs a node.
        environment: of the nodes; their own settings in it are left out, because one value would be for all.
        say: told how far the start is.

    Raises:
        NetworkRunningError: another process keeps the network.
        NodeStartError: a node did not start; then none runs.
    """
    theirs = {name: value for name, value in environment.items() if not name.startswith(VARIABLE_PREFIX) or name == PROGRAM_VARIABLE}
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda _number, _frame: stopping.set())
    with _locked(folder.path):
        register = _Register(folder.path)
        keepers = [_Keeper(node, command(node.folder), theirs, register.write) for node in folder.nodes]
        register.keepers = keepers
        for keeper in keepers:
            keeper.start()
        try:
            _wait_for_answers(keepers, stopping, say)
            register.open()
            say("all nodes answer")
            while not stopping.wait(1.0):
                # One that was started again answers after a while.
                for keeper in keepers:
                    if keeper.record.state == "starting":
                        keeper.answers()
        finally:
            for keeper in keepers:
                keeper.tell_to_stop()
            for keeper in keepers:
                keeper.join()
            register.close()


def _wait_for_answers(keepers: list[_Keeper], stopping: threading.Event, say: Callable[[str], None]) -> None:
    waiting = list(keepers)
    while waiting and not stopping.wait(_POLL_S):
        for keeper in list(waiting):
            if keeper.answers():
                waiting.remove(keeper)
                say(f"the node of {keeper.node.organisation} answers ({len(keepers) - len(waiting)} of {len(keepers)})")
            elif keeper.record.state in ("failed", "stopped"):
                raise NodeStartError(f"the node of {keeper.node.organisation} did not start: {keeper.record.reason or 'it ended'}")


class _Register:
    """The file that says which process keeps the network, and how its nodes are."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / RUN_FILE
        self._is_open = False
        self._lock = threading.Lock()
        self.keepers: list[_Keeper] = []

    def open(self) -> None:
        self._is_open = True
        self.write()

    def write(self) -> None:
        with self._lock:
            if not self._is_open:
                return
            nodes = {keeper.node.organisation: asdict(keeper.record) for keeper in self.keepers}
            value = {"pid": os.getpid(), "start": process_start(os.getpid()), "nodes": nodes}
            files.replace(self._file, (json.dumps(value) + "\n").encode(), 0o600)

    def close(self) -> None:
        with self._lock:
            self._is_open = False
            self._file.unlink(missing_ok=True)


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    with (folder / _LOCK_FILE).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise already_running(folder) from error
        yield


def already_running(folder: Path) -> NetworkRunningError:
    """Return the error for a network that runs already."""
    return NetworkRunningError(f"the network in {folder} runs already; `yunhe network stop {quote(str(folder))}` stops it")


def read_register(folder: Path) -> tuple[int, dict[str, NodeRecord]]:
    """Return the process that keeps a network, and what it knows of the nodes.

    Raises:
        NodeNotRunningError: none keeps it.
    """
    try:
        value: Any = json.loads((folder / RUN_FILE).read_text(encoding="utf-8"))
        pid, start = int(value["pid"]), int(value["start"])
        nodes = {str(name): NodeRecord(str(one["state"]), int(one["restarts"]), str(one["reason"])) for name, one in value["nodes"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise _not_running(folder) from error
    if process_start(pid) != start:
        raise _not_running(folder)
    return pid, nodes


def _not_running(folder: Path) -> NodeNotRunningError:
    return NodeNotRunningError(f"no network runs in {folder}; `yunhe network start {quote(str(folder))}` starts it")
