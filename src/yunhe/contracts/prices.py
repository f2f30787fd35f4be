"""Gas prices of what a transaction does besides computing. One gas is about a nanosecond; writes carry the cost of storage and tree.

Changing a price changes what receipts say, so it changes the protocol version. Prices of words are in `yunhe.contracts.vocabulary`, prices
of syntax in `yunhe.contracts.metering`. Specification: docs/spec/contracts.md, "Gas".
"""

from typing import Final

TRANSACTION: Final = 5_000
"""Taking up a transaction."""
TRANSACTION_BYTE: Final = 32
"""Each byte of the encoded transaction."""
TRANSACTION_BYTE_MEMORY: Final = 16
"""Memory counted for each byte of the encoded transaction, whose arguments its calls hold."""
CALL: Final = 3_000
"""Starting a contract, from a transaction or from another contract."""
PLAIN_BYTE: Final = 24
"""Each byte of content handed from contract to contract."""
RESULT_BYTE: Final = 40
"""Each encoded byte of a result, which goes into the receipt."""
RESULT_BYTE_MEMORY: Final = 32
"""Memory counted for each encoded byte of a result that another contract gets."""
READ: Final = 40_000
"""Looking a record up, found or not: the first time in a transaction. Covers asking the node for it from another core."""
READ_KNOWN: Final = 800
"""Looking a record up that the transaction has seen or written."""
FETCH: Final = 3_000
"""Each record on the way from an index, besides one look-up for all that are asked for at once."""
LOAD_FIELD: Final = 60
"""Each field of a record that a contract gets."""
LOAD_NESTED_BYTE: Final = 16
"""Each byte of a record that a contract gets, if lists, dicts or records can be in it."""
INDEX: Final = 1_000
"""Comparing an index's row of a record before and after a change."""
COMPLETION: Final = 250
"""Each default of a record type when a stored record lacks a field."""
COMPLETION_ELEMENT: Final = 100
"""Each element of such a default."""
READ_BYTE: Final = 4
"""Each byte of a record read."""
WRITE: Final = 10_000
"""Writing or deleting a record."""
WRITE_BYTE: Final = 20
"""Each byte of a record written, key included."""
SCAN: Final = 40_000
"""Starting a scan, which asks the node as `READ` does."""
SCAN_ROW: Final = 1_500
"""Each row that a scan meets, those deleted in the same block included."""
EVENT: Final = 2_000
"""Announcing an event."""
EVENT_BYTE: Final = 20
"""Each encoded byte of an event."""
CHECK_SOURCE_BYTE: Final = 80
"""Each byte of a contract source that is checked; system contracts only. Far below its time, so that the largest source can be submitted
with the lowest `gas_limit_max`; `BLOCK_SOURCE_BYTES_MAX` bounds the time (CON-132)."""
CODE_HASH_BYTE: Final = 10
"""Each byte of a contract source that is hashed, or looked into for an upgrade; system contracts only."""
INTERFACE_BYTE: Final = 20
"""Each byte of two contract sources that are compared for an upgrade; system contracts only. `BLOCK_SOURCE_BYTES_MAX` bounds the time."""
PUBLIC_KEY: Final = 2_000
"""Checking whether bytes are a public key; system contracts only."""
OBJECT_MEMORY: Final = 64
"""Memory of a record's slots, of a container's head, or of a short value in a container, in bytes."""
WRITTEN_MEMORY: Final = 256
"""Memory counted for each write besides its bytes."""
