"""Bring the derived state up to the block log: roll it forward by write sets, and rebuild it when it does not belong to the log.

No contract runs: each block's writes are applied and the resulting state root is compared with the header (STO-010). A state that is
damaged, of another version, ahead of the log or at another root is thrown away and made again from the first block, because the log is the
truth (STO-011). A root that differs after a rebuild is the log's fault, and refused.

Specification: docs/spec/storage.md, "Derived state".
"""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

import structlog

from yunhe.crypto import ChainHash
from yunhe.crypto.hashes import TAG_TRANSACTION
from yunhe.errors import (
    BlockInvalidError,
    BlockLogAlteredError,
    ConfigurationError,
    CorruptionError,
    InvalidInputError,
    PlatformError,
    StateMismatchError,
)
from yunhe.ledger.codec import as_array, as_bytes, decode
from yunhe.ledger.header import Header
from yunhe.ledger.layouts import read_parameters
from yunhe.limits import TRANSACTION_BYTES_MAX
from yunhe.storage.block_files import BlockFiles
from yunhe.storage.files import named_refusals
from yunhe.storage.readers import SnapshotReader
from yunhe.storage.state_store import StateStore, StateStoreOpener

Progress: TypeAlias = Callable[[int, int], None]
"""Is told how many blocks are done, and of how many."""

_PRUNE_BLOCKS: Final = 64
"""How often a roll-forward drops state history."""
_TRANSACTION_PREFIX: Final = b"t"
"""What keys of the index of transactions begin with."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Location:
    """Where a transaction is."""

    height: int
    """Of its ledger block."""
    position: int
    """In the block, from 0."""

    def encode(self) -> bytes:
        """Return the index entry."""
        return self.height.to_bytes(8, "big") + self.position.to_bytes(4, "big")

    @classmethod
    def decode(cls, data: bytes) -> "Location":
        """Take an index entry apart."""
        return cls(int.from_bytes(data[:8], "big"), int.from_bytes(data[8:], "big"))


def transaction_index_key(transaction_id: bytes) -> bytes:
    """Return the index key of a transaction id."""
    return _TRANSACTION_PREFIX + transaction_id


def index_entries(height: int, transaction_ids: Sequence[bytes]) -> list[tuple[bytes, bytes]]:
    """Return the index entries of a block."""
    return [(transaction_index_key(t), Location(height, position).encode()) for position, t in enumerate(transaction_ids)]


def transaction_id(encoded: bytes, chain_hash: ChainHash) -> bytes:
    """Return the id of a stored transaction without decoding its body."""
    body, _ = as_array(decode(encoded, TRANSACTION_BYTES_MAX), "a transaction", 2)
    return chain_hash.tagged(TAG_TRANSACTION, as_bytes(body, "a transaction's body"))


def prune_history(store: StateStore, height: int) -> None:
    """Drop state history that the parameter `state_history_blocks` no longer asks for (LED-031)."""
    keep_from = height - read_parameters(SnapshotReader(store.snapshot())).state_history_blocks
    if keep_from > 0:
        store.prune(keep_from)


class DerivedState:
    """Opens the derived state of one block log."""

    def __init__(self, folder: Path, blocks: BlockFiles, chain_hash: ChainHash, opener: StateStoreOpener, progress: Progress) -> None:
        self._folder = folder
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
        if height >= self._blocks.size or (height >= 0 and self._header(height).state_root != root):
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
            self._roll_forward(store)
        except BaseException:
            store.close()
            raise
        return store

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
