"""A real network of four organisations on this machine, driven through the command line and the SDK, for end-to-end tests."""

import copy
import os
import signal
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tests.e2e.node_process import DEADLINE_S, wait_until, yunhe, yunhe_json
from tests.kvstore_chain import program
from yunhe.network import NetworkFolder
from yunhe.network.look import look_at
from yunhe.node.node import clock_ms
from yunhe.sdk import Call, Client, MemberKey, Submitted, read_key_file
from yunhe.sdk.local_node import read_run_file

ORGANISATIONS = ("carrier", "bank", "port", "customs")
START_DEADLINE_S = 120.0
"""Of twelve processes that begin at once."""
ROLES = {"member": "admin", "roles": ["admin"], "status": "active"}
"""A call of the registry that changes the ledger and leaves everyone as they are."""


class LocalNetwork:
    """The folder of a network; its processes come and go."""

    def __init__(self, home: Path, organisations: tuple[str, ...] = ORGANISATIONS) -> None:
        program()
        self.folder = home / "network"
        self.organisations = organisations
        self._keys: dict[str, MemberKey] = {}
        ports = ("--api-port", "0", "--engine-port", "0")
        self.made = yunhe_json("network", "new", str(self.folder), "--orgs", ",".join(organisations), *ports)

    def without(self, organisation: str) -> "LocalNetwork":
        """Return the others, as a network of their own."""
        others = copy.copy(self)
        others.organisations = tuple(name for name in self.organisations if name != organisation)
        return others

    def start(self) -> dict[str, Any]:
        try:
            return yunhe_json("network", "start", str(self.folder), timeout_s=START_DEADLINE_S)
        except BaseException:
            # Nobody else would end what runs already.
            self.close()
            raise

    def stop(self) -> dict[str, Any]:
        return yunhe_json("network", "stop", str(self.folder))

    def close(self) -> None:
        """End all processes, if there are some."""
        yunhe("network", "stop", str(self.folder))

    def status(self) -> dict[str, dict[str, Any]]:
        """Return how the nodes are, by organisation: what `yunhe network status` shows, without a process for each look."""
        return {look.organisation: asdict(look) for look in look_at(NetworkFolder.load(self.folder), clock_ms())}

    def node(self, organisation: str) -> Path:
        return self.folder / "nodes" / organisation

    def key(self, organisation: str) -> MemberKey:
        """Return an admin's key; a key file takes long to open, on purpose, so it is opened once."""
        if organisation not in self._keys:
            passphrase = (self.folder / "secrets" / "passphrase").read_text().strip()
            self._keys[organisation] = read_key_file(self.folder / "keys" / f"{organisation}.admin.pem").open(passphrase)
        return self._keys[organisation]

    def client(self, organisation: str, timeout_s: float = DEADLINE_S) -> Client:
        address = read_run_file(self.node(organisation))[1]
        return Client(address, (self.node(organisation) / "secrets" / "api-token").read_text().strip(), timeout_s=timeout_s)

    def transact(self, organisation: str, through: str | None = None) -> Submitted:
        """Let an organisation change the ledger through its own node or another's, and wait until it is committed."""
        with self.client(through or organisation) as client:
            return client.submit(client.build([self.key(organisation)], [Call("registry", "set_member", ROLES)]))

    def heads(self) -> dict[str, tuple[int, str]]:
        """Return height and state root of each node that runs."""
        heads = {}
        for organisation in self.organisations:
            with self.client(organisation) as client:
                height = client.status()["height"]
                heads[organisation] = (height, str(client.block(height)["header"]["state_root"]))
        return heads

    def await_agreement(self, height: int) -> None:
        """Wait until all nodes have reached a height with one state."""
        wait_until(lambda: all(at >= height for at, _ in self.heads().values()), f"height {height} at all nodes")
        wait_until(lambda: len(set(self.heads().values())) == 1, "one state at all nodes")

    def pid(self, organisation: str) -> int:
        return read_run_file(self.node(organisation))[0]

    def engine_pid(self, organisation: str) -> int:
        """Return the process of a node's engine."""
        for pid in _children(self.pid(organisation)):
            if Path(f"/proc/{pid}/comm").read_text().strip() == "cometbft":
                return pid
        raise AssertionError(f"the node of {organisation} has no engine")

    def worker_pids(self, organisation: str) -> list[int]:
        """Return the processes of a node's contract workers."""
        return [pid for pid in _children(self.pid(organisation)) if Path(f"/proc/{pid}/comm").read_text().strip() != "cometbft"]

    def kill(self, pid: int) -> None:
        os.kill(pid, signal.SIGKILL)


def _children(pid: int) -> list[int]:
    return [int(child) for path in Path(f"/proc/{pid}/task").glob("*/children") for child in path.read_text().split()]
