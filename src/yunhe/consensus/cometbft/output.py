"""What a CometBFT process writes: kept in a log that is bounded, and read for the two things that only it tells.

The process stays alive, its RPC included, after it gave up agreeing, and says so here alone; and why it ends stands in its last lines. The
process gets a pipe and no file, so it ends with the node that reads it, and its log is turned over under the node's control.
"""

import contextlib
import json
import logging
import logging.handlers
import os
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from io import TextIOWrapper
from pathlib import Path
from typing import IO, Any, Final

import structlog

from yunhe.errors import EngineOtherNetworkError
from yunhe.limits import ENGINE_LINE_CHARS_MAX, ENGINE_LOG_BYTES_MAX, ENGINE_LOG_FILES_MAX

_log = structlog.get_logger(__name__)

_REASON_CHARS_MAX: Final = 300
_LAST_LINES: Final = 5
_FAILURE: Final = "CONSENSUS FAILURE"
_OTHER_LEDGER: Final = (
    "two thirds of the organisations agreed on a block that does not follow from this node's ledger: "
    "put the ledger back from a backup with `yunhe node restore`, or let a node with new keys join in its place"
)
_OLD_HOME: Final = (
    "its home is older than this node's ledger: put back the home that was there, or let a node with new keys join in place of this one"
)
_FINAL: Final[Mapping[str, str]] = {
    "+2/3 prevoted for an invalid block": _OTHER_LEDGER,
    "+2/3 committed an invalid block": _OTHER_LEDGER,
    "state.AppHash does not match AppHash after replay": _OTHER_LEDGER,
    "is higher than core": _OLD_HOME,
}
"""What the process says when a new start does not help, and what is the matter then."""
_CATCHING_UP: Final = "blocksync"
_OTHER_NETWORK: Final = "peer is on a different network"
_CLOCK: Final = "is too far in the future"
_OTHER_STATE: Final = ("wrong Block.Header.AppHash", "wrong Block.Header.ValidatorsHash", "wrong Block.Header.NextValidatorsHash")


@dataclass(frozen=True, slots=True)
class EngineFailure:
    """What the process said of its failure."""

    reason: str
    """Its words."""
    verdict: str
    """What is the matter and what to do, where a new start does not help; empty where it may."""
    is_clock_behind: bool = False
    """Whether two thirds agreed on a block whose time is too far ahead of this machine's clock. Once that is right, a new start helps."""


class EngineLog:
    """The log of one home's process, through all its starts."""

    def __init__(self, path: Path, on_failure: Callable[[EngineFailure], None]) -> None:
        """Open the log.

        Args:
            path: of the file; older ones lie beside it, numbered.
            on_failure: told, from the thread that reads, when the process gives up.
        """
        self._handler = _OwnersLog(path, maxBytes=ENGINE_LOG_BYTES_MAX, backupCount=ENGINE_LOG_FILES_MAX, encoding="utf-8", delay=True)
        self._on_failure = on_failure
        self._errors: deque[str] = deque(maxlen=_LAST_LINES)
        self._is_other_network_told = False

    def read(self, stream: IO[bytes]) -> None:
        """Keep what comes until the process ends."""
        self._errors.clear()
        self._is_other_network_told = False
        with TextIOWrapper(stream, encoding="utf-8", errors="backslashreplace") as lines:
            while line := lines.readline(ENGINE_LINE_CHARS_MAX):
                self._take(line.rstrip("\n"))

    def close(self) -> None:
        """Close the file."""
        self._handler.close()

    def last_error(self) -> EngineFailure:
        """Return the last error of the last process; without words when there was none."""
        reason = self._errors[-1] if self._errors else ""
        return EngineFailure(reason, _verdict(reason), _CLOCK in reason)

    def _take(self, line: str) -> None:
        self._handler.emit(logging.makeLogRecord({"msg": line}))
        record = _record(line)
        if record is None:
            # What is no record is what the program says when it cannot start, with an explanation of its use behind it.
            if line.startswith(("ERROR:", "panic:")):
                self._errors.append(line.removeprefix("ERROR:").strip()[:_REASON_CHARS_MAX])
            return
        message, cause = str(record.get("_msg", "")), str(record.get("err", ""))
        if _OTHER_NETWORK in cause:
            self._tell_of_other_network(cause)
        if record.get("level") != "error":
            return
        text = (f"{message}: {cause}" if cause else message)[:_REASON_CHARS_MAX]
        self._errors.append(text)
        # A proposer can name any state in a block that it proposes; in one that this node catches up with, two thirds have signed for it.
        is_catching_up = record.get("module") == _CATCHING_UP
        differs = is_catching_up and any(other in cause for other in _OTHER_STATE)
        if differs or _FAILURE in message or (is_catching_up and _CLOCK in cause):
            self._on_failure(EngineFailure(text, _OTHER_LEDGER if differs else _verdict(cause), _CLOCK in cause))

    def _tell_of_other_network(self, cause: str) -> None:
        # NET-044: once for each start; the process tries again and again.
        if not self._is_other_network_told:
            self._is_other_network_told = True
            error = EngineOtherNetworkError(
                "the engine of another node is refused, or refuses this one, because their networks are two: compare the network ids of "
                f"both nodes (`yunhe node status`), and take out of `engine_peers` who does not belong there ({cause[:_REASON_CHARS_MAX]})"
            )
            _log.error("peer of another network", code=error.code, reason=error.message)


class _OwnersLog(logging.handlers.RotatingFileHandler):
    """A log that its owner alone reads. What the disk does not take is lost: a log that is full must not stop the engine."""

    def _open(self) -> TextIOWrapper:
        return os.fdopen(os.open(self.baseFilename, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600), "a", encoding="utf-8")

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: ARG002, N802  # the base's name
        if self.stream is not None:
            with contextlib.suppress(OSError):
                self.stream.close()
            self.stream = None


def _verdict(text: str) -> str:
    # A block that is refused for its time alone follows from this node's state all the same.
    return "" if _CLOCK in text else next((verdict for said, verdict in _FINAL.items() if said in text), "")


def _record(line: str) -> dict[str, Any] | None:
    if not line.startswith("{"):
        return None
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
