"""The store of one ledger: block log, marker and derived state behind one face.

`commit` is the moment of truth: the block's record is durable, then the marker, then it counts as acknowledged; the derived state follows
without an fsync, because the log can make it again. A commit that fails in any step halts the store: nothing more is staged or committed
until it is opened again, which finds out what became durable.

Blocks can be staged on one another before the lowest is committed. Reads see what is staged, readers of the committed state do not; it
looks up blocks, transactions and receipts. One thread stages, one commits; everything that only reads may be called from any thread.

Specification: docs/spec/storage.md (STO-008 to STO-013); ledger rules LED-011, LED-014, LED-031, LED-040.
"""

import threading
from collections import deque
from collections.abc import Collection, Sequence
from pathlib import Path
from types import TracebackType
from typing import Final

from yunhe.crypto import ChainHash
from yunhe.errors import (
    BlockNotFoundError,
    CommitOrderError,
    DerivedStateDamagedError,
    HistoryGoneError,
    StoreExistsError,
    StoreHaltedError,
)
from yunhe.ledger.genesis import Genesis
from yunhe.ledger.header import Header
from yunhe.ledger.interfaces import Write
from yunhe.ledger.merkle import MerkleLog
from yunhe.ledger.receipt import Receipt
from yunhe.ledger.state_tree import StateProof
from yunhe.ledger.transaction import Transaction
from yunhe.ledger.transition import LedgerBlock
from yunhe.limits import SEGMENT_BYTES_MAX
from yunhe.storage import files
from yunhe.storage.block_files import BlockFiles, NewRecord, transaction_pruned
from yunhe.storage.block_record import BlockRecord
from yunhe.storage.data_folder import DataFolder, FolderLock
from yunhe.storage.derived_state import DerivedState, prune_history
from yunhe.storage.log_scan import Segment, scan_log
from yunhe.storage.marker import Mark, Marker, read_mark
from yunhe.storage.opening import acknowledge_whole, check_cosigned, check_marked, log_of_scan, write_first_block
from yunhe.storage.readers import SnapshotReader
from yunhe.storage.state_store import StateStore, StateStoreOpener, open_native_store
from yunhe.storage.transaction_index import Location, Progress, index_entries, seen_ids, transaction_index_key

_WRONG_INDEX: Final = "the index of transactions points elsewhere; stop the node, delete the folder `state`, start it again"


def _silent(done: int, total: int) -> None:  # noqa: ARG001  # a progress that nobody watches
    return


class LedgerStore:
    """An open store. Make one with `create` or `open`; it holds the folder's lock until `close`."""

    def __init__(
        self, lock: FolderLock, blocks: BlockFiles, marker: Marker, state: StateStore, chain_hash: ChainHash, log: MerkleLog
    ) -> None:
        self._lock = lock
        self._blocks = blocks
        self._marker = marker
        self._state = state
        self._chain_hash = chain_hash
        self._log = log
        self._head = Header.decode(blocks.read_header(blocks.size - 1))
        self._root = marker.mark.root
        self._staged: deque[tuple[int, bytes]] = deque()
        """Height and state root of each block that is staged and not committed, ascending."""
        self._last_record: tuple[int, BlockRecord] | None = None
        """Height and record of the block that a transaction or receipt was looked up in last."""
        self._halted = False
        self._closed = False
        self._committing = threading.Lock()

    @classmethod
    def create(
        cls, path: Path, genesis: Genesis, genesis_writes: Sequence[Write], opener: StateStoreOpener = open_native_store
    ) -> "LedgerStore":
        """Make a store that holds the genesis, and open it. A crash leaves either no store or a whole one.

        Args:
            path: the data folder; it must not exist, or be empty.
            genesis: of the network.
            genesis_writes: the genesis state, each key once, in any order.
            opener: opens the derived state.

        Raises:
            StoreExistsError: the folder holds something.
            FolderInUseError: another process is making a store there.
            InvalidInputError: the genesis writes have a key twice, or one that cannot be stored.
        """
        if path.exists() and (not path.is_dir() or any(path.iterdir())):
            raise StoreExistsError(f"{path} is not empty; a new store needs a folder of its own")
        fresh = path.with_name(path.name + ".creating")
        files.make_folders(fresh)
        lock = FolderLock.acquire(fresh)
        try:
            write_first_block(DataFolder(fresh), genesis, tuple(sorted(genesis_writes, key=lambda write: write[0])), opener)
            files.rename(fresh, path)
            files.sync_directory(path.parent)
            return cls._open_locked(path, genesis, lock, _silent, opener, SEGMENT_BYTES_MAX)
        except BaseException:
            lock.release()
            raise

    @classmethod
    def open(
        cls,
        path: Path,
        genesis: Genesis,
        progress: Progress = _silent,
        opener: StateStoreOpener = open_native_store,
        segment_bytes_max: int = SEGMENT_BYTES_MAX,
    ) -> "LedgerStore":
        """Open a store and bring everything derived up to the block log.

        Args:
            path: the data folder.
            genesis: the network that it must belong to.
            progress: is told of blocks that are rolled forward.
            opener: opens the derived state.
            segment_bytes_max: when the block log begins another segment.

        Raises:
            StoreNotFoundError: there is no store.
            FolderInUseError: another process has it open.
            StoreFormatError: another version of Yunhe made it.
            WrongGenesisError: it is of another network.
            MarkerDamagedError: the marker is missing or unreadable.
            BlockLogShortenedError: an acknowledged or cosigned block is missing.
            BlockLogAlteredError: the log is not what was written, or another one than was cosigned.
            CosignerMemoryDamagedError: the cosigner's memory is missing or unreadable.
            StateMismatchError: a write set does not lead to its header's state root.
        """
        lock = FolderLock.acquire(path)
        try:
            return cls._open_locked(path, genesis, lock, progress, opener, segment_bytes_max)
        except BaseException:
            lock.release()
            raise

    @classmethod
    def _open_locked(
        cls, path: Path, genesis: Genesis, lock: FolderLock, progress: Progress, opener: StateStoreOpener, segment_bytes_max: int
    ) -> "LedgerStore":
        folder = DataFolder(path)
        folder.check_format(genesis.network_id)
        mark, _ = read_mark(folder.marker)
        scan = scan_log(folder.blocks, genesis.network_id, mark.height)
        log = log_of_scan(scan, genesis.chain_hash)
        check_marked(mark, scan, log, genesis)
        check_cosigned(folder, genesis.network_id, log)
        blocks = BlockFiles.open(folder.blocks, scan, genesis.chain_hash, segment_bytes_max)
        marker = Marker.open(folder.marker)
        try:
            acknowledge_whole(blocks, marker, log)
            state = DerivedState(folder, blocks, genesis.chain_hash, opener, progress).open()
        except BaseException:
            blocks.close()
            marker.close()
            raise
        return cls(lock, blocks, marker, state, genesis.chain_hash, log)

    # --- What is committed -------------------------------------------------------------------------------------------

    def head(self) -> Header:
        """Return the header of the last committed block."""
        return self._head

    @property
    def engine_height(self) -> int:
        """Last committed engine height, empty engine blocks included; 0 for none."""
        return self._marker.mark.engine_height

    @property
    def log(self) -> MerkleLog:
        """The tree over all committed headers."""
        return self._log

    def log_root(self) -> bytes:
        """Return the root of the committed block log."""
        return self._root

    @property
    def oldest(self) -> int:
        """Height of the oldest block that is kept whole; of those below it headers are all that can be read."""
        return self._blocks.oldest

    def header(self, height: int) -> Header:
        """Return a header.

        Raises:
            BlockNotFoundError: there is no such block.
        """
        return Header.decode(self._blocks.read_header(height))

    def record(self, height: int) -> BlockRecord:
        """Return a block as stored, its parts still encoded; every byte is verified.

        Raises:
            BlockNotFoundError: there is no such block.
            BlockPrunedError: its header is all that is kept of it.
            BlockLogAlteredError: it is not what was written.
        """
        return self._blocks.read(height)

    def block(self, height: int) -> LedgerBlock:
        """Return a block with every part decoded.

        Raises:
            BlockNotFoundError: there is no such block.
            BlockPrunedError: its header is all that is kept of it.
            BlockLogAlteredError: it is not what was written.
        """
        return self._blocks.read(height).block(self._chain_hash)

    def locate(self, transaction_id: bytes) -> Location | None:
        """Return where a committed transaction is, or None."""
        (entry,) = self._state.index_get_many([transaction_index_key(transaction_id)])
        return None if entry is None else Location.decode(entry)

    def transaction(self, transaction_id: bytes) -> Transaction | None:
        """Return a committed transaction, or None.

        Raises:
            TransactionPrunedError: its block was pruned.
            DerivedStateDamagedError: the index points elsewhere.
        """
        location = self.locate(transaction_id)
        if location is None:
            return None
        transactions = self._looked_up(location.height).transactions
        if location.position < len(transactions):
            found = Transaction.decode(transactions[location.position], self._chain_hash)
            if found.id == transaction_id:
                return found
        raise DerivedStateDamagedError(_WRONG_INDEX)

    def receipt(self, transaction_id: bytes) -> Receipt | None:
        """Return the receipt of a committed transaction, or None.

        Raises:
            TransactionPrunedError: its block was pruned.
            DerivedStateDamagedError: the index points elsewhere.
        """
        location = self.locate(transaction_id)
        if location is None:
            return None
        receipts = self._looked_up(location.height).receipts
        if location.position < len(receipts):
            found = Receipt.decode(receipts[location.position])
            if found.transaction_id == transaction_id:
                return found
        raise DerivedStateDamagedError(_WRONG_INDEX)

    def _looked_up(self, height: int) -> BlockRecord:
        """Return a transaction's block as stored; the last one is kept, because a retried batch asks for one block's receipts in turn."""
        if height < self.oldest:
            raise transaction_pruned(height, self.oldest)
        last = self._last_record
        if last is None or last[0] != height:
            last = self._last_record = (height, self.record(height))
        return last[1]

    def reader(self) -> SnapshotReader:
        """Return a reader of the state after the last committed block, which does not change; for views and queries."""
        return SnapshotReader(self._state.snapshot())

    def prove_record(self, height: int, key: bytes) -> tuple[bytes | None, StateProof]:
        """Return the record of a key after block `height`, or None, and the proof of either (LED-031).

        Raises:
            HistoryGoneError: the height is below the history that is kept.
            BlockNotFoundError: the height is above the head.
        """
        head = self._state.head()[0]
        if height > head:
            raise BlockNotFoundError(f"there is no block {height} yet; the last one is {head}")
        try:
            record, bitmap, siblings, other = self._state.prove(height, key)
        except HistoryGoneError as error:
            raise HistoryGoneError(
                f"{error.message}; what a transaction of that time read and wrote, `yunhe tx replay` shows on the node's machine"
            ) from error
        return record, StateProof(bitmap, tuple(siblings), other)

    # --- The state that a block is applied to --------------------------------------------------------------------------

    def get(self, key: bytes) -> bytes | None:
        """Return the record at a state key, staged writes included."""
        return self._state.get(key)

    def get_many(self, keys: list[bytes]) -> list[bytes | None]:
        """Return the records at several state keys, staged writes included."""
        return self._state.get_many(keys)

    def scan(self, start: bytes, end: bytes, limit: int, *, reverse: bool = False) -> list[tuple[bytes, bytes]]:
        """Return up to `limit` records with start <= key < end, staged writes included."""
        return self._state.scan(start, end, limit, reverse)

    def stage(self, height: int, writes: Sequence[Write]) -> bytes:
        """Return the state root after `writes` on what is staged; from then on reads of this store see them, its readers do not.

        Raises:
            CommitOrderError: the height does not follow the head.
            StoreHaltedError: an earlier commit failed.
        """
        self._check_running()
        # In one step: who commits meanwhile takes blocks away, and has moved the head before.
        staged = tuple(self._staged)
        tip = staged[-1][0] if staged else self._head.height
        # STO-012
        if height != tip + 1:
            raise CommitOrderError(f"block {height} cannot be staged on block {tip}")
        root = self._state.stage(height, list(writes))
        self._staged.append((height, root))
        return root

    def discard(self) -> None:
        """Forget everything that is staged."""
        self._state.discard()
        self._staged.clear()

    def seen(self, ids: Collection[bytes]) -> set[bytes]:
        """Return those of `ids` that a committed ledger block has (LED-011)."""
        return seen_ids(self._state, ids)

    def commit(self, block: LedgerBlock | None, engine_height: int) -> None:
        """Make one engine block durable, as `commit_many` does."""
        self.commit_many([(block, engine_height)])

    def commit_many(self, blocks: Sequence[tuple[LedgerBlock | None, int]]) -> None:
        """Make engine blocks durable together; whoever waits for them may be answered when this returns.

        Args:
            blocks: for each the ledger block that came of it, staged before, or None when no transaction had an effect; and its engine
                height, above every one before it.

        Raises:
            CommitOrderError: one does not follow what is before it, or is not what is staged; nothing happened.
            DiskFullError: no room. The store is halted.
            DiskFailedError: the system refused. The store is halted.
            StoreHaltedError: an earlier commit failed.
        """
        with self._committing:
            self._check_running()
            self._check_follow(blocks)
            try:
                self._commit(blocks)
            except BaseException:
                # STO-009: nobody knows how much of it is on the disk.
                self._halted = True
                raise

    def shorten(self, short: Segment) -> None:
        """Read a segment's blocks in their short form from now on, which is durable."""
        self._blocks.shorten(short)

    def sync_state(self) -> None:
        """Make the derived state durable as it is."""
        self._state.sync()

    def close(self) -> None:
        """Close the store and release the folder; a second call does nothing."""
        with self._committing:
            if self._closed:
                return
            self._closed = self._halted = True
            self._state.close()
            self._blocks.close()
            self._marker.close()
            self._lock.release()

    def __enter__(self) -> "LedgerStore":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _check_running(self) -> None:
        # STO-009
        if self._halted:
            raise StoreHaltedError("the store is closed, or an earlier commit failed: start the node again")

    def _check_follow(self, blocks: Sequence[tuple[LedgerBlock | None, int]]) -> None:
        # STO-012
        engine_height, height, previous = self.engine_height, self._head.height, self._blocks.header_hash(self._head.height)
        staged = iter(tuple(self._staged))
        for block, at in blocks:
            if at <= engine_height:
                raise CommitOrderError(f"engine block {at} is not above {engine_height}, which is committed")
            engine_height = at
            if block is None:
                continue
            header = block.header
            if header.height != height + 1 or header.previous != previous or header.network_id != self._head.network_id:
                raise CommitOrderError(f"block {header.height} does not follow block {height}")
            if next(staged, None) != (header.height, header.state_root):
                raise CommitOrderError(f"block {header.height} is not the one that is staged")
            height, previous = header.height, block.header_hash

    def _commit(self, blocks: Sequence[tuple[LedgerBlock | None, int]]) -> None:
        made = [(block, engine_height) for block, engine_height in blocks if block is not None]
        segments = self._blocks.segment_count
        if made:
            self._blocks.append_many([NewRecord(block.header_hash, BlockRecord.of(block, at).encode()) for block, at in made])
        frontier = self._log.frontier()
        for block, _ in made:
            frontier.append(block.header_hash)
        # LED-014: without a ledger block only the engine height moves.
        newest = made[-1][0].header_hash if made else self._marker.mark.header_hash
        self._marker.write(Mark(self._head.network_id, self._blocks.size, frontier.root(), newest, blocks[-1][1]))
        # STO-013: what follows a segment is all that a loss of power can take from the derived state.
        full = self._blocks.segment_count > segments
        for block, _ in made:
            self._state.apply(index_entries(block.header.height, [t.id for t in block.transactions]), full)
            self._log.append(block.header_hash)
            # The head moves first: whoever stages meanwhile looks for the last block here when none is staged.
            self._head = block.header
            self._staged.popleft()
        self._root = frontier.root()
        if made:
            prune_history(self._state, self._head.height)
