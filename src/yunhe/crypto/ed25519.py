"""Suite `ed25519-sha256`: Ed25519 signatures decided by ZIP-215, singly and in batches alike (COD-021).

Verification is the native core's where it is installed and the readable reference's (`yunhe.verifier`) elsewhere; tests hold them equal.
OpenSSL, behind `cryptography`, makes keys and signatures but never decides one: its verification does not follow ZIP-215.
"""

from collections.abc import Sequence

from cryptography.hazmat.primitives.asymmetric import ed25519

from yunhe import verifier
from yunhe.crypto.suites import SignedItem
from yunhe.errors import InvalidKeyError

try:
    import yunhe_native as _native
except ImportError:  # elsewhere than Linux x86-64: the reference decides, slowly
    _native = None  # type: ignore[assignment]


class Ed25519Suite:
    """Ed25519 under the ZIP-215 rules."""

    name = "ed25519-sha256"
    public_key_bytes = 32
    signature_bytes = 64

    def is_valid(self, public_key: bytes, message: bytes, signature: bytes) -> bool:
        """Decide one signature; wrong lengths are simply not valid."""
        if _native is not None:
            return _native.ed25519_verify(public_key, message, signature)
        return verifier.ed25519_verify(public_key, message, signature)

    def invalid_items(self, items: Sequence[SignedItem]) -> tuple[int, ...]:
        """Return the indices of the items whose signature is not valid, ascending."""
        if _native is not None:
            return tuple(_native.ed25519_invalid([(item.public_key, item.message, item.signature) for item in items]))
        return tuple(i for i, item in enumerate(items) if not self.is_valid(item.public_key, item.message, item.signature))

    def generate(self) -> bytes:
        """Return a new 32-byte private key from the operating system's generator."""
        return ed25519.Ed25519PrivateKey.generate().private_bytes_raw()

    def public_key(self, private_key: bytes) -> bytes:
        """Return the 32-byte public key.

        Raises:
            InvalidKeyError: the private key is not 32 bytes.
        """
        return self._load(private_key).public_key().public_bytes_raw()

    def sign(self, private_key: bytes, message: bytes) -> bytes:
        """Return the 64-byte signature (RFC 8032, deterministic).

        Raises:
            InvalidKeyError: the private key is not 32 bytes.
        """
        return self._load(private_key).sign(message)

    def _load(self, private_key: bytes) -> ed25519.Ed25519PrivateKey:
        try:
            return ed25519.Ed25519PrivateKey.from_private_bytes(private_key)
        except ValueError as error:
            raise InvalidKeyError("an Ed25519 private key is 32 bytes") from error
