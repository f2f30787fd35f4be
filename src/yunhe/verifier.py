#!/usr/bin/env python3
"""Verify a Yunhe proof bundle offline, with nothing but Python's standard library.

This one file is meant to be read by somebody who trusts neither the node that made a bundle nor the rest of Yunhe. It imports no other
part of Yunhe and asks no server. It is also the readable reference of the codec, the Merkle trees and the signatures, which the native core
is held equal to by tests.

What a bundle says, and how that is checked, from the inside out:

1. the subject (a transaction, a receipt, a record, or the absence of a record) is in a tree whose root stands in a header;
2. the header is a leaf of the block log, whose root stands in a checkpoint;
3. organisations with more than two thirds of the power cosigned the checkpoint;
4. those organisations and their keys are named by the genesis file, or by a chain of headers that begins with those of the genesis.

Rules: docs/spec/encoding.md (COD-…), docs/spec/ledger.md (LED-…), docs/spec/proofs.md (PRF-…); each rule is cited above the check that
enforces it. Not checked here: that the rules of a contract were followed (the certifiers vouch for that), and what happened after the
header's height.

Usage:

    python3 -I -S verifier.py BUNDLE --genesis GENESIS [--trust CHECKPOINT] [--document FILE] [--json]

Exit codes: 0 verified; 1 refused, with the rule that failed; 2 wrong usage, or a file that cannot be read.
"""

import hashlib
from collections.abc import Callable, Sequence
from typing import TypeAlias

Value: TypeAlias = "bool | int | str | bytes | list[Value] | dict[str, Value] | dict[int, Value] | None"
"""What canonical CBOR can hold (COD-002)."""

# --- Limits: the same as in `yunhe.limits`, repeated so that this file stands alone; a test compares them ------------

INTEGER_MIN = -(2**63)
INTEGER_MAX = 2**63 - 1
CODEC_DEPTH_MAX = 16

HASHES: dict[str, Callable[[bytes], bytes]] = {"sha256": lambda data: hashlib.sha256(data).digest()}
"""Chain hashes by their name in the genesis. A further one (SM3) is a further line."""


class VerificationError(ValueError):
    """Something is not what it claims to be; the message names the rule and says what it means."""


class EncodingFault(VerificationError):
    """Bytes or a value that canonical CBOR does not know."""


# --- Canonical CBOR (COD-001 to COD-004) ----------------------------------------------------------------------------


def encode(value: object) -> bytes:
    """Encode a value canonically; tuples are arrays, subclasses of int and str are what they extend.

    Raises:
        EncodingFault: the value, or a part of it, has no canonical encoding.
    """
    return _encode(value, 0)


def _encode(value: object, depth: int) -> bytes:
    if value is None or isinstance(value, bool):
        return b"\xf6" if value is None else b"\xf5" if value else b"\xf4"
    if isinstance(value, int):
        # COD-002
        if not INTEGER_MIN <= value <= INTEGER_MAX:
            raise EncodingFault("COD-002: an integer is outside the signed 64 bits")
        return _head(0, int(value)) if value >= 0 else _head(1, -1 - int(value))
    if isinstance(value, bytes):
        return _head(2, len(value)) + value
    if isinstance(value, str):
        try:
            text = value.encode("utf-8")
        except UnicodeEncodeError:
            raise EncodingFault("COD-002: text is not valid Unicode") from None
        return _head(3, len(text)) + text
    # COD-003
    if depth == CODEC_DEPTH_MAX:
        raise EncodingFault(f"COD-003: more than {CODEC_DEPTH_MAX} containers are nested")
    if isinstance(value, list | tuple):
        return _head(4, len(value)) + b"".join(_encode(item, depth + 1) for item in value)
    if isinstance(value, dict):
        return _head(5, len(value)) + b"".join(_encode_entries(value, depth + 1))
    raise EncodingFault(f"COD-002: a value of type {type(value).__name__} has no encoding")


def _encode_entries(entries: "dict[object, object]", depth: int) -> list[bytes]:
    for key in entries:
        if not isinstance(key, str | int) or isinstance(key, bool):
            raise EncodingFault("COD-002: a map's key is neither text nor an integer")
    encoded = sorted((_encode(key, depth), _encode(item, depth)) for key, item in entries.items())
    # COD-001: keys that differ as Python values may still encode alike (a text and its subclass), so the encodings are compared.
    for (key, _), (following, _) in zip(encoded, encoded[1:], strict=False):
        if key == following:
            raise EncodingFault("COD-001: a map has the same key twice")
    return [key + item for key, item in encoded]


def _head(major: int, argument: int) -> bytes:
    """Return the initial bytes of an item: its major type and the shortest form of its argument (RFC 8949 §3)."""
    if argument < 24:
        return bytes([major << 5 | argument])
    for additional, length in ((24, 1), (25, 2), (26, 4), (27, 8)):
        if argument < 1 << 8 * length:
            return bytes([major << 5 | additional]) + argument.to_bytes(length, "big")
    raise EncodingFault("COD-002: a length is outside 64 bits")


def decode(data: bytes) -> Value:
    """Decode exactly one canonical item. Every size is compared with what is left before anything is made of that size.

    Raises:
        EncodingFault: the bytes are not canonical; the message gives the offset.
    """
    value, end = _decode(data, 0, 0)
    # COD-004
    if end != len(data):
        raise EncodingFault(f"COD-004: bytes follow the item that ends at offset {end}")
    return value


def _decode(data: bytes, start: int, depth: int) -> tuple[Value, int]:
    major, argument, position = _decode_head(data, start)
    if major <= 1:
        # COD-002
        if argument > INTEGER_MAX:
            raise EncodingFault(f"COD-002: the integer at offset {start} is outside the signed 64 bits")
        return (argument if major == 0 else -1 - argument), position
    if major == 7:
        return {20: False, 21: True, 22: None}[argument], position
    # COD-004: each byte of a string, and each item of a container, takes at least one byte of the input.
    if argument * (2 if major == 5 else 1) > len(data) - position:
        raise EncodingFault(f"COD-004: the item at offset {start} is longer than what is left")
    if major == 2:
        return data[position : position + argument], position + argument
    if major == 3:
        try:
            return data[position : position + argument].decode("utf-8"), position + argument
        except UnicodeDecodeError:
            raise EncodingFault(f"COD-002: the text at offset {start} is not valid UTF-8") from None
    # COD-003
    if depth == CODEC_DEPTH_MAX:
        raise EncodingFault(f"COD-003: more than {CODEC_DEPTH_MAX} containers are nested at offset {start}")
    if major == 4:
        items: list[Value] = []
        for _ in range(argument):
            item, position = _decode(data, position, depth + 1)
            items.append(item)
        return items, position
    return _decode_map(data, position, argument, depth + 1)


def _decode_map(data: bytes, position: int, count: int, depth: int) -> tuple[Value, int]:
    entries: dict[str | int, Value] = {}
    previous = b""
    for _ in range(count):
        start = position
        key, position = _decode(data, start, depth)
        # COD-002
        if not isinstance(key, str | int) or isinstance(key, bool):
            raise EncodingFault(f"COD-002: the map key at offset {start} is neither text nor an integer")
        # COD-001: ascending order also means that no key comes twice.
        if data[start:position] <= previous:
            raise EncodingFault(f"COD-001: the map key at offset {start} is out of order or comes twice")
        previous = data[start:position]
        entries[key], position = _decode(data, position, depth)
    return entries, position  # type: ignore[return-value]  # a map whose keys mix text and integers is one of CBOR all the same


def _decode_head(data: bytes, start: int) -> tuple[int, int, int]:
    """Return (major type, argument, offset behind the head)."""
    if start >= len(data):
        raise EncodingFault(f"COD-004: the input ends at offset {start}, where an item is expected")
    major, additional = data[start] >> 5, data[start] & 31
    # COD-002
    if major == 6 or (major == 7 and additional not in (20, 21, 22)):
        raise EncodingFault(f"COD-002: a tag, a float or another simple value at offset {start}")
    if additional < 24:
        return major, additional, start + 1
    # COD-001: 28 to 30 are reserved, 31 is the indefinite length.
    if additional > 27:
        raise EncodingFault(f"COD-001: an indefinite or reserved length at offset {start}")
    end = start + 1 + (1 << additional - 24)
    if end > len(data):
        raise EncodingFault(f"COD-004: the input ends within the head at offset {start}")
    argument = int.from_bytes(data[start + 1 : end], "big")
    # COD-001
    if _head(major, argument) != data[start:end]:
        raise EncodingFault(f"COD-001: the head at offset {start} is not the shortest")
    return major, argument, end


# --- Hashes and Merkle trees (COD-010, COD-011, LED-030) ------------------------------------------------------------


def tagged_hash(tag: bytes, data: bytes, hash_name: str = "sha256") -> bytes:
    """Return `H(tag ‖ 0x00 ‖ data)` (COD-010); 32 bytes."""
    return HASHES[hash_name](tag + b"\x00" + data)


def root_from_path(leaf: bytes, index: int, size: int, path: Sequence[bytes], hash_name: str = "sha256") -> bytes:
    """Return the root of the RFC 6962 tree of `size` leaves that has `leaf` at `index`, given the inclusion path from leaf to root.

    Raises:
        VerificationError: the index is outside the tree, or the path has not the length that index and size demand.

    *Source*: RFC 9162 §2.1.3.2.
    """
    # COD-011
    digest = HASHES[hash_name]
    if not 0 <= index < size:
        raise VerificationError(f"COD-011: there is no leaf {index} in a tree of {size}")
    node, last = index, size - 1
    root = digest(b"\x00" + leaf)
    for sibling in path:
        if last == 0:
            raise VerificationError("COD-011: the inclusion path is too long")
        if node & 1 or node == last:
            root = digest(b"\x01" + sibling + root)
            # A node without a right sibling is handed up unchanged until it is a right child.
            while not node & 1:
                node, last = node >> 1, last >> 1
        else:
            root = digest(b"\x01" + root + sibling)
        node, last = node >> 1, last >> 1
    if last != 0:
        raise VerificationError("COD-011: the inclusion path is too short")
    return root


# --- Ed25519 by ZIP-215 (COD-021) -----------------------------------------------------------------------------------

Point: TypeAlias = tuple[int, int, int, int]
"""(X, Y, Z, T) with x = X/Z, y = Y/Z, xy = T/Z (RFC 8032 §5.1.4)."""

_P = 2**255 - 19
_ORDER = 2**252 + 27742317777372353535851937790883648493
_D = -121665 * pow(121666, -1, _P) % _P
_SQRT_MINUS_ONE = pow(2, (_P - 1) // 4, _P)
_IDENTITY: Point = (0, 1, 1, 0)


def ed25519_verify(public_key: bytes, message: bytes, signature: bytes) -> bool:
    """Decide one signature by ZIP-215. Wrong lengths are simply not a valid signature.

    *Cost*: about 3 ms. Not constant-time: everything here is public.

    *Source*: RFC 8032 §5.1.7 with the rules of ZIP-215.
    """
    # COD-021
    if len(public_key) != 32 or len(signature) != 64:
        return False
    key_point, nonce_point = _decompress(public_key), _decompress(signature[:32])
    scalar = int.from_bytes(signature[32:], "little")
    if key_point is None or nonce_point is None or scalar >= _ORDER:
        return False
    challenge = int.from_bytes(hashlib.sha512(signature[:32] + public_key + message).digest(), "little") % _ORDER
    # [8][S]B = [8]R + [8][k]A, written as [8]([S]B + [k](-A) - R) = 0.
    point = _add(_multiply_two(scalar, _BASE, challenge, _negate(key_point)), _negate(nonce_point))
    for _ in range(3):
        point = _add(point, point)
    return point[0] == 0 and point[1] == point[2]


def _decompress(encoding: bytes) -> Point | None:
    """Return the point of an encoding, or None if there is none; y need not be reduced, and x = 0 may have its sign bit set (ZIP-215)."""
    number = int.from_bytes(encoding, "little")
    sign, y = number >> 255, (number & (1 << 255) - 1) % _P
    u, v = (y * y - 1) % _P, (_D * y * y + 1) % _P
    # A candidate for the root of u/v, since P = 5 mod 8 (RFC 8032 §5.1.3).
    x = u * pow(v, 3, _P) * pow(u * pow(v, 7, _P), (_P - 5) // 8, _P) % _P
    if v * x * x % _P == -u % _P:
        x = x * _SQRT_MINUS_ONE % _P
    if v * x * x % _P != u:
        return None
    if x & 1 != sign:
        x = -x % _P
    return x, y, 1, x * y % _P


def _add(a: Point, b: Point) -> Point:
    """Add two points; the formula is complete, so it doubles as well (RFC 8032 §5.1.4)."""
    left = (a[1] - a[0]) * (b[1] - b[0]) % _P
    right = (a[1] + a[0]) * (b[1] + b[0]) % _P
    c, d = 2 * _D * a[3] * b[3] % _P, 2 * a[2] * b[2] % _P
    e, f, g, h = right - left, d - c, d + c, right + left
    return e * f % _P, g * h % _P, f * g % _P, e * h % _P


def _negate(a: Point) -> Point:
    return -a[0] % _P, a[1], a[2], -a[3] % _P


def _multiply_two(first: int, a: Point, second: int, b: Point) -> Point:
    """Return [first]a + [second]b, bit by bit for both at once."""
    choices = (_IDENTITY, a, b, _add(a, b))
    point = _IDENTITY
    for bit in reversed(range(max(first.bit_length(), second.bit_length()))):
        point = _add(point, point)
        choice = (first >> bit & 1) | (second >> bit & 1) << 1
        if choice:
            point = _add(point, choices[choice])
    return point


_BASE = _decompress((4 * pow(5, -1, _P) % _P).to_bytes(32, "little")) or _IDENTITY
"""The base point: y = 4/5, x even."""

SUITES: dict[str, Callable[[bytes, bytes, bytes], bool]] = {"ed25519-sha256": ed25519_verify}
"""Signature suites by name: (public key, message, signature) -> valid. A further one (SM2) is a further line."""
