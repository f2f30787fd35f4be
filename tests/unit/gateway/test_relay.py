"""Transactions without a token, over HTTP: API-021."""

import base64
from functools import partial
from pathlib import Path

import httpx
import pytest

from tests.unit.gateway.served_node import CBOR, PROBLEM, serve
from tests.unit.gateway.test_submission_routes import Gate, enrol
from tests.unit.node import open_node
from tests.unit.node.open_node import DEADLINE_S, transaction
from yunhe.crypto import SHA256, SM3, PrivateKey
from yunhe.gateway import collector, relay
from yunhe.ledger.admission import verify_signatures as verify
from yunhe.ledger.codec import decode, encode
from yunhe.ledger.transaction import Transaction
from yunhe.limits import HTTP_OPEN_BODY_BYTES_MAX, QUOTA_BURST_S, TRANSACTION_BYTES_MAX
from yunhe.node import NewNetwork, Node

OTHER = {"organisation": "bank", "title": "Bank", "admin": "admin"}
CHAIN_HASHES = {"ed25519-sha256": SHA256, "sm2-sm3": SM3}


async def hand_in(client: httpx.AsyncClient, data: bytes, **query: object) -> httpx.Response:
    """Relay bytes as a stranger."""
    client.headers.pop("Authorization", None)
    return await client.post("/v1/relay", content=data, headers=CBOR, params=query, timeout=DEADLINE_S)


def forged(made: Transaction, other: Transaction) -> bytes:
    """Return a transaction with the signature of another one."""
    body, _ = decode(made.encoded, TRANSACTION_BYTES_MAX)
    return encode([body, list(other.signatures)])


@pytest.fixture(params=["ed25519-sha256", "sm2-sm3"])
def _suite(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """All keys of a suite, and the chain hash that goes with it."""
    suite = request.param
    monkeypatch.setattr(open_node, "SUITE", suite)
    monkeypatch.setattr(open_node, "ADMIN", PrivateKey(suite, bytes([7]) * 32))
    monkeypatch.setattr(open_node, "NewNetwork", partial(NewNetwork, suites=(suite,), chain_hash=CHAIN_HASHES[suite]))


def relayed(node: Node) -> dict[str, float]:
    """Return how many were counted, by outcome."""
    found = [family for family in node.metrics.families() if family.name == "yunhe_relayed_transactions"]
    return {s.labels["outcome"]: s.value for s in found[0].samples if s.name.endswith("_total")}


@pytest.mark.usefixtures("_suite")
def test_unknown_member_is_refused_before_a_signature_is_verified(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """API-021 refused: whom the ledger does not know costs no verification."""
    verified: list[bytes] = []
    monkeypatch.setattr(collector, "verify_signatures", lambda given: (verified.extend(t.id for t in given), verify(given))[1])

    async def ask(node: Node, client: httpx.AsyncClient) -> None:
        stranger = transaction(node, sender="nobody")
        for data, code in ((stranger.encoded, "NOT_ENROLLED"), (b"garbage", "NOT_CANONICAL"), (b"", "NOT_CANONICAL")):
            answer = await hand_in(client, data)
            assert answer.json()["code"] == code
            assert answer.headers["content-type"] == PROBLEM
        assert verified == []
        assert relayed(node) == {"accepted": 0, "refused": 3}

    serve(tmp_path, ask)


@pytest.mark.usefixtures("_suite")
def test_member_of_any_organisation_is_taken_without_a_token(tmp_path: Path) -> None:
    """API-021 accepted: in either form of the body, and sent again it is answered with the first receipt (API-005)."""

    async def ask(node: Node, client: httpx.AsyncClient) -> None:
        key = transaction(node).body.signers[0]
        admitted = transaction(node, "propose_admission", contract="governance", public_key=key.public_key, suite=key.suite, **OTHER)
        assert (await hand_in(client, admitted.encoded)).json()["receipt"]["code"] == "OK"
        made = transaction(node, "set_member", sender="bank", member="admin", roles=["admin"], status="active", salt=1)
        answer = await client.post(
            "/v1/relay", content=base64.b64encode(made.encoded), headers={"Content-Type": "text/plain"}, timeout=DEADLINE_S
        )
        assert (answer.status_code, answer.json()["status"], answer.json()["receipt"]["code"]) == (200, "committed", "OK")
        assert (await hand_in(client, made.encoded)).json()["height"] == answer.json()["height"]
        later = await hand_in(client, transaction(node, salt=2).encoded, wait="none")
        assert (later.status_code, later.json()["status"]) == (202, "accepted")

    serve(tmp_path, ask)


@pytest.mark.usefixtures("_suite")
def test_forged_signature_is_refused_and_uses_up_nobodys_quota(tmp_path: Path) -> None:
    """API-021 refused: by the signature; then the member itself is taken, as far as its quota goes."""

    async def ask(node: Node, client: httpx.AsyncClient) -> None:
        for salt in range(5):
            answer = await hand_in(client, forged(transaction(node, salt=salt), transaction(node, salt=50)))
            assert answer.json()["code"] == "SIGNATURE_INVALID"
        codes = []
        for salt in range(QUOTA_BURST_S + 4):
            answer = await hand_in(client, transaction(node, salt=100 + salt).encoded, wait="none")
            codes.append(answer.status_code)
        assert codes[:QUOTA_BURST_S] == [202] * QUOTA_BURST_S
        assert (codes[-1], answer.json()["code"], answer.headers["retry-after"]) == (429, "QUOTA_EXCEEDED", "1")

    serve(tmp_path, ask, relay_rate_max=1)


def test_relay_that_is_off_takes_nothing(tmp_path: Path) -> None:
    """API-021 refused."""

    async def ask(node: Node, client: httpx.AsyncClient) -> None:
        answer = await hand_in(client, transaction(node).encoded)
        assert (answer.status_code, answer.json()["code"]) == (403, "RELAY_OFF")

    serve(tmp_path, ask, relay_rate_max=0)


def test_what_all_strangers_have_under_way_is_bounded_and_leaves_room_for_tokens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """API-021 refused: until one of them has its block."""
    monkeypatch.setattr(relay, "RELAYED_MAX", 2)

    async def ask(node: Node, client: httpx.AsyncClient) -> None:
        token = client.headers["Authorization"]
        gate = Gate(monkeypatch, node.store, "commit_many")
        waiting = [transaction(node, salt=salt) for salt in range(2)]
        try:
            for made in waiting:
                assert (await hand_in(client, made.encoded, wait="none")).status_code == 202
            refused = await hand_in(client, transaction(node, salt=3).encoded)
            assert (refused.status_code, refused.json()["code"], refused.headers["retry-after"]) == (503, "OVERLOADED", "1")
            answer = await client.post(
                "/v1/transactions", content=enrol(node).encoded, headers=CBOR | {"Authorization": token}, params={"wait": "none"}
            )
            assert answer.status_code == 202
        finally:
            gate.opened.set()
        for made in waiting:
            await client.post("/v1/transactions", content=made.encoded, headers=CBOR | {"Authorization": token}, timeout=DEADLINE_S)
        # Refusals and repetitions give their places back as well.
        for data in (*[made.encoded for made in waiting], b"garbage", b"garbage", transaction(node, salt=3).encoded):
            answer = await hand_in(client, data)
        assert answer.json()["status"] == "committed"

    serve(tmp_path, ask)


def test_body_of_a_stranger_is_small(tmp_path: Path) -> None:
    """API-003 refused: no more is kept for those who show no token, with a stated length or without."""

    async def chunks(count: int):
        for _ in range(count):
            yield bytes(64 * 1024)

    async def ask(_node: Node, client: httpx.AsyncClient) -> None:
        size = HTTP_OPEN_BODY_BYTES_MAX // (64 * 1024)
        for content in (bytes(HTTP_OPEN_BODY_BYTES_MAX + 1), chunks(size + 1)):
            answer = await client.post("/v1/relay", content=content, headers=CBOR)
            assert (answer.status_code, answer.json()["code"]) == (413, "TOO_LARGE")
        assert (await hand_in(client, bytes(HTTP_OPEN_BODY_BYTES_MAX))).json()["code"] in ("NOT_CANONICAL", "TOO_LARGE")

    serve(tmp_path, ask)
