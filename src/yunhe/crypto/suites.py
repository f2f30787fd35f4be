"""What a signature suite is.

A suite names everything about a signature: curve, rules of verification, lengths. Each signature names its suite, the genesis says which
are allowed, and a later version adds suites without touching the old ones. The registry is in the package's `__init__`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


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


class Suite(Protocol):
    """A signature suite. Private keys are raw bytes in memory; files are `yunhe.crypto.keys`."""

    name: str
    """Registered name."""
    public_key_bytes: int
    """Length of a public key."""
    signature_bytes: int
    """Length of a signature."""

    def is_valid(self, public_key: bytes, message: bytes, signature: bytes) -> bool:
        """Decide one signature."""
        ...

    def invalid_items(self, items: Sequence[SignedItem]) -> tuple[int, ...]:
        """Return the indices of the invalid signatures, ascending; decides each item as `is_valid` does."""
        ...

    def generate(self) -> bytes:
        """Return a new private key."""
        ...

    def public_key(self, private_key: bytes) -> bytes:
        """Return the public key of a private key."""
        ...

    def sign(self, private_key: bytes, message: bytes) -> bytes:
        """Sign a message."""
        ...
