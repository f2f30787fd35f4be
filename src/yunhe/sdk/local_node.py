"""What a client on the same machine reads of a node: files of its folder, and which process it is."""

import json
import ssl
import time
from pathlib import Path
from shlex import quote
from typing import Final

from yunhe.errors import NodeNotRunningError, WaitTimeoutError
from yunhe.sdk.tls import pinned_to

GENESIS_FILE: Final = "genesis.json"
TOKEN_FILE: Final = "secrets/api-token"  # noqa: S105  # a path
RUN_FILE: Final = "run/node.json"
"""Process, its start and the address of the running node; a node that was killed leaves it behind."""

_STATE_FIELD: Final = 0
_START_FIELD: Final = 19
"""Places among the fields behind the process's name (proc_pid_stat(5), fields 3 and 22)."""
_ENDED: Final = "Z"
"""State of a process that has ended and only waits for its parent to take note."""
_POLL_S: Final = 0.02


def process_start(pid: int) -> int | None:
    """Return when a process of this machine began, in ticks since the machine did, or None if there is none or it has ended.

    A number alone does not name a process: the system gives it to another one when the first has ended.
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        # The name, in brackets, may hold anything.
        fields = stat.rpartition(")")[2].split()
        return None if fields[_STATE_FIELD] == _ENDED else int(fields[_START_FIELD])
    except (OSError, ValueError, IndexError):
        return None


def wait_until_ended(pid: int, timeout_s: float) -> None:
    """Wait until a process has ended, not only until its run file is gone: it still has its last records to write.

    Raises:
        WaitTimeoutError: it runs on.
    """
    started = process_start(pid)
    deadline_s = time.monotonic() + timeout_s
    while started is not None and process_start(pid) == started:
        if time.monotonic() > deadline_s:
            raise WaitTimeoutError(f"process {pid} did not end within {timeout_s:.0f} s; its log says what it is at")
        time.sleep(_POLL_S)


def read_run_file(folder: Path) -> tuple[int, str]:
    """Return process id and address of a folder's running node.

    Raises:
        NodeNotRunningError: none runs.
    """
    try:
        value = json.loads((folder / RUN_FILE).read_text(encoding="utf-8"))
        pid, start, address = int(value["pid"]), int(value["start"]), str(value["address"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise _not_running(folder) from error
    if process_start(pid) != start:
        raise _not_running(folder)
    return pid, address


def local_trust(folder: Path) -> ssl.SSLContext | None:
    """Return what the running node of a folder is known by when it speaks TLS: its very certificate; None for plain HTTP.

    Raises:
        InvalidConfigurationError: the certificate cannot be read.
    """
    try:
        certificate = json.loads((folder / RUN_FILE).read_text(encoding="utf-8")).get("certificate")
    except (OSError, ValueError, AttributeError, RecursionError) as error:
        raise _not_running(folder) from error
    return pinned_to(Path(certificate)) if isinstance(certificate, str) else None


def _not_running(folder: Path) -> NodeNotRunningError:
    return NodeNotRunningError(f"no node runs in {folder}; `yunhe node start {quote(str(folder))}` starts it")
