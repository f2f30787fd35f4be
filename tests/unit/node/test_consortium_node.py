"""Nodes on the engine between organisations: real processes, one validator and four."""

import asyncio
import os
import shutil
import signal
from pathlib import Path

import pytest

from tests.unit.node.consortium_nodes import code, make_folders, run_nodes, until
from yunhe.errors import InvalidConfigurationError
from yunhe.node import Node, NodeFolder, ProofSubjectRequest
from yunhe.node.node import check_ledger
from yunhe.verifier import verify

EFFECT = "ACTION_NOT_FOUND"


def test_node_with_one_validator_commits_and_proves_and_goes_on_when_its_engine_is_killed(tmp_path: Path) -> None:
    """ABC-011 accepted."""
    (folder,), (admin,) = make_folders(tmp_path / "network", ("port",))

    async def body(nodes: list[Node]) -> None:
        (node,) = nodes
        assert await code(node, admin.call(node, 1)) == EFFECT
        first = node.engine_health().pid
        assert first is not None
        os.kill(first, signal.SIGKILL)
        sent = admin.call(node, 2)
        assert await code(node, sent) == EFFECT
        proof = verify(node.certification.prove([ProofSubjectRequest("transaction", sent.id)], None), folder.genesis.to_json().encode())
        assert proof.certificates[-1].total_power == 1

    run_nodes([folder], body)

    async def again(nodes: list[Node]) -> None:
        (node,) = nodes
        assert node.head().height == 2
        assert await code(node, admin.call(node, 3)) == EFFECT

    run_nodes([NodeFolder.load(folder.path)], again)


def test_four_nodes_agree_and_each_proves_with_more_than_two_thirds_of_the_power(tmp_path: Path) -> None:
    """CER-001, CER-002 and CER-003 accepted; certificates come from the votes on the next block, which is made though it is empty."""
    names = ("bank", "carrier", "customs", "port")
    folders, admins = make_folders(tmp_path / "network", names)

    async def body(nodes: list[Node]) -> None:
        sent = [admin.call(node, salt) for salt, (node, admin) in enumerate(zip(nodes, admins, strict=True))]
        assert [await code(node, one) for node, one in zip(nodes, sent, strict=True)] == [EFFECT] * 4
        await until(lambda: len({node.head().height for node in nodes}) == 1)
        head = nodes[0].head().height
        for node in nodes:
            await until(lambda node=node: node.certification.certified_height() == head)
        roots = {node.store.log_root() for node in nodes}
        assert len(roots) == 1
        genesis = folders[0].genesis.to_json().encode()
        for node, one in zip(nodes, reversed(sent), strict=True):
            proof = verify(node.certification.prove([ProofSubjectRequest("receipt", one.id)], None), genesis)
            assert 3 * proof.certificates[-1].power > 2 * 4

    run_nodes(folders, body)
    for position, damage in enumerate((None, None, b"no certificate", bytes(40))):
        path = folders[position].path / "store/certificates/newest.certificate"
        if damage is not None:
            path.write_bytes(damage)

    async def again() -> None:
        """CER-004 accepted and refused: nobody else is there, and nothing is decided."""
        assert check_ledger(folders[0], lambda done, total: None, replay=False).remarks == ()
        for position, folder in enumerate(folders):
            node = Node(NodeFolder.load(folder.path))
            assert (node.certification.certified_height() == node.head().height) is (position < 2)
            await node.stop()

    asyncio.run(again())


def test_certificate_of_a_longer_log_is_passed_over(tmp_path: Path) -> None:
    """CER-004 refused: a node that was set back catches up, and its votes bring another."""
    (folder,), (admin,) = make_folders(tmp_path / "network", ("port",))
    store = folder.path / "store"
    shutil.copytree(store, tmp_path / "before")

    async def body(nodes: list[Node]) -> None:
        assert await code(nodes[0], admin.call(nodes[0], 1)) == EFFECT
        await until((store / "certificates/newest.certificate").is_file)

    run_nodes([folder], body)
    shutil.copytree(store / "certificates", tmp_path / "before/certificates", dirs_exist_ok=True)
    shutil.rmtree(store)
    shutil.copytree(tmp_path / "before", store)

    async def again() -> None:
        node = Node(NodeFolder.load(folder.path))
        assert (node.head().height, node.certification.certified_height()) == (0, -1)
        await node.stop()

    asyncio.run(again())


def test_ledger_between_organisations_is_not_decided_by_one_node_alone(tmp_path: Path) -> None:
    """ENG-001 refused: one node would go on without the others."""
    (folder,), _ = make_folders(tmp_path / "network", ("port",))
    alone = NodeFolder.load(folder.path, flags={"engine": "solo"})
    with pytest.raises(InvalidConfigurationError, match="in node\\.toml to 'cometbft'"):
        Node(alone)
