"""Tables of records, declared at module level: `bills: Table[Bill] = Table(key="bill_id")`.

A loaded record is a private copy: changing it changes nothing until it is saved (CON-102). The name of the variable is the name of the
table. A table knows where its records lie and what they look like, and tells its indexes of each change; the machine that it is attached
to reads, writes and charges.
"""

from collections.abc import Callable, Mapping
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Generic, NoReturn, Protocol, TypeVar

from yunhe.contracts.codes import ALREADY_EXISTS, NOT_FOUND
from yunhe.contracts.faults import Fault, Refusal
from yunhe.contracts.keys import Key, KeyCodec
from yunhe.contracts.records import Record, RecordType, record_type
from yunhe.contracts.rows import count_rows, decode_record, scan_rows

if TYPE_CHECKING:
    from yunhe.contracts.machine import Machine

R = TypeVar("R", bound=Record)


class Follower(Protocol):
    """What is derived from a table's records: told of each change before it is made (CON-114)."""

    def follow(self, machine: "Machine", primary: bytes, before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> None:
        """Take over a change.

        Args:
            machine: on which it happens.
            primary: state key of the record.
            before: plain fields as they are stored; None where there is no record yet.
            after: plain fields as they will be stored; None where the record is deleted.
        """
        ...


class Table(Generic[R]):
    """Records of one type by their primary key."""

    __slots__ = (
        "_cls",
        "_fields",
        "_from_plain",
        "_key_fields",
        "_key_of",
        "_load_base",
        "_load_rate",
        "_machine",
        "_memory_base",
        "_memory_rate",
        "_state_key",
        "_to_plain",
        "followers",
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
        self.followers: tuple[Follower, ...] = ()
        """Indexes that were declared over the table."""
        fields = self.key_fields
        if any(field not in self.kind.fields for field in fields) or len(set(fields)) != len(fields):
            raise TypeError(f"{name}: the key fields must be fields of {self.kind.name}, each once")
        self.keys = KeyCodec(contract, name, [self.kind.fields[field] for field in fields])
        self._cls = cls
        self._key_of: Callable[[Any], Any] = attrgetter(*fields)
        self._state_key = self.keys.state_key
        self._fields = len(self.kind.fields)
        self._to_plain = self.kind.to_plain
        self._from_plain = self.kind.from_plain
        self._memory_base, self._memory_rate = self.kind.memory_base, self.kind.memory_rate
        self._load_base, self._load_rate = self.kind.load_base, self.kind.load_rate

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
        return None if data is None else self.load(data, machine)

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
        self._store(machine, state_key, record)

    def save(self, record: R) -> None:
        """Replace the record of the same key; refuse with NOT_FOUND if there is none (CON-103).

        Saving never makes a record: a changed key field is noticed, not stored as a second record.
        """
        machine = self._machine
        state_key = self._key_to_write(record)
        # CON-103
        if not machine.exists(state_key):
            self._missing(self.key_of(record))
        self._store(machine, state_key, record)

    def delete(self, key: Key) -> None:
        """Delete the record; refuse with NOT_FOUND if there is none (CON-103)."""
        machine = self._machine
        state_key = self._state_key(key)
        # CON-103
        if not machine.exists(state_key):
            self._missing(key)
        # CON-114
        if self.followers:
            before = self._stored(machine, state_key)
            for follower in self.followers:
                follower.follow(machine, state_key, before, None)
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
        after: Key | None = None,
        limit: int | None = None,
        reverse: bool = False,
    ) -> list[R]:
        """Return private copies of records in the order of their keys, writes of this transaction included (CON-105).

        Args:
            start: first key, inclusive; leading key fields will do.
            end: key before which the scan stops; leading key fields will do.
            prefix: leading key fields that the records share; with one key field of text or bytes, how it begins.
            after: key after which the scan begins, such as that of the last record of the page before; it need not exist.
            limit: at most so many records. Without it, more than `SCAN_ROWS_MAX` records refuse with SCAN_TOO_LONG.
            reverse: from the last to the first.
        """
        machine = self._machine
        low, high = self.keys.range(start, end, prefix, after, reverse=reverse)
        rows = scan_rows(machine, low, high, limit, reverse=reverse)
        return [self.load(data, machine) for _, data in rows]

    def count(self, *, start: Key | None = None, end: Key | None = None, prefix: Key | None = None) -> int:
        """Return how many records there are, at the price of walking over them; arguments as for `scan` (CON-113)."""
        return count_rows(self._machine, *self.keys.range(start, end, prefix))

    # --- Inside -----------------------------------------------------------------------------------------------------

    def _key_to_write(self, record: R) -> bytes:
        if type(record) is not self._cls:
            raise Fault(f"{self.name} holds {self.kind.name}, not {type(record).__name__}")
        return self._state_key(self._key_of(record))

    def load(self, data: bytes, machine: "Machine") -> R:
        """Return a stored record as the contract gets it."""
        # CON-121, CON-124
        meter, size = machine.meter, len(data)
        meter.left -= self._load_base + size * self._load_rate
        meter.memory -= self._memory_base + size * self._memory_rate
        if meter.left < 0 or meter.memory < 0:
            meter.stop()
        plain = decode_record(data)
        if len(plain) != self._fields:
            meter.charge(self.kind.completion_gas)
        record: R = self._from_plain(plain)
        if machine.watch is not None:
            machine.watch.loaded(self.name, self.kind, record, data)
        return record

    def _store(self, machine: "Machine", state_key: bytes, record: R) -> None:
        plain = machine.plain(self._to_plain, record)
        data = machine.encoded(plain)
        # CON-114
        if self.followers:
            before = self._stored(machine, state_key)
            for follower in self.followers:
                follower.follow(machine, state_key, before, plain)
        machine.write(state_key, data)
        if machine.watch is not None:
            machine.watch.stored(record, data)

    def _stored(self, machine: "Machine", state_key: bytes) -> Mapping[str, Any] | None:
        """Return the plain fields of a record that the transaction knows to be there or not, those that it lacks by their defaults."""
        data = machine.recall(state_key)
        if data is None:
            return None
        plain: dict[str, Any] = decode_record(data)
        if len(plain) == self._fields:
            return plain
        machine.meter.charge(self.kind.completion_gas)
        return self.kind.complete(plain)

    def _missing(self, key: object) -> NoReturn:
        raise Refusal(NOT_FOUND, f"{self.name} has no record {key!r}")
