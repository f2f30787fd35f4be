"""The state after a block of the past, made again from the block log.

No contract runs: the write sets from the genesis on are put together and lead to the state root in that block's header, or the state is
not given out (STO-010). It lies in a folder of its own that goes when it is no longer needed; the node's own state is not touched.
Specification: docs/spec/storage.md (STO-017).
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from yunhe.errors import BlockInvalidError, InvalidInputError, StateMismatchError
from yunhe.ledger.genesis import Genesis
from yunhe.ledger.interfaces import StateReader
from yunhe.storage.block_files import block_pruned
from yunhe.storage.log_reader import LogReader
from yunhe.storage.readers import HeadReader
from yunhe.storage.state_checkpoint import base_height, fill_state
from yunhe.storage.state_store import StateStore, StateStoreOpener, open_native_store
from yunhe.storage.transaction_index import Progress

SCRATCH_PREFIX: Final = "yunhe-past-"
"""Of the folders in which states are made."""
BATCH_BYTES: Final = 32 * 1024 * 1024
"""Net writes that are gathered before they go into the state: a record that changes in every block is written once."""


@contextmanager
def past_state(
    log: LogReader,
    height: int,
    genesis: Genesis,
    progress: Progress,
    *,
    opener: StateStoreOpener = open_native_store,
    scratch: Path | None = None,
    batch_bytes: int = BATCH_BYTES,
) -> Iterator[StateReader]:
    """Make the state after a block, for as long as the context lasts.

    Args:
        log: the ledger's blocks.
        height: of the block.
        genesis: of the network.
        progress: is told of every block.
        opener: opens the state that is made.
        scratch: folder for it, which needs as much room as the state has; by default the system's.
        batch_bytes: when gathered writes go into the state.

    Raises:
        BlockNotFoundError: there is no such block.
        BlockPrunedError: the block above it was pruned too, so its state is not kept.
        StateCheckpointDamagedError: the state that the kept blocks go on from is not what was written.
        BlockLogAlteredError: a block is not what was written.
        BlockInvalidError: a write set has what no state can have.
        StateMismatchError: the write sets do not lead to the block's state root.
    """
    expected = log.header(height).state_root
    base = base_height(log.checkpoints, log.oldest, height)
    if height < base:
        raise block_pruned(height + 1, log.oldest)
    with tempfile.TemporaryDirectory(prefix=SCRATCH_PREFIX, dir=scratch) as made:
        store = opener(Path(made) / "state", genesis.chain_hash.name)
        try:
            if base >= 0:
                fill_state(store, log.checkpoints, genesis.network_id, base, log.stub, log.header(base).state_root, progress)
            _roll_forward(store, log, base + 1, height, progress, batch_bytes)
            # STO-010
            if store.head()[1] != expected:
                raise StateMismatchError(f"the write sets up to block {height} do not lead to its state root; run `yunhe node check`")
            yield HeadReader(store)
        finally:
            store.close()


def _roll_forward(store: StateStore, log: LogReader, first: int, height: int, progress: Progress, batch_bytes: int) -> None:
    gathered: dict[bytes, bytes | None] = {}
    size = 0
    for done in range(first, height + 1):
        for key, record in log.record(done).writes:
            gathered[key] = record
            size += len(key) + len(record or b"")
        if size >= batch_bytes or done == height:
            _apply(store, done, gathered)
            gathered, size = {}, 0
        progress(done + 1, height + 1)


def _apply(store: StateStore, height: int, writes: dict[bytes, bytes | None]) -> None:
    try:
        store.stage(height, sorted(writes.items()))
    except InvalidInputError as error:
        raise BlockInvalidError(f"a block up to {height} has a write that no state can have: {error.message}") from error
    store.apply([], False)
    store.prune(height)
