"""The chain hash: one hash per ledger, fixed in its genesis, for ids, trees, state and log.

Suites (`yunhe.crypto.suites`) choose signatures only. This module has the registry, the tagged hash (COD-010) and nothing else;
it does no I/O. Specification: docs/spec/encoding.md, "Hashes".
"""

import hashlib
from dataclasses import dataclass
from typing import Final

from yunhe.errors import InvalidGenesisError

TAG_GENESIS: Final = b"yunhe/genesis/1"
TAG_TRANSACTION: Final = b"yunhe/transaction/1"
TAG_SIGNATURES: Final = b"yunhe/signatures/1"
TAG_ENVELOPE: Final = b"yunhe/envelope/1"
TAG_HEADER: Final = b"yunhe/header/1"
TAG_CERTIFIERS: Final = b"yunhe/certifiers/1"
TAG_STATE_KEY: Final = b"yunhe/state-key/1"
TAG_STATE_VALUE: Final = b"yunhe/state-value/1"
TAG_CODE: Final = b"yunhe/code/1"
TAG_PROOF: Final = b"yunhe/proof/1"
TAG_SIGN_TRANSACTION: Final = b"yunhe/sign-transaction/1"
TAG_SIGN_ENVELOPE: Final = b"yunhe/sign-envelope/1"


@dataclass(frozen=True, slots=True)
class ChainHash:
    """A hash function by its registered name."""

    name: str
    """Name in the genesis, and the one that `hashlib` knows."""

    def digest(self, data: bytes) -> bytes:
        """Hash `data`; 32 bytes."""
        return hashlib.new(self.name, data, usedforsecurity=True).digest()

    def tagged(self, tag: bytes, data: bytes) -> bytes:
        """Hash `tag ‖ 0x00 ‖ data` (COD-010); 32 bytes."""
        return self.digest(tag + b"\x00" + data)


class _Sha256(ChainHash):
    """SHA-256 without the look-up by name, which costs more than the hash of a short input."""

    __slots__ = ()

    def digest(self, data: bytes) -> bytes:
        return hashlib.sha256(data).digest()


SHA256: Final[ChainHash] = _Sha256("sha256")
"""FIPS 180-4."""

_CHAIN_HASHES: Final = {SHA256.name: SHA256}


def chain_hash(name: str) -> ChainHash:
    """Return the chain hash of a genesis.

    Raises:
        InvalidGenesisError: no such hash in this version.
    """
    found = _CHAIN_HASHES.get(name)
    if found is None:
        raise InvalidGenesisError(f"the chain hash {name!r} is unknown; this version knows {', '.join(sorted(_CHAIN_HASHES))}")
    return found
