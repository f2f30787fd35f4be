"""Backup and restore of a node: the ledger with genesis and configuration, without keys and secrets.

A restored node is whole or not there: everything is made beside its place, verified, and renamed. Keys and secrets are kept and put
back by the operator, because whoever finds a backup must not be able to sign with it. Specification: docs/spec/storage.md, "Backup".
"""

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from yunhe.errors import (
    BackupDamagedError,
    BackupExistsError,
    FolderNotEmptyError,
    InvalidConfigurationError,
    InvalidGenesisError,
    WrongGenesisError,
)
from yunhe.ledger.genesis import Genesis
from yunhe.ledger.layouts import read_certifiers
from yunhe.node.config import FILE_NAME, load_config
from yunhe.node.folder import STORE_FOLDER, NodeFolder
from yunhe.sdk.local_node import GENESIS_FILE
from yunhe.storage import (
    Backup,
    Continuation,
    CosignerMemory,
    DataFolder,
    LedgerStore,
    Progress,
    check_folder,
    files,
    unpack_backup,
    write_backup,
)
from yunhe.storage.marker import Mark

_FILES = (FILE_NAME, GENESIS_FILE)


def back_up(folder: NodeFolder, target: Path, progress: Progress) -> tuple[Path, Mark]:
    """Write a backup of a node, which may be running.

    Args:
        folder: the node's.
        target: a file that does not exist, or a folder, where the backup gets a name of its own.
        progress: is told of every block.

    Returns:
        The backup's file, and what it holds.

    Raises:
        YunheError: as `yunhe.storage.write_backup`, or the folder for it does not exist.
    """
    if not (target if target.is_dir() else target.parent).is_dir():
        raise InvalidConfigurationError(f"there is no folder {target.parent} to write the backup to")
    stored = DataFolder(folder.path / STORE_FOLDER)
    node_files = {name: (folder.path / name).read_bytes() for name in _FILES}
    if not target.is_dir():
        return target, write_backup(stored, folder.genesis, node_files, target, progress)
    number = 1
    while True:
        file = target / _name(folder, number)
        try:
            return file, write_backup(stored, folder.genesis, node_files, file, progress)
        except BackupExistsError:
            # Or another process is writing the one of this number.
            number += 1


def _name(folder: NodeFolder, number: int) -> str:
    return f"{folder.config.organisation}-{folder.config.node}-{number:04}.yunhe-backup"


def restore(source: Path, path: Path, continuation: Continuation, memory: Path | None, progress: Progress) -> tuple[NodeFolder, Mark]:
    """Make a node out of a backup, or put the ledger back into the folder of a node that has none.

    Every block is verified before anything has its place; a crash leaves what was there before.

    Args:
        source: the backup.
        path: a folder that does not exist or is empty, or that of a node whose folder `store` was moved away.
        continuation: what its owner says about what followed the backup (STO-018).
        memory: the file `store/cosigner` of the node that was lost, if it could be saved.
        progress: is told of every block that is checked.

    Raises:
        BackupDamagedError: the backup is cut short, altered, or of a ledger that does not verify.
        WrongGenesisError: the folder belongs to another network.
        FolderNotEmptyError: the folder holds a ledger already, or is no node's.
        DiskFullError: no room.
        YunheError: as `yunhe.storage.unpack_backup`; or the log does not hold what the saved memory says was cosigned.
    """
    backup = Backup.open(source)
    try:
        genesis = Genesis.from_json(backup.read(GENESIS_FILE))
    except InvalidGenesisError as error:
        raise BackupDamagedError(f"{source} has no genesis that this version of Yunhe knows: {error.message}") from error
    if genesis.network_id != backup.mark.network_id:
        raise BackupDamagedError(f"{source} holds the ledger of another network than its genesis")
    is_node = _is_node_without_ledger(path, genesis)
    with _beside(path) as partial:
        for name in () if is_node else _FILES:
            files.replace(partial / name, backup.read(name))
        organisation = load_config((path if is_node else partial) / FILE_NAME).organisation
        store = partial / STORE_FOLDER
        unpack_backup(backup, genesis, store, continuation, memory)
        check_folder(store, genesis, progress, scratch=partial)
        with LedgerStore.open(store, genesis) as opened:
            own = read_certifiers(opened.reader()).find(organisation)
        if own is not None:
            CosignerMemory.open(store / "cosigner", genesis.network_id).bar(own.public_key)
        if is_node:
            store.rename(path / STORE_FOLDER)
            files.sync_directory(path)
        else:
            for name in ("keys", "secrets", "run", "log"):
                (partial / name).mkdir(mode=0o700)
            for made in (partial, *(inner for inner in partial.iterdir() if inner.is_dir())):
                files.sync_directory(made)
            with contextlib.suppress(FileNotFoundError):
                path.rmdir()
            partial.rename(path)
            files.sync_directory(path.parent)
    return NodeFolder.load(path), backup.mark


def _is_node_without_ledger(path: Path, genesis: Genesis) -> bool:
    """Tell whether the ledger of this network goes into a node's folder, or a folder is to be made."""
    if not path.exists() or (path.is_dir() and not any(path.iterdir())):
        return False
    if (path / STORE_FOLDER).exists():
        raise FolderNotEmptyError(f"{path / STORE_FOLDER} holds a ledger; move it away first, and keep it: nothing is written over it")
    if not (path / FILE_NAME).is_file():
        raise FolderNotEmptyError(f"{path} is not empty and no node's; name a folder that does not exist yet")
    found = NodeFolder.load(path).genesis
    if found.network_id != genesis.network_id:
        raise WrongGenesisError(
            f"the backup is of the network {genesis.network_id.hex()}, the folder {path} of {found.network_id.hex()}; "
            "give the backup and the folder that belong together"
        )
    return True


@contextlib.contextmanager
def _beside(path: Path) -> Iterator[Path]:
    """Make a folder beside a path, on the same disk, that is gone at the end whatever happens; what the system refuses is named."""
    try:
        with files.disk_refusals(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            partial = Path(tempfile.mkdtemp(prefix=f".{path.name}-", dir=path.parent))
            try:
                yield partial
            finally:
                shutil.rmtree(partial, ignore_errors=True)
    except OSError as error:
        raise InvalidConfigurationError(f"{path} cannot be made: {error.strerror}; see to the folder's rights") from error
