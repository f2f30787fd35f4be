"""Indexes when a contract is upgraded: rows of dropped ones are deleted, rows of new ones are made, before the new code runs (SYS-024).

An index is whole or not declared. What is more than one transaction can build refuses the upgrade; a larger table is migrated by an action
of the contract, a part on each call, into a table that has the index from its first record.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from yunhe.contracts import prices
from yunhe.contracts.codes import INDEX_TOO_LARGE
from yunhe.contracts.faults import ContractStop
from yunhe.contracts.indexes import Index, Unique
from yunhe.contracts.module import ContractModule
from yunhe.contracts.rows import decode_record
from yunhe.contracts.tables import Table
from yunhe.ledger.state_keys import prefix_end
from yunhe.limits import INDEX_BUILD_ROWS_MAX

if TYPE_CHECKING:
    from yunhe.contracts.machine import Machine


def rebuild_indexes(machine: "Machine", old: ContractModule, new: ContractModule) -> None:
    """Make the rows of a contract's indexes those of its new code; where nothing can be written, find out whether it can be done.

    Raises:
        ContractStop: there are more than `INDEX_BUILD_ROWS_MAX` rows to look at, or two records have the same in unique fields.
        Fault: a record does not fit the new code.
    """
    before, after = _by_place(old), _by_place(new)
    builder = _Builder(machine)
    for place, index in before.items():
        if place not in after or after[place].definition != index.definition:
            builder.drop(index)
    for table in new.tables.values():
        missing = [
            index
            for place, index in after.items()
            if index.table is table and (place not in before or before[place].definition != index.definition)
        ]
        if missing:
            builder.build(table, missing)


def _by_place(module: ContractModule) -> dict[bytes, Index[Any] | Unique[Any]]:
    """Return indexes by where their rows lie."""
    return {index.rows.prefix: index for index in module.indexes.values()}


class _Builder:
    """Deletes and makes rows, and counts what it looks at."""

    def __init__(self, machine: "Machine") -> None:
        self._machine = machine
        self._rows = 0

    def drop(self, index: Index[Any] | Unique[Any]) -> None:
        """Delete the rows of an index."""
        prefix = index.rows.prefix
        for row in [row for row, _ in self._scan(prefix)]:
            self._write(row, None)

    def build(self, table: Table[Any], indexes: list[Index[Any] | Unique[Any]]) -> None:
        """Make the rows of indexes of one table."""
        made: set[bytes] = set()
        for primary, data in self._scan(table.keys.prefix):
            plain = self._fields(table, data)
            for index in indexes:
                self._machine.meter.charge(prices.INDEX)
                row = index.row_of(plain, primary)
                if row is None:
                    continue
                # CON-116
                if isinstance(index, Unique) and row in made:
                    raise index.taken()
                made.add(row)
                self._machine.meter.hold(len(row) + prices.WRITTEN_MEMORY)
                self._write(row, index.content_of(plain))

    def _fields(self, table: Table[Any], data: bytes) -> Mapping[str, Any]:
        """Return the plain fields of a record, defaults included, if the new code can read it."""
        plain = decode_record(data)
        # CON-121
        if len(plain) != len(table.kind.fields):
            self._machine.meter.charge(2 * table.kind.completion_gas)
        table.kind.from_plain(plain)
        return plain if len(plain) == len(table.kind.fields) else table.kind.complete(plain)

    def _scan(self, prefix: bytes) -> list[tuple[bytes, bytes]]:
        machine = self._machine
        found = []
        for key, data in machine.scan(prefix, prefix_end(prefix), INDEX_BUILD_ROWS_MAX - self._rows + 1, reverse=False):
            self._rows += 1
            # SYS-024
            if self._rows > INDEX_BUILD_ROWS_MAX:
                raise ContractStop(INDEX_TOO_LARGE, f"an upgrade builds and deletes at most {INDEX_BUILD_ROWS_MAX} rows of indexes")
            machine.meter.hold(len(key) + len(data))
            found.append((key, data))
        return found

    def _write(self, row: bytes, data: bytes | None) -> None:
        if not self._machine.read_only:
            self._machine.write(row, data)
