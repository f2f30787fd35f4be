"""What a signature suite is, and the registry of those that this version knows.

A suite names everything about a signature: curve, rules of verification, lengths, signer id. Each signature names its suite, the genesis
says which are allowed, a vote adds one, and a later version brings more without touching the old ones. How signatures are decided is in
`yunhe.crypto.signatures`; a suite makes keys and signatures.
"""

from collections.abc import Callable
from typing import Protocol

from yunhe.crypto.ed25519 import Ed25519Suite
from yunhe.crypto.sm2 import Sm2Suite
from yunhe.errors import UnknownSuiteError


class Suite(Protocol):
    """A signature suite. Private keys are raw bytes in memory, and encrypted in files."""

    name: str
    """Registered name."""
    public_key_bytes: int
    """Length of a public key."""
    signature_bytes: int
    """Length of a signature."""
    signer_id: str | None
    """What is hashed with the key as its owner's id (COD-023); None where the suite has no such thing."""

    def is_public_key(self, public_key: bytes) -> bool:
        """Say whether the bytes can be a public key; when not, no signature by it is ever valid."""
        ...

    def generate(self) -> bytes:
        """Return a new private key."""
        ...

    def public_key(self, private_key: bytes) -> bytes:
        """Return the public key of a private key."""
        ...

    def signer(self, private_key: bytes) -> Callable[[bytes], bytes]:
        """Return the function that signs messages with a private key."""
        ...

    def encrypt_key(self, private_key: bytes, passphrase: bytes) -> bytes:
        """Return an encrypted key file (COD-024)."""
        ...

    def decrypt_key(self, pem: bytes, passphrase: bytes) -> bytes | None:
        """Return the private key of an encrypted key file, or None if it holds none of this suite."""
        ...


ED25519_SHA256: Suite = Ed25519Suite()
"""The default suite."""
SM2_SM3: Suite = Sm2Suite()
"""National cryptography."""

_SUITES: dict[str, Suite] = {known.name: known for known in (ED25519_SHA256, SM2_SM3)}


def suite(name: str) -> Suite:
    """Return a suite by its registered name.

    Raises:
        UnknownSuiteError: no such suite in this version.
    """
    found = _SUITES.get(name)
    if found is None:
        raise UnknownSuiteError(f"the signature suite {name!r} is unknown; this version knows {', '.join(suite_names())}")
    return found


def suite_names() -> tuple[str, ...]:
    """Return the names of all suites of this version, sorted."""
    return tuple(sorted(_SUITES))
