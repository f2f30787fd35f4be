"""Nodes of several organisations in the test's own process, each with a real CometBFT process beside it."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from tests.kvstore_chain import program
from tests.unit.node.open_node import DEADLINE_S
from yunhe.crypto import PrivateKey
from yunhe.ledger.codec import Value
from yunhe.ledger.transaction import Call, Signer, Transaction, TransactionBody, sign_transaction
from yunhe.network import NetworkFolder, NetworkPlan, make_network
from yunhe.node import NewNetwork, Node, NodeFolder
from yunhe.node.node import clock_ms

SUITE = "ed25519-sha256"


@dataclass(frozen=True, slots=True)
class Admin:
    """The admin of an organisation."""

    organisation: str
    key: PrivateKey

    def call(self, node: Node, salt: int, action: str = "none", contract: str = "registry", /, **arguments: Value) -> Transaction:
        """Sign a transaction; by default one whose receipt is `ACTION_NOT_FOUND`."""
        signer = Signer(self.organisation, "admin", self.key.suite, self.key.public_key.raw)
        calls = (Call(contract, action, arguments),)
        body = TransactionBody(node.network_id, (signer,), calls, clock_ms() + 60_000, 20_000_000, salt.to_bytes(16, "big"))
        return sign_transaction(body, [self.key], node.genesis.chain_hash)


def make_folders(path: Path, organisations: tuple[str, ...], suite: str = SUITE) -> tuple[list[NodeFolder], list[Admin]]:
    """Make a network; ports are what the system chooses."""
    program()
    network = make_network(path, NetworkPlan(organisations, NewNetwork("test", clock_ms(), "3.11", (suite,)), 0, 0))
    return [NodeFolder.load(node.folder) for node in network.nodes], [_admin(network, name) for name in organisations]


def _admin(network: NetworkFolder, organisation: str) -> Admin:
    passphrase = network.passphrase.read_bytes().strip()
    return Admin(organisation, PrivateKey.from_pem(network.admin_key(organisation).read_bytes(), passphrase))


def run_nodes(folders: list[NodeFolder], body: Callable[[list[Node]], Awaitable[None]]) -> None:
    """Open and start nodes, run a test with them, and stop them."""

    async def run() -> None:
        nodes = [Node(folder) for folder in folders]
        try:
            for node in nodes:
                node.start()
            await body(nodes)
        finally:
            await asyncio.gather(*(node.stop() for node in nodes))

    asyncio.run(run())


async def until(condition: Callable[[], bool]) -> None:
    """Wait until a condition holds."""
    async with asyncio.timeout(DEADLINE_S):
        while not condition():  # noqa: ASYNC110  # of processes beside, which announce nothing
            await asyncio.sleep(0.02)


async def code(node: Node, sent: Transaction) -> str:
    """Submit a transaction and return the code of its receipt."""
    (future,) = node.submit([sent])
    return (await asyncio.wait_for(future, DEADLINE_S)).receipt.outcome.code
