"""Pruning: whole segments of old blocks give way to their headers, from the oldest on.

What the ledger owes for ever stays: the headers, the leaves of all transactions (so that every id stays used and a header's root can be
compared), certificates, and the state, as of the last pruned block, from which the kept blocks go on. What goes is what transactions said,
their receipts and events, and the write sets.

The state is made from the block log and compared with its header before anything goes; then the segments are written in their short form,
made durable, and only then deleted, oldest first.
So whatever moment a crash strikes, every block is there in one form, and the state to go on from is there.

Specification: docs/spec/storage.md, "Pruning" (STO-033 to STO-037); reasons: docs/adr.
"""

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from yunhe.crypto import ChainHash
from yunhe.errors import DiskFullError
from yunhe.ledger.genesis import Genesis
from yunhe.ledger.header import Header
from yunhe.ledger.layouts import read_parameters
from yunhe.limits import DISK_FREE_BYTES_MIN
from yunhe.storage import files
from yunhe.storage.block_files import read_record
from yunhe.storage.block_record import BlockStub
from yunhe.storage.data_folder import DataFolder, lock_segments
from yunhe.storage.ledger_store import LedgerStore
from yunhe.storage.log_reader import LogReader
from yunhe.storage.log_scan import Segment
from yunhe.storage.past_state import SCRATCH_PREFIX, past_state
from yunhe.storage.segment_format import encode_frame, encode_segment_header
from yunhe.storage.state_checkpoint import CHECKPOINT_NAME, base_height, checkpoint_path, write_checkpoint
from yunhe.storage.state_store import StateStoreOpener, open_native_store
from yunhe.storage.transaction_index import Progress


@dataclass(frozen=True, slots=True)
class PrunePolicy:
    """What may go; with neither bound nothing may."""

    keep_ms: int | None = None
    """Blocks that are older than this, by the last block's time, may go."""
    keep_bytes: int | None = None
    """The oldest may go as long as the whole blocks have more bytes than this."""
    keep_from: int | None = None
    """Blocks from this height on are still needed."""


@dataclass(frozen=True, slots=True)
class Pruned:
    """What was pruned, or would be."""

    oldest_before: int
    """Height of the oldest block that was kept whole before."""
    oldest: int
    """Height of the oldest one afterwards."""
    segments: int
    """Segments that give way."""
    bytes: int
    """Bytes that they had."""


def prune_folder(  # one for each thing that a caller decides
    path: Path,
    genesis: Genesis,
    policy: PrunePolicy,
    progress: Progress,
    *,
    dry_run: bool = False,
    scratch: Path | None = None,
    opener: StateStoreOpener = open_native_store,
) -> Pruned:
    """Prune the ledger of a stopped node.

    Args:
        path: the data folder.
        genesis: of the network.
        policy: what may go.
        progress: is told of blocks.
        dry_run: whether nothing is to be changed.
        scratch: folder for the state that is made, which needs as much room as the state has; by default the system's.
        opener: opens states.

    Returns:
        What was pruned, or would be.

    Raises:
        FolderInUseError: a node has it open; or a backup or replay reads it.
        DiskFullError: no room for the state; nothing was pruned.
        YunheError: as `LedgerStore.open`, or a block that has to be read is not what was written.
    """
    with LedgerStore.open(path, genesis, progress, opener) as store:
        return prune_store(store, path, genesis, policy, progress, dry_run=dry_run, scratch=scratch, opener=opener)


def prune_store(  # as above
    store: LedgerStore,
    path: Path,
    genesis: Genesis,
    policy: PrunePolicy,
    progress: Progress,
    *,
    dry_run: bool = False,
    scratch: Path | None = None,
    opener: StateStoreOpener = open_native_store,
) -> Pruned:
    """Prune the ledger of an open store, which may be used meanwhile; one call at a time. As `prune_folder`."""
    log = LogReader.open(path, genesis)
    try:
        going = _going(log, store, policy)
        found = Pruned(
            log.oldest,
            going[-1].first_height + len(going[-1].offsets) if going else log.oldest,
            len(going),
            sum(segment.end for segment in going),
        )
        if dry_run or not going:
            return found
        folder = DataFolder(path)
        _sweep(folder, scratch)
        _require_room(folder)
        # STO-034: from then on the kept state need not be made from the blocks that go.
        store.sync_state()
        base = max(found.oldest - 1, base_height(folder.checkpoints, log.oldest))
        if not checkpoint_path(folder.checkpoints, base).is_file():
            with past_state(log, base, genesis, progress, opener=opener, scratch=scratch) as state:
                write_checkpoint(folder.checkpoints, genesis.network_id, base, state)
        files.make_folders(folder.headers)
        short = [_shorten(segment, folder.headers, genesis, log.header) for segment in going]
    finally:
        log.close()
    lock = lock_segments(folder.blocks, alone=True)
    try:
        for segment, kept in zip(going, short, strict=True):
            # STO-035: who looks from here on finds the short form.
            store.shorten(kept)
            files.remove(segment.path)
            files.sync_directory(folder.blocks)
    finally:
        os.close(lock)
    _drop_older(folder.checkpoints, base)
    return found


def _sweep(folder: DataFolder, scratch: Path | None) -> None:
    """Delete what a pruning left that a crash ended: it can be as large as the state."""
    for place in (folder.checkpoints, folder.headers):
        with files.named_refusals(place):
            left = list(place.glob("*.new")) if place.is_dir() else []
        for path in left:
            files.remove(path)
    if scratch is not None:
        for path in scratch.glob(f"{SCRATCH_PREFIX}*"):
            shutil.rmtree(path, ignore_errors=True)


def _require_room(folder: DataFolder) -> None:
    """Check that the disk has room for a state of its own and for its checkpoint, and that blocks still have theirs.

    Raises:
        DiskFullError: it has not.
    """
    with files.named_refusals(folder.path):
        state = sum(path.stat().st_size for path in folder.state.rglob("*") if path.is_file())
        free = shutil.disk_usage(folder.path).free
    if free < (needed := 2 * state + DISK_FREE_BYTES_MIN):
        raise DiskFullError(f"pruning needs {needed} bytes of free disk for the state that it keeps, and {free} are free; make room first")


def _going(log: LogReader, store: LedgerStore, policy: PrunePolicy) -> list[Segment]:
    """Return the segments that may give way, oldest first."""
    whole = [segment for segment, _ in log.segments if not segment.is_pruned]
    head = store.head()
    parameters = read_parameters(store.reader())
    # STO-036: who tries again within the window gets the first receipt, proofs of records are to be had for so many heights, and the
    # newest segment is being written.
    needed = min(head.height - parameters.state_history_blocks, head.height if policy.keep_from is None else policy.keep_from)
    newest_ms = head.time_ms - parameters.validity_window_ms
    size = sum(segment.end for segment in whole)
    going: list[Segment] = []
    for segment in whole[:-1]:
        last = segment.first_height + len(segment.offsets) - 1
        time_ms = log.header(last).time_ms
        is_old = policy.keep_ms is not None and time_ms < head.time_ms - policy.keep_ms
        is_too_much = policy.keep_bytes is not None and size > policy.keep_bytes
        if last >= needed or time_ms >= newest_ms or not (is_old or is_too_much):
            break
        going.append(segment)
        size -= segment.end
    return going


def _shorten(segment: Segment, folder: Path, genesis: Genesis, header_at: Callable[[int], Header]) -> Segment:
    """Write a segment's blocks in their short form, and return it; durable on return, and whole or not there."""
    path = folder / segment.path.name
    short = Segment(path, segment.first_height, is_pruned=True)
    with files.made_whole(path) as (descriptor, fresh):
        start = encode_segment_header(genesis.network_id, segment.first_height)
        files.write_at(descriptor, fresh, 0, start)
        for height, offset in enumerate(segment.offsets, segment.first_height):
            header_hash = header_at(height).hash(genesis.chain_hash)
            frame = encode_frame(height, header_hash, _short(segment.path, offset, height, header_hash, genesis.chain_hash))
            files.write_at(descriptor, fresh, short.end, frame)
            short.offsets.append(short.end)
            short.end += len(frame)
    return short


def _short(path: Path, offset: int, height: int, header_hash: bytes, chain_hash: ChainHash) -> bytes:
    return BlockStub.of(read_record(path, offset, height, header_hash, chain_hash), chain_hash).encode()


def _drop_older(folder: Path, height: int) -> None:
    """Delete the states that earlier prunings left."""
    with files.named_refusals(folder):
        others = [path for path in folder.iterdir() if CHECKPOINT_NAME.fullmatch(path.name) and path != checkpoint_path(folder, height)]
    for path in others:
        files.remove(path)
    files.sync_directory(folder)
