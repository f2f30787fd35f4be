"""What the ledger needs from the parts that it does not know: a state to read, an executor of calls, a place that keeps blocks.

`contracts` implements the executor, `storage` the store, `node` joins them. The tests implement both in memory.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from yunhe.ledger.codec import Value
from yunhe.ledger.transaction import Transaction

Write: TypeAlias = tuple[bytes, bytes | None]
"""A state key and its new record; None deletes."""


class StateReader(Protocol):
    """Read-only records of one state."""

    def get(self, key: bytes) -> bytes | None:
        """Return the record at a state key, or None."""
        ...

    def get_many(self, keys: list[bytes]) -> list[bytes | None]:
        """Return the record at each of some state keys, in their order; what one call can ask for need not be asked for one by one."""
        ...

    def scan(self, start: bytes, end: bytes, limit: int, *, reverse: bool = False) -> list[tuple[bytes, bytes]]:
        """Return up to `limit` records with start <= key < end, ascending, or descending when `reverse`."""
        ...


@dataclass(frozen=True, slots=True)
class BlockContext:
    """What a contract can know of the block that it runs in."""

    height: int
    """Height of the ledger block being made."""
    time_ms: int
    """Block time, milliseconds since 1970-01-01 UTC."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that a contract announced."""

    contract: str
    name: str
    fields: dict[str, Value]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one transaction did; becomes its receipt."""

    code: str
    """`OK`, a code of ours, or the contract's refusal code."""
    call_index: int
    """Call that failed; -1 when none did or the fault was before the calls."""
    gas_used: int
    results: tuple[Value, ...] = ()
    """One value for each call when the code is `OK`."""
    events: tuple[Event, ...] = ()
    """Empty unless the code is `OK`."""


@dataclass(frozen=True, slots=True)
class Execution:
    """What the transactions of one block did."""

    outcomes: tuple[Outcome, ...]
    """One for each transaction, in order."""
    writes: tuple[Write, ...]
    """Net writes of the block, ascending by key, each key once."""


class Executor(Protocol):
    """Runs the transactions of a block, one after the other, against a state.

    For each transaction it authorises the signers (`yunhe.ledger.enrolment.authorise`), then runs the calls. It is a pure function of its
    arguments: a fault of the place where it runs is raised as `UnavailableError`, never returned as an outcome (LED-024).
    """

    def execute(self, context: BlockContext, transactions: Sequence[Transaction], state: StateReader) -> Execution:
        """Run the transactions in order and return their outcomes and the net writes."""
        ...

    def view(self, context: BlockContext, contract: str, view: str, arguments: dict[str, Value], state: StateReader) -> Value:
        """Run a view, which cannot write; refusals of the contract are raised as `ViewRefusedError`."""
        ...
