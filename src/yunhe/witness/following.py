"""How a witness follows a network: it takes what is certified, runs it again, and cosigns what was right.

Nothing is believed. A block is taken when a proof bundle leads from the genesis to it (WIT-002), and kept when the rules lead to it
(WIT-003). Whatever contradicts what the witness has is written down and ends it (WIT-004). Specification: docs/spec/witness.md.
"""

import hashlib
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, Protocol

from yunhe import verifier
from yunhe.crypto import ChainHash, PrivateKey
from yunhe.errors import (
    BlockInvalidError,
    BlockNotFoundError,
    ConflictError,
    InvalidInputError,
    MalformedError,
    ProofError,
    StateMismatchError,
)
from yunhe.errors.witness import BlockUncertifiedError, CertifiedBlockWrongError, HistoryContradictedError
from yunhe.ledger.checkpoint import Checkpoint, cosign, witness_note
from yunhe.ledger.codec import decode
from yunhe.ledger.header import Header
from yunhe.ledger.interfaces import Executor
from yunhe.ledger.merkle import merkle_root
from yunhe.ledger.receipt import SKIPPED, Receipt
from yunhe.ledger.skip_order import SkipOrder, orders_in
from yunhe.ledger.transaction import Transaction
from yunhe.limits import PROOF_BYTES_MAX
from yunhe.sdk import prove_transaction
from yunhe.sdk.proofs import verify_proof
from yunhe.storage import CosignerMemory, DataFolder, LedgerStore
from yunhe.storage.block_check import BlockChecker
from yunhe.storage.block_record import BlockRecord
from yunhe.storage.files import make_folders, replace
from yunhe.witness.folder import EVIDENCE_FOLDER, STORE_FOLDER, WitnessFolder

_BLOCKS_AT_ONCE: Final = 256
_BYTES_AT_ONCE: Final = 32 * 1024 * 1024
_HEADER_PLACE: Final = 5
"""Of the proven header in a bundle's array (docs/spec/proofs.md, "Bundle")."""


class BlockSource(Protocol):
    """A node, as far as a witness asks it; `yunhe.sdk.Client` is one."""

    def checkpoint(self) -> str:
        """Return the newest checkpoint as a signed note."""

    def block_record(self, height: int) -> bytes:
        """Return a block as the node stores it."""

    def prove(self, subjects: Sequence[dict[str, Any]]) -> bytes:
        """Return a proof bundle."""


@dataclass(frozen=True, slots=True)
class _Sent:
    """What a node sent as a block. Its receipts and write set are not believed, but for skip orders: the witness makes its own."""

    record: bytes
    header: Header
    transactions: tuple[Transaction, ...]
    orders: tuple[SkipOrder, ...]
    """To pass over transactions; checked before one is."""

    @classmethod
    def of(cls, data: bytes, chain_hash: ChainHash) -> "_Sent":
        """Take a record apart.

        Raises:
            InvalidInputError: it is none, or its transactions are not those of its header.
        """
        record = BlockRecord.decode(data)
        transactions = tuple(Transaction.decode(transaction, chain_hash) for transaction in record.transactions)
        header = Header.decode(record.header)
        if not transactions or merkle_root([t.leaf(chain_hash) for t in transactions], chain_hash) != header.transactions_root:
            raise MalformedError("its transactions are not those of its header")
        return cls(data, header, transactions, orders_in(record.writes))

    def has_its_orders(self, chain_hash: ChainHash) -> bool:
        """Return whether the receipts are those of the header, and every transaction that they call passed over has an order."""
        record = BlockRecord.decode(self.record)
        if merkle_root(list(record.receipts), chain_hash) != self.header.receipts_root:
            return False
        passed = [receipt.transaction_id for receipt in map(Receipt.decode, record.receipts) if receipt.outcome.code == SKIPPED]
        return sorted(passed) == sorted(order.transaction_id for order in self.orders)


@dataclass(frozen=True, slots=True)
class Followed:
    """How far a witness is after it asked one node."""

    address: str
    size: int
    """Headers in the witness's block log."""
    node_size: int
    """Headers in the node's, as it says."""
    taken: int
    """Blocks that were taken from it."""


class Witness:
    """One network as a witness has it. `follow` is for one thread; `note` can be asked by any."""

    def __init__(self, folder: WitnessFolder, store: LedgerStore, key: PrivateKey, executor: Executor, clock: Callable[[], int]) -> None:
        """Join the parts.

        Args:
            folder: loaded.
            store: open, of this folder.
            key: of the witness.
            executor: runs the blocks.
            clock: milliseconds since 1970-01-01 UTC.
        """
        self._folder = folder
        self._store = store
        self._key = key
        self._executor = executor
        self._clock = clock
        self._memory = CosignerMemory.open(DataFolder(folder.path / STORE_FOLDER).cosigner, folder.genesis.network_id)
        self._memory.meet(key.public_key.raw)
        self._lock = threading.Lock()

    @property
    def size(self) -> int:
        """Headers in the witness's block log."""
        return self._store.log.size

    # --- Following ----------------------------------------------------------------------------------------------------

    def follow(self, source: BlockSource, address: str) -> Followed:
        """Take the next blocks that a node has, at most so many at once, and compare histories.

        Args:
            source: the node.
            address: of the node, for people.

        Raises:
            HistoryContradictedError: the node shows another history; the evidence is in the folder.
            CertifiedBlockWrongError: the network certified what its rules do not lead to; the evidence is in the folder.
            BlockUncertifiedError: it sent what no certificate covers.
            YunheError: the node does not answer, or refuses.
        """
        text = source.checkpoint()
        checkpoint = self._read(text, address)
        if checkpoint.size <= self.size and checkpoint.root != self._store.log.root(checkpoint.size):
            self._contradict(source, address, checkpoint.size - 1)
        taken = self._take(source, address, checkpoint.size) if checkpoint.size > self.size else 0
        return Followed(address, self.size, checkpoint.size, taken)

    def _read(self, text: str, address: str) -> Checkpoint:
        try:
            size, root = verifier.read_checkpoint(text, self._folder.genesis.network_id)
        except verifier.VerificationError as error:
            raise BlockUncertifiedError(f"the checkpoint of {address} cannot be read: {error}") from error
        return Checkpoint(self._folder.genesis.network_id, size, root)

    def _contradict(self, source: BlockSource, address: str, height: int) -> None:
        """Look whether a node that names another root can prove a block of another history: anybody can name a root."""
        data = source.block_record(height)
        block = self._sent(data, address, height)
        bundle = self._certified(source, address, block)
        # WIT-004
        if block.header.encode() != self._store.header(height).encode():
            path = self._keep_evidence(f"block-{height}", {"record.cbor": data, "certificate.yunhe": bundle})
            raise HistoryContradictedError(
                f"{address} shows a certified block {height} that is another than the one that was witnessed; it is in {path}"
            )
        raise BlockUncertifiedError(f"{address} names a root that its own blocks do not have")

    def _take(self, source: BlockSource, address: str, node_size: int) -> int:
        blocks = self._fetch(source, address, node_size)
        bundle = self._certified(source, address, blocks[-1])
        self._check_follow(address, blocks, bundle)
        checker = BlockChecker(self._folder.genesis, self._store, None, self._store.head(), self._store.engine_height)
        for place, block in enumerate(blocks):
            try:
                # WIT-003
                right = checker.run(self._executor, block.header, block.transactions, block.orders)
                with self._lock:
                    self._store.commit(right, self._store.engine_height + 1)
            except (BlockInvalidError, StateMismatchError) as error:
                self._store.discard()
                # LED-063: a node that hides an order must not make the network look as if it had broken its rules.
                if not block.has_its_orders(self._folder.genesis.chain_hash):
                    raise BlockUncertifiedError(
                        f"what {address} sent as block {block.header.height} lacks its receipts, or orders by which it was made"
                    ) from error
                # The certificate is that of the last one; those between lead to it.
                evidence = {f"{sent.header.height}.cbor": sent.record for sent in blocks[place:]} | {"certificate.yunhe": bundle}
                path = self._keep_evidence(f"block-{block.header.height}", evidence)
                raise CertifiedBlockWrongError(
                    f"the network certified a block that its rules do not lead to ({error.message}); block and certificate are in {path}"
                ) from error
            except BaseException:
                self._store.discard()
                raise
        return len(blocks)

    def _fetch(self, source: BlockSource, address: str, node_size: int) -> list[_Sent]:
        blocks: list[_Sent] = []
        size = 0
        for height in range(self.size, min(node_size, self.size + _BLOCKS_AT_ONCE)):
            data = source.block_record(height)
            blocks.append(self._sent(data, address, height))
            size += len(data)
            if size > _BYTES_AT_ONCE:
                break
        return blocks

    def _sent(self, data: bytes, address: str, height: int) -> _Sent:
        try:
            block = _Sent.of(data, self._folder.genesis.chain_hash)
        except InvalidInputError as error:
            raise BlockUncertifiedError(f"what {address} sent as block {height} is none: {error.message}") from error
        if block.header.height != height:
            raise BlockUncertifiedError(f"{address} sent block {block.header.height} where block {height} was asked for")
        return block

    def _certified(self, source: BlockSource, address: str, last: _Sent) -> bytes:
        """Return a bundle that leads from the genesis to a block's header."""
        # WIT-002
        try:
            bundle = source.prove([prove_transaction(last.transactions[0].id)])
            verify_proof(bundle, self._folder.genesis_json)
        except (ProofError, InvalidInputError, ConflictError) as error:
            raise BlockUncertifiedError(f"{address} has no certificate for the last block that it sent: {error.message}") from error
        parts = decode(bundle, PROOF_BYTES_MAX)
        assert isinstance(parts, list)
        assert isinstance(parts[_HEADER_PLACE], list)
        if parts[_HEADER_PLACE][0] != last.header.encode():
            raise BlockUncertifiedError(f"{address} proves another block than the one that it sent")
        return bundle

    def _check_follow(self, address: str, blocks: Sequence[_Sent], bundle: bytes) -> None:
        """Check that the blocks are a chain that ends with what is certified and begins where the witness is."""
        chain_hash = self._folder.genesis.chain_hash
        for block, next_block in pairwise(blocks):
            if next_block.header.previous != block.header.hash(chain_hash):
                raise BlockUncertifiedError(
                    f"block {next_block.header.height} of {address} does not follow from the one that it sent before"
                )
        first = blocks[0]
        # WIT-004
        if first.header.previous != self._store.head().hash(chain_hash):
            path = self._keep_evidence(f"block-{first.header.height}", {"record.cbor": first.record, "certificate.yunhe": bundle})
            raise HistoryContradictedError(
                f"{address} shows a certified block {first.header.height} that does not follow from what was witnessed; it is in {path}"
            )

    def _keep_evidence(self, name: str, files: dict[str, bytes]) -> Path:
        digest = hashlib.sha256(b"".join(files.values())).hexdigest()[:16]
        folder = self._folder.path / EVIDENCE_FOLDER / f"{name}-{digest}"
        make_folders(folder)
        for file, data in files.items():
            replace(folder / file, data)
        return folder

    # --- Cosigning ----------------------------------------------------------------------------------------------------

    def note(self, size: int | None = None) -> str:
        """Cosign a checkpoint of the witnessed history, and return it as a signed note (PRF-030).

        Args:
            size: headers in it; all that were witnessed when left out.

        Raises:
            BlockNotFoundError: the witness is not so far yet, or the size is none.
            CosignatureRefusedError: the history contradicts what was cosigned before.
        """
        # WIT-005
        with self._lock:
            wanted = self.size if size is None else size
            if not 1 <= wanted <= self.size:
                raise BlockNotFoundError(f"{self.size} blocks were witnessed so far, the genesis included; {wanted} cannot be cosigned")
            # LED-042: what is remembered is the beginning of the log, so a checkpoint below it contradicts nothing.
            if wanted > self._memory.last.size:
                self._memory.advance(self._store.log, wanted, self._key.public_key.raw)
            root = self._store.log.root(wanted)
        checkpoint = Checkpoint(self._folder.genesis.network_id, wanted, root)
        return witness_note(checkpoint, cosign(checkpoint, self._folder.name, self._key, self._clock() // 1000), self._folder.name)
