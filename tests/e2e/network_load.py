"""Load on a real network, and what has to hold after it whatever was done to the network meanwhile."""

import threading
from collections.abc import Sequence

from tests.e2e.network_process import ROLES, LocalNetwork
from tests.e2e.node_process import wait_until
from yunhe.consensus.cometbft.rpc import ask_engine
from yunhe.errors import CertificatePendingError, EngineUnreachableError, NodeNotRunningError, NodeUnreachableError
from yunhe.sdk import Call, Submitted, prove_receipt, verify_proof

LOAD = 24
"""Transactions of a load, one after the other."""
CALL = Call("registry", "set_member", ROLES)


class Load(threading.Thread):
    """Transactions of one organisation through its own node, each when the one before it is committed."""

    def __init__(self, network: LocalNetwork, organisation: str, count: int = LOAD) -> None:
        super().__init__(daemon=True)
        self._network = network
        self.organisation = organisation
        self.count = count
        self.placed: list[Submitted] = []
        self.start()

    def run(self) -> None:
        key = self._network.key(self.organisation)
        with self._network.client(self.organisation, timeout_s=90) as client:
            for _ in range(self.count):
                self.placed.append(client.submit(client.build([key], [CALL])))

    def await_more(self, count: int) -> None:
        """Wait until so many more are committed, or all are."""
        reached = min(len(self.placed) + count, self.count)
        wait_until(lambda: len(self.placed) >= reached or not self.is_alive(), "a load that goes on")

    def finish(self) -> list[Submitted]:
        """Wait until all are committed and return them."""
        self.join(100)
        assert len(self.placed) == self.count, f"{len(self.placed)} of {self.count} transactions were acknowledged"
        return self.placed


def require_everywhere_once(network: LocalNetwork, placed: Sequence[Submitted], proved: int = -1) -> None:
    """Require that all nodes have the transactions, each at one height, one history with one state, and that each can prove one of them."""
    assert {one.code for one in placed} == {"OK"}
    assert len({one.transaction_id for one in placed}) == len(placed)
    network.await_agreement(max(one.height or 0 for one in placed))
    histories = []
    for organisation in network.organisations:
        with network.client(organisation) as client:
            for one in placed:
                assert client.receipt(one.transaction_id)["height"] == one.height
            histories.append(list(client.blocks(limit=10_000)))
    assert all(history == histories[0] for history in histories)
    require_proofs(network, placed[proved])


def require_proofs(network: LocalNetwork, placed: Submitted) -> None:
    """Require that every node proves a transaction to who has nothing but the genesis."""
    genesis = (network.folder / "genesis.json").read_bytes()
    for organisation in network.organisations:
        bundle = wait_until(
            lambda organisation=organisation: proof(network, organisation, placed), f"a proof of the node of {organisation}"
        )
        assert verify_proof(bundle, genesis).height == placed.height


def proof(network: LocalNetwork, organisation: str, placed: Submitted) -> bytes:
    """Return a node's proof of a receipt; nothing while the certificate is on its way."""
    with network.client(organisation) as client:
        try:
            return client.prove([prove_receipt(placed.transaction_id)])
        except CertificatePendingError:
            return b""


def await_connected(network: LocalNetwork, organisation: str, peers: int = 3) -> None:
    """Wait until a node answers and its engine has so many of its three peers."""

    def is_connected() -> bool:
        try:
            # The engine of a node that was killed lives on for a moment.
            with network.client(organisation, timeout_s=5) as client:
                client.status()
            return int(ask_engine(network.node(organisation) / "engine", "net_info")["n_peers"]) >= peers
        except (EngineUnreachableError, NodeNotRunningError, NodeUnreachableError):
            return False

    wait_until(is_connected, f"the node of {organisation} among its peers")
