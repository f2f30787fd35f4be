"""The chain hash: one hash per ledger, fixed in its genesis, for ids, trees, state and log.

Suites (`yunhe.crypto.suites`) choose signatures only. This module has the registry, the tagged hash (COD-010) and nothing else;
it does no I/O. Specification: docs/spec/encoding.md, "Hashes".
"""

import hashlib
from abc import ABC, abstractmethod
from typing import Final

from yunhe import verifier
from yunhe.errors import InvalidGenesisError

try:
    import yunhe_native as _native
except ImportError:  # elsewhere than Linux x86-64
    _native = None  # type: ignore[assignment]

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
TAG_JOIN_REQUEST: Final = b"yunhe/join-request/1"
TAG_INVITATION: Final = b"yunhe/invitation/1"
TAG_SKIP_ORDER: Final = b"yunhe/skip-order/1"


class ChainHash(ABC):
    """A hash function by its registered name. There is one object for each."""

    __slots__ = ()
    name: str
    """Name in the genesis."""

    @abstractmethod
    def digest(self, data: bytes) -> bytes:
        """Hash `data`; 32 bytes."""

    def tagged(self, tag: bytes, data: bytes) -> bytes:
        """Hash `tag ‖ 0x00 ‖ data` (COD-010); 32 bytes."""
        return self.digest(tag + b"\x00" + data)


class _Sha256(ChainHash):
    __slots__ = ()
    name = "sha256"

    def digest(self, data: bytes) -> bytes:
        return hashlib.sha256(data).digest()


class _Sm3(ChainHash):
    """Not every `hashlib` has SM3, and where it does the look-up by name costs more than the hash of a short input."""

    __slots__ = ()
    name = "sm3"

    def digest(self, data: bytes) -> bytes:
        if _native is not None:
            return _native.digest("sm3", data)
        return verifier.HASHES["sm3"](data)


SHA256: Final[ChainHash] = _Sha256()
"""FIPS 180-4."""
SM3: Final[ChainHash] = _Sm3()
"""GB/T 32905."""

_CHAIN_HASHES: Final = {known.name: known for known in (SHA256, SM3)}


def chain_hash(name: str) -> ChainHash:
    """Return the chain hash of a genesis.

    Raises:
        InvalidGenesisError: no such hash in this version.
    """
    found = _CHAIN_HASHES.get(name)
    if found is None:
        raise InvalidGenesisError(f"the chain hash {name!r} is unknown; this version knows {', '.join(chain_hash_names())}")
    return found


def chain_hash_names() -> tuple[str, ...]:
    """Return the names of all chain hashes of this version, sorted."""
    return tuple(sorted(_CHAIN_HASHES))
