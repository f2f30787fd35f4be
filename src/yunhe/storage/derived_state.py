"""Bring the derived state up to the block log: roll it forward by write sets, and rebuild it when it does not belong to the log.

No contract runs: each block's writes are applied and the resulting state root is compared with the header (STO-010). A state that is
damaged, of another version, ahead of the log or at another root is thrown away and made again from the first block, or from the state after
the last pruned one (STO-034), because the log is the truth (STO-011). A root that differs after a rebuild is the log's fault, and refused.

Specification: docs/spec/storage.md, "Derived state".
"""

import shutil
from typing import Final

import structlog

from yunhe.crypto import ChainHash
from yunhe.errors import (
    BlockInvalidError,
    BlockLogAlteredError,
    ConfigurationError,
    CorruptionError,
    InvalidInputError,
    PlatformError,
    StateMismatchError,
)
from yunhe.ledger.header import Header
from yunhe.ledger.layouts import read_parameters
from yunhe.storage.block_files import BlockFiles
from yunhe.storage.data_folder import DataFolder
from yunhe.storage.files import named_refusals
from yunhe.storage.readers import SnapshotReader
from yunhe.storage.state_checkpoint import base_height, fill_state
from yunhe.storage.state_store import StateStore, StateStoreOpener
from yunhe.storage.transaction_index import Progress, index_entries, transaction_id

_PRUNE_BLOCKS: Final = 64
"""How often a roll-forward drops state history."""

_log = structlog.get_logger(__name__)


def prune_history(store: StateStore, height: int) -> None:
    """Drop state history that the parameter `state_history_blocks` no longer asks for (LED-031)."""
    keep_from = height - read_parameters(SnapshotReader(store.snapshot())).state_history_blocks
    if keep_from > 0:
        store.prune(keep_from)


class DerivedState:
    """Opens the derived state of one block log."""

    def __init__(self, folder: DataFolder, blocks: BlockFiles, chain_hash: ChainHash, opener: StateStoreOpener, progress: Progress) -> None:
        self._checkpoints = folder.checkpoints
        self._folder = folder.state
        self._blocks = blocks
        self._chain_hash = chain_hash
        self._opener = opener
        self._progress = progress

    def open(self) -> StateStore:
        """Return the state at the head of the log.

        Raises:
            StateMismatchError: the block log's own write sets do not lead to the roots in its headers.
            BlockLogAlteredError: a block that was needed is not what was written.
            PlatformError: the native core is missing.
        """
        store = self._open_fitting()
        if store is not None:
            try:
                self._roll_forward(store)
            except BlockLogAlteredError:
                store.close()
                raise
            except CorruptionError as error:
                # STO-011: either the state was wrong already, which a rebuild heals, or the log is, which the rebuild finds again.
                _log.error("the derived state does not lead on to the block log's head", error=error.message)
                store.close()
                store = None
            else:
                return store
        return self._rebuild()

    def _open_fitting(self) -> StateStore | None:
        """Open what is there; None when it must be rebuilt."""
        try:
            store = self._opener(self._folder, self._chain_hash.name)
        except PlatformError:
            raise
        except (CorruptionError, ConfigurationError) as error:
            # STO-011
            _log.error("the derived state cannot be opened", path=str(self._folder), error=error.message)
            return None
        height, root = store.head()
        # STO-011
        if not self._blocks.oldest - 1 <= height < self._blocks.size or (height >= 0 and self._header(height).state_root != root):
            _log.error("the derived state is not one of this block log", path=str(self._folder), height=height, blocks=self._blocks.size)
            store.close()
            return None
        return store

    def _rebuild(self) -> StateStore:
        _log.warning("rebuilding the derived state from the block log", path=str(self._folder), blocks=self._blocks.size)
        with named_refusals(self._folder):
            if self._folder.exists():
                shutil.rmtree(self._folder)
        store = self._opener(self._folder, self._chain_hash.name)
        try:
            self._fill(store)
            self._roll_forward(store)
        except BaseException:
            store.close()
            raise
        return store

    def _fill(self, store: StateStore) -> None:
        """Make the kept state, if blocks were pruned."""
        base = base_height(self._checkpoints, self._blocks.oldest)
        if base >= 0:
            kept = self._header(base)
            fill_state(store, self._checkpoints, kept.network_id, base, self._blocks.read_stub, kept.state_root, self._progress)

    def _roll_forward(self, store: StateStore) -> None:
        behind = range(store.head()[0] + 1, self._blocks.size)
        for done, height in enumerate(behind, 1):
            self._apply(store, height)
            if done % _PRUNE_BLOCKS == 0:
                prune_history(store, height)
            self._progress(done, len(behind))
        if behind:
            store.sync()
            _log.info("rolled the derived state forward", blocks=len(behind), height=self._blocks.size - 1)

    def _apply(self, store: StateStore, height: int) -> None:
        record = self._blocks.read(height)
        try:
            header = Header.decode(record.header)
            ids = [transaction_id(encoded, self._chain_hash) for encoded in record.transactions]
            root = store.stage(height, list(record.writes))
        except InvalidInputError as error:
            raise BlockInvalidError(f"block {height} cannot be rolled forward: {error.message}; run `yunhe node check`") from error
        # STO-010
        if root != header.state_root:
            raise StateMismatchError(
                f"the write set of block {height} does not lead to the state root in its header; run `yunhe node check`"
            )
        store.apply(index_entries(height, ids), False)

    def _header(self, height: int) -> Header:
        return Header.decode(self._blocks.read_header(height))
