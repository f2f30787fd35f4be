"""The block log on disk: append-only segments of checksummed records, the truth from which everything else is derived.

`append_many` returns only when the records are durable; one fsync serves them all (group commit). `read` verifies every byte that it
returns. A write or fsync that fails makes the files refuse all further writes until the node is started again, because after a failed
fsync nobody knows what is on the disk (STO-009); the start cuts what is torn and writes again what was never acknowledged.

It knows records as bytes with a height and a header hash. Whether a block is right is not decided here. Not safe for two writers; reads may
come from any thread. Specification: docs/spec/storage.md, "Block log".
"""

import os
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import structlog

from yunhe.crypto import ChainHash
from yunhe.crypto.hashes import TAG_HEADER
from yunhe.errors import (
    BlockLogAlteredError,
    BlockLogShortenedError,
    BlockNotFoundError,
    BlockPrunedError,
    DiskFailedError,
    InvalidInputError,
    StoreHaltedError,
    TooLargeError,
    TransactionPrunedError,
)
from yunhe.limits import BLOCK_RECORD_BYTES_MAX, HASH_BYTES, SEGMENT_BYTES_MAX
from yunhe.storage import files
from yunhe.storage.block_record import RECORD_START_BYTES, BlockRecord, BlockStub, header_at_start
from yunhe.storage.log_scan import LogScan, Segment, segment_path
from yunhe.storage.segment_format import FRAME_HEAD_BYTES, decode_frame_head, encode_frame, encode_segment_header, open_frame

Stored = TypeVar("Stored", BlockRecord, BlockStub)
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class NewRecord:
    """A record to append."""

    header_hash: bytes
    """Hash of the block's header; 32 bytes."""
    payload: bytes
    """Encoded `BlockRecord`."""


class BlockFiles:
    """The segments of one block log, open for appending and reading."""

    def __init__(self, folder: Path, network_id: bytes, chain_hash: ChainHash, segment_bytes_max: int = SEGMENT_BYTES_MAX) -> None:
        self._folder = folder
        self._network_id = network_id
        self._chain_hash = chain_hash
        self._segment_bytes_max = segment_bytes_max
        self._segments: list[Segment] = []
        self._first_heights: list[int] = []
        self._hashes = bytearray()
        self._descriptor: int | None = None
        self._halted = False

    @classmethod
    def create(cls, folder: Path, network_id: bytes, chain_hash: ChainHash, segment_bytes_max: int = SEGMENT_BYTES_MAX) -> "BlockFiles":
        """Make an empty block log in a new folder."""
        with files.named_refusals(folder):
            folder.mkdir()
        files.sync_directory(folder.parent)
        return cls(folder, network_id, chain_hash, segment_bytes_max)

    @classmethod
    def open(cls, folder: Path, scan: LogScan, chain_hash: ChainHash, segment_bytes_max: int = SEGMENT_BYTES_MAX) -> "BlockFiles":
        """Open the log that a walk found: cut what is torn, and make durable what is whole but was not acknowledged.

        The caller has compared the walk with the marker before, because cutting cannot be undone.
        """
        opened = cls(folder, scan.network_id, chain_hash, segment_bytes_max)
        opened._segments = list(scan.segments)
        opened._first_heights = [segment.first_height for segment in scan.segments]
        opened._hashes = scan.header_hashes
        opened._drop_torn(scan)
        opened._settle(scan.acknowledged)
        last = opened._segments[-1]
        opened._descriptor = files.open_existing(last.path)
        return opened

    @property
    def size(self) -> int:
        """Number of blocks."""
        return len(self._hashes) // HASH_BYTES

    @property
    def oldest(self) -> int:
        """Height of the oldest block that is kept whole."""
        return next((segment.first_height for segment in self._segments if not segment.is_pruned), self.size)

    @property
    def segment_count(self) -> int:
        """Number of segments; it grows when a segment is full."""
        return len(self._segments)

    def header_hash(self, height: int) -> bytes:
        """Return a header's hash from memory.

        Raises:
            BlockNotFoundError: there is no such block.
        """
        if not 0 <= height < self.size:
            raise BlockNotFoundError(f"the block log has no block {height}; the highest is {self.size - 1}")
        return bytes(self._hashes[height * HASH_BYTES : (height + 1) * HASH_BYTES])

    def append_many(self, records: Sequence[NewRecord]) -> None:
        """Append records and return when all are durable; one fsync unless a segment gets full.

        Raises:
            TooLargeError: a record is over `BLOCK_RECORD_BYTES_MAX`; nothing was written.
            DiskFullError: no room. The files take no more.
            DiskFailedError: the system refused. The files take no more.
            StoreHaltedError: an earlier call failed.
        """
        for record in records:
            if len(record.payload) > BLOCK_RECORD_BYTES_MAX:
                raise TooLargeError(f"a block's record is at most {BLOCK_RECORD_BYTES_MAX} bytes, not {len(record.payload)}")
            if len(record.header_hash) != HASH_BYTES:
                raise InvalidInputError(f"a header hash is {HASH_BYTES} bytes")
        # STO-009
        if self._halted:
            raise StoreHaltedError("an earlier write to the block log failed; start the node again")
        self._halted = True
        height = self.size
        pending: list[bytes] = []
        pending_bytes = 0
        for position, record in enumerate(records):
            frame = encode_frame(height + position, record.header_hash, record.payload)
            if self._is_full(len(pending), pending_bytes + len(frame)):
                self._write(pending)
                self._begin_segment(height + position)
                pending, pending_bytes = [], 0
            pending.append(frame)
            pending_bytes += len(frame)
        self._write(pending)
        for record in records:
            self._hashes += record.header_hash
        self._halted = False

    def read(self, height: int) -> BlockRecord:
        """Read a block and verify every byte of it.

        Raises:
            BlockNotFoundError: there is no such block.
            BlockPrunedError: its header is all that is kept of it.
            BlockLogAlteredError: it is not what was written.
        """
        expected = self.header_hash(height)
        segment, offset = self._place(height)
        if segment.is_pruned:
            raise block_pruned(height, self.oldest)
        try:
            return read_record(segment.path, offset, height, expected, self._chain_hash)
        except DiskFailedError:
            # It may have given way just now.
            if self._place(height)[0] is not segment:
                raise block_pruned(height, self.oldest) from None
            raise

    def read_stub(self, height: int) -> BlockStub:
        """Return what is kept of a pruned block, or would be of one that was not, and verify every byte of it.

        Raises:
            BlockNotFoundError: there is no such block.
            BlockLogAlteredError: it is not what was written.
        """
        expected = self.header_hash(height)
        segment, offset = self._place(height)
        if not segment.is_pruned:
            return BlockStub.of(self.read(height), self._chain_hash)
        return read_stub(segment.path, offset, height, expected, self._chain_hash)

    def read_header(self, height: int) -> bytes:
        """Read a block's header alone; its hash in the block log vouches for it.

        Raises:
            BlockNotFoundError: there is no such block.
            BlockLogAlteredError: it is not what was written.
        """
        expected = self.header_hash(height)
        segment, offset = self._place(height)
        try:
            return read_header(segment.path, offset, height, expected, self._chain_hash)
        except DiskFailedError:
            # As above.
            if self._place(height)[0] is not segment:
                return self.read_header(height)
            raise

    def shorten(self, short: Segment) -> None:
        """Take a segment's short form, which is durable, in place of the long one."""
        self._segments[self._first_heights.index(short.first_height)] = short

    def close(self) -> None:
        """Close the files. Everything that was acknowledged is durable already."""
        self._halted = True
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _place(self, height: int) -> tuple[Segment, int]:
        segment = self._segments[bisect_right(self._first_heights, height) - 1]
        return segment, segment.offsets[height - segment.first_height]

    def _is_full(self, pending: int, more_bytes: int) -> bool:
        """Whether the last segment has no room for more; one that has no record yet always has, for one."""
        if not self._segments:
            return True
        last = self._segments[-1]
        return last.end + more_bytes > self._segment_bytes_max and len(last.offsets) + pending > 0

    def _write(self, frames: list[bytes]) -> None:
        """Write frames to the end of the last segment and make them durable."""
        if not frames:
            return
        segment = self._segments[-1]
        if self._descriptor is None:
            raise StoreHaltedError("the block log is closed")
        files.write_at(self._descriptor, segment.path, segment.end, b"".join(frames))
        files.sync(self._descriptor, segment.path)
        for frame in frames:
            segment.offsets.append(segment.end)
            segment.end += len(frame)

    def _begin_segment(self, first_height: int) -> None:
        path = segment_path(self._folder, first_height)
        descriptor = files.create(path)
        if self._descriptor is not None:
            os.close(self._descriptor)
        self._descriptor = descriptor
        files.write_at(descriptor, path, 0, encode_segment_header(self._network_id, first_height))
        files.sync(descriptor, path)
        files.sync_directory(self._folder)
        self._segments.append(Segment(path, first_height))
        self._first_heights.append(first_height)

    def _drop_torn(self, scan: LogScan) -> None:
        # STO-008
        if scan.unfinished is not None:
            _log.warning("deleting a segment that was never finished", path=str(scan.unfinished))
            files.remove(scan.unfinished)
            files.sync_directory(self._folder)
        if scan.torn_bytes:
            last = scan.segments[-1]
            _log.warning("cutting the torn end of the block log", path=str(last.path), bytes=scan.torn_bytes, height=self.size - 1)
            descriptor = files.open_existing(last.path)
            try:
                files.cut(descriptor, last.path, last.end)
                files.sync(descriptor, last.path)
            finally:
                os.close(descriptor)

    def _settle(self, acknowledged: int) -> None:
        """Make whole blocks durable that were not acknowledged.

        They may be in the system's memory alone, and marked there as written by an fsync that failed; so they are written once more.
        """
        # STO-008
        for segment in self._segments:
            skip = max(0, acknowledged + 1 - segment.first_height)
            if skip >= len(segment.offsets):
                continue
            start = segment.offsets[skip]
            descriptor = files.open_existing(segment.path)
            try:
                tail = files.read_at(descriptor, segment.path, start, segment.end - start)
                files.write_at(descriptor, segment.path, start, tail)
                files.sync(descriptor, segment.path)
            finally:
                os.close(descriptor)
        files.sync_directory(self._folder)


def read_record(path: Path, offset: int, height: int, header_hash: bytes, chain_hash: ChainHash) -> BlockRecord:
    """Read the record of a frame and verify every byte of it.

    Args:
        path: the segment.
        offset: where the frame begins.
        height: of the block.
        header_hash: what the block log has for this height.
        chain_hash: the ledger's.

    Raises:
        BlockLogAlteredError: the frame is not what was written.
    """
    return _read_frame(path, offset, height, header_hash, chain_hash, BlockRecord.decode)


def read_stub(path: Path, offset: int, height: int, header_hash: bytes, chain_hash: ChainHash) -> BlockStub:
    """Read what is kept of a pruned block and verify every byte of it; arguments and errors are those of `read_record`."""
    return _read_frame(path, offset, height, header_hash, chain_hash, BlockStub.decode)


def _read_frame(
    path: Path, offset: int, height: int, header_hash: bytes, chain_hash: ChainHash, decode: Callable[[bytes], Stored]
) -> Stored:
    with files.opened_for_reading(path) as descriptor:
        try:
            head = decode_frame_head(files.read_at(descriptor, path, offset, FRAME_HEAD_BYTES), height)
            head, payload = open_frame(files.read_at(descriptor, path, offset, head.frame_bytes), height)
            record = decode(payload)
        except (InvalidInputError, BlockLogAlteredError, BlockLogShortenedError) as error:
            raise BlockLogAlteredError(f"{path} at byte {offset}: {error.message}; run `yunhe node check`") from error
    # STO-005
    if head.header_hash != header_hash or chain_hash.tagged(TAG_HEADER, record.header) != header_hash:
        raise BlockLogAlteredError(_wrong_header(path, offset, height))
    return record


def block_pruned(height: int, oldest: int) -> BlockPrunedError:
    """Return the refusal of a block whose header is all that is kept."""
    return BlockPrunedError(
        f"block {height} was pruned here but for its header; the oldest block that this node keeps is {oldest}: ask a node that keeps "
        "more, or look into a backup from before"
    )


def transaction_pruned(height: int, oldest: int) -> TransactionPrunedError:
    """Return the refusal of a transaction whose block was pruned."""
    return TransactionPrunedError(
        f"the transaction took effect in block {height}, which was pruned here; the oldest block that this node keeps is {oldest}: ask a "
        "node that keeps more, or look into a backup from before"
    )


def read_header(path: Path, offset: int, height: int, header_hash: bytes, chain_hash: ChainHash) -> bytes:
    """Read the header in a frame and nothing after it; arguments are those of `read_record`.

    Raises:
        BlockLogAlteredError: it is not what was written.
    """
    with files.opened_for_reading(path) as descriptor:
        start = files.read_at(descriptor, path, offset + FRAME_HEAD_BYTES, RECORD_START_BYTES)
    try:
        header = header_at_start(start)
    except InvalidInputError as error:
        raise BlockLogAlteredError(f"{path} at byte {offset}: {error.message}; run `yunhe node check`") from error
    # STO-005
    if chain_hash.tagged(TAG_HEADER, header) != header_hash:
        raise BlockLogAlteredError(_wrong_header(path, offset, height))
    return header


def _wrong_header(path: Path, offset: int, height: int) -> str:
    return f"{path} at byte {offset}: the header of block {height} is not the one in the block log; run `yunhe node check`"
