"""Keys of `sm2-sm3` (COD-022 to COD-024), alone and together with OpenSSL."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.sm2_signing import N
from tests.vectors_file import vectors
from yunhe.crypto import PrivateKey, PublicKey, sm2, sm2_signature_from_der, sm2_signature_to_der, suite
from yunhe.errors import InvalidKeyError, InvalidSignatureError, PlatformError, WrongPassphraseError

SUITE = "sm2-sm3"
(EXAMPLE,) = vectors("sm2_gbt32918")["vectors"]
KEY = PrivateKey(SUITE, bytes.fromhex(EXAMPLE["private_key"]))
SIGNATURE = bytes.fromhex(EXAMPLE["signature"])

# --- alone ------------------------------------------------------------------------------------------------------------------------


# COD-022, COD-023
def test_published_example_is_verified_and_its_key_derived():
    assert KEY.public_key.raw.hex() == EXAMPLE["public_key"]
    KEY.public_key.verify(b"message digest", SIGNATURE)
    assert suite(SUITE).signer_id == EXAMPLE["signer_id"]
    assert (suite(SUITE).public_key_bytes, suite(SUITE).signature_bytes) == (65, 64)


def test_generated_key_signs_and_nothing_else_verifies():
    key = PrivateKey.generate(SUITE)
    signature = key.sign(b"m")
    key.public_key.verify(b"m", signature)
    for message, other in ((b"n", signature), (b"m", signature[:-1]), (b"m", bytes(64)), (b"m", KEY.sign(b"m"))):
        with pytest.raises(InvalidSignatureError):
            key.public_key.verify(message, other)
    assert key.raw.hex() not in repr(key)


# COD-022
@pytest.mark.parametrize(
    "raw", [KEY.public_key.raw[1:], KEY.public_key.raw[:33], KEY.public_key.raw[:-1] + b"\0", b"\x04" + bytes(64), bytes(32), b""]
)
def test_public_key_that_is_no_point_is_refused(raw):
    with pytest.raises(InvalidKeyError, match="65 bytes"):
        PublicKey(SUITE, raw)


# COD-022
@pytest.mark.parametrize("raw", [bytes(32), (N - 1).to_bytes(32, "big"), N.to_bytes(32, "big"), b"\xff" * 32, bytes(31), b"\1" * 33])
def test_private_key_out_of_range_is_refused(raw):
    with pytest.raises(InvalidKeyError, match="from 1 to n - 2"):
        PrivateKey(SUITE, raw)
    for use in (lambda: suite(SUITE).signer(raw)(b"m"), lambda: suite(SUITE).encrypt_key(raw, b"one")):
        with pytest.raises(InvalidKeyError):
            use()


# COD-024
def test_key_file_round_trip_and_wrong_passphrase():
    pem = KEY.to_pem(b"correct horse")
    assert PrivateKey.from_pem(b"Yunhe key\nMember: carrier/clerk\n" + pem, b"correct horse") == KEY
    with pytest.raises(WrongPassphraseError):
        PrivateKey.from_pem(pem, b"wrong horse")
    with pytest.raises(InvalidKeyError):
        KEY.to_pem(b"")


def test_keys_without_the_native_core_are_refused_by_name_and_verification_goes_on(monkeypatch):
    public_key = KEY.public_key
    monkeypatch.setattr(sm2, "_native", None)
    assert suite(SUITE).is_public_key(public_key.raw)
    assert not suite(SUITE).is_public_key(public_key.raw[1:])
    for use in (lambda: PrivateKey.generate(SUITE), lambda: KEY.sign(b"m"), lambda: PrivateKey(SUITE, KEY.raw), lambda: KEY.to_pem(b"one")):
        with pytest.raises(PlatformError, match="native core"):
            use()


def test_signature_as_asn1_and_back():
    der = sm2_signature_to_der(SIGNATURE)
    assert der == bytes.fromhex("3046022100") + SIGNATURE[:32] + bytes.fromhex("022100") + SIGNATURE[32:]
    assert sm2_signature_from_der(der) == SIGNATURE
    short = bytes(31) + b"\1" + bytes(30) + b"\xff\xff"
    assert sm2_signature_from_der(sm2_signature_to_der(short)) == short
    for bad in (
        b"",
        SIGNATURE,
        der + b"\0",
        der[:-1],
        b"\x30\x26\x02\x21\x01" + bytes(32) + b"\x02\x01\x01",
        b"\x30\x06\x02\x01\xff\x02\x01\x01",
    ):
        with pytest.raises(InvalidSignatureError):
            sm2_signature_from_der(bad)
    with pytest.raises(InvalidSignatureError):
        sm2_signature_to_der(SIGNATURE[1:])


# --- with OpenSSL 3 ---------------------------------------------------------------------------------------------------------------


def openssl(*arguments: str, data: bytes = b"") -> bytes:
    done = subprocess.run([OPENSSL, *arguments], input=data, capture_output=True, check=False)
    if done.returncode:
        raise OpenSslError(done.stderr.decode(errors="replace") + done.stdout.decode(errors="replace"))
    return done.stdout


class OpenSslError(Exception):
    """OpenSSL refused."""


OPENSSL = shutil.which("openssl") or ""
KNOWS_SM2 = bool(OPENSSL) and b"SM2" in openssl("list", "-signature-algorithms")
with_openssl = pytest.mark.skipif(not KNOWS_SM2, reason="there is no openssl here, or one without SM2")


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    path = tmp_path / "key.pem"
    path.write_bytes(KEY.to_pem(b"one"))
    return path


# COD-024
@with_openssl
def test_openssl_reads_our_key_file(key_file):
    public = openssl("pkey", "-in", str(key_file), "-passin", "pass:one", "-pubout", "-outform", "DER")
    assert public[-65:] == KEY.public_key.raw
    with pytest.raises(OpenSslError):
        openssl("pkey", "-in", str(key_file), "-passin", "pass:two", "-noout")


# COD-024
@with_openssl
@pytest.mark.parametrize("options", [(), ("-v2", "aes-256-cbc", "-iter", "1000"), ("-scrypt",)], ids=" ".join)
def test_key_file_made_by_openssl_is_read(tmp_path, options):
    plain = openssl("genpkey", "-algorithm", "SM2")
    pem = openssl("pkcs8", "-topk8", "-passout", "pass:one", *options, data=plain)
    key = PrivateKey.from_pem(pem, b"one")
    assert key.suite == SUITE
    assert openssl("pkey", "-pubout", "-outform", "DER", data=plain)[-65:] == key.public_key.raw
    with pytest.raises(WrongPassphraseError):
        PrivateKey.from_pem(pem, b"two")


def verified_by_openssl(key_file: Path, message: bytes, signature: bytes, signer_id: str) -> bool:
    sealed = key_file.with_suffix(".sig")
    sealed.write_bytes(sm2_signature_to_der(signature))
    written = key_file.with_suffix(".message")
    written.write_bytes(message)
    options = ("-rawin", "-digest", "sm3", "-pkeyopt", f"distid:{signer_id}", "-in", str(written), "-sigfile", str(sealed))
    try:
        openssl("pkeyutl", "-verify", "-inkey", str(key_file), "-passin", "pass:one", *options)
    except OpenSslError:
        return False
    return True


# COD-023
@with_openssl
def test_openssl_verifies_our_signature_under_the_suites_signer_id_only(key_file):
    signature = KEY.sign(b"message")
    assert verified_by_openssl(key_file, b"message", signature, "1234567812345678")
    assert not verified_by_openssl(key_file, b"message", signature, "ALICE123@YAHOO.COM")
    assert not verified_by_openssl(key_file, b"massage", signature, "1234567812345678")


# COD-022, COD-023
@with_openssl
def test_signature_made_by_openssl_is_verified(key_file):
    message = key_file.with_suffix(".message")
    message.write_bytes(b"message")
    for signer_id, fine in (("1234567812345678", True), ("ALICE123@YAHOO.COM", False)):
        options = ("-rawin", "-digest", "sm3", "-pkeyopt", f"distid:{signer_id}", "-in", str(message))
        signature = sm2_signature_from_der(openssl("pkeyutl", "-sign", "-inkey", str(key_file), "-passin", "pass:one", *options))
        if fine:
            KEY.public_key.verify(b"message", signature)
        else:
            with pytest.raises(InvalidSignatureError):
                KEY.public_key.verify(b"message", signature)
