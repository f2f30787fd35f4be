"""The marker: how far the block log was acknowledged, made durable apart from it.

A log alone cannot tell that its end is missing; the marker can. It names the last acknowledged block with the root of the block log, and
the engine height, which grows over empty engine blocks too (LED-014). It is one file of two slots written in turn, each on disk pages of
its own and under its own checksum, so a crash during a write leaves the other slot whole: then the marker is one write behind, which the
start makes good from the log (STO-008). Overwriting in place costs a third of replacing the file.

Specification: docs/spec/storage.md, "Marker" (STO-006).
"""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog

from yunhe.errors import InvalidInputError, MarkerDamagedError, StoreHaltedError
from yunhe.ledger.codec import as_array, as_hash, as_int, decode, encode
from yunhe.storage import files

SLOT_BYTES: Final = 4096
"""One slot; a multiple of every common sector, so that a torn write of one never touches the other."""

_log = structlog.get_logger(__name__)

_VERSION: Final = 1
_SLOTS: Final = 2
_CHECKSUM_BYTES: Final = 32
_LENGTH_BYTES: Final = 4
_ADVICE: Final = "restore the ledger from a backup with `yunhe node restore`"


@dataclass(frozen=True, slots=True)
class Mark:
    """What was acknowledged."""

    network_id: bytes
    size: int
    """Blocks in the block log, at least 1; the last has height size - 1."""
    root: bytes
    """Root of the block log of this size."""
    header_hash: bytes
    """Hash of the last header."""
    engine_height: int
    """Last engine block that was committed, empty or not; 0 for none."""

    @property
    def height(self) -> int:
        """Height of the last acknowledged block."""
        return self.size - 1


class Marker:
    """The marker's file, open for writing."""

    def __init__(self, path: Path, descriptor: int, sequence: int, mark: Mark) -> None:
        self._path = path
        self._descriptor: int | None = descriptor
        self._sequence = sequence
        self._mark = mark

    @classmethod
    def create(cls, path: Path, mark: Mark) -> "Marker":
        """Make the file with a first mark; durable on return."""
        descriptor = files.create(path)
        files.write_at(descriptor, path, 0, bytes(_SLOTS * SLOT_BYTES))
        marker = cls(path, descriptor, 0, mark)
        marker.write(mark)
        files.sync_directory(path.parent)
        return marker

    @classmethod
    def open(cls, path: Path) -> "Marker":
        """Open the file for writing.

        Raises:
            MarkerDamagedError: it is missing, or no slot is readable.
        """
        sequence, mark, whole = _newest(path)
        if not whole:
            _log.warning("one slot of the marker is unreadable, as a crash during its write leaves it", path=str(path))
        return cls(path, files.open_existing(path), sequence, mark)

    @property
    def mark(self) -> Mark:
        """What was written last."""
        return self._mark

    def write(self, mark: Mark) -> None:
        """Replace the mark; durable on return.

        Raises:
            DiskFullError: no room.
            DiskFailedError: the system refused.
            StoreHaltedError: the file is closed.
        """
        if self._descriptor is None:
            raise StoreHaltedError("the marker is closed: start the node again")
        sequence = self._sequence + 1
        files.write_at(self._descriptor, self._path, sequence % _SLOTS * SLOT_BYTES, _encode_slot(sequence, mark))
        files.sync(self._descriptor, self._path)
        self._sequence = sequence
        self._mark = mark

    def close(self) -> None:
        """Close the file; a second call does nothing."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def read_mark(path: Path) -> tuple[Mark, bool]:
    """Read the marker without opening it for writing.

    Returns:
        The newest mark, and whether both slots are readable; one is not after a crash during a write, until the next write.

    Raises:
        MarkerDamagedError: it is missing, or no slot is readable.
    """
    _, mark, whole = _newest(path)
    return mark, whole


def _newest(path: Path) -> tuple[int, Mark, bool]:
    if not path.is_file():
        raise MarkerDamagedError(f"the marker {path} is missing, so nobody can tell whether the block log is whole; {_ADVICE}")
    with files.opened_for_reading(path) as descriptor:
        data = files.read_at(descriptor, path, 0, _SLOTS * SLOT_BYTES + 1)
    found: list[tuple[int, Mark]] = []
    blank = 0
    for slot in range(_SLOTS):
        raw = data[slot * SLOT_BYTES : (slot + 1) * SLOT_BYTES]
        # Sequences begin at 1, so before the second write slot 0 is blank.
        blank += slot == 0 and raw == bytes(SLOT_BYTES)
        try:
            sequence, mark = _decode_slot(raw)
        except (InvalidInputError, MarkerDamagedError):
            continue
        if sequence % _SLOTS == slot:
            found.append((sequence, mark))
    # STO-006
    if not found or len(data) != _SLOTS * SLOT_BYTES:
        raise MarkerDamagedError(f"the marker {path} is not what was written; {_ADVICE}")
    sequence, mark = max(found, key=lambda item: item[0])
    return sequence, mark, len(found) == _SLOTS or (sequence == 1 and blank == 1)


def _encode_slot(sequence: int, mark: Mark) -> bytes:
    content = encode([_VERSION, sequence, mark.network_id, mark.size, mark.root, mark.header_hash, mark.engine_height])
    covered = (len(content).to_bytes(_LENGTH_BYTES, "big") + content).ljust(SLOT_BYTES - _CHECKSUM_BYTES, b"\x00")
    return covered + hashlib.sha256(covered).digest()


def _decode_slot(raw: bytes) -> tuple[int, Mark]:
    covered, checksum = raw[:-_CHECKSUM_BYTES], raw[-_CHECKSUM_BYTES:]
    if len(raw) != SLOT_BYTES or hashlib.sha256(covered).digest() != checksum:
        raise MarkerDamagedError("a slot of the marker is not what was written")
    length = int.from_bytes(covered[:_LENGTH_BYTES], "big")
    content = covered[_LENGTH_BYTES : _LENGTH_BYTES + length]
    version, sequence, network_id, size, root, header_hash, engine_height = as_array(decode(content, SLOT_BYTES), "a marker", 7)
    if as_int(version, "version") != _VERSION:
        raise MarkerDamagedError("a slot of the marker has an unknown version")
    mark = Mark(
        as_hash(network_id, "network id"),
        as_int(size, "size", 1),
        as_hash(root, "root"),
        as_hash(header_hash, "header hash"),
        as_int(engine_height, "engine height"),
    )
    return as_int(sequence, "sequence", 1), mark
