"""Where a transaction of the past spent its gas and its time, line by line.

The transaction runs metered in this process, after those before it in its block, while each line of a contract is watched: what the meter
shows less when a line is left was spent in it, calls of the runtime included, calls of other contracts not. The gas of the lines and the
named parts outside of them sum up to the receipt's. Two things to know: the price of a straight run of statements is paid at the first of
them (CON-120), and time includes that of watching. Of a contract that is upgraded in the transaction itself both versions' lines count as
one's.
"""

import inspect
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from types import FrameType
from typing import Any, Final

from yunhe.contracts import prices
from yunhe.contracts.meter import UNLIMITED, Meter
from yunhe.contracts.runner import BlockRunner, charge_transaction
from yunhe.crypto import ChainHash
from yunhe.errors import ReplayDiffersError
from yunhe.ledger.interfaces import StateReader
from yunhe.ledger.layouts import contract_key, read_record, source_key
from yunhe.ledger.receipt import Receipt
from yunhe.ledger.transaction import Transaction
from yunhe.node.replay import PastTransaction, Replayed

_FILE_BEGIN: Final = "<contract "

Line = tuple[str, int]
"""Contract, and line of its source."""


@dataclass(slots=True)
class Spent:
    """What was spent in one place."""

    gas: int = 0
    time_ns: int = 0


@dataclass(frozen=True, slots=True)
class Profile:
    """Where the gas of a transaction went."""

    lines: dict[Line, Spent]
    """Lines of contracts that were reached, in order."""
    transaction_gas: int
    """Price of taking up the transaction and its bytes."""
    calls_gas: int
    """Price of its calls."""
    results_gas: int
    """Price of its results, and of what a call that reached no line was charged."""
    sources: dict[str, str]
    """Source of each contract that was reached."""

    @property
    def gas_used(self) -> int:
        """The sum, which is the receipt's."""
        return sum(spent.gas for spent in self.lines.values()) + self.transaction_gas + self.calls_gas + self.results_gas


class _Watch:
    """Follows the lines of contracts and what the meter shows at each."""

    def __init__(self, meter: Meter) -> None:
        self._meter = meter
        self._outer: list[Line | None] = []
        self._place: Line | None = None
        self.spent: dict[Line | None, Spent] = {None: Spent()}
        self._left = 0
        self._time_ns = 0

    def start(self, gas_limit: int) -> None:
        """Begin before the transaction does."""
        self._left, self._time_ns = gas_limit, time.perf_counter_ns()
        sys.settrace(self._enter)

    def stop(self) -> None:
        """End after the transaction did."""
        sys.settrace(None)
        self._settle(None)

    def _settle(self, place: Line | None) -> None:
        """Count what was spent since the last time where it was spent, and go on at a place."""
        # Of gas that was overspent there was only what was left.
        left, now = max(self._meter.left, 0), time.perf_counter_ns()
        spent = self.spent.setdefault(self._place, Spent())
        spent.gas += self._left - left
        spent.time_ns += now - self._time_ns
        self._place, self._left = place, left
        self._time_ns = time.perf_counter_ns()

    def _enter(self, frame: FrameType, _event: str, _argument: Any) -> Any:  # noqa: ANN401  # the interpreter's own protocol
        code = frame.f_code
        # A module level is run with gas of its own (CON-129).
        if not code.co_filename.startswith(_FILE_BEGIN) or not code.co_flags & inspect.CO_OPTIMIZED:
            return None
        self._outer.append(self._place)
        self._settle(_line(frame))
        return self._follow

    def _follow(self, frame: FrameType, event: str, _argument: Any) -> Any:  # noqa: ANN401
        if event == "line":
            self._settle(_line(frame))
        elif event == "return":
            self._settle(self._outer.pop())
        return self._follow


def profile(past: PastTransaction, replayed: Replayed, chain_hash: ChainHash) -> Profile:
    """Run a transaction of the past once more and see where its gas goes.

    Args:
        past: the transaction.
        replayed: its metered run.
        chain_hash: the ledger's.

    Raises:
        ReplayDiffersError: it has another receipt when it is watched.
    """
    if replayed.receipt.outcome.gas_used == 0:
        # It was refused before anything of it was charged.
        return Profile({}, 0, 0, 0, {})
    runner = BlockRunner(chain_hash)
    # Contracts are loaded in a first run, so that the second one has nothing to load.
    _run(runner, past, None)
    watch = _Watch(runner.meter)
    if _run(runner, past, watch) != replayed.receipt.encoded:
        raise ReplayDiffersError("the transaction has another receipt when its lines are watched; this is a fault of Yunhe")
    body, outside = past.transaction.body, watch.spent.pop(None)
    outcome = replayed.receipt.outcome
    started = len(body.calls) if outcome.call_index < 0 else outcome.call_index + 1
    taken_up = Meter()
    taken_up.start(UNLIMITED)
    charge_transaction(taken_up, len(past.transaction.encoded))
    transaction_gas = min(outside.gas, taken_up.used)
    calls_gas = min(outside.gas - transaction_gas, started * prices.CALL)
    lines = {line: spent for line, spent in watch.spent.items() if line is not None}
    return Profile(
        dict(sorted(lines.items())),
        transaction_gas,
        calls_gas,
        outside.gas - transaction_gas - calls_gas,
        {contract: _source(replayed.before, contract) for contract in sorted({contract for contract, _ in lines})},
    )


def _run(runner: BlockRunner, past: PastTransaction, watch: _Watch | None) -> bytes:
    """Run the block up to the transaction, watched if that is wanted; return the transaction's receipt."""

    def transactions() -> Iterator[Transaction]:
        yield from past.block.transactions[: past.position]
        if watch is not None:
            watch.start(past.transaction.body.gas_limit)
        yield past.transaction

    try:
        *_, outcome = runner.outcomes(past.context, transactions(), past.state)
    finally:
        if watch is not None:
            watch.stop()
    return Receipt.make(past.transaction.id, outcome).encoded


def _line(frame: FrameType) -> Line:
    return frame.f_code.co_filename[len(_FILE_BEGIN) : -1], frame.f_lineno


def _source(state: StateReader, contract: str) -> str:
    record = read_record(state, contract_key(contract)) or {}
    code_hash = record.get("code_hash")
    stored = read_record(state, source_key(code_hash)) if isinstance(code_hash, bytes) else None
    return str((stored or {}).get("source", ""))
