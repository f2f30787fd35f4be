"""Webhooks of a node that is killed at random moments: nothing is lost, and what comes twice has the same identifier."""

import random
import threading
from contextlib import suppress
from pathlib import Path

from tests.e2e.node_process import NodeProcess, wait_until
from tests.e2e.test_events import LEDGER
from tests.unit.node.webhooks.receiver import receiving
from yunhe.errors import YunheError
from yunhe.sdk import Call

KILLS = 3
SEED = 20261127


class Writer(threading.Thread):
    """Has notes taken until it is told to stop, over every death of the node."""

    def __init__(self, node: NodeProcess) -> None:
        super().__init__()
        self.node = node
        self.done = threading.Event()

    def run(self) -> None:
        while not self.done.is_set():
            with suppress(YunheError), self.node.client(timeout_s=2) as client:
                while not self.done.is_set():
                    calls = [Call("notes", "note", {"name": "n", "times": 2})]
                    client.submit_batch([client.build([self.node.founder], calls) for _ in range(5)])
            self.done.wait(0.02)


def test_node_killed_at_random_moments_delivers_every_event_in_order(tmp_path: Path) -> None:
    """EVT-010: the receiver confirms, or refuses, or the node dies in between."""
    generator = random.Random(SEED)
    node = NodeProcess(tmp_path)
    settings = node.folder / "node.toml"
    settings.write_text(settings.read_text().replace("webhook_private_targets = false", "webhook_private_targets = true"))
    node.start()
    try:
        node.deploy("notes", LEDGER)
        with receiving() as receiver:
            with node.client() as client:
                receiver.secret = client.webhooks.add(receiver.url, "notes", from_height=0)["secret"]
            for _ in range(KILLS):
                writer = Writer(node)
                writer.start()
                before = len(receiver.confirmed)
                wait_until(lambda before=before: len(receiver.confirmed) > before + generator.randrange(12), "deliveries")
                node.kill()
                writer.done.set()
                writer.join()
                node.start()
            with node.client() as client:
                expected = [event["id"] for event in client.events("notes")]
            wait_until(lambda: set(expected) <= set(receiver.confirmed), "delivery of all")
            assert len(expected) > 5 * KILLS
            assert list(dict.fromkeys(receiver.confirmed)) == expected
            # Only the event in hand is sent again.
            assert len(receiver.confirmed) <= len(expected) + KILLS
    finally:
        node.close()
