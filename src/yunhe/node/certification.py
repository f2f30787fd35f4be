"""Certified checkpoints and proof bundles, as this node can make them.

The newest checkpoint is cosigned when someone asks for it. A checkpoint that ends with a change of certifiers is cosigned at once and kept
for ever, because the set that counts for it may never sign again (PRF-012). A node whose key does not carry enough power can do neither:
the ledger goes on without, and proofs that would need such a checkpoint are refused by name.
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import structlog

from yunhe.errors import (
    BlockNotFoundError,
    CertificateDamagedError,
    CosignerBarredError,
    MalformedError,
    NotACertifierError,
    TransactionNotFoundError,
)
from yunhe.ledger.certifiers import CertifierSet
from yunhe.ledger.checkpoint import note
from yunhe.ledger.genesis import Genesis
from yunhe.ledger.layouts import CERTIFIERS_PREFIX, certifiers_of_rows, changes_certifiers, read_certifiers
from yunhe.ledger.proof import CertifiedCheckpoint, StateSubject, Subject, build_bundle, receipt_subject, transaction_subject
from yunhe.ledger.state_keys import KeyComponent, prefix_end, state_key
from yunhe.ledger.transition import LedgerBlock
from yunhe.limits import CERTIFIERS_MAX, PROOF_SUBJECTS_MAX
from yunhe.node.cosigner import Cosigner
from yunhe.storage import Certificates, LedgerStore, Location

_log = structlog.get_logger("yunhe.node")


@dataclass(frozen=True, slots=True)
class ProofSubjectRequest:
    """Something to prove."""

    kind: Literal["transaction", "receipt", "record"]
    transaction_id: bytes = b""
    """For transaction and receipt."""
    contract: str = ""
    table: str = ""
    key: tuple[KeyComponent, ...] = ()

    @classmethod
    def of_record(cls, contract: str, table: str, key: tuple[KeyComponent, ...]) -> "ProofSubjectRequest":
        """Ask for a record, or for its absence."""
        return cls("record", b"", contract, table, key)


class Certification:
    """Cosigns the block log and puts bundles together; thread-safe."""

    def __init__(self, store: LedgerStore, genesis: Genesis, cosigner: Cosigner, certificates: Certificates) -> None:
        self._store = store
        self._genesis = genesis
        self._cosigner = cosigner
        self._certificates = certificates
        self._lock = threading.Lock()
        self._newest: CertifiedCheckpoint | None = None
        self._keep_change()

    def committed(self, block: LedgerBlock) -> None:
        """Take note of a committed block, before the next one is decided."""
        if changes_certifiers(block.writes):
            with self._lock:
                self._keep_change()

    def newest_note(self) -> bytes:
        """Return the newest checkpoint with this node's cosignature, as a signed note.

        Raises:
            NotACertifierError: the node's ledger key does not count.
            CosignerBarredError: the node was restored, and its ledger key signs nothing more.
        """
        with self._lock:
            newest = self._certify()
        return note(newest.checkpoint, list(newest.cosignatures))

    def prove(self, subjects: Sequence[ProofSubjectRequest], height: int | None) -> bytes:
        """Make a proof bundle.

        Args:
            subjects: 1 to `PROOF_SUBJECTS_MAX`; transactions and receipts of one block, or records, or both.
            height: height of records; by default that of the transactions and receipts, else the last block.

        Raises:
            MalformedError: none or too many subjects, or of different heights.
            TransactionNotFoundError: a transaction has no place in the ledger.
            HistoryGoneError: records of that height are no longer kept.
            NotACertifierError: the node's ledger key does not certify the newest block alone, or did not certify a change of certifiers.
            CertificateDamagedError: a kept certificate of an earlier change of certifiers is damaged.
        """
        if not 1 <= len(subjects) <= PROOF_SUBJECTS_MAX:
            raise MalformedError(f"a bundle proves 1 to {PROOF_SUBJECTS_MAX} things, not {len(subjects)}")
        with self._lock:
            newest = _require_certified(self._certify())
        at = self._height(subjects, height, newest.checkpoint.size - 1)
        certified = [*self._certificates.chain(newest.checkpoint.size), newest]
        gap = self._certificates.first_gap(newest.checkpoint.size)
        # PRF-012
        if gap is not None:
            raise NotACertifierError(
                f"the certifiers changed before block {gap - 1} while this node's ledger key did not certify, "
                "so no proof can lead there from the genesis; ask a node whose key did"
            )
        made = [self._subject(subject, at) for subject in subjects]
        return build_bundle(self._store.header, self._store.log, certified, at, made).encode()

    def _height(self, subjects: Sequence[ProofSubjectRequest], height: int | None, newest: int) -> int:
        heights = {self._locate(subject.transaction_id).height for subject in subjects if subject.kind != "record"}
        if height is not None:
            heights.add(height)
        if len(heights) > 1:
            raise MalformedError(f"one bundle is about one height; these subjects are of {sorted(heights)}")
        at = heights.pop() if heights else newest
        if not 0 <= at <= newest:
            raise BlockNotFoundError(f"there is no block {at} yet; the last one is {newest}")
        return at

    def _locate(self, transaction_id: bytes) -> Location:
        location = self._store.locate(transaction_id)
        if location is None:
            raise TransactionNotFoundError("this ledger has no transaction with this id")
        return location

    def _subject(self, subject: ProofSubjectRequest, height: int) -> Subject:
        if subject.kind == "record":
            key = state_key(subject.contract, subject.table, subject.key)
            record, proof = self._store.prove_record(height, key)
            return StateSubject(subject.contract, subject.table, subject.key, record, proof)
        position = self._locate(subject.transaction_id).position
        block = self._store.block(height)
        if subject.kind == "transaction":
            return transaction_subject(block.transactions, position, self._genesis.chain_hash)
        return receipt_subject(block.receipts, position, self._genesis.chain_hash)

    def _certify(self) -> CertifiedCheckpoint:
        """Return the newest checkpoint with this node's cosignature, cosigning it if nobody asked since the last block."""
        while self._newest is None or self._newest.checkpoint.size != self._store.log.size:
            size = self._store.log.size
            counting = self._counting_set(size)
            # A block that was committed meanwhile can have changed the records that the set was read from: look again.
            if size > 1 and counting.hash(self._genesis.chain_hash) != self._store.header(size - 2).next_certifiers:
                continue
            own = counting.find(self._cosigner.organisation)
            if own is None or own.public_key != self._cosigner.public_key:
                raise NotACertifierError(
                    "this node's ledger key is not in the certifier set that counts for the newest block, so it can prove nothing; "
                    "a vote (governance.propose_certifier) can put it there"
                )
            checkpoint, cosignature = self._cosigner.cosign(self._genesis.network_id, self._store.log, size)
            self._newest = CertifiedCheckpoint(checkpoint, counting, (cosignature,))
            break
        return self._newest

    def _counting_set(self, size: int) -> CertifierSet:
        """Return the set whose cosignatures count for a checkpoint of this size, which is that of the head or newer than any change."""
        # LED-041
        if size == 1:
            return self._genesis.certifiers
        last, before = self._store.header(size - 1), self._store.header(size - 2)
        if last.next_certifiers == before.next_certifiers:
            return read_certifiers(self._store.reader())
        return self._set_before(size - 1)

    def _set_before(self, height: int) -> CertifierSet:
        """Return the certifier set that block `height` replaced, from the records that it overwrote."""
        state = self._store.reader()
        rows = dict(state.scan(CERTIFIERS_PREFIX, prefix_end(CERTIFIERS_PREFIX), CERTIFIERS_MAX + 1))
        for key, _ in self._store.block(height).writes:
            if key.startswith(CERTIFIERS_PREFIX):
                record, _ = self._store.prove_record(height - 1, key)
                if record is None:
                    rows.pop(key, None)
                else:
                    rows[key] = record
        return certifiers_of_rows(list(rows.values()))

    def _keep_change(self) -> None:
        """Keep the certified checkpoint of the head when it changes the set; also after a crash in between."""
        head = self._store.head()
        if head.height == 0 or head.next_certifiers == self._store.header(head.height - 1).next_certifiers:
            return
        try:
            self._certificates.read(head.height + 1)
        except CertificateDamagedError:
            # STO-016: the set that counts for it still signs.
            self._keep_newest(head.height)

    def _keep_newest(self, height: int) -> None:
        try:
            self._certificates.keep(_require_certified(self._certify()))
        except (NotACertifierError, CosignerBarredError) as error:
            # Halting would not bring the missing cosignatures, and take from the ledger the votes that put things right.
            _log.error("a change of certifiers was not certified", height=height, reason=error.message)


def _require_certified(item: CertifiedCheckpoint) -> CertifiedCheckpoint:
    """Return a checkpoint if its cosignatures carry more than two thirds of the power.

    Raises:
        NotACertifierError: they do not.
    """
    power = sum(member.power for c in item.cosignatures if (member := item.certifiers.find(c.organisation)) is not None)
    # PRF-002
    if 3 * power <= 2 * item.certifiers.power:
        raise NotACertifierError(
            f"this node's ledger key has power {power} of {item.certifiers.power} and more than two thirds is needed, so it can prove "
            "nothing alone; a vote (governance.propose_certifier) can change powers"
        )
    return item
