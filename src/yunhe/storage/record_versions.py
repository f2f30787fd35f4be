"""Versions of a record: what the blocks that are kept whole wrote at its key, newest first.

They are read from the blocks' write sets, as they are in the block log; nothing is proven by them. What proves a record is its proof at one
of the heights (LED-031). Specification: docs/spec/http.md (API-026).
"""

from bisect import bisect_left
from dataclasses import dataclass
from operator import itemgetter
from typing import Final

from yunhe.ledger.header import Header
from yunhe.limits import PAGE_BYTES_MAX, VERSION_BLOCKS_PER_READ_MAX, VERSION_BYTES_PER_READ_MAX
from yunhe.storage.block_record import BlockRecord
from yunhe.storage.ledger_store import LedgerStore

_KEY: Final = itemgetter(0)


@dataclass(frozen=True, slots=True)
class RecordVersion:
    """What a block wrote at a key."""

    height: int
    """Of the block."""
    time_ms: int
    """Of the block, milliseconds since 1970-01-01 UTC."""
    record: bytes | None
    """The record after it; None when the block removed it."""


@dataclass(frozen=True, slots=True)
class VersionsRead:
    """What one read found."""

    versions: tuple[RecordVersion, ...]
    """Newest first."""
    next: int | None
    """The block with which the next read goes on; None at the end."""


def read_versions(store: LedgerStore, key: bytes, lowest: int, highest: int, limit: int) -> VersionsRead:
    """Look through blocks for what they wrote at a key.

    Args:
        store: open; its blocks are read.
        key: state key.
        lowest: height of the last block to look at.
        highest: height of the block to begin with; the store has it.
        limit: versions at most, from 1. A read also ends with the blocks and bytes that it may look through.

    Raises:
        BlockPrunedError: a block on the way was pruned.
        CorruptionError: a block is not what was written.
    """
    found: list[RecordVersion] = []
    looked = shown = 0
    for height in range(highest, lowest - 1, -1):
        if highest - height >= VERSION_BLOCKS_PER_READ_MAX or looked >= VERSION_BYTES_PER_READ_MAX or shown >= PAGE_BYTES_MAX:
            return VersionsRead(tuple(found), height)
        record = store.record(height)
        looked += _size(record)
        place = bisect_left(record.writes, key, key=_KEY)
        if place < len(record.writes) and record.writes[place][0] == key:
            if len(found) == limit:
                return VersionsRead(tuple(found), height)
            written = record.writes[place][1]
            found.append(RecordVersion(height, Header.decode(record.header).time_ms, written))
            shown += len(written or b"")
    return VersionsRead(tuple(found), None)


def _size(record: BlockRecord) -> int:
    parts = (*record.transactions, *record.receipts)
    return sum(map(len, parts)) + sum(len(key) + len(written or b"") for key, written in record.writes)
