"""The index of transactions: where each one is, by its id. Derived, and kept in the state store's small tables.

Specification: docs/spec/storage.md, "Derived state".
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from yunhe.crypto import ChainHash
from yunhe.crypto.hashes import TAG_TRANSACTION
from yunhe.ledger.codec import as_array, as_bytes, decode
from yunhe.limits import TRANSACTION_BYTES_MAX
from yunhe.storage.state_store import StateStore

Progress: TypeAlias = Callable[[int, int], None]
"""Is told how many blocks are done, and of how many."""

_TRANSACTION_PREFIX: Final = b"t"
"""What keys of the index of transactions begin with."""


@dataclass(frozen=True, slots=True)
class Location:
    """Where a transaction is."""

    height: int
    """Of its ledger block."""
    position: int
    """In the block, from 0."""

    def encode(self) -> bytes:
        """Return the index entry."""
        return self.height.to_bytes(8, "big") + self.position.to_bytes(4, "big")

    @classmethod
    def decode(cls, data: bytes) -> "Location":
        """Take an index entry apart."""
        return cls(int.from_bytes(data[:8], "big"), int.from_bytes(data[8:], "big"))


def transaction_index_key(transaction_id: bytes) -> bytes:
    """Return the index key of a transaction id."""
    return _TRANSACTION_PREFIX + transaction_id


def index_entries(height: int, transaction_ids: Sequence[bytes]) -> list[tuple[bytes, bytes]]:
    """Return the index entries of a block."""
    return [(transaction_index_key(t), Location(height, position).encode()) for position, t in enumerate(transaction_ids)]


def seen_ids(store: StateStore, ids: Collection[bytes]) -> set[bytes]:
    """Return those of `ids` that a state store's index has (LED-011)."""
    # LED-011
    ordered = list(ids)
    entries = store.index_get_many([transaction_index_key(i) for i in ordered])
    return {i for i, entry in zip(ordered, entries, strict=True) if entry is not None}


def transaction_id(encoded: bytes, chain_hash: ChainHash) -> bytes:
    """Return the id of a stored transaction without decoding its body."""
    body, _ = as_array(decode(encoded, TRANSACTION_BYTES_MAX), "a transaction", 2)
    return chain_hash.tagged(TAG_TRANSACTION, as_bytes(body, "a transaction's body"))
