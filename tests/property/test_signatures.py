"""The native core decides every signature as the readable reference does, on honest, altered and hostile input of both suites."""

from functools import cache

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import sm2_signing
from tests.sm2_signing import N, P
from yunhe.crypto import SignedItem, invalid_signatures, signatures, sm2

SUITES = ("ed25519-sha256", "sm2-sm3")
EDWARDS_ORDER = 2**252 + 27742317777372353535851937790883648493

SPECIAL_NUMBERS = [0, 1, 2, N - 2, N - 1, N, N + 1, P - 1, P, 2**256 - 1]
numbers = st.sampled_from(SPECIAL_NUMBERS) | st.integers(0, 2**256 - 1)
SPECIAL_ED25519 = [bytes(32), b"\x01" + bytes(31), b"\xff" * 32, EDWARDS_ORDER.to_bytes(32, "little"), (2**255 - 19).to_bytes(32, "little")]


@cache
def honest(suite: str, seed: int) -> SignedItem:
    """An honest signature of one of a few keys."""
    message = f"message {seed}".encode()
    if suite == "sm2-sm3":
        secret = 1 + seed * seed * 10**30
        return SignedItem(suite, sm2_signing.public_key(secret), message, sm2_signing.sign(secret, message))
    key = Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32)
    return SignedItem(suite, key.public_key().public_bytes_raw(), message, key.sign(message))


@st.composite
def signed_items(draw: st.DrawFn) -> SignedItem:
    """An item, most often with something wrong."""
    item = honest(draw(st.sampled_from(SUITES)), draw(st.integers(0, 5)))
    suite, key, message, signature = item.suite, item.public_key, item.message, item.signature
    kind = draw(st.sampled_from(["as it is", "suite", "message", "flip", "first", "second", "key", "point", "cancel", "bytes"]))
    if kind == "suite":
        suite = draw(st.sampled_from([*SUITES, "", "sm2", "SM2-SM3"]))
    elif kind == "message":
        message = draw(st.binary(max_size=80))
    elif kind == "flip":
        at = draw(st.integers(0, 511))
        signature = (int.from_bytes(signature, "big") ^ 1 << at).to_bytes(64, "big")
    elif kind in ("first", "second"):
        part = (
            draw(numbers).to_bytes(32, "big")
            if suite == "sm2-sm3"
            else draw(st.sampled_from(SPECIAL_ED25519) | st.binary(min_size=32, max_size=32))
        )
        signature = part + signature[32:] if kind == "first" else signature[:32] + part
    elif kind == "key":
        key = draw(st.sampled_from([key[:-1], key + b"\0", key[1:], b"", b"\0", b"\x02" + key[1:33], b"\x06" + key[1:]]))
    elif kind == "point":
        key = (
            b"\x04" + draw(numbers).to_bytes(32, "big") + draw(numbers).to_bytes(32, "big")
            if suite == "sm2-sm3"
            else draw(st.binary(min_size=32, max_size=32))
        )
    elif kind == "cancel":
        r = int.from_bytes(signature[:32], "big")
        signature = signature[:32] + ((N - r) % N).to_bytes(32, "big")
    elif kind == "bytes":
        key, signature = draw(st.binary(max_size=70)), draw(st.binary(max_size=70))
    return SignedItem(suite, key, message, signature)


# COD-021, COD-022
@given(st.lists(signed_items(), max_size=12))
@settings(max_examples=60)
def test_native_decides_every_item_of_any_batch_as_the_reference(items: list[SignedItem]) -> None:
    expected = tuple(index for index, item in enumerate(items) if not signatures._is_valid(item))
    assert invalid_signatures(items) == expected
    for index, item in enumerate(items):
        assert signatures._native.signature_is_valid(item.suite, item.public_key, item.message, item.signature) == (index not in expected)


@given(numbers, numbers)
def test_native_knows_a_public_key_as_the_reference(x: int, y: int) -> None:
    point = sm2_signing.multiply(1 + x % (N - 1))
    for candidate in (point, (point[0], y), (x, point[1]), (x, y), (point[0], P - point[1])):
        key = sm2_signing.encode(candidate)
        assert sm2._native.sm2_is_public_key(key) == sm2.verifier.sm2_is_public_key(key)
    assert sm2._native.sm2_is_public_key(sm2_signing.encode(point))


# COD-022: whoever knows a key can make [s]G and [t]P equal or opposite, where incomplete formulas of addition go wrong.
def test_sum_of_equal_and_of_opposite_points_is_decided_by_both_alike() -> None:
    items = []
    for secret in (1, 7, N - 2):
        for t in (1, 5, N - 5):
            for s in (t * secret % N, -t * secret % N):
                numbers_ = ((t - s) % N).to_bytes(32, "big") + s.to_bytes(32, "big")
                items.append(SignedItem("sm2-sm3", sm2_signing.public_key(secret), b"m", numbers_))
    assert invalid_signatures(items) == tuple(range(len(items)))
    assert not any(signatures._is_valid(item) for item in items)


@pytest.mark.parametrize("suite", SUITES)
def test_honest_items_are_valid(suite: str) -> None:
    assert invalid_signatures([honest(suite, seed) for seed in range(6)]) == ()


# COD-022, COD-023: keys and signatures of the native core, by the reference and by the standard's own steps.
@given(st.integers(1, N - 2), st.binary(max_size=200))
@settings(max_examples=25)
def test_native_keys_and_signatures_are_those_of_the_reference(secret: int, message: bytes) -> None:
    raw = secret.to_bytes(32, "big")
    key = sm2._native.sm2_public_key(raw)
    assert key == sm2_signing.public_key(secret)
    assert sm2.verifier.sm2_verify(key, message, sm2._native.sm2_sign(raw, message))
