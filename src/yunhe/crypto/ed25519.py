"""Keys of the suite `ed25519-sha256`, made and used by OpenSSL behind `cryptography` (COD-021)."""

from collections.abc import Callable

from cryptography.exceptions import InternalError, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519

from yunhe.errors import InvalidKeyError, WrongPassphraseError

try:
    import yunhe_native as _native
except ImportError:  # elsewhere than Linux x86-64
    _native = None  # type: ignore[assignment]


class Ed25519Suite:
    """Ed25519 under the ZIP-215 rules."""

    name = "ed25519-sha256"
    public_key_bytes = 32
    signature_bytes = 64
    signer_id: str | None = None

    def is_public_key(self, public_key: bytes) -> bool:
        """Say whether there are 32 bytes; ZIP-215 has no other rule for a key that stands alone."""
        return len(public_key) == self.public_key_bytes

    def generate(self) -> bytes:
        """Return a new 32-byte private key from the operating system's generator."""
        return ed25519.Ed25519PrivateKey.generate().private_bytes_raw()

    def public_key(self, private_key: bytes) -> bytes:
        """Return the 32-byte public key.

        Raises:
            InvalidKeyError: the private key is not 32 bytes.
        """
        return self._load(private_key).public_key().public_bytes_raw()

    def signer(self, private_key: bytes) -> Callable[[bytes], bytes]:
        """Return a function to the 64-byte signature of a message (RFC 8032, deterministic).

        Raises:
            InvalidKeyError: the private key is not 32 bytes.
        """
        # Loading the key costs more than signing, since OpenSSL derives the public half again.
        return self._load(private_key).sign

    def encrypt_key(self, private_key: bytes, passphrase: bytes) -> bytes:
        """Return an encrypted key file (COD-024).

        Raises:
            InvalidKeyError: the private key is not 32 bytes.
        """
        key, form = self._load(private_key), serialization.PrivateFormat.PKCS8
        # `cryptography` takes 2,048 rounds for this container, whatever it is told, which is too few for what people choose.
        if _native is not None:
            return _native.encrypt_key_file(key.private_bytes(serialization.Encoding.DER, form, serialization.NoEncryption()), passphrase)
        return key.private_bytes(serialization.Encoding.PEM, form, serialization.BestAvailableEncryption(passphrase))

    def decrypt_key(self, pem: bytes, passphrase: bytes) -> bytes | None:
        """Return the private key of an encrypted key file, or None if it holds none of this suite.

        Raises:
            WrongPassphraseError: the passphrase does not decrypt it.
        """
        try:
            key = serialization.load_pem_private_key(pem, passphrase)
        except (ValueError, InternalError) as error:
            # OpenSSL tells a wrong passphrase from a damaged file only by its text, if at all, so the message names both.
            raise WrongPassphraseError("the passphrase is wrong, or the key file is damaged") from error
        except (TypeError, UnsupportedAlgorithm):
            return None
        return key.private_bytes_raw() if isinstance(key, ed25519.Ed25519PrivateKey) else None

    def _load(self, private_key: bytes) -> ed25519.Ed25519PrivateKey:
        try:
            return ed25519.Ed25519PrivateKey.from_private_bytes(private_key)
        except ValueError as error:
            raise InvalidKeyError("an Ed25519 private key is 32 bytes") from error
