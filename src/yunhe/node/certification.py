"""Certified checkpoints and proof bundles, as this node can make them.

The newest checkpoint is cosigned when someone asks for it, or when this node votes on the next block: its vote carries the cosignature to
the others, and theirs bring what it takes for a certificate. A checkpoint that ends with a change of certifiers is cosigned at once and
kept for ever, because the set that counts for it may never sign again (PRF-012). Where the cosignatures do not carry enough power, the
ledger goes on without, and proofs that would need such a checkpoint are refused by name.
"""

import contextlib
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import structlog

from yunhe.errors import (
    BlockLogShortenedError,
    BlockNotFoundError,
    CertificateDamagedError,
    CertificatePendingError,
    CosignerBarredError,
    InvalidInputError,
    MalformedError,
    NotACertifierError,
    TransactionNotFoundError,
)
from yunhe.ledger.certifiers import CertifierSet
from yunhe.ledger.checkpoint import Checkpoint, Cosignature, NoteSignature, note, read_note
from yunhe.ledger.genesis import Genesis
from yunhe.ledger.layouts import CERTIFIERS_PREFIX, certifiers_of_rows, changes_certifiers, read_certifiers
from yunhe.ledger.proof import CertifiedCheckpoint, StateSubject, Subject, build_bundle, receipt_subject, transaction_subject
from yunhe.ledger.state_keys import KeyComponent, prefix_end, state_key
from yunhe.ledger.transition import LedgerBlock
from yunhe.limits import CERTIFICATE_TOLD_BYTES_MAX, CERTIFIERS_MAX, PROOF_SUBJECTS_MAX
from yunhe.node.cosignatures import Cosignatures, is_certified, power_of
from yunhe.node.cosigner import Cosigner
from yunhe.node.vote_words import read_vote_words, vote_words
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
        self._keeping = threading.Lock()
        self._newest: CertifiedCheckpoint | None = None
        """The newest checkpoint that this node's key has cosigned."""
        self._certified: CertifiedCheckpoint | None = None
        """The newest checkpoint that enough cosignatures certify."""
        self._cosignatures = Cosignatures()
        self._sets = {genesis.certifiers.hash(genesis.chain_hash): genesis.certifiers}
        """Certifier sets by hash: those of the newest checkpoints."""
        self._kept_size = 0
        self._asked: OrderedDict[bytes, int] = OrderedDict()
        """Where the certificates of the validators end that asked for the next one, in the order in which they did."""
        if genesis.validators:
            self._take_up()
        self._keep_change()

    def _take_up(self) -> None:
        """Begin with the newest certificate that was kept."""
        try:
            newest = self._certificates.read_newest()
        except (CertificateDamagedError, BlockLogShortenedError) as error:
            # The votes on the next block bring a newer one.
            _log.warning("the newest certificate is not used", reason=error.message)
            return
        if newest is not None:
            checkpoint, counting = newest.checkpoint, newest.certifiers
            self._sets[counting.hash(self._genesis.chain_hash)] = counting
            self._certified = self._cosignatures.add(checkpoint, counting, newest.cosignatures)
            self._kept_size = checkpoint.size

    def keep_newest(self) -> None:
        """Keep the newest certificate, if it is newer than the kept one; after each commit, where organisations agree."""
        with self._lock:
            certified = self._certified
        # CER-004: one at a time, since what is given up is told from several threads.
        with self._keeping:
            self._keep_if_newer(certified)

    def _keep_if_newer(self, certified: CertifiedCheckpoint | None) -> None:
        if self._genesis.validators and certified is not None and certified.checkpoint.size > max(1, self._kept_size):
            self._certificates.keep_newest(certified)
            self._kept_size = certified.checkpoint.size

    def committed(self, block: LedgerBlock) -> None:
        """Take note of a committed block, before the next one is decided."""
        if changes_certifiers(block.writes):
            with self._lock:
                self._keep_change()

    def newest_note(self) -> bytes:
        """Return the newest checkpoint with the cosignatures that this node knows, its own among them, as a signed note.

        Raises:
            NotACertifierError: the node's ledger key does not count.
            CosignerBarredError: the node was restored, and its ledger key signs nothing more.
        """
        with self._lock:
            own = self._certify()
            newest = self._cosignatures.of(own.checkpoint.size) or own
        return note(newest.checkpoint, list(newest.cosignatures))

    def certified_height(self) -> int:
        """Return the height of the newest block that is known to be certified; -1 for none."""
        with self._lock:
            return -1 if self._certified is None else self._certified.checkpoint.size - 1

    def extend_vote(self) -> bytes:
        """Return what this node's vote tells the others.

        That is its cosignature of the newest checkpoint, where its certificates of changes end if one is missing, and the one that another
        node has asked for. Empty when there is nothing to tell.
        """
        with self._lock:
            try:
                own = self._certify()
                told = note(own.checkpoint, [c for c in own.cosignatures if c.organisation == self._cosigner.organisation])
            except (NotACertifierError, CosignerBarredError):
                told = b""
            # CER-001, CER-005
            asked, answer = self._ends_at(), self._answer()
        return vote_words(told, asked, answer)

    def receive_extension(self, extension: bytes, voter: bytes) -> None:
        """Take what another's vote tells, as far as it is of use."""
        try:
            told, asked, answer = read_vote_words(extension)
            read = read_note(told, self._genesis.network_id) if told else None
            # CER-002, CER-005
            with self._lock:
                if asked is not None and (voter in self._asked or len(self._asked) < CERTIFIERS_MAX):
                    self._asked[voter] = asked
                if answer and self._certificates.first_gap(self._store.log.size) is not None:
                    self._certificates.adopt(answer)
                if read is not None:
                    self._receive(*read)
        except (InvalidInputError, BlockLogShortenedError, CertificateDamagedError) as error:
            _log.debug("what a vote tells is of no use", reason=error.message)

    def _ends_at(self) -> int | None:
        """Return the size up to which the certificates of changes lead from the genesis, if one is missing then."""
        gap = self._certificates.first_gap(self._store.log.size)
        return None if gap is None else max((size for size in self._certificates.sizes() if size < gap), default=0)

    def _answer(self) -> bytes:
        """Return the certificate that another node lacks, once for each time that it asks; those who ask have their turns."""
        if not self._asked:
            return b""
        _, asked = self._asked.popitem(last=False)
        try:
            found = self._certificates.after(asked)
        except CertificateDamagedError as error:
            _log.warning("a certificate cannot be handed on", reason=error.message)
            return b""
        return found if found is not None and len(found) <= CERTIFICATE_TOLD_BYTES_MAX else b""

    def _receive(self, checkpoint: Checkpoint, lines: Sequence[NoteSignature]) -> None:
        size = checkpoint.size
        if not 1 <= size <= self._store.log.size or not self._cosignatures.lacks(size):
            return
        certifiers = self._known_set(size)
        if certifiers is None or checkpoint.root != self._store.log.root(size):
            return
        found = self._cosignatures.verified(checkpoint, certifiers, lines)
        if found:
            self._take(checkpoint, certifiers, found)

    def _take(self, checkpoint: Checkpoint, certifiers: CertifierSet, cosignatures: Sequence[Cosignature]) -> CertifiedCheckpoint:
        """Keep verified cosignatures, and the certificate that they may complete; return the checkpoint with all that are known."""
        known = self._cosignatures.add(checkpoint, certifiers, cosignatures)
        if is_certified(known) and (self._certified is None or self._certified.checkpoint.size <= checkpoint.size):
            self._certified = known
        if is_certified(known) and self._changes(checkpoint.size - 1) and checkpoint.size not in self._certificates.sizes():
            self._certificates.keep(known)
        return known

    def _known_set(self, size: int) -> CertifierSet | None:
        """Return the set whose cosignatures count for a checkpoint of this size, if it is one of the newest."""
        # LED-041
        if size == 1:
            return self._genesis.certifiers
        wanted = self._store.header(size - 2).next_certifiers
        found = self._sets.get(wanted)
        if found is None and size == self._store.log.size:
            counting = self._counting_set(size)
            if counting.hash(self._genesis.chain_hash) == wanted:
                found = self._sets[wanted] = counting
        return found

    def _changes(self, height: int) -> bool:
        """Return whether a header names another set than the one below it."""
        return height > 0 and self._store.header(height).next_certifiers != self._store.header(height - 1).next_certifiers

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
            CertificatePendingError: the others have not cosigned the block yet.
            CertificateDamagedError: a kept certificate of an earlier change of certifiers is damaged.
        """
        if not 1 <= len(subjects) <= PROOF_SUBJECTS_MAX:
            raise MalformedError(f"a bundle proves 1 to {PROOF_SUBJECTS_MAX} things, not {len(subjects)}")
        newest = self._newest_certified()
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
        head = self._store.head().height
        if not 0 <= at <= head:
            raise BlockNotFoundError(f"there is no block {at} yet; the last one is {head}")
        if at > newest:
            raise CertificatePendingError(f"block {at} is not certified yet, block {newest} is the last that is; ask again in a moment")
        return at

    def _newest_certified(self) -> CertifiedCheckpoint:
        """Return the newest certified checkpoint; where the node is alone, the head's."""
        with self._lock:
            if not self._genesis.validators:
                own = self._certify()
                if not is_certified(own):
                    raise _not_enough(own)
                return own
            # CER-003
            with contextlib.suppress(NotACertifierError, CosignerBarredError):
                self._certify()
            if self._certified is None:
                raise CertificatePendingError("no block is certified yet, because the others have cosigned none; ask again in a moment")
            return self._certified

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
            if own is None or not self._cosigner.has(own.public_key):
                raise NotACertifierError(
                    "this node's ledger key is not in the certifier set that counts for the newest block, so it can prove nothing; "
                    "a vote (governance.propose_certifier) can put it there"
                )
            checkpoint, cosignature = self._cosigner.cosign(self._genesis.network_id, self._store.log, size, own.public_key)
            self._sets[counting.hash(self._genesis.chain_hash)] = counting
            self._newest = self._take(checkpoint, counting, [cosignature])
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
        if not self._changes(head.height):
            return
        try:
            self._certificates.read(head.height + 1)
        except CertificateDamagedError:
            # STO-016: the set that counts for it still signs.
            self._keep_newest(head.height)

    def _keep_newest(self, height: int) -> None:
        try:
            own = self._certify()
            # Between organisations the others' cosignatures come with the votes on the next block.
            if not is_certified(own) and not self._genesis.validators:
                raise _not_enough(own)
            if is_certified(own):
                self._certificates.keep(own)
        except (NotACertifierError, CosignerBarredError) as error:
            # Halting would not bring the missing cosignatures, and take from the ledger the votes that put things right.
            _log.error("a change of certifiers was not certified", height=height, reason=error.message)


def _not_enough(item: CertifiedCheckpoint) -> NotACertifierError:
    return NotACertifierError(
        f"this node's ledger key has power {power_of(item)} of {item.certifiers.power} and more than two thirds is needed, so it can prove "
        "nothing alone; a vote (governance.propose_certifier) can change powers"
    )
