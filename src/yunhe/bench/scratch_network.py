"""A fresh network of several organisations, each with a node and an engine, in a scratch folder, made by the command line."""

import os
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from yunhe.bench.processes import family, process_name
from yunhe.bench.scratch_node import ScratchNode, yunhe
from yunhe.node import NodeFolder
from yunhe.sdk import Client, MemberKey, read_key_file
from yunhe.sdk.local_node import read_run_file

_ENGINE: Final = "cometbft"


class ScratchNetwork(ScratchNode):
    """A network that runs; the load goes to the first organisation's node."""

    def __init__(self, home: Path, organisations: int, suite: str, hash_name: str) -> None:
        """Make and start it.

        Raises:
            NodeStartError: it cannot be made or started.
        """
        self._network = home / "network"
        self.organisations = [f"org{number}" for number in range(1, organisations + 1)]
        self.folder = self._node(self.organisations[0])
        ports = ("--api-port", "0", "--engine-port", "0")
        options = ("--orgs", ",".join(self.organisations), "--suite", suite, "--chain-hash", hash_name)
        yunhe("network", "new", str(self._network), *options, *ports)
        self.key = self._key(self.organisations[0])
        self.start()

    def start(self) -> float:
        """Start the network and return how long it took until all nodes had the first block, seconds."""
        begun = time.monotonic()
        yunhe("network", "start", str(self._network))
        took_s = time.monotonic() - begun
        self.pid, self.address = read_run_file(self.folder)
        return took_s

    def stop(self) -> None:
        """Stop the network."""
        yunhe("network", "stop", str(self._network))

    def processes(self) -> dict[int, str]:
        """Return all processes of all nodes, each with whose and what it is."""
        found = {}
        for organisation in self.organisations:
            pid, _ = read_run_file(self._node(organisation))
            for child, name in family(pid).items():
                found[child] = f"{organisation} {'engine' if process_name(child) == _ENGINE else name}"
        return found

    def deploy(self, contract: str, source: str) -> None:
        """Deploy a contract by the votes of all."""
        with self.client() as client:
            code_hash = bytes.fromhex(client.call(self.key, "lifecycle", "submit", source=source).results[0][2:])
            number = int(client.call(self.key, "governance", "propose_deployment", contract=contract, code_hash=code_hash).results[0])
            for organisation in self.organisations[1:]:
                if client.view("governance", "proposal", proposal_id=number)["status"] == "open":
                    client.call(self._key(organisation), "governance", "vote", proposal_id=number, approve=True)

    def client(self) -> Client:
        """Return a client of the first node."""
        return Client(self.address, self.token, timeout_s=60)

    def kill(self, organisation: str) -> None:
        """End the node of an organisation as a power cut does; it is started again."""
        os.kill(read_run_file(self._node(organisation))[0], signal.SIGKILL)

    def height(self, organisation: str) -> int:
        """Return the height of an organisation's node.

        Raises:
            YunheError: it does not answer.
        """
        folder = self._node(organisation)
        with Client(read_run_file(folder)[1], NodeFolder.load(folder).token(), timeout_s=1) as client:
            return int(client.status()["height"])

    def _node(self, organisation: str) -> Path:
        return self._network / "nodes" / organisation

    def _key(self, organisation: str) -> MemberKey:
        passphrase = (self._network / "secrets" / "passphrase").read_text(encoding="ascii").strip()
        return read_key_file(self._network / "keys" / f"{organisation}.admin.pem").open(passphrase)


@contextmanager
def scratch_network(organisations: int, suite: str, hash_name: str) -> Iterator[ScratchNetwork]:
    """Run a fresh network; it is stopped and its folder deleted at the end.

    Raises:
        NodeStartError: it cannot be made or started.
    """
    with tempfile.TemporaryDirectory(prefix="yunhe-bench-", ignore_cleanup_errors=True) as home:
        network = ScratchNetwork(Path(home), organisations, suite, hash_name)
        try:
            yield network
        finally:
            network.stop()
