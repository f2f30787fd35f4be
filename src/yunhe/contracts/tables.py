"""State of a contract: tables of records and maps of scalars, declared at module level.

```python
bills: Table[Bill] = Table(key="bill_id")
balances: Map[Org, int] = Map(default=0)
```

A loaded record is a private copy: changing it changes nothing until it is saved (CON-102). The name of the variable is the name of the
table. Table and Map know where records lie and what they look like; the machine that they are attached to reads, writes and charges.
"""

import typing
from collections.abc import Callable
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final, Generic, NoReturn, TypeVar

from yunhe.contracts.codes import ALREADY_EXISTS, NOT_FOUND, SCAN_TOO_LONG
from yunhe.contracts.faults import ContractStop, Fault, Refusal
from yunhe.contracts.keys import Key, KeyCodec
from yunhe.contracts.records import Record, RecordType, record_type
from yunhe.contracts.value_types import OptionalType, Room, ValueType, value_type
from yunhe.errors import CorruptionError, EncodingError
from yunhe.ledger.codec import decode
from yunhe.ledger.state_keys import decode_state_key
from yunhe.limits import INTEGER_MAX, RECORD_BYTES_MAX, SCAN_ROWS_MAX

if TYPE_CHECKING:
    from yunhe.contracts.machine import Machine

R = TypeVar("R", bound=Record)
K = TypeVar("K", bound=str | int | bytes | tuple[Any, ...])
V = TypeVar("V", bound=str | int | bytes | bool)

_ABSENT: Final = object()
_VALUE: Final = "value"
"""Field that holds a Map's value in its record (CON-101)."""


class Table(Generic[R]):
    """Records of one type by their primary key."""

    __slots__ = (
        "_cls",
        "_from_plain",
        "_key_fields",
        "_key_of",
        "_machine",
        "_memory_base",
        "_memory_rate",
        "_state_key",
        "_to_plain",
        "keys",
        "kind",
        "name",
    )

    _machine: "Machine"

    def __init__(self, *, key: str | tuple[str, ...]) -> None:
        """Declare a table.

        Args:
            key: name of the key field, or a tuple of 1 to `KEY_COMPONENTS_MAX` names.
        """
        self._key_fields = key
        self.name = ""

    def declare(self, contract: str, name: str, cls: object) -> None:
        """Bind the table to its contract, name and record class, which its annotation names.

        Raises:
            TypeError: the class is no record, or has no such key fields.
        """
        if not (isinstance(cls, type) and issubclass(cls, Record) and cls is not Record):
            raise TypeError(f"{name}: a Table is of a Record class")
        self.name = name
        self.kind: RecordType = record_type(cls)
        fields = self.key_fields
        if any(field not in self.kind.fields for field in fields) or len(set(fields)) != len(fields):
            raise TypeError(f"{name}: the key fields must be fields of {self.kind.name}, each once")
        self.keys = KeyCodec(contract, name, [self.kind.fields[field] for field in fields])
        self._cls = cls
        self._key_of: Callable[[Any], Any] = attrgetter(*fields)
        self._state_key = self.keys.state_key
        self._to_plain = self.kind.to_plain
        self._from_plain = self.kind.from_plain
        self._memory_base, self._memory_rate = self.kind.memory_base, self.kind.memory_rate

    def attach(self, machine: "Machine") -> None:
        """Let the table work on a machine."""
        self._machine = machine

    @property
    def key_fields(self) -> tuple[str, ...]:
        """Names of the key fields."""
        return self._key_fields if isinstance(self._key_fields, tuple) else (self._key_fields,)

    def key_of(self, record: R) -> Any:
        """Return the primary key of a record: a value, or a tuple of several."""
        return self._key_of(record)

    # --- What contracts call ----------------------------------------------------------------------------------------

    def __getitem__(self, key: Key) -> R:
        """Return a private copy of the record; refuse with NOT_FOUND if there is none (CON-102, CON-103)."""
        record = self.get(key)
        if record is None:
            self._missing(key)
        return record

    def get(self, key: Key) -> R | None:
        """Return a private copy of the record, or None."""
        machine = self._machine
        data = machine.read(self._state_key(key))
        return None if data is None else self._load(data, machine)

    def __contains__(self, key: Key) -> bool:
        """Tell whether there is a record."""
        return self._machine.read(self._state_key(key)) is not None

    def add(self, record: R) -> None:
        """Store a new record; refuse with ALREADY_EXISTS if its key is taken (CON-103)."""
        machine = self._machine
        state_key = self._key_to_write(record)
        # CON-103
        if machine.exists(state_key):
            raise Refusal(ALREADY_EXISTS, f"{self.name} has a record {self.key_of(record)!r} already")
        data = machine.store(state_key, self._to_plain, record)
        if machine.watch is not None:
            machine.watch.stored(record, data)

    def save(self, record: R) -> None:
        """Replace the record of the same key; refuse with NOT_FOUND if there is none (CON-103).

        Saving never makes a record: a changed key field is noticed, not stored as a second record.
        """
        machine = self._machine
        state_key = self._key_to_write(record)
        # CON-103
        if not machine.exists(state_key):
            self._missing(self.key_of(record))
        data = machine.store(state_key, self._to_plain, record)
        if machine.watch is not None:
            machine.watch.stored(record, data)

    def delete(self, key: Key) -> None:
        """Delete the record; refuse with NOT_FOUND if there is none (CON-103)."""
        machine = self._machine
        state_key = self._state_key(key)
        # CON-103
        if not machine.exists(state_key):
            self._missing(key)
        machine.write(state_key, None)

    def discard(self, record: R) -> None:
        """Say that changes to this copy are not meant to be stored, where a test would take them for a forgotten `save`."""
        watch = self._machine.watch
        if watch is not None:
            watch.discarded(record)

    def scan(
        self,
        *,
        start: Key | None = None,
        end: Key | None = None,
        prefix: Key | None = None,
        limit: int | None = None,
        reverse: bool = False,
    ) -> list[R]:
        """Return private copies of records in the order of their keys, writes of this transaction included (CON-105).

        Args:
            start: first key, inclusive; leading key fields will do.
            end: key before which the scan stops; leading key fields will do.
            prefix: leading key fields that the records share; with one key field of text or bytes, how it begins.
            limit: at most so many records. Without it, more than `SCAN_ROWS_MAX` records refuse with SCAN_TOO_LONG.
            reverse: from the last to the first.
        """
        machine = self._machine
        low, high = self.keys.range(start, end, prefix)
        rows = scan_rows(machine, low, high, limit, reverse=reverse)
        return [self._load(data, machine) for _, data in rows]

    # --- Inside -----------------------------------------------------------------------------------------------------

    def _key_to_write(self, record: R) -> bytes:
        if type(record) is not self._cls:
            raise Fault(f"{self.name} holds {self.kind.name}, not {type(record).__name__}")
        return self._state_key(self._key_of(record))

    def _load(self, data: bytes, machine: "Machine") -> R:
        # CON-124
        machine.meter.memory -= self._memory_base + len(data) * self._memory_rate
        if machine.meter.memory < 0:
            machine.meter.stop()
        record: R = self._from_plain(decode_record(data))
        if machine.watch is not None:
            machine.watch.loaded(self.name, self.kind, record, data)
        return record

    def _missing(self, key: object) -> NoReturn:
        raise Refusal(NOT_FOUND, f"{self.name} has no record {key!r}")


class Map(Generic[K, V]):
    """Scalars by key, with a default for keys that were never set or were deleted."""

    __slots__ = ("_default", "_key_type", "_machine", "_state_key", "_value_type", "keys", "name")

    _machine: "Machine"

    def __init__(self, *, default: V | None = None) -> None:
        """Declare a map.

        Args:
            default: value of a key that is not set; without it, reading one refuses with NOT_FOUND.
        """
        self._default = default
        self.name = ""

    def declare(self, contract: str, name: str, key: object, value: object) -> None:
        """Bind the map to its contract, name and types, which its annotation names.

        Raises:
            TypeError: the types are none of a map.
        """
        self.name = name
        parts = typing.get_args(key) if typing.get_origin(key) is tuple else (key,)
        self.keys = KeyCodec(contract, name, [value_type(part) for part in parts])
        self._state_key = self.keys.state_key
        self._value_type = value_type(value)
        if self._value_type.depth != 0 or isinstance(self._value_type, OptionalType):
            raise TypeError(f"{name}: a Map holds scalars; use a Table of records")
        self._key_type = key
        if self._default is not None:
            try:
                self._default = self._value_type.from_plain(self._value_type.to_plain(self._default, Room(INTEGER_MAX)))
            except ContractStop as error:
                raise TypeError(f"{name}: the default does not fit: {error}") from error

    def _to_plain(self, value: Any, room: Room) -> Any:
        return {_VALUE: self._value_type.to_plain(value, room)}

    def attach(self, machine: "Machine") -> None:
        """Let the map work on a machine."""
        self._machine = machine

    @property
    def value_type(self) -> ValueType:
        """Type of the values."""
        return self._value_type

    @property
    def default(self) -> V | None:
        """Value of a key that is not set."""
        return self._default

    # --- What contracts call ----------------------------------------------------------------------------------------

    def __getitem__(self, key: K) -> V:
        """Return the value, or the default; without a default refuse with NOT_FOUND."""
        data = self._machine.read(self._state_key(key))
        if data is not None:
            return self._load(data)
        if self._default is None:
            raise Refusal(NOT_FOUND, f"{self.name} has no value for {key!r}")
        return self._default

    def __setitem__(self, key: K, value: V) -> None:
        """Set a value; the default is stored like any other."""
        machine = self._machine
        machine.store(self._state_key(key), self._to_plain, value)

    def __delitem__(self, key: K) -> None:
        """Forget a value, so that the key has the default again; refuse with NOT_FOUND if there is none (CON-103)."""
        machine = self._machine
        state_key = self._state_key(key)
        if not machine.exists(state_key):
            raise Refusal(NOT_FOUND, f"{self.name} has no value for {key!r}")
        machine.write(state_key, None)

    def __contains__(self, key: K) -> bool:
        """Tell whether a value is set."""
        return self._machine.read(self._state_key(key)) is not None

    def scan(
        self,
        *,
        start: Key | None = None,
        end: Key | None = None,
        prefix: Key | None = None,
        limit: int | None = None,
        reverse: bool = False,
    ) -> list[tuple[K, V]]:
        """Return the keys that are set and their values, in the order of the keys; arguments as for `Table.scan` (CON-105)."""
        low, high = self.keys.range(start, end, prefix)
        rows = scan_rows(self._machine, low, high, limit, reverse=reverse)
        return [(self._key_from(state_key), self._load(data)) for state_key, data in rows]

    def _load(self, data: bytes) -> V:
        kind = self._value_type
        self._machine.meter.hold(kind.memory_base + len(data) * kind.memory_rate)
        plain = decode_record(data)
        if type(plain) is not dict or len(plain) != 1 or _VALUE not in plain:
            raise Fault(f"{self.name} was another kind of state before")
        value: V = kind.from_plain(plain[_VALUE])
        return value

    def _key_from(self, state_key: bytes) -> K:
        parts = decode_state_key(state_key)[2]
        values = tuple([kind.from_plain(part) for kind, part in zip(self.keys.parts, parts, strict=True)])
        key: K = values if typing.get_origin(self._key_type) is tuple else values[0]  # type: ignore[assignment]
        return key


def scan_rows(machine: "Machine", low: bytes, high: bytes, limit: int | None, *, reverse: bool) -> list[tuple[bytes, bytes]]:
    """Return the rows of a scan (CON-105).

    Raises:
        ContractStop: there is no limit and there are more than `SCAN_ROWS_MAX`.
        Fault: the limit is no integer from 0 to `SCAN_ROWS_MAX`.
    """
    # CON-105
    if limit is not None and (type(limit) is not int or not 0 <= limit <= SCAN_ROWS_MAX):
        raise Fault(f"the limit of a scan is 0 to {SCAN_ROWS_MAX}")
    found: list[tuple[bytes, bytes]] = []
    if limit == 0 or low >= high:
        return found
    for row in machine.scan(low, high, SCAN_ROWS_MAX if limit is None else limit, reverse=bool(reverse)):
        if len(found) == SCAN_ROWS_MAX and limit is None:
            raise ContractStop(SCAN_TOO_LONG, f"more than {SCAN_ROWS_MAX} records; give the scan a limit and go on from the last key")
        machine.meter.hold(len(row[0]) + len(row[1]) + 128)
        found.append(row)
        if len(found) == limit:
            break
    return found


def decode_record(data: bytes) -> Any:
    """Decode what is stored in a state.

    Raises:
        CorruptionError: it is not canonical, so no contract wrote it.
    """
    try:
        return decode(data, RECORD_BYTES_MAX)
    except EncodingError as error:
        raise CorruptionError("a stored record is not canonical; run `yunhe node check`") from error
