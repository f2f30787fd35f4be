"""The ledger as an engine's application: opens envelopes, applies blocks, commits, and tells the node what happened.

It verifies each envelope once and remembers the result (`OPENED_ENVELOPES_MAX`), keyed by the hash of all its bytes, so that a garbled copy
is another envelope. All calls but `check` and `remember` come from the engine's one thread (ENG-004).
"""

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from yunhe.consensus import Committed, Delivery
from yunhe.crypto import ChainHash
from yunhe.errors import InvalidInputError
from yunhe.ledger.admission import OpenedEnvelope, open_envelope
from yunhe.ledger.interfaces import Executor
from yunhe.ledger.transition import Dropped, EngineBlock, LedgerBlock, Transition, apply_block
from yunhe.limits import OPENED_ENVELOPES_MAX
from yunhe.storage import LedgerStore


@dataclass(frozen=True, slots=True)
class BlockCommitted:
    """News of a committed engine block."""

    block: LedgerBlock | None
    """None when no transaction had an effect."""
    dropped: tuple[Dropped, ...]


class LedgerApplication:
    """Joins store and executor behind the engine interface."""

    def __init__(
        self,
        store: LedgerStore,
        executor: Executor,
        chain_hash: ChainHash,
        on_block: Callable[[LedgerBlock], None],
        on_commit: Callable[[BlockCommitted], None],
    ) -> None:
        """Join the parts.

        Args:
            store: open.
            executor: runs the calls.
            chain_hash: the ledger's.
            on_block: called with each durable ledger block before the next one can be decided; may raise to stop the engine.
            on_commit: told of every engine block after that.
        """
        self._store = store
        self._executor = executor
        self._chain_hash = chain_hash
        self._on_block = on_block
        self._on_commit = on_commit
        self._opened: OrderedDict[bytes, OpenedEnvelope] = OrderedDict()
        self._opened_lock = threading.Lock()
        self._delivered: tuple[Delivery, Transition, tuple[Dropped, ...]] | None = None

    def committed(self) -> Committed:
        """Return what is durable."""
        return Committed(self._store.engine_height, self._store.head().time_ms, self._store.log_root())

    def check(self, envelope: bytes) -> None:
        """Open an envelope, or find it among those that are open.

        Raises:
            InvalidInputError: it is malformed, or its node's signature is wrong.
        """
        self._open(envelope)

    def remember(self, opened: OpenedEnvelope) -> None:
        """Keep an envelope that this node has itself verified and sealed."""
        key = self._chain_hash.digest(opened.envelope.encoded)
        with self._opened_lock:
            self._opened[key] = opened
            while len(self._opened) > OPENED_ENVELOPES_MAX:
                self._opened.popitem(last=False)

    def deliver(self, delivery: Delivery) -> bytes:
        """Apply a block; the new state is staged, nothing is durable."""
        opened: list[OpenedEnvelope] = []
        unopened: list[Dropped] = []
        for envelope in delivery.envelopes:
            try:
                opened.append(self._open(envelope))
            except InvalidInputError as error:
                unopened.append(Dropped(None, error))
        block = EngineBlock(delivery.engine_height, delivery.time_ms, tuple(opened))
        transition = apply_block(self._store.head(), block, self._store, self._executor, self._chain_hash)
        self._delivered = (delivery, transition, tuple(unopened))
        if transition.block is None:
            return self._store.log_root()
        return self._store.log_root_with(transition.block.header_hash)

    def commit(self) -> None:
        """Make the delivered block durable, then tell the node."""
        if self._delivered is None:
            raise AssertionError("commit without deliver")
        delivery, transition, unopened = self._delivered
        self._store.commit(transition.block, delivery.engine_height)
        self._delivered = None
        if transition.block is not None:
            self._on_block(transition.block)
        self._on_commit(BlockCommitted(transition.block, unopened + transition.dropped))

    def _open(self, envelope: bytes) -> OpenedEnvelope:
        key = self._chain_hash.digest(envelope)
        with self._opened_lock:
            found = self._opened.get(key)
        if found is None:
            found = open_envelope(envelope, self._chain_hash)
            self.remember(found)
        return found
