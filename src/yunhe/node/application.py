"""The ledger as an engine's application: opens envelopes, applies blocks, commits, and tells the node what happened.

It verifies each envelope once and remembers the result (`yunhe.node.opened`). While one block is committed the next one may be delivered on
it, each in a thread of the engine's (ENG-004); `check`, `judge` and `remember` come from any thread.
"""

from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from yunhe.consensus import Committed, Delivery, Viable
from yunhe.crypto import ChainHash
from yunhe.errors import InvalidInputError, OverloadedError, YunheError
from yunhe.ledger.admission import OpenedEnvelope, open_decoded, open_envelope
from yunhe.ledger.enrolment import authorise_envelope
from yunhe.ledger.envelope import Envelope
from yunhe.ledger.interfaces import Executor
from yunhe.ledger.layouts import changes_certifiers, changes_validators, read_validators
from yunhe.ledger.skip_order import SkipOrder
from yunhe.ledger.transition import Dropped, EngineBlock, LedgerBlock, Transition, apply_block, require_viable, select_effective
from yunhe.node.metrics import Metrics
from yunhe.node.opened import OpenedEnvelopes, WastedWork
from yunhe.storage import LedgerStore


@dataclass(frozen=True, slots=True)
class BlockCommitted:
    """News of a committed engine block."""

    block: LedgerBlock | None
    """None when no transaction had an effect."""
    dropped: tuple[Dropped, ...]


@dataclass(frozen=True, slots=True)
class _Delivered:
    """An engine block that is applied and not yet durable."""

    engine_height: int
    transition: Transition
    unopened: tuple[Dropped, ...]


class _DeliveredState:
    """The state after the last delivered block, committed or not: what the next one is applied to."""

    def __init__(self, store: LedgerStore) -> None:
        self._store = store
        self.get, self.get_many, self.scan, self.stage = store.get, store.get_many, store.scan, store.stage
        self.uncommitted: set[bytes] = set()
        """Ids of transactions in blocks that are delivered and not committed."""

    def seen(self, ids: Collection[bytes]) -> set[bytes]:
        """Return those of `ids` that earlier ledger blocks have (LED-011)."""
        # In this order: an id leaves `uncommitted` only when the store knows it.
        found = {i for i in ids if i in self.uncommitted}
        return found | self._store.seen(ids)


class Votes(Protocol):
    """What this node's votes on blocks tell the others, and theirs this node."""

    def extend_vote(self) -> bytes:
        """Return what the next vote tells."""
        ...

    def receive_extension(self, extension: bytes, voter: bytes) -> None:
        """Take what another's vote told."""
        ...


class LedgerApplication:
    """Joins store and executor behind the engine interface."""

    def __init__(
        self,
        store: LedgerStore,
        executor: Executor,
        chain_hash: ChainHash,
        on_block: Callable[[LedgerBlock], None],
        on_commit: Callable[[BlockCommitted], None],
        metrics: Metrics,
        votes: Votes | None = None,
        orders: Callable[[int], Sequence[SkipOrder]] = lambda _: (),
    ) -> None:
        """Join the parts.

        Args:
            store: open.
            executor: runs the calls.
            chain_hash: the ledger's.
            on_block: called with each durable ledger block before the next one can be decided; may raise to stop the engine.
            on_commit: told of every engine block after that.
            metrics: are told how long blocks take and what became of their transactions.
            votes: what they carry beside the block, where organisations agree; nothing when it is None.
            orders: returns those that were handed in to pass over transactions of a block, by its height.
        """
        self._store = store
        self._executor = executor
        self._chain_hash = chain_hash
        self._on_block = on_block
        self._on_commit = on_commit
        self._metrics = metrics
        self._votes = votes
        self._orders = orders
        self._opened = OpenedEnvelopes(chain_hash)
        self._wasted = WastedWork()
        self._state = _DeliveredState(store)
        self._tip = store.head()
        self._log = store.log.frontier()
        self._delivered: deque[_Delivered] = deque()
        self._validators = self._read_validators()

    def committed(self) -> Committed:
        """Return what is durable."""
        return Committed(self._store.engine_height, self._store.head().time_ms, self._store.log_root())

    def check(self, envelope: bytes) -> None:
        """Open an envelope, or find it among those that are open.

        Raises:
            InvalidInputError: it is malformed, or its node's signature is wrong.
        """
        self._open(envelope)

    def judge(self, envelope: bytes, time_ms: int) -> Viable:
        """Decide whether an envelope can have an effect at this time or later.

        Raises:
            YunheError: it cannot; why.
        """
        return self._judge(envelope, time_ms, lambda _: None)

    def admit(self, envelope: bytes, time_ms: int) -> Viable:
        """Decide as `judge`, unless its sender made this node verify too much for nothing lately.

        Raises:
            QuotaExceededError: it did.
            YunheError: the envelope cannot have an effect; why.
        """
        return self._judge(envelope, time_ms, self._wasted.require_credit)

    def _judge(self, envelope: bytes, time_ms: int, require_credit: Callable[[str], None]) -> Viable:
        opened = self._opened.find(envelope)
        is_new = opened is None
        if opened is None:
            decoded = Envelope.decode(envelope, self._chain_hash)
            # COD-041: what is cheap comes first, and tells by whom the rest is, before it costs anything.
            authorise_envelope(self._state, self._tip.network_id, decoded)
            require_credit(decoded.node.organisation)
            opened = open_decoded(decoded, self._chain_hash)
            failed = sum(isinstance(verdict, YunheError) for verdict in opened.verdicts)
            self._wasted.charge(decoded.node.organisation, decoded.node.name, failed)
        since_ms = require_viable(self._tip.network_id, opened, time_ms, self._state)
        if is_new:
            self.remember(opened)
        return Viable(opened.envelope.node.organisation, len(opened.verdicts), since_ms)

    def discard(self, envelope: bytes, time_ms: int) -> None:
        """Tell the node that none of the transactions in an envelope will have an effect through it, and why.

        Not of those that a block has which is delivered: their owners hear of it when it is committed.
        """
        block = EngineBlock(self._store.engine_height, time_ms, (self._open(envelope),))
        effective, dropped = select_effective(self._tip.network_id, block, self._state)
        error = OverloadedError("the envelope was given up; submit the transaction again")
        late = tuple(Dropped(transaction.id, error) for transaction in effective)
        told = tuple(d for d in (*dropped, *late) if d.transaction_id not in self._state.uncommitted)
        self._metrics.count_transactions("dropped", len(told))
        self._on_commit(BlockCommitted(None, told))

    def validators(self) -> Mapping[bytes, int]:
        """Return the powers of the validators by the keys of their engines, after all that was delivered."""
        return self._validators

    def _read_validators(self) -> Mapping[bytes, int]:
        return {validator.public_key: validator.power for validator in read_validators(self._state)}

    def extend_vote(self) -> bytes:
        """Return what this node's next vote tells the others."""
        return b"" if self._votes is None else self._votes.extend_vote()

    def receive_extension(self, extension: bytes, voter: bytes) -> None:
        """Take what another's vote told."""
        if self._votes is not None:
            self._votes.receive_extension(extension, voter)

    def remember(self, opened: OpenedEnvelope) -> None:
        """Keep an envelope that this node has itself verified and sealed."""
        self._opened.remember(opened)

    def deliver(self, delivery: Delivery) -> bytes:
        """Apply a block; the new state is staged, nothing is durable."""
        with self._metrics.stage("execute"):
            return self._deliver(delivery)

    def _deliver(self, delivery: Delivery) -> bytes:
        opened: list[OpenedEnvelope] = []
        unopened: list[Dropped] = []
        for envelope in delivery.envelopes:
            try:
                opened.append(self._open(envelope))
            except InvalidInputError as error:
                unopened.append(Dropped(None, error))
        block = EngineBlock(delivery.engine_height, delivery.time_ms, tuple(opened))
        orders = self._orders(self._tip.height + 1)
        transition = apply_block(self._tip, block, self._state, self._executor, self._chain_hash, orders)
        if transition.block is not None:
            self._tip = transition.block.header
            self._log.append(transition.block.header_hash)
            self._state.uncommitted.update(transaction.id for transaction in transition.block.transactions)
            if changes_validators(transition.block.writes):
                self._validators = self._read_validators()
        self._delivered.append(_Delivered(delivery.engine_height, transition, tuple(unopened)))
        return self._log.root()

    def commit(self, count: int) -> None:
        """Make the oldest `count` delivered blocks durable, then tell the node of each."""
        group: list[_Delivered] = []
        for _ in range(count):
            group.append(self._delivered.popleft())
            block = group[-1].transition.block
            if block is not None and changes_certifiers(block.writes):
                # PRF-012: the checkpoint that ends with it has to be cosigned before the log goes on.
                self._commit_group(group)
                group = []
        if group:
            self._commit_group(group)

    def _commit_group(self, group: Sequence["_Delivered"]) -> None:
        with self._metrics.stage("commit"):
            self._store.commit_many([(delivered.transition.block, delivered.engine_height) for delivered in group])
        for delivered in group:
            block = delivered.transition.block
            self._metrics.count_transactions("dropped", len(delivered.unopened) + len(delivered.transition.dropped))
            if block is not None:
                succeeded = sum(receipt.succeeded for receipt in block.receipts)
                self._metrics.count_block()
                self._metrics.count_transactions("succeeded", succeeded)
                self._metrics.count_transactions("failed", len(block.receipts) - succeeded)
                self._state.uncommitted.difference_update(transaction.id for transaction in block.transactions)
                self._on_block(block)
            self._on_commit(BlockCommitted(block, delivered.unopened + delivered.transition.dropped))

    def _open(self, envelope: bytes) -> OpenedEnvelope:
        found = self._opened.find(envelope)
        if found is None:
            found = open_envelope(envelope, self._chain_hash)
            self.remember(found)
        return found
