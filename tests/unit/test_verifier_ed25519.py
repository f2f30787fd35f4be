"""The reference of Ed25519 by ZIP-215 (COD-021)."""

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from tests.vectors_file import vectors
from yunhe.verifier import ed25519_verify

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P

# Origin: the edge cases of ZIP-215 in Henry de Valence, "It's 255:19AM. Do you know what your validation criteria are?" (2020).
# They are derived here. Points of small order are those whose eightfold is the neutral element: y of 1, -1, 0, and the two roots of
# d*y^4 + 2*y^2 - 1 = 0. A y below 19 has a second encoding, y + p; and x = 0 has two, one for each sign bit.


def _square_root(square: int) -> int | None:
    root = pow(square, (P + 3) // 8, P)
    for candidate in (root, root * pow(2, (P - 1) // 4, P) % P):
        if candidate * candidate % P == square % P:
            return candidate
    return None


def small_order_encodings() -> list[bytes]:
    discriminant = _square_root(1 + D)
    assert discriminant is not None
    squares = [(-1 + sign * discriminant) * pow(D, -1, P) % P for sign in (1, -1)]
    order_eight = [y for y in map(_square_root, squares) if y is not None]
    assert len(order_eight) == 1
    ys = [1, P - 1, 0, order_eight[0], P - order_eight[0]]
    encodings = {y + P if reduced else y for y in ys for reduced in (False, True) if not reduced or y < 19}
    return [(y | sign << 255).to_bytes(32, "little") for y in sorted(encodings) for sign in (0, 1)]


SMALL_ORDER = small_order_encodings()


def test_there_are_eight_points_of_small_order_in_fourteen_encodings() -> None:
    assert len(SMALL_ORDER) == 14


# COD-021
@pytest.mark.parametrize("key", SMALL_ORDER, ids=bytes.hex)
def test_every_small_order_key_and_nonce_with_zero_scalar_verifies(key: bytes) -> None:
    assert all(ed25519_verify(key, b"Zcash", nonce + bytes(32)) for nonce in SMALL_ORDER)


@pytest.mark.parametrize("key", SMALL_ORDER, ids=bytes.hex)
def test_small_order_key_with_another_scalar_is_refused_cod_021(key: bytes) -> None:
    assert not any(ed25519_verify(key, b"Zcash", nonce + scalar.to_bytes(32, "little")) for nonce in SMALL_ORDER for scalar in (1, ORDER))


@pytest.mark.parametrize("vector", vectors("ed25519_rfc8032")["vectors"], ids=lambda vector: vector["name"])
def test_rfc8032_vector_verifies_and_any_change_does_not(vector: dict[str, str]) -> None:
    key, message, signature = (bytes.fromhex(vector[name]) for name in ("public_key", "message", "signature"))
    assert ed25519_verify(key, message, signature)
    assert not ed25519_verify(key, message + b"\0", signature)
    for part, rest in ((signature[:32], signature[32:]), (signature[32:], signature[:32])):
        for bit in (0, 7, 100, 248, 255):
            changed = (int.from_bytes(part, "little") ^ 1 << bit).to_bytes(32, "little")
            whole = changed + rest if part == signature[:32] else rest + changed
            assert not ed25519_verify(key, message, whole)


# COD-021
def test_scalar_of_the_group_order_or_more_is_refused() -> None:
    key = Ed25519PrivateKey.from_private_bytes(bytes(32))
    signature = key.sign(b"m")
    scalar = int.from_bytes(signature[32:], "little") + ORDER
    assert ed25519_verify(key.public_key().public_bytes_raw(), b"m", signature)
    assert not ed25519_verify(key.public_key().public_bytes_raw(), b"m", signature[:32] + scalar.to_bytes(32, "little"))


def test_openssl_decides_edge_cases_otherwise_so_it_never_decides_here() -> None:
    # OpenSSL leaves out the cofactor and refuses encodings that are not reduced; if it ever agreed, this test would show nothing.
    refused = 0
    for key in SMALL_ORDER:
        try:
            Ed25519PublicKey.from_public_bytes(key).verify(SMALL_ORDER[-1] + bytes(32), b"Zcash")
        except (InvalidSignature, ValueError):
            refused += 1
    assert refused > 0


@pytest.mark.parametrize("bad_y", [2, P - 2, P + 2])
def test_encoding_that_is_no_point_is_refused_as_key_and_as_nonce(bad_y: int) -> None:
    encoding = bad_y.to_bytes(32, "little")
    if _square_root((bad_y * bad_y - 1) * pow(D * bad_y * bad_y + 1, -1, P) % P) is not None:
        pytest.fail("the case is a point: choose another")
    assert not ed25519_verify(encoding, b"", SMALL_ORDER[0] + bytes(32))
    assert not ed25519_verify(SMALL_ORDER[0], b"", encoding + bytes(32))


@pytest.mark.parametrize(("key_bytes", "signature_bytes"), [(31, 64), (33, 64), (32, 63), (32, 65), (0, 0)])
def test_wrong_length_is_no_valid_signature(key_bytes: int, signature_bytes: int) -> None:
    assert not ed25519_verify(bytes(key_bytes), b"", bytes(signature_bytes))
