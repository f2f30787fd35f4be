"""Quotas of transactions, counted by a clock of the test's, and over HTTP: API-020."""

from pathlib import Path

import httpx
import pytest

from tests.unit.gateway.served_node import CBOR, PROBLEM, serve
from tests.unit.node.open_node import DEADLINE_S, transaction
from yunhe.errors import QuotaExceededError
from yunhe.gateway.quotas import Quota
from yunhe.ledger.codec import encode
from yunhe.limits import QUOTA_BURST_S
from yunhe.node import Node


class Clock:
    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_name_that_hands_in_no_more_than_its_rate_is_never_refused(clock: Clock) -> None:
    """API-020 accepted."""
    quota = Quota("the token", 10, clock)
    for _ in range(200):
        quota.take("shop")
        clock.now_s += 0.1


def test_burst_is_taken_ahead_and_paid_back_by_time(clock: Clock) -> None:
    quota = Quota("the token", 8, clock)
    for _ in range(8 * QUOTA_BURST_S):
        quota.take("shop")
    with pytest.raises(QuotaExceededError, match=r"the token shop .* 8 transactions a second"):
        quota.take("shop")
    quota.take("another")
    clock.now_s += 0.125
    quota.take("shop")


def test_large_batch_is_taken_whole_and_paid_for_before_the_next(clock: Clock) -> None:
    quota = Quota("the token", 10, clock)
    quota.take("shop", 1000)
    clock.now_s += 100 - QUOTA_BURST_S - 0.1
    with pytest.raises(QuotaExceededError):
        quota.take("shop")
    clock.now_s += 0.2
    quota.take("shop")


def test_quota_of_nothing_is_no_quota(clock: Clock) -> None:
    quota = Quota("the token", 0, clock)
    for _ in range(10):
        quota.take("shop", 10**9)


def test_names_that_owe_nothing_are_forgotten_and_others_are_not(clock: Clock) -> None:
    quota = Quota("the member", 10, clock)
    quota.take("debtor", 10**6)
    for number in range(25_000):
        quota.take(f"n{number}")
        clock.now_s += 0.2
    assert len(quota._paid_at) <= 10_000
    with pytest.raises(QuotaExceededError):
        quota.take("debtor")


async def post(client: httpx.AsyncClient, data: bytes, path: str = "/v1/transactions") -> httpx.Response:
    return await client.post(path, content=data, headers=CBOR, params={"wait": "none"}, timeout=DEADLINE_S)


def test_token_beyond_its_quota_is_refused_before_a_transaction_is_decoded(tmp_path: Path) -> None:
    """API-020 refused."""

    async def ask(node: Node, client: httpx.AsyncClient) -> None:
        batch = encode([transaction(node, salt=salt).encoded for salt in range(30)])
        taken = await post(client, batch, "/v1/transactions/batch")
        assert [item["status"] for item in taken.json()["results"]] == ["accepted"] * 30
        for data, path in ((b"garbage", "/v1/transactions"), (encode([b"garbage"]), "/v1/transactions/batch")):
            refused = await post(client, data, path)
            assert (refused.status_code, refused.json()["code"], refused.headers["content-type"]) == (429, "QUOTA_EXCEEDED", PROBLEM)
            assert int(refused.headers["retry-after"]) >= 1
        assert (await client.get("/v1/status")).status_code == 200

    serve(tmp_path, ask, token_rate_max=1)


def test_member_beyond_its_quota_is_refused_and_what_it_sent_before_is_answered(tmp_path: Path) -> None:
    """API-020 refused, and accepted what is sent again."""

    async def ask(node: Node, client: httpx.AsyncClient) -> None:
        made = [transaction(node, salt=salt) for salt in range(QUOTA_BURST_S + 2)]
        # Time goes on between them, so the last one of the burst is begun before all of it is owed.
        taken = (await post(client, encode([t.encoded for t in made]), "/v1/transactions/batch")).json()["results"]
        assert [item["status"] for item in taken] == ["accepted"] * (QUOTA_BURST_S + 1) + ["refused"]
        assert taken[-1]["problem"]["code"] == "QUOTA_EXCEEDED"
        again = await client.post("/v1/transactions", content=made[0].encoded, headers=CBOR, timeout=DEADLINE_S)
        assert (again.status_code, again.json()["status"]) == (200, "committed")

    serve(tmp_path, ask, member_rate_max=1)
