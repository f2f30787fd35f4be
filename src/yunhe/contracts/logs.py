"""Logs: for each key a list of records that only grows (CON-064, CON-117).

```python
endorsements: Log[str, Endorsement] = Log()
```

An entry lies under its key and position. The next position is one more than that of the last entry, and so is the length: nothing beside
the entries says how many there are.
"""

import typing
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from yunhe.contracts.faults import Fault
from yunhe.contracts.keys import KeyCodec
from yunhe.contracts.records import Record, RecordType, record_type
from yunhe.contracts.rows import decode_record, scan_rows
from yunhe.contracts.value_types import INT, value_type

if TYPE_CHECKING:
    from yunhe.contracts.machine import Machine

K = TypeVar("K", bound=str | int | bytes | tuple[Any, ...])
E = TypeVar("E", bound=Record)


class Log(Generic[K, E]):
    """Lists of records, by key, that are appended to and never changed."""

    __slots__ = ("_machine", "key_type", "keys", "kind", "name")

    _machine: "Machine"

    def __init__(self) -> None:
        """Declare a log."""
        self.name = ""

    def declare(self, contract: str, name: str, key: object, cls: object) -> None:
        """Bind the log to its contract, name and types, which its annotation names.

        Raises:
            TypeError: the types are none of a log.
        """
        if not (isinstance(cls, type) and issubclass(cls, Record) and cls is not Record):
            raise TypeError(f"{name}: a Log is of a Record class")
        self.name = name
        self.kind: RecordType = record_type(cls)
        self.key_type = key
        parts = typing.get_args(key) if typing.get_origin(key) is tuple else (key,)
        self.keys = KeyCodec(contract, name, [*[value_type(part) for part in parts], INT])

    def attach(self, machine: "Machine") -> None:
        """Let the log work on a machine."""
        self._machine = machine

    # --- What contracts call ----------------------------------------------------------------------------------------

    def append(self, key: K, entry: E) -> int:
        """Add an entry to the list of a key and return its position, from 0 (CON-117)."""
        machine = self._machine
        # CON-117
        position = machine.log_length(self._prefix(key))
        machine.store(self.keys.state_key((*self._parts(key), position)), self.kind.to_plain, entry)
        machine.log_grew(self._prefix(key), position + 1)
        return position

    def scan(self, key: K, *, start: int = 0, end: int | None = None, limit: int | None = None, reverse: bool = False) -> list[E]:
        """Return entries of a key in the order of their positions, those of this transaction included (CON-117).

        Args:
            key: of the list.
            start: first position.
            end: position before which the scan stops.
            limit: at most so many entries. Without it, more than `SCAN_ROWS_MAX` refuse with SCAN_TOO_LONG.
            reverse: from the last to the first.
        """
        machine = self._machine
        parts = self._parts(key)
        low, high = self.keys.range((*parts, start), None if end is None else (*parts, end), parts)
        return [self._load(data, machine) for _, data in scan_rows(machine, low, high, limit, reverse=reverse)]

    def last(self, key: K) -> E | None:
        """Return the newest entry of a key, or None (CON-117)."""
        entries = self.scan(key, limit=1, reverse=True)
        return entries[0] if entries else None

    def count(self, key: K) -> int:
        """Return how many entries a key has, which the position of the last one tells (CON-117)."""
        return self._machine.log_length(self._prefix(key))

    # --- Inside -----------------------------------------------------------------------------------------------------

    def _parts(self, key: K) -> tuple[Any, ...]:
        parts = key if isinstance(key, tuple) else (key,)
        # CON-117
        if len(parts) != len(self.keys.parts) - 1:
            raise Fault(f"the key of {self.name} has {len(self.keys.parts) - 1} parts")
        return parts

    def _prefix(self, key: K) -> bytes:
        return self.keys.range(None, None, self._parts(key))[0]

    def _load(self, data: bytes, machine: "Machine") -> E:
        machine.meter.charge(self.kind.load_base + len(data) * self.kind.load_rate)
        machine.meter.hold(self.kind.memory_base + len(data) * self.kind.memory_rate)
        plain = decode_record(data)
        # CON-121
        if len(plain) != len(self.kind.fields):
            machine.meter.charge(self.kind.completion_gas)
        entry: E = self.kind.from_plain(plain)
        return entry
