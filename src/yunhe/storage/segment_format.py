"""Bytes of the block log: the header of a segment and the frame around a record. Pure; files are `yunhe.storage.block_files`.

Every byte of a segment is under a SHA-256, so any altered one is found when it is read (STO-004, STO-005). The checksum is SHA-256 whatever
the chain hash is: it finds damage, while whether a record is the right one follows from the header hash in its frame, which the block log's
root covers. That hash stands in the frame so that a node can start without reading whole blocks.

Specification: docs/spec/storage.md, "Block log".
"""

import hashlib
import struct
from dataclasses import dataclass
from typing import Final

from yunhe.errors import BlockLogAlteredError, BlockLogShortenedError, StoreFormatError
from yunhe.limits import BLOCK_RECORD_BYTES_MAX, HASH_BYTES

VERSION: Final = 1
"""Version of segments, frames and records."""
CHECKSUM_BYTES: Final = 32

_SEGMENT_MAGIC: Final = b"YUNHELOG"
_SEGMENT: Final = struct.Struct(f">8sIQ{HASH_BYTES}s")
_FRAME_MAGIC: Final = b"YBLK"
_FRAME: Final = struct.Struct(f">4sIQ{HASH_BYTES}s")

SEGMENT_HEADER_BYTES: Final = _SEGMENT.size + CHECKSUM_BYTES
FRAME_HEAD_BYTES: Final = _FRAME.size


@dataclass(frozen=True, slots=True)
class FrameHead:
    """What stands before a record."""

    payload_bytes: int
    """Length of the record."""
    height: int
    header_hash: bytes
    """Hash of the block's header: the leaf of the block log."""

    @property
    def frame_bytes(self) -> int:
        """Length of the whole frame."""
        return FRAME_HEAD_BYTES + self.payload_bytes + CHECKSUM_BYTES


def encode_segment_header(network_id: bytes, first_height: int) -> bytes:
    """Return what a segment begins with."""
    head = _SEGMENT.pack(_SEGMENT_MAGIC, VERSION, first_height, network_id)
    return head + hashlib.sha256(head).digest()


def is_whole_segment_header(data: bytes) -> bool:
    """Return whether these are bytes that a segment began with once, of whatever place, network or version."""
    return len(data) == SEGMENT_HEADER_BYTES and hashlib.sha256(data[: _SEGMENT.size]).digest() == data[_SEGMENT.size :]


def check_segment_header(data: bytes, network_id: bytes, first_height: int) -> None:
    """Check what a segment begins with.

    Raises:
        BlockLogShortenedError: it is not all there.
        BlockLogAlteredError: it is not the header of this segment of this network.
        StoreFormatError: it is whole, and of another format version.
    """
    if len(data) < SEGMENT_HEADER_BYTES:
        raise BlockLogShortenedError("the segment ends inside its header")
    # STO-004
    if not is_whole_segment_header(data):
        raise BlockLogAlteredError("the header of the segment is not what was written")
    magic, version, height, network = _SEGMENT.unpack(data[: _SEGMENT.size])
    if magic == _SEGMENT_MAGIC and version != VERSION:
        raise StoreFormatError(f"the segment has format version {version}; this version of Yunhe reads {VERSION}")
    if (magic, height, network) != (_SEGMENT_MAGIC, first_height, network_id):
        raise BlockLogAlteredError("the segment is of another place or another network")


def encode_frame(height: int, header_hash: bytes, payload: bytes) -> bytes:
    """Return a record in its frame."""
    head = _FRAME.pack(_FRAME_MAGIC, len(payload), height, header_hash)
    checksum = hashlib.sha256(head)
    checksum.update(payload)
    return b"".join((head, payload, checksum.digest()))


def decode_frame_head(data: bytes, height: int) -> FrameHead:
    """Take the beginning of a frame apart; says nothing of what the checksum covers.

    Raises:
        BlockLogShortenedError: it is not all there.
        BlockLogAlteredError: no frame of this height begins here.
    """
    if len(data) < FRAME_HEAD_BYTES:
        raise BlockLogShortenedError(f"the frame of block {height} is cut short")
    magic, payload_bytes, found, header_hash = _FRAME.unpack(data)
    # STO-005
    if magic != _FRAME_MAGIC or found != height or payload_bytes > BLOCK_RECORD_BYTES_MAX:
        raise BlockLogAlteredError(f"no frame of block {height} stands where it should")
    return FrameHead(payload_bytes, height, header_hash)


def open_frame(frame: bytes, height: int) -> tuple[FrameHead, bytes]:
    """Return head and record of a whole frame.

    Raises:
        BlockLogShortenedError: not even its head is there.
        BlockLogAlteredError: a byte of it is not what was written.
    """
    head = decode_frame_head(frame[:FRAME_HEAD_BYTES], height)
    # STO-005
    if len(frame) != head.frame_bytes or hashlib.sha256(memoryview(frame)[:-CHECKSUM_BYTES]).digest() != frame[-CHECKSUM_BYTES:]:
        raise BlockLogAlteredError(f"block {height} is not what was written: its checksum does not fit")
    return head, frame[FRAME_HEAD_BYTES:-CHECKSUM_BYTES]
