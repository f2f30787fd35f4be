"""Keys: generate, sign, verify, and the encrypted key file.

A key file is PKCS#8 `EncryptedPrivateKeyInfo` in PEM (COD-024), which OpenSSL and other tools read. This module turns bytes into keys and
back; it opens no file.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from yunhe.crypto.key_container import checked_container
from yunhe.crypto.signatures import SignedItem, invalid_signatures
from yunhe.crypto.suites import ED25519_SHA256, suite, suite_names
from yunhe.errors import InvalidKeyError, InvalidSignatureError, TooLargeError
from yunhe.limits import KEY_FILE_BYTES_MAX


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A public key with its suite."""

    suite: str
    """Name of the suite."""
    raw: bytes
    """Key in the suite's encoding (Ed25519: 32 bytes; SM2: 65)."""

    def __post_init__(self) -> None:
        known = suite(self.suite)
        # COD-022
        if not known.is_public_key(self.raw):
            fault = "and these are no point of its curve" if len(self.raw) == known.public_key_bytes else f"not {len(self.raw)}"
            raise InvalidKeyError(f"a public key of {self.suite} is {known.public_key_bytes} bytes, {fault}")

    def verify(self, message: bytes, signature: bytes) -> None:
        """Verify one signature.

        Raises:
            InvalidSignatureError: it does not verify.
        """
        if invalid_signatures([SignedItem(self.suite, self.raw, message, signature)]):
            raise InvalidSignatureError("the signature does not verify; sign the exact bytes again with the key that is named")


@dataclass(frozen=True, slots=True)
class PrivateKey:
    """A private key with its suite. Its text form never shows the secret.

    Raises:
        InvalidKeyError: the secret is none of the suite's.
        PlatformError: keys of the suite need the native core, which is not installed.
    """

    suite: str
    """Name of the suite."""
    raw: bytes = field(repr=False)
    """Secret in the suite's encoding (32 bytes)."""
    public_key: PublicKey = field(init=False, repr=False, compare=False)
    """The public half; deriving it costs as much as a signature, so it is done once."""

    _sign: Callable[[bytes], bytes] = field(init=False, repr=False, compare=False)
    """Signs with the key, which is loaded once as well."""

    def __post_init__(self) -> None:
        known = suite(self.suite)
        object.__setattr__(self, "public_key", PublicKey(self.suite, known.public_key(self.raw)))
        object.__setattr__(self, "_sign", known.signer(self.raw))

    @classmethod
    def generate(cls, suite_name: str = ED25519_SHA256.name) -> "PrivateKey":
        """Make a new key from the operating system's generator."""
        return cls(suite_name, suite(suite_name).generate())

    def sign(self, message: bytes) -> bytes:
        """Sign a message; deterministic for Ed25519, not for SM2."""
        return self._sign(message)

    def to_pem(self, passphrase: bytes) -> bytes:
        """Encrypt the key into a PKCS#8 file.

        Args:
            passphrase: not empty.

        Raises:
            InvalidKeyError: the passphrase is empty.
        """
        if not passphrase:
            raise InvalidKeyError("a key file needs a passphrase; an empty one protects nothing")
        return suite(self.suite).encrypt_key(self.raw, passphrase)

    @classmethod
    def from_pem(cls, pem: bytes, passphrase: bytes) -> "PrivateKey":
        """Decrypt a PKCS#8 file.

        Raises:
            TooLargeError: the file is over `KEY_FILE_BYTES_MAX`.
            WrongPassphraseError: the passphrase does not decrypt it.
            InvalidKeyError: it is not an encrypted key file, asks for unbounded work or memory, or is of no suite that this version knows.
        """
        if len(pem) > KEY_FILE_BYTES_MAX:
            raise TooLargeError(f"a key file is at most {KEY_FILE_BYTES_MAX} bytes")
        container = checked_container(pem)
        # Of which suite the key is stands in the encrypted part.
        for name in suite_names():
            raw = suite(name).decrypt_key(container, passphrase)
            if raw is not None:
                return cls(name, raw)
        raise InvalidKeyError("the key file is encrypted in a way that is not supported, or its key is of no suite that this version knows")
