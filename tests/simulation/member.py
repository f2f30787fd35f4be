"""A node of one organisation, all of it real but for its surroundings: the ledger, certificates, the engine's answers, the outbox.

There is no event loop, no thread that is not waited for, and no process beside it: what those would ask comes from the simulation, by the
same door (`CometbftEngine._answer`). A gateway of a few lines accepts transactions as the node's does, and hears what becomes of them.
"""

import random
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.simulation.consortium import GENESIS, ORGANISATIONS, SEGMENT_BYTES, START_MS, Replica, identity, key
from tests.simulation.simulated_process import Process
from tests.unit.consensus.cometbft.abci_peer import NoProcess
from tests.unit.storage.state_on_file import FileStateStore
from yunhe.consensus.cometbft.engine import CometbftEngine
from yunhe.consensus.engine import block_time_ms
from yunhe.contracts.runner import BlockRunner
from yunhe.crypto import SHA256
from yunhe.errors import AlreadyUsedError, YunheError
from yunhe.ledger.admission import OpenedEnvelope, check_validity
from yunhe.ledger.envelope import seal_envelope
from yunhe.ledger.layouts import read_parameters
from yunhe.ledger.transaction import Transaction
from yunhe.ledger.transition import LedgerBlock
from yunhe.limits import EARLY_PAUSE_S
from yunhe.node.application import BlockCommitted, LedgerApplication
from yunhe.node.certification import Certification
from yunhe.node.cosigner import Cosigner
from yunhe.node.metrics import Metrics
from yunhe.storage import Certificates, CosignerMemory, DataFolder, LedgerStore


class NoServer:
    """Stands where the socket is served."""

    def start(self) -> None:
        """There is nothing to start."""

    def stop(self) -> None:
        """There is nothing to stop."""


class Gateway:
    """Accepts transactions for a node's owners."""

    def __init__(self, member: "Member") -> None:
        self._member = member
        self.waiting: dict[bytes, Transaction] = {}
        self._early: dict[bytes, tuple[Transaction, int]] = {}
        """Those to be handed in again, with the time from which on."""
        self._tried: set[bytes] = set()

    def accept(self, transactions: Sequence[Transaction]) -> list[Transaction]:
        """Accept those that are valid now and unknown here; return them."""
        store = self._member.ledger
        now_ms = block_time_ms(self._member.clock(), store.head().time_ms)
        accepted = [t for t in transactions if t.id not in self.waiting and store.locate(t.id) is None and self._is_valid(t, now_ms)]
        if accepted:
            self.waiting |= {t.id: t for t in accepted}
            self._hand_in(accepted)
        return accepted

    def hand_in_early(self, *, at_once: bool = False) -> None:
        """Hand in again what blocks had too early (NET-039)."""
        now_ms = self._member.clock()
        due = [t for t, since_ms in self._early.values() if at_once or since_ms <= now_ms]
        for transaction in due:
            del self._early[transaction.id]
        if due:
            self._hand_in(due)

    @property
    def has_early(self) -> bool:
        """Whether something is to be handed in again."""
        return bool(self._early)

    def hear(self, news: BlockCommitted) -> None:
        """Tell the owners what became of their transactions; as `Node` does."""
        for receipt in news.block.receipts if news.block is not None else ():
            self.waiting.pop(receipt.transaction_id, None)
        for dropped in news.dropped:
            identity = dropped.transaction_id
            if identity is None or identity not in self.waiting:
                continue
            if dropped.early is not None:
                since_ms = self._member.clock() + (int(EARLY_PAUSE_S * 1000) if identity in self._tried else 0)
                self._early[identity] = (dropped.early, since_ms)
                self._tried.add(identity)
                continue
            del self.waiting[identity]
            if not (isinstance(dropped.error, AlreadyUsedError) and self._member.ledger.locate(identity) is not None):
                self._member.on_dropped(identity, dropped.error)

    def _is_valid(self, transaction: Transaction, now_ms: int) -> bool:
        try:
            check_validity(transaction, GENESIS.network_id, now_ms, read_parameters(self._member.ledger).validity_window_ms)
        except YunheError:
            return False
        return True

    def _hand_in(self, transactions: Sequence[Transaction]) -> None:
        member = self._member
        member.sequence += 1
        encoded = [t.encoded for t in transactions]
        envelope = seal_envelope(GENESIS.network_id, identity(member.number), member.sequence, encoded, key(member.number, 2), SHA256)
        member.application.remember(OpenedEnvelope(envelope, tuple(transactions)))
        assert member.engine is not None
        member.engine.submit(envelope.encoded)


class Member(Replica):
    """The node of one organisation, with the process beside it."""

    engine: CometbftEngine | None = None
    certification: Certification
    gateway: Gateway

    def __init__(self, number: int, folder: Path, chance: random.Random, now_ms: Callable[[], int], skew_ms: int) -> None:
        super().__init__(number, folder, chance, lambda: BlockRunner(SHA256))
        self.process = Process()
        self.now_ms = now_ms
        self.skew_ms = skew_ms
        self.sequence = 0
        self.on_block: Callable[[LedgerBlock], None] = lambda _: None
        """Told of every durable block."""
        self.on_dropped: Callable[[bytes, YunheError], None] = lambda *_: None
        """Told of every transaction whose owner here was told that it comes to nothing."""

    @property
    def name(self) -> str:
        """The organisation."""
        return ORGANISATIONS[self.number]

    @property
    def ledger(self) -> LedgerStore:
        """Its store; it is up."""
        return self.log_store

    def clock(self) -> int:
        """Return what its machine's clock shows."""
        return self.now_ms() + self.skew_ms

    def open(self) -> None:
        """Open what is on the disk; nobody has asked anything yet."""
        self.store = LedgerStore.open(self.folder, GENESIS, opener=FileStateStore.open, segment_bytes_max=SEGMENT_BYTES)
        stored = DataFolder(self.folder)
        memory = CosignerMemory.open(stored.cosigner, GENESIS.network_id)
        self.cosigner = Cosigner(self.name, key(self.number, 3), memory, lambda: START_MS)
        certificates = Certificates(stored.certificates, GENESIS.network_id, self.store.log, self.store.header)
        self.certification = Certification(self.store, GENESIS, self.cosigner, certificates)
        self.gateway = Gateway(self)
        metrics = Metrics()
        self.application = LedgerApplication(self.store, self._executor(), SHA256, self._block, self._news, metrics, self.certification)
        self.application._wasted._clock_s = lambda: self.now_ms() / 1000
        engine = CometbftEngine(self.application, self.clock, self.folder, NoProcess, 1)
        engine._server = NoServer()
        engine._outbox.start = lambda: None
        engine._proposals._monotonic_s = lambda: self.now_ms() / 1000
        engine.start()
        self.engine = engine

    def close(self) -> None:
        """End in order, if it runs."""
        self._let_go()
        if self.store is not None:
            self.stop()

    def crash(self) -> None:
        """End where it is."""
        self._let_go()
        self.process.begin_anew()
        self.end()

    def _let_go(self) -> None:
        if self.engine is not None:
            self.engine._decider.shutdown()
            self.engine = None

    def _block(self, block: LedgerBlock) -> None:
        self.certification.committed(block)
        self.on_block(block)

    def _news(self, news: BlockCommitted) -> None:
        self.gateway.hear(news)
        self.certification.keep_newest()
