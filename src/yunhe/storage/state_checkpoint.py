"""The state that a pruned ledger goes on from: all records after the last pruned block, in one file.

It takes the place of the write sets that were pruned. Its checksum finds damage; that it is the right state follows from the root in the
header of its block, which is compared whenever a state is made of it. The index of transactions is made of what is kept of the blocks.

    checkpoint = "YUNHESTA" ‖ version 1 (4 bytes) ‖ height (8) ‖ network id (32) ‖ entry… ‖ 0 (6) ‖ SHA-256 of all before it
    entry      = length of the key (2) ‖ length of the record (4) ‖ key ‖ record

Specification: docs/spec/storage.md, "Pruning" (STO-034).
"""

import hashlib
import re
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, Final

from yunhe.errors import InvalidInputError, StateCheckpointDamagedError
from yunhe.ledger.interfaces import StateReader, Write
from yunhe.limits import HASH_BYTES, RECORD_BYTES_MAX, STATE_KEY_BYTES_MAX
from yunhe.storage import files
from yunhe.storage.block_record import BlockStub
from yunhe.storage.state_store import StateStore
from yunhe.storage.transaction_index import Progress, index_entries

CHECKPOINT_NAME: Final = re.compile(r"([0-9]{20})\.state", re.ASCII)
"""Name of the file: the height of the block that the state is after."""

_MAGIC: Final = b"YUNHESTA"
_VERSION: Final = 1
_HEAD: Final = struct.Struct(f">8sIQ{HASH_BYTES}s")
_ENTRY: Final = struct.Struct(">HI")
_END: Final = bytes(_ENTRY.size)
_ROWS: Final = 1000
"""Records that are read at once."""
_BATCH_BYTES: Final = 16 * 1024 * 1024
"""Records that go into a state at once."""
_BATCH_IDS: Final = 10_000
_ADVICE: Final = "restore the ledger from a backup with `yunhe node restore`"


def checkpoint_path(folder: Path, height: int) -> Path:
    """Return the file of the state after a block."""
    return folder / f"{height:020}.state"


def write_checkpoint(folder: Path, network_id: bytes, height: int, state: StateReader) -> None:
    """Write the state after a block; durable on return, and whole or not there.

    Args:
        folder: where; made where it is missing.
        network_id: whose.
        height: of the block.
        state: after it.
    """
    files.make_folders(folder)
    with files.made_whole(checkpoint_path(folder, height)) as (descriptor, fresh):
        covered = hashlib.sha256()
        offset = 0
        for chunk in _chunks(network_id, height, state):
            covered.update(chunk)
            files.write_at(descriptor, fresh, offset, chunk)
            offset += len(chunk)
        files.write_at(descriptor, fresh, offset, covered.digest())


def _chunks(network_id: bytes, height: int, state: StateReader) -> Iterator[bytes]:
    yield _HEAD.pack(_MAGIC, _VERSION, height, network_id)
    start = b"\x00"
    while rows := state.scan(start, b"\xff" * (STATE_KEY_BYTES_MAX + 1), _ROWS):
        yield b"".join(_ENTRY.pack(len(key), len(record)) + key + record for key, record in rows)
        start = rows[-1][0] + b"\x00"
    yield _END


def base_height(folder: Path, oldest: int, height_max: int | None = None) -> int:
    """Return the height of the block that a kept state is after; -1 when nothing was pruned.

    After a crash, or a pruning that was put off, it can be above the oldest whole block: the state is there before the first block goes,
    and the one from which the blocks go on is there until the last has gone.

    Args:
        folder: of checkpoints.
        oldest: height of the oldest whole block.
        height_max: the newest that is wanted; None for any. It is no use below the block before the oldest.

    Raises:
        StateCheckpointDamagedError: there is no state for the blocks that are kept.
    """
    if oldest == 0:
        return -1
    with files.named_refusals(folder):
        names = [match[1] for path in (folder.iterdir() if folder.is_dir() else ()) if (match := CHECKPOINT_NAME.fullmatch(path.name))]
    heights = [int(name) for name in names]
    # STO-034
    if max(heights, default=-1) < oldest - 1:
        raise StateCheckpointDamagedError(f"{checkpoint_path(folder, oldest - 1)} is missing, which block {oldest} goes on from; {_ADVICE}")
    # STO-035
    wanted = [height for height in heights if height >= oldest - 1 and (height_max is None or height <= height_max)]
    return max(wanted, default=max(heights))


def verify_checkpoint(folder: Path, network_id: bytes, height: int) -> None:
    """Read every byte of a kept state.

    Raises:
        StateCheckpointDamagedError: it is not what was written.
    """
    path = checkpoint_path(folder, height)
    with files.named_refusals(path), path.open("rb") as file:
        for _ in _entries(file, path, network_id, height):
            pass


def fill_state(  # one for each thing that is kept of what was pruned
    store: StateStore,
    folder: Path,
    network_id: bytes,
    base: int,
    stub_at: Callable[[int], BlockStub],
    state_root: bytes,
    progress: Progress,
) -> None:
    """Make the kept state in an empty store, with the index of all transactions up to its block.

    Args:
        store: empty.
        folder: of checkpoints.
        network_id: whose.
        base: height of the block that the state is after.
        stub_at: returns what is kept of a block.
        state_root: in the header of that block.
        progress: is told of blocks.

    Raises:
        StateCheckpointDamagedError: the file is not what was written, or not the state of that block.
    """
    path = checkpoint_path(folder, base)
    # STO-034
    with files.named_refusals(path), path.open("rb") as file:
        entries = _entries(file, path, network_id, base)
        index: list[tuple[bytes, bytes]] = []
        for height in range(base + 1):
            writes = _batch(entries, 1 << 62 if height == base else _BATCH_BYTES)
            index += index_entries(height, stub_at(height).transaction_ids)
            if writes or len(index) >= _BATCH_IDS or height == base:
                _apply(store, height, writes, index, path)
                index = []
            progress(height + 1, base + 1)
    if store.head()[1] != state_root:
        raise StateCheckpointDamagedError(f"{path} is not the state after block {base}; {_ADVICE}")


def _apply(store: StateStore, height: int, writes: list[Write], index: list[tuple[bytes, bytes]], path: Path) -> None:
    try:
        store.stage(height, writes)
    except InvalidInputError as error:
        raise StateCheckpointDamagedError(f"{path} has what no state can have: {error.message}; {_ADVICE}") from error
    store.apply(index, False)
    store.prune(height)


def _batch(entries: Iterator[tuple[bytes, bytes]], bytes_max: int) -> list[Write]:
    batch: list[Write] = []
    size = 0
    for key, record in entries:
        batch.append((key, record))
        size += len(key) + len(record)
        if size >= bytes_max:
            break
    return batch


def _entries(file: BinaryIO, path: Path, network_id: bytes, height: int) -> Iterator[tuple[bytes, bytes]]:
    """Yield all records; what is wrong with the file shows at its end at the latest."""
    covered = hashlib.sha256()

    def read(length: int) -> bytes:
        data = file.read(length)
        if len(data) < length:
            raise StateCheckpointDamagedError(f"{path} is cut short; {_ADVICE}")
        covered.update(data)
        return data

    if read(_HEAD.size) != _HEAD.pack(_MAGIC, _VERSION, height, network_id):
        raise StateCheckpointDamagedError(f"{path} is none of this block, network and version; {_ADVICE}")
    while (head := read(_ENTRY.size)) != _END:
        key_bytes, record_bytes = _ENTRY.unpack(head)
        if record_bytes > RECORD_BYTES_MAX or not 0 < key_bytes <= STATE_KEY_BYTES_MAX:
            raise StateCheckpointDamagedError(f"{path} is not what was written; {_ADVICE}")
        yield read(key_bytes), read(record_bytes)
    checksum = covered.digest()
    if file.read(HASH_BYTES + 1) != checksum:
        raise StateCheckpointDamagedError(f"{path} is not what was written: its checksum does not fit; {_ADVICE}")
