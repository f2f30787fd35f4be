"""Suites, keys and key files."""

from base64 import b64decode

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from tests.vectors_file import vectors
from yunhe.crypto import (
    PrivateKey,
    PublicKey,
    SignedItem,
    chain_hash,
    chain_hash_names,
    hashes,
    invalid_signatures,
    signatures,
    suite,
    suite_names,
)
from yunhe.crypto import ed25519 as ed25519_suite
from yunhe.errors import (
    InvalidGenesisError,
    InvalidKeyError,
    InvalidSignatureError,
    TooLargeError,
    UnknownSuiteError,
    WrongPassphraseError,
)

SUITE = "ed25519-sha256"
# RFC 8032 section 7.1, test 2.
SECRET = bytes.fromhex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb")
PUBLIC = bytes.fromhex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c")
SIGNATURE = bytes.fromhex(
    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
)


def test_private_key_signs_the_published_vector():
    key = PrivateKey(SUITE, SECRET)
    assert key.public_key.raw == PUBLIC
    assert key.sign(b"\x72") == SIGNATURE
    key.public_key.verify(b"\x72", SIGNATURE)


def test_public_key_wrong_message_or_signature_raises():
    key = PublicKey(SUITE, PUBLIC)
    for message, signature in ((b"\x73", SIGNATURE), (b"\x72", bytes(64)), (b"\x72", SIGNATURE[:-1]), (b"\x72", b"")):
        with pytest.raises(InvalidSignatureError):
            key.verify(message, signature)


def test_invalid_signatures_names_exactly_the_wrong_ones():
    key = PrivateKey.generate()
    good = [SignedItem(SUITE, key.public_key.raw, bytes([i]), key.sign(bytes([i]))) for i in range(40)]
    items = list(good)
    items[3] = SignedItem(SUITE, key.public_key.raw, b"other", good[3].signature)
    items[20] = SignedItem("rsa", key.public_key.raw, bytes([20]), good[20].signature)
    items[21] = SignedItem("sm2-sm3", key.public_key.raw, bytes([21]), good[21].signature)
    items[39] = SignedItem(SUITE, b"short", bytes([39]), good[39].signature)
    assert invalid_signatures(good) == ()
    assert invalid_signatures(items) == (3, 20, 21, 39)
    assert invalid_signatures([]) == ()


def test_invalid_signatures_without_the_native_core_are_the_same(monkeypatch):
    keys = [PrivateKey.generate(name) for name in suite_names()]
    items = [SignedItem(key.suite, key.public_key.raw, b"m", key.sign(b"m")) for key in keys]
    items += [SignedItem(items[0].suite, items[1].public_key, b"m", items[1].signature), SignedItem("rsa", b"", b"", b"")]
    expected = invalid_signatures(items)
    monkeypatch.setattr(signatures, "_native", None)
    assert invalid_signatures(items) == expected == (2, 3)


def test_key_file_round_trip_and_openssl_form():
    key = PrivateKey.generate()
    pem = key.to_pem(b"correct horse")
    assert PrivateKey.from_pem(pem, b"correct horse") == key
    # Another tool reads it: it is PKCS#8, not a form of our own.
    loaded = serialization.load_pem_private_key(pem, b"correct horse")
    assert isinstance(loaded, ed25519.Ed25519PrivateKey)
    assert key.raw.hex() not in repr(key)
    assert key.raw not in pem


def test_key_file_takes_time_to_try_passphrases_and_is_read_with_and_without_the_native_core(monkeypatch):
    """COD-024"""
    key = PrivateKey.generate()
    strong = key.to_pem(b"one")
    # The number of rounds, as DER has it: INTEGER 600000.
    assert b"\x02\x03\x09\x27\xc0" in b64decode(b"".join(strong.split(b"\n")[1:-2]))
    monkeypatch.setattr(ed25519_suite, "_native", None)
    for pem in (strong, key.to_pem(b"one")):
        assert PrivateKey.from_pem(pem, b"one") == key


def test_key_file_wrong_passphrase_is_refused_by_name():
    pem = PrivateKey.generate().to_pem(b"one")
    for passphrase in (b"two", b""):
        with pytest.raises((WrongPassphraseError, InvalidKeyError)):
            PrivateKey.from_pem(pem, passphrase)


def test_key_file_without_passphrase_is_not_made():
    with pytest.raises(InvalidKeyError):
        PrivateKey.generate().to_pem(b"")


def test_key_file_of_another_kind_is_refused():
    curve = ec.generate_private_key(ec.SECP256R1())
    other = curve.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.BestAvailableEncryption(b"one")
    )
    plain = curve.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    for data in (other, plain, b"", b"\xff" * 100, b"-----BEGIN ENCRYPTED PRIVATE KEY-----\nxx\n-----END ENCRYPTED PRIVATE KEY-----\n"):
        with pytest.raises((InvalidKeyError, WrongPassphraseError)):
            PrivateKey.from_pem(data, b"one")
    with pytest.raises(TooLargeError):
        PrivateKey.from_pem(b"x" * 100_000, b"one")


def test_registries_unknown_names_are_refused():
    assert suite_names() == ("ed25519-sha256", "sm2-sm3")
    assert suite(SUITE).public_key_bytes == 32
    assert chain_hash_names() == ("sha256", "sm3")
    with pytest.raises(UnknownSuiteError):
        suite("sm2")
    with pytest.raises(InvalidGenesisError):
        chain_hash("SM3")
    with pytest.raises(InvalidKeyError):
        PublicKey(SUITE, bytes(31))
    with pytest.raises(InvalidKeyError):
        PrivateKey(SUITE, b"short").sign(b"x")


def test_tagged_hash_is_the_documented_form():
    """COD-010, with the digest worked by another implementation (OpenSSL: printf 'yunhe/header/1\\0abc' | openssl dgst -sha256)."""
    hash_ = chain_hash("sha256")
    assert hash_.tagged(b"yunhe/header/1", b"abc") == hash_.digest(b"yunhe/header/1\x00abc")
    assert hash_.digest(b"abc").hex() == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"  # FIPS 180-4 example


@pytest.mark.parametrize("vector", vectors("sm3_gbt32905")["vectors"], ids=lambda vector: vector["name"])
def test_sm3_is_the_published_one_with_and_without_the_native_core(vector, monkeypatch):
    message = bytes.fromhex(vector["message"])
    assert chain_hash("sm3").digest(message).hex() == vector["digest"]
    monkeypatch.setattr(hashes, "_native", None)
    assert chain_hash("sm3").digest(message).hex() == vector["digest"]
