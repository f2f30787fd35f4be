"""Running the transactions of a block: what everyone does who makes, checks, witnesses or repeats one.

The rules of the block's version are looked up first, and what its first block writes by itself comes before its transactions.
Specification: docs/spec/ledger.md, "Versions".
"""

from collections.abc import Sequence

from yunhe.crypto import ChainHash
from yunhe.errors import BlockStuckError, UnavailableError, WorkerHungError
from yunhe.ledger.interfaces import BlockContext, Execution, Executor, Outcome, StateReader, Write
from yunhe.ledger.protocol import activation_writes, rules_at
from yunhe.ledger.receipt import SKIPPED, Receipt
from yunhe.ledger.skip_order import SkipOrder, skip_writes
from yunhe.ledger.transaction import Transaction
from yunhe.limits import STUCK_NAMED_MAX


class WrittenState:
    """A state with a few writes over it; implements `yunhe.ledger.interfaces.StateReader`."""

    def __init__(self, state: StateReader, writes: Sequence[Write]) -> None:
        self._state = state
        self._writes = dict(writes)

    def get(self, key: bytes) -> bytes | None:
        """Return the record at a state key, or None."""
        return self._writes[key] if key in self._writes else self._state.get(key)

    def get_many(self, keys: list[bytes]) -> list[bytes | None]:
        """Return the record at each of some state keys, in their order."""
        below = self._state.get_many(keys)
        return [self._writes.get(key, record) for key, record in zip(keys, below, strict=True)]

    def scan(self, start: bytes, end: bytes, limit: int, *, reverse: bool = False) -> list[tuple[bytes, bytes]]:
        """Return up to `limit` records with start <= key < end, ascending, or descending when `reverse`."""
        # Each write takes the place of one row at most, so with so many more none is missing.
        rows: dict[bytes, bytes | None] = dict(self._state.scan(start, end, limit + len(self._writes), reverse=reverse))
        rows |= {key: record for key, record in self._writes.items() if start <= key < end}
        found = [(key, record) for key, record in sorted(rows.items(), reverse=reverse) if record is not None]
        return found[:limit]


def execute_block(
    context: BlockContext,
    transactions: Sequence[Transaction],
    state: StateReader,
    executor: Executor,
    chain_hash: ChainHash,
    orders: Sequence[SkipOrder] = (),
) -> Execution:
    """Run the transactions of a block in order and return their outcomes and the net writes.

    Args:
        context: of the block.
        transactions: that take effect, in order.
        state: as before the block.
        executor: runs the calls.
        chain_hash: the ledger's.
        orders: to pass over transactions, valid for this block (`yunhe.ledger.skip_order.require_valid`).

    Raises:
        ProtocolUnknownError: this release does not know the rules of the block; nothing was executed (LED-051).
        BlockStuckError: one of its transactions cannot be run here; nothing was decided (LED-024).
        UnavailableError: the executor could not run; nothing was decided.
    """
    first = activation_writes(rules_at(state, context.height), context, state, chain_hash)
    passed = skip_writes(orders, {transaction.id for transaction in transactions})
    skipped = {order.transaction_id for order in orders}
    run = [transaction for transaction in transactions if transaction.id not in skipped]
    # An executor believes what it remembers of one state alone, and this is another one.
    before: StateReader = WrittenState(state, first + passed) if first or passed else state
    execution = _run(context, run, before, executor)
    outcomes = iter(execution.outcomes)
    # LED-062
    done = tuple(Outcome(SKIPPED, -1, 0) if t.id in skipped else next(outcomes) for t in transactions)
    return Execution(done, merged(first + passed, execution.writes) if first or passed else execution.writes)


def receipts_of(transactions: Sequence[Transaction], execution: Execution) -> tuple[Receipt, ...]:
    """Return the receipts of a block's transactions, in order."""
    return tuple(Receipt.make(t.id, outcome) for t, outcome in zip(transactions, execution.outcomes, strict=True))


def _run(context: BlockContext, transactions: Sequence[Transaction], state: StateReader, executor: Executor) -> Execution:
    if not transactions:
        return Execution((), ())
    try:
        execution = executor.execute(context, transactions, state)
    except WorkerHungError as error:
        # To look for the one that hangs would take as long again for each look.
        names = ", ".join(transaction.id.hex() for transaction in transactions[:STUCK_NAMED_MAX])
        raise _stuck(context, f"one of {len(transactions)} transactions, {names}", error) from error
    except UnavailableError as error:
        position = _first_failing(context, transactions, state, executor)
        raise _stuck(context, f"its transaction {transactions[position].id.hex()}", error) from error
    if len(execution.outcomes) != len(transactions):
        raise UnavailableError("the executor returned another number of outcomes than transactions")
    return execution


def _stuck(context: BlockContext, by: str, error: UnavailableError) -> BlockStuckError:
    # LED-024
    return BlockStuckError(
        f"block {context.height} cannot be executed here, because of {by}: {error.message}. Start the node again; if no node can execute "
        f"it, more than two thirds of the organisations can order to pass over it: yunhe org sign-skip {context.height} ID"
    )


def _first_failing(context: BlockContext, transactions: Sequence[Transaction], state: StateReader, executor: Executor) -> int:
    """Return the position of the first transaction with which the executor fails; all of them together do."""
    working, failing = 0, len(transactions)
    while failing - working > 1:
        middle = (working + failing) // 2
        try:
            executor.execute(context, transactions[:middle], state)
        except UnavailableError:
            failing = middle
        else:
            working = middle
    return failing - 1


def merged(first: Sequence[Write], then: Sequence[Write]) -> tuple[Write, ...]:
    """Return the net writes of two sets of which the second came after the first, ascending by key."""
    return tuple(sorted((dict(first) | dict(then)).items()))
