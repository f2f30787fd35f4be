"""The record of one ledger block in the block log, as bytes and taken apart.

A record holds everything that cannot be derived: header, transactions, receipts, and the write set from which the state is rolled forward
without running a contract again. Decoding checks the form alone; whether the parts belong to the header is `yunhe.storage.check`.

    record = [1, header: bstr, engine_height: int, [transaction: bstr], [receipt: bstr], [[state key: bstr, record: bstr | null]]]

Specification: docs/spec/storage.md, "Block log" (STO-003).
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
from yunhe.limits import BLOCK_RECORD_BYTES_MAX, BLOCK_TRANSACTIONS_MAX

RECORD_START_BYTES: Final = 4 + 255
"""Beginning of a record that holds its header."""

_VERSION: Final = 1


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


def header_at_start(data: bytes) -> bytes:
    """Return the header with which a record begins, given at least its first `RECORD_START_BYTES`; the rest is not looked at.

    Raises:
        MalformedError: no record begins here.
    """
    # An array of six, the version, and a byte string of 24 to 255 bytes, as every header is.
    if data[:3] != bytes([0x86, _VERSION, 0x58]) or len(data) < 4 + data[3]:
        raise MalformedError("no record of a block begins here")
    return data[4 : 4 + data[3]]


def _write(item: Value) -> Write:
    key, value = as_array(item, "a write", 2)
    return as_bytes(key, "a state key"), None if value is None else as_bytes(value, "a record")
