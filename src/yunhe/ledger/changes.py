"""What a transaction changed, for people: rows of tables before and after, field by field.

It needs no contract: a state key names contract, table and key, and a stored record is a map of fields. Rows of indexes follow from those
of their tables and are left out; what only writes a record again as it was is no change. Specification: docs/spec/encoding.md (COD-060 to
COD-062).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from yunhe.errors import CorruptionError
from yunhe.ledger.codec import Value, decode
from yunhe.ledger.interfaces import StateReader, Write
from yunhe.ledger.rendering import Json, value_to_json
from yunhe.ledger.state_keys import KeyComponent, decode_state_key
from yunhe.limits import RECORD_BYTES_MAX

_INDEX_MARK: Final = "#"
"""What the name of an index's rows has and that of a table has not (COD-062)."""

Fields = dict[str, Value]


@dataclass(frozen=True, slots=True)
class RowChange:
    """One row before and after."""

    contract: str
    table: str
    """Name of the table, map or log."""
    key: tuple[KeyComponent, ...]
    """Of a row of a log the last component is its position."""
    before: Fields | None
    """None where there was no row."""
    after: Fields | None
    """None where it was deleted."""

    def fields(self) -> dict[str, tuple[Value, Value]]:
        """Return each field that differs, with its value before and after; None stands for a field that is not there, too."""
        before, after = self.before or {}, self.after or {}
        names = [*before, *(name for name in after if name not in before)]
        return {name: (before.get(name), after.get(name)) for name in names if before.get(name) != after.get(name)}

    def to_json(self) -> dict[str, Json]:
        """Return the change as JSON shows it."""
        return {
            "contract": self.contract,
            "table": self.table,
            "key": [value_to_json(component) for component in self.key],
            "before": None if self.before is None else value_to_json(dict(self.before)),
            "after": None if self.after is None else value_to_json(dict(self.after)),
        }


def row_changes(writes: Iterable[Write], before: StateReader) -> tuple[RowChange, ...]:
    """Return what writes change in a state, in the order of the writes.

    Args:
        writes: each key once.
        before: the state without them.

    Raises:
        MalformedError: a key is no state key.
        CorruptionError: a record is no map of fields.
    """
    changes = []
    for state_key, record in writes:
        contract, table, key = decode_state_key(state_key)
        old = before.get(state_key)
        if _INDEX_MARK not in table and old != record:
            changes.append(RowChange(contract, table, key, _fields(old), _fields(record)))
    return tuple(changes)


def writes_between(first: Sequence[Write], second: Sequence[Write], base: StateReader) -> tuple[Write, ...]:
    """Return the writes that lead from one state to another, both given by net writes over the same base; ascending by key."""
    before, after = dict(first), dict(second)
    found: dict[bytes, bytes | None] = {}
    for key in sorted(before.keys() | after.keys()):
        old, new = (_record(key, writes, base) for writes in (before, after))
        if old != new:
            found[key] = new
    return tuple(found.items())


def _record(key: bytes, writes: Mapping[bytes, bytes | None], base: StateReader) -> bytes | None:
    return writes[key] if key in writes else base.get(key)


def _fields(record: bytes | None) -> Fields | None:
    if record is None:
        return None
    fields = decode(record, RECORD_BYTES_MAX)
    if not isinstance(fields, dict):
        raise CorruptionError("a stored record is not a map of fields; run `yunhe node check`")
    return {str(name): value for name, value in fields.items()}
