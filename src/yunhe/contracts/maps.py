"""Maps: scalars by key, with a default for keys that were never set or were deleted (CON-101, CON-103, CON-118)."""

import typing
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from yunhe.contracts.codes import NOT_FOUND
from yunhe.contracts.faults import ContractStop, Fault, Refusal
from yunhe.contracts.keys import Key, KeyCodec
from yunhe.contracts.rows import count_rows, decode_record, scan_rows
from yunhe.contracts.value_types import INT, OptionalType, Room, ValueType, value_type
from yunhe.ledger.state_keys import decode_state_key
from yunhe.limits import INTEGER_MAX

if TYPE_CHECKING:
    from yunhe.contracts.machine import Machine

K = TypeVar("K", bound=str | int | bytes | tuple[Any, ...])
V = TypeVar("V", bound=str | int | bytes | bool)

_VALUE: Final = "value"
"""Field that holds a Map's value in its record (CON-101)."""


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

    def add(self: "Map[K, int]", key: K, amount: int) -> None:
        """Add to a number, starting from the default (CON-118).

        Nothing is returned: additions come to the same in any order. Refuses with NOT_FOUND where there is neither value nor default.
        """
        # CON-118
        if self._value_type is not INT or type(amount) is not int:
            raise Fault(f"{self.name} adds integers to integers")
        self[key] = self[key] + amount

    def scan(
        self,
        *,
        start: Key | None = None,
        end: Key | None = None,
        prefix: Key | None = None,
        after: Key | None = None,
        limit: int | None = None,
        reverse: bool = False,
    ) -> list[tuple[K, V]]:
        """Return the keys that are set and their values, in the order of the keys; arguments as for `Table.scan` (CON-105)."""
        low, high = self.keys.range(start, end, prefix, after, reverse=reverse)
        rows = scan_rows(self._machine, low, high, limit, reverse=reverse)
        return [(self._key_from(state_key), self._load(data)) for state_key, data in rows]

    def count(self, *, start: Key | None = None, end: Key | None = None, prefix: Key | None = None) -> int:
        """Return how many keys are set, at the price of walking over them; arguments as for `scan` (CON-113)."""
        return count_rows(self._machine, *self.keys.range(start, end, prefix))

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
