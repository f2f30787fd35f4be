"""Backups: one file with everything of a ledger that cannot be derived, taken beside a node that may be running.

A backup holds what the marker acknowledges of the block log, the certificates, and small files of the node that the caller adds. It never
holds the cosigner's memory, keys or secrets. Every block is verified while it is copied, so a damaged log gives no backup, and a checksum
covers every byte of the file. It is unpacked into a data folder that `LedgerStore` opens; what the node may then do is `Continuation`.

Specification: docs/spec/storage.md, "Backup" (STO-018, STO-019); why it is so: docs/adr/0013-backup.md.
"""

import contextlib
import fcntl
import hashlib
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Final

from yunhe.errors import (
    BackupDamagedError,
    BackupExistsError,
    BackupNotCompleteError,
    BackupNotFoundError,
    CosignerMemoryDamagedError,
    FolderInUseError,
    InvalidInputError,
)
from yunhe.ledger.codec import as_array, as_hash, as_int, as_text, decode, encode
from yunhe.ledger.genesis import Genesis
from yunhe.storage import files
from yunhe.storage.certificates import CERTIFICATE_NAME, Certificates
from yunhe.storage.cosigner_memory import Memory, Restored, SignedTree, read_memory, write_memory
from yunhe.storage.data_folder import DataFolder, FolderLock
from yunhe.storage.log_reader import LogReader
from yunhe.storage.log_scan import SEGMENT_NAME
from yunhe.storage.marker import Mark, Marker
from yunhe.storage.segment_format import SEGMENT_HEADER_BYTES
from yunhe.storage.state_checkpoint import CHECKPOINT_NAME, base_height, checkpoint_path, verify_checkpoint
from yunhe.storage.transaction_index import Progress

_MAGIC: Final = b"YUNHEBAK"
_FORMAT: Final = "yunhe-backup"
_VERSION: Final = 1
_HEAD_BYTES: Final = len(_MAGIC) + 4
_CHECKSUM_BYTES: Final = 32
_MANIFEST_BYTES_MAX: Final = 64 * 1024 * 1024
_CHUNK_BYTES: Final = 1024 * 1024
_ADVICE: Final = "take another backup"
_NAMES: Final = {
    "blocks": SEGMENT_NAME,
    "headers": SEGMENT_NAME,
    "checkpoint": CHECKPOINT_NAME,
    "certificates": CERTIFICATE_NAME,
}
"""Folders of the data folder that are in a backup, and names of the files there."""
_NODE_FILE: Final = re.compile(r"node/[a-z]+\.[a-z]+", re.ASCII)


class Continuation(Enum):
    """What the owner of a backup says about what followed it (STO-018)."""

    HELD = "nothing: the ledger can be read, and decides and signs nothing"
    COMPLETE = "nothing followed: the backup was made when the node had stopped for good"
    ROLLED_BACK = "what followed is given up: the ledger goes on, and the keys that may have signed what followed sign nothing more"


@dataclass(frozen=True, slots=True)
class _Part:
    """A file in a backup."""

    name: str
    size: int


class Backup:
    """A backup whose every byte was read and fits its checksum."""

    def __init__(self, path: Path, mark: Mark, is_complete: bool, places: Mapping[str, tuple[int, int]]) -> None:
        self.path = path
        self.mark = mark
        """What was acknowledged when it was made."""
        self.is_complete = is_complete
        """Whether the node was stopped and everything that it had cosigned was known and is in it."""
        self._places = places

    @classmethod
    def open(cls, path: Path) -> "Backup":
        """Read a backup from end to end.

        Raises:
            BackupNotFoundError: there is no such file.
            BackupDamagedError: it is cut short, altered, or no backup of this version.
            DiskFailedError: it cannot be read.
        """
        if not path.is_file():
            raise BackupNotFoundError(f"there is no backup {path}")
        with files.opened_for_reading(path) as descriptor:
            # STO-019
            total = os.fstat(descriptor).st_size
            head = files.read_at(descriptor, path, 0, _HEAD_BYTES)
            if head[: len(_MAGIC)] != _MAGIC[: len(head)] or not head:
                raise BackupDamagedError(f"{path} is not a backup of a ledger")
            length = int.from_bytes(head[len(_MAGIC) :], "big")
            if len(head) < _HEAD_BYTES or total < _HEAD_BYTES + length + _CHECKSUM_BYTES:
                raise BackupDamagedError(f"{path} is cut short; {_ADVICE}")
            covered = hashlib.sha256()
            for chunk in _chunks(descriptor, path, 0, total - _CHECKSUM_BYTES):
                covered.update(chunk)
            if covered.digest() != files.read_at(descriptor, path, total - _CHECKSUM_BYTES, _CHECKSUM_BYTES):
                raise BackupDamagedError(f"{path} is cut short or altered: its checksum does not fit; {_ADVICE}")
            manifest = files.read_at(descriptor, path, _HEAD_BYTES, min(length, _MANIFEST_BYTES_MAX + 1))
        try:
            mark, is_complete, parts = _decode_manifest(manifest)
        except InvalidInputError as error:
            raise BackupDamagedError(f"{path} is none that this version of Yunhe made ({error.message})") from error
        offset = _HEAD_BYTES + length
        places = {}
        for part in parts:
            places[part.name] = (offset, part.size)
            offset += part.size
        if offset != total - _CHECKSUM_BYTES or len(places) != len(parts):
            raise BackupDamagedError(f"{path} is none that this version of Yunhe made (its parts are not those of its list)")
        return cls(path, mark, is_complete, places)

    def read(self, name: str) -> bytes:
        """Return one of the node's files, by its name.

        Raises:
            BackupDamagedError: it has no such file.
        """
        place = self._places.get(f"node/{name}")
        if place is None:
            raise BackupDamagedError(f"{self.path} has no {name}")
        with files.opened_for_reading(self.path) as descriptor:
            return files.read_at(descriptor, self.path, *place)

    def unpack_ledger(self, folder: Path) -> None:
        """Write segments and certificates into a folder; durable on return."""
        with files.opened_for_reading(self.path) as descriptor:
            for name, (offset, size) in self._places.items():
                if not _NODE_FILE.fullmatch(name):
                    target = folder / name
                    files.make_folders(target.parent)
                    _write_new(target, _chunks(descriptor, self.path, offset, size))


def write_backup(folder: DataFolder, genesis: Genesis, node_files: Mapping[str, bytes], target: Path, progress: Progress) -> Mark:
    """Write a backup of a ledger; the node may be running. A crash leaves no file of this name.

    Args:
        folder: the data folder.
        genesis: of the network.
        node_files: small files to put beside it, by name.
        target: the backup; must not exist.
        progress: is told of every block.

    Returns:
        What the backup holds.

    Raises:
        BackupExistsError: something has that name, or another process is writing a backup of that name.
        ConfigurationError: the folder is of another format or network.
        CorruptionError: the ledger is not what was written: a backup of it would be none.
        DiskFullError: no room for it.
        DiskFailedError: the system refused.
    """
    with _file_to_be(target) as (descriptor, partial), _stopped(folder.path) as is_stopped:
        reader = LogReader.open(folder.path, genesis)
        certificates = Certificates(folder.certificates, genesis.network_id, reader.log, reader.header)
        # The last one may be that of a block above the mark, or be made again at the next start.
        kept = [size for size in certificates.sizes() if size <= reader.size]
        for size in kept:
            certificates.read(size)
        contents = {f"certificates/{size:020}.certificate": (folder.certificates / f"{size:020}.certificate").read_bytes() for size in kept}
        contents |= {f"node/{name}": data for name, data in node_files.items()}
        parts = [_Part(name, len(data)) for name, data in contents.items()]
        parts += [
            _Part(f"{segment.path.parent.name}/{segment.path.name}", _end(segment.offsets, segment.end, count))
            for segment, count in reader.segments
        ]
        base = base_height(reader.checkpoints, reader.oldest)
        state = checkpoint_path(reader.checkpoints, base) if base >= 0 else None
        if state is not None:
            verify_checkpoint(reader.checkpoints, genesis.network_id, base)
            parts.append(_Part(f"checkpoint/{state.name}", _size(state)))
        manifest = _encode_manifest(reader.mark, is_stopped and _knows_what_it_signed(folder, genesis, reader), parts)

        def everything() -> Iterator[bytes]:
            yield _MAGIC + len(manifest).to_bytes(4, "big") + manifest
            yield from contents.values()
            yield from _log_bytes(reader, progress)
            if state is not None:
                with files.opened_for_reading(state) as source:
                    yield from _chunks(source, state, 0, _size(state))

        _write(descriptor, partial, _with_checksum(everything()))
        files.rename(partial, target)
        files.sync_directory(target.parent)
        return reader.mark


def unpack_backup(backup: Backup, genesis: Genesis, path: Path, continuation: Continuation, memory: Path | None) -> None:
    """Make a data folder out of a backup; everything in it is durable on return, and the derived state is still to be made.

    Args:
        backup: of the network.
        genesis: of the network.
        path: a folder that does not exist yet.
        continuation: what its owner says about what followed.
        memory: the cosigner's memory of the node that was backed up, where that was saved; then what it cosigned is known.

    Raises:
        BackupNotCompleteError: the node ran, or what it had cosigned was not known, when the backup was made.
        CosignerMemoryDamagedError: the saved memory is not one of this network.
    """
    folder = DataFolder(path)
    mark = backup.mark
    # STO-018
    if continuation is Continuation.COMPLETE and not backup.is_complete:
        raise BackupNotCompleteError(
            f"{backup.path} was made while the node ran, or while it was not known what the node had cosigned, so blocks may have "
            "followed it; restore it without --complete to look at it, or with --roll-back to give up what followed"
        )
    if memory is not None:
        written = read_memory(memory, genesis.network_id)
    elif continuation is Continuation.COMPLETE:
        written = Memory(SignedTree(mark.size, mark.root))
    else:
        written = Memory(SignedTree(mark.size, mark.root), Restored(continuation is Continuation.HELD, is_met=False, barred=()))
    files.make_folders(path)
    backup.unpack_ledger(path)
    Marker.create(folder.marker, mark).close()
    write_memory(folder.cosigner, genesis.network_id, written)
    folder.write_format(genesis.network_id)


@contextlib.contextmanager
def _file_to_be(target: Path) -> Iterator[tuple[int, Path]]:
    """Make the file that a backup is written to before it has its name; it is gone at the end if it has not got it.

    It is locked as long as it is written to, so that of two who make a backup of one name the second is refused; what a crash left of one
    is not locked, and begun anew.
    """
    if target.exists():
        raise BackupExistsError(f"{target} exists; a backup is never written over another file")
    partial = target.with_name(target.name + ".partial")
    with files.named_refusals(partial):
        descriptor = os.open(partial, os.O_RDWR | os.O_CREAT, 0o640)
    try:
        _lock(descriptor, partial, target)
        try:
            files.cut(descriptor, partial, 0)
            yield descriptor, partial
        finally:
            if _is_file(partial, descriptor):
                with contextlib.suppress(OSError):
                    partial.unlink()
    finally:
        os.close(descriptor)


def _lock(descriptor: int, partial: Path, target: Path) -> None:
    with files.named_refusals(partial):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Whoever had the lock until now may have given the file its name, or deleted it.
            is_ours = _is_file(partial, descriptor) and not target.exists()
        except BlockingIOError:
            is_ours = False
    if not is_ours:
        raise BackupExistsError(f"another process is writing the backup {target}; give this one another name")


def _is_file(path: Path, descriptor: int) -> bool:
    """Return whether a name is still that of an open file."""
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


@contextlib.contextmanager
def _stopped(path: Path) -> Iterator[bool]:
    """Keep a stopped node from starting meanwhile; tell whether it is stopped."""
    try:
        lock = FolderLock.acquire(path)
    except FolderInUseError:
        yield False
        return
    try:
        yield True
    finally:
        lock.release()


def _knows_what_it_signed(folder: DataFolder, genesis: Genesis, reader: LogReader) -> bool:
    """Return whether everything that the node cosigned is in the log, for certain."""
    try:
        memory = read_memory(folder.cosigner, genesis.network_id)
    except CosignerMemoryDamagedError:
        return False
    within = memory.last.size <= reader.size and reader.log.is_extension_of(memory.last.size, memory.last.root)
    return memory.restored is None and within


def _end(offsets: Sequence[int], end: int, count: int) -> int:
    """Return where the first `count` frames of a segment end."""
    return end if count == len(offsets) else offsets[count]


def _size(path: Path) -> int:
    with files.named_refusals(path):
        return path.stat().st_size


def _log_bytes(reader: LogReader, progress: Progress) -> Iterator[bytes]:
    """Yield the acknowledged part of each segment, with every block in it verified before it is copied."""
    for segment, count in reader.segments:
        with files.opened_for_reading(segment.path) as descriptor:
            yield files.read_at(descriptor, segment.path, 0, SEGMENT_HEADER_BYTES)
            for index in range(count):
                height, start = segment.first_height + index, segment.offsets[index]
                # Every byte of it is verified in passing.
                reader.stub(height) if segment.is_pruned else reader.record(height)
                yield files.read_at(descriptor, segment.path, start, _end(segment.offsets, segment.end, index + 1) - start)
                progress(height + 1, reader.size)


def _with_checksum(chunks: Iterator[bytes]) -> Iterator[bytes]:
    covered = hashlib.sha256()
    for chunk in chunks:
        covered.update(chunk)
        yield chunk
    yield covered.digest()


def _write_new(path: Path, chunks: Iterator[bytes]) -> None:
    descriptor = files.create(path)
    try:
        _write(descriptor, path, chunks)
    finally:
        os.close(descriptor)
    files.sync_directory(path.parent)


def _write(descriptor: int, path: Path, chunks: Iterator[bytes]) -> None:
    """Write an empty file; its content is durable on return."""
    offset = 0
    for chunk in chunks:
        files.write_at(descriptor, path, offset, chunk)
        offset += len(chunk)
    files.sync(descriptor, path)


def _chunks(descriptor: int, path: Path, offset: int, size: int) -> Iterator[bytes]:
    end = offset + size
    while offset < end:
        chunk = files.read_at(descriptor, path, offset, min(_CHUNK_BYTES, end - offset))
        if not chunk:
            raise BackupDamagedError(f"{path} became shorter while it was read")
        offset += len(chunk)
        yield chunk


def _encode_manifest(mark: Mark, is_complete: bool, parts: Sequence[_Part]) -> bytes:
    listed = [[part.name, part.size] for part in parts]
    position = [mark.network_id, mark.size, mark.root, mark.header_hash, mark.engine_height]
    return encode([_FORMAT, _VERSION, *position, int(is_complete), listed])


def _decode_manifest(data: bytes) -> tuple[Mark, bool, list[_Part]]:
    name, version, network, size, root, header, engine, complete, listed = as_array(decode(data, _MANIFEST_BYTES_MAX), "a manifest", 9)
    if (as_text(name, "format"), as_int(version, "version")) != (_FORMAT, _VERSION):
        raise BackupDamagedError(f"the backup has version {version!r}, and this version of Yunhe reads {_VERSION}")
    mark = Mark(
        as_hash(network, "network id"),
        as_int(size, "size", 1),
        as_hash(root, "root"),
        as_hash(header, "header hash"),
        as_int(engine, "engine height"),
    )
    parts = []
    for item in as_array(listed, "the list of parts"):
        part_name, part_size = as_array(item, "a part", 2)
        part = _Part(as_text(part_name, "name"), as_int(part_size, "size"))
        place, _, file = part.name.partition("/")
        known = _NAMES.get(place)
        if not (_NODE_FILE.fullmatch(part.name) if known is None else known.fullmatch(file)):
            raise BackupDamagedError(f"the backup has a part that is none of a ledger: {part.name!r}")
        parts.append(part)
    return mark, as_int(complete, "complete") == 1, parts
