"""Protobuf as far as the socket between node and engine needs it: varints and byte strings.

The dozen messages that matter here have few fields, so they are read and written by number, without a generator of code and what that
brings. What is unknown is passed over, as protobuf wants it; what is no protobuf is refused. Field numbers are in `messages`.
"""

from collections.abc import Iterable
from typing import Final

from yunhe.errors import EngineMessageError

_VARINT: Final = 0
_FIXED64: Final = 1
_BYTES: Final = 2
_FIXED32: Final = 5
_FIXED_BYTES: Final = {_FIXED64: 8, _FIXED32: 4}
_VARINT_BYTES_MAX: Final = 10
_MASK: Final = 2**64 - 1


class Fields:
    """The fields of one message, by number; of an integer or text the last counts."""

    def __init__(self, data: bytes) -> None:
        """Take a message apart.

        Raises:
            EngineMessageError: it is no protobuf.
        """
        self._integers: dict[int, int] = {}
        self._bytes: dict[int, list[bytes]] = {}
        place = 0
        while place < len(data):
            key, place = _read_varint(data, place)
            number, kind = key >> 3, key & 7
            if kind == _VARINT:
                self._integers[number], place = _read_varint(data, place)
            elif kind == _BYTES:
                length, place = _read_varint(data, place)
                self._bytes.setdefault(number, []).append(data[place : place + length])
                place += length
            elif kind in _FIXED_BYTES:
                place += _FIXED_BYTES[kind]
            else:
                raise EngineMessageError(f"a field of the unknown kind {kind}")
        if place > len(data):
            raise EngineMessageError("a message that ends within a field")

    def integer(self, number: int) -> int:
        """Return a signed integer of 64 bits; 0 when it is missing."""
        value = self._integers.get(number, 0)
        return value - 2**64 if value >= 2**63 else value

    def octets(self, number: int) -> bytes:
        """Return a byte string; empty when it is missing."""
        return self._bytes.get(number, [b""])[-1]

    def all(self, number: int) -> tuple[bytes, ...]:
        """Return all byte strings of a repeated field."""
        return tuple(self._bytes.get(number, ()))

    def text(self, number: int) -> str:
        """Return a text; empty when it is missing."""
        return self.octets(number).decode("utf-8", "replace")

    def message(self, number: int) -> "Fields":
        """Return a message within; one without fields when it is missing."""
        return Fields(self.octets(number))

    def only(self) -> tuple[int, bytes]:
        """Return number and content of the one message within, of several that are possible.

        Raises:
            EngineMessageError: there is not one.
        """
        if len(self._bytes) != 1:
            raise EngineMessageError(f"a message with {len(self._bytes)} alternatives")
        ((number, values),) = self._bytes.items()
        return number, values[-1]


def integer_field(number: int, value: int) -> bytes:
    """Return an integer field; nothing for 0, as protobuf wants it."""
    return varint(number << 3 | _VARINT) + varint(value & _MASK) if value else b""


def bytes_field(number: int, value: bytes) -> bytes:
    """Return a byte string, text or message within; nothing for an empty one."""
    return message_field(number, value) if value else b""


def message_field(number: int, value: bytes) -> bytes:
    """Return a message within, an empty one too."""
    return varint(number << 3 | _BYTES) + varint(len(value)) + value


def repeated_field(number: int, values: Iterable[bytes]) -> bytes:
    """Return a repeated field."""
    return b"".join(message_field(number, value) for value in values)


def varint(value: int) -> bytes:
    """Return a varint of a number from 0 to 2**64 - 1."""
    parts = bytearray()
    while value > 0x7F:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    parts.append(value)
    return bytes(parts)


def _read_varint(data: bytes, place: int) -> tuple[int, int]:
    value = 0
    for count in range(_VARINT_BYTES_MAX):
        if place >= len(data):
            raise EngineMessageError("a message that ends within a number")
        part = data[place]
        place += 1
        value |= (part & 0x7F) << 7 * count
        if part < 0x80:
            return value & _MASK, place
    raise EngineMessageError("a number of more than 64 bits")
