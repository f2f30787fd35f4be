"""Whoever answers at a node's address, and whatever that says: the client returns it, or raises our errors, and comes to an end."""

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from yunhe.crypto import PrivateKey
from yunhe.errors import BadAnswerError, MalformedError, YunheError
from yunhe.sdk import Call, Client, Member, MemberKey

STREAM = {"Content-Type": "text/event-stream"}
DEEP = b"[" * 100_000


class Stranger:
    """An HTTP server on the loopback that answers every request with the same."""

    def __init__(self) -> None:
        self.status, self.body, self.headers = 200, b"", dict[str, str]()
        stranger = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                self.send_response(stranger.status)
                for name, value in stranger.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(stranger.body)))
                self.end_headers()
                self.wfile.write(stranger.body)

            do_GET = do_POST = do_DELETE = answer  # noqa: N815  # as the library has them

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()
        self.address = f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture(scope="module")
def stranger() -> Iterator[Stranger]:
    server = Stranger()
    yield server
    server.close()


KEY = MemberKey(Member("carrier", "clerk"), PrivateKey.generate())
CALLS = [Call("counters", "add", {})]
with Client("http://127.0.0.1:1", network_id=bytes(32), hash_name="sha256") as unconnected:
    TRANSACTION = unconnected.build([KEY], CALLS)

METHODS: dict[str, Callable[[Client], Any]] = {
    "version": Client.version,
    "health": Client.health,
    "build": lambda client: client.build([KEY], CALLS),
    "chain hash": lambda client: client.chain_hash,
    "submit": lambda client: (client.submit(TRANSACTION).code, client.submit(TRANSACTION).results),
    "submit and not wait": lambda client: client.submit(TRANSACTION, wait=False).code,
    "submit a batch": lambda client: [(submitted.code, submitted.results) for submitted in client.submit_batch([TRANSACTION])],
    "call": lambda client: client.call(KEY, "counters", "add"),
    "receipt": lambda client: client.receipt(TRANSACTION.id),
    "blocks": lambda client: list(client.blocks()),
    "records": lambda client: list(client.records("counters", "counts", limit=3)),
    "events": lambda client: list(client.events(limit=3)),
    "follow": lambda client: next(client.follow()),
    "view": lambda client: client.view("counters", "value"),
    "simulate": lambda client: client.simulate([KEY.member], CALLS),
    "prove": lambda client: client.prove([]),
    "checkpoint": Client.checkpoint,
    "webhooks": lambda client: client.webhooks.all(),
    "new webhook": lambda client: client.webhooks.add("https://receiver.example"),
    "dead letters": lambda client: list(client.webhooks.dead_letters("1")),
    "dead letters again": lambda client: client.webhooks.try_again("1"),
}

ANSWERS: dict[str, tuple[int, bytes, dict[str, str]]] = {
    "nothing": (200, b"", {}),
    "null": (200, b"null", {}),
    "a list": (200, b"[]", {}),
    "an empty object": (200, b"{}", {}),
    "no text": (200, b"\xff", {}),
    "nested without end": (200, DEEP, {}),
    "a number of 5000 digits": (200, b'{"a": ' + b"9" * 5000 + b"}", {}),
    "a hash that is a number": (200, b'{"network_id": 1, "chain_hash": []}', {}),
    "a hash that is too short": (200, b'{"network_id": "00", "chain_hash": "md5"}', {}),
    "committed without a receipt": (200, b'{"status": "committed"}', {}),
    "a receipt that is a number": (200, b'{"status": "committed", "receipt": 5}', {}),
    "a receipt without a code": (200, b'{"status": "committed", "receipt": {"results": []}}', {}),
    "refused without a problem": (200, b'{"status": "refused", "problem": []}', {}),
    "results that are numbers": (200, b'{"results": [5]}', {}),
    "a result without a problem": (200, b'{"results": [{"status": "refused"}]}', {}),
    "items that are a number": (200, b'{"items": 5, "next": "x"}', {}),
    "no next page and more to come": (200, b'{"items": [], "complete": false}', {}),
    "the same page for ever": (200, b'{"items": [], "complete": false, "next": "x"}', {}),
    "a next page that is a number": (200, b'{"items": [1], "next": 5}', {}),
    "what is not the compression that it says": (200, b"garbage", {"Content-Encoding": "gzip"}),
    "a stream of numbers": (200, b"data: 5\n\n", STREAM),
    "a stream nested without end": (200, b"data: " + DEEP + b"\n\n", STREAM),
    "a stream in another compression": (200, b"garbage", STREAM | {"Content-Encoding": "gzip"}),
    "elsewhere": (302, b"", {"Location": "http://["}),
    "refused with nothing": (400, b"", {}),
    "refused with lists": (400, b'{"code": [], "detail": []}', {}),
    "refused, nested without end": (400, DEEP, {}),
    "broken": (500, b"oops", {}),
}


@pytest.mark.parametrize("answer", ANSWERS)
def test_whatever_is_answered_is_taken_or_refused_by_name(stranger: Stranger, answer: str) -> None:
    stranger.status, stranger.body, stranger.headers = ANSWERS[answer]
    for method, ask in METHODS.items():
        with Client(stranger.address, timeout_s=0.1) as client:
            try:
                ask(client)
            except YunheError:
                continue
            except Exception as error:  # noqa: BLE001  # which is what must not be
                pytest.fail(f"{method}: {error!r}")


@pytest.mark.parametrize(
    ("method", "answer"),
    [
        ("build", "a hash that is too short"),
        ("submit", "committed without a receipt"),
        ("submit", "a receipt without a code"),
        ("submit a batch", "a result without a problem"),
        ("events", "the same page for ever"),
        ("webhooks", "the same page for ever"),
        ("records", "a next page that is a number"),
        ("version", "what is not the compression that it says"),
        ("view", "nested without end"),
    ],
)
def test_what_no_node_answers_is_refused_as_such(stranger: Stranger, method: str, answer: str) -> None:
    stranger.status, stranger.body, stranger.headers = ANSWERS[answer]
    with Client(stranger.address, timeout_s=0.1) as client, pytest.raises(BadAnswerError):
        METHODS[method](client)


@pytest.mark.parametrize("method", ["webhooks", "dead letters", "records"])
def test_list_ends_where_a_node_says_so(stranger: Stranger, method: str) -> None:
    stranger.status, stranger.body, stranger.headers = 200, b'{"items": [{"id": "1"}], "next": null}', {}
    with Client(stranger.address, timeout_s=10.0) as client:
        assert METHODS[method](client) == [{"id": "1"}]


@pytest.mark.parametrize(
    "ask",
    [
        lambda client: client.record("\udcff", "counts", ["x"]),
        lambda client: client.record("counters", "a\x00b", ["x"]),
        lambda client: client.view("counters", "\x1f"),
        lambda client: client.webhooks.remove("\udcff"),
        lambda client: client.prove([{"kind": "\udcff"}]),
        lambda client: list(client.events("\udcff")),
        lambda client: next(client.follow("\udcff")),
        lambda client: next(client.follow(after="é")),
    ],
)
def test_text_that_no_request_can_carry_is_refused_and_not_sent(stranger: Stranger, ask: Callable[[Client], Any]) -> None:
    stranger.status, stranger.body, stranger.headers = 200, b"{}", {}
    with Client(stranger.address, timeout_s=0.1) as client, pytest.raises(MalformedError, match="cannot be sent"):
        ask(client)
