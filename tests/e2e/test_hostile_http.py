"""API-018: requests that a proxy and a node could read differently, byte for byte on a socket; the node goes on after each."""

import re
import socket
from collections.abc import Iterator

import pytest

from tests.e2e.node_process import DEADLINE_S, NodeProcess

HOST = b"Host: node\r\n"
HEALTH = b"GET /v1/health HTTP/1.1\r\n" + HOST
CHUNKED = b"Transfer-Encoding: chunked\r\n"


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NodeProcess]:
    node = NodeProcess(tmp_path_factory.mktemp("hostile")).start()
    yield node
    node.close()


def authorised(node: NodeProcess) -> bytes:
    return f"Authorization: Bearer {node.token}\r\n".encode()


def post(node: NodeProcess) -> bytes:
    return b"POST /v1/proofs HTTP/1.1\r\n" + HOST + authorised(node) + b"Content-Type: application/json\r\n"


def talk(node: NodeProcess, data: bytes, *, ends: bool = False) -> tuple[list[int], list[str]]:
    """Send bytes, and return the status of each answer and all codes of refusals, when the node has closed the connection."""
    host, port = node.address.removeprefix("http://").rsplit(":", 1)
    received = b""
    with socket.create_connection((host, int(port)), timeout=DEADLINE_S) as connection:
        try:
            connection.sendall(data)
            if ends:
                connection.shutdown(socket.SHUT_WR)
            while part := connection.recv(65536):
                received += part
        except ConnectionError:
            # What the node had not read when it closed resets the connection.
            pass
    statuses = [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3}) ", received)]
    return statuses, [code.decode() for code in re.findall(rb'"code":"([A-Z_]+)"', received)]


def alive(node: NodeProcess) -> bool:
    return talk(node, HEALTH + b"Connection: close\r\n\r\n") == ([200], [])


REFUSED_HEADS = {
    "no host": b"GET /v1/health HTTP/1.1\r\n\r\n",
    "two hosts": HEALTH + b"Host: other\r\n\r\n",
    "a host that is none": b"GET /v1/health HTTP/1.1\r\nHost: a/b\r\n\r\n",
    "another version": b"GET /v1/health HTTP/2.0\r\n" + HOST + b"\r\n",
    "the preface of HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "a fragment": b"GET /v1/health#part HTTP/1.1\r\n" + HOST + b"\r\n",
    "two tokens": HEALTH + b"Authorization: Bearer a\r\nAuthorization: Bearer b\r\n\r\n",
    "two media types": HEALTH + b"Content-Type: a/b\r\ncontent-type: c/d\r\n\r\n",
    "two names": HEALTH + b"X-Request-Id: a\r\nX-Request-Id: b\r\n\r\n",
    "two lengths that agree": HEALTH + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}",
    "a list of lengths": HEALTH + b"Content-Length: 2, 2\r\n\r\n{}",
    "a length and chunks": HEALTH + b"Content-Length: 2\r\n" + CHUNKED + b"\r\n0\r\n\r\n",
    "chunks and a length": HEALTH + CHUNKED + b"Content-Length: 2\r\n\r\n0\r\n\r\n",
    "chunks twice": HEALTH + CHUNKED * 2 + b"\r\n0\r\n\r\n",
    "encoded chunks": HEALTH + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "chunks behind a space": HEALTH + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
    "an encoded body": HEALTH + b"Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}",
    "an upgrade to WebSocket": HEALTH + b"Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
    "an upgrade to HTTP/2": HEALTH + b"Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n",
    "a null in the path": b"GET /v1/he\x00alth HTTP/1.1\r\n" + HOST + b"\r\n",
    "a null in a header": HEALTH + b"X-A: a\x00b\r\n\r\n",
    "a carriage return in a header": HEALTH + b"X-A: a\rX-B: b\r\n\r\n",
    "a folded header": HEALTH + b"X-A: a\r\n b\r\n\r\n",
    "lines without carriage return": b"GET /v1/health HTTP/1.1\nHost: node\n\n",
    "a header without name": HEALTH + b": b\r\n\r\n",
    "a method without end": b"A" * 5000 + b" /v1/health HTTP/1.1\r\n\r\n",
    "a tunnel": b"CONNECT other:1 HTTP/1.1\r\n" + HOST + b"\r\n",
}


@pytest.mark.parametrize("data", REFUSED_HEADS.values(), ids=REFUSED_HEADS)
def test_head_that_can_be_read_in_two_ways_is_refused_and_the_connection_closed(node, data) -> None:
    """API-018 refused: what follows on the connection is not looked at."""
    assert talk(node, data + HEALTH + b"\r\n") == ([400], ["REQUEST_INVALID"])
    assert alive(node)


REFUSED_BODIES = {
    "no size": b"zz\r\n{}\r\n0\r\n\r\n",
    "a negative size": b"-1\r\n{}\r\n0\r\n\r\n",
    "a size beyond all": b"f" * 18 + b"\r\n{}\r\n0\r\n\r\n",
    "no end of a chunk": b"2\r\n{}XX0\r\n\r\n",
    "lines without carriage return": b"2\n{}\n0\n\n",
    "a header behind": b"2\r\n{}\r\n0\r\nX-A: b\r\n\r\n",
    "a token behind": b"2\r\n{}\r\n0\r\nAuthorization: Bearer other\r\n\r\n",
    "many headers behind": b"2\r\n{}\r\n0\r\n" + b"X-A: b\r\n" * 20_000 + b"\r\n",
}


@pytest.mark.parametrize("chunks", REFUSED_BODIES.values(), ids=REFUSED_BODIES)
def test_chunks_that_are_none_are_refused_and_the_connection_closed(node, chunks) -> None:
    """API-018 refused: once, and for what they are, not for what a header behind them says."""
    assert talk(node, post(node) + CHUNKED + b"\r\n" + chunks) == ([400], ["REQUEST_INVALID"])
    assert alive(node)


@pytest.mark.parametrize("chunks", REFUSED_BODIES.values(), ids=REFUSED_BODIES)
def test_chunks_behind_a_refusal_are_not_answered_again(node, chunks) -> None:
    """API-018: who has no token is told so, or that the chunks are none, and not both."""
    statuses, codes = talk(node, b"POST /v1/proofs HTTP/1.1\r\n" + HOST + CHUNKED + b"\r\n" + chunks)
    assert statuses in ([400], [401])
    assert codes in (["REQUEST_INVALID"], ["TOKEN_WRONG"])


@pytest.mark.parametrize(
    "behind", [b"XX\r\n\r\n", HEALTH + b"Host: other\r\n\r\n", b"GET /" + b"a" * 70_000], ids=["no HTTP", "two hosts", "a long one"]
)
def test_refusal_is_not_sent_in_the_place_of_an_earlier_answer(node, behind) -> None:
    """API-018: the caller would take the refusal for the answer to its first request."""
    body = b'{"subjects": []}'
    first = post(node) + b"Content-Length: %d\r\n\r\n" % len(body) + body
    statuses, _ = talk(node, HEALTH + b"\r\n" + first + behind)
    assert statuses in ([], [200], [200, 400], [200, 400, 400])
    assert alive(node)


def test_pipelined_requests_are_answered_in_their_order(node) -> None:
    """API-018 accepted: five hundred at once, each with its own answer."""
    asked = b"".join(b"GET /v1/%s HTTP/1.1\r\n%s\r\n" % (path, HOST) for path in (b"health", b"nothing") for _ in range(250))
    statuses, codes = talk(node, asked + HEALTH + b"Connection: close\r\n\r\n")
    assert statuses == [200] * 250 + [401] * 250 + [200]
    assert codes == ["TOKEN_WRONG"] * 250


@pytest.mark.parametrize(
    "data",
    [
        b"GET /v1/health HTTP/1.0\r\n\r\n",
        HEALTH + b"Connection: close\r\n" + b"a:b\r\n" * 10_000 + b"\r\n",
        b"\r\n" * 1000 + HEALTH + b"Connection: close\r\n\r\n",
        HEALTH + b"Connection: close\r\nContent-Length: 5\r\n\r\nhello",
        HEALTH + b"Connection: close\r\n" + CHUNKED + b"\r\n5;name=value\r\nhello\r\n0\r\n\r\n",
        HEALTH + b"Connection: close\r\nContent-Encoding: identity\r\nTransfer-Encoding: Chunked\r\n\r\n0\r\n\r\n",
    ],
    ids=["HTTP/1.0", "many headers", "empty lines", "a body that is not needed", "an extension of a chunk", "plain encodings"],
)
def test_what_is_unusual_and_means_one_thing_is_answered(node, data) -> None:
    """API-018 accepted."""
    assert talk(node, data) == ([200], [])


@pytest.mark.parametrize("begun", [b"GET /v1/hea", HEALTH, HEALTH + b"Content-Length: 10\r\n\r\nab", HEALTH + CHUNKED + b"\r\n5\r\nab"])
def test_request_that_its_caller_ends_in_the_middle_is_not_answered(node, begun) -> None:
    """API-007: the connection is closed."""
    assert talk(node, begun, ends=True) == ([], [])
    assert alive(node)
