"""What a node certifies when the certifiers change, and that the ledger goes on when it cannot."""

import asyncio
from pathlib import Path

import pytest

from tests.unit.node.open_node import ADMIN, DEADLINE_S, make_folder, run_node, transaction
from yunhe.crypto import PrivateKey, PublicKey
from yunhe.errors import NotACertifierError
from yunhe.ledger.codec import Value
from yunhe.ledger.transaction import Transaction
from yunhe.node import Node, NodeFolder, ProofSubjectRequest
from yunhe.verifier import verify

ADMIN_RECORD = ProofSubjectRequest.of_record("registry", "members", ("port", "admin"))


async def vote(node: Node, action: str, salt: int, sender: str = "port", **arguments: Value) -> None:
    """Propose something; the one vote decides, unless there is a bank."""
    assert await call(node, transaction(node, action, contract="governance", salt=salt, sender=sender, **arguments)) == "OK"


async def call(node: Node, sent: Transaction) -> str:
    """Return the code of a transaction's receipt."""
    (future,) = node.submit([sent])
    return (await asyncio.wait_for(future, DEADLINE_S)).receipt.outcome.code


async def certify_with(node: Node, key: PublicKey, salt: int, power: int = 1, organisation: str = "port") -> None:
    certifier: dict[str, Value] = {"organisation": organisation, "suite": key.suite, "public_key": key.raw, "power": power}
    await vote(node, "propose_certifier", salt, **certifier)


async def make_block(node: Node, salt: int) -> None:
    """Make a block that changes nothing: the set that a block names counts from the next one on (LED-041)."""
    assert await call(node, transaction(node, salt=salt)) == "ACTION_NOT_FOUND"


def own_key(folder: NodeFolder) -> PublicKey:
    _, ledger_key = folder.load_keys()
    return ledger_key.public_key


def test_proof_leads_over_changes_that_the_node_certified(tmp_path: Path) -> None:
    """PRF-012 accepted."""
    folder = make_folder(tmp_path / "node")

    async def change_twice(node: Node) -> None:
        node.start()
        for power in (2, 3):
            await certify_with(node, own_key(folder), power, power)
        await make_block(node, 4)
        proof = verify(node.certification.prove([ADMIN_RECORD], None), folder.genesis.to_json().encode())
        assert [certificate.total_power for certificate in proof.certificates] == [1, 2, 3]

    run_node(folder, change_twice)


def test_changes_that_the_node_cannot_certify_do_not_halt_it(tmp_path: Path) -> None:
    """PRF-012 refused: the ledger goes on, also after a restart; what cannot be proven any more is refused by name."""
    folder = make_folder(tmp_path / "node")

    async def take_the_key_away(node: Node) -> None:
        node.start()
        for salt in (1, 2):
            await certify_with(node, PrivateKey.generate().public_key, salt)
        assert node.status().state == "running"

    async def give_it_back(node: Node) -> None:
        node.start()
        await certify_with(node, own_key(folder), 3)
        await certify_with(node, own_key(folder), 4, power=2)
        assert node.head().height == 4
        with pytest.raises(NotACertifierError, match="changed before"):
            node.certification.prove([ADMIN_RECORD], None)

    run_node(folder, take_the_key_away)
    run_node(folder, give_it_back)


def test_node_without_enough_power_proves_nothing_alone(tmp_path: Path) -> None:
    """PRF-002 refused: a bundle that every verifier would refuse is not made; two thirds are not more than two thirds."""
    folder = make_folder(tmp_path / "node")

    async def share_power(node: Node) -> None:
        node.start()
        key = ADMIN.public_key
        await certify_with(node, own_key(folder), 1, power=2)
        await vote(node, "propose_admission", 2, organisation="bank", title="Bank", admin="admin", suite=key.suite, public_key=key.raw)
        await certify_with(node, key, 3, organisation="bank")
        await vote(node, "vote", 4, sender="bank", proposal_id=3, approve=True)
        await make_block(node, 5)
        with pytest.raises(NotACertifierError, match="power 2 of 3"):
            node.certification.prove([ADMIN_RECORD], None)
        assert node.certification.newest_note().count(b"\n") == 5

    run_node(folder, share_power)
