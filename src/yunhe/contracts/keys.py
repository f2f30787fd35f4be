"""Keys of tables: from the values of key fields to state keys, and to ranges for scans (COD-060, COD-061, CON-104, CON-105, CON-113)."""

from collections.abc import Callable, Sequence
from typing import Any, Final, TypeAlias

from yunhe.contracts.codes import VALUE_TOO_LARGE
from yunhe.contracts.faults import ContractStop, Fault, IntegerOutOfRange
from yunhe.contracts.value_types import BYTES, INT, ORG, STR, ChoiceType, ValueType, ill_typed
from yunhe.errors import MalformedError
from yunhe.ledger.state_keys import encode_component, prefix_end, table_prefix
from yunhe.limits import INTEGER_MAX, INTEGER_MIN, KEY_COMPONENTS_MAX, STATE_KEY_BYTES_MAX

KeyPart: TypeAlias = str | int | bytes
Key: TypeAlias = KeyPart | tuple[KeyPart, ...]
"""A primary key: one value, or a tuple where a table has several key fields."""


class KeyCodec:
    """Encodes the keys of one table."""

    __slots__ = ("parts", "prefix", "state_key")

    def __init__(self, contract: str, table: str, parts: Sequence[ValueType]) -> None:
        """Make a codec.

        Args:
            contract: name of the contract.
            table: name of its table.
            parts: type of each key field.

        Raises:
            TypeError: a type is none of a key, or there are too many.
        """
        # CON-104
        if not 1 <= len(parts) <= KEY_COMPONENTS_MAX:
            raise TypeError(f"{table}: a key has 1 to {KEY_COMPONENTS_MAX} fields")
        for part in parts:
            if part not in (INT, STR, BYTES, ORG) and not isinstance(part, ChoiceType):
                raise TypeError(f"{table}: a key is of int, str, bytes, Org or a Choice, not {part.name}")
        self.parts = tuple(parts)
        self.prefix = table_prefix(contract, table)
        """What all state keys of the table begin with."""
        self.state_key: Callable[[Any], bytes] = self._key_of_parts
        """Return the state key of a primary key as a contract writes it."""
        if len(parts) == 1 and parts[0] not in (INT, BYTES):
            self.state_key = _text_key_function(self.prefix)

    def _key_of_parts(self, key: Key) -> bytes:
        if len(self.parts) == 1:
            return self._checked(self.prefix + self._part(key, 0))
        if type(key) is not tuple or len(key) != len(self.parts):
            raise Fault(f"the key is a tuple of {len(self.parts)} values")
        return self._checked(self.prefix + b"".join([self._part(value, index) for index, value in enumerate(key)]))

    def _checked(self, state_key: bytes) -> bytes:
        # COD-061
        if len(state_key) > STATE_KEY_BYTES_MAX:
            raise ContractStop(VALUE_TOO_LARGE, f"a state key is at most {STATE_KEY_BYTES_MAX} bytes")
        return state_key

    def _part(self, value: Any, index: int) -> bytes:
        expected = self.parts[index]
        if expected is INT:
            if type(value) is not int:
                ill_typed("int in a key", value)
            if not INTEGER_MIN <= value <= INTEGER_MAX:
                raise IntegerOutOfRange("an integer in a key has 64 bits")
        elif expected is BYTES:
            if type(value) is not bytes:
                ill_typed("bytes in a key", value)
        elif not isinstance(value, str):
            ill_typed("text in a key", value)
        # A long key is refused before it is copied.
        if expected is not INT and len(value) > STATE_KEY_BYTES_MAX:
            raise ContractStop(VALUE_TOO_LARGE, f"a state key is at most {STATE_KEY_BYTES_MAX} bytes")
        return _encoded(value)

    def range(
        self, start: Key | None, end: Key | None, prefix: Key | None, after: Key | None = None, *, reverse: bool = False
    ) -> tuple[bytes, bytes]:
        """Return the state keys between which a scan runs, the second one exclusive.

        Args:
            start: first key, or leading key fields.
            end: key, or leading key fields, before which it stops.
            prefix: leading key fields that all keys share; in a table with one key field of text or bytes, how the keys begin.
            after: whole key after which it begins, in the order of the scan.
            reverse: whether the scan runs from the last key to the first.
        """
        # CON-105
        base = self.prefix if prefix is None else self.prefix + self._shared(prefix)
        low, high = base, prefix_end(base)
        if start is not None:
            low = max(low, self.prefix + self._leading(start))
        if end is not None:
            high = min(high, self.prefix + self._leading(end))
        # CON-113
        if after is not None:
            last = self._key_of_parts(after)
            # No key begins another one, so nothing lies between a key and its successor.
            low, high = (low, min(high, last)) if reverse else (max(low, last + b"\x00"), high)
        return low, high

    def _shared(self, prefix: Key) -> bytes:
        if len(self.parts) > 1 or self.parts[0] is INT:
            return self._leading(prefix)
        # Without its terminator, the encoding of a text begins the encodings of all longer ones.
        return self._part(prefix, 0)[:-1]

    def _leading(self, key: Key) -> bytes:
        values = key if type(key) is tuple else (key,)
        if not 1 <= len(values) <= len(self.parts):
            raise Fault(f"the key has {len(self.parts)} fields")
        return b"".join([self._part(value, index) for index, value in enumerate(values)])


_TEXT_MARK: Final = b"\x02"


def _text_key_function(prefix: bytes) -> Callable[[Any], bytes]:
    """Return the common case, written for speed: one key field of text."""
    marked = prefix + _TEXT_MARK
    characters_max = STATE_KEY_BYTES_MAX - len(marked) - 1

    def state_key(key: Any) -> bytes:
        if not isinstance(key, str):
            ill_typed("text as key", key)
        if len(key) > characters_max:
            raise ContractStop(VALUE_TOO_LARGE, f"a state key is at most {STATE_KEY_BYTES_MAX} bytes")
        # COD-060; escapes are rare, and long enough characters too.
        if key.isascii() and "\x00" not in key:
            return marked + key.encode() + b"\x00"
        encoded = prefix + _encoded(key)
        if len(encoded) > STATE_KEY_BYTES_MAX:
            raise ContractStop(VALUE_TOO_LARGE, f"a state key is at most {STATE_KEY_BYTES_MAX} bytes")
        return encoded

    return state_key


def _encoded(value: KeyPart) -> bytes:
    try:
        return encode_component(value)
    except MalformedError as error:
        raise Fault(error.message) from error
