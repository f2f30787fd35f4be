"""Indexes of tables: the order of other fields, and uniqueness. Declared beside the table, kept by the runtime (CON-114 to CON-116).

```python
bills_by_holder: Index[Bill] = Index(bills, by="holder")
bill_of_document: Unique[Bill] = Unique(bills, by="document_checksum", code="DOCUMENT_ALREADY_ISSUED")
```

An index is rows of the state under a table name that no contract can have, `bills#holder` (COD-062). A row says where a record lies and
nothing else; it is written, moved and deleted with the record's own change, so nothing but the table decides what an index says.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from yunhe.contracts import prices
from yunhe.contracts.codes import NOT_FOUND, NOT_UNIQUE, VALUE_TOO_LARGE
from yunhe.contracts.faults import ContractStop, Refusal
from yunhe.contracts.keys import Key, KeyCodec
from yunhe.contracts.records import Record
from yunhe.contracts.rows import count_rows, decode_record, scan_rows
from yunhe.contracts.tables import Table
from yunhe.contracts.value_types import OptionalType, Room, ValueType
from yunhe.errors import CorruptionError
from yunhe.ledger.codec import encode
from yunhe.ledger.state_keys import component_end, encode_component, index_table
from yunhe.limits import INTEGER_MAX, KEY_COMPONENTS_MAX, STATE_KEY_BYTES_MAX, TABLE_INDEXES_MAX

if TYPE_CHECKING:
    from yunhe.contracts.machine import Machine

R = TypeVar("R", bound=Record)

_EMPTY_ROW: Final = encode({})
"""What a row holds whose key says everything."""


class _Rows(Generic[R]):
    """What an index and a uniqueness constraint share."""

    __slots__ = ("_machine", "_types", "by", "name", "rows", "table")

    _machine: "Machine"

    def __init__(self, table: Table[R], by: str | tuple[str, ...]) -> None:
        self.table = table
        self.by = by if isinstance(by, tuple) else (by,)
        """Names of the indexed fields."""
        self.name = ""

    def declare(self, contract: str, name: str, cls: object) -> None:
        """Bind the index to its contract, name and record class, which its annotation names; its table is declared already.

        Raises:
            TypeError: the fields are none that can be indexed.
        """
        self.name = name
        table = self.table
        if table.name == "" or table.kind.cls is not cls:
            raise TypeError(f"{name}: an index is of a table that stands above it, and of its record")
        fields = table.kind.fields
        # CON-063
        if not self.by or len(set(self.by)) != len(self.by) or any(field not in fields for field in self.by) or self.by == table.key_fields:
            raise TypeError(f"{name}: the indexed fields must be fields of {table.kind.name}, each once, and not those of the key")
        self._types = tuple(_indexed(fields[field]) for field in self.by)
        if len(self.by) + len(table.key_fields) > KEY_COMPONENTS_MAX:
            raise TypeError(f"{name}: indexed fields and key fields together are at most {KEY_COMPONENTS_MAX}")
        if len(table.followers) == TABLE_INDEXES_MAX:
            raise TypeError(f"{name}: a table has at most {TABLE_INDEXES_MAX} indexes")
        if any(isinstance(other, _Rows) and other.by == self.by for other in table.followers):
            raise TypeError(f"{name}: there is an index of {table.name} by these fields already")
        self.rows = KeyCodec(contract, index_table(table.name, self.by), self._row_types())
        table.followers += (self,)

    def attach(self, machine: "Machine") -> None:
        """Let the index work on a machine."""
        self._machine = machine

    @property
    def definition(self) -> tuple[object, ...]:
        """What has to be the same for the rows to be the same: kind, fields with types and defaults, the table's key (CON-114)."""
        kind = self.table.kind
        defaults = tuple(None if field not in kind.defaults else self._default(field) for field in self.by)
        by = tuple(kind.fields[field].name for field in self.by)
        key = tuple((field, kind.fields[field].name) for field in self.table.key_fields)
        return type(self).__name__, by, defaults, tuple(field in kind.defaults for field in self.by), key

    def _default(self, field: str) -> Any:
        kind = self.table.kind
        return kind.fields[field].to_plain(kind.defaults[field], Room(INTEGER_MAX))

    def follow(self, machine: "Machine", primary: bytes, before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> None:
        """Move the record's row (CON-114); see `yunhe.contracts.tables.Follower`."""
        # CON-114
        machine.meter.charge(prices.INDEX)
        old = None if before is None else self.row_of(before, primary)
        new = None if after is None else self.row_of(after, primary)
        if old == new:
            return
        if old is not None:
            machine.write(old, None)
        if new is not None and after is not None:
            self._claim(machine, new)
            machine.write(new, self.content_of(after))

    def row_of(self, plain: Mapping[str, Any], primary: bytes) -> bytes | None:
        """Return the state key of a record's row, or None where an indexed field is None."""
        row = self.rows.prefix
        for field in self.by:
            value = plain[field]
            # CON-114
            if value is None:
                return None
            row += encode_component(value)
        row += self._row_end(primary)
        # COD-061
        if len(row) > STATE_KEY_BYTES_MAX:
            raise ContractStop(VALUE_TOO_LARGE, f"a row of the index {self.name} is over {STATE_KEY_BYTES_MAX} bytes")
        return row

    # --- What differs -----------------------------------------------------------------------------------------------

    def _row_types(self) -> tuple[ValueType, ...]:
        raise NotImplementedError

    def _row_end(self, primary: bytes) -> bytes:
        raise NotImplementedError

    def _claim(self, machine: "Machine", row: bytes) -> None:
        """Refuse a row that another record has."""

    def content_of(self, plain: Mapping[str, Any]) -> bytes:
        """Return what a record's row holds."""
        raise NotImplementedError

    def _primary(self, row: bytes, data: bytes) -> bytes:
        raise NotImplementedError

    # --- What contracts call ----------------------------------------------------------------------------------------

    def scan(
        self,
        *,
        start: Key | None = None,
        end: Key | None = None,
        prefix: Key | None = None,
        after: Key | None = None,
        limit: int | None = None,
        reverse: bool = False,
    ) -> list[R]:
        """Return private copies of records in the order of the index, writes of this transaction included (CON-115).

        Args:
            start: first row, inclusive; leading fields will do. A row is the indexed fields, then, in an `Index`, those of the primary key.
            end: row before which the scan stops; leading fields will do.
            prefix: leading fields that are equal.
            after: whole row after which the scan begins; it need not exist.
            limit: at most so many records. Without it, more than `SCAN_ROWS_MAX` records refuse with SCAN_TOO_LONG.
            reverse: from the last to the first.
        """
        machine, table = self._machine, self.table
        low, high = self.rows.range(start, end, prefix, after, reverse=reverse)
        found = scan_rows(machine, low, high, limit, reverse=reverse)
        # CON-115
        return [table.load(data, machine) for data in machine.fetch([self._primary(row, data) for row, data in found])]

    def count(self, *, start: Key | None = None, end: Key | None = None, prefix: Key | None = None) -> int:
        """Return how many rows there are, at the price of walking over them; arguments as for `scan` (CON-113)."""
        return count_rows(self._machine, *self.rows.range(start, end, prefix))


class Index(_Rows[R]):
    """Records of a table in the order of other fields."""

    __slots__ = ()

    def __init__(self, table: Table[R], *, by: str | tuple[str, ...]) -> None:
        """Declare an index.

        Args:
            table: declared above.
            by: name of the indexed field, or a tuple of several. A record with None in one of them is not in the index.
        """
        super().__init__(table, by)

    def _row_types(self) -> tuple[ValueType, ...]:
        return self._types + self.table.keys.parts

    def _row_end(self, primary: bytes) -> bytes:
        return primary[len(self.table.keys.prefix) :]

    def content_of(self, plain: Mapping[str, Any]) -> bytes:  # noqa: ARG002  # the row's key says it all
        """Return the empty map."""
        return _EMPTY_ROW

    def _primary(self, row: bytes, data: bytes) -> bytes:  # noqa: ARG002  # the row's key says it all
        position = len(self.rows.prefix)
        for _ in self.by:
            position = component_end(row, position)
        return self.table.keys.prefix + row[position:]


class Unique(_Rows[R]):
    """A constraint that no two records of a table have the same in some fields; finds the record by them."""

    __slots__ = ("code",)

    def __init__(self, table: Table[R], *, by: str | tuple[str, ...], code: str = NOT_UNIQUE) -> None:
        """Declare a constraint.

        Args:
            table: declared above.
            by: name of the field, or a tuple of several. Records with None in one of them are not constrained.
            code: with which a second record is refused, a literal as for `require`.
        """
        super().__init__(table, by)
        self.code = code

    def _row_types(self) -> tuple[ValueType, ...]:
        return self._types

    def _row_end(self, primary: bytes) -> bytes:  # noqa: ARG002  # the fields are enough to tell rows apart
        return b""

    def _claim(self, machine: "Machine", row: bytes) -> None:
        # CON-116
        if machine.exists(row):
            raise self.taken()

    def taken(self) -> Refusal:
        """Return the refusal of a second record."""
        return Refusal(self.code, f"{self.table.name} has a record with these {', '.join(self.by)} already")

    def content_of(self, plain: Mapping[str, Any]) -> bytes:
        """Return the record's primary key, as a map from field to value."""
        return encode({field: plain[field] for field in self.table.key_fields})

    def _primary(self, row: bytes, data: bytes) -> bytes:  # noqa: ARG002  # the row's record has the primary key
        plain = decode_record(data)
        try:
            key = [plain[field] for field in self.table.key_fields]
            return self.table.keys.state_key(key[0] if len(key) == 1 else tuple(key))
        except (KeyError, TypeError, ContractStop) as error:
            raise CorruptionError(f"a row of the index {self.name} names no record; run `yunhe node check`") from error

    # --- What contracts call ----------------------------------------------------------------------------------------

    def __getitem__(self, key: Key) -> R:
        """Return a private copy of the record with these values; refuse with NOT_FOUND if there is none (CON-116)."""
        record = self.get(key)
        if record is None:
            raise Refusal(NOT_FOUND, f"{self.table.name} has no record with {', '.join(self.by)} {key!r}")
        return record

    def get(self, key: Key) -> R | None:
        """Return a private copy of the record with these values, or None (CON-116)."""
        machine = self._machine
        row = self.rows.state_key(key)
        data = machine.read(row)
        if data is None:
            return None
        (found,) = machine.fetch([self._primary(row, data)])
        return self.table.load(found, machine)

    def __contains__(self, key: Key) -> bool:
        """Tell whether there is a record with these values."""
        return self._machine.read(self.rows.state_key(key)) is not None


def _indexed(kind: ValueType) -> ValueType:
    """Return the type of a key component for a field; None is not indexed."""
    return kind.item if isinstance(kind, OptionalType) else kind
