"""The reference of SM2 and SM3 (COD-022, COD-023): published examples, and input made to deceive."""

import hashlib

import pytest

from tests import sm2_signing
from tests.sm2_signing import N, P
from tests.vectors_file import vectors
from yunhe.verifier import sm2_is_public_key, sm2_verify, sm3

(EXAMPLE,) = vectors("sm2_gbt32918")["vectors"]
SECRET = int(EXAMPLE["private_key"], 16)
KEY, MESSAGE, SIGNATURE = (bytes.fromhex(EXAMPLE[name]) for name in ("public_key", "message", "signature"))
R, S = SIGNATURE[:32], SIGNATURE[32:]


def number(value: int) -> bytes:
    return value.to_bytes(32, "big")


R_NUMBER, S_NUMBER = int.from_bytes(R, "big"), int.from_bytes(S, "big")


@pytest.mark.parametrize("vector", vectors("sm3_gbt32905")["vectors"], ids=lambda vector: vector["name"])
def test_sm3_of_the_published_examples(vector: dict[str, str]) -> None:
    assert sm3(bytes.fromhex(vector["message"])).hex() == vector["digest"]


def test_sm3_of_every_length_is_that_of_openssl() -> None:
    for length in range(200):
        data = bytes(index * 7 % 256 for index in range(length))
        assert sm3(data) == hashlib.new("sm3", data).digest()


# COD-022, COD-023
def test_published_example_verifies_and_any_change_does_not() -> None:
    assert sm2_verify(KEY, MESSAGE, SIGNATURE)
    assert EXAMPLE["signer_id"].encode() == sm2_signing.SIGNER_ID
    assert not sm2_verify(KEY, MESSAGE + b"\0", SIGNATURE)
    for bit in (0, 7, 100, 255, 256, 300, 511):
        changed = bytearray(SIGNATURE)
        changed[bit // 8] ^= 0x80 >> bit % 8
        assert not sm2_verify(KEY, MESSAGE, bytes(changed))


def test_signing_side_of_these_tests_makes_the_published_example() -> None:
    assert sm2_signing.public_key(SECRET) == KEY
    assert sm2_signing.signer_hash(KEY).hex() == EXAMPLE["z"]
    assert sm2_signing.sm3(sm2_signing.signer_hash(KEY) + MESSAGE).hex() == EXAMPLE["e"]
    assert sm2_signing.sign(SECRET, MESSAGE, int(EXAMPLE["nonce"], 16)) == SIGNATURE


# COD-022
@pytest.mark.parametrize("secret", [1, 2, N // 2, N - 3, N - 2])
def test_signature_by_the_smallest_and_largest_keys_verifies(secret: int) -> None:
    assert sm2_verify(sm2_signing.public_key(secret), b"m", sm2_signing.sign(secret, b"m"))


# COD-022
@pytest.mark.parametrize(
    "signature",
    {
        "r is 0": bytes(32) + S,
        "s is 0": R + bytes(32),
        "r is the order": number(N) + S,
        "s is the order": R + number(N),
        "r is over the order": b"\xff" * 32 + S,
        "s is over the order": R + b"\xff" * 32,
        "r + s is the order": R + number(N - R_NUMBER),
        "s + r is the order": number(N - S_NUMBER) + S,
        "s is negated": R + number(N - S_NUMBER),
        "r is negated": number(N - R_NUMBER) + S,
        "both are negated": number(N - R_NUMBER) + number(N - S_NUMBER),
        "parts are exchanged": S + R,
        "a byte is missing": SIGNATURE[:-1],
        "a byte is too many": SIGNATURE + b"\0",
        "it is empty": b"",
        "it is ASN.1": b"\x30\x46\x02\x21\x00" + R + b"\x02\x21\x00" + S,
    }.items(),
    ids=lambda case: case[0],
)
def test_signature_out_of_range_or_in_another_form_is_refused(signature: tuple[str, bytes]) -> None:
    assert not sm2_verify(KEY, MESSAGE, signature[1])


def small_point() -> tuple[int, int]:
    """A point whose x has a second form of 32 bytes."""
    for x in range(1, 100):
        square = (x**3 + sm2_signing.A * x + sm2_signing.B) % P
        y = pow(square, (P + 1) // 4, P)
        if y * y % P == square:
            return x, y
    raise AssertionError("half of all numbers are coordinates of a point")


SMALL = small_point()
BAD_KEYS = {
    "off the curve": KEY[:-1] + bytes([KEY[-1] ^ 1]),
    "x and y exchanged": KEY[:1] + KEY[33:] + KEY[1:33],
    "the origin": b"\x04" + bytes(64),
    "x not reduced": b"\x04" + number(SMALL[0] + P) + number(SMALL[1]),
    "y not reduced": KEY[:33] + b"\xff" * 32,
    "infinity": b"\0",
    "compressed": bytes([2 + (KEY[-1] & 1)]) + KEY[1:33],
    "hybrid": bytes([6 + (KEY[-1] & 1)]) + KEY[1:],
    "without its prefix": KEY[1:],
    "a byte too many": KEY + b"\0",
    "empty": b"",
    "of Ed25519": bytes(32),
}


# COD-022
@pytest.mark.parametrize("case", BAD_KEYS)
def test_key_that_is_no_point_or_in_another_form_is_refused(case: str) -> None:
    assert sm2_is_public_key(KEY)
    assert sm2_is_public_key(sm2_signing.encode(SMALL))
    assert not sm2_is_public_key(BAD_KEYS[case])
    assert not sm2_verify(BAD_KEYS[case], MESSAGE, SIGNATURE)


# COD-022: for a key of one's own [s]G and [t]P can be made equal or opposite; then the sum is a doubling, or the point at infinity.
def test_sum_of_equal_and_of_opposite_points_is_decided() -> None:
    secret = 7
    key = sm2_signing.public_key(secret)
    for t in (5, N - 5):
        for s in (t * secret % N, -t * secret % N):
            assert not sm2_verify(key, b"m", number((t - s) % N) + number(s))


# COD-023
@pytest.mark.parametrize("signer_id", [b"ALICE123@YAHOO.COM", b"", b"1234567812345679", b"1234567812345678\0"])
def test_signature_under_another_signer_id_is_refused_under_the_suites(signer_id: bytes) -> None:
    signature = sm2_signing.sign(SECRET, MESSAGE, signer_id=signer_id)
    assert sm2_verify(KEY, MESSAGE, signature, signer_id)
    assert not sm2_verify(KEY, MESSAGE, signature)
