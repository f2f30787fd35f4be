"""The demo's node: made, started and stopped through the command line, as an operator does it.

The node is a process of its own. Whatever happens in between, it has ended when the `with` block ends.
"""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from yunhe.sdk import Client
from yunhe_maritime.errors import DemoFailedError

_COMMAND: Final = (sys.executable, "-m", "yunhe.cli", "--json")
_INIT_TIMEOUT_S: Final = 60.0
_START_TIMEOUT_S: Final = 60.0
_STOP_TIMEOUT_S: Final = 30.0


class DemoNode:
    """A running node."""

    def __init__(self, folder: Path, address: str, process: "subprocess.Popen[str]") -> None:
        self.folder = folder
        self.address = address
        self._process = process

    def client(self) -> Client:
        """Return a new connection to the node, with its token."""
        return Client(self.address, (self.folder / "secrets" / "api-token").read_text(encoding="ascii").strip())

    def stop(self) -> None:
        """Ask the node to end and wait until it has.

        Raises:
            DemoFailedError: it ended with an error.
        """
        code = _end(self._process)
        if code != 0:
            raise DemoFailedError(f"the node ended with exit code {code}; its log is {self.folder / 'log' / 'node.log'}")


def make_node(folder: Path, organisation: str, title: str, admin: Path) -> None:
    """Make a new network and the folder of its only node.

    Args:
        folder: where; must not exist.
        organisation: the founding organisation.
        title: its name for people.
        admin: key file of its admin.

    Raises:
        DemoFailedError: `yunhe node init` failed.
    """
    arguments = ["node", "init", str(folder), "--org", organisation, "--title", title, "--network", "bill-of-lading-demo", "--port", "0"]
    command = [*_COMMAND, *arguments, "--admin", str(admin)]
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_INIT_TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired as error:
        raise DemoFailedError(f"`yunhe node init` did not end within {_INIT_TIMEOUT_S:.0f} s") from error
    if done.returncode != 0:
        raise DemoFailedError(f"`yunhe node init` failed: {_reason(done.stderr)}")


@contextmanager
def running_node(folder: Path) -> Iterator[DemoNode]:
    """Start the node of a folder; it has ended when the block ends.

    Raises:
        DemoFailedError: it did not start.
    """
    errors = folder.with_name("node-errors.txt")
    with errors.open("w", encoding="utf-8") as error_file:
        process = subprocess.Popen(
            [*_COMMAND, "node", "start", str(folder)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=error_file, text=True
        )
        try:
            yield DemoNode(folder, _wait_for_address(process, errors), process)
        finally:
            _end(process)
    if not errors.stat().st_size:
        errors.unlink()


def run_verifier(verifier: Path, arguments: Sequence[str]) -> tuple[int, str]:
    """Run the single-file verifier in a bare interpreter: no environment, no installed packages.

    Returns:
        Exit code, and what it printed.
    """
    command = [sys.executable, "-I", "-S", str(verifier), *arguments]
    try:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_START_TIMEOUT_S, check=False, env={}
        )
    except subprocess.TimeoutExpired as error:
        raise DemoFailedError(f"the verifier did not end within {_START_TIMEOUT_S:.0f} s") from error
    return done.returncode, (done.stdout + done.stderr).strip()


def _wait_for_address(process: "subprocess.Popen[str]", errors: Path) -> str:
    """Return the address that the node prints as soon as it answers."""
    # A node that hangs is killed, which ends the line that is waited for.
    timer = threading.Timer(_START_TIMEOUT_S, process.kill)
    timer.start()
    try:
        line = process.stdout.readline() if process.stdout is not None else ""
    finally:
        timer.cancel()
    try:
        return str(json.loads(line)["address"])
    except (ValueError, KeyError, TypeError) as error:
        _end(process)
        raise DemoFailedError(f"the node did not start: {_reason(errors.read_text(encoding='utf-8'))}") from error


def _end(process: "subprocess.Popen[str]") -> int:
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(_STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    if process.stdout is not None:
        process.stdout.close()
    return process.returncode


def _reason(text: str) -> str:
    """Return what a command said last, readable whether it printed JSON or text."""
    last = text.strip().splitlines()[-1] if text.strip() else "it said nothing"
    try:
        said = json.loads(last)
        return f"{said['code']}: {said['message']}"
    except (ValueError, KeyError, TypeError):
        return last
