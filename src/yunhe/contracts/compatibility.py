"""Whether an upgrade could still read what a contract stored: a comparison of two interfaces, and so of two sources (SYS-025).

What lies in state was written by the old code. The new code reads it if each table, map and log is still declared, under the same key, and
if whatever the old type could hold the new one accepts. Where that is not so, it is named: table, path of fields, reason, what to do
instead. It matters only for tables that have rows; whether they have any is the state's to say (`yunhe.contracts.upgrading`).

Specification: docs/spec/system-contracts.md, "Life cycle"; the reasons are in docs/adr/0011.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from yunhe.contracts.interface import Field, Interface, TableInterface, type_text
from yunhe.contracts.value_types import TypeData

_MOVE: Final = "keep it as it is, declare a new table beside it, and move the records by `migrate` or by an action"


@dataclass(frozen=True, slots=True)
class Incompatibility:
    """One reason why the new code could not read, or would read otherwise, what the old code stored."""

    table: str
    """Name of the table, map or log."""
    place: str
    """The record's field, with the fields that lead to it; or the table itself."""
    reason: str
    instead: str

    def __str__(self) -> str:
        return f"{self.place}: {self.reason}"


def incompatibilities(old: Interface, new: Interface) -> tuple[Incompatibility, ...]:
    """Return what in the state of the old source the new one could not read; empty if it can read all of it.

    A function of the two sources alone.

    Args:
        old: interface of the source that is deployed.
        new: interface of the source that is to replace it.
    """
    # SYS-025
    return tuple(_Comparison(old, new).all())


class _Comparison:
    """Compares the state of two interfaces."""

    def __init__(self, old: Interface, new: Interface) -> None:
        self._old = old
        self._new = new

    def all(self) -> Iterator[Incompatibility]:
        for name, table in self._old.tables.items():
            yield from self._table(name, table)
        for name, found in self._old.maps.items():
            other = self._new.maps.get(name)
            if other is None:
                yield self._gone(name, "map")
                continue
            yield from self._keys(name, found.key, other.key)
            yield from self._value(name, name, found.value, other.value)
        for name, log in self._old.logs.items():
            same = self._new.logs.get(name)
            if same is None:
                yield self._gone(name, "log")
                continue
            yield from self._keys(name, log.key, same.key)
            yield from self._record(name, log.record, log.record, same.record)

    def _table(self, name: str, table: TableInterface) -> Iterator[Incompatibility]:
        other = self._new.tables.get(name)
        if other is None:
            yield self._gone(name, "table")
        elif table.key != other.key:
            yield Incompatibility(name, name, f"the key was {_listed(table.key)} and is {_listed(other.key)}", _MOVE)
        else:
            yield from self._record(name, table.record, table.record, other.record)

    def _gone(self, name: str, kind: str) -> Incompatibility:
        new = {**self._new.tables, **self._new.maps, **self._new.logs}
        reason = f"the {kind} is no longer one" if name in new else f"the {kind} is no longer declared"
        return Incompatibility(name, name, reason, f"keep it until it is empty; a later upgrade without the {kind} is accepted then")

    def _keys(self, name: str, old: tuple[TypeData, ...], new: tuple[TypeData, ...]) -> Iterator[Incompatibility]:
        if len(old) != len(new):
            yield Incompatibility(name, name, f"the key had {len(old)} parts and has {len(new)}", _MOVE)
            return
        for number, (before, after) in enumerate(zip(old, new, strict=True), 1):
            yield from self._value(name, f"{name}, part {number} of the key", before, after)

    # --- Types ------------------------------------------------------------------------------------------------------

    def _record(self, table: str, place: str, old: str, new: str) -> Iterator[Incompatibility]:
        before, after = _by_name(self._old.records[old]), _by_name(self._new.records[new])
        for name, field in before.items():
            where = f"{place}.{name}"
            if name not in after:
                yield Incompatibility(table, where, "the field was removed", "keep the field; it may go unused")
                continue
            yield from self._value(table, where, field.type, after[name].type)
            yield from self._default(table, where, field, after[name])
        for name, field in after.items():
            if name not in before and field.default is None:
                reason = "the field was added without a default, which records that are there lack"
                yield Incompatibility(table, f"{place}.{name}", reason, "give it a default")

    def _default(self, table: str, where: str, old: Field, new: Field) -> Iterator[Incompatibility]:
        """Compare defaults: a record that was stored before an upgrade added the field reads as the default."""
        if old.default is None:
            return
        if new.default is None:
            yield Incompatibility(
                table, where, "the default was removed, which records lack that are older than the field", "keep the default"
            )
        elif (type(old.default_value), old.default_value) != (type(new.default_value), new.default_value):
            reason = f"the default was {old.default} and is {new.default}, so records that are older than the field would read otherwise"
            yield Incompatibility(table, where, reason, "keep the default; give another value where the record is made")

    def _value(self, table: str, where: str, old: TypeData, new: TypeData) -> Iterator[Incompatibility]:
        if isinstance(new, dict) and "optional" in new:
            yield from self._value(table, where, old["optional"] if isinstance(old, dict) and "optional" in old else old, new["optional"])
            return
        match old, new:
            case {"list": before}, {"list": after}:
                yield from self._value(table, f"{where}[…]", before, after)
            case {"dict": [key, before]}, {"dict": [other_key, after]}:
                yield from self._value(table, f"{where}, its keys", key, other_key)
                yield from self._value(table, f"{where}[…]", before, after)
            case {"record": before}, {"record": after}:
                yield from self._record(table, where, before, after)
            case {"choice": before}, {"choice": after}:
                yield from self._choice(table, where, before, after)
            case (("Org" | {"choice": _}), "str"):
                return
            case _ if old != new:
                yield Incompatibility(table, where, f"the type was {type_text(old)} and is {type_text(new)}", _MOVE)

    def _choice(self, table: str, where: str, old: str, new: str) -> Iterator[Incompatibility]:
        # Rounding is the API's, and the same on both sides.
        before, after = self._old.choices.get(old, {}), self._new.choices.get(new, {})
        if (old in self._old.choices) != (new in self._new.choices):
            yield Incompatibility(table, where, f"the type was {old} and is {new}", _MOVE)
            return
        for member, text in before.items():
            if text not in after.values():
                reason = f"{old}.{member}, stored as {text!r}, is no member of {new}"
                yield Incompatibility(table, where, reason, "keep the member with its text; it may go unused")


def _by_name(fields: tuple[Field, ...]) -> Mapping[str, Field]:
    return {field.name: field for field in fields}


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(names)
