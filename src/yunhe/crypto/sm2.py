"""Keys of the suite `sm2-sm3`, made and used by the native core in constant time, and the forms of its signatures at the edge.

Without the native core there are no SM2 keys: integers in Python take their time by their value. Verification works everywhere
(`yunhe.crypto.signatures`). Specification: docs/spec/encoding.md, COD-022 to COD-024.
"""

from collections.abc import Callable

from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from yunhe import verifier
from yunhe.errors import InvalidKeyError, InvalidSignatureError, PlatformError

try:
    import yunhe_native as _native
except ImportError:  # elsewhere than Linux x86-64
    _native = None  # type: ignore[assignment]

_NUMBER_BYTES = 32


class Sm2Suite:
    """SM2 with SM3 and the default signer id."""

    name = "sm2-sm3"
    public_key_bytes = 65
    signature_bytes = 64
    signer_id: str | None = verifier.SM2_SIGNER_ID.decode("ascii")

    def is_public_key(self, public_key: bytes) -> bool:
        """Say whether the bytes are 0x04 ‖ X ‖ Y of a point of the curve (COD-022)."""
        if _native is not None:
            return _native.sm2_is_public_key(public_key)
        return verifier.sm2_is_public_key(public_key)

    def generate(self) -> bytes:
        """Return a new 32-byte private key from the operating system's generator."""
        _require_native()
        return _native.sm2_generate()

    def public_key(self, private_key: bytes) -> bytes:
        """Return the 65-byte public key.

        Raises:
            InvalidKeyError: the private key is not a number of 32 bytes from 1 to n − 2.
        """
        _require_native()
        return _native.sm2_public_key(private_key)

    def signer(self, private_key: bytes) -> Callable[[bytes], bytes]:
        """Return a function to the 64-byte signature of a message, another one for each call.

        It raises InvalidKeyError if the private key is not a number of 32 bytes from 1 to n − 2.
        """

        def sign(message: bytes) -> bytes:
            _require_native()
            return _native.sm2_sign(private_key, message)

        return sign

    def encrypt_key(self, private_key: bytes, passphrase: bytes) -> bytes:
        """Return an encrypted key file (COD-024)."""
        _require_native()
        return _native.sm2_encrypt_key(private_key, passphrase)

    def decrypt_key(self, pem: bytes, passphrase: bytes) -> bytes | None:
        """Return the private key of an encrypted key file, or None if it holds none of this suite.

        Raises:
            WrongPassphraseError: the passphrase does not decrypt it.
        """
        _require_native()
        try:
            return _native.sm2_decrypt_key(pem, passphrase)
        except InvalidKeyError:
            return None


def sm2_signature_from_der(der: bytes) -> bytes:
    """Return the 64 bytes of a signature that another tool gave as ASN.1 `SEQUENCE { r, s }` (GM/T 0009).

    Raises:
        InvalidSignatureError: it is not that, or a number does not fit into 32 bytes.
    """
    try:
        return b"".join(number.to_bytes(_NUMBER_BYTES, "big") for number in decode_dss_signature(der))
    except (ValueError, OverflowError) as error:
        raise InvalidSignatureError("this is not the ASN.1 form of an SM2 signature, SEQUENCE { r, s }") from error


def sm2_signature_to_der(signature: bytes) -> bytes:
    """Return a signature as ASN.1 `SEQUENCE { r, s }`, for other tools (GM/T 0009).

    Raises:
        InvalidSignatureError: it has not 64 bytes.
    """
    if len(signature) != 2 * _NUMBER_BYTES:
        raise InvalidSignatureError("an SM2 signature has 64 bytes, r and s")
    r, s = (int.from_bytes(part, "big") for part in (signature[:_NUMBER_BYTES], signature[_NUMBER_BYTES:]))
    return encode_dss_signature(r, s)


def _require_native() -> None:
    if _native is None:
        raise PlatformError(
            "SM2 keys are made and used by the native core (yunhe-native), which is not installed; verification works without it"
        )
