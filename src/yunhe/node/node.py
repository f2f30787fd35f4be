"""The node: owns the store, the workers and the engine, and answers what the faces ask.

One event loop; the engine and everything that computes or touches the disk runs in threads beside it. A failure to decide or to commit
halts the node: it says so in its log, `status` and health, goes on answering queries from what is durable, and decides nothing more.
"""

import asyncio
import logging
import os
import platform
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog

from yunhe.consensus import Engine, SoloEngine, block_time_ms
from yunhe.consensus.cometbft.engine import CometbftEngine
from yunhe.consensus.cometbft.supervision import EngineHealth
from yunhe.contracts.worker.executor import WorkerExecutor
from yunhe.crypto import PrivateKey
from yunhe.errors import (
    AlreadyUsedError,
    EngineFilesError,
    InvalidConfigurationError,
    NodeHaltedError,
    NodeStoppingError,
    PlatformError,
    TransactionNotFoundError,
    TransactionPrunedError,
    WrongPythonError,
    YunheError,
)
from yunhe.ledger.admission import OpenedEnvelope, Verdict
from yunhe.ledger.codec import Value
from yunhe.ledger.envelope import split_for_envelopes
from yunhe.ledger.genesis import Genesis
from yunhe.ledger.header import Header
from yunhe.ledger.interfaces import BlockContext, Executor
from yunhe.ledger.layouts import changes_protocol, changes_validators
from yunhe.ledger.protocol import RULES, Activation, activations, unknown
from yunhe.ledger.skip_order import SkipOrder
from yunhe.ledger.transaction import Transaction
from yunhe.ledger.transition import Dropped, Late, LedgerBlock
from yunhe.limits import DISK_FREE_BYTES_MIN, PENDING_TRANSACTIONS_MAX
from yunhe.node.application import BlockCommitted, LedgerApplication
from yunhe.node.certification import Certification
from yunhe.node.cosigner import Cosigner
from yunhe.node.early import EarlyTransactions
from yunhe.node.engine_home import ENGINE_FOLDER, prepare_engine
from yunhe.node.events import EventFeed
from yunhe.node.folder import STORE_FOLDER, WEBHOOKS_FILE, NodeFolder
from yunhe.node.metrics import Metrics, Reading, folder_bytes
from yunhe.node.next_keys import is_engine_key_due, next_ledger_key
from yunhe.node.pending import PendingTransactions, Placed
from yunhe.node.pruning import Pruner
from yunhe.node.sealing import Sealer
from yunhe.node.simulation import Simulator
from yunhe.node.skip_orders import kept_orders
from yunhe.node.webhooks import HOOK_STATES, Webhooks
from yunhe.storage import Certificates, CheckReport, CosignerMemory, DataFolder, LedgerStore, Progress, SnapshotReader, check_folder

_log = structlog.get_logger("yunhe.node")


def clock_ms() -> int:
    """Return the machine's time, milliseconds since 1970-01-01 UTC."""
    return time.time_ns() // 1_000_000


@dataclass(frozen=True, slots=True)
class NodeStatus:
    """How the node is, in one look."""

    state: str
    """`running`, `halted` or `stopping`."""
    reason: str | None
    """Why it is halted."""
    height: int
    """Height of the last ledger block."""
    time_ms: int
    """Time of the last ledger block."""
    engine: str
    engine_height: int
    waiting: int
    """Accepted transactions that wait for a block."""
    protections: dict[str, bool]
    """Protections of the contract worker that are on."""
    unready: str | None
    """Why it takes no transactions now; None when it takes them."""
    started_ms: int
    """When it was opened."""
    transactions: dict[str, int]
    """Transactions since then, by outcome."""
    worker_restarts: dict[str, int]
    """How often each contract worker was started again."""
    disk_free_bytes: int
    """Free space of the disk that holds the store."""


def log_progress(done: int, total: int) -> None:
    """Log how far the state is rolled forward."""
    _log.info("rolling the state forward", block=done, of=total)


class Node:
    """A node that is open. Methods are for the event loop's thread unless they say otherwise."""

    def __init__(self, folder: NodeFolder, clock: Callable[[], int] = clock_ms, progress: Progress = log_progress) -> None:
        """Open a node: check the platform, open keys and store, start the worker. Nothing is decided before `start`.

        Args:
            folder: loaded.
            clock: milliseconds since 1970-01-01 UTC.
            progress: is told of every block by which the state is rolled forward after a crash.

        Raises:
            PlatformError: not Linux, or the native core is missing.
            WrongPythonError: the ledger was made for another CPython minor version.
            YunheError: the folder, keys or store cannot be used; the message says what to do.
        """
        check_platform(folder.genesis)
        check_engine(folder)
        self.folder = folder
        self.genesis = folder.genesis
        self.network_id = folder.genesis.network_id
        self.clock = clock
        node_key, ledger_key = folder.load_keys()
        self.metrics = Metrics()
        self.store: LedgerStore = folder.open_store(progress)
        try:
            self._worker = WorkerExecutor(folder.genesis.chain_hash)
        except BaseException:
            self.store.close()
            raise
        try:
            memory = CosignerMemory.open(DataFolder(folder.path / STORE_FOLDER).cosigner, self.network_id)
            self._orders = kept_orders(folder.path, self.store.head().height)
            self._sealer = Sealer(folder, node_key, self.store.reader())
            self.certification = self._make_certification(ledger_key, memory)
            self._application = LedgerApplication(
                self.store,
                self._worker,
                self.genesis.chain_hash,
                self._block_committed,
                self._committed,
                self.metrics,
                self.certification,
                self._orders_of,
            )
            self._engine: Engine = self._make_engine()
        except BaseException:
            self._close()
            raise
        self.simulator = Simulator(self.store, self.genesis, self._worker, clock)
        self.events = EventFeed(self.store)
        try:
            self.webhooks = Webhooks(
                folder.path / WEBHOOKS_FILE, self.events, self.network_id, clock, allow_private=folder.config.webhook_private_targets
            )
        except BaseException:
            self._close()
            raise
        self._pruner = Pruner(folder, self.store, self.webhooks.first_unsent)
        self._pending = PendingTransactions()
        self._early = EarlyTransactions(self._pending, self._hand_in)
        self._warned: Activation | None = None
        self._warn_of_protocol()
        self._started_ms = clock()
        self._sequence = clock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping = False
        self._halt: str | None = _HELD if memory.is_held else None
        self._watcher: asyncio.Task[None] | None = None
        self.metrics.watch_queue("block", lambda: len(self._pending))
        self.metrics.read_from(self._reading)

    def _make_certification(self, ledger_key: PrivateKey, memory: CosignerMemory) -> Certification:
        next_key = next_ledger_key(self.folder.path, self.folder.config)
        cosigner = Cosigner(self.folder.config.organisation, ledger_key, memory, self.clock, next_key)
        kept = DataFolder(self.folder.path / STORE_FOLDER).certificates
        return Certification(self.store, self.genesis, cosigner, Certificates(kept, self.network_id, self.store.log, self.store.header))

    def _make_engine(self) -> Engine:
        if self.folder.config.engine == SoloEngine.name:
            return SoloEngine(self._application, self.clock)
        return CometbftEngine(
            self._application,
            self.clock,
            self.folder.path / ENGINE_FOLDER,
            lambda on_halted: prepare_engine(self.folder, os.environ, on_halted, self._is_engine_key_due),
            self.genesis.protocol_version,
        )

    def _orders_of(self, height: int) -> Sequence[SkipOrder]:
        return self._orders.get(height, ())

    def _is_engine_key_due(self) -> bool:
        try:
            return is_engine_key_due(self.folder.path, self.store.reader(), self.folder.config.organisation)
        except EngineFilesError as error:
            # The engine goes on with the key that it has; when the ledger counts that no more, it votes on nothing.
            _log.error("the next key of the engine cannot be used", reason=error.message)
            return False

    def _block_committed(self, block: LedgerBlock) -> None:
        """Called in the engine's thread after a ledger block is durable, before the next one is decided."""
        self.certification.committed(block)
        self._sealer.committed(block.writes, self.store.reader())
        if changes_protocol(block.writes):
            self._warn_of_protocol()
        # NET-037: the process reads its key when it begins.
        if isinstance(self._engine, CometbftEngine) and changes_validators(block.writes) and self._is_engine_key_due():
            self._engine.renew("its validator key changes")

    def _warn_of_protocol(self) -> None:
        """Say in time that the node will stop at a block of rules that this release does not know."""
        newest = activations(self.store.reader())[0]
        if newest.version not in RULES and newest != self._warned:
            self._warned = newest
            _log.error("the node will stop", reason=unknown(newest).message)

    @property
    def executor(self) -> Executor:
        """Where contracts run."""
        return self._worker

    def reader(self) -> SnapshotReader:
        """Return a reader of the records as of the last committed block, which does not change; thread-safe."""
        # API-009
        return self.store.reader()

    def start(self) -> None:
        """Begin to decide; call from the running event loop."""
        self._loop = asyncio.get_running_loop()
        # EVT-015: before anything is decided, so that what follows a rollback is sent.
        self.webhooks.start()
        # STO-018
        if self._halt is None:
            self._engine.start()
            self._watcher = self._loop.create_task(self._watch_engine())
        else:
            _log.error("the node decides nothing", reason=self._halt)
        self._pruner.start()
        head = self.store.head()
        _log.info("node started", network=self.network_id.hex(), height=head.height, engine=self._engine.name)

    async def stop(self) -> None:
        """Finish the block in hand, answer everyone who waits, close everything."""
        self._stopping = True
        self.events.close()
        await self._pruner.stop()
        await self.webhooks.stop()
        await asyncio.to_thread(self._engine.stop)
        if self._watcher is not None:
            self._watcher.cancel()
        self._pending.drop_all(NodeStoppingError("the node is stopping; submit the transaction again when it is back"))
        await asyncio.to_thread(self._close)
        _log.info("node stopped", height=self.store.head().height)

    def engine_health(self) -> EngineHealth | None:
        """Return how the engine's process is; None for an engine without one."""
        return self._engine.health() if isinstance(self._engine, CometbftEngine) else None

    def _close(self) -> None:
        self._worker.close()
        self.store.close()

    def status(self) -> NodeStatus:
        """Return how the node is."""
        head = self.store.head()
        state = "halted" if self._halt is not None else "stopping" if self._stopping else "running"
        free = shutil.disk_usage(self.folder.path).free
        return NodeStatus(
            state,
            self._halt,
            head.height,
            head.time_ms,
            self._engine.name,
            self.store.engine_height,
            len(self._pending),
            self._worker.protections,
            self._unready(free),
            self._started_ms,
            self.metrics.transactions(),
            self._worker.restarts,
            free,
        )

    def _unready(self, disk_free_bytes: int) -> str | None:
        # API-019
        if self._halt is not None:
            return f"the node is halted: {self._halt}"
        if self._stopping:
            return "the node is stopping"
        health = self.engine_health()
        if health is not None and health.pid is None:
            return f"the engine is {health.state}: {health.reason or 'it does not run yet'}"
        if disk_free_bytes < DISK_FREE_BYTES_MIN:
            return f"the disk has {disk_free_bytes} bytes free, which may not be enough for the next block; make room"
        if len(self._pending) >= PENDING_TRANSACTIONS_MAX:
            return "too many transactions wait for a block"
        return None

    def _reading(self) -> Reading:
        """Return what the metrics show; thread-safe."""
        status = self.status()
        webhooks = self.webhooks.all()
        stored = DataFolder(self.folder.path / STORE_FOLDER)
        return Reading(
            status.state,
            status.height,
            status.engine_height,
            status.time_ms,
            status.worker_restarts,
            {state: sum(hook.state == state for hook in webhooks) for state in HOOK_STATES},
            sum(hook.dead_letters for hook in webhooks),
            {path.name: folder_bytes(path) for path in stored.folders},
            status.disk_free_bytes,
        )

    def block_time_ms(self) -> int:
        """Return the time that a block made now would have, which transactions are judged by; thread-safe."""
        return block_time_ms(self.clock(), self.store.head().time_ms)

    def head(self) -> Header:
        """Return the last ledger block's header."""
        return self.store.head()

    @property
    def room(self) -> int:
        """How many more transactions can be accepted before others have their place."""
        return self._pending.room

    def find_waiting(self, transaction_id: bytes) -> "asyncio.Future[Placed] | None":
        """Return the future of an accepted transaction that waits for its block; thread-safe."""
        return self._pending.find(transaction_id)

    def find_placed(self, transaction_id: bytes) -> Placed | None:
        """Return a transaction's place and receipt, if a ledger block has it; thread-safe.

        Raises:
            TransactionPrunedError: the block that has it was pruned.
        """
        location = self.store.locate(transaction_id)
        receipt = self.store.receipt(transaction_id)
        if location is None or receipt is None:
            return None
        return Placed(location.height, location.position, self.store.header(location.height).time_ms, receipt)

    def _find_kept(self, transaction_id: bytes) -> Placed | None:
        """Return a transaction's place and receipt, if the block that has it was not pruned."""
        try:
            return self.find_placed(transaction_id)
        except TransactionPrunedError:
            return None

    def require_placed(self, transaction_id: bytes) -> Placed:
        """Return a transaction's place and receipt; thread-safe.

        Raises:
            TransactionPrunedError: the block that has it was pruned.
            TransactionNotFoundError: no block has it; the message says whether it waits, or why it was dropped.
        """
        placed = self.find_placed(transaction_id)
        if placed is not None:
            return placed
        if self._pending.find(transaction_id) is not None:
            raise TransactionNotFoundError("the transaction is accepted and waits for its block; ask again")
        dropped = self._pending.dropped(transaction_id)
        if dropped is not None:
            raise TransactionNotFoundError(f"the transaction was dropped and has no effect: {dropped.message}")
        raise TransactionNotFoundError("this ledger has no transaction with this id")

    def submit(self, transactions: Sequence[Transaction]) -> "list[asyncio.Future[Placed]]":
        """Hand verified transactions to the engine, packed into envelopes of this node.

        Args:
            transactions: signatures verified, admissible now, none of them waiting or placed already, each once.

        Returns:
            A future for each, with its place, or the error that it was dropped with.

        Raises:
            OverloadedError: too much waits; nothing was accepted.
            NodeHaltedError: the node decides nothing more.
            NodeStoppingError: the node is stopping.
        """
        self._require_running()
        self._pending.reserve(len(transactions))
        futures = [self._pending.add(transaction.id) for transaction in transactions]
        self._hand_in(transactions)
        return futures

    def _hand_in(self, transactions: Sequence[Transaction]) -> None:
        """Give transactions that wait to the engine; tell whoever waits where that is refused."""
        position = 0
        for group in split_for_envelopes([transaction.encoded for transaction in transactions]):
            members = transactions[position : position + len(group)]
            position += len(group)
            try:
                self._submit_group(group, members)
            except YunheError as error:
                for transaction in members:
                    self._pending.drop(transaction.id, error)

    def _submit_group(self, group: list[bytes], members: Sequence[Transaction]) -> None:
        self._sequence += 1
        envelope = self._sealer.seal(self._sequence, group)
        verdicts: tuple[Verdict, ...] = tuple(members)
        self._application.remember(OpenedEnvelope(envelope, verdicts))
        self._engine.submit(envelope.encoded)

    def view(self, contract: str, view: str, arguments: dict[str, Value]) -> tuple[int, Value]:
        """Run a view on the last committed state, and return its height and the result; thread-safe.

        Raises:
            YunheError: no such view, arguments that do not fit, a refusal of the contract, or a local fault.
        """
        reader = self.store.reader()
        head = self.store.header(reader.height)
        return head.height, self._worker.view(BlockContext(head.height, head.time_ms), contract, view, arguments, reader)

    def _require_running(self) -> None:
        if self._halt is not None:
            raise NodeHaltedError(f"the node is halted: {self._halt}")
        if self._stopping:
            raise NodeStoppingError("the node is stopping; submit the transaction again when it is back")

    def _committed(self, news: BlockCommitted) -> None:
        """Called in the engine's thread after each commit."""
        # API-005: a retry that was checked just before its first try had a place has the same place.
        retried = {d.transaction_id for d in news.dropped if d.transaction_id is not None and isinstance(d.error, AlreadyUsedError)}
        known = {t: placed for t in retried if (placed := self._find_kept(t)) is not None}
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._answer, news, known)
        self.certification.keep_newest()

    def _answer(self, news: BlockCommitted, known: dict[bytes, Placed]) -> None:
        block = news.block
        if block is not None:
            self.events.announce()
            # Asked once for all: a message that is not wanted costs two microseconds, and there is one for each transaction.
            is_told = _log.is_enabled_for(logging.DEBUG)
            for position, receipt in enumerate(block.receipts):
                self._pending.place(receipt.transaction_id, Placed(block.header.height, position, block.header.time_ms, receipt))
                if is_told:
                    identity = receipt.transaction_id.hex()
                    _log.debug("transaction placed", transaction=identity, height=block.header.height, code=receipt.outcome.code)
        for known_id, placed in known.items():
            self._pending.place(known_id, placed)
        self._early.add(dropped.early for dropped in news.dropped if dropped.early is not None)
        for dropped in self._without_resealed(news.dropped):
            if dropped.early is not None and self._pending.find(dropped.early.id) is not None:
                continue
            dropped_id = dropped.transaction_id.hex() if dropped.transaction_id else None
            _log.warning("dropped without effect", transaction=dropped_id, code=dropped.error.code, reason=dropped.error.message)
            if dropped.transaction_id is not None:
                self._pending.drop(dropped.transaction_id, dropped.error)

    def _without_resealed(self, drops: Sequence[Dropped]) -> list[Dropped]:
        """Seal transactions again whose envelope came too late for the key that the node had, and return what stays dropped."""
        # NET-035: nothing that was accepted is lost.
        late = [d for d in drops if d.late is not None and self._pending.find(d.late.transaction.id) is not None]
        again = {id(d) for d in late if d.late is not None and self._seal_again(d.late, d.error, _RESEAL_TRIES)}
        return [d for d in drops if id(d) not in again]

    def _seal_again(self, late: Late, error: YunheError, tries: int) -> bool:
        """Seal a transaction with the key that the ledger knows, at once or when the block that changes it is committed."""
        if self._stopping or self._halt is not None or self._loop is None or not tries:
            return False
        if self._sealer.identity.public_key != late.sealed_by:
            self._hand_in([late.transaction])
            return True

        def later() -> None:
            if self._pending.find(late.transaction.id) is not None and not self._seal_again(late, error, tries - 1):
                self._pending.drop(late.transaction.id, error)

        self._loop.call_later(_RESEAL_S, later)
        return True

    async def _watch_engine(self) -> None:
        """Notice that the engine stopped by itself."""
        while self._halt is None:
            failure = self._engine.failure
            if failure is not None:
                name = failure.code if isinstance(failure, YunheError) else type(failure).__name__
                self._halt = f"{name}: {failure}"
                self._pending.drop_all(NodeHaltedError(f"the node is halted: {self._halt}"))
                _log.error("node halted", reason=self._halt, exc_info=failure)
                return
            await asyncio.sleep(_WATCH_INTERVAL_S)


_WATCH_INTERVAL_S = 0.1
_RESEAL_S = 0.1
_RESEAL_TRIES = 20
"""So often it is looked whether the node has another key: the block that changes it may be delivered and not committed."""
_HELD = (
    "the ledger was restored from a backup, and what followed it may be lost. It answers queries and decides nothing; to go on from the "
    "backup, restore it again with --roll-back, or with --complete if it was made when the node had stopped for good"
)


def check_platform(genesis: Genesis) -> None:
    """Check that a node of this ledger can run here.

    Raises:
        PlatformError: not Linux on x86-64, or the native core is missing.
        WrongPythonError: the ledger was made for another CPython minor version.
    """
    try:
        import yunhe_native  # noqa: F401, PLC0415  # asked for only to name its absence
    except ImportError as error:
        raise PlatformError("a node needs the native core: install the package yunhe-native (Linux, x86-64)") from error
    running = f"{sys.version_info.major}.{sys.version_info.minor}"
    if platform.python_implementation() != "CPython" or running != genesis.python:
        raise WrongPythonError(f"this ledger runs its contracts on CPython {genesis.python}; this is {running}: install Yunhe on that one")


def open_executor(genesis: Genesis) -> WorkerExecutor:
    """Return an executor for a ledger, which runs its contracts in jailed workers.

    Raises:
        ConfigurationError: this machine cannot run it; the message says why.
    """
    check_platform(genesis)
    return WorkerExecutor(genesis.chain_hash)


def check_engine(folder: NodeFolder) -> None:
    """Check that a node's engine is that of its ledger.

    Raises:
        InvalidConfigurationError: a node alone would go on with a ledger between organisations, or the other way round.
    """
    wanted = CometbftEngine.name if folder.genesis.validators else SoloEngine.name
    if folder.config.engine != wanted:
        raise InvalidConfigurationError(
            f"this ledger's engine is {wanted!r}, and the setting says {folder.config.engine!r}; set `engine` in node.toml to {wanted!r}"
        )


def check_ledger(folder: NodeFolder, progress: Progress, *, replay: bool) -> CheckReport:
    """Read and verify every byte of a stopped node's ledger.

    Args:
        folder: of the node.
        progress: is told of every checked block.
        replay: whether to run all contracts again and compare receipts and state.

    Raises:
        YunheError: as `yunhe.storage.check_folder`, or the worker cannot run here.
    """
    path = folder.path / STORE_FOLDER
    if not replay:
        return check_folder(path, folder.genesis, progress)
    worker = open_executor(folder.genesis)
    try:
        return check_folder(path, folder.genesis, progress, worker)
    finally:
        worker.close()
