"""Key files with hostile parameters (COD-024): refused before anything is derived, and with our errors only."""

import contextlib
from base64 import b64decode, b64encode

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

from yunhe.crypto import PrivateKey
from yunhe.errors import InvalidKeyError, WrongPassphraseError
from yunhe.limits import KEY_FILE_MEMORY_BYTES_MAX, KEY_FILE_ROUNDS_MAX

BEGIN, END = "-----BEGIN ENCRYPTED PRIVATE KEY-----", "-----END ENCRYPTED PRIVATE KEY-----"


def der(tag: int, *parts: bytes) -> bytes:
    content = b"".join(parts)
    size = len(content)
    length = bytes([size]) if size < 0x80 else bytes([0x81, size])
    return bytes([tag]) + length + content


def integer(number: int) -> bytes:
    return der(0x02, number.to_bytes(number.bit_length() // 8 + 1, "big", signed=True))


PBES2 = der(0x06, bytes.fromhex("2a864886f70d01050d"))
PBKDF2 = der(0x06, bytes.fromhex("2a864886f70d01050c"))
SCRYPT = der(0x06, bytes.fromhex("2b06010401da47040b"))
HMAC_SHA256 = der(0x30, der(0x06, bytes.fromhex("2a864886f70d0209")), b"\x05\x00")
AES256_CBC = der(0x30, der(0x06, bytes.fromhex("60864801650304012a")), der(0x04, bytes(16)))


def pem_of(data: bytes) -> bytes:
    return f"{BEGIN}\n{b64encode(data).decode()}\n{END}\n".encode()


def container(derivation: bytes, cipher: bytes = AES256_CBC) -> bytes:
    return pem_of(der(0x30, der(0x30, PBES2, der(0x30, derivation, cipher)), der(0x04, bytes(64))))


def pbkdf2(rounds: bytes, salt: bytes = b"salt-salt") -> bytes:
    return der(0x30, PBKDF2, der(0x30, der(0x04, salt), rounds, HMAC_SHA256))


def scrypt(cost: int, block: int, parallel: int) -> bytes:
    return der(0x30, SCRYPT, der(0x30, der(0x04, b"salt-salt"), integer(cost), integer(block), integer(parallel)))


# COD-024
@pytest.mark.parametrize(
    "derivation",
    [
        pytest.param(pbkdf2(integer(KEY_FILE_ROUNDS_MAX + 1)), id="one round too many"),
        pytest.param(pbkdf2(integer(2**31 - 1)), id="rounds for minutes"),
        pytest.param(pbkdf2(integer(2**40)), id="rounds beyond 32 bits"),
        pytest.param(pbkdf2(integer(2**400)), id="rounds beyond all bounds"),
        pytest.param(pbkdf2(integer(0)), id="no rounds"),
        pytest.param(pbkdf2(b"\x02\x01\xff"), id="rounds below nothing"),
        pytest.param(pbkdf2(b"\x02\x02\x00\x01"), id="rounds not in their shortest form"),
        pytest.param(pbkdf2(b"\x04\x01\x01"), id="rounds that are no integer"),
        pytest.param(scrypt(2**40, 8, 1), id="scrypt with more memory than there is"),
        pytest.param(scrypt(2, 2**40, 1), id="scrypt with blocks larger than memory"),
        pytest.param(scrypt(KEY_FILE_MEMORY_BYTES_MAX // 1024 * 2, 8, 1), id="scrypt with a bit too much memory"),
        pytest.param(scrypt(2**14, -1, 1), id="scrypt below nothing"),
        pytest.param(scrypt(1, 8, 1), id="scrypt without any cost"),
        pytest.param(scrypt(2**14, 8, 2**20), id="scrypt for hours"),
        pytest.param(scrypt(3, 8, 1), id="scrypt out of its range"),
        pytest.param(der(0x30, PBKDF2, b"\x05\x00"), id="no parameters"),
        pytest.param(der(0x30, PBKDF2), id="left out parameters"),
        pytest.param(der(0x04, b"x"), id="no derivation"),
    ],
)
def test_key_file_with_hostile_derivation_is_refused_before_anything_is_derived(derivation: bytes) -> None:
    with pytest.raises(InvalidKeyError, match="derived"):
        PrivateKey.from_pem(container(derivation), b"one")


# COD-024
def test_key_file_with_another_block_beside_the_key_opens_what_was_checked() -> None:
    key = PrivateKey.generate()
    pem = key.to_pem(b"one")
    hostile = container(pbkdf2(integer(2**31 - 1)))
    assert PrivateKey.from_pem(b"Yunhe key\n" + pem + hostile, b"one") == key
    with pytest.raises(InvalidKeyError, match="derived"):
        PrivateKey.from_pem(hostile + pem, b"one")


def test_key_file_cut_anywhere_is_refused_by_name() -> None:
    pem = PrivateKey.generate().to_pem(b"one")
    for size in range(len(pem.rstrip())):
        with pytest.raises(InvalidKeyError):
            PrivateKey.from_pem(pem[:size], b"one")


def test_key_file_with_any_bit_of_its_container_altered_gives_our_errors_only() -> None:
    key = ed25519.Ed25519PrivateKey.generate()
    # The weak form that `cryptography` writes, so that each try takes no time.
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.BestAvailableEncryption(b"one")
    ).decode()
    data = b64decode(pem.removeprefix(BEGIN).strip().removesuffix(END))
    for bit in range(8 * len(data)):
        altered = bytearray(data)
        altered[bit // 8] ^= 1 << bit % 8
        with contextlib.suppress(InvalidKeyError, WrongPassphraseError):
            # Nothing authenticates this container, so some keys are altered only; the lines of a key file say which one it has to hold.
            PrivateKey.from_pem(pem_of(bytes(altered)), b"one")
