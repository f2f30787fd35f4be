"""More load than a node takes, and kill -9 in the middle of it: API-004, API-005, API-008."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.node_process import NodeProcess, wait_until, yunhe_json
from tests.e2e.test_crashes import COUNTERS, Writer
from yunhe.sdk import Client

WAITING_MAX = 60
"""Transactions that can wait at the node: so few that some writers overload it on any machine."""
WRITERS = 8
SMALL = f"import yunhe.limits\n\nyunhe.limits.PENDING_TRANSACTIONS_MAX = {WAITING_MAX}\n"
"""What the node's process runs before anything else, as Python's `sitecustomize`."""


@pytest.fixture
def small_node(tmp_path: Path) -> Iterator[NodeProcess]:
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(SMALL)
    node = NodeProcess(tmp_path)
    yield start(node)
    node.close()


def start(node: NodeProcess) -> NodeProcess:
    """Start the node with its few places."""
    return node.start("env", f"PYTHONPATH={node.home / 'site'}")


def refused(node: NodeProcess) -> int:
    """Return how many transactions the node has refused since it was started."""
    with node.client() as client:
        return int(client.status()["transactions"]["refused"])


def kill_overloaded(node: NodeProcess, rounds: int) -> None:
    node.deploy("counters", COUNTERS)
    for round_ in range(rounds):
        writers = [Writer(node, f"r{round_}w{number}") for number in range(WRITERS)]
        for writer in writers:
            writer.start()
        wait_until(lambda: refused(node) > 0, "a refusal for too much load")
        wait_until(lambda writers=writers: any(writer.acknowledged for writer in writers), "an acknowledged transaction")
        node.kill()
        for writer in writers:
            writer.done.set()
        for writer in writers:
            writer.join()
        start(node)
        with node.client() as client:
            for writer in writers:
                check_acknowledged(client, writer)
    node.stop()
    assert yunhe_json("node", "check", str(node.folder), "--replay")["height"] > 0


def check_acknowledged(client: Client, writer: Writer) -> None:
    """Each acknowledged transaction of a writer has the place that it was told, and counts once."""
    places = {(submitted.height, submitted.position) for submitted in writer.acknowledged.values()}
    assert len(places) == len(writer.acknowledged)
    for transaction_id, submitted in writer.acknowledged.items():
        again = client.receipt(transaction_id)
        assert (again["height"], again["position"], again["receipt"]) == (submitted.height, submitted.position, submitted.receipt)
    if writer.acknowledged:
        assert len(writer.acknowledged) <= client.view("counters", "value", name=writer.counter) <= writer.sent


@pytest.mark.timeout(180)
def test_overloaded_node_that_is_killed_keeps_each_acknowledged_transaction_once(small_node: NodeProcess) -> None:
    kill_overloaded(small_node, 1)


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_overloaded_node_that_is_killed_twenty_times_keeps_each_acknowledged_transaction_once(small_node: NodeProcess) -> None:
    kill_overloaded(small_node, 20)
