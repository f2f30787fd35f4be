"""Running the transactions of a block: what everyone does who makes, checks, witnesses or repeats one.

The rules of the block's version are looked up first, and what its first block writes by itself comes before its transactions.
Specification: docs/spec/ledger.md, "Versions".
"""

from collections.abc import Sequence

from yunhe.crypto import ChainHash
from yunhe.ledger.interfaces import BlockContext, Execution, Executor, StateReader, Write
from yunhe.ledger.protocol import activation_writes, rules_at
from yunhe.ledger.transaction import Transaction


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
    context: BlockContext, transactions: Sequence[Transaction], state: StateReader, executor: Executor, chain_hash: ChainHash
) -> Execution:
    """Run the transactions of a block in order and return their outcomes and the net writes.

    Args:
        context: of the block.
        transactions: that take effect, in order.
        state: as before the block.
        executor: runs the calls.
        chain_hash: the ledger's.

    Raises:
        ProtocolUnknownError: this release does not know the rules of the block; nothing was executed (LED-051).
        UnavailableError: the executor could not run; nothing was decided.
    """
    first = activation_writes(rules_at(state, context.height), context, state, chain_hash)
    if not first:
        return executor.execute(context, transactions, state)
    # An executor believes what it remembers of one state alone, and this is another one.
    execution = executor.execute(context, transactions, WrittenState(state, first))
    return Execution(execution.outcomes, merged(first, execution.writes))


def merged(first: Sequence[Write], then: Sequence[Write]) -> tuple[Write, ...]:
    """Return the net writes of two sets of which the second came after the first, ascending by key."""
    return tuple(sorted((dict(first) | dict(then)).items()))
