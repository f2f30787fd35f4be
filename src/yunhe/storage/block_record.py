"""The record of one ledger block in the block log, as bytes and taken apart.

A record holds everything that cannot be derived: header, transactions, receipts, and the write set from which the state is rolled forward
without running a contract again. Decoding checks the form alone; whether the parts belong to the header is `yunhe.storage.check`.

    record = [1, header: bstr, engine_height: int, [transaction: bstr], [receipt: bstr], [[state key: bstr, record: bstr | null]]]

Of a block that was pruned a shorter one is kept, from which nothing can be run again:

    record = [2, header: bstr, engine_height: int, [leaf: bstr]]

Specification: docs/spec/storage.md, "Block log" (STO-003, STO-033).
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from yunhe.crypto import ChainHash
from yunhe.errors import MalformedError
from yunhe.ledger.codec import Value, as_array, as_bytes, as_int, decode, encode
from yunhe.ledger.header import Header
from yunhe.ledger.interfaces import Write
from yunhe.ledger.receipt import Receipt
from yunhe.ledger.transaction import Transaction
from yunhe.ledger.transition import LedgerBlock
from yunhe.limits import BLOCK_RECORD_BYTES_MAX, BLOCK_TRANSACTIONS_MAX, HASH_BYTES

RECORD_START_BYTES: Final = 4 + 255
"""Beginning of a record that holds its header."""

_VERSION: Final = 1
_STUB_VERSION: Final = 2
_STARTS: Final = frozenset({bytes([0x86, _VERSION, 0x58]), bytes([0x84, _STUB_VERSION, 0x58])})


@dataclass(frozen=True, slots=True)
class BlockRecord:
    """A block as stored, its parts still encoded."""

    header: bytes
    engine_height: int
    """Engine block that made it; 0 for the genesis."""
    transactions: tuple[bytes, ...]
    receipts: tuple[bytes, ...]
    """One for each transaction, in order."""
    writes: tuple[Write, ...]
    """Net changes of the state, ascending by key, each key once."""

    @classmethod
    def of(cls, block: LedgerBlock, engine_height: int) -> "BlockRecord":
        """Return the record of a block."""
        transactions = tuple(transaction.encoded for transaction in block.transactions)
        receipts = tuple(receipt.encoded for receipt in block.receipts)
        return cls(block.header.encode(), engine_height, transactions, receipts, block.writes)

    def encode(self) -> bytes:
        """Return the canonical record."""
        writes = [list(write) for write in self.writes]
        return encode([_VERSION, self.header, self.engine_height, list(self.transactions), list(self.receipts), writes])

    @classmethod
    def decode(cls, data: bytes) -> "BlockRecord":
        """Take a record apart.

        Raises:
            EncodingError: not canonical.
            MalformedError: not a record of this version.
            TooLargeError: over `BLOCK_RECORD_BYTES_MAX`.
        """
        # STO-003
        version, header, engine_height, transactions, receipts, writes = as_array(
            decode(data, BLOCK_RECORD_BYTES_MAX), "a block's record", 6
        )
        if (number := as_int(version, "version")) != _VERSION:
            raise MalformedError(f"block record version {number} is unknown; this version of Yunhe knows {_VERSION}")
        record = cls(
            as_bytes(header, "a header"),
            as_int(engine_height, "engine height"),
            tuple(as_bytes(item, "a transaction") for item in as_array(transactions, "a block's transactions")),
            tuple(as_bytes(item, "a receipt") for item in as_array(receipts, "a block's receipts")),
            tuple(_write(item) for item in as_array(writes, "a write set")),
        )
        if len(record.transactions) > BLOCK_TRANSACTIONS_MAX or len(record.receipts) != len(record.transactions):
            raise MalformedError(f"a block has at most {BLOCK_TRANSACTIONS_MAX} transactions, and a receipt for each")
        keys = [key for key, _ in record.writes]
        if any(low >= high for low, high in pairwise(keys)):
            raise MalformedError("a write set is ascending by key, each key once")
        return record

    def block(self, chain_hash: ChainHash) -> LedgerBlock:
        """Decode every part."""
        header = Header.decode(self.header)
        transactions = tuple(Transaction.decode(data, chain_hash) for data in self.transactions)
        receipts = tuple(Receipt.decode(data) for data in self.receipts)
        return LedgerBlock(header, header.hash(chain_hash), transactions, receipts, self.writes)


@dataclass(frozen=True, slots=True)
class BlockStub:
    """What is kept of a block that was pruned."""

    header: bytes
    engine_height: int
    leaves: tuple[bytes, ...]
    """Leaf of each transaction in the tree of the header's root, in order: its id and the hash of its signatures."""

    @classmethod
    def of(cls, record: BlockRecord, chain_hash: ChainHash) -> "BlockStub":
        """Return what is kept of a block."""
        leaves = tuple(Transaction.decode(data, chain_hash).leaf(chain_hash) for data in record.transactions)
        return cls(record.header, record.engine_height, leaves)

    @property
    def transaction_ids(self) -> list[bytes]:
        """Ids of the transactions, in order."""
        return [leaf[:HASH_BYTES] for leaf in self.leaves]

    def encode(self) -> bytes:
        """Return the canonical record."""
        return encode([_STUB_VERSION, self.header, self.engine_height, list(self.leaves)])

    @classmethod
    def decode(cls, data: bytes) -> "BlockStub":
        """Take a record apart.

        Raises:
            EncodingError: not canonical.
            MalformedError: not what is kept of a block, in this version.
        """
        version, header, engine_height, leaves = as_array(decode(data, BLOCK_RECORD_BYTES_MAX), "a pruned block's record", 4)
        if (number := as_int(version, "version")) != _STUB_VERSION:
            raise MalformedError(f"pruned block record version {number} is unknown; this version of Yunhe knows {_STUB_VERSION}")
        stub = cls(
            as_bytes(header, "a header"),
            as_int(engine_height, "engine height"),
            tuple(as_bytes(item, "a leaf") for item in as_array(leaves, "a block's leaves")),
        )
        if len(stub.leaves) > BLOCK_TRANSACTIONS_MAX or any(len(leaf) != 2 * HASH_BYTES for leaf in stub.leaves):
            raise MalformedError(f"a pruned block has at most {BLOCK_TRANSACTIONS_MAX} leaves of {2 * HASH_BYTES} bytes")
        return stub


def header_at_start(data: bytes) -> bytes:
    """Return the header with which a record begins, given at least its first `RECORD_START_BYTES`; the rest is not looked at.

    Raises:
        MalformedError: no record begins here.
    """
    # An array of six, or of four when it was pruned, the version, and a byte string of 24 to 255 bytes, as every header is.
    if data[:3] not in _STARTS or len(data) < 4 + data[3]:
        raise MalformedError("no record of a block begins here")
    return data[4 : 4 + data[3]]


def _write(item: Value) -> Write:
    key, value = as_array(item, "a write", 2)
    return as_bytes(key, "a state key"), None if value is None else as_bytes(value, "a record")
