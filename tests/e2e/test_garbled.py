"""Garbled copies of a good transaction, over HTTP: each is refused by name, nothing is stored, and the real one still goes through."""

import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from tests.e2e.node_process import DEADLINE_S, NodeProcess, yunhe_json
from yunhe.crypto import PrivateKey
from yunhe.errors import TransactionNotFoundError
from yunhe.ledger.codec import encode
from yunhe.ledger.transaction import sign_transaction
from yunhe.limits import CODEC_DEPTH_MAX, TRANSACTION_BYTES_MAX
from yunhe.sdk import Call, Client, MemberKey, Transaction

COUNTERS = (Path(__file__).parent / "counters.py").read_text()
PROBLEM = "application/problem+json"


@pytest.fixture(scope="module")
def node(shared_node: NodeProcess) -> NodeProcess:
    shared_node.deploy("counters", COUNTERS)
    return shared_node


@pytest.fixture
def client(node: NodeProcess):
    with node.client() as client:
        yield client


def add(client: Client, node: NodeProcess, name: str) -> Transaction:
    return client.build([node.founder], [Call("counters", "add", {"name": name, "amount": 1})])


def post(node: NodeProcess, body: bytes, path: str = "/v1/transactions") -> httpx.Response:
    headers = {"Authorization": f"Bearer {node.token}", "Content-Type": "application/cbor"}
    return httpx.post(node.address + path, content=body, headers=headers, timeout=DEADLINE_S)


def unsigned_by(transaction: Transaction, *signatures: bytes) -> bytes:
    return encode([transaction.body_bytes, list(signatures)])


def by_another_key(transaction: Transaction) -> bytes:
    other = PrivateKey.generate(transaction.body.signers[0].suite)
    return unsigned_by(transaction, other.sign(transaction.id))


GARBLED: dict[str, tuple[Callable[[Transaction], bytes], str]] = {
    "COD-004: nothing": (lambda _: b"", "NOT_CANONICAL"),
    "COD-004: all but the last byte": (lambda real: real.encoded[:-1], "NOT_CANONICAL"),
    "COD-004: the first half": (lambda real: real.encoded[: len(real.encoded) // 2], "NOT_CANONICAL"),
    "COD-004: one byte more": (lambda real: real.encoded + b"\x00", "NOT_CANONICAL"),
    "COD-004: twice": (lambda real: real.encoded * 2, "NOT_CANONICAL"),
    "COD-004: too long": (lambda real: real.encoded + bytes(TRANSACTION_BYTES_MAX), "TOO_LARGE"),
    "COD-001: a head longer than it has to be": (lambda real: b"\x98\x02" + real.encoded[1:], "NOT_CANONICAL"),
    "COD-001: an array without a stated length": (lambda real: b"\x9f" + real.encoded[1:] + b"\xff", "NOT_CANONICAL"),
    "COD-002: a tag": (lambda real: b"\xc1" + real.encoded, "NOT_CANONICAL"),
    "COD-002: a float": (lambda _: b"\xfb" + bytes(8), "NOT_CANONICAL"),
    "COD-003: too deep": (lambda real: b"\x81" * CODEC_DEPTH_MAX + real.encoded, "NOT_CANONICAL"),
    "COD-003: far too deep": (lambda _: b"\x81" * 100_000 + b"\x00", "NOT_CANONICAL"),
    "COD-005: another shape": (lambda real: encode([real.body_bytes]), "MALFORMED"),
    "COD-005: no transaction": (lambda _: encode({"a": 1}), "MALFORMED"),
    "random bytes": (lambda _: b"\xff" + random.Random(3).randbytes(300), "NOT_CANONICAL"),
    "LED-010: no signature": (unsigned_by, "MALFORMED"),
    "LED-010: a signature too many": (lambda real: unsigned_by(real, *real.signatures, *real.signatures), "MALFORMED"),
    "LED-010: a signature cut short": (lambda real: unsigned_by(real, real.signatures[0][:-1]), "SIGNATURE_INVALID"),
    "LED-010: a signature of zeros": (lambda real: unsigned_by(real, bytes(64)), "SIGNATURE_INVALID"),
    "LED-010: a signature with another bit": (
        lambda real: unsigned_by(real, real.signatures[0][:-1] + bytes([real.signatures[0][-1] ^ 1])),
        "SIGNATURE_INVALID",
    ),
    "LED-010: the signature of another key": (by_another_key, "SIGNATURE_INVALID"),
}


@pytest.mark.parametrize(("garble", "code"), GARBLED.values(), ids=GARBLED)
def test_garbled_copy_is_refused_alone_and_in_a_batch_and_the_real_one_goes_through(node, client, garble, code) -> None:
    """API-001, COD-001 to COD-005, LED-010, LED-012."""
    real, beside = add(client, node, "real"), add(client, node, "beside")
    height = client.status()["height"]
    garbled = garble(real)
    alone = post(node, garbled)
    assert (alone.json()["code"], alone.headers["content-type"]) == (code, PROBLEM)
    assert 400 <= alone.status_code < 500
    assert client.status()["height"] == height
    with pytest.raises(TransactionNotFoundError):
        client.receipt(real.id)
    together = post(node, encode([garbled, beside.encoded, real.encoded, garbled]), "/v1/transactions/batch").json()["results"]
    assert [result["status"] for result in together] == ["refused", "committed", "committed", "refused"]
    assert {together[0]["problem"]["code"], together[3]["problem"]["code"]} == {code}
    assert client.receipt(real.id)["receipt"]["code"] == "OK"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"network_id": bytes(32)}, "WRONG_NETWORK"),
        ({"valid_until_ms": 1_000}, "EXPIRED"),
        ({"valid_until_ms": 10**15}, "VALIDITY_TOO_FAR"),
        ({"gas_limit": 10**9}, "GAS_LIMIT_TOO_HIGH"),
    ],
)
def test_refused_transaction_in_a_batch_keeps_no_other_from_its_block(node, client, change, code) -> None:
    """LED-010, LED-021, API-004."""
    bad = sign_transaction(replace(add(client, node, "never").body, **change), [node.founder.key], client.chain_hash)
    good = add(client, node, "good")
    results = post(node, encode([bad.encoded, good.encoded]), "/v1/transactions/batch").json()["results"]
    assert (results[0]["status"], results[0]["problem"]["code"]) == ("refused", code)
    assert (results[1]["status"], results[1]["receipt"]["code"]) == ("committed", "OK")
    with pytest.raises(TransactionNotFoundError):
        client.receipt(bad.id)


def test_key_that_is_not_the_members_is_refused_by_name(node, client) -> None:
    """LED-020: whatever it signs."""
    stranger = MemberKey(node.founder.member, PrivateKey.generate(node.suite))
    made = client.build([stranger], [Call("counters", "add", {"name": "never", "amount": 1})])
    answer = post(node, made.encoded)
    assert (answer.status_code, answer.json()["code"]) == (403, "KEY_REVOKED")
    with pytest.raises(TransactionNotFoundError):
        client.receipt(made.id)


@pytest.mark.parametrize("end", [NodeProcess.stop, NodeProcess.kill], ids=["stopped", "killed"])
def test_same_transaction_after_a_restart_has_the_first_receipt(own_node, end) -> None:
    """API-005, LED-011: a node that was stopped, and one that was killed, knows what it has executed."""
    own_node.deploy("counters", COUNTERS)
    with own_node.client() as client:
        once = add(client, own_node, "once")
        first = client.submit(once)
    end(own_node)
    own_node.start()
    with own_node.client() as client:
        assert client.submit(once) == first
        assert [result.height for result in client.submit_batch([once, once])] == [first.height] * 2
        assert client.view("counters", "value", name="once") == 1
        head = client.status()["height"]
        assert client.submit(add(client, own_node, "once")).height == head + 1
    own_node.stop()
    assert yunhe_json("node", "check", str(own_node.folder), "--replay")["height"] == head + 1
