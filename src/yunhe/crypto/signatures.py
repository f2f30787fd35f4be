"""Which signatures are valid: many at once, of any suites, in one call.

The native core decides where it is installed, in batches on all cores, and the readable reference (`yunhe.verifier`) elsewhere; tests hold
them equal. Nothing else ever decides: OpenSSL's verification of Ed25519 does not follow ZIP-215 (COD-021).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from yunhe import verifier

try:
    import yunhe_native as _native
except ImportError:  # elsewhere than Linux x86-64: the reference decides, slowly
    _native = None  # type: ignore[assignment]


@dataclass(frozen=True, slots=True)
class SignedItem:
    """One signature to verify, with its suite."""

    suite: str
    """Name of the suite."""
    public_key: bytes
    """Public key in the suite's encoding."""
    message: bytes
    """What was signed."""
    signature: bytes
    """Signature in the suite's encoding."""


def invalid_signatures(items: Sequence[SignedItem]) -> tuple[int, ...]:
    """Verify many signatures of any suites, as batches where the suite can.

    Returns:
        Indices of those that are not valid, ascending; an unknown suite, or a key or signature of wrong length, counts as not valid.
    """
    if _native is not None:
        return tuple(_native.invalid_signatures([(item.suite, item.public_key, item.message, item.signature) for item in items]))
    return tuple(index for index, item in enumerate(items) if not _is_valid(item))


def _is_valid(item: SignedItem) -> bool:
    verify = verifier.SUITES.get(item.suite)
    return verify is not None and verify(item.public_key, item.message, item.signature)
