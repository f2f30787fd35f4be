"""The canonical codec (COD-001 to COD-005), and the small tools with which protocol types take a decoded value apart.

The native core does the work where it is installed; the readable reference is `yunhe.verifier`. Tests hold them equal. Both turn exactly
one value into exactly one byte string and refuse every other one.
"""

import re
from typing import TYPE_CHECKING, Final, TypeAlias

from yunhe import verifier
from yunhe.errors import EncodingError, MalformedError, TooLargeError, ValueNotEncodableError
from yunhe.limits import HASH_BYTES, NAME_CHARS_MAX

try:
    import yunhe_native as _native
except ImportError:  # elsewhere than Linux x86-64: the reference does it
    _native = None  # type: ignore[assignment]

if TYPE_CHECKING:
    Value: TypeAlias = bool | int | str | bytes | list["Value"] | dict[str, "Value"] | dict[int, "Value"] | None
else:
    Value = object

_NAME: Final = re.compile(r"[a-z][a-z0-9_]*", re.ASCII)


def encode(value: object) -> bytes:
    """Encode a value canonically; tuples are arrays, subclasses of int and str are what they extend.

    Raises:
        ValueNotEncodableError: the value, or a part of it, has no canonical encoding.
    """
    if _native is not None:
        return _native.encode(value)
    try:
        return verifier.encode(value)
    except verifier.VerificationError as error:
        raise ValueNotEncodableError(str(error)) from error


def decode(data: bytes, bytes_max: int) -> Value:
    """Decode exactly one canonical item.

    Args:
        data: the encoding.
        bytes_max: limit of the boundary where it arrived.

    Raises:
        TooLargeError: it is longer than `bytes_max`.
        EncodingError: it is not canonical.
    """
    # COD-004
    if len(data) > bytes_max:
        raise TooLargeError(f"{len(data)} bytes are over the limit of {bytes_max} for what they encode; make it smaller or divide it")
    if _native is not None:
        return _native.decode(data)
    try:
        return verifier.decode(data)
    except verifier.VerificationError as error:
        raise EncodingError(str(error)) from error


def as_array(value: Value, what: str, length: int | None = None, length_max: int | None = None) -> "list[Value]":
    """Return `value` as an array of `length`, or of 1 to `length_max`, items.

    Raises:
        MalformedError: it is something else.
    """
    if not isinstance(value, list):
        raise MalformedError(f"{what} must be an array")
    if length is not None and len(value) != length:
        raise MalformedError(f"{what} must have {length} items, not {len(value)}")
    if length_max is not None and not 1 <= len(value) <= length_max:
        raise MalformedError(f"{what} must have 1 to {length_max} items, not {len(value)}")
    return value


def as_int(value: Value, what: str, minimum: int = 0) -> int:
    """Return `value` as an integer of at least `minimum`.

    Raises:
        MalformedError: it is something else.
    """
    if not isinstance(value, int) or isinstance(value, bool) or value < minimum:
        raise MalformedError(f"{what} must be an integer of at least {minimum}")
    return value


def as_text(value: Value, what: str) -> str:
    """Return `value` as text.

    Raises:
        MalformedError: it is something else.
    """
    if not isinstance(value, str):
        raise MalformedError(f"{what} must be text")
    return value


def as_name(value: Value, what: str) -> str:
    """Return `value` as a name (COD-032).

    Raises:
        MalformedError: it is something else.
    """
    # COD-032
    if not isinstance(value, str) or len(value) > NAME_CHARS_MAX or not _NAME.fullmatch(value):
        raise MalformedError(f"{what} must be a name: a-z, 0-9 and _, beginning with a letter, at most {NAME_CHARS_MAX} characters")
    return value


def as_bytes(value: Value, what: str, length: int | None = None) -> bytes:
    """Return `value` as a byte string, of `length` bytes where given.

    Raises:
        MalformedError: it is something else.
    """
    if not isinstance(value, bytes) or (length is not None and len(value) != length):
        raise MalformedError(f"{what} must be a byte string" + ("" if length is None else f" of {length} bytes"))
    return value


def as_hash(value: Value, what: str) -> bytes:
    """Return `value` as a chain hash of 32 bytes.

    Raises:
        MalformedError: it is something else.
    """
    return as_bytes(value, what, HASH_BYTES)


def as_fields(value: Value, what: str) -> "dict[str, Value]":
    """Return `value` as a map from names to values.

    Raises:
        MalformedError: it is something else.
    """
    if not isinstance(value, dict):
        raise MalformedError(f"{what} must be a map")
    fields: dict[str, Value] = {}
    for key, field in value.items():
        fields[as_name(key, f"a key of {what}")] = field
    return fields
