"""A real node in its own process, made and driven through the command line and the SDK, for end-to-end tests."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from tests.forked_command import ForkedProcess, ForkServer
from yunhe.sdk import Client, KeyFile, Member, MemberKey, create_key_file

PASSPHRASE = "e2e"
DEADLINE_S = 60.0


@cache
def forks() -> ForkServer:
    """Return what commands are forked of; one for all tests of a process."""
    return ForkServer()


def wait_until(condition: Callable[[], Any], what: str) -> Any:
    """Wait for a condition with a deadline and return its value."""
    deadline = time.monotonic() + DEADLINE_S
    while not (value := condition()):
        assert time.monotonic() < deadline, f"{what} did not come about"
        threading.Event().wait(0.01)
    return value


def yunhe(
    *arguments: str, environment: dict[str, str] | None = None, file_bytes_max: int | None = None, timeout_s: float = DEADLINE_S
) -> subprocess.CompletedProcess[str]:
    """Run the command line to its end; with `file_bytes_max` no file may grow beyond it, as on a full disk."""
    given = os.environ | {"YUNHE_KEY_PASSPHRASE": PASSPHRASE} | (environment or {})
    if file_bytes_max is None:
        return forks().run(arguments, given, timeout_s)
    return subprocess.run(
        ["prlimit", f"--fsize={file_bytes_max}:{file_bytes_max}", sys.executable, "-m", "yunhe.cli", *arguments],
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
        timeout=timeout_s,
        env=given,
    )


def yunhe_json(*arguments: str, timeout_s: float = DEADLINE_S) -> dict[str, Any]:
    """Run the command line, which must succeed, and return its JSON."""
    done = yunhe("--json", *arguments, timeout_s=timeout_s)
    assert done.returncode == 0, done.stderr + done.stdout
    return dict(json.loads(done.stdout))


FLAVOURS = {"Ed25519 and SHA-256": ("ed25519-sha256", "sha256"), "SM2 and SM3": ("sm2-sm3", "sm3")}
"""Suite of all keys, and chain hash."""


class NodeProcess:
    """The folder of one node with its founder's key; the process comes and goes."""

    def __init__(self, home: Path, flavour: str = "Ed25519 and SHA-256") -> None:
        self.home = home
        self.folder = home / "node"
        self.suite, self.hash_name = FLAVOURS[flavour]
        self.founder_file: KeyFile = create_key_file(home / "port.admin.pem", Member("port", "admin"), PASSPHRASE, self.suite)
        self.founder: MemberKey = self.founder_file.open(PASSPHRASE)
        self.process: subprocess.Popen[str] | ForkedProcess | None = None
        self.address = ""
        options = ("--port", "0", "--suite", self.suite, "--chain-hash", self.hash_name)
        yunhe_json("node", "init", str(self.folder), "--org", "port", "--admin", str(self.founder_file.path), *options)

    def start(self, *limited: str) -> "NodeProcess":
        """Start the node, with a command before it that limits what it may use, and wait until it answers."""
        arguments = ("--json", "node", "start", str(self.folder))
        if limited:
            self.process = subprocess.Popen(
                [*limited, sys.executable, "-m", "yunhe.cli", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
        else:
            self.process = forks().start(arguments, os.environ)
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            _, error = self.process.communicate(timeout=DEADLINE_S)
            raise AssertionError(f"the node did not start: {error}")
        self.address = json.loads(line)["address"]
        return self

    def stop(self) -> None:
        """Stop the node as an operator does; it must end well."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        _, error = self.process.communicate(timeout=DEADLINE_S)
        assert self.process.returncode == 0, error
        self.process = None

    def kill(self) -> None:
        """End the node as a power cut does."""
        assert self.process is not None
        self.process.kill()
        self.process.communicate(timeout=DEADLINE_S)
        self.process = None

    def close(self) -> None:
        """End the process, if there is one."""
        if self.process is not None:
            self.kill()

    def workers(self) -> list[int]:
        """Return the process ids of the contract workers."""
        assert self.process is not None
        children = Path(f"/proc/{self.process.pid}/task").glob("*/children")
        return [int(pid) for path in children for pid in path.read_text().split()]

    @property
    def token(self) -> str:
        """The node's API token."""
        return (self.folder / "secrets" / "api-token").read_text().strip()

    def client(self, timeout_s: float = DEADLINE_S) -> Client:
        """Return a client of the running node."""
        return Client(self.address, self.token, timeout_s=timeout_s)

    def deploy(self, name: str, source: str) -> None:
        """Deploy a contract by the founder's vote alone."""
        with self.client() as client:
            digest = client.call(self.founder, "lifecycle", "submit", source=source).results[0]
            client.call(self.founder, "governance", "propose_deployment", contract=name, code_hash=bytes.fromhex(digest[2:]))
