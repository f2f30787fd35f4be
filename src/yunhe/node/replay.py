"""Time travel: a transaction of the past, run again on the state that it ran on.

The state after the block below comes from the block log (`yunhe.storage.past_state`), the effects of the transactions before it in its
block from running these again. So contracts, parameters, signers and their roles are those of that moment. The run is metered, in a jailed
worker as on the node, and its receipts must be those of the block byte for byte; else nothing of it is shown. After that it can run
un-metered in this process, where a debugger stops in its lines. The node may be running or stopped: its folder is only read. Why it is so:
docs/adr/0009.
"""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, TypeAlias

from yunhe.contracts.overlay import CommittedState, Overlay
from yunhe.contracts.plain import PlainOutcome, PlainRunner
from yunhe.contracts.worker.executor import WorkerExecutor
from yunhe.crypto import ChainHash
from yunhe.errors import BlockInvalidError, InvalidInputError, NotPermittedError, ReplayDiffersError, TransactionNotFoundError
from yunhe.ledger.changes import RowChange, row_changes, writes_between
from yunhe.ledger.enrolment import EnrolledSigner, authorise
from yunhe.ledger.execution import execute_block
from yunhe.ledger.interfaces import BlockContext, Execution, StateReader, Write
from yunhe.ledger.merkle import merkle_root
from yunhe.ledger.receipt import Receipt
from yunhe.ledger.skip_order import orders_in
from yunhe.ledger.transaction import Transaction
from yunhe.ledger.transition import LedgerBlock
from yunhe.node.folder import STORE_FOLDER, NodeFolder
from yunhe.node.node import check_platform
from yunhe.node.source_folder import SourceFolder
from yunhe.storage import LogReader, past_state

ReplayProgress: TypeAlias = Callable[[str, int, int], None]
"""Is told what is being done, how many blocks are done, and of how many."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """What a transaction did, as its replay shows it and its receipt in the ledger says."""

    transaction: Transaction
    block: LedgerBlock
    position: int
    """In the block, from 0."""
    receipt: Receipt
    """The block's, which the replay gave again byte for byte."""
    signers: tuple[EnrolledSigner, ...]
    """As they were enrolled then; empty where one of them was not."""
    changes: tuple[RowChange, ...]
    fault: str
    """For people: what lay behind a CONTRACT_FAULT, with its line; else empty."""
    log_size: int
    """Blocks in the log that the block was found in."""
    log_root: bytes
    """Root of that log, as the node acknowledged it."""
    before: StateReader = field(repr=False, compare=False)
    """The state that the transaction found."""


@dataclass(frozen=True, slots=True)
class PlainReplay:
    """What a transaction did when it ran again un-metered."""

    outcome: PlainOutcome
    changes: tuple[RowChange, ...]

    def differences(self, replayed: Replayed) -> tuple[str, ...]:
        """Return what differs from the metered run: of code, call, results, events and changes."""
        metered, plain = replayed.receipt.outcome, self.outcome
        same = {
            "code": metered.code == plain.code,
            "call": metered.call_index == plain.call_index,
            "results": metered.results == plain.results,
            "events": metered.events == plain.events,
            "changes": replayed.changes == self.changes,
        }
        return tuple(name for name, is_same in same.items() if not is_same)


class PlainWatch(Protocol):
    """Whoever follows an un-metered run: a debugger."""

    def placed(self, contract: str, source: str, file: str) -> None:
        """A contract is being loaded from a file with its source."""
        ...

    def entering(self, call_index: int) -> None:
        """A call of the transaction begins."""
        ...


class PastTransaction:
    """A transaction of the past with the state that it ran on."""

    def __init__(self, log: LogReader, block: LedgerBlock, position: int, state: StateReader, chain_hash: ChainHash) -> None:
        """Take the parts together.

        Args:
            log: that the block is in.
            block: with the roots of its header checked.
            position: of the transaction in the block.
            state: after the block below.
            chain_hash: the ledger's.
        """
        self._log = log
        self._chain_hash = chain_hash
        self.state = state
        """After the block below."""
        self.block = block
        self.position = position
        self.transaction: Transaction = block.transactions[position]

    @property
    def context(self) -> BlockContext:
        """What contracts know of the block."""
        return BlockContext(self.block.header.height, self.block.header.time_ms)

    def replay(self) -> Replayed:
        """Run the transaction as the node did, and compare.

        Raises:
            ReplayDiffersError: it, or one before it in the block, has another receipt now.
            WorkerFailedError: contracts cannot be run here.
        """
        worker = WorkerExecutor(self._chain_hash)
        try:
            earlier = self._execute(worker, self.position)
            execution = self._execute(worker, self.position + 1)
            fault = worker.faults.get(self.position, "")
        finally:
            worker.close()
        before = self.state_before(earlier.writes)
        return Replayed(
            self.transaction,
            self.block,
            self.position,
            self.block.receipts[self.position],
            self._signers(before),
            row_changes(writes_between(earlier.writes, execution.writes, self.state), before),
            fault,
            self._log.size,
            self._log.root,
            before,
        )

    def replay_plainly(self, replayed: Replayed, sources: SourceFolder, watch: PlainWatch) -> PlainReplay:
        """Run the transaction un-metered in this process, without a jail: what a contract may do, it does with the caller's rights.

        Args:
            replayed: its metered run.
            sources: where the contracts' sources are put.
            watch: is told of contracts and calls; what it raises that is no `Exception` ends the run.
        """

        def place(contract: str, source: str) -> str:
            file = sources.place(contract, source)
            watch.placed(contract, source, file)
            return file

        outcome = PlainRunner(self._chain_hash, place).run(self.context, self.transaction, replayed.before, watch.entering)
        return PlainReplay(outcome, row_changes(outcome.writes, replayed.before))

    def state_before(self, writes: tuple[Write, ...]) -> Overlay:
        """Return the state after the block below with writes of the transactions that ran before."""
        state = Overlay(CommittedState(self.state))
        for key, record in writes:
            state.put(key, record)
        return state

    def _execute(self, worker: WorkerExecutor, count: int) -> Execution:
        """Run the first transactions of the block; their receipts are those of the block."""
        if count == 0:
            return Execution((), ())
        transactions = self.block.transactions[:count]
        execution = execute_block(self.context, transactions, self.state, worker, self._chain_hash, orders_in(self.block.writes))
        for position, (transaction, outcome) in enumerate(zip(transactions, execution.outcomes, strict=True)):
            recorded = self.block.receipts[position]
            if Receipt.make(transaction.id, outcome).encoded != recorded.encoded:
                raise ReplayDiffersError(
                    f"transaction {position} of block {self.block.header.height} ended with {recorded.outcome.code} and "
                    f"{recorded.outcome.gas_used} gas; run again it ends with {outcome.code} and {outcome.gas_used} gas, or with other "
                    "results or events: this is not the version of Yunhe that ran it, or `yunhe node check --replay` finds what is wrong"
                )
        return execution

    def _signers(self, state: StateReader) -> tuple[EnrolledSigner, ...]:
        try:
            return authorise(state, self.transaction.body.signers)
        except NotPermittedError:
            # What the receipt says already.
            return ()


@contextmanager
def past_transaction(
    folder: NodeFolder, transaction_id: bytes, progress: ReplayProgress, *, scratch: Path | None = None
) -> Iterator[PastTransaction]:
    """Find a transaction in a node's folder and make the state that it ran on, for as long as the context lasts.

    Args:
        folder: of a node, running or stopped.
        transaction_id: 32 bytes.
        progress: is told of blocks that are read.
        scratch: folder for the state that is made; by default the system's.

    Raises:
        TransactionNotFoundError: no acknowledged block has the transaction.
        WrongPythonError: the ledger was made for another CPython minor version.
        PlatformError: contracts cannot be run on this machine.
        CorruptionError: the block log is damaged; the class says how.
    """
    check_platform(folder.genesis)
    chain_hash = folder.genesis.chain_hash
    with closing(LogReader.open(folder.path / STORE_FOLDER, folder.genesis)) as log:
        place = log.find(transaction_id, lambda done, total: progress("looking for the transaction", done, total))
        if place is None:
            raise TransactionNotFoundError(f"none of the {log.size} blocks of this ledger has a transaction with this id")
        block = _checked_block(log, place.height, chain_hash)
        with past_state(
            log,
            place.height - 1,
            folder.genesis,
            lambda done, total: progress(f"making the state before block {place.height}", done, total),
            scratch=scratch,
        ) as state:
            yield PastTransaction(log, block, place.position, state, chain_hash)


def _checked_block(log: LogReader, height: int, chain_hash: ChainHash) -> LedgerBlock:
    """Return a block whose transactions and receipts are those of its header's roots."""
    try:
        block = log.record(height).block(chain_hash)
    except InvalidInputError as error:
        raise BlockInvalidError(f"block {height}: {error.message}; run `yunhe node check`") from error
    header = block.header
    transactions_root = merkle_root([transaction.leaf(chain_hash) for transaction in block.transactions], chain_hash)
    receipts_root = merkle_root([receipt.encoded for receipt in block.receipts], chain_hash)
    if (transactions_root, receipts_root) != (header.transactions_root, header.receipts_root):
        raise BlockInvalidError(f"block {height}: transactions or receipts are not those of the header's roots; run `yunhe node check`")
    return block
