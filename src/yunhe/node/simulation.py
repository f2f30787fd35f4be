"""Trying a call out: what it would do in the next block, on the state as of the last one, without a block.

It runs in the worker of views, so no block waits for it, with the gas of a transaction and the time of a view, and few at once (API-012).
Nothing of it stays.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from yunhe.consensus import block_time_ms
from yunhe.contracts.worker.executor import WorkerExecutor
from yunhe.errors import OverloadedError
from yunhe.ledger.changes import RowChange, row_changes
from yunhe.ledger.genesis import Genesis
from yunhe.ledger.interfaces import BlockContext, Outcome
from yunhe.ledger.layouts import read_parameters
from yunhe.ledger.simulation import unsigned_transaction
from yunhe.ledger.transaction import Call
from yunhe.limits import SIMULATIONS_MAX
from yunhe.storage import LedgerStore


@dataclass(frozen=True, slots=True)
class Simulated:
    """What calls would have done."""

    height: int
    """Of the block that the state is of."""
    outcome: Outcome
    changes: tuple[RowChange, ...]
    fault: str
    """For people: what lies behind a CONTRACT_FAULT, with its line; else empty."""


class Simulator:
    """Tries calls out for one node; thread-safe."""

    def __init__(self, store: LedgerStore, genesis: Genesis, worker: WorkerExecutor, clock: Callable[[], int]) -> None:
        self._store = store
        self._genesis = genesis
        self._worker = worker
        self._clock = clock
        self._room = threading.BoundedSemaphore(SIMULATIONS_MAX)

    def simulate(self, signers: Sequence[tuple[str, str]], calls: Sequence[Call], gas_limit: int) -> Simulated:
        """Run calls as if members had signed them; whether they would is not asked.

        Args:
            signers: organisation and member of each; the first is the sender.
            calls: in order.
            gas_limit: of the transaction.

        Raises:
            OverloadedError: `SIMULATIONS_MAX` run already.
            InvalidInputError: it could not be a transaction.
            ViewTooSlowError: it took longer than a view may.
            WorkerFailedError: the worker failed for a local reason.
        """
        # API-012
        if not self._room.acquire(blocking=False):
            raise OverloadedError(f"{SIMULATIONS_MAX} simulations run or wait already; try again in a second")
        try:
            reader = self._store.reader()
            head = self._store.header(reader.height)
            time_ms = block_time_ms(self._clock(), head.time_ms)
            transaction = unsigned_transaction(
                reader,
                self._genesis.network_id,
                signers,
                calls,
                valid_until_ms=time_ms + read_parameters(reader).validity_window_ms,
                gas_limit=gas_limit,
                chain_hash=self._genesis.chain_hash,
            )
            execution, fault = self._worker.try_out(BlockContext(head.height + 1, time_ms), transaction, reader)
            return Simulated(head.height, execution.outcomes[0], row_changes(execution.writes, reader), fault)
        finally:
            self._room.release()
