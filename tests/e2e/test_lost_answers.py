"""Answers that are lost after the request was sent: what is asked again is done once."""

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import pytest

from tests.e2e.node_process import DEADLINE_S, NodeProcess
from yunhe.ledger.codec import encode
from yunhe.sdk import Call, Client

COUNTERS = (Path(__file__).parent / "counters.py").read_text()


class CuttingProxy:
    """Passes connections to a node, and cuts the first ones when a request has gone through: before its answer, or within it."""

    def __init__(self, node: NodeProcess, cuts: int, *, is_answered: bool) -> None:
        host, port = node.address.removeprefix("http://").rsplit(":", 1)
        self._upstream = (host, int(port))
        self._cuts = cuts
        self._is_answered = is_answered
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.cut = 0
        self._thread = threading.Thread(target=self._accept)

    @contextmanager
    def running(self) -> Iterator["CuttingProxy"]:
        self._thread.start()
        try:
            yield self
        finally:
            # A blocking accept is not woken by a close.
            self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            self._thread.join(DEADLINE_S)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                with client, socket.create_connection(self._upstream, timeout=DEADLINE_S) as upstream:
                    client.settimeout(DEADLINE_S)
                    with suppress(OSError):
                        self._serve(client, upstream)

    def _serve(self, client: socket.socket, upstream: socket.socket) -> None:
        """Pass one request and its answer on; connections that are kept alive are closed after it."""
        upstream.sendall(_request(client))
        if self.cut < self._cuts:
            self.cut += 1
            if self._is_answered:
                assert upstream.recv(1)
            # Closing resets it, as a power cut of the network would look to the client.
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return
        while part := upstream.recv(65536):
            client.sendall(part)


def _request(client: socket.socket) -> bytes:
    """Read one request whole, and ask for its connection to be closed after the answer."""
    received = b""
    while b"\r\n\r\n" not in received:
        received += client.recv(65536)
    head, _, body = received.partition(b"\r\n\r\n")
    lines = [line for line in head.split(b"\r\n") if not line.lower().startswith(b"connection:")]
    length = next((int(line.split(b":")[1]) for line in lines if line.lower().startswith(b"content-length:")), 0)
    while len(body) < length:
        body += client.recv(65536)
    return b"\r\n".join([*lines, b"Connection: close", b"", b""]) + body


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NodeProcess]:
    node = NodeProcess(tmp_path_factory.mktemp("cut"))
    settings = node.folder / "node.toml"
    settings.write_text(settings.read_text().replace("webhook_private_targets = false", "webhook_private_targets = true"))
    node.start()
    node.deploy("counters", COUNTERS)
    yield node
    node.close()


@contextmanager
def cut(node: NodeProcess, *, is_answered: bool) -> Iterator[Client]:
    """Return a client whose first two requests lose their answers."""
    with CuttingProxy(node, 2, is_answered=is_answered).running() as proxy, node.client() as direct:
        with Client(proxy.address, node.token, network_id=direct.network_id, hash_name=node.hash_name, timeout_s=DEADLINE_S) as client:
            yield client
        assert proxy.cut == 2


@pytest.mark.parametrize("is_answered", [False, True], ids=["before the answer", "within the answer"])
def test_transaction_whose_answers_are_lost_is_executed_once(node: NodeProcess, is_answered: bool) -> None:
    """API-005, API-053: the client tries again by itself, and gets the first receipt."""
    name = f"single{is_answered}"
    with cut(node, is_answered=is_answered) as client:
        transaction = client.build([node.founder], [Call("counters", "add", {"name": name, "amount": 1})])
        submitted = client.submit(transaction)
    assert (submitted.code, submitted.results) == ("OK", [1])
    with node.client() as client:
        assert client.view("counters", "value", name=name) == 1
        again = client.submit(transaction)
        assert (again.height, again.position) == (submitted.height, submitted.position)


@pytest.mark.parametrize("is_answered", [False, True], ids=["before the answer", "within the answer"])
def test_batch_whose_answers_are_lost_is_executed_once(node: NodeProcess, is_answered: bool) -> None:
    """API-005, API-053."""
    name = f"batch{is_answered}"
    with cut(node, is_answered=is_answered) as client:
        batch = [client.build([node.founder], [Call("counters", "add", {"name": name, "amount": 1})]) for _ in range(10)]
        results = client.submit_batch(batch)
    assert [result.code for result in results] == ["OK"] * 10
    with node.client() as client:
        assert client.view("counters", "value", name=name) == 10


def test_request_that_is_cut_at_any_byte_is_executed_once_or_not_at_all(node: NodeProcess) -> None:
    """API-007, API-053: and the same transaction is taken afterwards."""
    host, port = node.address.removeprefix("http://").rsplit(":", 1)
    with node.client() as client:
        batch = [client.build([node.founder], [Call("counters", "add", {"name": "bytes", "amount": 1})]) for _ in range(12)]
        for number, transaction in enumerate(batch):
            head = f"POST /v1/transactions HTTP/1.1\r\nHost: node\r\nAuthorization: Bearer {node.token}\r\n"
            whole = (head + f"Content-Length: {len(transaction.encoded)}\r\n\r\n").encode() + transaction.encoded
            with socket.create_connection((host, int(port)), timeout=DEADLINE_S) as connection:
                connection.sendall(whole[: len(whole) * (number + 1) // len(batch)])
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        assert {client.submit(transaction).code for transaction in batch} == {"OK"}
        assert client.view("counters", "value", name="bytes") == len(batch)


def test_webhook_whose_answers_are_lost_is_registered_once(node: NodeProcess) -> None:
    """API-053: with the secret of the first."""
    with cut(node, is_answered=True) as client:
        added = client.webhooks.add("http://127.0.0.1:9/once", "counters")
    with node.client() as client:
        (shown,) = client.webhooks.all()
        assert (shown["id"], shown["url"]) == (added["id"], "http://127.0.0.1:9/once")
        assert added["secret"].startswith("whsec_")


def test_idempotency_key_of_another_request_is_refused(node: NodeProcess) -> None:
    """API-053 refused: also a key that is too short to be random."""
    headers = {"Authorization": f"Bearer {node.token}", "Idempotency-Key": "0123456789abcdef"}
    first = {"url": "http://127.0.0.1:9/key", "contract": "counters"}
    made, again, other, bad = (
        httpx.post(f"{node.address}/v1/webhooks", json=body, headers=headers | more)
        for body, more in ((first, {}), (first, {}), (first | {"event": "Other"}, {}), (first, {"Idempotency-Key": "1"}))
    )
    assert (made.status_code, again.json()["secret"], again.json()["id"]) == (201, made.json()["secret"], made.json()["id"])
    assert (other.status_code, other.json()["code"]) == (409, "IDEMPOTENCY_KEY_USED")
    assert (bad.status_code, bad.json()["code"]) == (400, "REQUEST_INVALID")


def test_batch_with_the_same_transaction_twice_executes_it_once(node: NodeProcess) -> None:
    """API-005."""
    with node.client() as client:
        transaction = client.build([node.founder], [Call("counters", "add", {"name": "twice", "amount": 1})])
        answer = httpx.post(
            f"{node.address}/v1/transactions/batch",
            content=encode([transaction.encoded] * 2),
            headers={"Authorization": f"Bearer {node.token}", "Content-Type": "application/cbor"},
        ).json()
        assert answer["results"][0] == answer["results"][1]
        assert client.view("counters", "value", name="twice") == 1
