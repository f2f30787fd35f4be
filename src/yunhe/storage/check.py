"""The check of a whole data folder: every byte is read and verified, and the first fault is refused by name.

It changes nothing of the block log or the marker; what a start would repair (a torn end, a marker slot lost in a crash, a derived state
that is behind) is a remark in the report. The write sets are played into a state of its own, made from nothing in a scratch folder, and the
node's derived state is compared with the log afterwards, so a fault in the log is told before one that follows from it.

Specification: docs/spec/storage.md, "Check" (STO-014).
"""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from yunhe.errors import ConfigurationError, CorruptionError, DerivedStateDamagedError
from yunhe.ledger.genesis import Genesis
from yunhe.ledger.header import Header
from yunhe.ledger.interfaces import Executor
from yunhe.ledger.merkle import MerkleLog
from yunhe.limits import HASH_BYTES
from yunhe.storage.block_check import BlockChecker, Replica
from yunhe.storage.block_files import read_header, read_record, read_stub
from yunhe.storage.block_record import BlockRecord, BlockStub
from yunhe.storage.certificates import CERTIFICATE_NAME, NEWEST_NAME, Certificates
from yunhe.storage.data_folder import DataFolder, FolderLock
from yunhe.storage.log_scan import SEGMENT_NAME, LogScan, scan_log
from yunhe.storage.marker import Mark, read_mark
from yunhe.storage.opening import check_cosigned, check_marked, log_of_scan
from yunhe.storage.state_checkpoint import CHECKPOINT_NAME, base_height, fill_state
from yunhe.storage.state_store import StateStore, StateStoreOpener, open_native_store
from yunhe.storage.transaction_index import Progress, index_entries


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What was verified; a fault is raised instead."""

    blocks: int
    """Header 0 included."""
    transactions: int
    pruned: int
    """Blocks of which headers are all that is kept."""
    segments: int
    block_log_bytes: int
    header_hash: bytes
    """Of the last block."""
    log_root: bytes
    state_root: bytes
    engine_height: int
    """As the marker has it."""
    replayed: bool
    """Whether the contracts were run again."""
    remarks: tuple[str, ...]
    """What the next start will repair, and files that belong to no store."""


def check_folder(
    path: Path,
    genesis: Genesis,
    progress: Progress,
    executor: Executor | None = None,
    opener: StateStoreOpener = open_native_store,
    scratch: Path | None = None,
) -> CheckReport:
    """Read and verify every byte of a data folder.

    Args:
        path: the data folder of a node that is stopped.
        genesis: of the network.
        progress: is told of every checked block.
        executor: when given, all transactions are run again and compared.
        opener: opens the derived state, and the one that is made for the check.
        scratch: folder for the latter, which needs as much room; by default the system's.

    Returns:
        What was verified, and what the next start will repair.

    Raises:
        FolderInUseError: a node has it open.
        StoreNotFoundError: there is no store.
        ConfigurationError: another format, or another network's folder.
        CorruptionError: the first fault, by its name.
    """
    lock = FolderLock.acquire(path)
    try:
        folder = DataFolder(path)
        folder.check_format(genesis.network_id)
        with tempfile.TemporaryDirectory(prefix="yunhe-check-", dir=scratch) as made:
            return _FolderCheck(folder, genesis, executor, opener).run(Path(made) / "state", progress)
    finally:
        lock.release()


class _FolderCheck:
    def __init__(self, folder: DataFolder, genesis: Genesis, executor: Executor | None, opener: StateStoreOpener) -> None:
        self._folder = folder
        self._genesis = genesis
        self._executor = executor
        self._opener = opener
        self._remarks: list[str] = []
        self._derived_fault: DerivedStateDamagedError | None = None

    def run(self, scratch: Path, progress: Progress) -> CheckReport:
        # STO-014
        mark, scan, log = self._check_frame()
        check_cosigned(self._folder, self._genesis.network_id, log)
        derived = self._open_derived()
        replica = self._opener(scratch, self._genesis.chain_hash.name)
        try:
            transactions = self._check_blocks(scan, replica, derived, progress)
            self._check_certificates(scan, log)
            self._remark_strangers()
            state_root = replica.head()[1]
            if derived is not None:
                self._compare_derived(derived, scan.size, scan.oldest)
        finally:
            replica.close()
            if derived is not None:
                derived.close()
        if self._derived_fault is not None:
            raise self._derived_fault
        return CheckReport(
            blocks=scan.size,
            transactions=transactions,
            pruned=scan.oldest,
            segments=len(scan.segments),
            block_log_bytes=sum(segment.end for segment in scan.segments),
            header_hash=bytes(scan.header_hashes[-HASH_BYTES:]),
            log_root=log.root(),
            state_root=state_root,
            engine_height=mark.engine_height,
            replayed=self._executor is not None,
            remarks=tuple(self._remarks),
        )

    def _check_frame(self) -> tuple[Mark, LogScan, MerkleLog]:
        """Check what stands around the blocks: marker, segments, and that they belong together."""
        mark, whole = read_mark(self._folder.marker)
        if not whole:
            self._remarks.append("one slot of the marker is unreadable, as a crash during its write leaves it")
        scan = scan_log(self._folder.blocks, self._genesis.network_id, mark.height)
        log = log_of_scan(scan, self._genesis.chain_hash)
        check_marked(mark, scan, log, self._genesis)
        if scan.torn_bytes or scan.unfinished is not None:
            self._remarks.append("the block log has a torn end that was never acknowledged; the next start cuts it")
        if scan.size > mark.size:
            self._remarks.append(f"blocks {mark.size} to {scan.size - 1} are whole but not yet acknowledged; the next start keeps them")
        return mark, scan, log

    def _check_blocks(self, scan: LogScan, replica: StateStore, derived: StateStore | None, progress: Progress) -> int:
        """Check every block, and the derived state's index of its transactions; returns how many transactions there are."""
        state = Replica(replica)
        checker = BlockChecker(self._genesis, state, self._executor)
        derived_height, derived_root = derived.head() if derived else (-1, bytes(HASH_BYTES))
        base = base_height(self._folder.checkpoints, scan.oldest)
        transactions = self._check_kept(checker, scan, base, replica, derived, progress)
        for height, record in _records(scan, self._genesis, base + 1):
            ids = [transaction.id for transaction in checker.check(height, record).transactions]
            state.keep(height, ids)
            transactions += len(ids)
            if derived is not None and height <= derived_height:
                self._compare_index(derived, height, ids)
            if height == derived_height and Header.decode(record.header).state_root != derived_root:
                self._note_fault("it is at another state root than the block log")
            progress(height + 1, scan.size)
        return transactions

    def _check_kept(  # one for each thing that is compared
        self, checker: BlockChecker, scan: LogScan, base: int, replica: StateStore, derived: StateStore | None, progress: Progress
    ) -> int:
        """Check what is kept of pruned blocks, and the state after block `base`; returns how many transactions there were."""
        transactions = 0
        for height in range(base + 1):
            ids = checker.check_stub(height, _read_stub(scan, self._genesis, height))
            transactions += len(ids)
            if derived is not None and height <= derived.head()[0]:
                self._compare_index(derived, height, ids)
            progress(height + 1, scan.size)
        if base >= 0:
            kept = _read_header(scan, self._genesis, base)
            stub_at = partial(_read_stub, scan, self._genesis)
            fill_state(replica, self._folder.checkpoints, kept.network_id, base, stub_at, kept.state_root, _nobody)
        return transactions

    def _check_certificates(self, scan: LogScan, log: MerkleLog) -> None:
        # STO-016
        certificates = Certificates(
            self._folder.certificates, self._genesis.network_id, log, lambda height: _read_header(scan, self._genesis, height)
        )
        certificates.chain(scan.size)
        certificates.read_newest()
        gap = certificates.first_gap(scan.size)
        if gap is not None:
            self._remarks.append(
                f"a change of certifiers below block {gap - 1} has no certificate here, so no proof of this node leads across it; "
                "a node that certified it has one"
            )
        kept = [size for size in certificates.sizes() if size >= scan.size]
        for size in kept:
            certificates.read(size)
        changed = scan.size > 1 and len({_read_header(scan, self._genesis, scan.size - back).next_certifiers for back in (1, 2)}) > 1
        if changed and not kept:
            self._remarks.append("the last block changes the certifiers and its certificate is not there yet; the next start makes it")

    def _remark_strangers(self) -> None:
        for path in _strangers(self._folder):
            self._remarks.append(f"{path} belongs to no store and was not read")

    def _open_derived(self) -> StateStore | None:
        if not self._folder.state.exists():
            self._remarks.append("there is no derived state; the next start makes it")
            return None
        try:
            return self._opener(self._folder.state, self._genesis.chain_hash.name)
        except (CorruptionError, ConfigurationError) as error:
            self._note_fault(f"it cannot be opened: {error.message}")
            return None

    def _compare_index(self, derived: StateStore, height: int, ids: list[bytes]) -> None:
        entries = index_entries(height, ids)
        try:
            found = derived.index_get_many([key for key, _ in entries])
        except CorruptionError as error:
            self._note_fault(error.message)
            return
        if found != [value for _, value in entries]:
            self._note_fault(f"its index of transactions is wrong for block {height}")

    def _compare_derived(self, derived: StateStore, blocks: int, oldest: int) -> None:
        height, root = derived.head()
        if height >= blocks:
            self._note_fault("it is ahead of the block log")
        elif height < oldest - 1:
            self._remarks.append(f"the derived state is at block {height}, which was pruned; the next start makes it again")
        elif height < blocks - 1:
            self._remarks.append(f"the derived state is at block {height}; the next start rolls it forward")
        try:
            if height >= 0 and derived.verify() != root:
                self._note_fault("its records are not those of its root")
        except CorruptionError as error:
            self._note_fault(error.message)

    def _note_fault(self, fault: str) -> None:
        """Keep the first fault of the derived state, to be raised when the log has been checked."""
        # STO-011
        if self._derived_fault is None:
            self._derived_fault = DerivedStateDamagedError(
                f"the block log is whole, but the derived state in {self._folder.state} is not: {fault}; "
                "delete that folder and start the node, which makes it again"
            )


def _nobody(done: int, total: int) -> None:  # noqa: ARG001  # a progress that is told otherwise
    return


def _records(scan: LogScan, genesis: Genesis, first: int) -> Iterator[tuple[int, BlockRecord]]:
    for segment in scan.segments:
        for height, offset in enumerate(segment.offsets, segment.first_height):
            if height >= first:
                yield height, read_record(segment.path, offset, height, scan.header_hash(height), genesis.chain_hash)


def _read_header(scan: LogScan, genesis: Genesis, height: int) -> Header:
    return Header.decode(read_header(*scan.place(height), height, scan.header_hash(height), genesis.chain_hash))


def _read_stub(scan: LogScan, genesis: Genesis, height: int) -> BlockStub:
    if height >= scan.oldest:
        return BlockStub.of(read_record(*scan.place(height), height, scan.header_hash(height), genesis.chain_hash), genesis.chain_hash)
    return read_stub(*scan.place(height), height, scan.header_hash(height), genesis.chain_hash)


def _strangers(folder: DataFolder) -> list[Path]:
    """Return what is in the folder and belongs to no store, such as what a crash left of a file that was being replaced."""
    own = {
        *folder.files,
        folder.blocks,
        folder.state,
        folder.certificates,
        folder.certificates / NEWEST_NAME,
        folder.headers,
        folder.checkpoints,
    }
    found = [path for path in folder.path.iterdir() if path not in own]
    for inner, name in (
        (folder.blocks, SEGMENT_NAME),
        (folder.headers, SEGMENT_NAME),
        (folder.checkpoints, CHECKPOINT_NAME),
        (folder.certificates, CERTIFICATE_NAME),
    ):
        if inner.is_dir():
            found += [path for path in inner.iterdir() if path not in own and not name.fullmatch(path.name)]
    return sorted(found)
