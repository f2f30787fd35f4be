"""Accepted transactions that a block had before their time, and that are handed in again.

A gateway judges by its own clock, and the time of a block between organisations is that of their votes: after a rest it is that of the last
one. What is valid for as long as the window allows is then valid for too long as yet. The next block has a fresh time, so it is handed in
again at once; and where clocks differ, each second after that, until it takes effect or its time is over.

Lives in the event loop's thread. Specification: docs/spec/network.md, NET-039.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence

from yunhe.ledger.transaction import Transaction
from yunhe.limits import EARLY_PAUSE_S, PENDING_TRANSACTIONS_MAX
from yunhe.node.pending import PendingTransactions


class EarlyTransactions:
    """Those that wait to be handed in again."""

    def __init__(self, pending: PendingTransactions, hand_in: Callable[[Sequence[Transaction]], None]) -> None:
        """Begin with none.

        Args:
            pending: those that still wait for a block; of no others anything is handed in.
            hand_in: packs transactions into envelopes for the engine; tells those who wait when that is refused.
        """
        self._pending = pending
        self._hand_in = hand_in
        self._tried: set[bytes] = set()
        """Ids of those that were handed in again before."""
        self._later: dict[bytes, Transaction] = {}

    def add(self, transactions: Iterable[Transaction]) -> None:
        """Take transactions that a block had too early."""
        waiting = [transaction for transaction in transactions if self._pending.find(transaction.id) is not None]
        # NET-039
        first = [transaction for transaction in waiting if transaction.id not in self._tried]
        again = {transaction.id: transaction for transaction in waiting if transaction.id in self._tried}
        if again and not self._later:
            asyncio.get_running_loop().call_later(EARLY_PAUSE_S, self._hand_in_later)
        self._later |= again
        self._tried.update(transaction.id for transaction in first)
        if len(self._tried) > PENDING_TRANSACTIONS_MAX:
            self._tried = {identity for identity in self._tried if self._pending.find(identity) is not None}
        if first:
            self._hand_in(first)

    def _hand_in_later(self) -> None:
        waiting = [transaction for identity, transaction in self._later.items() if self._pending.find(identity) is not None]
        self._later = {}
        if waiting:
            self._hand_in(waiting)
