"""What a real node answers to good and bad submissions, over HTTP."""

import time
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.e2e.node_process import PASSPHRASE, NodeProcess
from yunhe.crypto import PrivateKey, suite_names
from yunhe.errors import (
    ExpiredError,
    InvalidSignatureError,
    KeyRevokedError,
    NotEnrolledError,
    TokenWrongError,
    TooLargeError,
    UnknownSuiteError,
    ValidityTooFarError,
    WrongNetworkError,
)
from yunhe.ledger.codec import encode
from yunhe.ledger.transaction import TransactionBody, assemble_transaction, sign_transaction
from yunhe.limits import HTTP_BODY_BYTES_MAX
from yunhe.sdk import Call, Client, Member, MemberKey, TransactionRefusedError, create_key_file

COUNTERS = (Path(__file__).parent / "counters.py").read_text()
CBOR = {"Content-Type": "application/cbor"}


@pytest.fixture(scope="module")
def node(shared_node: NodeProcess) -> NodeProcess:
    shared_node.deploy("counters", COUNTERS)
    return shared_node


@pytest.fixture
def client(node: NodeProcess):
    with node.client() as client:
        yield client


def add(name: str, amount: int = 1) -> Call:
    return Call("counters", "add", {"name": name, "amount": amount})


def resigned(client: Client, key: MemberKey, **changes: object):
    """A transaction whose body differs from a good one in some fields, signed properly."""
    body = replace(client.build([key], [add("never")]).body, **changes)
    return sign_transaction(body, [key.key], client.chain_hash)


def test_submit_valid_transaction_has_its_receipt_transaction_and_block(node, client):
    """API-004 accepted."""
    transaction = client.build([node.founder], [add("a", 5), add("a", 2)])
    submitted = client.submit(transaction)
    assert (submitted.status, submitted.code, submitted.results) == ("committed", "OK", [5, 7])
    assert client.receipt(transaction.id)["receipt"] == submitted.receipt
    shown = client.transaction(transaction.id)
    assert shown["height"] == submitted.height
    assert shown["transaction"]["calls"][0] == {"contract": "counters", "action": "add", "arguments": {"name": "a", "amount": 5}}
    assert transaction.id.hex() in client.block(submitted.height)["transaction_ids"]
    assert client.record("counters", "counters", ["a"])["fields"] == {"name": "a", "value": 7}
    assert client.view("counters", "value", name="a") == 7


def test_submit_refused_by_the_rules_has_a_receipt_and_changes_nothing(node, client):
    """LED-022: the second call fails, so the first has no effect."""
    submitted = client.submit(client.build([node.founder], [add("both"), add("both", -1)]))
    assert (submitted.code, submitted.receipt["call_index"], submitted.results) == ("AMOUNT_NOT_POSITIVE", 1, [])
    assert list(client.records("counters", "counters", ["both"])) == []


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"network_id": bytes(32)}, WrongNetworkError),
        ({"valid_until_ms": 1_000}, ExpiredError),
        ({"valid_until_ms": 10**15}, ValidityTooFarError),
    ],
)
def test_submit_outside_validity_is_refused_by_name(node, client, change, error):
    """LED-010 at the gateway."""
    with pytest.raises(error):
        client.submit(resigned(client, node.founder, **change))


def test_submit_wrong_signature_is_refused_and_the_real_one_goes_through(node, client):
    """LED-012 at the gateway."""
    real = client.build([node.founder], [add("real")])
    with pytest.raises(InvalidSignatureError):
        client.submit(assemble_transaction(real.body_bytes, [bytes(64)], client.chain_hash))
    assert client.submit(real).code == "OK"


def test_submit_unknown_suite_is_refused_by_name(node, client):
    """LED-010 at the gateway."""
    good = client.build([node.founder], [add("never")])
    signer = replace(good.body.signers[0], suite="rot13")
    body = replace(good.body, signers=(signer,)).encode()
    with pytest.raises(UnknownSuiteError):
        client.submit(assemble_transaction(body, [bytes(64)], client.chain_hash))


def test_submit_suite_that_the_ledger_does_not_allow_is_refused_by_name(node, client):
    """LED-010: a suite that the node knows, before any vote for it."""
    (other,) = set(suite_names()) - {node.suite}
    stranger = MemberKey(node.founder.member, PrivateKey.generate(other))
    with pytest.raises(UnknownSuiteError, match="a vote"):
        client.submit(client.build([stranger], [add("never")]))


def test_submit_by_someone_never_enrolled_is_refused_by_name(node, client):
    """LED-020 at the gateway."""
    stranger = MemberKey(Member("ghost", "nobody"), PrivateKey.generate(node.suite))
    with pytest.raises(NotEnrolledError):
        client.submit(client.build([stranger], [add("never")]))


def test_submit_with_a_revoked_key_is_refused_by_name(node, client, tmp_path):
    """LED-020, SYS-003: at the gateway when it is known, in a receipt when it was revoked on the way."""
    clerk = create_key_file(tmp_path / "clerk.pem", Member("port", "clerk"), PASSPHRASE, node.suite).open(PASSPHRASE)
    public = clerk.signer.public_key
    client.call(node.founder, "registry", "enrol_member", member="clerk", roles=[], suite=clerk.key.suite, public_key=public)
    assert client.submit(client.build([clerk], [add("clerk")])).code == "OK"
    # One batch: the revocation and, behind it, a transaction that was fine when it was accepted.
    revoke = client.build([node.founder], [Call("registry", "revoke_key", {"member": "clerk", "public_key": public})])
    late = client.build([clerk], [add("clerk")])
    results = client.submit_batch([revoke, late])
    assert [result.code for result in results] == ["OK", "KEY_REVOKED"]
    assert client.receipt(late.id)["receipt"]["code"] == "KEY_REVOKED"
    with pytest.raises(KeyRevokedError):
        client.submit(client.build([clerk], [add("clerk")]))


def test_submit_same_transaction_again_answers_with_the_first_receipt(node, client):
    """API-005: in one batch, in two batches, and after its validity."""
    once = client.build([node.founder], [add("once")])
    brief = client.build([node.founder], [add("once")], valid_for_ms=1500)
    first = client.submit_batch([once, once, brief])
    again = client.submit_batch([once])
    assert {(result.height, result.position) for result in (first[0], first[1], again[0])} == {(first[0].height, first[0].position)}
    while time.time_ns() // 1_000_000 <= brief.body.valid_until_ms:
        time.sleep(0.05)
    assert client.submit(brief) == first[2]
    assert client.view("counters", "value", name="once") == 2


def test_submit_batch_judges_each_for_itself(node, client):
    good = [client.build([node.founder], [add("batch")]) for _ in range(3)]
    body = encode([good[0].encoded, b"garbage", good[1].encoded, encode([good[2].body_bytes, [bytes(64)]])])
    answer = httpx.post(
        f"{node.address}/v1/transactions/batch", content=body, headers=CBOR | {"Authorization": f"Bearer {node.token}"}, timeout=30
    ).json()["results"]
    assert [item["status"] for item in answer] == ["committed", "refused", "committed", "refused"]
    assert [item.get("problem", {}).get("code") for item in answer] == [None, "NOT_CANONICAL", None, "SIGNATURE_INVALID"]


@pytest.mark.parametrize(("action", "code"), [("loop", "OUT_OF_GAS"), ("allocate", "OUT_OF_MEMORY"), ("fault", "CONTRACT_FAULT")])
def test_misbehaving_contract_gets_a_failed_receipt_and_harms_nobody(node, client, action, code):
    # Enough gas for the memory, which costs gas as well.
    bad = client.build([node.founder], [Call("counters", action, {"name": action})], gas_limit=50_000_000)
    good = [client.build([node.founder], [add("beside")]) for _ in range(2)]
    results = client.submit_batch([good[0], bad, good[1]])
    assert [result.code for result in results] == ["OK", code, "OK"]
    assert list(client.records("counters", "counters", [action])) == []


def test_call_of_what_is_not_there_is_refused_with_a_receipt(node, client):
    for contract, action, arguments, code in (
        ("nothing", "add", {}, "CONTRACT_NOT_FOUND"),
        ("counters", "nothing", {}, "ACTION_NOT_FOUND"),
        ("counters", "add", {"name": 5, "amount": 1}, "ARGUMENTS_INVALID"),
        ("counters", "value", {"name": "a"}, "ACTION_NOT_FOUND"),
    ):
        with pytest.raises(TransactionRefusedError) as refused:
            client.call(node.founder, contract, action, **arguments)
        assert refused.value.receipt_code == code


def test_request_without_the_token_is_refused(node):
    """API-002: refused without, accepted where no token is needed."""
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": node.token}):
        answer = httpx.get(f"{node.address}/v1/status", headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (401, "TOKEN_WRONG")
        assert answer.headers["content-type"] == "application/problem+json"
    with Client(node.address, "wrong", timeout_s=1) as client, pytest.raises(TokenWrongError):
        client.status()
    assert httpx.get(f"{node.address}/v1/health").json()["status"] == "running"
    assert httpx.get(f"{node.address}/v1/version").status_code == 200


def test_request_over_the_size_limit_is_refused(node, client):
    """API-003: with a stated length and without."""
    headers = CBOR | {"Authorization": f"Bearer {node.token}"}
    large = bytes(HTTP_BODY_BYTES_MAX + 1)
    stated = httpx.post(f"{node.address}/v1/transactions", content=large, headers=headers)
    chunked = httpx.post(f"{node.address}/v1/transactions", content=iter([large[: 2**20]] * 9), headers=headers)
    assert [answer.json()["code"] for answer in (stated, chunked)] == ["TOO_LARGE", "TOO_LARGE"]
    with pytest.raises(TooLargeError):
        client.build([node.founder], [Call("counters", "add", {"name": "x" * 300_000, "amount": 1})])


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    path=st.sampled_from(
        [
            "/v1/transactions",
            "/v1/transactions/batch",
            "/v1/proofs",
            "/v1/contracts/counters/views/value/cbor",
            "/v1/contracts/counters/views/value",
        ]
    ),
    body=st.binary(max_size=200) | st.just(b"\x81" * 5000) | st.just(b"\x9b" + b"\xff" * 8) | st.just(b'{"subjects":' + b"[" * 5000),
)
def test_any_bytes_in_a_body_get_a_refusal_of_the_400_class(node, path, body):
    """API-001."""
    answer = httpx.post(
        node.address + path,
        content=body,
        headers={
            "Authorization": f"Bearer {node.token}",
            "Content-Type": "application/json" if path.endswith(("proofs", "value")) else CBOR["Content-Type"],
        },
    )
    assert 400 <= answer.status_code < 500, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"]


@pytest.mark.parametrize(
    "path",
    [
        "/v1/transactions/zz",
        "/v1/transactions/" + "0" * 64,
        "/v1/receipts/" + "F" * 64,
        "/v1/blocks/999999999",
        "/v1/blocks/-1",
        "/v1/blocks/99999999999999999999999",
        "/v1/blocks?limit=0",
        "/v1/blocks?limit=100000",
        "/v1/contracts/counters/tables/counters/record",
        "/v1/contracts/counters/tables/counters/record?key=",
        "/v1/contracts/counters/tables/counters/record?key=[1.5]",
        "/v1/contracts/counters/tables/counters/record?key=[99999999999999999999]",
        "/v1/contracts/counters/tables/counters/record?key=" + "[" * 2000,
        '/v1/contracts/counters/tables/counters/record?key=["0xzz"]',
        '/v1/contracts/counters/tables/counters/record?key=["\\ud800"]',
        "/v1/contracts/Counters/tables/counters/records",
        "/v1/contracts/counters/tables/counters/records?cursor=00",
        "/v1/contracts/counters/tables/counters/records?cursor=xyz",
        "/v1/nothing",
        "/%ff",
    ],
)
def test_any_path_gets_a_problem_and_never_a_500(node, path):
    """API-001."""
    answer = httpx.get(node.address + path, headers={"Authorization": f"Bearer {node.token}"})
    assert 400 <= answer.status_code < 500, answer.text
    assert answer.headers["content-type"] == "application/problem+json"


def test_list_pages_follow_one_another(node, client):
    """API-006."""
    names = [f"page{n:03d}" for n in range(25)]
    client.submit_batch([client.build([node.founder], [add(name)]) for name in names])
    headers = {"Authorization": f"Bearer {node.token}"}
    for reverse in (False, True):
        seen: list[str] = []
        parameters = {"limit": "7", "reverse": str(reverse).lower()}
        while True:
            page = httpx.get(f"{node.address}/v1/contracts/counters/tables/counters/records", params=parameters, headers=headers).json()
            seen += [item["fields"]["name"] for item in page["items"]]
            if page["next"] is None:
                break
            parameters["cursor"] = page["next"]
        assert [name for name in seen if name in names] == sorted(names, reverse=reverse)
        assert len(set(seen)) == len(seen)
    heights = [header["height"] for header in client.blocks(1000)]
    assert heights == list(range(heights[0], -1, -1))


def test_view_that_never_ends_is_refused_and_harms_nobody(node, client):
    client.submit(client.build([node.founder], [add("calm")]))
    with pytest.raises(Exception, match=r"OUT_OF_GAS|not answered"):
        client.view("counters", "spin")
    assert client.view("counters", "value", name="calm") == 1


def test_body_decoded_by_the_node_is_the_body_that_was_signed(node, client):
    transaction = client.build([node.founder], [add("same")])
    client.submit(transaction)
    assert TransactionBody.decode(transaction.body_bytes) == transaction.body
    assert client.transaction(transaction.id)["transaction"]["signatures"] == [s.hex() for s in transaction.signatures]
