"""Durable files: the few operations that the block log, the marker and the cosigner's memory are made of.

They exist in one place so that an error of the operating system becomes one of ours once, and so that tests can stop the process between
any two of them. A write is durable only after `sync`; a new, renamed or deleted name only after `sync_directory`. Whoever sees an error
here must not try again on the same file: after a failed fsync the system may have forgotten what it did not write (STO-009).

Specification: docs/spec/storage.md, "Durability".
"""

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from yunhe.errors import DiskFailedError, DiskFullError, DiskReadOnlyError

_NO_ROOM: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


@contextmanager
def named_refusals(path: Path) -> Iterator[None]:
    """Turn what the operating system refuses on `path` into our errors.

    Raises:
        DiskFullError: no room, quota used up, or the file may not grow.
        DiskReadOnlyError: the disk is mounted read-only.
        DiskFailedError: anything else.
    """
    try:
        with disk_refusals(path):
            yield
    except OSError as error:
        raise _failed(path, error) from error


@contextmanager
def disk_refusals(path: Path) -> Iterator[None]:
    """Turn what the disk itself refuses on `path` into our errors; rights, and what is missing, stay as they are.

    Raises:
        DiskFullError: no room, quota used up, or the file may not grow.
        DiskReadOnlyError: the disk is mounted read-only.
        DiskFailedError: it cannot be read or written.
        OSError: anything else.
    """
    # STO-009
    try:
        yield
    except OSError as error:
        if error.errno in _NO_ROOM:
            raise DiskFullError(f"no room to write {path}: {_reason(error)}; make room and start the node again") from error
        if error.errno == errno.EROFS:
            raise DiskReadOnlyError(
                f"the disk of {path} is read-only: the system makes it so when the disk has faults; see the system's log, repair it or "
                "mount it writable, and start the node again"
            ) from error
        if error.errno == errno.EIO:
            raise _failed(path, error) from error
        raise


def _failed(path: Path, error: OSError) -> DiskFailedError:
    return DiskFailedError(f"the system refused an operation on {path}: {_reason(error)}; check the disk and the folder's rights")


def _reason(error: OSError) -> str:
    return error.strerror or str(error)


def create(path: Path, mode: int = 0o640) -> int:
    """Create a file that is not there yet and return its descriptor; the name is durable after `sync_directory`."""
    with named_refusals(path):
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, mode)


def open_existing(path: Path) -> int:
    """Open a file for reading and writing and return its descriptor."""
    with named_refusals(path):
        return os.open(path, os.O_RDWR)


def write_at(descriptor: int, path: Path, offset: int, data: bytes) -> None:
    """Write all of `data` at `offset`; nothing is durable yet."""
    with named_refusals(path):
        view = memoryview(data)
        while view:
            written = os.pwrite(descriptor, view, offset)
            offset += written
            view = view[written:]


def sync(descriptor: int, path: Path) -> None:
    """Make what was written to a file durable, its length included."""
    with named_refusals(path):
        os.fdatasync(descriptor)


def cut(descriptor: int, path: Path, size: int) -> None:
    """Shorten a file; durable after `sync`."""
    with named_refusals(path):
        os.ftruncate(descriptor, size)


def remove(path: Path) -> None:
    """Delete a file; durable after `sync_directory`."""
    with named_refusals(path):
        path.unlink()


def rename(source: Path, target: Path) -> None:
    """Give a file or folder another name, replacing what has that name; durable after `sync_directory`."""
    with named_refusals(target):
        source.rename(target)


def sync_directory(path: Path) -> None:
    """Make the names in a folder durable."""
    with named_refusals(path):
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def make_folders(path: Path) -> None:
    """Make a folder and those above it where they are missing; their names are durable on return."""
    with named_refusals(path):
        if not path.is_dir():
            if path.parent != path:
                make_folders(path.parent)
            path.mkdir()
            sync_directory(path.parent)


def read_at(descriptor: int, path: Path, offset: int, length: int) -> bytes:
    """Read up to `length` bytes at `offset`; fewer only where the file ends."""
    with named_refusals(path):
        data = os.pread(descriptor, length, offset)
        while 0 < len(data) < length:
            more = os.pread(descriptor, length - len(data), offset + len(data))
            if not more:
                break
            data += more
        return data


@contextmanager
def opened_for_reading(path: Path) -> Iterator[int]:
    """Open a file for reading while the block runs."""
    with named_refusals(path):
        descriptor = os.open(path, os.O_RDONLY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def made_whole(path: Path, mode: int = 0o640) -> Iterator[tuple[int, Path]]:
    """Give a new file to write, as descriptor and path; durable under its name when the block ends well, and gone when it does not."""
    fresh = path.with_name(path.name + ".new")
    with named_refusals(fresh):
        fresh.unlink(missing_ok=True)
    descriptor = create(fresh, mode)
    try:
        yield descriptor, fresh
        sync(descriptor, fresh)
    except BaseException:
        # A disk that this has filled is needed by blocks.
        fresh.unlink(missing_ok=True)
        raise
    finally:
        os.close(descriptor)
    rename(fresh, path)
    sync_directory(path.parent)


def replace(path: Path, data: bytes, mode: int = 0o640) -> None:
    """Write a small file so that, whatever happens, the old or the new content is there whole; durable on return."""
    with made_whole(path, mode) as (descriptor, fresh):
        write_at(descriptor, fresh, 0, data)
