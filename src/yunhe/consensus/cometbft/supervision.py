"""Runs the CometBFT process of a home, and starts it again whenever it ends.

It ends with exit code 0 when its application goes, so no code means that all is well; and it stays alive, RPC included, when it gave up
agreeing. So what it says is read, what it answers is watched, and only `stop` ends it for good. There are three more ends: when two thirds
agreed on a block that does not follow from this node's state, when its home is older than the node's ledger, or when it gives up at one
height again and again, starting it anew changes nothing, and the node has to say so (NET-006). A clock that is behind is none of them: once
it is set right, a new start helps (NET-036).

Specification: docs/spec/network.md, "Supervision".
"""

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import structlog

from yunhe.consensus.cometbft.configuration import RPC_SOCKET, check_home, read_peers
from yunhe.consensus.cometbft.output import EngineFailure, EngineLog
from yunhe.consensus.cometbft.rpc import ask_engine
from yunhe.errors import EngineFailedError, EngineUnreachableError
from yunhe.limits import ENGINE_BEHIND_S_MAX

_log = structlog.get_logger(__name__)

_FIRST_LOOK_S: Final = 0.1
_ENVIRONMENT: Final = ("HOME", "LANG", "PATH", "TMPDIR")
"""What the process is told of the environment: it holds passphrases and tokens of the node."""


@dataclass(frozen=True, slots=True)
class SupervisionTimes:
    """How long what may take; seconds."""

    pause_first: float = 0.2
    """Before the first new start in a row; each pause is twice the one before."""
    pause_longest: float = 10.0
    """Before any new start."""
    settled: float = 60.0
    """Up for so long, it counts as started well, and pauses begin anew."""
    probe: float = 5.0
    """Between two looks at what it answers."""
    silent: float = 60.0
    """Without an answer for so long, it is started anew."""
    isolated: float = 600.0
    """Without any peer for so long, it is started anew: in the end it gives up dialling those that it lost."""
    stop: float = 15.0
    """For ending by itself; then it is killed."""


FAILURES_AT_ONE_HEIGHT_MAX: Final = 3
"""So often the process is started again after it gave up at one height."""


@dataclass(frozen=True, slots=True)
class EngineHealth:
    """How the process is."""

    state: str
    """`running`, `starting`, `restarting`, `halted` or `stopped`."""
    pid: int | None
    """Of the process that runs."""
    restarts: int
    """How often it was started again."""
    height: int
    """Of its last block, as far as it was seen."""
    reason: str
    """Why it ended last, or why it is halted."""


class EngineSupervisor:
    """The process of one home. `start` and `stop` are called once each."""

    def __init__(
        self,
        program: Path,
        home: Path,
        log: Path,
        on_halted: Callable[[EngineFailedError], None],
        times: SupervisionTimes | None = None,
        before_start: Callable[[], None] = lambda: None,
    ) -> None:
        """Prepare; nothing runs yet.

        Args:
            program: of the right version (`find_program`).
            home: made by `make_home`.
            log: file for what the process says.
            on_halted: told, from a thread of its own, that the process stands still for good.
            times: other than the defaults.
            before_start: called before each start of the process, when none runs; an `EngineFailedError` of it is final.
        """
        self._program = program
        self._home = home
        self._log = EngineLog(log, self._give_up)
        self._on_halted = on_halted
        self._times = times or SupervisionTimes()
        self._before_start = before_start
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._supervise, name="engine-supervisor", daemon=True)
        self._process: subprocess.Popen[bytes] | None = None
        self._failure: EngineFailure | None = None
        self._failed_height = -1
        self._failures = 0
        self._restarts = 0
        self._height = 0
        self._reason = ""
        self._state = "starting"

    def start(self) -> None:
        """Check the home and start the process.

        Raises:
            EngineFilesError: the home cannot be used.
            EngineFailedError: the program cannot be run.
        """
        check_home(self._home)
        process = self._spawn()
        self._thread.start()
        _log.info("engine started", pid=process.pid)

    def stop(self) -> None:
        """End the process and return when it has ended; it is not started again."""
        self._stopping.set()
        self._end()
        if self._thread.is_alive() and threading.current_thread() is not self._thread:
            self._thread.join()
        self._log.close()

    def renew(self, reason: str) -> None:
        """End the process, which is started again at once; returns at once."""
        threading.Thread(target=self._fault, args=(reason,), name="engine-renewal", daemon=True).start()

    def health(self) -> EngineHealth:
        """Return how the process is."""
        process = self._process
        pid = process.pid if process is not None and process.poll() is None else None
        return EngineHealth(self._state, pid, self._restarts, self._height, self._reason)

    # --- The thread that supervises ---------------------------------------------------------------------------------

    def _supervise(self) -> None:
        pause_s = self._times.pause_first
        while True:
            process = self._process
            assert process is not None
            began_s = time.monotonic()
            reader = threading.Thread(target=self._log.read, args=(process.stdout,), name="engine-log", daemon=True)
            reader.start()
            self._watch(process)
            code = process.wait()
            reader.join()
            if self._stopping.is_set():
                self._state = "stopped"
                return
            gave_up = self._failure is not None
            failure = self._why(code)
            self._reason = failure.reason
            if self._is_beyond_help(failure, gave_up=gave_up):
                self._halt()
                return
            pause_s = self._times.pause_first if time.monotonic() - began_s >= self._times.settled else pause_s
            # NET-005
            self._state = "restarting"
            _log.warning("engine ended and is started again", exit_code=code, reason=self._reason, pause_s=pause_s)
            if self._stopping.wait(pause_s):
                self._state = "stopped"
                return
            pause_s = min(2 * pause_s, self._times.pause_longest)
            try:
                self._spawn()
            except EngineFailedError as error:
                self._reason = error.message
                self._halt()
                return
            self._restarts += 1

    def _halt(self) -> None:
        self._state = "halted"
        _log.error("engine halted", reason=self._reason)
        self._on_halted(EngineFailedError(f"the engine stands still: {self._reason}"))

    def _why(self, code: int) -> EngineFailure:
        """Return why the process ended."""
        failure, self._failure = self._failure, None
        if failure is not None:
            return failure
        said = self._log.last_error()
        how = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
        return replace(said, reason=f"{how}: {said.reason}" if said.reason else how)

    def _is_beyond_help(self, failure: EngineFailure, *, gave_up: bool) -> bool:
        # NET-006
        if failure.verdict:
            self._reason = f"{failure.verdict} ({self._reason})"
            return True
        if failure.is_clock_behind:
            # NET-036
            self._reason = (
                f"this machine's clock is behind that of the other organisations by more than the engine bears, {ENGINE_BEHIND_S_MAX} s "
                f"(block_time_tolerance); set the clock and keep it right, and the engine goes on by itself ({self._reason})"
            )
            return False
        if not gave_up:
            return False
        self._failures = self._failures + 1 if self._failed_height == self._height else 1
        self._failed_height = self._height
        return self._failures > FAILURES_AT_ONE_HEIGHT_MAX

    def _watch(self, process: subprocess.Popen[bytes]) -> None:
        """Look at the process until it ends; end it when it does not do its work."""
        answered_s = connected_s = time.monotonic()
        has_peers, pause_s = bool(read_peers(self._home)), _FIRST_LOOK_S
        while True:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(pause_s)
                return
            pause_s = min(2 * pause_s, self._times.probe)
            now_s = time.monotonic()
            try:
                height, peers = self._look()
            except EngineUnreachableError:
                if now_s - answered_s >= self._times.silent:
                    self._fault(f"it did not answer for {self._times.silent:.0f} s")
                continue
            answered_s, self._height, self._state = now_s, height, "running"
            if peers or not has_peers:
                connected_s = now_s
            elif now_s - connected_s >= self._times.isolated:
                self._fault(f"it had no peer for {self._times.isolated:.0f} s")

    def _look(self) -> tuple[int, int]:
        """Return height and count of peers."""
        status, peers = (ask_engine(self._home, route, self._times.silent) for route in ("status", "net_info"))
        return int(status["sync_info"]["latest_block_height"]), int(peers["n_peers"])

    def _fault(self, reason: str) -> None:
        _log.warning("engine is ended", reason=reason)
        self._reason = reason
        self._end()

    # --- The process ------------------------------------------------------------------------------------------------

    def _spawn(self) -> subprocess.Popen[bytes]:
        # One that was killed leaves its socket behind, and the next one would not listen.
        (self._home / RPC_SOCKET).unlink(missing_ok=True)
        self._before_start()
        environment = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
        with self._lock:
            if self._stopping.is_set() and self._process is not None:
                # It has ended, and whoever looks at it next sees that it shall not be started again.
                return self._process
            try:
                self._process = subprocess.Popen(
                    [self._program, "start", "--home", "."],
                    cwd=self._home,
                    env=environment,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    umask=0o077,
                    # The terminal's interrupt is for the node, which ends the engine in order.
                    start_new_session=True,
                )
            except OSError as error:
                raise EngineFailedError(f"the engine {self._program} cannot be run: {error.strerror}") from error
            return self._process

    def _give_up(self, failure: EngineFailure) -> None:
        """Take note that the process gave up, and end it: it would stay as it is."""
        self._failure = failure
        process = self._process
        if process is not None:
            process.kill()

    def _end(self) -> None:
        with self._lock:
            process = self._process
        if process is None or process.poll() is not None:
            return
        process.terminate()
        try:
            process.wait(self._times.stop)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
