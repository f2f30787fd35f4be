"""HTTP as it comes over the wire, well or badly: what a real node answers to bytes on a socket."""

import contextlib
import json
import os
import random
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.e2e.node_process import DEADLINE_S, NodeProcess, wait_until
from yunhe.gateway.scopes import OPEN_PATHS, RELAY_PATH
from yunhe.ledger.codec import encode
from yunhe.limits import HTTP_BODY_BYTES_MAX, HTTP_HEAD_BYTES_MAX, PAGE_ROWS_MAX
from yunhe.sdk import Call, Client, Transaction

PROBLEM = "application/problem+json"
HOST = "Host: node\r\n"


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NodeProcess]:
    node = NodeProcess(tmp_path_factory.mktemp("http")).start()
    yield node
    node.close()


def nothing(client: Client, node: NodeProcess) -> Transaction:
    """A transaction that changes nothing, and has a receipt that says OK."""
    return client.build([node.founder], [Call("registry", "set_member", {"member": "admin", "roles": ["admin"], "status": "active"})])


class Connection:
    """A connection that sends what it is told to, byte for byte."""

    def __init__(self, node: NodeProcess) -> None:
        host, port = node.address.removeprefix("http://").rsplit(":", 1)
        self._socket = socket.create_connection((host, int(port)), timeout=DEADLINE_S)
        self._authorised = f"Host: node\r\nAuthorization: Bearer {node.token}\r\n"

    def __enter__(self) -> "Connection":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._socket.close()

    def send(self, data: bytes) -> None:
        self._socket.sendall(data)

    def head(self, line: str, *headers: str, authorised: bool = True) -> None:
        given = "".join(f"{header}\r\n" for header in headers)
        self.send((f"{line} HTTP/1.1\r\n{self._authorised if authorised else HOST}{given}\r\n").encode("latin-1"))

    def head_of_answer(self) -> tuple[int, dict[str, str], bytes]:
        """Return status and headers of one answer, and what has come of its body."""
        received = b""
        while b"\r\n\r\n" not in received and (more := self._socket.recv(65536)):
            received += more
        head, _, body = received.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        return int(first.split()[1]), {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}, body

    def answer(self) -> tuple[int, str, dict[str, object]]:
        """Return status, media type and body of one answer, which is to have a length."""
        status, headers, body = self.head_of_answer()
        while len(body) < int(headers["content-length"]) and (more := self._socket.recv(65536)):
            body += more
        return status, headers["content-type"], json.loads(body)

    def is_closed(self) -> bool:
        """Tell whether the node ends the connection."""
        try:
            return self._socket.recv(1) == b""
        except ConnectionResetError:
            return True


def assert_refused(answer: tuple[int, str, dict[str, object]], status: int, code: str) -> None:
    assert (answer[0], answer[1], answer[2]["code"], answer[2]["status"]) == (status, PROBLEM, code, status)
    assert answer[2]["detail"]


NO_HTTP = {
    "random bytes": random.Random(1).randbytes(64) + b"\r\n\r\n",
    "a line of text": b"hello\r\n\r\n",
    "TLS": bytes.fromhex("160301006a010000660303") + bytes(80),
    "an unknown method": b"FETCH /v1/health HTTP/1.1\r\n\r\n",
    "bytes in the path": b"GET /v1/\xff\xfe HTTP/1.1\r\n\r\n",
    "a header without colon": b"GET /v1/health HTTP/1.1\r\nhost\r\n\r\n",
    "a negative length": b"POST /v1/transactions HTTP/1.1\r\nContent-Length: -5\r\n\r\n",
    "an endless length": b"POST /v1/transactions HTTP/1.1\r\nContent-Length: 99999999999999999999999\r\n\r\n",
    "two lengths": b"POST /v1/transactions HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    "a length beside chunks": b"POST /v1/transactions HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
}


@pytest.mark.parametrize("data", NO_HTTP.values(), ids=NO_HTTP)
def test_what_is_no_http_is_refused_by_name_and_the_connection_closed(node, data) -> None:
    """API-001."""
    with Connection(node) as connection:
        connection.send(data)
        assert_refused(connection.answer(), 400, "REQUEST_INVALID")
        assert connection.is_closed()


ROUTES = ["/v1/blocks?limit=", "/v1/blocks?cursor=", "/v1/receipts/", "/v1/contracts/registry/tables/members/record?key=", "/v1/"]


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    route=st.sampled_from(ROUTES),
    data=st.binary(min_size=1, max_size=60),
    method=st.sampled_from(["GET", "POST", "PUT", "DELETE", "PATCH"]),
)
def test_any_bytes_in_path_or_query_get_a_problem_of_the_400_class(node, route, data, method) -> None:
    """API-001."""
    answer = httpx.request(method, f"{node.address}{route}{quote(data, safe='')}", headers={"Authorization": f"Bearer {node.token}"})
    if answer.is_success:
        # Digits that mean something, or a parameter that the route takes as it is.
        assert (method, data.decode().strip().isdigit()) == ("GET", True)
    else:
        assert 400 <= answer.status_code < 500
        assert answer.headers["content-type"] == PROBLEM
        assert answer.json()["code"]


@pytest.mark.parametrize(
    ("method", "path", "status", "code", "said"),
    [
        ("GET", "/v1/nothing", 404, "ROUTE_NOT_FOUND", "/openapi.json"),
        ("GET", "/v1/health/", 404, "ROUTE_NOT_FOUND", "/v1/health/"),
        ("DELETE", "/v1/transactions", 405, "METHOD_NOT_ALLOWED", "it takes OPTIONS, POST"),
        ("GET", "/v1/blocks?limit=many", 400, "REQUEST_INVALID", "query.limit"),
        ("POST", "/v1/proofs", 400, "REQUEST_INVALID", "body"),
    ],
)
def test_refusal_of_a_request_says_what_to_do(node, method, path, status, code, said) -> None:
    """API-001, API-043."""
    answer = httpx.request(method, node.address + path, headers={"Authorization": f"Bearer {node.token}"})
    body = answer.json()
    assert (answer.status_code, answer.headers["content-type"], body["code"]) == (status, PROBLEM, code)
    assert body["type"] == f"urn:yunhe:error:{code}"
    assert said in body["detail"]


def test_every_path_but_the_open_ones_needs_the_token(node) -> None:
    """API-002: all that the API's own description names, and those that are not there."""
    description = httpx.get(f"{node.address}/openapi.json").json()
    paths = {path: next(iter(operations)) for path, operations in description["paths"].items()} | {"/v1/nothing": "get", "/": "get"}
    assert len(paths) > 10
    for path, method in paths.items():
        address = node.address + path.replace("{height}", "0").replace("{", "").replace("}", "")
        for headers in (
            {},
            {"Authorization": f"Bearer {node.token}x"},
            {"Authorization": f"Basic {node.token}"},
            {"Authorization": "Bearer"},
        ):
            answer = httpx.request(method, address, headers=headers)
            assert (answer.status_code == 401) == (path not in OPEN_PATHS), path
        # A stream of events is let in and has no end.
        with httpx.stream(method, address, headers={"Authorization": f"bearer {node.token}"}) as answer:
            assert answer.status_code != 401
    for path in OPEN_PATHS - {RELAY_PATH}:
        assert httpx.get(node.address + path).status_code == 200


def test_description_says_which_paths_need_the_token_and_what_refusals_are(node) -> None:
    """API-001, API-002: as a program reads it that makes a client of it."""
    description = httpx.get(f"{node.address}/openapi.json").json()
    assert description["components"]["securitySchemes"]["token"]["scheme"] == "bearer"
    for path, operations in description["paths"].items():
        for operation in operations.values():
            assert bool(operation["security"]) == (path not in OPEN_PATHS)
            assert list(operation["responses"]["4XX"]["content"]) == [PROBLEM]


def test_request_without_the_token_is_refused_before_its_body_is_read(node) -> None:
    """API-002."""
    with Connection(node) as connection:
        connection.head("POST /v1/transactions", "Content-Length: 1000000", authorised=False)
        assert_refused(connection.answer(), 401, "TOKEN_WRONG")


def test_body_over_the_limit_is_refused_before_it_is_sent(node) -> None:
    """API-003."""
    with Connection(node) as connection:
        connection.head("POST /v1/transactions", f"Content-Length: {HTTP_BODY_BYTES_MAX + 1}")
        assert_refused(connection.answer(), 413, "TOO_LARGE")


@pytest.mark.parametrize("path", ["/v1/transactions", "/v1/proofs", "/v1/contracts/registry/views/member"])
def test_body_without_a_stated_length_is_cut_off_at_the_limit(node, path) -> None:
    """API-003: whatever the route does with it."""
    with Connection(node) as connection:
        connection.head(f"POST {path}", "Transfer-Encoding: chunked", "Content-Type: application/json")
        chunk = f"{2**20:x}\r\n".encode() + bytes(2**20) + b"\r\n"
        for _ in range(HTTP_BODY_BYTES_MAX // 2**20):
            connection.send(chunk)
        connection.send(b"1\r\na\r\n")
        assert_refused(connection.answer(), 413, "TOO_LARGE")


def test_body_up_to_the_limit_is_read(node) -> None:
    """API-003: it is refused for what it is, not for its size."""
    answer = httpx.post(
        f"{node.address}/v1/transactions/batch", content=bytes(HTTP_BODY_BYTES_MAX), headers={"Authorization": f"Bearer {node.token}"}
    )
    assert (answer.status_code, answer.json()["code"]) == (400, "NOT_CANONICAL")


@pytest.mark.parametrize(
    "rest", [b"a" * HTTP_HEAD_BYTES_MAX + b"\r\n\r\n", b"a" * (HTTP_HEAD_BYTES_MAX + 16 * 1024)], ids=["whole", "endless"]
)
def test_head_over_the_limit_is_refused(node, rest) -> None:
    """API-003: also one whose end never comes."""
    with Connection(node) as connection:
        connection.send(b"GET /v1/health HTTP/1.1\r\nX-Long: " + rest)
        assert_refused(connection.answer(), 413, "TOO_LARGE")
        assert connection.is_closed()


def test_head_up_to_the_limit_is_read(node) -> None:
    """API-003: several on one connection, each for itself."""
    with Connection(node) as connection:
        for _ in range(3):
            connection.head("GET /v1/health", "X-Long: " + "a" * (HTTP_HEAD_BYTES_MAX - 200))
            assert connection.answer()[2] == {"status": "running", "reason": None}


def test_head_behind_a_long_body_counts_for_itself(node) -> None:
    """API-003: it may arrive with the end of the request before."""
    body = bytes(HTTP_HEAD_BYTES_MAX)
    with Connection(node) as connection:
        connection.head("POST /v1/transactions", f"Content-Length: {len(body)}")
        connection.send(body + b"GET /v1/health HTTP/1.1\r\nHost: node\r\nX-Long: ")
        assert_refused(connection.answer(), 400, "NOT_CANONICAL")
        connection.send(b"a\r\n\r\n")
        assert connection.answer()[2] == {"status": "running", "reason": None}


SLOW = {
    "half a first line": b"GET /v1/hea",
    "a head without its end": b"GET /v1/health HTTP/1.1\r\nHost: node\r\n",
    "a body that stops": b"POST /v1/transactions HTTP/1.1\r\n%sContent-Length: 100\r\n\r\nabc",
    "a chunk that stops": b"POST /v1/transactions HTTP/1.1\r\n%sTransfer-Encoding: chunked\r\n\r\n5\r\nab",
}


@pytest.fixture(scope="module")
def hasty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NodeProcess]:
    """A node with little patience."""
    node = NodeProcess(tmp_path_factory.mktemp("hasty"))
    settings_file = node.folder / "node.toml"
    text = settings_file.read_text()
    assert "request_timeout_ms = 30000" in text
    settings_file.write_text(text.replace("request_timeout_ms = 30000", "request_timeout_ms = 300"))
    node.start()
    yield node
    node.close()


@pytest.mark.parametrize("begun", SLOW.values(), ids=SLOW)
def test_request_that_never_becomes_whole_is_refused_and_the_connection_closed(hasty, begun) -> None:
    """API-013."""
    with Connection(hasty) as connection:
        authorised = f"Host: node\r\nAuthorization: Bearer {hasty.token}\r\n".encode()
        connection.send(begun.replace(b"%s", authorised))
        assert_refused(connection.answer(), 408, "REQUEST_TOO_SLOW")
        assert connection.is_closed()


@pytest.mark.parametrize("sent", [b"", b"\r\n"], ids=["nothing", "an empty line"])
@pytest.mark.parametrize("is_used", [False, True], ids=["new", "used"])
def test_connection_on_which_nothing_is_asked_is_closed_without_a_word(hasty, sent, is_used) -> None:
    """API-013: an empty line between requests begins none."""
    with Connection(hasty) as connection:
        if is_used:
            connection.head("GET /v1/health")
            assert connection.answer()[0] == 200
        connection.send(sent)
        assert connection.is_closed()


def test_refused_request_whose_body_never_comes_is_not_answered_twice(hasty) -> None:
    """API-013: it has its answer; only the connection is closed."""
    with Connection(hasty) as connection:
        connection.head("POST /v1/transactions", "Content-Length: 1000000", authorised=False)
        assert_refused(connection.answer(), 401, "TOKEN_WRONG")
        assert connection.is_closed()


def test_time_that_the_node_takes_is_not_counted_as_the_clients(hasty) -> None:
    """API-013: a request that waits longer than a request may take is answered, and so is one that came half before the answer."""
    with hasty.client() as client:
        transaction = nothing(client, hasty)
        workers = hasty.workers()
        for pid in workers:
            os.kill(pid, signal.SIGSTOP)
        try:
            with Connection(hasty) as connection:
                lines = ("Content-Type: application/cbor", f"Content-Length: {len(transaction.encoded)}")
                connection.head("POST /v1/transactions?wait_ms=1500", *lines)
                connection.send(transaction.encoded + b"GET /v1/hea")
                status, _, body = connection.answer()
                assert (status, body["status"]) == (202, "accepted")
                connection.send(b"lth HTTP/1.1\r\nHost: node\r\n\r\n")
                assert connection.answer()[2] == {"status": "running", "reason": None}
        finally:
            for pid in workers:
                os.kill(pid, signal.SIGCONT)


def test_head_is_answered_as_get_without_the_body(node) -> None:
    """API-014."""
    headers = {"Authorization": f"Bearer {node.token}"}
    for path in ("/v1/health", "/v1/version", "/openapi.json", "/v1/blocks/0", "/v1/nothing"):
        got, headed = httpx.get(node.address + path, headers=headers), httpx.head(node.address + path, headers=headers)
        assert (headed.status_code, headed.content) == (got.status_code, b"")
        assert headed.headers["content-length"] == got.headers["content-length"] == str(len(got.content))
    with Connection(node) as connection:
        # A stream of events has no end, its head has; the connection goes on.
        connection.head("HEAD /v1/events/stream")
        assert connection.head_of_answer()[0] == 200
        connection.head("GET /v1/health")
        assert connection.answer()[2] == {"status": "running", "reason": None}


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/v1/health", "GET, HEAD, OPTIONS"),
        ("/v1/transactions", "OPTIONS, POST"),
        ("/v1/transactions/batch", "OPTIONS, POST"),
        ("/v1/transactions/simulate", "OPTIONS, POST"),
        ("/v1/webhooks", "GET, HEAD, OPTIONS, POST"),
        ("/v1/webhooks/0000000000000000", "DELETE, OPTIONS"),
        ("/openapi.json", "GET, HEAD, OPTIONS"),
    ],
)
def test_methods_of_a_path_are_told_and_no_other_is_taken(node, path, allowed) -> None:
    """API-014."""
    headers = {"Authorization": f"Bearer {node.token}"}
    asked = httpx.options(node.address + path, headers=headers)
    assert (asked.status_code, asked.headers["allow"], asked.content) == (204, allowed, b"")
    for method in {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"} - set(allowed.split(", ")):
        answer = httpx.request(method, node.address + path, headers=headers)
        assert (answer.status_code, answer.headers["allow"], answer.headers["content-type"]) == (405, allowed, PROBLEM)
        assert method == "HEAD" or answer.json()["code"] == "METHOD_NOT_ALLOWED"


def test_list_takes_a_page_of_the_size_it_is_asked_for_and_only_its_own_cursor(node) -> None:
    """API-006."""
    headers = {"Authorization": f"Bearer {node.token}"}
    records = f"{node.address}/v1/contracts/lifecycle/tables/contracts/records"
    page = httpx.get(records, params={"limit": 1}, headers=headers).json()
    assert len(page["items"]) == 1
    assert len(httpx.get(records, params={"limit": PAGE_ROWS_MAX}, headers=headers).json()["items"]) >= 3
    following = httpx.get(records, params={"limit": 1, "cursor": page["next"]}, headers=headers).json()
    assert following["items"][0]["key"] > page["items"][0]["key"]
    other_table = records.replace("contracts/records", "sources/records")
    other_prefix = {"prefix": '["registry"]'}
    for address, parameters in ((other_table, {}), (records, other_prefix), (f"{node.address}/v1/blocks", {})):
        answer = httpx.get(address, params=parameters | {"cursor": page["next"]}, headers=headers)
        assert (answer.status_code, answer.headers["content-type"]) == (400, PROBLEM)
    for limit in (0, -1, PAGE_ROWS_MAX + 1):
        assert httpx.get(records, params={"limit": limit}, headers=headers).json()["code"] == "REQUEST_INVALID"


def test_caller_that_goes_away_before_its_body_is_whole_has_submitted_nothing(node) -> None:
    """API-007."""
    with node.client() as client:
        transaction = nothing(client, node)
        with Connection(node) as connection:
            connection.head("POST /v1/transactions", "Content-Type: application/cbor", f"Content-Length: {len(transaction.encoded)}")
            connection.send(transaction.encoded[:-1])
        # What is submitted now is decided after anything that came before it.
        assert client.submit(nothing(client, node)).code == "OK"
        with pytest.raises(Exception, match="no transaction with this id"):
            client.receipt(transaction.id)
    assert "ClientDisconnect" not in (node.folder / "log" / "node.log").read_text()


def test_caller_that_goes_away_does_not_take_its_transaction_back(own_node) -> None:
    """API-007: submitted, then gone, while the block cannot be made."""
    with own_node.client() as client:
        transactions = [nothing(client, own_node) for _ in range(2)]
        body = encode([transaction.encoded for transaction in transactions])
        # The workers are stopped in their tracks, so that the answer cannot come first.
        workers = own_node.workers()
        for pid in workers:
            os.kill(pid, signal.SIGSTOP)
        try:
            with Connection(own_node) as connection:
                connection.head("POST /v1/transactions/batch", "Content-Type: application/cbor", f"Content-Length: {len(body)}")
                connection.send(body)
                wait_until(lambda: client.status()["waiting"] == 2, "both transactions to be accepted")
            assert client.status()["height"] == 0
        finally:
            for pid in workers:
                os.kill(pid, signal.SIGCONT)
        for transaction in transactions:
            wait_until(lambda: client.status()["waiting"] == 0, "the block")
            assert client.receipt(transaction.id)["receipt"]["code"] == "OK"


def test_log_of_a_node_that_was_sent_anything_is_one_object_a_line(node) -> None:
    with Connection(node) as connection:
        connection.send(b"hello\r\n\r\n")
        connection.answer()
    lines = (node.folder / "log" / "node.log").read_text().splitlines()
    assert all({"event", "level", "timestamp"} <= json.loads(line).keys() for line in lines)


SANE = ["a", "0af7651916cd43dd8448eb211c80319c", "shop-7:order.12_3", "x" * 64]
NOT_SANE = ["", "x" * 65, "two words", 'a"b', "a\u00e9", "a/b", "{}"]


@pytest.mark.parametrize("path", ["/v1/health", "/v1/nothing", "/v1/blocks?limit=0", "/v1/transactions"])
@pytest.mark.parametrize("given", SANE)
def test_request_keeps_the_name_that_its_caller_gave(node, path, given) -> None:
    """API-015: whether it is answered, refused, or has no token."""
    for headers in ({"Authorization": f"Bearer {node.token}"}, {}):
        answer = httpx.get(node.address + path, headers=headers | {"X-Request-Id": given})
        assert answer.headers["x-request-id"] == given
        assert answer.is_success or answer.json()["request_id"] == given


def test_request_without_a_sane_name_gets_one_of_its_own(node) -> None:
    """API-015."""
    names = set()
    headers = {"Authorization": f"Bearer {node.token}"}
    for bad in NOT_SANE:
        answer = httpx.get(f"{node.address}/v1/nothing", headers=headers | {"X-Request-Id": bad.encode()})
        assert answer.headers["x-request-id"] == answer.json()["request_id"] != bad
        names.add(answer.json()["request_id"])
    names.add(httpx.get(f"{node.address}/v1/health").headers["x-request-id"])
    with Connection(node) as connection:
        connection.send(b"hello\r\n\r\n")
        refused = connection.answer()[2]["request_id"]
        names.add(refused)
    assert len(names) == len(NOT_SANE) + 2
    assert all(len(name) == 32 for name in names)
    assert f'"request_id": "{refused}"' in (node.folder / "log" / "node.log").read_text()


def test_what_does_not_change_is_sent_once_to_who_keeps_it(node) -> None:
    """API-016: by the tag alone, among others, as a weak one, or any; another tag gets the whole."""
    headers = {"Authorization": f"Bearer {node.token}"}
    with node.client() as client:
        submitted = client.submit(nothing(client, node))
    identity = submitted.transaction_id.hex()
    tags = set()
    for path in (f"/v1/blocks/{submitted.height}", f"/v1/transactions/{identity}", f"/v1/receipts/{identity}"):
        first = httpx.get(node.address + path, headers=headers)
        tag = first.headers["etag"]
        tags.add(tag)
        for held in (tag, f'"other", {tag}', f"W/{tag}", "*"):
            again = httpx.get(node.address + path, headers=headers | {"If-None-Match": held})
            assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
        for held in ('"other"', tag.strip('"'), ""):
            again = httpx.get(node.address + path, headers=headers | {"If-None-Match": held})
            assert (again.status_code, again.content) == (200, first.content)
        headed = httpx.head(node.address + path, headers=headers)
        assert (headed.status_code, headed.headers["etag"]) == (200, tag)
    assert len(tags) == 3


def test_what_is_not_there_or_changes_has_no_entity_tag(node) -> None:
    """API-016: nor does a tag make a refusal an answer."""
    headers = {"Authorization": f"Bearer {node.token}", "If-None-Match": "*"}
    for path, status in (("/v1/blocks/999999", 404), (f"/v1/receipts/{'0' * 64}", 404), ("/v1/blocks/x", 400), ("/v1/blocks", 200)):
        answer = httpx.get(node.address + path, headers=headers)
        assert (answer.status_code, "etag" in answer.headers) == (status, False)


# --- Connections --------------------------------------------------------------------------------------------------------------------

CONNECTIONS_MAX = 8


@pytest.fixture
def crowded(tmp_path: Path) -> Iterator[NodeProcess]:
    """A node with room for few connections."""
    node = NodeProcess(tmp_path)
    settings_file = node.folder / "node.toml"
    settings_file.write_text(settings_file.read_text().replace("connections_max = 1000", f"connections_max = {CONNECTIONS_MAX}"))
    node.start()
    yield node
    node.close()


def test_connections_that_wait_for_their_clients_keep_nobody_out(crowded: NodeProcess) -> None:
    """API-017: the one that waits longest goes, whoever has asked something last of all."""
    with contextlib.ExitStack() as opened:
        used = opened.enter_context(Connection(crowded))
        used.head("GET /v1/health")
        assert used.answer()[0] == 200
        silent = [opened.enter_context(Connection(crowded)) for _ in range(CONNECTIONS_MAX - 2)]
        half = opened.enter_context(Connection(crowded))
        half.send(b"GET /v1/health HTTP/1.1\r\nHost:")
        for _ in range(3 * CONNECTIONS_MAX):
            httpx.get(f"{crowded.address}/v1/health").raise_for_status()
            new = opened.enter_context(Connection(crowded))
            new.head("GET /v1/health")
            assert new.answer()[0] == 200
        assert all(connection.is_closed() for connection in [*silent, half])


def test_connection_beside_those_that_are_all_being_answered_is_refused(crowded: NodeProcess) -> None:
    """API-017 refused, and accepted as soon as one of them ends."""
    with contextlib.ExitStack() as opened:
        streams = [opened.enter_context(Connection(crowded)) for _ in range(CONNECTIONS_MAX)]
        for stream in streams:
            stream.head("GET /v1/events/stream")
            assert stream.head_of_answer()[0] == 200
        refused = httpx.get(f"{crowded.address}/v1/health")
        assert (refused.status_code, refused.json()["code"], refused.headers["Retry-After"]) == (503, "OVERLOADED", "1")
        assert refused.headers["content-type"] == PROBLEM
        streams[0].close()
        wait_until(lambda: httpx.get(f"{crowded.address}/v1/health").status_code == 200, "an answer")


def test_more_silent_connections_than_descriptors_leave_the_node_at_work(tmp_path: Path) -> None:
    """API-017: the node raises its soft limit, and holds no more connections than it has room for."""
    node = NodeProcess(tmp_path)
    try:
        node.start("prlimit", "--nofile=256:4096")
        with contextlib.ExitStack() as opened:
            for _ in range(600):
                opened.enter_context(Connection(node))
            with node.client() as client:
                assert client.submit(nothing(client, node)).code == "OK"
    finally:
        node.close()


def test_node_that_is_allowed_too_few_descriptors_does_not_start(tmp_path: Path) -> None:
    """API-017 refused: with what to do."""
    node = NodeProcess(tmp_path)
    with pytest.raises(AssertionError, match=r"CONFIGURATION_INVALID.*lower `connections_max`.*LimitNOFILE"):
        node.start("prlimit", "--nofile=256:512")
