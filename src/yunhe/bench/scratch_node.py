"""A fresh node in its own processes, in a scratch folder, made and driven by the command line as an operator does."""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from yunhe.bench.processes import family
from yunhe.errors import BadAnswerError, NodeStartError
from yunhe.ledger.transaction import Call
from yunhe.node import NodeFolder
from yunhe.sdk import Client, Member, MemberKey, create_key_file

_PASSPHRASE: Final = "bench"  # noqa: S105  # of a key that lives as long as the run
_PREPARED_AT_ONCE: Final = 10
_PREPARING_GAS: Final = 50_000_000


class ScratchNode:
    """A node of one organisation that runs."""

    def __init__(self, home: Path, suite: str, hash_name: str) -> None:
        self.folder = home / "node"
        key_file = create_key_file(home / "bench.admin.pem", Member("bench", "admin"), _PASSPHRASE, suite)
        self.key: MemberKey = key_file.open(_PASSPHRASE)
        options = ("--port", "0", "--suite", suite, "--chain-hash", hash_name)
        yunhe("node", "init", str(self.folder), "--admin", str(key_file.path), *options)
        self.address = ""
        self.pid = 0
        self.start()

    def start(self) -> float:
        """Start the node and return how long it took until it answered, seconds."""
        begun = time.monotonic()
        started = yunhe("node", "start", str(self.folder), "--port", "0", "--background")
        self.address, self.pid = str(started["address"]), int(started["pid"])
        return time.monotonic() - begun

    def stop(self) -> None:
        """Stop the node."""
        yunhe("node", "stop", str(self.folder))

    @property
    def token(self) -> str:
        """The operator's own token."""
        return NodeFolder.load(self.folder).token()

    def client(self) -> Client:
        """Return a client of the node."""
        return Client(self.address, self.token, timeout_s=60)

    def processes(self) -> dict[int, str]:
        """Return the node's processes, each with what it is."""
        return family(self.pid)

    def deploy(self, contract: str, source: str) -> None:
        """Deploy a contract by the one organisation's vote."""
        with self.client() as client:
            code_hash = bytes.fromhex(client.call(self.key, "lifecycle", "submit", source=source).results[0][2:])
            client.call(self.key, "governance", "propose_deployment", contract=contract, code_hash=code_hash)

    def prepare(self, calls: Iterable[Call], progress: Callable[[int], None]) -> None:
        """Make the records that a workload begins with.

        Raises:
            BadAnswerError: a call was refused.
        """
        waiting = list(calls)
        with self.client() as client:
            for start in range(0, len(waiting), _PREPARED_AT_ONCE):
                part = waiting[start : start + _PREPARED_AT_ONCE]
                for submitted in client.submit_batch([client.build([self.key], [call], gas_limit=_PREPARING_GAS) for call in part]):
                    if submitted.code != "OK":
                        raise BadAnswerError(f"the records of the workload cannot be made: {submitted.code}")
                progress(min(start + _PREPARED_AT_ONCE, len(waiting)) * 100 // len(waiting))


@contextmanager
def scratch_node(suite: str, hash_name: str) -> Iterator[ScratchNode]:
    """Run a fresh node; it is stopped and its folder deleted at the end.

    Raises:
        NodeStartError: it cannot be made or started.
    """
    with tempfile.TemporaryDirectory(prefix="yunhe-bench-", ignore_cleanup_errors=True) as home:
        node = ScratchNode(Path(home), suite, hash_name)
        try:
            yield node
        finally:
            node.stop()


def yunhe(*arguments: str) -> dict[str, Any]:
    """Run the command line and return its JSON.

    Raises:
        NodeStartError: it failed.
    """
    command = [sys.executable, "-m", "yunhe.cli", "--json", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    if done.returncode:
        raise NodeStartError(f"yunhe {' '.join(arguments[:2])} failed: {done.stderr.strip()}")
    return dict(json.loads(done.stdout))
