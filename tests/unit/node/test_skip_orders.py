"""A network whose nodes all fail at one transaction goes on by order; and the files of orders."""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.unit.ledger.test_skip_order import FIVE, ORDER, by_admins
from tests.unit.node.consortium_nodes import Admin, code, make_folders, run_nodes, until
from tests.unit.node.open_node import make_folder
from yunhe.contracts.worker.executor import WorkerExecutor
from yunhe.errors import SkipOrderInvalidError, WorkerFailedError
from yunhe.ledger.interfaces import BlockContext, Execution, StateReader
from yunhe.ledger.skip_order import SkipOrder
from yunhe.ledger.transaction import Signer, Transaction
from yunhe.node import Node, NodeFolder, ProofSubjectRequest
from yunhe.node.node import check_ledger
from yunhe.node.skip_orders import ORDERS_FOLDER, keep_order, kept_orders, order_text, read_order
from yunhe.verifier import verify

NAMES = ("bank", "carrier", "customs", "port")


def signed(order: SkipOrder, admins: Sequence[Admin]) -> SkipOrder:
    for admin in admins:
        order = order.signed(Signer(admin.organisation, "admin", admin.key.suite, admin.key.public_key.raw), admin.key)
    return order


def keep(folder: NodeFolder, order: SkipOrder) -> bool:
    with folder.open_store(lambda done, total: None) as store:
        return keep_order(folder, store, order)


@pytest.mark.timeout(180)
def test_network_that_no_node_can_bring_on_goes_on_by_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """LED-024, LED-060 to LED-063 accepted: all four halt, three admins sign, and every node makes the same block, for ever."""
    folders, admins = make_folders(tmp_path / "network", NAMES)
    stuck: list[bytes] = []
    execute = WorkerExecutor.execute

    def failing(self: WorkerExecutor, context: BlockContext, transactions: Sequence[Transaction], state: StateReader) -> Execution:
        if any(transaction.id in stuck for transaction in transactions):
            raise WorkerFailedError("the worker died, twice")
        return execute(self, context, transactions, state)

    monkeypatch.setattr(WorkerExecutor, "execute", failing)

    async def halt(nodes: list[Node]) -> None:
        assert await code(nodes[0], admins[0].call(nodes[0], 1)) == "ACTION_NOT_FOUND"
        sent = admins[0].call(nodes[0], 2)
        stuck.append(sent.id)
        nodes[0].submit([sent])
        await until(lambda: all(node.status().state == "halted" for node in nodes))
        assert f"BLOCK_STUCK: block 2 cannot be executed here, because of its transaction {sent.id.hex()}" in str(nodes[3].status().reason)
        assert {node.head().height for node in nodes} == {1}

    run_nodes(folders, halt)
    with folders[0].open_store(lambda done, total: None) as store:
        previous = store.head().hash(folders[0].genesis.chain_hash)
    order = SkipOrder(folders[0].genesis.network_id, 2, previous, stuck[0])
    with pytest.raises(SkipOrderInvalidError, match="2 of 4"):
        keep(folders[0], signed(order, admins[:2]))
    assert all(keep(folder, signed(order, admins[1:])) for folder in folders)

    async def go_on(nodes: list[Node]) -> None:
        await until(lambda: all(node.head().height == 2 for node in nodes))
        assert nodes[1].require_placed(stuck[0]).receipt.outcome.code == "SKIPPED_BY_ORDER"
        after = admins[2].call(nodes[2], 3)
        assert await code(nodes[2], after) == "ACTION_NOT_FOUND"
        await until(lambda: all(node.head().height == 3 for node in nodes))
        assert len({node.store.log_root() for node in nodes}) == 1
        await until(lambda: nodes[3].certification.certified_height() == 3)
        proof = nodes[3].certification.prove([ProofSubjectRequest("receipt", stuck[0])], None)
        assert "SKIPPED_BY_ORDER" in str(verify(proof, folders[0].genesis.to_json().encode()))

    run_nodes([NodeFolder.load(folder.path) for folder in folders], go_on)
    # Who runs the blocks again finds the order in the write set, whether there is a file or not.
    assert check_ledger(folders[0], lambda done, total: None, replay=True).blocks == 4
    with pytest.raises(SkipOrderInvalidError, match="made already"):
        keep(folders[0], signed(order, admins))


# --- Files ----------------------------------------------------------------------------------------------------------


def test_file_of_an_order_reads_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "order.json"
    path.write_text(order_text(by_admins(ORDER, *FIVE)))
    assert read_order(path) == by_admins(ORDER, *FIVE)


ALTERED = {
    "no JSON": lambda text: text[:-3],
    "something else": lambda text: "[]",
    "another format": lambda text: text.replace("yunhe-skip-order", "yunhe-order"),
    "another version": lambda text: text.replace('"version": 1', '"version": 2'),
    "a field too many": lambda text: json.dumps(json.loads(text) | {"reason": ""}),
    "a field of a signature too many": lambda text: text.replace('"member"', '"role": "", "member"'),
    "another height": lambda text: text.replace('"height": 7', '"height": 8'),
    "a height that is none": lambda text: text.replace('"height": 7', '"height": "7"'),
    "another transaction": lambda text: text.replace("02" * 32, "03" * 32),
    "letters in upper case": lambda text: text.replace(ORDER.previous.hex(), ORDER.previous.hex().upper()),
    "another signer": lambda text: text.replace('"bank"', '"bark"'),
}


@pytest.mark.parametrize("alter", ALTERED.values(), ids=ALTERED)
def test_file_that_was_altered_is_refused(tmp_path: Path, alter) -> None:
    """LED-061 refused, before a node is touched."""
    path = tmp_path / "order.json"
    text = order_text(by_admins(ORDER, *FIVE))
    path.write_text(alter(text))
    with pytest.raises(SkipOrderInvalidError):
        read_order(path)


def test_order_for_another_network_is_not_kept(tmp_path: Path) -> None:
    """LED-060 refused"""
    folder = make_folder(tmp_path / "node")
    with pytest.raises(SkipOrderInvalidError, match="is another one"):
        keep(folder, by_admins(ORDER, *FIVE))
    assert not (folder.path / ORDERS_FOLDER).exists()


def test_order_for_a_later_block_is_kept_and_checked_when_it_comes(tmp_path: Path) -> None:
    """LED-060: a node that catches up gets it before it is there; one that does not count halts it by name."""
    folder = make_folder(tmp_path / "node")
    order = by_admins(SkipOrder(folder.genesis.network_id, 5, bytes(32), bytes(32)), *FIVE)
    assert not keep(folder, order)
    assert kept_orders(folder.path, 4) == {5: [order]}
    assert kept_orders(folder.path, 5) == {}
    (next(iter((folder.path / ORDERS_FOLDER).iterdir()))).write_text("{}")

    async def open_it() -> None:
        with pytest.raises(SkipOrderInvalidError):
            Node(NodeFolder.load(folder.path))

    asyncio.run(open_it())
