"""The data folder: its layout, the lock that keeps a second node out, and the file that names its format.

    FORMAT         {"format": "yunhe-store", "version": 1, "network_id": "<hex>"}
    LOCK           locked while a process has the folder open; holds its number
    marker         how far the block log was acknowledged
    blocks/        segments of the block log
    state/         derived state; can be deleted while the node is stopped
    cosigner       what the node's cosigner signed last
    certificates/  checkpoints that proofs need for ever
    headers/       segments of pruned blocks: headers, and the leaves of their transactions
    checkpoint/    the state that the oldest block that is kept whole goes on from, once blocks were pruned

Specification: docs/spec/storage.md, "Data folder" (STO-001, STO-002).
"""

import fcntl
import json
import os
from pathlib import Path
from typing import Final

from yunhe.errors import FolderInUseError, StoreFormatError, StoreNotFoundError, WrongGenesisError
from yunhe.storage import files
from yunhe.storage.log_scan import headers_folder

FORMAT_NAME: Final = "yunhe-store"
FORMAT_VERSION: Final = 1
"""Version of everything in the folder that is not derived."""

_FORMAT_FILE: Final = "FORMAT"
_LOCK_FILE: Final = "LOCK"
_FORMAT_BYTES_MAX: Final = 1024


class DataFolder:
    """Paths of one data folder."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.blocks = path / "blocks"
        self.marker = path / "marker"
        self.state = path / "state"
        self.cosigner = path / "cosigner"
        self.certificates = path / "certificates"
        self.headers = headers_folder(self.blocks)
        self.checkpoints = path / "checkpoint"
        self.folders = (self.blocks, self.headers, self.checkpoints, self.certificates, self.state)
        self.files = (path / _FORMAT_FILE, path / _LOCK_FILE, self.marker, self.cosigner)

    def write_format(self, network_id: bytes) -> None:
        """Write the file that names the format; durable on return."""
        content = {"format": FORMAT_NAME, "version": FORMAT_VERSION, "network_id": network_id.hex()}
        files.replace(self.path / _FORMAT_FILE, (json.dumps(content) + "\n").encode("ascii"))

    def check_format(self, network_id: bytes) -> None:
        """Check that this version of Yunhe can read the folder and that it belongs to the network.

        Raises:
            StoreNotFoundError: there is no store.
            StoreFormatError: the format is another one, or the file is unreadable.
            WrongGenesisError: the store is of another network.
        """
        path = self.path / _FORMAT_FILE
        if not path.is_file():
            if self.blocks.exists() or self.marker.exists():
                raise StoreFormatError(f"{path} is missing but the folder holds a store; put the file back")
            raise StoreNotFoundError(
                f"there is no store in {self.path}; make one with `yunhe node init`, or `yunhe node restore` from a backup"
            )
        with files.opened_for_reading(path) as descriptor:
            data = files.read_at(descriptor, path, 0, _FORMAT_BYTES_MAX + 1)
        # STO-001
        try:
            content = json.loads(data.decode("utf-8"))
        except (ValueError, RecursionError) as error:
            raise StoreFormatError(f"{path} is not readable as JSON; put back the file that was there") from error
        if not isinstance(content, dict) or content.get("format") != FORMAT_NAME:
            raise StoreFormatError(f"{path} is not the format file of a Yunhe store")
        version = content.get("version")
        if type(version) is not int or version != FORMAT_VERSION:
            raise StoreFormatError(
                f"the store in {self.path} has format version {version!r} and this version of Yunhe reads {FORMAT_VERSION}; "
                "run the version of Yunhe that made it, or move the data over with that version's export"
            )
        if set(content) != {"format", "version", "network_id"} or not isinstance(content["network_id"], str):
            raise StoreFormatError(f"{path} has other fields than format, version and network_id; put back the file that was there")
        if content["network_id"] != network_id.hex():
            raise WrongGenesisError(
                f"the store in {self.path} belongs to the network {content['network_id'][:64]}, the genesis file to {network_id.hex()}; "
                "give the folder and the genesis file that belong together"
            )


def lock_segments(blocks: Path, *, alone: bool = False) -> int:
    """Hold off whoever deletes segments, or be the one who does, until the descriptor that is returned is closed.

    Args:
        blocks: folder of the segments.
        alone: whether nobody may read beside the node meanwhile.

    Raises:
        FolderInUseError: alone, and somebody reads.
    """
    with files.named_refusals(blocks):
        descriptor = os.open(blocks, os.O_RDONLY | os.O_DIRECTORY)
    # STO-037
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB if alone else fcntl.LOCK_SH)
    except BlockingIOError as error:
        os.close(descriptor)
        raise FolderInUseError(f"a backup or a replay is reading {blocks}; prune when it is over") from error
    return descriptor


class FolderLock:
    """An exclusive lock on a data folder; the system releases it when the process ends, however it ends."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor: int | None = descriptor

    @classmethod
    def acquire(cls, folder: Path) -> "FolderLock":
        """Lock a folder that exists.

        Raises:
            StoreNotFoundError: there is no such folder.
            FolderInUseError: another process has it.
        """
        path = folder / _LOCK_FILE
        if not folder.is_dir():
            raise StoreNotFoundError(
                f"there is no folder {folder}; make a store with `yunhe node init`, or `yunhe node restore` from a backup"
            )
        with files.named_refusals(path):
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o640)
        # STO-002
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            holder = os.pread(descriptor, 20, 0).decode("ascii", "replace").strip()
            os.close(descriptor)
            named = f"process {holder}" if holder.isdigit() else "another process"
            raise FolderInUseError(
                f"{named} has the data folder {folder} open; stop that node first (`yunhe node stop`), or give this one its own folder"
            ) from error
        holder = f"{os.getpid()}\n"
        with files.named_refusals(path):
            # In this order because cutting a file to nothing makes some systems wait for the disk.
            os.pwrite(descriptor, holder.encode("ascii"), 0)
            os.ftruncate(descriptor, len(holder))
        return cls(descriptor)

    def release(self) -> None:
        """Release the lock; a second call does nothing."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
