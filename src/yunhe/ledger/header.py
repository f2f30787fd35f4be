"""Headers: one for each ledger block, committing to everything that the block holds and changes. Specification: docs/spec/encoding.md."""

from dataclasses import dataclass

from yunhe.crypto import ChainHash
from yunhe.crypto.hashes import TAG_HEADER
from yunhe.errors import MalformedError
from yunhe.ledger.codec import as_array, as_hash, as_int, decode, encode

_VERSION = 1
_HEADER_BYTES_MAX = 512


@dataclass(frozen=True, slots=True)
class Header:
    """Header of a ledger block."""

    network_id: bytes
    """Hash of the genesis."""
    height: int
    """Counts ledger blocks; header 0 is the genesis state."""
    time_ms: int
    """From the engine, strictly increasing; milliseconds since 1970-01-01 UTC."""
    previous: bytes
    """Hash of the header below; 32 zero bytes in header 0."""
    transactions_root: bytes
    receipts_root: bytes
    state_root: bytes
    """Root of the state tree after this block."""
    next_certifiers: bytes
    """Hash of the set whose cosignatures count for a checkpoint that ends with the next header (LED-041)."""

    def encode(self) -> bytes:
        """Return the canonical header."""
        return encode(
            [
                _VERSION,
                self.network_id,
                self.height,
                self.time_ms,
                self.previous,
                self.transactions_root,
                self.receipts_root,
                self.state_root,
                self.next_certifiers,
            ]
        )

    def hash(self, chain_hash: ChainHash) -> bytes:
        """Return the header hash, which is the leaf data in the block log."""
        return chain_hash.tagged(TAG_HEADER, self.encode())

    @classmethod
    def decode(cls, data: bytes) -> "Header":
        """Take an encoded header apart.

        Raises:
            EncodingError: not canonical.
            MalformedError: not a header of this version.
            TooLargeError: longer than a header can be.
        """
        version, network_id, height, time_ms, *hashes = as_array(decode(data, _HEADER_BYTES_MAX), "a header", 9)
        if as_int(version, "version") != _VERSION:
            raise MalformedError(f"header version {version!r} is unknown; this version of Yunhe knows {_VERSION}")
        previous, transactions_root, receipts_root, state_root, next_certifiers = (as_hash(item, "a header's hash") for item in hashes)
        return cls(
            as_hash(network_id, "network id"),
            as_int(height, "height"),
            as_int(time_ms, "time"),
            previous,
            transactions_root,
            receipts_root,
            state_root,
            next_certifiers,
        )
