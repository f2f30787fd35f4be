"""Pages of a table's records, in the order of their keys or of one of the contract's indexes (API-006, API-010, API-011).

What the contract declares is read from its source as the same state has it, so an index is one that this state keeps, whole. Nothing of the
contract runs.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final, cast

from yunhe.contracts.interface import IndexInterface, Interface, TableInterface, interface_of
from yunhe.errors import CorruptionError, IndexNotFoundError, InvalidInputError, TableNotFoundError
from yunhe.gateway.pages import wrong_cursor
from yunhe.ledger.codec import as_fields, decode
from yunhe.ledger.interfaces import StateReader
from yunhe.ledger.layouts import contract_key, read_record, source_key
from yunhe.ledger.state_keys import KeyComponent, component_end, encode_component, index_table, prefix_end, state_key, table_prefix
from yunhe.limits import PAGE_BYTES_MAX, RECORD_BYTES_MAX

_INTERFACES: Final = 64
"""Sources whose interface is remembered."""
_SCANNED_ROWS: Final = 64
"""Rows that are read at once, so that a page of large records does not hold many more than it shows."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which records of a table to list, in which order."""

    by: tuple[str, ...] = ()
    """Fields of an index, in whose order they come; none: the order of the primary keys."""
    prefix: tuple[KeyComponent, ...] = ()
    """Leading components that all keys, or rows of the index, have."""
    start: tuple[KeyComponent, ...] = ()
    """First key or row, or its leading components; inclusive."""
    end: tuple[KeyComponent, ...] = ()
    """Key or row, or its leading components, before which the list ends."""
    cursor: bytes | None = None
    """`next` of the page before."""
    reverse: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """Some records, and where the list goes on."""

    records: list[tuple[bytes, bytes]]
    """State keys of records, and their encodings."""
    next: bytes | None
    """Cursor of the page that follows; None at the end."""


def read_page(reader: StateReader, contract: str, table: str, wanted: Wanted, limit: int) -> Page:
    """Return the first `limit` records of a list, or those behind its cursor; fewer when they reach `PAGE_BYTES_MAX`.

    Raises:
        TableNotFoundError: there is nothing, and the contract does not declare the table.
        IndexNotFoundError: the contract does not declare the index.
        CursorError: the cursor is not of this list.
    """
    index = _find_index(reader, contract, table, wanted.by) if wanted.by else None
    low, high = _bounds(contract, table, wanted)
    if wanted.cursor is not None:
        # API-006: a cursor of another list would read what was not asked for.
        if not low <= wanted.cursor < high:
            raise wrong_cursor()
        # No key begins another one, so nothing lies between a key and its successor.
        low, high = (low, wanted.cursor) if wanted.reverse else (wanted.cursor + b"\x00", high)
    records: list[tuple[bytes, bytes]] = []
    size = 0
    last = b""
    while low < high:
        wanted_rows = min(_SCANNED_ROWS, limit + 1 - len(records))
        rows = reader.scan(low, high, wanted_rows, reverse=wanted.reverse)
        found = rows if index is None else _records_of(reader, contract, *index, rows)
        for (row, _), record in zip(rows, found, strict=True):
            # API-006: a page has a record at least, so every list comes to its end.
            if len(records) == limit or size >= PAGE_BYTES_MAX:
                return Page(records, last)
            records.append(record)
            size += len(record[1])
            last = row
        if len(rows) < wanted_rows:
            break
        low, high = (low, last) if wanted.reverse else (last + b"\x00", high)
    if not records:
        require_table(reader, contract, table)
    return Page(records, None)


def require_table(reader: StateReader, contract: str, table: str) -> None:
    """Check that a table of which nothing was found is one.

    Raises:
        TableNotFoundError: the contract does not declare it, or is none.
    """
    # API-010
    interface = _interface(reader, contract)
    if interface is None:
        raise TableNotFoundError(f"there is no contract {contract}; `yunhe contract list` shows all")
    if table not in interface.tables:
        raise TableNotFoundError(f"{contract} has no table {table}; it has {', '.join(sorted(interface.tables)) or 'none'}")


def _bounds(contract: str, table: str, wanted: Wanted) -> tuple[bytes, bytes]:
    """Return the state keys between which the list lies, the second one exclusive."""
    # API-010
    place = table_prefix(contract, index_table(table, wanted.by) if wanted.by else table)
    low = place + _encoded(wanted.prefix)
    high = prefix_end(low)
    if wanted.start:
        low = max(low, place + _encoded(wanted.start))
    if wanted.end:
        high = min(high, place + _encoded(wanted.end))
    return low, high


def _encoded(components: tuple[KeyComponent, ...]) -> bytes:
    return b"".join(map(encode_component, components))


def _find_index(reader: StateReader, contract: str, table: str, by: tuple[str, ...]) -> tuple[TableInterface, IndexInterface]:
    interface = _interface(reader, contract)
    declared = None if interface is None else interface.tables.get(table)
    indexes = {} if declared is None else {index.by: index for index in declared.indexes}
    # API-011
    if declared is None or by not in indexes:
        known = "; ".join(",".join(fields) for fields in indexes) or "none"
        raise IndexNotFoundError(f"the table {contract}.{table} has no index by {','.join(by)}; it has: {known}")
    return declared, indexes[by]


def _interface(reader: StateReader, contract: str) -> Interface | None:
    """Return what a contract declares, or None if none of this name is deployed."""
    deployed = read_record(reader, contract_key(contract))
    if deployed is None:
        return None
    code_hash = deployed.get("code_hash")
    stored = read_record(reader, source_key(code_hash)) if isinstance(code_hash, bytes) else None
    source = None if stored is None else stored.get("source")
    if not isinstance(source, str):
        raise CorruptionError(f"the source of the contract {contract} is missing; run `yunhe node check`")
    return _read_interface(source)


@lru_cache(maxsize=_INTERFACES)
def _read_interface(source: str) -> Interface:
    return interface_of(source)


def _records_of(
    reader: StateReader, contract: str, table: TableInterface, index: IndexInterface, rows: list[tuple[bytes, bytes]]
) -> list[tuple[bytes, bytes]]:
    """Return the records that rows of an index stand for, in their order."""
    keys = [_unique_key(contract, table, held) if index.unique else _record_key(contract, table, index, row) for row, held in rows]
    records = []
    for key, stored in zip(keys, reader.get_many(keys), strict=True):
        # API-011
        if stored is None:
            raise _corrupt(contract, table)
        records.append((key, stored))
    return records


def _record_key(contract: str, table: TableInterface, index: IndexInterface, row: bytes) -> bytes:
    """Return the state key of a record: its row of an index ends with the primary key."""
    position = len(table_prefix(contract, index_table(table.name, index.by)))
    for _ in index.by:
        position = component_end(row, position)
    return table_prefix(contract, table.name) + row[position:]


def _unique_key(contract: str, table: TableInterface, held: bytes) -> bytes:
    """Return the state key of a record: its row of a uniqueness constraint holds the primary key."""
    try:
        fields = as_fields(decode(held, RECORD_BYTES_MAX), "row")
        return state_key(contract, table.name, [cast(KeyComponent, fields[name]) for name in table.key])
    except (KeyError, InvalidInputError) as error:
        raise _corrupt(contract, table) from error


def _corrupt(contract: str, table: TableInterface) -> CorruptionError:
    return CorruptionError(f"a row of an index of {contract}.{table.name} names no record; run `yunhe node check`")
