"""State keys: (contract, table, primary key) as bytes whose order is the order of the keys (COD-060, COD-061).

The encoding of components follows the FoundationDB tuple layer, so no key is a prefix of another and a table is one key range.
"""

from collections.abc import Sequence
from typing import Final, TypeAlias

from yunhe.errors import MalformedError, TooLargeError
from yunhe.limits import INTEGER_MAX, INTEGER_MIN, KEY_COMPONENTS_MAX, STATE_KEY_BYTES_MAX

KeyComponent: TypeAlias = str | int | bytes

_BYTES: Final = 0x01
_TEXT: Final = 0x02
_INTEGER: Final = 0x03


def table_prefix(contract: str, table: str) -> bytes:
    """Return what all keys of a table begin with."""
    return contract.encode("ascii") + b"\x00" + table.encode("ascii") + b"\x00"


def index_table(table: str, fields: Sequence[str]) -> str:
    """Return the name under which the rows of an index of a table lie (COD-062); no contract has a table of such a name."""
    # COD-062
    return f"{table}#{','.join(fields)}"


def encode_component(component: KeyComponent) -> bytes:
    """Encode one component so that order is kept.

    Raises:
        MalformedError: a type that is no key, an integer out of range, or text that is not Unicode.
    """
    # COD-060
    if isinstance(component, bool):
        raise MalformedError("a key component is text, an integer or a byte string, not a truth value")
    if isinstance(component, int):
        if not INTEGER_MIN <= component <= INTEGER_MAX:
            raise MalformedError("an integer in a key has 64 bits with sign")
        return b"\x03" + (component - INTEGER_MIN).to_bytes(8, "big")
    if isinstance(component, str):
        try:
            raw = component.encode("utf-8")
        except UnicodeEncodeError as error:
            raise MalformedError("text in a key must be valid Unicode") from error
        return b"\x02" + raw.replace(b"\x00", b"\x00\xff") + b"\x00"
    if isinstance(component, bytes):
        return b"\x01" + component.replace(b"\x00", b"\x00\xff") + b"\x00"
    raise MalformedError("a key component is text, an integer or a byte string")


def state_key(contract: str, table: str, components: Sequence[KeyComponent]) -> bytes:
    """Return the state key of a record.

    Raises:
        MalformedError: a component is no key, or there are none or more than `KEY_COMPONENTS_MAX`.
        TooLargeError: the key is over `STATE_KEY_BYTES_MAX`.
    """
    # COD-061
    if not 1 <= len(components) <= KEY_COMPONENTS_MAX:
        raise MalformedError(f"a primary key has 1 to {KEY_COMPONENTS_MAX} components")
    key = table_prefix(contract, table) + b"".join(encode_component(c) for c in components)
    if len(key) > STATE_KEY_BYTES_MAX:
        raise TooLargeError(f"a state key is at most {STATE_KEY_BYTES_MAX} bytes, not {len(key)}")
    return key


def decode_state_key(key: bytes) -> tuple[str, str, tuple[KeyComponent, ...]]:
    """Return (contract, table, components) of a state key.

    Raises:
        MalformedError: it is not a state key.
    """
    contract, _, rest = key.partition(b"\x00")
    table, separator, rest = rest.partition(b"\x00")
    components: list[KeyComponent] = []
    try:
        while rest:
            component, rest = _decode_component(rest)
            components.append(component)
        decoded = contract.decode("ascii"), table.decode("ascii"), tuple(components)
        if separator and state_key(*decoded) == key:
            return decoded
    except (UnicodeDecodeError, IndexError) as error:
        raise MalformedError("these bytes are not a state key") from error
    raise MalformedError("these bytes are not a state key")


def _decode_component(data: bytes) -> tuple[KeyComponent, bytes]:
    kind = data[0]
    if kind == _INTEGER:
        if len(data) < 9:
            raise MalformedError("an integer in a state key is cut short")
        return int.from_bytes(data[1:9], "big") + INTEGER_MIN, data[9:]
    if kind not in (_BYTES, _TEXT):
        raise MalformedError("a state key has a component of an unknown kind")
    end = 1
    while True:
        end = data.find(b"\x00", end)
        if end < 0:
            raise MalformedError("a component of a state key does not end")
        if data[end + 1 : end + 2] != b"\xff":
            break
        end += 2
    raw = data[1:end].replace(b"\x00\xff", b"\x00")
    return (raw.decode("utf-8") if kind == _TEXT else raw), data[end + 1 :]


def component_end(key: bytes, position: int) -> int:
    """Return where the component that begins at `position` of a state key ends."""
    if key[position] == _INTEGER:
        return position + 9
    while True:
        position = key.index(b"\x00", position) + 1
        # A null byte inside a component is followed by 0xFF.
        if key[position : position + 1] != b"\xff":
            return position
        position += 1


def prefix_end(prefix: bytes) -> bytes:
    """Return the smallest bytes above everything that begins with `prefix`; the prefix must not be empty or all 0xFF."""
    stripped = prefix.rstrip(b"\xff")
    return stripped[:-1] + bytes([stripped[-1] + 1])
