"""A node at the first block of a voted version of the rules: it stops where its release does not know it, and goes on where it does."""

import asyncio
from pathlib import Path

import pytest

from tests.unit.ledger.test_protocol import SECOND, SECOND_REGISTRY, voted_hash
from tests.unit.node.open_node import DEADLINE_S, make_folder, run_node, transaction
from yunhe.errors import NodeHaltedError
from yunhe.ledger.protocol import RULES
from yunhe.node import Node
from yunhe.node.node import check_ledger

FIRST_BLOCK = 13
PROPOSAL = {"version": 2, "height": FIRST_BLOCK, "release": "0.2.0", "contracts_hash": voted_hash(registry=SECOND_REGISTRY)}


@pytest.mark.timeout(120)
def test_node_stops_before_the_first_block_of_unknown_rules_and_goes_on_with_a_release_that_knows_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """LED-051 refused, then LED-052 accepted: by the jailed workers, and again by whoever runs the blocks once more."""
    folder = make_folder(tmp_path / "node")

    async def code(node: Node, action: str, salt: int, contract: str = "governance", **arguments: object) -> str:
        (done,) = node.submit([transaction(node, action, contract=contract, salt=salt, **arguments)])
        return (await asyncio.wait_for(done, DEADLINE_S)).receipt.outcome.code

    async def reach(node: Node) -> None:
        node.start()
        assert await code(node, "propose_protocol", 1, **PROPOSAL) == "OK"
        for salt in range(2, FIRST_BLOCK):
            assert await code(node, "none", salt) == "ACTION_NOT_FOUND"
        assert node.head().height == FIRST_BLOCK - 1
        with pytest.raises(NodeHaltedError, match=r"PROTOCOL_UNKNOWN: from block 13 on .* install Yunhe 0\.2\.0"):
            await code(node, "none", FIRST_BLOCK)
        status = node.status()
        assert (status.state, status.height) == ("halted", FIRST_BLOCK - 1)
        # What is there is still answered.
        assert node.view("registry", "is_active", {"organisation": "port"})[1] is True

    run_node(folder, reach)

    async def go_on(node: Node) -> None:
        node.start()
        assert await code(node, "none", FIRST_BLOCK) == "ACTION_NOT_FOUND"
        assert node.view("registry", "version", {}) == (FIRST_BLOCK, 2)
        assert await code(node, "none", FIRST_BLOCK + 1) == "ACTION_NOT_FOUND"

    monkeypatch.setitem(RULES, 2, SECOND)
    run_node(folder, go_on)
    assert check_ledger(folder, lambda done, total: None, replay=True).blocks == FIRST_BLOCK + 2
