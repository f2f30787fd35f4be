"""What a client on the same machine reads of a node: files of its folder, and which process it is."""

from pathlib import Path
from typing import Final

GENESIS_FILE: Final = "genesis.json"
TOKEN_FILE: Final = "secrets/api-token"  # noqa: S105  # a path
RUN_FILE: Final = "run/node.json"
"""Process, its start and the address of the running node; a node that was killed leaves it behind."""

_START_FIELD: Final = 19
"""Place of the start among the fields behind the process's name (proc_pid_stat(5), field 22)."""


def process_start(pid: int) -> int | None:
    """Return when a process of this machine began, in ticks since the machine did, or None if there is none.

    A number alone does not name a process: the system gives it to another one when the first has ended.
    """
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        # The name, in brackets, may hold anything.
        return int(stat.rpartition(")")[2].split()[_START_FIELD])
    except (OSError, ValueError, IndexError):
        return None
