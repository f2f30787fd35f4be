"""The container of a key file, looked at before a passphrase is tried on it.

A key file comes from elsewhere, and its container says how long the key's derivation takes and how much memory it wants: for ever, and all
there is, if a file says so. So a file is taken only when it says PBES2 with a derivation that is known and bounded (COD-024). Nothing is
decrypted here. Specification: docs/spec/encoding.md, "Signatures".
"""

import re
from base64 import b64decode
from typing import Final

from cryptography.hazmat import asn1
from cryptography.x509 import ObjectIdentifier

from yunhe.errors import InvalidKeyError
from yunhe.limits import KEY_FILE_MEMORY_BYTES_MAX, KEY_FILE_ROUNDS_MAX

_BEGIN: Final = b"-----BEGIN ENCRYPTED PRIVATE KEY-----"
_END: Final = b"-----END ENCRYPTED PRIVATE KEY-----"
_BLOCK: Final = re.compile(_BEGIN + rb"([A-Za-z0-9+/=\s]*)" + _END)
_PBES2: Final = ObjectIdentifier("1.2.840.113549.1.5.13")
_PBKDF2: Final = ObjectIdentifier("1.2.840.113549.1.5.12")
_SCRYPT: Final = ObjectIdentifier("1.3.6.1.4.1.11591.4.11")
_SCRYPT_UNIT_BYTES: Final = 128


@asn1.sequence
class _Algorithm:
    algorithm: ObjectIdentifier
    parameters: asn1.TLV


@asn1.sequence
class _EncryptedPrivateKeyInfo:
    algorithm: _Algorithm
    data: bytes


@asn1.sequence
class _Pbes2:
    derivation: _Algorithm
    cipher: _Algorithm


@asn1.sequence
class _Pbkdf2:
    salt: bytes
    rounds: int
    key_bytes: int | None
    function: _Algorithm | None


@asn1.sequence
class _Scrypt:
    salt: bytes
    cost: int
    block: int
    lanes: int
    key_bytes: int | None


def checked_container(pem: bytes) -> bytes:
    """Return the first encrypted key of a file as a PEM block of its own, so that all who read it read the same.

    Raises:
        InvalidKeyError: there is none, or its key is not derived as COD-024 has it.
    """
    # COD-024
    block = _BLOCK.search(pem)
    if block is None:
        raise InvalidKeyError("this is not an encrypted PKCS#8 key file (PEM, BEGIN ENCRYPTED PRIVATE KEY)")
    try:
        container = asn1.decode_der(_EncryptedPrivateKeyInfo, b64decode(b"".join(block[1].split()), validate=True))
    except ValueError as error:
        raise InvalidKeyError("the key file is damaged: what is between BEGIN and END is no PKCS#8 EncryptedPrivateKeyInfo") from error
    if not _is_bounded(container.algorithm):
        raise InvalidKeyError(
            f"the key file's key is not derived by PBES2 with PBKDF2 of 1 to {KEY_FILE_ROUNDS_MAX} rounds,"
            f" nor with scrypt of at most {KEY_FILE_MEMORY_BYTES_MAX} bytes"
        )
    return block[0]


def _is_bounded(algorithm: _Algorithm) -> bool:
    """Say whether a key is derived in a way that is known, with bounded work and memory."""
    try:
        if algorithm.algorithm != _PBES2:
            return False
        derivation = algorithm.parameters.parse(_Pbes2).derivation
        if derivation.algorithm == _PBKDF2:
            rounds: int = derivation.parameters.parse(_Pbkdf2).rounds
            return 1 <= rounds <= KEY_FILE_ROUNDS_MAX
        if derivation.algorithm != _SCRYPT:
            return False
        scrypt: _Scrypt = derivation.parameters.parse(_Scrypt)
    except ValueError:
        return False
    # RFC 7914 §2: the cost is a power of two, from two on.
    in_range = scrypt.cost > 1 and scrypt.cost.bit_count() == 1 and scrypt.block > 0 and scrypt.lanes > 0
    return in_range and _SCRYPT_UNIT_BYTES * scrypt.cost * scrypt.block * scrypt.lanes <= KEY_FILE_MEMORY_BYTES_MAX
