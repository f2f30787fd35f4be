"""Walk over the block log's segments without changing them: what is there, where it begins, and what a crash left behind.

Up to the last acknowledged block the walk reads the heads of the frames only, so that a start does not read whole blocks, and everything
must stand where it should; what fails here was shortened or altered afterwards. Beyond it every byte is verified, and the first frame that
is not whole is the torn end of a write that nobody was told of (STO-008). Bytes inside acknowledged blocks are verified whenever they are
read (`yunhe.storage.block_files`) and all together by `yunhe.storage.check`.

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
    open_frame,
)

_SEGMENT_NAME: Final = re.compile(r"([0-9]{20})\.blk", re.ASCII)

_ADVICE: Final = "the block log cannot be repaired: restore the folder from a backup, or join with a fresh one and catch up"


@dataclass(slots=True)
class Segment:
    """One file of the block log and where its frames begin."""

    path: Path
    first_height: int
    offsets: "array[int]" = field(default_factory=lambda: array("Q"))
    """Where each frame begins, in order of height."""
    end: int = SEGMENT_HEADER_BYTES
    """Where the last whole frame ends."""


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
    surplus: tuple[Path, ...]
    """Files that hold nothing but torn bytes."""

    @property
    def size(self) -> int:
        """Number of blocks."""
        return len(self.header_hashes) // HASH_BYTES


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
        BlockLogShortenedError: an acknowledged block is missing.
        BlockLogAlteredError: the frame of an acknowledged block is not where or what it should be.
        StoreFormatError: a segment has another format version.
    """
    hashes = bytearray()
    segments: list[Segment] = []
    paths = _segment_files(folder)
    torn_bytes = 0
    surplus: list[Path] = []
    for position, (first_height, path) in enumerate(paths):
        expected = len(hashes) // HASH_BYTES
        # STO-007
        if first_height != expected and min(first_height, expected) <= acknowledged:
            raise BlockLogShortenedError(
                f"{path.name} does not continue after block {expected - 1}: a part of the log is missing; {_ADVICE}"
            )
        segment = _walk_segment(path, first_height, network_id, acknowledged, hashes) if first_height == expected else None
        if segment is not None:
            segments.append(segment)
            torn_bytes = _size(path) - segment.end
        if segment is None or torn_bytes:
            # STO-008: after a torn frame nothing counts, whole or not, because blocks follow one another.
            surplus = [later for _, later in paths[position + (segment is not None) :]]
            break
    found = len(hashes) // HASH_BYTES - 1
    # STO-007
    if found < acknowledged:
        raise BlockLogShortenedError(f"the block log ends with block {found}, but block {acknowledged} was acknowledged; {_ADVICE}")
    return LogScan(network_id, tuple(segments), hashes, acknowledged, torn_bytes, tuple(surplus))


def _segment_files(folder: Path) -> list[tuple[int, Path]]:
    with named_refusals(folder):
        names = [(match, path) for path in folder.iterdir() if (match := _SEGMENT_NAME.fullmatch(path.name))]
    return sorted((int(match[1]), path) for match, path in names)


def _size(path: Path) -> int:
    with named_refusals(path):
        return path.stat().st_size


def _walk_segment(path: Path, first_height: int, network_id: bytes, acknowledged: int, hashes: bytearray) -> Segment | None:
    """Walk over one segment and append its header hashes; None when it was never made whole."""
    segment = Segment(path, first_height)
    with opened_for_reading(path) as descriptor:
        try:
            check_segment_header(read_at(descriptor, path, 0, SEGMENT_HEADER_BYTES), network_id, first_height)
        except (BlockLogAlteredError, BlockLogShortenedError) as error:
            if first_height > acknowledged:
                return None
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
