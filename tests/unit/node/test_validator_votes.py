"""Validators change by vote on four nodes with real processes, which certify with national cryptography."""

import asyncio
from pathlib import Path

import pytest

from tests.unit.node.consortium_nodes import Admin, code, make_folders, run_nodes, until
from yunhe.consensus.cometbft.configuration import read_keys
from yunhe.ledger.layouts import read_certifiers, read_validators
from yunhe.node import Node, ProofSubjectRequest
from yunhe.node.engine_home import ENGINE_FOLDER
from yunhe.verifier import verify

NAMES = ("bank", "carrier", "customs", "port")


async def decide(nodes: list[Node], admins: list[Admin], salt: int, number: int, action: str, **arguments: object) -> None:
    """Let the first propose and the next two vote for it, each through its own node."""
    assert await code(nodes[0], admins[0].call(nodes[0], salt, action, "governance", **arguments)) == "OK"
    for position in (1, 2):
        vote = admins[position].call(nodes[position], salt, "vote", "governance", proposal_id=number, approve=True)
        assert await code(nodes[position], vote) == "OK"


def validators(node: Node) -> list[str]:
    return [validator.organisation for validator in read_validators(node.reader())]


@pytest.mark.timeout(180)
def test_validator_is_removed_and_added_again_and_proofs_lead_across_both(tmp_path: Path) -> None:
    """ABC-013 and SYS-031 accepted, CER-001, LED-041: the removed one follows and votes on nothing, then votes again."""
    folders, admins = make_folders(tmp_path / "network", NAMES, "sm2-sm3")
    ledger_key = folders[3].load_keys()[1].public_key
    engine_key, _ = read_keys(folders[3].path / ENGINE_FOLDER)

    async def body(nodes: list[Node]) -> None:
        sent = [admins[0].call(nodes[0], 100)]
        assert await code(nodes[0], sent[0]) == "ACTION_NOT_FOUND"
        await decide(nodes, admins, 1, 1, "propose_certifier_removal", organisation="port")
        await until(lambda: all(validators(node) == ["bank", "carrier", "customs"] for node in nodes))
        # The engines of three go on without the fourth, whose node follows, and takes transactions too.
        sent += [admins[0].call(nodes[0], 101), admins[3].call(nodes[3], 102)]
        assert await code(nodes[0], sent[1]) == await code(nodes[3], sent[2]) == "ACTION_NOT_FOUND"
        keys = {"suite": ledger_key.suite, "public_key": ledger_key.raw, "engine_key": engine_key.raw}
        await decide(nodes, admins, 2, 2, "propose_validator", organisation="port", power=1, **keys)
        await until(lambda: all(validators(node) == list(NAMES) for node in nodes))
        sent.append(admins[1].call(nodes[1], 103))
        assert await code(nodes[1], sent[3]) == "ACTION_NOT_FOUND"
        genesis = folders[0].genesis.to_json().encode()
        await until(lambda: len({node.head().height for node in nodes}) == 1)
        head = nodes[0].head().height
        assert len({node.store.log_root() for node in nodes}) == 1
        for node in nodes:
            await until(lambda node=node: node.certification.certified_height() == head)
            for one in sent:
                proof = verify(node.certification.prove([ProofSubjectRequest("transaction", one.id)], None), genesis)
                assert [certificate.total_power for certificate in proof.certificates] == [4, 3, 4]
        assert read_certifiers(nodes[3].reader()).find("port") is not None
        # With it again the others are enough without one of them.
        await asyncio.gather(nodes[0].stop())
        assert await code(nodes[3], admins[3].call(nodes[3], 104)) == "ACTION_NOT_FOUND"

    run_nodes(folders, body)
