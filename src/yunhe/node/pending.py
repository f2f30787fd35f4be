"""Transactions that were accepted and wait for their block, and whoever waits for them.

Lives in the event loop's thread. Bounded by `PENDING_TRANSACTIONS_MAX`; the reasons of the last `DROPPED_REMEMBERED_MAX` dropped
transactions are kept, so that their senders can be told.
"""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass

from yunhe.errors import OverloadedError, YunheError
from yunhe.ledger.receipt import Receipt
from yunhe.limits import DROPPED_REMEMBERED_MAX, PENDING_TRANSACTIONS_MAX


@dataclass(frozen=True, slots=True)
class Placed:
    """A transaction's place in the ledger, with its receipt."""

    height: int
    """Height of its ledger block."""
    position: int
    """Its place in the block, from 0."""
    time_ms: int
    """Time of the block."""
    receipt: Receipt


def too_many_waiting() -> OverloadedError:
    """Return the refusal of a transaction that cannot wait for a block any more."""
    return OverloadedError("too many transactions wait for a block; try again in a second")


class PendingTransactions:
    """Accepted ids, each with one future that its waiters share."""

    def __init__(self) -> None:
        self._futures: dict[bytes, asyncio.Future[Placed]] = {}
        self._dropped: OrderedDict[bytes, YunheError] = OrderedDict()

    def __len__(self) -> int:
        """Return how many wait."""
        return len(self._futures)

    def find(self, transaction_id: bytes) -> "asyncio.Future[Placed] | None":
        """Return the future of a waiting transaction; thread-safe."""
        return self._futures.get(transaction_id)

    def dropped(self, transaction_id: bytes) -> YunheError | None:
        """Return why a transaction was dropped lately."""
        return self._dropped.get(transaction_id)

    @property
    def room(self) -> int:
        """How many more can wait."""
        return max(0, PENDING_TRANSACTIONS_MAX - len(self._futures))

    def reserve(self, count: int) -> None:
        """Check that `count` more can wait.

        Raises:
            OverloadedError: they cannot.
        """
        if count > self.room:
            raise too_many_waiting()

    def add(self, transaction_id: bytes) -> "asyncio.Future[Placed]":
        """Begin to wait for a transaction."""
        future = asyncio.get_running_loop().create_future()
        self._futures[transaction_id] = future
        self._dropped.pop(transaction_id, None)
        return future

    def place(self, transaction_id: bytes, placed: Placed) -> None:
        """Answer everyone who waits for a transaction."""
        future = self._futures.pop(transaction_id, None)
        if future is not None:
            future.set_result(placed)

    def drop(self, transaction_id: bytes, error: YunheError) -> None:
        """Tell everyone who waits that a transaction will have no effect."""
        future = self._futures.pop(transaction_id, None)
        if future is not None:
            future.set_exception(error)
            # Nobody may be waiting, which asyncio would complain of; the reason stays in `dropped`.
            future.exception()
            self._dropped[transaction_id] = error
            if len(self._dropped) > DROPPED_REMEMBERED_MAX:
                self._dropped.popitem(last=False)

    def drop_all(self, error: YunheError) -> None:
        """Tell everyone that nothing more will be decided here."""
        for transaction_id in list(self._futures):
            self.drop(transaction_id, error)
