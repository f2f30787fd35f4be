"""What a node does with transactions that it accepted and that come to nothing: whoever waits is told, and none waits for ever."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from tests.unit.node.open_node import ADMIN, DEADLINE_S, make_folder, run_node, transaction
from yunhe.crypto import PrivateKey
from yunhe.errors import ExpiredError, NodeStoppingError, NotPermittedError, OverloadedError
from yunhe.ledger.transaction import Transaction, sign_transaction
from yunhe.limits import ENGINE_QUEUE_ENVELOPES_MAX
from yunhe.node import Node, Placed
from yunhe.node.node import clock_ms


def test_submit_to_a_full_engine_is_refused_and_leaves_nothing_waiting(tmp_path: Path) -> None:
    """ENG-006, API-008: the caller is told at once, and can try again."""

    async def fill(node: Node) -> None:
        for salt in range(ENGINE_QUEUE_ENVELOPES_MAX):
            node.submit([transaction(node, salt=salt)])
        late = transaction(node, salt=ENGINE_QUEUE_ENVELOPES_MAX)
        for _ in range(2):
            (future,) = node.submit([late])
            with pytest.raises(OverloadedError):
                await asyncio.wait_for(future, DEADLINE_S)
            assert node.find_waiting(late.id) is None
        assert node.status().waiting == ENGINE_QUEUE_ENVELOPES_MAX

    run_node(make_folder(tmp_path / "node"), fill)


def test_transactions_of_a_node_whose_key_was_changed_are_told_that_they_were_dropped(tmp_path: Path) -> None:
    """COD-041: the envelope is dropped whole, and everyone whose transaction is in it hears of it."""
    other = PrivateKey.generate().public_key

    async def change_key(node: Node) -> None:
        change = transaction(node, "set_node", node="node1", suite=other.suite, public_key=other.raw, status="active")
        (changed,) = node.submit([change])
        node.start()
        assert (await asyncio.wait_for(changed, DEADLINE_S)).receipt.outcome.code == "OK"
        for future in node.submit([transaction(node, salt=1), transaction(node, salt=2)]):
            with pytest.raises(NotPermittedError):
                await asyncio.wait_for(future, DEADLINE_S)
        assert node.status().waiting == 0

    run_node(make_folder(tmp_path / "node"), change_key)


def test_retry_that_was_checked_before_its_first_try_was_committed_has_the_first_receipt(tmp_path: Path) -> None:
    """API-005, LED-011: submitted twice on the way between gateway and engine; executed once, and both are told of the one place."""

    async def retry(node: Node) -> None:
        node.start()
        again = transaction(node)
        (first,) = node.submit([again])
        placed = await asyncio.wait_for(first, DEADLINE_S)
        (second,) = node.submit([again])
        assert await asyncio.wait_for(second, DEADLINE_S) == placed
        assert node.head().height == 1

    run_node(make_folder(tmp_path / "node"), retry)


def test_transactions_that_wait_when_the_node_stops_are_refused_to_their_owners(tmp_path: Path) -> None:
    """ENG-009 refused: the engine drops what waits, and whoever waits for it can try again elsewhere or later."""
    waiting: list[asyncio.Future[Placed]] = []

    async def submit(node: Node) -> None:
        waiting.extend(node.submit([transaction(node, salt=1), transaction(node, salt=2)]))

    run_node(make_folder(tmp_path / "node"), submit)
    assert [type(future.exception()) for future in waiting] == [NodeStoppingError] * 2


class Clock:
    """The node's, which a test sets."""

    def __init__(self) -> None:
        self.ahead_ms = 0

    def __call__(self) -> int:
        return clock_ms() + self.ahead_ms


def early(node: Node, salt: int, by_ms: int) -> Transaction:
    """A transaction that is valid for longer than the window allows, by so much."""
    window_ms = node.genesis.parameters["validity_window_ms"]
    body = replace(transaction(node, salt=salt).body, valid_until_ms=node.clock() + window_ms + by_ms)
    return sign_transaction(body, [ADMIN], node.genesis.chain_hash)


def test_transaction_that_a_block_had_too_early_takes_effect_in_a_later_one(tmp_path: Path) -> None:
    """NET-039 accepted: it waits for two blocks that are too early, and its owner with it."""
    clock = Clock()

    async def submit(node: Node) -> None:
        node.start()
        sent = early(node, 1, by_ms=60_000)
        (future,) = node.submit([sent])
        async with asyncio.timeout(DEADLINE_S):
            while node.store.engine_height < 2:  # noqa: ASYNC110  # of threads beside, which announce nothing
                await asyncio.sleep(0.01)
        assert node.find_waiting(sent.id) is future
        clock.ahead_ms = 60_000
        assert (await asyncio.wait_for(future, DEADLINE_S)).receipt.transaction_id == sent.id

    run_node(make_folder(tmp_path / "node"), submit, clock)


def test_transaction_that_was_too_early_is_given_up_when_its_time_is_over(tmp_path: Path) -> None:
    """NET-039 refused: the clock was set right at last, and by too much."""
    clock = Clock()

    async def submit(node: Node) -> None:
        node.start()
        (future,) = node.submit([early(node, 1, by_ms=60_000)])
        async with asyncio.timeout(DEADLINE_S):
            while node.store.engine_height < 1:  # noqa: ASYNC110  # as above
                await asyncio.sleep(0.01)
        clock.ahead_ms = 10**8
        with pytest.raises(ExpiredError):
            await asyncio.wait_for(future, DEADLINE_S)

    run_node(make_folder(tmp_path / "node"), submit, clock)
