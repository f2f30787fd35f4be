"""The jail of a worker whose node an ordinary user started: what holds without root (CON-081 to CON-083, SECURITY.md)."""

import json
import subprocess
import sys
import time
from pathlib import Path

from tests.unit.contracts.worker.attempts import ENDED, ROOT

FILTERED = (
    "read a file",
    "write a file",
    "read the node's memory",
    "open a socket",
    "start a process",
    "start a thread",
    "signal the node",
    "trace the node",
    "map memory as code",
)
"""What ends the worker."""
UNFILTERED = ("read a file", "write a file", "open a socket", "open a pipe", "start a process", "execute", "load a module")
"""What other layers refuse even so."""
ATTEMPTS = [*[(name, True) for name in (*FILTERED, "environment", "memory")], *[(name, False) for name in UNFILTERED]]
REQUIRED = ("files_closed", "limits", "no_new_privileges", "unprivileged", "system_calls", "ends_with_node")


def found() -> tuple[dict[str, bool], dict[tuple[str, bool], str]]:
    """Return the protections that an ordinary user's worker has, and what came of each attempt."""
    command = [sys.executable, "-m", "tests.unit.contracts.worker.ordinary_user", json.dumps(ATTEMPTS)]
    run = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True, timeout=120)
    protections, came = json.loads(run.stdout)
    return protections, dict(zip(ATTEMPTS, came, strict=True))


def test_worker_does_not_outlive_its_node() -> None:
    # CON-081
    node = (
        "import os; from yunhe.contracts.worker.executor import WorkerExecutor; from yunhe.crypto import SHA256;"
        "executor = WorkerExecutor(SHA256); print(executor.worker_pids[0], flush=True); os._exit(0)"
    )
    run = subprocess.run([sys.executable, "-c", node], cwd=ROOT, check=True, capture_output=True, text=True, timeout=60)
    worker = Path(f"/proc/{int(run.stdout)}/status")
    deadline = time.monotonic() + 20
    while is_running(worker):
        assert time.monotonic() < deadline, "the worker goes on without its node"


def is_running(status: Path) -> bool:
    """Tell whether a process is there and not just waiting to be collected."""
    try:
        return "State:\tZ" not in status.read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_jail_of_an_ordinary_user_holds() -> None:
    # CON-081, CON-082, CON-083
    protections, came = found()
    assert [name for name in REQUIRED if not protections[name]] == []
    assert [name for name in FILTERED if not came[name, True].endswith(ENDED)] == []
    assert [name for name in UNFILTERED if "refused: " not in came[name, False]] == []
    assert came["environment", True].endswith("{}")
    assert 256 <= int(came["memory", True].rpartition("after ")[2].split()[0]) <= 2048
