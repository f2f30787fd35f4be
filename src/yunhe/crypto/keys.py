"""Keys: generate, sign, verify, and the encrypted key file.

A key file is PKCS#8 `EncryptedPrivateKeyInfo` in PEM (RFC 5958, PBES2 with scrypt or PBKDF2 as `cryptography` chooses), which OpenSSL
and other tools read. This module turns bytes into keys and back; it opens no file.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

from yunhe.crypto.ed25519 import Ed25519Suite
from yunhe.crypto.suites import SignedItem, Suite
from yunhe.errors import InvalidKeyError, InvalidSignatureError, TooLargeError, UnknownSuiteError, WrongPassphraseError
from yunhe.limits import KEY_FILE_BYTES_MAX

ED25519_SHA256: Suite = Ed25519Suite()
"""The default suite."""

_SUITES: dict[str, Suite] = {ED25519_SHA256.name: ED25519_SHA256}


def suite(name: str) -> Suite:
    """Return a suite by its registered name.

    Raises:
        UnknownSuiteError: no such suite in this version.
    """
    found = _SUITES.get(name)
    if found is None:
        raise UnknownSuiteError(f"the signature suite {name!r} is unknown; this version knows {', '.join(sorted(_SUITES))}")
    return found


def suite_names() -> tuple[str, ...]:
    """Return the names of all suites of this version, sorted."""
    return tuple(sorted(_SUITES))


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A public key with its suite."""

    suite: str
    """Name of the suite."""
    raw: bytes
    """Key in the suite's encoding (Ed25519: 32 bytes)."""

    def __post_init__(self) -> None:
        if len(self.raw) != suite(self.suite).public_key_bytes:
            raise InvalidKeyError(f"a public key of {self.suite} is {suite(self.suite).public_key_bytes} bytes, not {len(self.raw)}")

    def verify(self, message: bytes, signature: bytes) -> None:
        """Verify one signature.

        Raises:
            InvalidSignatureError: it does not verify.
        """
        if not suite(self.suite).is_valid(self.raw, message, signature):
            raise InvalidSignatureError("the signature does not verify; sign the exact bytes again with the key that is named")


@dataclass(frozen=True, slots=True)
class PrivateKey:
    """A private key with its suite. Its text form never shows the secret."""

    suite: str
    """Name of the suite."""
    raw: bytes = field(repr=False)
    """Secret in the suite's encoding (Ed25519: 32 bytes)."""

    @classmethod
    def generate(cls, suite_name: str = ED25519_SHA256.name) -> "PrivateKey":
        """Make a new key from the operating system's generator."""
        return cls(suite_name, suite(suite_name).generate())

    @property
    def public_key(self) -> PublicKey:
        """The public half."""
        return PublicKey(self.suite, suite(self.suite).public_key(self.raw))

    def sign(self, message: bytes) -> bytes:
        """Sign a message; deterministic for Ed25519."""
        return suite(self.suite).sign(self.raw, message)

    def to_pem(self, passphrase: bytes) -> bytes:
        """Encrypt the key into a PKCS#8 file.

        Args:
            passphrase: not empty.

        Raises:
            InvalidKeyError: the passphrase is empty.
        """
        if not passphrase:
            raise InvalidKeyError("a key file needs a passphrase; an empty one protects nothing")
        key = ed25519.Ed25519PrivateKey.from_private_bytes(self.raw)
        encryption = serialization.BestAvailableEncryption(passphrase)
        return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)

    @classmethod
    def from_pem(cls, pem: bytes, passphrase: bytes) -> "PrivateKey":
        """Decrypt a PKCS#8 file.

        Raises:
            TooLargeError: the file is over `KEY_FILE_BYTES_MAX`.
            WrongPassphraseError: the passphrase does not decrypt it.
            InvalidKeyError: it is not an encrypted key file, or of no suite that this version knows.
        """
        if len(pem) > KEY_FILE_BYTES_MAX:
            raise TooLargeError(f"a key file is at most {KEY_FILE_BYTES_MAX} bytes")
        if b"-----BEGIN ENCRYPTED PRIVATE KEY-----" not in pem:
            raise InvalidKeyError("this is not an encrypted PKCS#8 key file (PEM, BEGIN ENCRYPTED PRIVATE KEY)")
        try:
            key = serialization.load_pem_private_key(pem, passphrase)
        except ValueError as error:
            # OpenSSL tells a wrong passphrase from a damaged file only by its text, so the message names both.
            raise WrongPassphraseError("the passphrase is wrong, or the key file is damaged") from error
        except (TypeError, UnsupportedAlgorithm) as error:
            raise InvalidKeyError("the key file uses an encryption or key type that is not supported") from error
        if not isinstance(key, ed25519.Ed25519PrivateKey):
            raise InvalidKeyError(f"the key file holds a {type(key).__name__}, which is of no suite that this version knows")
        return cls(ED25519_SHA256.name, key.private_bytes_raw())


def invalid_signatures(items: Sequence[SignedItem]) -> tuple[int, ...]:
    """Verify many signatures of any suites, as batches where the suite can.

    Returns:
        Indices of those that are not valid, ascending; an unknown suite or a key of wrong length counts as not valid.
    """
    invalid: list[int] = []
    by_suite: dict[str, list[int]] = {}
    for index, item in enumerate(items):
        by_suite.setdefault(item.suite, []).append(index)
    for name, indices in by_suite.items():
        known = _SUITES.get(name)
        if known is None:
            invalid.extend(indices)
        else:
            invalid.extend(indices[i] for i in known.invalid_items([items[i] for i in indices]))
    return tuple(sorted(invalid))
