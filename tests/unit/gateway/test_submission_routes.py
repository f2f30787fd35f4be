"""What a node answers to submissions while its engine makes a block, or can take no more: API-004, API-005, API-008, API-009."""

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from tests.unit.gateway.served_node import CBOR, PROBLEM, serve
from tests.unit.node.open_node import DEADLINE_S, transaction
from yunhe.gateway import collector
from yunhe.ledger.admission import verify_signatures as verify
from yunhe.ledger.codec import decode, encode
from yunhe.ledger.transaction import Call, Transaction
from yunhe.limits import HTTP_BATCH_TRANSACTIONS_MAX, TRANSACTION_BYTES_MAX
from yunhe.node import Node, pending
from yunhe.node.node import clock_ms

MEMBER = "/v1/contracts/registry/tables/members/record?key=" + '["port","clerk"]'


def enrol(node: Node, member: str = "clerk") -> Transaction:
    """A transaction that makes a record."""
    key = transaction(node).body.signers[0]
    return transaction(node, "enrol_member", member=member, roles=[], suite=key.suite, public_key=bytes(31) + member[:1].encode())


async def post(client: httpx.AsyncClient, data: bytes, path: str = "/v1/transactions", **query: object) -> httpx.Response:
    return await client.post(path, content=data, headers=CBOR, params=query, timeout=DEADLINE_S)


class Gate:
    """Keeps the engine's thread before a step of the block in hand."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, owner: object, step: str) -> None:
        self.reached, self.opened = threading.Event(), threading.Event()
        real: Callable[..., object] = getattr(owner, step)

        def gated(*arguments: object) -> object:
            self.reached.set()
            assert self.opened.wait(DEADLINE_S)
            return real(*arguments)

        monkeypatch.setattr(owner, step, gated)

    async def wait(self) -> None:
        assert await asyncio.to_thread(self.reached.wait, DEADLINE_S)


@pytest.mark.parametrize("step", ["execute", "commit_many"])
def test_block_that_is_being_made_is_not_visible_before_it_is_durable(tmp_path: Path, monkeypatch, step) -> None:
    """API-009: neither while it is executed nor while it is written; API-004: and what waits for it is not called committed."""

    async def ask(node: Node, client: httpx.AsyncClient) -> None:
        gate = Gate(monkeypatch, node.executor if step == "execute" else node.store, step)
        made = enrol(node)
        try:
            answer = await post(client, made.encoded, wait_ms=1)
            assert (answer.status_code, answer.json()) == (202, {"id": made.id.hex(), "status": "accepted"})
            await gate.wait()
            assert (await client.get(MEMBER)).json()["code"] == "RECORD_NOT_FOUND"
            assert (await client.get(f"/v1/receipts/{made.id.hex()}")).json()["code"] == "TRANSACTION_NOT_FOUND"
            assert (await client.get("/v1/blocks")).json()["items"][0]["height"] == 0
            assert (await client.get("/v1/blocks/1")).json()["code"] == "BLOCK_NOT_FOUND"
            assert (await client.get("/v1/status")).json()["height"] == 0
        finally:
            gate.opened.set()
        answer = await post(client, made.encoded)
        assert (answer.status_code, answer.json()["status"], answer.json()["height"]) == (200, "committed", 1)
        assert (await client.get(MEMBER)).json()["fields"]["member"] == "clerk"
        assert (await client.get(f"/v1/receipts/{made.id.hex()}")).json()["height"] == 1

    serve(tmp_path, ask)


def test_view_answers_from_the_last_durable_block_and_says_which(tmp_path: Path, monkeypatch) -> None:
    """API-009."""

    async def ask(node: Node, client: httpx.AsyncClient) -> None:
        async def members() -> tuple[int, list[str]]:
            answer = (
                await client.post("/v1/contracts/registry/views/organisation_members", json={"arguments": {"organisation": "port"}})
            ).json()
            return answer["height"], [member["member"] for member in answer["result"]]

        assert await members() == (0, ["admin"])
        gate = Gate(monkeypatch, node.store, "commit_many")
        made = enrol(node)
        try:
            await post(client, made.encoded, wait="none")
            await gate.wait()
            assert await members() == (0, ["admin"])
        finally:
            gate.opened.set()
        await post(client, made.encoded)
        assert await members() == (1, ["admin", "clerk"])

    serve(tmp_path, ask)


def test_submission_answers_when_accepted_or_when_committed_as_it_asks(tmp_path: Path, monkeypatch) -> None:
    """API-004"""

    async def ask(node: Node, client: httpx.AsyncClient) -> None:
        gate = Gate(monkeypatch, node.store, "commit_many")
        first, second, third = (enrol(node, name) for name in ("a1", "b1", "c1"))
        accepted = await post(client, first.encoded, wait="none")
        assert (accepted.status_code, accepted.json()["status"]) == (202, "accepted")
        late = await post(client, encode([first.encoded, second.encoded]), "/v1/transactions/batch", wait_ms=1)
        assert [item["status"] for item in late.json()["results"]] == ["accepted", "accepted"]
        patient = asyncio.ensure_future(post(client, third.encoded))
        await gate.wait()
        assert not patient.done()
        gate.opened.set()
        answer = (await patient).json()
        assert (answer["status"], answer["receipt"]["code"]) == ("committed", "OK")

    serve(tmp_path, ask)


@pytest.mark.parametrize("wait", [{"wait": "maybe"}, {"wait_ms": 0}, {"wait_ms": -1}, {"wait_ms": 60_001}, {"wait_ms": "soon"}])
def test_submission_with_another_wait_is_refused_and_accepts_nothing(tmp_path: Path, wait) -> None:
    """API-004"""

    async def ask(node: Node, client: httpx.AsyncClient) -> None:
        made = enrol(node)
        answer = await post(client, made.encoded, **wait)
        assert (answer.status_code, answer.json()["code"], answer.headers["content-type"]) == (400, "REQUEST_INVALID", PROBLEM)
        assert next(iter(wait)) in answer.json()["detail"]
        assert node.find_waiting(made.id) is node.find_placed(made.id) is None

    serve(tmp_path, ask)


def test_batch_is_taken_up_to_its_limit(tmp_path: Path) -> None:
    """API-004: in the order of the array; what is no canonical array, empty or longer is refused whole."""

    async def ask(node: Node, client: httpx.AsyncClient) -> None:
        made = [transaction(node, salt=salt) for salt in range(HTTP_BATCH_TRANSACTIONS_MAX)]
        batch = [one.encoded for one in made]
        answer = await post(client, encode(batch), "/v1/transactions/batch")
        assert [(item["id"], item["status"]) for item in answer.json()["results"]] == [(one.id.hex(), "committed") for one in made]
        for items, code in (([], "MALFORMED"), ([*batch, batch[0]], "TOO_LARGE"), ({}, "MALFORMED"), ([1], "MALFORMED")):
            answer = await post(client, encode(items), "/v1/transactions/batch")
            assert (answer.json()["code"], answer.headers["content-type"]) == (code, PROBLEM)

    serve(tmp_path, ask)


def test_too_much_at_once_is_refused_and_displaces_nothing(tmp_path: Path, monkeypatch) -> None:
    """API-008, API-005: the caller learns when to come back; what waits goes on waiting, and its retry is still answered."""
    monkeypatch.setattr(pending, "PENDING_TRANSACTIONS_MAX", 3)

    async def ask(node: Node, client: httpx.AsyncClient) -> None:
        gate = Gate(monkeypatch, node.store, "commit_many")
        waiting = [transaction(node, salt=salt) for salt in range(3)]
        late = transaction(node, salt=3)
        try:
            answer = await post(client, encode([t.encoded for t in waiting]), "/v1/transactions/batch", wait="none")
            assert [item["status"] for item in answer.json()["results"]] == ["accepted"] * 3
            refused = await post(client, late.encoded)
            assert (refused.status_code, refused.json()["code"], refused.headers["content-type"]) == (503, "OVERLOADED", PROBLEM)
            assert int(refused.headers["retry-after"]) >= 1
            # A batch of which nothing is taken is refused as a whole.
            whole = await post(client, encode([late.encoded, transaction(node, salt=4).encoded]), "/v1/transactions/batch")
            assert (whole.status_code, whole.json()["code"], whole.headers["retry-after"]) == (503, "OVERLOADED", "1")
            # One batch: a transaction that waits, one that is refused for itself, and one too many.
            verified: list[bytes] = []
            monkeypatch.setattr(collector, "verify_signatures", lambda given: (verified.extend(t.id for t in given), verify(given))[1])
            mixed = await post(client, encode([waiting[0].encoded, b"garbage", late.encoded]), "/v1/transactions/batch", wait="none")
            # Nothing is spent on signatures of what cannot be taken.
            assert verified == [waiting[0].id]
            assert int(mixed.headers["retry-after"]) >= 1
            assert [item["status"] for item in mixed.json()["results"]] == ["accepted", "refused", "refused"]
            assert [item.get("problem", {}).get("code") for item in mixed.json()["results"]] == [None, "NOT_CANONICAL", "OVERLOADED"]
            assert node.status().waiting == 3
        finally:
            gate.opened.set()
        for made in waiting:
            assert (await post(client, made.encoded)).json()["status"] == "committed"
        assert (await post(client, late.encoded)).json()["status"] == "committed"

    serve(tmp_path, ask)


def test_batch_is_accepted_as_far_as_there_is_room(tmp_path: Path, monkeypatch) -> None:
    """API-008: in the order in which its transactions stand there."""
    monkeypatch.setattr(pending, "PENDING_TRANSACTIONS_MAX", 2)

    async def ask(node: Node, client: httpx.AsyncClient) -> None:
        gate = Gate(monkeypatch, node.store, "commit_many")
        made = [transaction(node, salt=salt) for salt in range(3)]
        try:
            answer = await post(client, encode([t.encoded for t in made]), "/v1/transactions/batch", wait="none")
            assert [item["status"] for item in answer.json()["results"]] == ["accepted", "accepted", "refused"]
        finally:
            gate.opened.set()
        for each in made:
            assert (await post(client, each.encoded)).json()["status"] == "committed"

    serve(tmp_path, ask)


@pytest.mark.parametrize("twin_first", [False, True])
def test_malformed_twin_neither_takes_nor_frees_the_place_of_a_transaction(tmp_path: Path, monkeypatch, twin_first: bool) -> None:
    """API-008: a body with its signatures left out has the same id."""
    monkeypatch.setattr(pending, "PENDING_TRANSACTIONS_MAX", 2)

    async def ask(node: Node, client: httpx.AsyncClient) -> None:
        made = [transaction(node, salt=salt) for salt in range(3)]
        body, _ = decode(made[0].encoded, TRANSACTION_BYTES_MAX)
        pair = [(made[0].encoded, None), (encode([body, []]), "MALFORMED")]
        batch = [*(reversed(pair) if twin_first else pair), (made[1].encoded, None), (made[2].encoded, "OVERLOADED")]
        answer = await post(client, encode([data for data, _ in batch]), "/v1/transactions/batch")
        assert [item.get("problem", {}).get("code") for item in answer.json()["results"]] == [code for _, code in batch]

    serve(tmp_path, ask)


def test_as_much_as_may_wait_is_accepted(tmp_path: Path, monkeypatch) -> None:
    """API-008"""
    monkeypatch.setattr(pending, "PENDING_TRANSACTIONS_MAX", 3)

    async def ask(node: Node, client: httpx.AsyncClient) -> None:
        for begin in (0, 3, 6):
            made = [transaction(node, salt=begin + salt).encoded for salt in range(3)]
            answer = await post(client, encode(made), "/v1/transactions/batch")
            assert [item["status"] for item in answer.json()["results"]] == ["committed"] * 3

    serve(tmp_path, ask)


def test_clock_that_was_set_forward_and_back_refuses_by_name_and_drops_nothing(tmp_path: Path) -> None:
    """ENG-002: time goes on from the last block, so what is too old by that is refused at once, and what is accepted is committed."""
    now = [clock_ms()]
    day = 24 * 60 * 60 * 1000

    async def ask(node: Node, client: httpx.AsyncClient) -> None:
        first = await post(client, enrol(node, "a1").encoded)
        now[0] += day
        ahead = await post(client, enrol(node, "b1").encoded)
        assert [answer.status_code for answer in (first, ahead)] == [200, 200]
        in_time = enrol(node, "c1")
        now[0] -= day
        late = await post(client, enrol(node, "d1").encoded)
        assert (late.status_code, late.json()["code"]) == (400, "EXPIRED")
        assert node.status().waiting == 0
        assert node.simulator.simulate([("port", "admin")], [Call("registry", "none", {})], 1_000_000).outcome.code == "ACTION_NOT_FOUND"
        done = await post(client, in_time.encoded)
        assert (done.status_code, done.json()["status"]) == (200, "committed")
        assert node.store.header(3).time_ms == node.store.header(2).time_ms + 1
        now[0] += 2 * day
        assert (await post(client, enrol(node, "e1").encoded)).json()["status"] == "committed"

    serve(tmp_path, ask, clock=lambda: now[0])
