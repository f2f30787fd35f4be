"""A node whose disk is full stops deciding by name, answers on, stops as asked, and starts again with everything that was acknowledged."""

import json
import resource
from pathlib import Path

import pytest

from tests.e2e.node_process import FLAVOURS, NodeProcess, wait_until, yunhe, yunhe_json
from yunhe.errors import YunheError
from yunhe.sdk import Call, Client, Submitted

COUNTERS = (Path(__file__).parent / "counters.py").read_text()


def limit_files(node: NodeProcess, size: int) -> None:
    """Let the kernel refuse what would make a file of the running node grow beyond a size, as a full disk does in the middle of a write."""
    assert node.process is not None
    _, hard = resource.prlimit(node.process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(node.process.pid, resource.RLIMIT_FSIZE, (size, hard))


def submit(node: NodeProcess, client: Client, acknowledged: dict[bytes, Submitted]) -> bool:
    """Submit a batch, remember what was acknowledged, and return whether everything was."""
    batch = [client.build([node.founder], [Call("counters", "add", {"name": "x", "amount": 1})]) for _ in range(5)]
    try:
        answers = client.submit_batch(batch)
    except YunheError:
        return False
    done = [answer for answer in answers if answer.status == "committed"]
    acknowledged.update({answer.transaction_id: answer for answer in done})
    return len(done) == len(batch)


ROOMS = {"no file may grow": None, "0": 0, "1": 1, "700": 700, "20000": 20_000}
"""Bytes by which the block log can still grow."""
CASES = [
    # National cryptography with one of the rooms here, with all of them in the long form.
    pytest.param(flavour, room, id=f"{flavour}, {name}", marks=[pytest.mark.long] if "SM2" in flavour and name != "700" else [])
    for flavour in FLAVOURS
    for name, room in ROOMS.items()
]


@pytest.mark.parametrize(("own_node", "room"), CASES, indirect=["own_node"])
def test_full_disk_halts_by_name_and_loses_nothing(own_node, room):
    """STO-009: refused from then on with the reason, wherever in the files of the store the room ends; nothing acknowledged is lost."""
    own_node.deploy("counters", COUNTERS)
    acknowledged: dict[bytes, Submitted] = {}
    (segment,) = (own_node.folder / "store" / "blocks").iterdir()
    with own_node.client() as client:
        assert submit(own_node, client, acknowledged)
        limit_files(own_node, 1 if room is None else segment.stat().st_size + room)
        wait_until(lambda: not submit(own_node, client, acknowledged), "the refusal")
        wait_until(lambda: client.status()["status"] == "halted", "the halt")
        assert "DISK_FULL" in client.status()["reason"]
        assert "make room" in client.status()["reason"]
        assert client.view("counters", "value", name="x") >= len(acknowledged)
    own_node.stop()
    own_node.start()
    with own_node.client() as client:
        for transaction_id, answer in acknowledged.items():
            again = client.receipt(transaction_id)
            assert (again["height"], again["position"], again["receipt"]) == (answer.height, answer.position, answer.receipt)
        assert submit(own_node, client, acknowledged)
    own_node.stop()
    assert yunhe_json("node", "check", str(own_node.folder), "--replay")["replayed"]


def test_start_on_a_full_disk_is_refused_by_name_and_harms_nothing(own_node):
    """STO-009 refused, then accepted when there is room."""
    own_node.stop()
    done = yunhe("--json", "node", "start", str(own_node.folder), "--port", "0", file_bytes_max=1)
    assert done.returncode == 3, (done.returncode, done.stderr)
    assert "Traceback" not in done.stderr
    assert json.loads(done.stderr.splitlines()[-1])["code"] in ("DISK_FULL", "DISK_FAILED")
    own_node.start()
    own_node.stop()
    assert yunhe_json("node", "check", str(own_node.folder))["height"] == 0
