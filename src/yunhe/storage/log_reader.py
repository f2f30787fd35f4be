"""The acknowledged blocks of a data folder, read beside a node that may be running.

The log only grows and the marker is written after it, so whoever takes the marker first and then walks over the log finds everything that
the marker names, whatever is appended meanwhile. What is above the marker is left alone: nobody was told of it. No lock is taken and
nothing is changed. Specification: docs/spec/storage.md (STO-017).
"""

import os
import weakref
from collections.abc import Callable
from pathlib import Path

from yunhe.errors import BlockNotFoundError
from yunhe.ledger.genesis import Genesis
from yunhe.ledger.header import Header
from yunhe.ledger.merkle import MerkleLog
from yunhe.ledger.receipt import Receipt
from yunhe.storage.block_files import block_pruned, read_header, read_record, read_stub, transaction_pruned
from yunhe.storage.block_record import BlockRecord, BlockStub
from yunhe.storage.data_folder import DataFolder, lock_segments
from yunhe.storage.log_scan import LogScan, Segment, scan_log
from yunhe.storage.marker import Mark, read_mark
from yunhe.storage.opening import check_marked, log_of_scan
from yunhe.storage.transaction_index import Location, Progress


def _nothing() -> None:
    """Nothing is held."""


class LogReader:
    """Blocks of one ledger up to the marker as it was on opening."""

    def __init__(self, folder: DataFolder, scan: LogScan, log: MerkleLog, mark: Mark) -> None:
        self._folder = folder
        self._release: Callable[[], object] = _nothing
        self._scan = scan
        self._log = log
        self._mark = mark
        self._chain_hash = log.chain_hash

    @classmethod
    def open(cls, path: Path, genesis: Genesis) -> "LogReader":
        """Read the marker, walk over the log, and compare the two with each other and the genesis.

        Args:
            path: the data folder; a node may have it open.
            genesis: of the network.

        Raises:
            StoreNotFoundError: there is no store.
            ConfigurationError: another format, or another network's folder.
            CorruptionError: marker or log are not what was written.
        """
        folder = DataFolder(path)
        folder.check_format(genesis.network_id)
        # STO-037: nothing that is found is deleted as long as the reader is there.
        lock = lock_segments(folder.blocks)
        try:
            reader = cls._open_locked(folder, genesis)
        except BaseException:
            os.close(lock)
            raise
        reader._release = weakref.finalize(reader, os.close, lock)
        return reader

    @classmethod
    def _open_locked(cls, folder: DataFolder, genesis: Genesis) -> "LogReader":
        # STO-017: the marker first, because the log may grow.
        mark, _ = read_mark(folder.marker)
        scan = scan_log(folder.blocks, genesis.network_id, mark.height)
        log = log_of_scan(scan, genesis.chain_hash)
        check_marked(mark, scan, log, genesis)
        return cls(folder, scan, log, mark)

    def close(self) -> None:
        """Let segments be deleted again; who forgets the reader does so too. A second call does nothing."""
        self._release()

    @property
    def mark(self) -> Mark:
        """What was acknowledged on opening."""
        return self._mark

    @property
    def log(self) -> MerkleLog:
        """The tree over all headers, and over those that were whole above the mark."""
        return self._log

    @property
    def segments(self) -> list[tuple[Segment, int]]:
        """Segments of acknowledged blocks, each with the number of those in it."""
        return [
            (segment, min(len(segment.offsets), self.size - segment.first_height))
            for segment in self._scan.segments
            if segment.first_height < self.size
        ]

    @property
    def size(self) -> int:
        """Number of acknowledged blocks."""
        return self._mark.size

    @property
    def oldest(self) -> int:
        """Height of the oldest block that is kept whole."""
        return self._scan.oldest

    @property
    def checkpoints(self) -> Path:
        """Where the state is that the kept blocks go on from."""
        return self._folder.checkpoints

    @property
    def root(self) -> bytes:
        """Root of the block log of this size, which every header here is under."""
        return self._mark.root

    def record(self, height: int) -> BlockRecord:
        """Read a block and verify every byte of it.

        Raises:
            BlockNotFoundError: there is no such block.
            BlockPrunedError: its header is all that is kept of it.
            BlockLogAlteredError: it is not what was written.
        """
        self._check(height)
        if height < self.oldest:
            raise block_pruned(height, self.oldest)
        return read_record(*self._scan.place(height), height, self._scan.header_hash(height), self._chain_hash)

    def stub(self, height: int) -> BlockStub:
        """Return what is kept of a pruned block, or would be of one that was not; raises as `header`."""
        self._check(height)
        if height >= self.oldest:
            return BlockStub.of(self.record(height), self._chain_hash)
        return read_stub(*self._scan.place(height), height, self._scan.header_hash(height), self._chain_hash)

    def header(self, height: int) -> Header:
        """Read a block's header.

        Raises:
            BlockNotFoundError: there is no such block.
            BlockLogAlteredError: it is not what was written.
        """
        self._check(height)
        return Header.decode(read_header(*self._scan.place(height), height, self._scan.header_hash(height), self._chain_hash))

    def find(self, transaction_id: bytes, progress: Progress) -> Location | None:
        """Look for a transaction, from the newest block down; None when no acknowledged block has it.

        *Cost*: every block above it is read.

        Raises:
            TransactionPrunedError: the header is all that is kept of its block.
        """
        for height in range(self.size - 1, max(self.oldest, 1) - 1, -1):
            for position, receipt in enumerate(self.record(height).receipts):
                # The bytes are looked through before they are taken apart: most blocks have nothing to do with it.
                if transaction_id in receipt and Receipt.decode(receipt).transaction_id == transaction_id:
                    return Location(height, position)
            progress(self.size - height, self.size)
        for height in range(self.oldest - 1, 0, -1):
            if transaction_id in self.stub(height).transaction_ids:
                raise transaction_pruned(height, self.oldest)
            progress(self.size - height, self.size)
        return None

    def _check(self, height: int) -> None:
        if not 0 <= height < self.size:
            raise BlockNotFoundError(f"the block log has no block {height}; the highest is {self.size - 1}")
