"""What tables hold, as a test sees it: typed rows of a state, and what a transaction changed.

Nothing here runs a contract or counts rows: a test may look at everything.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from yunhe.contracts import Log, Map, Table
from yunhe.contracts.module import ContractModule
from yunhe.contracts.overlay import CommittedState
from yunhe.contracts.records import Record, record_type
from yunhe.contracts.rows import decode_record
from yunhe.contracts.value_types import OptionalType
from yunhe.ledger.interfaces import StateReader, Write
from yunhe.ledger.state_keys import decode_state_key, prefix_end
from yunhe.limits import INTEGER_MAX

State = Table[Any] | Map[Any, Any] | Log[Any, Any]


@dataclass(frozen=True, slots=True)
class Change:
    """What a transaction did to one row."""

    contract: str
    table: str
    """Name of the table, map or log."""
    key: Any
    """A value, or a tuple of several; in a log the last one is the position."""
    before: Any
    """None where there was no row."""
    after: Any
    """None where it was deleted."""

    def __str__(self) -> str:
        """Return the change in one line, of a changed record only the fields that differ."""
        row = f"{self.contract}.{self.table}[{self.key!r}]"
        if self.before is None:
            return f"{row} added: {self.after!r}"
        if self.after is None:
            return f"{row} deleted: {self.before!r}"
        if not isinstance(self.before, Record) or not isinstance(self.after, Record):
            return f"{row}: {self.before!r} -> {self.after!r}"
        fields = [field for field in record_type(type(self.after)).fields if getattr(self.before, field) != getattr(self.after, field)]
        return f"{row}: " + ", ".join(f"{field} {getattr(self.before, field)!r} -> {getattr(self.after, field)!r}" for field in fields)


def table_rows(table: State, state: StateReader) -> dict[Any, Any]:
    """Return all rows of a table or map by key, in order; of a log, the entries of each key."""
    found: dict[Any, Any] = {}
    for parts, value in _rows(table, state):
        if isinstance(table, Log):
            found.setdefault(_key(parts[:-1]), []).append(value)
        else:
            found[_key(parts)] = value
    return found


def changes(writes: Iterable[Write], before: CommittedState, modules: Iterable[ContractModule]) -> list[Change]:
    """Return what a transaction's writes change in tables, maps and logs; rows of indexes follow from them and are left out."""
    declared = {(module.name, name): table for module in modules for name, table in _declared(module).items()}
    found = []
    for state_key, data in writes:
        contract, name, _ = decode_state_key(state_key)
        table = declared.get((contract, name))
        if table is not None:
            old = before.get(state_key)
            if old == data:
                continue  # saved as it was
            values = [None if row is None else _value(table, row) for row in (old, data)]
            found.append(Change(contract, name, _key(_key_parts(table, state_key)), *values))
    return found


@dataclass(frozen=True, slots=True)
class AddressedRow:
    """A record that an action can be about, because the action has a parameter for each field of its key."""

    key: dict[str, Any]
    """Fields of the key."""
    values: dict[str, list[Any]]
    """As of `held_values`, of this record alone."""


def held_values(module: ContractModule, state: StateReader) -> dict[str, list[Any]]:
    """Return the scalars that a contract's rows and their keys hold, by the name of their field and by that of their type.

    Each is there once, in order. Random calls repeat them: what a contract remembers is what it compares with.
    """
    found: dict[str, dict[Any, None]] = {}
    for table in _declared(module).values():
        for parts, value in _rows(table, state):
            for name, scalar in _scalars(table, parts, value):
                found.setdefault(name, {})[scalar] = None
    return {name: list(values) for name, values in found.items()}


def addressed_rows(module: ContractModule, state: StateReader, parameters: Collection[str]) -> list[AddressedRow]:
    """Return the records of the tables whose key fields are parameters, as many as can be: who names a part means no whole."""
    tables = [table for table in module.tables.values() if set(table.key_fields) <= set(parameters)]
    fields = max((len(table.key_fields) for table in tables), default=0)
    found = []
    for table in tables:
        for parts, value in _rows(table, state) if len(table.key_fields) == fields else ():
            values: dict[str, list[Any]] = {}
            for name, scalar in _scalars(table, parts, value):
                values.setdefault(name, []).append(scalar)
            found.append(AddressedRow(dict(zip(table.key_fields, parts, strict=True)), values))
    return found


def _rows(table: State, state: StateReader) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """Yield the key's parts and the value of each row."""
    prefix = table.keys.prefix
    for state_key, data in state.scan(prefix, prefix_end(prefix), INTEGER_MAX):
        yield _key_parts(table, state_key), _value(table, data)


def _scalars(table: State, parts: tuple[Any, ...], value: Any) -> Iterator[tuple[str, Any]]:
    """Yield the scalars of a row under the names of their types, and of their fields where they have one."""
    for kind, part in zip(table.keys.parts, parts, strict=True):
        yield kind.name, part
    if isinstance(table, Map):
        yield table.value_type.name, value
        return
    for name, field in table.kind.fields.items():
        kind = field.item if isinstance(field, OptionalType) else field
        scalar = getattr(value, name)
        if kind.depth == 0 and scalar is not None:
            yield name, scalar
            yield kind.name, scalar


def contract_of(state_key: bytes) -> str:
    """Return the contract whose row lies at a state key."""
    return decode_state_key(state_key)[0]


def _declared(module: ContractModule) -> dict[str, State]:
    return {**module.tables, **module.maps, **module.logs}


def _key_parts(table: State, state_key: bytes) -> tuple[Any, ...]:
    parts = decode_state_key(state_key)[2]
    return tuple(kind.from_plain(part) for kind, part in zip(table.keys.parts, parts, strict=True))


def _key(parts: tuple[Any, ...]) -> Any:
    return parts[0] if len(parts) == 1 else parts


def _value(table: State, data: bytes) -> Any:
    plain = decode_record(data)
    return table.value_type.from_plain(plain["value"]) if isinstance(table, Map) else table.kind.from_plain(plain)
