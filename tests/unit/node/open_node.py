"""A node in the test's own process, opened on a folder; its engine takes envelopes and delivers none before the test starts it."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from yunhe.crypto import PrivateKey
from yunhe.ledger.codec import Value
from yunhe.ledger.genesis import FoundingMember
from yunhe.ledger.transaction import Call, Signer, Transaction, TransactionBody, sign_transaction
from yunhe.node import NewNetwork, Node, NodeConfig, NodeFolder, make_node_folder
from yunhe.node.node import clock_ms

SUITE = "ed25519-sha256"
ADMIN = PrivateKey(SUITE, bytes([7]) * 32)
DEADLINE_S = 20


def make_folder(path: Path, *, thresholds: Mapping[str, str] | None = None, parameters: Mapping[str, int] | None = None) -> NodeFolder:
    """Make the folder of a network of one organisation with one admin."""
    return make_node_folder(
        path,
        config=NodeConfig("port", "node1"),
        title="Port",
        admins=[FoundingMember("admin", ("admin",), (ADMIN.public_key,))],
        network=NewNetwork("test", clock_ms(), "3.11", thresholds=thresholds or {}, parameters=parameters or {}),
    )


def transaction(
    node: Node, action: str = "none", /, *, contract: str = "registry", salt: int = 0, sender: str = "port", **arguments: Value
) -> Transaction:
    """Sign a transaction of an organisation's admin; the admins of all have the same key."""
    signer = Signer(sender, "admin", SUITE, ADMIN.public_key.raw)
    valid_until_ms = node.clock() + 60_000
    body = TransactionBody(
        node.network_id, (signer,), (Call(contract, action, arguments),), valid_until_ms, 20_000_000, salt.to_bytes(16, "big")
    )
    return sign_transaction(body, [ADMIN], node.genesis.chain_hash)


def run_node(folder: NodeFolder, body: Callable[[Node], Awaitable[None]], clock: Callable[[], int] = clock_ms) -> None:
    """Open a node, run a test with it, and stop it."""

    async def run() -> None:
        node = Node(folder, clock)
        try:
            await body(node)
        finally:
            await node.stop()

    asyncio.run(run())
