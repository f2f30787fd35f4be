"""Events over HTTP: pages and streams of a real node."""

import json
import signal
import socket
import subprocess
import sys
import threading
from itertools import islice
from pathlib import Path

import httpx
import pytest

from tests.e2e.node_process import DEADLINE_S, NodeProcess, wait_until, yunhe, yunhe_json
from tests.unit.node.webhooks.receiver import receiving
from yunhe.errors import CursorError
from yunhe.limits import EVENT_STREAMS_MAX

LEDGER = """
from yunhe.contracts import Context, Event, Record, Table, action, emit


class Note(Record):
    name: str
    count: int


class Noted(Event):
    name: str
    count: int


notes: Table[Note] = Table(key="name")


@action
def note(ctx: Context, name: str, times: int) -> None:
    for number in range(times):
        emit(Noted(name=name, count=number))
"""


@pytest.fixture(scope="module")
def node(shared_node: NodeProcess) -> NodeProcess:
    shared_node.deploy("notes", LEDGER)
    return shared_node


def note(node: NodeProcess, name: str, times: int = 1) -> int:
    with node.client() as client:
        height = client.call(node.founder, "notes", "note", name=name, times=times).height
    assert height is not None
    return height


def test_pages_and_stream_show_the_same_events_to_the_filter_that_asks(node: NodeProcess) -> None:
    """EVT-001, EVT-003, EVT-004."""
    height = note(node, "a", 3)
    note(node, "b")
    with node.client() as client:
        paged = list(client.events("notes", "Noted", {"name": "a"}, from_height=height))
        assert [(event["id"], event["fields"]) for event in paged] == [(f"{height}.0.{i}", {"name": "a", "count": i}) for i in range(3)]
        assert list(islice(client.follow("notes", "Noted", {"name": "a"}, from_height=height), 3)) == paged
        assert list(islice(client.follow("notes", where={"name": "a"}, after=paged[0]["id"]), 2)) == paged[1:]
        assert list(client.events("notes", after=paged[-1]["id"], where={"name": "a"})) == []


def test_stream_without_a_place_begins_with_the_next_block(node: NodeProcess) -> None:
    """EVT-001: an event is told of when its block is durable."""
    note(node, "before")
    told: list[dict] = []
    begun = threading.Event()

    def listen() -> None:
        with httpx.stream("GET", f"{node.address}/v1/events/stream", headers=_token(node), timeout=DEADLINE_S) as answer:
            assert answer.headers["content-type"].startswith("text/event-stream")
            for line in answer.iter_lines():
                begun.set()
                if line.startswith("data: "):
                    told.append(json.loads(line[6:]))
                    return

    listener = threading.Thread(target=listen)
    listener.start()
    assert begun.wait(DEADLINE_S)
    height = note(node, "after")
    listener.join(DEADLINE_S)
    assert [(event["height"], event["fields"]["name"]) for event in told] == [(height, "after")]


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/v1/events?cursor=1.2", {}),
        ("/v1/events?cursor=zero", {}),
        ("/v1/events?where=[1]", {}),
        ("/v1/events?where={", {}),
        ("/v1/events?where=" + "[" * 5000, {}),
        ('/v1/events?where={"a": 1.5}', {}),
        ('/v1/events?where={"a": [1]}', {}),
        ("/v1/events?where=" + json.dumps({f"f{i}": 0 for i in range(9)}), {}),
        ("/v1/events?from_height=-1", {}),
        ("/v1/events?contract=No", {}),
        ("/v1/events?limit=0", {}),
        ("/v1/events/stream", {"Last-Event-ID": "soon"}),
        ("/v1/events/stream?from_height=x", {}),
    ],
)
def test_request_of_another_form_is_refused(node: NodeProcess, path: str, headers: dict[str, str]) -> None:
    """EVT-003, EVT-004 refused; API-001."""
    answer = httpx.get(node.address + path, headers=_token(node) | headers)
    assert answer.status_code == 400
    assert answer.json()["code"] in ("CURSOR_INVALID", "MALFORMED", "REQUEST_INVALID")


def test_event_of_a_later_place_than_there_is_gives_none(node: NodeProcess) -> None:
    with node.client() as client:
        assert list(client.events(from_height=10**12)) == []
        with pytest.raises(CursorError):
            list(client.events(after="1.0"))


def test_command_line_lists_and_follows(node: NodeProcess) -> None:
    height = note(node, "cli", 2)
    common = ("--folder", str(node.folder))
    listed = yunhe("--json", "query", "events", "notes", "Noted", "--where", "name=cli", "--where", "count=int:1", *common)
    assert [event["id"] for event in json.loads(listed.stdout)] == [f"{height}.0.1"]
    command = [sys.executable, "-m", "yunhe.cli", "--json", "query", "events", "notes", "--from-height", str(height), "--follow", *common]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as following:
        assert following.stdout is not None
        lines = [json.loads(following.stdout.readline()) for _ in range(2)]
        following.send_signal(signal.SIGINT)
        assert following.wait(DEADLINE_S) == 130
    assert [line["id"] for line in lines] == [f"{height}.0.0", f"{height}.0.1"]


def test_one_stream_too_many_is_refused_and_places_come_back(own_node: NodeProcess) -> None:
    """EVT-005."""
    host, port = own_node.address.removeprefix("http://").split(":")
    request = f"GET /v1/events/stream HTTP/1.1\r\nHost: node\r\nAuthorization: Bearer {own_node.token}\r\n\r\n".encode()
    listeners = [socket.create_connection((host, int(port)), timeout=DEADLINE_S) for _ in range(EVENT_STREAMS_MAX)]
    for listener in listeners:
        listener.sendall(request)
    for listener in listeners:
        assert b"200 OK" in listener.recv(4096)
    refused = httpx.get(f"{own_node.address}/v1/events/stream", headers=_token(own_node))
    assert (refused.status_code, refused.json()["code"]) == (503, "OVERLOADED")
    assert "Retry-After" in refused.headers
    for listener in listeners:
        listener.close()

    def opened() -> bool:
        with httpx.stream("GET", f"{own_node.address}/v1/events/stream", headers=_token(own_node)) as answer:
            return answer.status_code == 200

    wait_until(opened, "a free place")


def test_stream_ends_when_the_node_stops(own_node: NodeProcess) -> None:
    """EVT-006; EVT-005 accepted."""
    with httpx.stream("GET", f"{own_node.address}/v1/events/stream", headers=_token(own_node), timeout=DEADLINE_S) as answer:
        lines = answer.iter_lines()
        next(lines)
        stopping = threading.Thread(target=own_node.stop)
        stopping.start()
        assert [line for line in lines if line.startswith("data")] == []
        stopping.join(DEADLINE_S)
    assert own_node.process is None


def test_command_line_looks_after_webhooks(tmp_path: Path) -> None:
    """EVT-010 to EVT-012, by a node whose configuration allows a receiver on this machine."""
    node = NodeProcess(tmp_path)
    settings = node.folder / "node.toml"
    settings.write_text(settings.read_text().replace("webhook_private_targets = false", "webhook_private_targets = true"))
    node.start()
    try:
        common = ("--folder", str(node.folder))
        with receiving() as receiver:
            added = yunhe_json("webhook", "add", receiver.url, "--contract", "notes", "--where", "name=hook", *common)
            receiver.secret = added["secret"]
            node.deploy("notes", LEDGER)
            note(node, "other")
            height = note(node, "hook", 2)
            wait_until(lambda: len(receiver.confirmed) == 2, "delivery")
            assert receiver.confirmed == [f"{height}.0.0", f"{height}.0.1"]
        with node.client() as client:
            (shown,) = client.webhooks.all()
            assert shown["id"] == added["id"]
            assert "secret" not in shown
            assert list(client.webhooks.dead_letters(added["id"])) == []
            assert list(client.webhooks.dead_letters(added["id"], again=True, limit=1)) == []
            assert [client.webhooks.all("notes", "running"), client.webhooks.all("other"), client.webhooks.all(state="halted")] == [
                [shown],
                [],
                [],
            ]
        assert yunhe_json("webhook", "retry", added["id"], *common) == {"count": 0}
        assert yunhe("webhook", "dead", added["id"], "--not-again", "--limit", "5", *common).returncode == 0
        assert added["id"] in yunhe("webhook", "list", "--contract", "notes", "--state", "running", *common).stdout
        assert yunhe_json("webhook", "remove", added["id"], *common) == {"removed": added["id"]}
        again = yunhe("webhook", "remove", added["id"], *common)
        assert (again.returncode, again.stderr.split(":")[0]) == (1, "WEBHOOK_NOT_FOUND")
    finally:
        node.close()


def test_webhook_to_this_machine_is_refused(node: NodeProcess) -> None:
    """EVT-014 refused."""
    refused = yunhe("webhook", "add", "https://localhost/x", "--folder", str(node.folder))
    assert (refused.returncode, refused.stderr.split(":")[0]) == (1, "WEBHOOK_TARGET_REFUSED")


def _token(node: NodeProcess) -> dict[str, str]:
    return {"Authorization": f"Bearer {node.token}"}
