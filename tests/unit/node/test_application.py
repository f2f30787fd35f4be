"""The ledger behind the engine interface: what is delivered ahead of its commit leads where one block at a time does."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.storage.stored_chain import (
    GENESIS,
    IDENTITY,
    NODE,
    TIME_MS,
    ItemsExecutor,
    genesis_writes,
    make_transaction,
)
from yunhe.consensus import Delivery
from yunhe.crypto import SHA256
from yunhe.errors import AlreadyUsedError
from yunhe.ledger.envelope import seal_envelope
from yunhe.ledger.interfaces import Execution
from yunhe.ledger.layouts import CERTIFIERS_PREFIX, encode_record
from yunhe.ledger.state_keys import state_key
from yunhe.ledger.transition import LedgerBlock
from yunhe.limits import UNCOMMITTED_BLOCKS_MAX
from yunhe.node.application import BlockCommitted, LedgerApplication
from yunhe.node.metrics import Metrics
from yunhe.storage import LedgerStore

NUMBERS = st.lists(st.integers(0, 12), min_size=1, max_size=5)
"""Transactions of one block by number; the same number is the same transaction."""
CERTIFIER = state_key("governance", "certifiers", ("carrier",))
CERTIFIERS_CHANGE = 11
"""Number of the transaction that changes the certifiers."""


class Executor(ItemsExecutor):
    """One transaction adds a certifier."""

    def execute(self, context, transactions, state) -> Execution:
        done = super().execute(context, transactions, state)
        if all(t.body.salt != CERTIFIERS_CHANGE.to_bytes(16, "big") for t in transactions):
            return done
        record = {"organisation": "carrier", "suite": "ed25519-sha256", "public_key": bytes(32), "power": context.height}
        write = (CERTIFIER, encode_record(record))
        return Execution(done.outcomes, tuple(sorted([*done.writes, write])))


class Ledger:
    def __init__(self, store: LedgerStore) -> None:
        self.store = store
        self.blocks: list[LedgerBlock] = []
        self.news: list[BlockCommitted] = []
        self.log_ends: list[bytes] = []
        self.application = LedgerApplication(store, Executor(), SHA256, self._block, self.news.append, Metrics())

    def _block(self, block: LedgerBlock) -> None:
        self.blocks.append(block)
        self.log_ends.append(self.store.head().hash(SHA256))

    def deliver(self, height: int, numbers: list[int]) -> bytes:
        encoded = [make_transaction(number).encoded for number in numbers]
        envelope = seal_envelope(GENESIS.network_id, IDENTITY, height, encoded, NODE, SHA256)
        return self.application.deliver(Delivery(height, TIME_MS + height, (envelope.encoded, b"no envelope")))


@contextmanager
def opened() -> Iterator[Ledger]:
    with tempfile.TemporaryDirectory() as folder, LedgerStore.create(Path(folder) / "store", GENESIS, genesis_writes()) as store:
        yield Ledger(store)


def told(ledger: Ledger) -> list[tuple[object, ...]]:
    return [
        (news.block and news.block.header, [(dropped.transaction_id, type(dropped.error)) for dropped in news.dropped])
        for news in ledger.news
    ]


# ENG-004, LED-011
@settings(max_examples=40)
@given(st.lists(NUMBERS, min_size=1, max_size=12), st.data())
def test_blocks_delivered_ahead_of_their_commit_lead_where_single_ones_do(deliveries: list[list[int]], data: st.DataObject) -> None:
    with opened() as single, opened() as ahead:
        uncommitted = 0
        for height, numbers in enumerate(deliveries, 1):
            expected = single.deliver(height, numbers)
            single.application.commit(1)
            assert ahead.deliver(height, numbers) == expected == single.store.log_root()
            uncommitted += 1
            least = max(0, uncommitted - UNCOMMITTED_BLOCKS_MAX + 1)
            while (count := data.draw(st.integers(least, uncommitted))) > 0:
                ahead.application.commit(count)
                uncommitted -= count
                least = 0
        if uncommitted:
            ahead.application.commit(uncommitted)
        assert told(ahead) == told(single)
        assert ahead.blocks == single.blocks
        assert ahead.store.log_root() == single.store.log_root()
        assert ahead.store.engine_height == single.store.engine_height == len(deliveries)
        # Whoever cosigns a change of certifiers finds the block log ending with it (PRF-012).
        for block, end in zip(ahead.blocks, ahead.log_ends, strict=True):
            if any(key.startswith(CERTIFIERS_PREFIX) for key, _ in block.writes):
                assert end == block.header_hash


def test_transaction_of_an_uncommitted_block_is_not_executed_again() -> None:
    """LED-011 refused: its id is in no committed block yet."""
    with opened() as ledger:
        ledger.deliver(1, [1, 2])
        ledger.deliver(2, [2, 3])
        ledger.application.commit(2)
        assert [[t.id for t in block.transactions] for block in ledger.blocks] == [
            [make_transaction(1).id, make_transaction(2).id],
            [make_transaction(3).id],
        ]
        assert [(dropped.transaction_id, type(dropped.error)) for dropped in ledger.news[1].dropped][1:] == [
            (make_transaction(2).id, AlreadyUsedError)
        ]


def test_transaction_of_two_envelopes_is_not_said_to_be_dropped_while_a_block_has_it() -> None:
    """LED-011, ABC-010: it came through two gateways; its owner at the second one is told of the block, once that is durable."""
    with opened() as ledger:
        other = seal_envelope(GENESIS.network_id, IDENTITY, 9, [make_transaction(n).encoded for n in (1, 2)], NODE, SHA256).encoded
        ledger.deliver(1, [1])
        ledger.deliver(2, [2, 3])
        with pytest.raises(AlreadyUsedError):
            ledger.application.judge(other, TIME_MS + 3)
        ledger.application.discard(other, TIME_MS + 3)
        assert [news.dropped for news in ledger.news] == [()]
        ledger.application.commit(2)
        ledger.application.discard(other, TIME_MS + 3)
        assert [type(dropped.error) for dropped in ledger.news[-1].dropped] == [AlreadyUsedError] * 2
