"""Verify a Yunhe proof bundle offline, with nothing but Python's standard library (3.11 or later).

This one file is for somebody who trusts neither the node that made a bundle nor the rest of Yunhe: it imports nothing else of Yunhe and
asks no server. It is also the readable reference of codec, Merkle trees and signatures, which tests hold the native core equal to.

What a bundle says, and how that is checked, from the inside out:

1. the subject (a transaction, a receipt, a record, or the absence of a record) is in a tree whose root stands in a header;
2. the header is a leaf of the block log, whose root stands in a checkpoint;
3. organisations with more than two thirds of the power cosigned the checkpoint;
4. the genesis file names those organisations and their keys, or a chain of certified headers that begins with those of the genesis does.

Rules are cited above the checks that enforce them: docs/spec/encoding.md (COD-…), docs/spec/ledger.md (LED-…), docs/spec/proofs.md (PRF-…).
Not checked: that a contract followed its rules (the certifiers vouch for that), and what happened after the header's height.

Usage:

    python3 -I -S verifier.py BUNDLE --genesis GENESIS [--trust CHECKPOINT] [--document FILE] [--witness NOTE --witness-key KEY] [--json]

Exit codes: 0 verified; 1 refused, with the rule that failed; 2 wrong usage, or a file that cannot be read.
"""

import argparse
import base64
import dataclasses
import hashlib
import json
import re
import struct
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias, TypeVar

Value: TypeAlias = "bool | int | str | bytes | list[Value] | dict[str, Value] | dict[int, Value] | None"
"""What canonical CBOR can hold (COD-002)."""
Unchecked: TypeAlias = Any
"""A value, or the description of one, whose type is checked where it is used."""
_T = TypeVar("_T")

# --- Limits: the same as in `yunhe.limits`, repeated so that this file stands alone; a test compares them -------------------------

INTEGER_MIN = -(2**63)
INTEGER_MAX = 2**63 - 1
CODEC_DEPTH_MAX = 16
CODEC_INTEGER_KEYS_MAX = 1024
NAME_CHARS_MAX = 40
SIGNERS_MAX = 16
CALLS_MAX = 16
KEY_COMPONENTS_MAX = 8
STATE_KEY_BYTES_MAX = 512
CERTIFIERS_MAX = 256
CERTIFIER_POWER_MAX = 1_000_000
GENESIS_BYTES_MAX = 1024 * 1024
PROOF_BYTES_MAX = 4 * 1024 * 1024
PROOF_STEPS_MAX = 256
PROOF_SUBJECTS_MAX = 16
TREE_DEPTH = 256
CHECKPOINT_BYTES_MAX = 64 * 1024
DOCUMENT_BYTES_MAX = 4 * 1024 * 1024
DOCUMENT_DEPTH_MAX = 64
DOCUMENT_INTEGER_MAX = 2**53 - 1


class VerificationError(ValueError):
    """Something is not what it claims to be."""

    def __init__(self, rule: str, message: str) -> None:
        super().__init__(f"{rule}: {message}")
        self.rule = rule
        """Identifier of the rule that failed, such as `PRF-011`."""
        self.message = message
        """What that means, in plain words."""


def _require(condition: object, rule: str, message: str) -> None:
    if not condition:
        raise VerificationError(rule, message)


# --- Canonical CBOR (COD-001 to COD-006) ------------------------------------------------------------------------------------------


def encode(value: object) -> bytes:
    """Encode a value canonically; tuples are arrays, subclasses of int and str are what they extend.

    Raises:
        VerificationError: the value, or a part of it, has no canonical encoding.
    """
    return _encode(value, 0)


def _encode(value: object, depth: int) -> bytes:
    if value is None or isinstance(value, bool):
        return b"\xf6" if value is None else b"\xf5" if value else b"\xf4"
    if isinstance(value, int):
        # COD-002
        _require(INTEGER_MIN <= value <= INTEGER_MAX, "COD-002", "an integer is outside the signed 64 bits")
        return _head(0, int(value)) if value >= 0 else _head(1, -1 - int(value))
    if isinstance(value, bytes):
        return _head(2, len(value)) + value
    if isinstance(value, str):
        try:
            text = value.encode("utf-8")
        except UnicodeEncodeError:
            raise VerificationError("COD-002", "text is not valid Unicode") from None
        return _head(3, len(text)) + text
    # COD-003
    _require(depth < CODEC_DEPTH_MAX, "COD-003", f"more than {CODEC_DEPTH_MAX} containers are nested")
    if isinstance(value, list | tuple):
        return _head(4, len(value)) + b"".join([_encode(item, depth + 1) for item in value])
    # COD-002
    _require(isinstance(value, dict), "COD-002", f"a value of type {type(value).__name__} has no encoding")
    return _encode_map(value, depth + 1)


def _encode_map(value: Unchecked, depth: int) -> bytes:
    are_keys = all(isinstance(key, str | int) and not isinstance(key, bool) for key in value)
    _require(are_keys, "COD-002", "a map's key is neither text nor an integer")
    # COD-006
    fits = sum(isinstance(key, int) for key in value) <= CODEC_INTEGER_KEYS_MAX
    _require(fits, "COD-006", f"a map has more than {CODEC_INTEGER_KEYS_MAX} integer keys")
    # COD-001. Keys that differ in Python may encode alike (a text and a subclass of it), so the encodings are counted.
    entries = {_encode(key, depth): _encode(item, depth) for key, item in value.items()}
    _require(len(entries) == len(value), "COD-001", "a map has the same key twice")
    return _head(5, len(entries)) + b"".join([key + entries[key] for key in sorted(entries)])


def _head(major: int, argument: int) -> bytes:
    """Return the initial bytes of an item: its major type and the shortest form of its argument (RFC 8949 §3)."""
    if argument < 24:
        return bytes([major << 5 | argument])
    additional = 24 if argument < 1 << 8 else 25 if argument < 1 << 16 else 26 if argument < 1 << 32 else 27
    return bytes([major << 5 | additional]) + argument.to_bytes(1 << additional - 24, "big")


def decode(data: bytes) -> Value:
    """Decode exactly one canonical item. Every size is compared with what is left before anything is made of that size.

    Raises:
        VerificationError: the bytes are not canonical; the message gives the offset.
    """
    value: Value
    value, end = _decode(data, 0, 0)
    # COD-004
    _require(end == len(data), "COD-004", f"bytes follow the item that ends at offset {end}")
    return value


def _decode(data: bytes, start: int, depth: int) -> tuple[Any, int]:
    major, argument, position = _decode_head(data, start)
    if major <= 1:
        # COD-002
        _require(argument <= INTEGER_MAX, "COD-002", f"the integer at offset {start} is outside the signed 64 bits")
        return (argument if major == 0 else -1 - argument), position
    if major == 7:
        return {20: False, 21: True, 22: None}[argument], position
    # COD-004: each byte of a string, and each item of a container, takes at least one byte of the input.
    fits = argument * (2 if major == 5 else 1) <= len(data) - position
    _require(fits, "COD-004", f"the item at offset {start} is longer than what is left")
    if major <= 3:
        raw = data[position : position + argument]
        try:
            return (raw if major == 2 else raw.decode("utf-8")), position + argument
        except UnicodeDecodeError:
            raise VerificationError("COD-002", f"the text at offset {start} is not valid UTF-8") from None
    # COD-003
    _require(depth < CODEC_DEPTH_MAX, "COD-003", f"more than {CODEC_DEPTH_MAX} containers are nested at offset {start}")
    if major == 5:
        return _decode_map(data, position, argument, depth + 1)
    items = []
    for _ in range(argument):
        item, position = _decode(data, position, depth + 1)
        items.append(item)
    return items, position


def _decode_map(data: bytes, position: int, count: int, depth: int) -> tuple[dict[Any, Any], int]:
    entries: dict[Any, Any] = {}
    previous = b""
    integer_keys = 0
    for _ in range(count):
        start = position
        key, position = _decode(data, start, depth)
        # COD-002
        _require(type(key) in (str, int), "COD-002", f"the map key at offset {start} is neither text nor an integer")
        integer_keys += type(key) is int
        # COD-006
        too_many = f"more than {CODEC_INTEGER_KEYS_MAX} integer keys in the map that has one at offset {start}"
        _require(integer_keys <= CODEC_INTEGER_KEYS_MAX, "COD-006", too_many)
        # COD-001: ascending order also means that no key comes twice.
        _require(data[start:position] > previous, "COD-001", f"the map key at offset {start} is out of order or comes twice")
        previous = data[start:position]
        entries[key], position = _decode(data, position, depth)
    return entries, position


def _decode_head(data: bytes, start: int) -> tuple[int, int, int]:
    """Return (major type, argument, offset behind the head)."""
    _require(start < len(data), "COD-004", f"the input ends at offset {start}, where an item is expected")
    major, additional = data[start] >> 5, data[start] & 31
    # COD-002
    known = major < 6 or (major == 7 and additional in (20, 21, 22))
    _require(known, "COD-002", f"a tag, a float or another simple value at offset {start}")
    if additional < 24:
        return major, additional, start + 1
    # COD-001: 28 to 30 are reserved, 31 is the indefinite length.
    _require(additional <= 27, "COD-001", f"an indefinite or reserved length at offset {start}")
    end = start + 1 + (1 << additional - 24)
    _require(end <= len(data), "COD-004", f"the input ends within the head at offset {start}")
    argument = int.from_bytes(data[start + 1 : end], "big")
    # COD-001
    _require(_head(major, argument) == data[start:end], "COD-001", f"the head at offset {start} is not the shortest")
    return major, argument, end


# --- Hashes and Merkle trees (COD-010 to COD-012, LED-030) ------------------------------------------------------------------------

_SM3_START = bytes.fromhex("7380166f 4914b2b9 172442d7 da8a0600 a96f30bc 163138aa e38dee4d b0fb0e4e")


def sm3(data: bytes) -> bytes:
    """Hash with SM3; 32 bytes. For Pythons whose `hashlib` lacks it: about 0.1 ms for each 64 bytes. *Source*: GB/T 32905."""
    padded = data + b"\x80" + bytes(-(len(data) + 9) % 64) + (8 * len(data)).to_bytes(8, "big")
    state = struct.unpack(">8I", _SM3_START)
    for start in range(0, len(padded), 64):
        state = _sm3_compress(state, list(struct.unpack_from(">16I", padded, start)))
    return struct.pack(">8I", *state)


def _sm3_compress(state: tuple[int, ...], w: list[int]) -> tuple[int, ...]:
    for j in range(16, 68):
        x = w[j - 16] ^ w[j - 9] ^ _rotate(w[j - 3], 15)
        w.append(x ^ _rotate(x, 15) ^ _rotate(x, 23) ^ _rotate(w[j - 13], 7) ^ w[j - 6])
    a, b, c, d, e, f, g, h = state
    for j in range(64):
        constant = _rotate(0x79CC4519 if j < 16 else 0x7A879D8A, j % 32)
        ss = _rotate((_rotate(a, 12) + e + constant) % 2**32, 7)
        ff = a ^ b ^ c if j < 16 else a & b | a & c | b & c
        gg = e ^ f ^ g if j < 16 else e & f | ~e & g
        first, second = ff + d + (ss ^ _rotate(a, 12)) + (w[j] ^ w[j + 4]), (gg + h + ss + w[j]) % 2**32
        a, b, c, d = first % 2**32, a, _rotate(b, 9), c
        e, f, g, h = second ^ _rotate(second, 9) ^ _rotate(second, 17), e, _rotate(f, 19), g
    return tuple(old ^ new for old, new in zip(state, (a, b, c, d, e, f, g, h), strict=True))


def _rotate(word: int, bits: int) -> int:
    return (word << bits | word >> 32 - bits) % 2**32


HASHES: dict[str, Callable[[bytes], bytes]] = {
    "sha256": lambda data: hashlib.sha256(data).digest(),
    "sm3": (lambda data: hashlib.new("sm3", data).digest()) if "sm3" in hashlib.algorithms_available else sm3,
}
"""Chain hashes by their name in the genesis."""


def tagged_hash(tag: bytes, data: bytes, hash_name: str = "sha256") -> bytes:
    """Return `H(tag ‖ 0x00 ‖ data)` (COD-010); 32 bytes."""
    return HASHES[hash_name](tag + b"\x00" + data)


def root_from_path(leaf: bytes, index: int, size: int, path: Sequence[bytes], hash_name: str = "sha256") -> bytes:
    """Return the root of the RFC 6962 tree of `size` leaves with `leaf` at `index`, given the inclusion path from leaf to root.

    Raises:
        VerificationError: the index is outside the tree, or the path has not the length that index and size demand.

    *Source*: RFC 9162 §2.1.3.2.
    """
    # COD-011
    _require(0 <= index < size, "COD-011", f"there is no leaf {index} in a tree of {size}")
    node, last, root = index, size - 1, HASHES[hash_name](b"\x00" + leaf)
    for sibling in path:
        _require(last != 0, "COD-011", "the inclusion path is too long")
        on_the_left = node & 1 == 1 or node == last
        root = HASHES[hash_name](b"\x01" + (sibling + root if on_the_left else root + sibling))
        # A last node without a right sibling is handed up unchanged until it is a right child.
        while on_the_left and not node & 1:
            node, last = node >> 1, last >> 1
        node, last = node >> 1, last >> 1
    _require(last == 0, "COD-011", "the inclusion path is too short")
    return root


def root_from_siblings(place: bytes, path: bytes, siblings: Value, hash_name: str = "sha256") -> bytes:
    """Return the root of the state tree (LED-030) that has `place` where `path` and `siblings` lead.

    Args:
        place: hash of the leaf, or 32 zero bytes where there is none.
        path: 32 bytes; its bits, most significant first, lead from the root to the place.
        siblings: decoded [bitmap, hashes] of docs/spec/proofs.md; the place is just below the deepest sibling.
        hash_name: the chain hash.

    Raises:
        VerificationError: the siblings are not in their one form.
    """
    node, levels = place, _read_siblings(siblings)
    for level in reversed(range(len(levels))):
        on_the_left = int.from_bytes(path, "big") >> TREE_DEPTH - 1 - level & 1
        node = HASHES[hash_name](b"\x03" + (levels[level] + node if on_the_left else node + levels[level]))
    return node


def _read_siblings(siblings: object) -> list[bytes]:
    """Return the sibling at each level from the root down to the place; 32 zero bytes stand for an empty one."""
    bitmap, hashes = _shape("the siblings", siblings, 32, [32])
    bits, given = f"{int.from_bytes(bitmap, 'big'):0{TREE_DEPTH}b}".rstrip("0"), iter(hashes)
    # PRF-010: an empty sibling that is spelled out would be a second form of the same proof.
    one_form = bits.count("1") == len(hashes) and bytes(32) not in hashes
    _require(one_form, "PRF-010", "the bitmap does not say which siblings are given, or an empty sibling is spelled out")
    return [next(given) if bit == "1" else bytes(32) for bit in bits]


# --- Ed25519 by ZIP-215 (COD-021) -------------------------------------------------------------------------------------------------

Point: TypeAlias = tuple[int, int, int, int]
"""(X, Y, Z, T) with x = X/Z, y = Y/Z, xy = T/Z (RFC 8032 §5.1.4)."""

_P = 2**255 - 19
_ORDER = 2**252 + 27742317777372353535851937790883648493
_D = -121665 * pow(121666, -1, _P) % _P
_SQRT_MINUS_ONE = pow(2, (_P - 1) // 4, _P)
_IDENTITY: Point = (0, 1, 1, 0)


def ed25519_verify(public_key: bytes, message: bytes, signature: bytes) -> bool:
    """Decide one signature by ZIP-215. Wrong lengths are simply not a valid signature.

    *Cost*: about 3 ms. Not constant-time: everything here is public. *Source*: RFC 8032 §5.1.7 with the rules of ZIP-215.
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
    point = _add(_multiply_two(_add, _IDENTITY, scalar, _BASE, challenge, _negate(key_point)), _negate(nonce_point))
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
    if (x & 1) != sign:
        x = -x % _P
    return x, y, 1, x * y % _P


def _add(a: Point, b: Point) -> Point:
    """Add two points; the formula is complete, so it doubles as well (RFC 8032 §5.1.4)."""
    left, right = (a[1] - a[0]) * (b[1] - b[0]) % _P, (a[1] + a[0]) * (b[1] + b[0]) % _P
    c, d = 2 * _D * a[3] * b[3] % _P, 2 * a[2] * b[2] % _P
    e, f, g, h = right - left, d - c, d + c, right + left
    return e * f % _P, g * h % _P, f * g % _P, e * h % _P


def _negate(a: Point) -> Point:
    return -a[0] % _P, a[1], a[2], -a[3] % _P


def _multiply_two(add: Callable[[_T, _T], _T], zero: _T, first: int, a: _T, second: int, b: _T) -> _T:
    """Return [first]a + [second]b, bit by bit for both at once, given how points are added and the one that changes nothing."""
    choices, point = (zero, a, b, add(a, b)), zero
    for bit in reversed(range(max(first.bit_length(), second.bit_length()))):
        point = add(add(point, point), choices[(first >> bit & 1) | (second >> bit & 1) << 1])
    return point


_BASE = _decompress((4 * pow(5, -1, _P) % _P).to_bytes(32, "little")) or _IDENTITY
"""The base point: y = 4/5, x even."""

# --- SM2 with SM3 (COD-022, COD-023) ----------------------------------------------------------------------------------------------

Sm2Point: TypeAlias = tuple[int, int] | None
"""(x, y) with y² = x³ + ax + b, or None: the point at infinity."""

_SM2_P = 0xFFFFFFFE_FFFFFFFF_FFFFFFFF_FFFFFFFF_FFFFFFFF_00000000_FFFFFFFF_FFFFFFFF
_SM2_A = _SM2_P - 3
_SM2_B = 0x28E9FA9E_9D9F5E34_4D5A9E4B_CF6509A7_F39789F5_15AB8F92_DDBCBD41_4D940E93
_SM2_ORDER = 0xFFFFFFFE_FFFFFFFF_FFFFFFFF_FFFFFFFF_7203DF6B_21C6052B_53BBF409_39D54123
_SM2_BASE = (
    0x32C4AE2C_1F198119_5F990446_6A39C994_8FE30BBF_F2660BE1_715A4589_334C74C7,
    0xBC3736A2_F4F6779C_59BDCEE3_6B692153_D0A9877C_C62A4740_02DF32E5_2139F0A0,
)
SM2_SIGNER_ID = b"1234567812345678"


def sm2_verify(public_key: bytes, message: bytes, signature: bytes, signer_id: bytes = SM2_SIGNER_ID) -> bool:
    """Decide one signature. Wrong lengths are simply not a valid signature.

    *Cost*: about 10 ms. Not constant-time: everything here is public. *Source*: GB/T 32918.2 §7.1 on the curve of GB/T 32918.5.
    """
    # COD-022
    if not sm2_is_public_key(public_key) or len(signature) != 64:
        return False
    x, y, r, s = (int.from_bytes(part, "big") for part in (public_key[1:33], public_key[33:], signature[:32], signature[32:]))
    t = (r + s) % _SM2_ORDER
    if not 0 < r < _SM2_ORDER or not 0 < s < _SM2_ORDER or t == 0:
        return False
    point = _multiply_two(_sm2_add, None, s, _SM2_BASE, t, (x, y))
    # COD-023
    curve = b"".join(number.to_bytes(32, "big") for number in (_SM2_A, _SM2_B, *_SM2_BASE))
    signer = HASHES["sm3"]((8 * len(signer_id)).to_bytes(2, "big") + signer_id + curve + public_key[1:])
    digest = int.from_bytes(HASHES["sm3"](signer + message), "big")
    return point is not None and (digest + point[0]) % _SM2_ORDER == r


def sm2_is_public_key(public_key: bytes) -> bool:
    """Say whether the bytes are 0x04 ‖ X ‖ Y of a point of the curve, which all have the prime order of the group."""
    # COD-022
    x, y = int.from_bytes(public_key[1:33], "big"), int.from_bytes(public_key[33:], "big")
    in_form = len(public_key) == 65 and public_key[0] == 4 and x < _SM2_P and y < _SM2_P
    return in_form and (y * y - x * x * x - _SM2_A * x - _SM2_B) % _SM2_P == 0


def _sm2_add(a: Sm2Point, b: Sm2Point) -> Sm2Point:
    """Add two points, equal ones too (GB/T 32918.1 §3.2.3.1)."""
    if a is None or b is None:
        return a or b
    if a[0] == b[0] and (a[1] + b[1]) % _SM2_P == 0:
        return None
    rise, run = (3 * a[0] * a[0] + _SM2_A, 2 * a[1]) if a == b else (b[1] - a[1], b[0] - a[0])
    slope = rise * pow(run, -1, _SM2_P) % _SM2_P
    x = (slope * slope - a[0] - b[0]) % _SM2_P
    return x, (slope * (a[0] - x) - a[1]) % _SM2_P


SUITES: dict[str, Callable[[bytes, bytes, bytes], bool]] = {"ed25519-sha256": ed25519_verify, "sm2-sm3": sm2_verify}
"""Signature suites by name: (public key, message, signature) -> valid."""
COSIGNATURE_TYPES = {"ed25519-sha256": b"\x04", "sm2-sm3": b"\xffyunhe/cosignature/sm2-sm3/1"}
"""Signature types of cosignature lines by suite (PRF-001, PRF-003)."""

# --- Genesis, checkpoints, headers ------------------------------------------------------------------------------------------------

_NAME = re.compile(f"[a-z][a-z0-9_]{{0,{NAME_CHARS_MAX - 1}}}")
_TABLE = re.compile(f"{_NAME.pattern}(?:#{_NAME.pattern}(?:,{_NAME.pattern}){{0,{KEY_COMPONENTS_MAX - 1}}})?")
_HEX = re.compile("(?:[0-9a-f]{2})+")


def _shape(what: str, value: object, *kinds: Unchecked) -> list[Any]:
    """Return the items of an array, each of its kind.

    A kind is a type, a tuple of types, the length of a byte string, [length] for a list of those, or a pattern that a text matches.
    """
    _require(isinstance(value, list) and len(value) == len(kinds), "PRF-010", f"{what} must be an array of {len(kinds)} items")
    items: list[Any] = value  # type: ignore[assignment]  # just checked
    for position, (item, kind) in enumerate(zip(items, kinds, strict=True)):
        _require(_is_of_kind(item, kind), "PRF-010", f"item {position} of {what} is not what belongs there")
    return items


def _is_of_kind(item: object, kind: Unchecked) -> bool:
    if isinstance(kind, int):
        return isinstance(item, bytes) and len(item) == kind
    if isinstance(kind, list):
        return isinstance(item, list) and all(_is_of_kind(each, kind[0]) for each in item)
    if isinstance(kind, re.Pattern):
        return isinstance(item, str) and kind.fullmatch(item) is not None
    return type(item) in (kind if isinstance(kind, tuple) else (kind,))


def _decode_part(what: str, data: bytes) -> Unchecked:
    try:
        return decode(data)
    except VerificationError as error:
        raise VerificationError(error.rule, f"{what} is not canonical CBOR: {error.message}") from None


def _fields(what: str, value: Unchecked) -> dict[str, Value]:
    """Return a map from names to values."""
    # COD-005
    _require(isinstance(value, dict) and all(_is_of_kind(name, _NAME) for name in value), "COD-005", f"{what} is not a map of fields")
    return dict(value)


@dataclass(frozen=True, slots=True)
class Genesis:
    """What a verifier takes from a genesis file."""

    network_id: bytes
    """Tagged hash of the whole genesis value."""
    hash_name: str
    certifier_set: bytes
    """Canonical set of the first certifiers."""

    def tagged(self, tag: bytes, data: bytes) -> bytes:
        """Hash with the chain hash under a tag."""
        return tagged_hash(tag, data, self.hash_name)


def read_genesis(data: bytes) -> Genesis:
    """Read a genesis file: its network id, chain hash and first certifiers. The other fields only enter the id.

    Raises:
        VerificationError: it is not a genesis file of this version.
    """
    # LED-001. The encoding also refuses floats and what is too large or too deep.
    value = _parse_json("LED-001", "the genesis file", data, GENESIS_BYTES_MAX)
    encoded = encode(value)
    named = isinstance(value, dict) and encode([value.get("format"), value.get("version")]) == encode(["yunhe-genesis", 1])
    _require(named and not _has_null(value), "LED-001", "this is not a Yunhe genesis file of version 1")
    hash_name, listed = value.get("hash"), value.get("certifiers")
    _require(isinstance(hash_name, str) and hash_name in HASHES, "LED-001", f"the genesis 'hash' must be one of {', '.join(HASHES)}")
    form = {"organisation", "suite", "public_key", "power"}
    complete = isinstance(listed, list) and all(isinstance(item, dict) and set(item) == form for item in listed)
    _require(complete, "LED-001", f"each of the genesis 'certifiers' must have {', '.join(sorted(form))}")
    _require(all(_is_of_kind(item["public_key"], _HEX) for item in listed), "LED-001", "a public_key must be lower-case hexadecimal")
    members = [[item["organisation"], item["suite"], bytes.fromhex(item["public_key"]), item["power"]] for item in listed]
    certifier_set = encode(members)
    _read_certifiers(certifier_set)
    return Genesis(tagged_hash(b"yunhe/genesis/1", encoded, hash_name), hash_name, certifier_set)


def _has_null(value: Unchecked) -> bool:
    if isinstance(value, dict | list):
        return any(_has_null(item) for item in (value.values() if isinstance(value, dict) else value))
    return value is None


class _Certifier(NamedTuple):
    organisation: str
    suite: str
    public_key: bytes
    power: int


def _read_certifiers(data: bytes) -> list[_Certifier]:
    members = _decode_part("a certifier set", data)
    # PRF-011
    fits = isinstance(members, list) and 1 <= len(members) <= CERTIFIERS_MAX
    _require(fits, "PRF-011", f"a certifier set must have 1 to {CERTIFIERS_MAX} members")
    certifiers = [_Certifier(*_shape("a certifier", member, _NAME, str, bytes, int)) for member in members]
    organisations = [certifier.organisation for certifier in certifiers]
    _require(organisations == sorted(set(organisations)), "PRF-011", "certifiers must be sorted by organisation, each organisation once")
    for certifier in certifiers:
        _require(certifier.suite in SUITES, "PRF-011", f"a certifier's suite is unknown; this verifier knows {', '.join(SUITES)}")
        _require(1 <= certifier.power <= CERTIFIER_POWER_MAX, "PRF-011", f"a certifier's power must be 1 to {CERTIFIER_POWER_MAX}")
    return certifiers


class _Checkpoint(NamedTuple):
    text: str
    size: int
    root: bytes


def _read_note(note: str, network_id: bytes) -> tuple[_Checkpoint, list[str]]:
    """Take a signed note apart into its checkpoint, whose three lines have exactly one form, and its cosignature lines."""
    text, separator, signatures = note.partition("\n\n")
    *lines, end = (text + "\n" if separator else text).split("\n")
    *signature_lines, signatures_end = signatures.split("\n")
    # PRF-001
    three = len(lines) == 3 and end == signatures_end == "" and lines[0] == f"yunhe/{network_id.hex()}"
    _require(three, "PRF-001", "a checkpoint must have three lines, the first naming this network, and end with a line feed")
    is_size = re.fullmatch("[1-9][0-9]{0,18}", lines[1]) and int(lines[1]) <= INTEGER_MAX
    _require(is_size, "PRF-001", "a checkpoint's second line must be the number of headers")
    root = _base64(lines[2])
    _require(len(root) == 32, "PRF-001", "a checkpoint's third line must be a root of 32 bytes")
    return _Checkpoint("".join(f"{line}\n" for line in lines), int(lines[1]), root), signature_lines


def read_checkpoint(note: str, network_id: bytes) -> tuple[int, bytes]:
    """Return size and root of a checkpoint of a network, as a signed note says them; signatures are not looked at.

    Raises:
        VerificationError: it is no checkpoint of this network.
    """
    checkpoint, _ = _read_note(note, network_id)
    return checkpoint.size, checkpoint.root


def _base64(text: str) -> bytes:
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError:
        raise VerificationError("PRF-001", "a line of a note is not base64") from None
    # PRF-010: unused bits could be set without changing what is decoded.
    _require(base64.b64encode(data).decode("ascii") == text, "PRF-010", "a line of a note is not in the one form of base64")
    return data


class _Header(NamedTuple):
    height: int
    time_ms: int
    previous: bytes
    transactions_root: bytes
    receipts_root: bytes
    state_root: bytes
    next_certifiers: bytes


def _read_header(what: str, item: object, checkpoint: _Checkpoint, genesis: Genesis) -> _Header:
    """Return a header whose inclusion in the checkpoint has been checked."""
    data, path = _shape(what, item, bytes, [32])
    version, network_id, *rest = _shape(what, _decode_part(what, data), int, 32, int, int, 32, 32, 32, 32, 32)
    header = _Header(*rest)
    _require(version == 1 and header.height >= 0 and header.time_ms >= 0, "PRF-010", f"{what} is not a header of version 1")
    # PRF-013: a header names its network, so none can be borrowed from another one.
    _require(network_id == genesis.network_id, "PRF-013", f"{what} belongs to another network")
    # LED-040, PRF-011
    root = root_from_path(genesis.tagged(b"yunhe/header/1", data), header.height, checkpoint.size, path, genesis.hash_name)
    _require(root == checkpoint.root, "PRF-011", f"{what} is not in the block log that was certified")
    return header


# --- Certificates and the steps between them --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Certificate:
    """How one checkpoint is certified (PRF-002)."""

    size: int
    """Headers in the block log; the last one has height size - 1."""
    root: bytes
    """Root of the block log."""
    organisations: tuple[str, ...]
    """Whose cosignatures are there; all of them verified."""
    times_s: tuple[int, ...]
    """When each says that it cosigned, seconds since 1970-01-01 UTC, by its own clock."""
    power: int
    """Power of these organisations together."""
    certifiers: int
    """Members of the set that counts."""
    total_power: int
    """Power of that set."""


def _read_cosignature(line: str) -> tuple[str, bytes]:
    """Return a line's name and its key id, timestamp and signature, one after the other."""
    # PRF-001
    dash, name, encoded = line.split(" ") if line.count(" ") == 2 else ("", "", "")
    blob = _base64(encoded)
    _require(dash == "\N{EM DASH}" and len(blob) == 4 + 8 + 64, "PRF-001", "a cosignature line is malformed")
    return name, blob


def _cosigned_at(checkpoint: _Checkpoint, name: str, suite: str, public_key: bytes, blob: bytes) -> int:
    """Return when a cosignature was made, seconds since 1970-01-01 UTC, if it verifies; -1 if it does not."""
    time_s = int.from_bytes(blob[4:12], "big")
    # PRF-001, PRF-003
    message = f"cosignature/v1\ntime {time_s}\n{checkpoint.text}".encode("ascii")
    verifies = blob[:4] == _key_id(name, suite, public_key) and time_s <= INTEGER_MAX and SUITES[suite](public_key, message, blob[12:])
    return time_s if verifies else -1


def _key_id(name: str, suite: str, public_key: bytes) -> bytes:
    # PRF-001, PRF-003
    return hashlib.sha256(name.encode("utf-8") + b"\n" + COSIGNATURE_TYPES[suite] + public_key).digest()[:4]


def _certify(checkpoint: _Checkpoint, lines: Sequence[str], certifiers: Sequence[_Certifier]) -> Certificate:
    """Verify every cosignature line, and that together they are more than two thirds of the set's power."""
    origin = checkpoint.text.partition("\n")[0]
    positions = {f"{origin}/{certifier.organisation}": position for position, certifier in enumerate(certifiers)}
    signed: dict[int, int] = {}
    for line in lines:
        name, blob = _read_cosignature(line)
        # PRF-002
        position = positions.get(name, -1)
        in_order = position > max(signed, default=-1)
        _require(in_order, "PRF-002", "a cosignature is by nobody in the set that counts, comes twice, or is not in the order of the set")
        certifier = certifiers[position]
        time_s = _cosigned_at(checkpoint, name, certifier.suite, certifier.public_key, blob)
        _require(time_s >= 0, "PRF-001", f"the cosignature of {certifier.organisation} does not verify")
        signed[position] = time_s
    power, total = sum(certifiers[position].power for position in signed), sum(certifier.power for certifier in certifiers)
    # PRF-002
    _require(3 * power > 2 * total, "PRF-002", f"the checkpoint is cosigned by power {power} of {total}, not by more than two thirds")
    organisations = tuple(certifiers[position].organisation for position in signed)
    return Certificate(checkpoint.size, checkpoint.root, organisations, tuple(signed.values()), power, len(certifiers), total)


def _follow_steps(steps: Sequence[object], oldest_key: bytes, trusted: _Checkpoint | None, genesis: Genesis) -> list[Certificate]:
    """Follow the certifier sets from what is trusted to the last checkpoint."""
    founding = genesis.tagged(b"yunhe/certifiers/1", genesis.certifier_set)
    expected = None if trusted else founding
    certificates: list[Certificate] = []
    for number, step in enumerate(steps, 1):
        what = f"step {number}"
        note, certifier_set, last_item, before_item = _shape(what, step, bytes, bytes, list, (list, type(None)))
        checkpoint, lines = _read_note(note.decode("utf-8", "replace"), genesis.network_id)
        certifiers, set_hash = _read_certifiers(certifier_set), genesis.tagged(b"yunhe/certifiers/1", certifier_set)
        # PRF-012
        _require(number > 1 or trusted in (None, checkpoint), "PRF-012", "the first step's checkpoint is not the one that you trust")
        named = expected in (None, set_hash)
        _require(named, "PRF-012", f"the certifiers of {what} are not those that the genesis or the step before it names")
        longer = not certificates or checkpoint.size > certificates[-1].size
        _require(longer, "PRF-012", f"{what} is not about a longer log than the step before it")
        # PRF-015
        is_oldest = number > 1 or HASHES[genesis.hash_name](certifiers[0].public_key) == oldest_key
        _require(is_oldest, "PRF-015", "the bundle names another oldest key than the one that it relies on")
        # PRF-011
        last = _read_header(f"the last header of {what}", last_item, checkpoint, genesis)
        _require(last.height == checkpoint.size - 1, "PRF-011", f"{what} shows another header as the last one of its checkpoint")
        counting = _counting_set(what, before_item, checkpoint, genesis) or founding
        _require(set_hash == counting, "PRF-011", f"the certifiers of {what} are not the set that counts for its checkpoint")
        certificates.append(_certify(checkpoint, lines, certifiers))
        expected = last.next_certifiers
    return certificates


def _counting_set(what: str, before_item: object, checkpoint: _Checkpoint, genesis: Genesis) -> bytes | None:
    """Return the hash of the set that counts for a checkpoint, which the header before its last one names (LED-041), or None: the first."""
    # PRF-011
    if checkpoint.size == 1 and before_item is None:
        return None
    before = _read_header(f"the header before the last of {what}", before_item, checkpoint, genesis)
    _require(before.height == checkpoint.size - 2, "PRF-011", f"{what} shows another header as the one before the last")
    return before.next_certifiers


# --- The bundle -------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Subject:
    """One thing that the bundle proves about its header."""

    kind: str
    """`transaction`, `receipt`, `record` or `absence`."""
    fields: dict[str, Any]
    """By kind. Transaction: id, signers, calls, valid_until_ms, gas_limit. Receipt: transaction_id, code, call_index, gas_used, results,
    events. Record: contract, table, key, record. Absence: contract, table, key."""


@dataclass(frozen=True, slots=True)
class VerifiedProof:
    """Everything that a bundle proves. It exists only after every check has passed."""

    network_id: bytes
    hash_name: str
    """The chain hash, by its name in the genesis."""
    height: int
    """Height of the header that the subjects are about."""
    time_ms: int
    """Time of that header, milliseconds since 1970-01-01 UTC."""
    anchor: str
    """What was trusted to begin with: `genesis` or `checkpoint`."""
    oldest_key: bytes
    """Hash of the oldest public key that the bundle relies on."""
    certificates: tuple[Certificate, ...]
    """One for each step; the last is that of the checkpoint which the header is in."""
    subjects: tuple[Subject, ...]


def verify(bundle: bytes, genesis: bytes, *, trust: str | None = None) -> VerifiedProof:
    """Verify a proof bundle completely.

    Args:
        bundle: the bundle file.
        genesis: the genesis file, from a source that the caller trusts.
        trust: a checkpoint that the caller trusts, from which the bundle starts instead of from the genesis certifiers; signature
            lines after its empty line are not needed and not looked at.

    Raises:
        VerificationError: anything is not as it must be. Any bytes and any text give this error or a proof, nothing else.

    *Cost*: about 3 ms for each Ed25519 signature in the bundle, 10 ms for each of SM2.
    """
    founders = read_genesis(genesis)
    _require(len(trust or "") <= CHECKPOINT_BYTES_MAX, "PRF-012", f"a checkpoint has at most {CHECKPOINT_BYTES_MAX} bytes")
    trusted = None if trust is None else _read_note(trust, founders.network_id)[0]
    # PRF-010
    _require(len(bundle) <= PROOF_BYTES_MAX, "PRF-010", f"a bundle has at most {PROOF_BYTES_MAX} bytes")
    parts = _shape("a bundle", _decode_part("the bundle", bundle), str, int, 32, 32, list, list, list, 32)
    marker, version, network_id, oldest_key, steps, header_item, subjects, checksum = parts
    _require(marker == "yunhe-proof" and version == 1, "PRF-010", "this is not a Yunhe proof bundle of version 1")
    _require(network_id == founders.network_id, "PRF-010", f"the bundle is of network {network_id.hex()}, not of the genesis file's")
    whole = founders.tagged(b"yunhe/proof/1", encode(parts[:-1])) == checksum
    _require(whole, "PRF-010", "the bundle was altered or damaged after it was made: its own checksum differs")
    _require(1 <= len(steps) <= PROOF_STEPS_MAX, "PRF-010", f"a bundle has 1 to {PROOF_STEPS_MAX} steps")
    _require(1 <= len(subjects) <= PROOF_SUBJECTS_MAX, "PRF-010", f"a bundle has 1 to {PROOF_SUBJECTS_MAX} subjects")
    certificates = _follow_steps(steps, oldest_key, trusted, founders)
    # PRF-013
    checkpoint = _Checkpoint("", certificates[-1].size, certificates[-1].root)
    header = _read_header("the proven header", header_item, checkpoint, founders)
    proven = tuple(_verify_subject(item, header, founders) for item in subjects)
    anchor = "checkpoint" if trusted else "genesis"
    return VerifiedProof(network_id, founders.hash_name, header.height, header.time_ms, anchor, oldest_key, tuple(certificates), proven)


def _verify_subject(item: object, header: _Header, genesis: Genesis) -> Subject:
    kind = item[0] if isinstance(item, list) and item else None
    if kind == "transaction":
        return _verify_transaction(item, header, genesis)
    if kind == "receipt":
        return _verify_receipt(item, header, genesis)
    _require(kind in ("record", "absence"), "PRF-010", "a subject is neither a transaction nor a receipt, a record or an absence")
    return _verify_state(item, header, genesis)


def _verify_transaction(item: object, header: _Header, genesis: Genesis) -> Subject:
    _kind, sides, data, path = _shape("a transaction", item, str, int, bytes, [32])
    body, signatures = _shape("a transaction", _decode_part("a transaction", data), bytes, list)
    transaction_id = genesis.tagged(b"yunhe/transaction/1", body)
    leaf = transaction_id + genesis.tagged(b"yunhe/signatures/1", encode(signatures))
    _require_leaf("the transaction", leaf, sides, path, header.transactions_root, genesis)
    parts = _shape("a transaction", _decode_part("a transaction body", body), int, 32, list, list, int, int, 16)
    version, network_id, signers, calls, valid_until_ms, gas_limit, _salt = parts
    # COD-030, COD-031
    counts_fit = 1 <= len(signers) <= SIGNERS_MAX and len(signatures) == len(signers) and 1 <= len(calls) <= CALLS_MAX
    _require(version == 1 and counts_fit, "PRF-017", "the transaction has not the form of a transaction of version 1")
    _require(network_id == genesis.network_id, "PRF-017", "the transaction belongs to another network")
    fields = {
        "id": transaction_id,
        "signers": [_read_signer(signer, signature, transaction_id) for signer, signature in zip(signers, signatures, strict=True)],
        "calls": [_named("a call", call, "contract", "action", "arguments") for call in calls],
        "valid_until_ms": valid_until_ms,
        "gas_limit": gas_limit,
    }
    return Subject("transaction", fields)


def _read_signer(item: object, signature: object, transaction_id: bytes) -> dict[str, Value]:
    organisation, member, suite, public_key = _shape("a signer", item, _NAME, _NAME, str, bytes)
    message = b"yunhe/sign-transaction/1\x00" + transaction_id
    # PRF-017: the certifiers checked this signature already; checked again, it binds the signer without trust in the certifiers.
    verifies = suite in SUITES and isinstance(signature, bytes) and SUITES[suite](public_key, message, signature)
    _require(verifies, "PRF-017", f"the signature of {organisation}/{member} under the transaction does not verify")
    return {"organisation": organisation, "member": member, "suite": suite, "public_key": public_key}


def _verify_receipt(item: object, header: _Header, genesis: Genesis) -> Subject:
    _kind, sides, data, path = _shape("a receipt", item, str, int, bytes, [32])
    _require_leaf("the receipt", data, sides, path, header.receipts_root, genesis)
    version, *parts = _shape("a receipt", _decode_part("a receipt", data), int, 32, str, int, int, list, list)
    names = ("transaction_id", "code", "call_index", "gas_used", "results", "events")
    fields = dict(zip(names, parts, strict=True))
    # COD-050
    form = version == 1 and (fields["code"] == "OK" or not (fields["results"] or fields["events"]))
    _require(form, "COD-050", "the receipt is not of version 1, or has results or events although its code is not OK")
    fields["events"] = [_named("an event", event, "contract", "name", "fields") for event in fields["events"]]
    return Subject("receipt", fields)


def _named(what: str, item: object, *names: str) -> dict[str, Value]:
    """Return a call or an event with its parts named."""
    contract, name, fields = _shape(what, item, _NAME, str, dict)
    return dict(zip(names, (contract, name, _fields(what, fields)), strict=True))


def _require_leaf(what: str, leaf: bytes, sides: int, path: Sequence[bytes], root: bytes, genesis: Genesis) -> None:
    """Check that a leaf is in a tree of the header: bit i of `sides` says that hash i of the path stands on the left."""
    # PRF-010: bits beyond the path would change nothing, so they must be zero.
    _require(sides >= 0 and sides.bit_length() <= len(path), "PRF-010", f"the path of {what} has more sides than hashes")
    node = HASHES[genesis.hash_name](b"\x00" + leaf)
    for level, sibling in enumerate(path):
        node = HASHES[genesis.hash_name](b"\x01" + (sibling + node if sides >> level & 1 else node + sibling))
    # PRF-013, COD-011
    _require(node == root, "PRF-013", f"{what} is not in the proven block")


def _verify_state(item: object, header: _Header, genesis: Genesis) -> Subject:
    """Verify a record, or the absence of one, by the state root."""
    # PRF-018
    kind, contract, table, key, shown, siblings = _shape("a state subject", item, str, _NAME, _TABLE, list, (bytes, list, type(None)), list)
    path = genesis.tagged(b"yunhe/state-key/1", _state_key(contract, table, key))
    fields: dict[str, Any] = {"contract": contract, "table": table, "key": key}
    place = bytes(32)
    if kind == "record":
        _require(isinstance(shown, bytes), "PRF-010", "a record must be a byte string")
        fields["record"] = _fields("a record", _decode_part("a record", shown))
        place = HASHES[genesis.hash_name](b"\x02" + path + genesis.tagged(b"yunhe/state-value/1", shown))
    elif shown is not None:
        other_path, other_value = _shape("the other leaf", shown, 32, 32)
        # PRF-014
        apart = int.from_bytes(path, "big") ^ int.from_bytes(other_path, "big")
        _require(apart != 0, "PRF-014", "the leaf that is shown for the absence is the record itself")
        in_the_way = TREE_DEPTH - apart.bit_length() >= len(_read_siblings(siblings))
        _require(in_the_way, "PRF-014", "the leaf that is shown for the absence does not stand where the record would be")
        place = HASHES[genesis.hash_name](b"\x02" + other_path + other_value)
    # PRF-013
    root = root_from_siblings(place, path, siblings, genesis.hash_name)
    _require(root == header.state_root, "PRF-013", f"the {kind} does not agree with the state after the proven block")
    return Subject(kind, fields)


def _state_key(contract: str, table: str, components: Sequence[Value]) -> bytes:
    # COD-060: names hold no 0x00, so there is one way to split a key into contract and table.
    key = contract.encode("ascii") + b"\x00" + table.encode("ascii") + b"\x00"
    for component in components:
        _require(type(component) in (bytes, str, int), "COD-060", "a key component is neither text nor an integer nor a byte string")
        if isinstance(component, int):
            key += b"\x03" + (component - INTEGER_MIN).to_bytes(8, "big")
        elif isinstance(component, str | bytes):
            kind, raw = (b"\x02", component.encode("utf-8")) if isinstance(component, str) else (b"\x01", component)
            key += kind + raw.replace(b"\x00", b"\x00\xff") + b"\x00"
    # COD-061
    fits = 1 <= len(components) <= KEY_COMPONENTS_MAX and len(key) <= STATE_KEY_BYTES_MAX
    _require(fits, "COD-061", f"a key has 1 to {KEY_COMPONENTS_MAX} components and at most {STATE_KEY_BYTES_MAX} bytes")
    return key


# --- Witnesses (PRF-030) ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Witnessed:
    """The cosignature of somebody outside of the certifier set (PRF-030)."""

    name: str
    """Of the witness, as its key has it."""
    time_s: int
    """When it says that it cosigned, seconds since 1970-01-01 UTC."""


def check_witness(proof: VerifiedProof, note: str, key: str) -> Witnessed:
    """Check that a witness cosigned the checkpoint which a verified bundle ends with.

    Args:
        proof: a verified proof.
        note: checkpoint with cosignatures, as the witness publishes it for this size.
        key: the witness's key line (C2SP `signed-note`), from a source that the caller trusts.

    Raises:
        VerificationError: it did not cosign that checkpoint.
    """
    name, suite, public_key = _read_witness_key(key.strip())
    _require(len(note) <= CHECKPOINT_BYTES_MAX, "PRF-030", f"a checkpoint has at most {CHECKPOINT_BYTES_MAX} bytes")
    checkpoint, lines = _read_note(note, proof.network_id)
    final = proof.certificates[-1]
    # PRF-030
    about = f"the witness's note is about {checkpoint.size} headers, the bundle about {final.size}; ask the witness for that one"
    _require(checkpoint.size == final.size, "PRF-030", about)
    two = f"the witness saw another history: its {final.size} headers have another root. Show note and bundle to the network's members"
    _require(checkpoint.root == final.root, "PRF-030", two)
    key_id = _key_id(name, suite, public_key)
    blobs = [blob for other, blob in map(_read_cosignature, lines) if (other, blob[:4]) == (name, key_id)]
    time_s = _cosigned_at(checkpoint, name, suite, public_key, blobs[0]) if len(blobs) == 1 else -1
    _require(time_s >= 0, "PRF-030", f"the note has no cosignature of {name} with this key that verifies")
    return Witnessed(name, time_s)


def _read_witness_key(key: str) -> tuple[str, str, bytes]:
    """Return name, suite and public key of a key line: name, key id and base64 of type and key, joined by `+`."""
    # PRF-030: base64 may have a `+` of its own.
    name, key_id, encoded = key.split("+", 2) if key.count("+") >= 2 else ("", "", "")
    data = _base64(encoded)
    for suite, kind in COSIGNATURE_TYPES.items():
        public_key = data[len(kind) :]
        if data.startswith(kind) and _key_id(name, suite, public_key).hex() == key_id and re.fullmatch(r"[!-*,-~]+", name):
            return name, suite, public_key
    raise VerificationError("PRF-030", "the witness's key is not a key line of this form: name+key id+base64")


# --- Documents: RFC 8785 canonical JSON (PRF-020) ---------------------------------------------------------------------------------


def check_document(proof: VerifiedProof, document: bytes) -> int:
    """Return the position in `proof.subjects` of the record or receipt that holds the document's checksum.

    Raises:
        VerificationError: the document is not JSON in the sense of RFC 8785, or no subject holds its checksum.
    """
    checksum = hashlib.sha256(canonical_json(document)).hexdigest()
    for position, subject in enumerate(proof.subjects):
        holders = [subject.fields.get("record", {}), *(event["fields"] for event in subject.fields.get("events", []))]
        if any(holder.get("document_checksum") == checksum for holder in holders):
            return position
    # PRF-020
    raise VerificationError("PRF-020", f"nothing in the bundle has the document's checksum {checksum}: it is another document, or altered")


def canonical_json(document: bytes) -> bytes:
    """Return the RFC 8785 form of a JSON text.

    Raises:
        VerificationError: it is not JSON, has a duplicate name or a lone surrogate, or a number that is no exact integer or finite double.
    """
    value = _parse_json("PRF-020", "the document", document, DOCUMENT_BYTES_MAX)
    try:
        return _canonical(value, 0).encode("utf-8")
    except UnicodeEncodeError:
        raise VerificationError("PRF-020", "the document holds a lone surrogate, which is no character") from None


def _canonical(value: Unchecked, depth: int) -> str:
    if isinstance(value, float):
        return es6_number(value)
    # PRF-020: a double, as which RFC 8785 takes every number, has not every integer beyond this: digits would not be covered.
    exact = not isinstance(value, int) or abs(value) <= DOCUMENT_INTEGER_MAX
    _require(exact, "PRF-020", f"the document has an integer beyond {DOCUMENT_INTEGER_MAX}")
    if not isinstance(value, dict | list):
        # RFC 8785 §3.2.2.2: Python escapes exactly the same characters in the same way.
        return json.dumps(value, ensure_ascii=False)
    _require(depth < DOCUMENT_DEPTH_MAX, "PRF-020", f"the document nests more than {DOCUMENT_DEPTH_MAX} containers")
    if isinstance(value, list):
        return "[" + ",".join([_canonical(item, depth + 1) for item in value]) + "]"
    # RFC 8785 §3.2.3: names are sorted by their UTF-16 code units.
    names = sorted(value, key=lambda name: name.encode("utf-16-be"))
    return "{" + ",".join([f"{_canonical(name, depth)}:{_canonical(value[name], depth + 1)}" for name in names]) + "}"


def es6_number(number: float) -> str:
    """Return a double as ECMAScript writes it (RFC 8785 §3.2.2.3); `repr` gives the same shortest digits in another layout.

    Raises:
        VerificationError: it is not finite.
    """
    sign, digit_tuple, exponent = Decimal(repr(number)).normalize().as_tuple()
    # PRF-020
    _require(isinstance(exponent, int), "PRF-020", "the document has a number that is not finite, or too large for a double")
    digits = "".join(map(str, digit_tuple))
    point = len(digits) + int(exponent)
    if digits == "0":
        return "0"
    if len(digits) <= point <= 21:
        text = digits + "0" * (point - len(digits))
    elif 0 < point <= 21:
        text = f"{digits[:point]}.{digits[point:]}"
    elif -6 < point <= 0:
        text = f"0.{'0' * -point}{digits}"
    else:
        text = f"{digits[0]}{'.' if digits[1:] else ''}{digits[1:]}e{point - 1:+d}"
    return "-" * sign + text


def _parse_json(rule: str, what: str, data: bytes, bytes_max: int) -> Unchecked:
    _require(len(data) <= bytes_max, rule, f"{what} has more than {bytes_max} bytes")
    try:
        return json.loads(data.decode("utf-8"), object_pairs_hook=_unique_names)
    except (ValueError, RecursionError) as error:
        raise VerificationError(rule, f"{what} is not JSON with unique names: {error}") from None


def _unique_names(pairs: list[tuple[str, object]]) -> dict[str, object]:
    if len(dict(pairs)) != len(pairs):
        raise ValueError("a name comes twice in one object")
    return dict(pairs)


# --- Command line -----------------------------------------------------------------------------------------------------------------


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return its exit code."""
    parser = argparse.ArgumentParser(prog="verifier.py", description="Verify a Yunhe proof bundle offline.")
    parser.add_argument("bundle", help="the proof bundle")
    parser.add_argument("--genesis", required=True, help="genesis file of the network, from a source that you trust")
    parser.add_argument("--trust", metavar="CHECKPOINT", help="checkpoint that you trust, to start from instead of the genesis certifiers")
    parser.add_argument("--document", metavar="FILE", help="JSON document whose checksum the bundle must hold")
    parser.add_argument("--witness", metavar="NOTE", help="checkpoint cosigned by a witness, for the size that the bundle ends with")
    parser.add_argument("--witness-key", metavar="KEY", help="key line of that witness, from a source that you trust")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    options = parser.parse_args(arguments)
    if (options.witness is None) != (options.witness_key is None):
        parser.error("--witness and --witness-key go together")
    try:
        bundle, genesis = _read_file(options.bundle, PROOF_BYTES_MAX), _read_file(options.genesis, GENESIS_BYTES_MAX)
        trust = options.trust and _read_file(options.trust, CHECKPOINT_BYTES_MAX).decode("utf-8", "replace")
        document = options.document and _read_file(options.document, DOCUMENT_BYTES_MAX)
        note = options.witness and _read_file(options.witness, CHECKPOINT_BYTES_MAX).decode("utf-8", "replace")
    except (OSError, ValueError) as error:
        sys.stderr.write(_printable(f"cannot read a file: {error}") + "\n")
        return 2
    try:
        proof = verify(bundle, genesis, trust=trust)
        matched = None if document is None else check_document(proof, document)
        witnessed = None if note is None else check_witness(proof, note, options.witness_key)
    except VerificationError as error:
        refusal = {"verified": False, "rule": error.rule, "message": error.message}
        _say(json.dumps(refusal) if options.json else _printable(f"REFUSED by rule {error}"))
        return 1
    account = {"verified": True, "document_subject": matched, "witness": _plain(witnessed), **_plain(proof)}
    _say(json.dumps(account, indent=2) if options.json else describe(proof, matched, witnessed))
    return 0


def _say(text: str) -> None:
    """Print, with escapes for what the terminal's encoding lacks."""
    encoding = sys.stdout.encoding or "utf-8"
    sys.stdout.write(text.encode(encoding, "backslashreplace").decode(encoding) + "\n")


def _read_file(name: str, bytes_max: int) -> bytes:
    """Read at most one byte more than is allowed, which is then refused as too long."""
    with Path(name).open("rb") as file:
        return file.read(bytes_max + 1)


def describe(proof: VerifiedProof, matched: int | None = None, witnessed: Witnessed | None = None) -> str:
    """Return a readable account of what is proven, by whom, and what is not (PRF-016).

    Args:
        proof: a verified proof.
        matched: position of the subject that holds the document's checksum, if a document was checked.
        witnessed: the cosignature of a witness, if one was checked.
    """
    final, changes = proof.certificates[-1], len(proof.certificates) - 1
    times = sorted({_utc(1000 * time_s) for time_s in (min(final.times_s), max(final.times_s))})
    lines = [
        "VERIFIED",
        "",
        f"Network       {proof.network_id.hex()}",
        f"Block         {proof.height}, of {_utc(proof.time_ms)}",
        f"Certified by  {len(final.organisations)} of {final.certifiers}: {', '.join(final.organisations)}",
        f"              (power {final.power} of {final.total_power}; more than two thirds is needed)",
    ]
    if final.certifiers == 1:
        lines.append("              One certifier only: whoever holds that one key could have certified another history.")
    lines += [
        f"Checkpoint    {final.size} headers, cosigned {' to '.join(times)} by the cosigners' clocks",
        f"Trust         starts from the {proof.anchor} that you gave, then {changes or 'no'} change{'s' * (changes > 1)} of certifiers",
        f"Oldest key    {proof.hash_name} {proof.oldest_key.hex()}",
    ]
    if witnessed is not None:
        lines.append(f"Witnessed by  {witnessed.name}, {_utc(1000 * witnessed.time_s)} by its own clock: it has seen one history, this one")
    for number, subject in enumerate(proof.subjects, 1):
        lines += ["", f"{number}. {subject.kind.capitalize()}" + (": this was not there" if subject.kind == "absence" else "")]
        lines += json.dumps(_plain(subject.fields), indent=2, ensure_ascii=False).split("\n")
    if matched is not None:
        lines += ["", f"Document      its RFC 8785 checksum is the document_checksum of subject {matched + 1}"]
    lines += [
        "",
        "Not proven:   whether this still holds after this block; a newer proof would show that.",
        "              Whether what the parties recorded is true. Proven is that it was recorded, by whom, and when.",
    ]
    return "\n".join(map(_printable, lines))


def _plain(value: Unchecked) -> Unchecked:
    """Return a value as JSON can show it: byte strings as `0x` and hexadecimal digits, records as objects."""
    if dataclasses.is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return "0x" + value.hex() if isinstance(value, bytes) else value


def _printable(line: str) -> str:
    """Return a line without characters that steer a terminal or hide what is written."""
    return "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in line)


def _utc(time_ms: int) -> str:
    try:
        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=time_ms)
    except OverflowError:
        return f"{time_ms} ms after 1970-01-01 UTC"
    return f"{moment:%Y-%m-%d %H:%M:%S}.{time_ms % 1000:03d} UTC"


if __name__ == "__main__":
    sys.exit(main())
