"""Walk over the block log's segments without changing them: what is there, where it begins, and what a crash left behind.

Up to the last acknowledged block the walk reads the heads of the frames only, so that a start does not read whole blocks, and everything
must stand where it should; what fails here was shortened or altered afterwards. Beyond it every byte is verified, and the first frame that
is not whole is the torn end of a write that nobody was told of (STO-008). A crash can leave that in the last segment only, because a
segment is made when all before it are durable; whatever else does not continue the log was brought or altered, and is refused, never
deleted. Bytes inside acknowledged blocks are verified whenever they are read (`yunhe.storage.block_files`) and all together by
`yunhe.storage.check`.

Specification: docs/spec/storage.md, "Start".
"""

import re
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from yunhe.errors import BlockLogAlteredError, BlockLogShortenedError
from yunhe.limits import HASH_BYTES
from yunhe.storage.files import named_refusals, opened_for_reading, read_at
from yunhe.storage.segment_format import (
    FRAME_HEAD_BYTES,
    SEGMENT_HEADER_BYTES,
    FrameHead,
    check_segment_header,
    decode_frame_head,
    is_whole_segment_header,
    open_frame,
)

SEGMENT_NAME: Final = re.compile(r"([0-9]{20})\.blk", re.ASCII)

_ADVICE: Final = "the block log cannot be repaired: restore it from a backup with `yunhe node restore`"


@dataclass(slots=True)
class Segment:
    """One file of the block log and where its frames begin."""

    path: Path
    first_height: int
    offsets: "array[int]" = field(default_factory=lambda: array("Q"))
    """Where each frame begins, in order of height."""
    end: int = SEGMENT_HEADER_BYTES
    """Where the last whole frame ends."""
    is_pruned: bool = False
    """Whether headers and leaves are all that is kept of its blocks."""


@dataclass(frozen=True, slots=True)
class LogScan:
    """What a walk found."""

    network_id: bytes
    segments: tuple[Segment, ...]
    header_hashes: bytearray
    """Hash of every header, 32 bytes each, in order of height, as the frames say."""
    acknowledged: int
    """Height up to which blocks were acknowledged; what is above was found whole."""
    torn_bytes: int
    """Bytes after the last whole frame in the last segment."""
    unfinished: Path | None
    """A segment after the last one of which not even the header was made whole."""

    @property
    def size(self) -> int:
        """Number of blocks."""
        return len(self.header_hashes) // HASH_BYTES

    @property
    def oldest(self) -> int:
        """Height of the oldest block that is kept whole."""
        return next((segment.first_height for segment in self.segments if not segment.is_pruned), self.size)

    def header_hash(self, height: int) -> bytes:
        """Return the hash of a header, as its frame says."""
        return bytes(self.header_hashes[height * HASH_BYTES : (height + 1) * HASH_BYTES])

    def place(self, height: int) -> tuple[Path, int]:
        """Return the file of a block's frame, and where it begins there."""
        segment = next(segment for segment in reversed(self.segments) if segment.first_height <= height)
        return segment.path, segment.offsets[height - segment.first_height]


def headers_folder(blocks: Path) -> Path:
    """Return where the segments of pruned blocks are, beside the folder of the others."""
    return blocks.with_name("headers")


def segment_path(folder: Path, first_height: int) -> Path:
    """Return the file of the segment that begins with a height."""
    return folder / f"{first_height:020}.blk"


def scan_log(folder: Path, network_id: bytes, acknowledged: int) -> LogScan:
    """Walk over all segments.

    Args:
        folder: where the segments are.
        network_id: whose they must be.
        acknowledged: height that the marker names; -1 for none.

    Raises:
        BlockLogShortenedError: an acknowledged block or a segment is missing.
        BlockLogAlteredError: a frame or a segment is not where or what it should be.
        StoreFormatError: a segment has another format version.
    """
    hashes = bytearray()
    segments: list[Segment] = []
    unfinished: Path | None = None
    paths = _segment_files(folder)
    for position, (first_height, path, is_pruned) in enumerate(paths):
        expected = len(hashes) // HASH_BYTES
        # STO-007
        if first_height != expected:
            raise BlockLogShortenedError(
                f"{path} does not continue after block {expected - 1}: a part of the log is missing, or the file is none of it; {_ADVICE}"
            )
        # STO-035: blocks are pruned from the oldest on.
        if is_pruned and segments and not segments[-1].is_pruned:
            raise BlockLogAlteredError(f"{path} is of pruned blocks, and whole ones are before it; {_ADVICE}")
        is_last = position == len(paths) - 1
        segment = _walk_segment(path, first_height, network_id, acknowledged, hashes, may_be_unfinished=is_last)
        if segment is None:
            unfinished = path
            break
        segment.is_pruned = is_pruned
        segments.append(segment)
        # STO-008
        if segment.end < _size(path) and not is_last:
            raise BlockLogAlteredError(f"{path} at byte {segment.end}: no whole block, but segments follow, so no crash left it; {_ADVICE}")
    found = len(hashes) // HASH_BYTES - 1
    # STO-007
    if found < acknowledged:
        raise BlockLogShortenedError(f"the block log ends with block {found}, but block {acknowledged} was acknowledged; {_ADVICE}")
    torn_bytes = _size(segments[-1].path) - segments[-1].end if segments else 0
    return LogScan(network_id, tuple(segments), hashes, acknowledged, torn_bytes, unfinished)


def _segment_files(folder: Path) -> list[tuple[int, Path, bool]]:
    """Return the segments' heights and files, ascending, and whether they are of pruned blocks.

    One that a crash left in both forms counts whole.
    """
    found = {first: (path, True) for first, path in _named(headers_folder(folder))}
    found |= {first: (path, False) for first, path in _named(folder)}
    return [(first, *found[first]) for first in sorted(found)]


def _named(folder: Path) -> list[tuple[int, Path]]:
    """Return the segments' files with the heights in their names; none where the folder is missing."""
    if not folder.exists():
        return []
    with named_refusals(folder):
        return [(int(match[1]), path) for path in folder.iterdir() if (match := SEGMENT_NAME.fullmatch(path.name))]


def _size(path: Path) -> int:
    with named_refusals(path):
        return path.stat().st_size


def _walk_segment(
    path: Path, first_height: int, network_id: bytes, acknowledged: int, hashes: bytearray, *, may_be_unfinished: bool
) -> Segment | None:
    """Walk over one segment and append its header hashes; None when a crash cut its making off."""
    segment = Segment(path, first_height)
    with opened_for_reading(path) as descriptor:
        header = read_at(descriptor, path, 0, SEGMENT_HEADER_BYTES)
        # STO-008: the header is durable before anything is written after it.
        if may_be_unfinished and first_height > acknowledged and not is_whole_segment_header(header) and _size(path) == len(header):
            return None
        try:
            check_segment_header(header, network_id, first_height)
        except (BlockLogAlteredError, BlockLogShortenedError) as error:
            raise type(error)(f"{path}: {error.message}; {_ADVICE}") from error
        for head in _frames(descriptor, segment, acknowledged):
            segment.offsets.append(segment.end)
            segment.end += head.frame_bytes
            hashes += head.header_hash
    return segment


def _frames(descriptor: int, segment: Segment, acknowledged: int) -> Iterator[FrameHead]:
    """Yield the heads of whole frames, each at `segment.end`, until the file ends or, beyond what was acknowledged, a frame is torn."""
    size = _size(segment.path)
    height = segment.first_height
    while segment.end < size:
        try:
            head = decode_frame_head(read_at(descriptor, segment.path, segment.end, FRAME_HEAD_BYTES), height)
            if segment.end + head.frame_bytes > size:
                raise BlockLogShortenedError(f"block {height} is longer than its file: the file was cut, or the length altered")
            if height >= acknowledged:
                open_frame(read_at(descriptor, segment.path, segment.end, head.frame_bytes), height)
        except (BlockLogAlteredError, BlockLogShortenedError) as error:
            if height > acknowledged:
                return
            raise type(error)(f"{segment.path} at byte {segment.end}: {error.message}; {_ADVICE}") from error
        yield head
        height += 1
