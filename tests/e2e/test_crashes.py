"""Kill -9 of node and worker under load: what was acknowledged is there, nothing twice, and the state is a replay's."""

import os
import random
import signal
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from tests.e2e.node_process import FLAVOURS, NodeProcess, wait_until, yunhe, yunhe_json
from yunhe.errors import YunheError
from yunhe.sdk import Call, Submitted

COUNTERS = (Path(__file__).parent / "counters.py").read_text()
SEED = 20261124


class Writer(threading.Thread):
    """Submits batches and remembers what was acknowledged, until it is told to stop."""

    def __init__(self, node: NodeProcess, name: str) -> None:
        super().__init__()
        self.node, self.counter = node, name
        self.acknowledged: dict[bytes, Submitted] = {}
        self.sent = 0
        self.done = threading.Event()

    def run(self) -> None:
        while not self.done.is_set():
            with suppress(YunheError), self.node.client(timeout_s=5) as client:
                while not self.done.is_set():
                    batch = [
                        client.build([self.node.founder], [Call("counters", "add", {"name": self.counter, "amount": 1})]) for _ in range(20)
                    ]
                    self.sent += len(batch)
                    for submitted in client.submit_batch(batch):
                        if submitted.status == "committed":
                            self.acknowledged[submitted.transaction_id] = submitted
            self.done.wait(0.02)


def crash_often(node: NodeProcess, times: int, victim: str) -> None:
    generator = random.Random(SEED + len(victim))
    node.deploy("counters", COUNTERS)
    acknowledged: dict[bytes, Submitted] = {}
    for round_ in range(times):
        writer = Writer(node, f"c{round_}")
        writer.start()
        wait_until(lambda writer=writer: writer.acknowledged, "a first acknowledged transaction")
        threading.Event().wait(generator.random() * 0.3)
        if victim == "node":
            node.kill()
            writer.done.set()
            writer.join()
            node.start()
        else:
            for pid in node.workers():
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            before = len(writer.acknowledged)
            wait_until(lambda writer=writer, before=before: len(writer.acknowledged) > before + 40, "work after the worker's death")
            writer.done.set()
            writer.join()
        acknowledged |= writer.acknowledged
        with node.client() as client:
            value = client.view("counters", "value", name=f"c{round_}")
            # Every acknowledged one counts once; some of the others may have been committed unheard.
            assert len(writer.acknowledged) <= value <= writer.sent
    with node.client() as client:
        for transaction_id, submitted in acknowledged.items():
            again = client.receipt(transaction_id)
            assert (again["height"], again["position"], again["receipt"]) == (submitted.height, submitted.position, submitted.receipt)
    node.stop()
    report = yunhe_json("node", "check", str(node.folder), "--replay")
    assert report["height"] > 0


@pytest.mark.timeout(300)
@pytest.mark.parametrize("own_node", FLAVOURS, indirect=True)
def test_node_killed_at_random_moments_loses_and_doubles_nothing(own_node):
    """Ten times here, half of them with national cryptography; a hundred of each in the long form."""
    crash_often(own_node, 5, "node")


@pytest.mark.timeout(300)
@pytest.mark.parametrize("own_node", FLAVOURS, indirect=True)
def test_worker_killed_at_random_moments_loses_and_doubles_nothing(own_node):
    """LED-024: a local fault is no receipt; the block is run again."""
    crash_often(own_node, 5, "worker")


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("own_node", FLAVOURS, indirect=True)
@pytest.mark.parametrize("victim", ["node", "worker"])
def test_killed_a_hundred_times_loses_and_doubles_nothing(own_node, victim):
    crash_often(own_node, 100, victim)


@pytest.mark.parametrize("own_node", FLAVOURS, indirect=True)
def test_transaction_submitted_before_a_restart_is_executed_once(own_node):
    """LED-011 across a restart."""
    own_node.deploy("counters", COUNTERS)
    with own_node.client() as client:
        transaction = client.build([own_node.founder], [Call("counters", "add", {"name": "once", "amount": 1})])
        first = client.submit(transaction)
    own_node.stop()
    own_node.start()
    with own_node.client() as client:
        assert client.submit(transaction) == first
        assert client.view("counters", "value", name="once") == 1


@pytest.mark.parametrize("own_node", FLAVOURS, indirect=True)
def test_one_altered_byte_of_the_block_log_is_refused_by_name(own_node):
    own_node.deploy("counters", COUNTERS)
    own_node.stop()
    (segment,) = sorted((own_node.folder / "store" / "blocks").iterdir())
    data = segment.read_bytes()
    generator = random.Random(SEED)
    for position in [*generator.sample(range(len(data)), 10), 0, len(data) - 1]:
        altered = bytearray(data)
        altered[position] ^= 1 << generator.randrange(8)
        segment.write_bytes(altered)
        refused = yunhe("--json", "node", "check", str(own_node.folder))
        assert refused.returncode == 4, (position, refused.stdout)
        assert '"code"' in refused.stderr
    segment.write_bytes(data)
    assert yunhe_json("node", "check", str(own_node.folder))["height"] >= 2
    own_node.start()
