"""A chain that tells what each call did, as text for people and as data.

Values are told as a transaction or a record holds them: text, numbers, lists and maps, bytes as hexadecimal digits.
"""

import inspect
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from yunhe.contracts import Signer
from yunhe.contracts.codes import CONTRACT_FAULT, OK
from yunhe.contracts.faults import ContractStop
from yunhe.contracts.json_values import value_to_json
from yunhe.contracts.records import Event, Record, record_type
from yunhe.contracts.value_types import Room
from yunhe.limits import RECORD_BYTES_MAX
from yunhe.testing.chain import Chain
from yunhe.testing.places import place_in
from yunhe.testing.rows import Change
from yunhe.testing.transaction import Call


@dataclass(frozen=True, slots=True)
class ToldCall:
    """An action or view with its arguments."""

    contract: str
    name: str
    arguments: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.contract}.{self.name}({', '.join(f'{name}={_text(value)}' for name, value in self.arguments.items())})"


@dataclass(frozen=True, slots=True)
class ToldEvent:
    """An event that a transaction announced."""

    name: str
    fields: dict[str, Any]


@dataclass(frozen=True, slots=True)
class ToldChange:
    """One row of a table, map or log, before and after."""

    contract: str
    table: str
    key: list[Any]
    before: Any
    after: Any

    def __str__(self) -> str:
        row = f"{self.table}[{', '.join(map(_text, self.key))}]"
        if self.before is None:
            return f"added    {row}: {_text(self.after)}"
        if self.after is None:
            return f"deleted  {row}: {_text(self.before)}"
        if not isinstance(self.before, dict):
            return f"changed  {row}: {_text(self.before)} -> {_text(self.after)}"
        fields = [
            f"{name} {_text(self.before[name])} -> {_text(value)}" for name, value in self.after.items() if self.before[name] != value
        ]
        return f"changed  {row}: {', '.join(fields)}"


@dataclass(frozen=True, slots=True)
class Step:
    """A transaction or a question, and what came of it."""

    height: int
    time_ms: int
    signers: list[str]
    """Organisation and member of each; empty for a view."""
    calls: list[ToldCall]
    code: str
    """OK, or what it was refused with."""
    reason: str = ""
    results: list[Any] = field(default_factory=list)
    events: list[ToldEvent] = field(default_factory=list)
    changes: list[ToldChange] = field(default_factory=list)
    gas_used: int | None = None
    """None for a view, and where calls are not metered."""

    def lines(self) -> list[str]:
        """Return the step as people read it."""
        who = ", ".join(self.signers) or "view"
        told = [f"{who}: {call}" for call in self.calls[:1]] + [f"{'':<{len(who)}}  {call}" for call in self.calls[1:]]
        gas = "" if self.gas_used is None else f", gas {self.gas_used:,}"
        verdict = "OK" if self.code == OK else f"refused with {self.code}: {self.reason}" if self.reason else f"refused with {self.code}"
        told.append(f"  {verdict} (height {self.height}{gas})" if self.signers else f"  {verdict}")
        told += [f"  result   {_text(result)}" for result in self.results if result is not None]
        told += [f"  {change}" for change in self.changes]
        return told + [f"  event    {event.name} {_text(event.fields)}" for event in self.events]

    def data(self) -> dict[str, Any]:
        """Return the step as JSON takes it."""
        return asdict(self)


class Narration(Chain):
    """Mixed into the class of a chain: hands each step to a listener when it is over, those that were refused included."""

    _tell: Callable[[Step], None]
    _knows_gas = True

    def _run(self, signers: Sequence[Signer], calls: Sequence[Call], *, is_view: bool) -> list[Any]:
        height, time_ms = self.height, self.time_ms
        told = [self._told_call(call) for call in calls]
        who = [f"{signer.organisation}/{signer.member}" for signer in signers]
        try:
            results = super()._run(signers, calls, is_view=is_view)
        except AssertionError:
            # A forgotten save, a broken invariant: the scenario fails, and nothing came of the call.
            raise
        except Exception as error:
            code, reason = (error.code, str(error)) if isinstance(error, ContractStop) else (CONTRACT_FAULT, self._fault(error))
            self._tell(Step(height, time_ms, who, told, code, _reason(code, reason), gas_used=self._gas(is_view=is_view)))
            raise
        events = [] if is_view else [ToldEvent(type(event).__name__, plain(event)) for event in self.events]
        changes = [] if is_view else [_told_change(change) for change in self.changes]
        shown = [plain(result) for result in results]
        self._tell(Step(height, time_ms, who, told, OK, "", shown, events, changes, self._gas(is_view=is_view)))
        return results

    def _fault(self, error: Exception) -> str:
        """Return what lay behind a fault, with the contract's line."""
        places = (place_in(error, module.__file__) for module in self.contracts.values() if module.__file__ is not None)
        place = next((found for found in places if found is not None), None)
        return f"{type(error).__name__}: {error}" + ("" if place is None else f" ({Path(place.file).name}, line {place.line})")

    def _gas(self, *, is_view: bool) -> int | None:
        return self.gas_used if self._knows_gas and not is_view else None

    def _told_call(self, call: Call) -> ToldCall:
        bound = inspect.signature(call.action).bind(None, *call.args, **call.kwargs)
        arguments = list(bound.arguments.items())[1:]
        return ToldCall(self._contract_of(call.action), call.action.__name__, {name: plain(value) for name, value in arguments})


class NarratingChain(Narration):
    """A chain in memory that tells each step."""

    def __init__(self, tell: Callable[[Step], None], *, metered: bool = True) -> None:
        super().__init__(metered=metered)
        self._tell = tell
        self._knows_gas = metered


def plain(value: object) -> Any:
    """Return a value of a contract as JSON takes it."""
    if isinstance(value, Record | Event):
        return value_to_json(record_type(type(value)).to_plain(value, Room(RECORD_BYTES_MAX)))
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, str):
        return str(value)
    return value.hex() if isinstance(value, bytes) else value


def _told_change(change: Change) -> ToldChange:
    key = change.key if isinstance(change.key, tuple) else (change.key,)
    return ToldChange(change.contract, change.table, plain(key), plain(change.before), plain(change.after))


def _reason(code: str, text: str) -> str:
    """Return what a refusal says besides its code, or nothing."""
    return "" if text == code else text.removeprefix(f"{code}: ")


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
