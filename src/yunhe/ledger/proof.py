"""Proof bundles, as the producing side makes them; `yunhe.verifier` is what checks them.

A node gathers headers, block log, certified checkpoints and state proofs and hands them to the functions here, which are pure: they do no
I/O and sign nothing. `certificate_sizes` says which certified checkpoints a bundle needs. Specification: docs/spec/proofs.md.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from yunhe.crypto import ChainHash
from yunhe.crypto.hashes import TAG_PROOF
from yunhe.errors import MalformedError, ProofError, TooLargeError
from yunhe.ledger.certifiers import CertifierSet
from yunhe.ledger.checkpoint import Checkpoint, Cosignature, note
from yunhe.ledger.codec import encode
from yunhe.ledger.header import Header
from yunhe.ledger.merkle import MerkleLog, inclusion_path, path_sides
from yunhe.ledger.receipt import Receipt
from yunhe.ledger.state_keys import KeyComponent
from yunhe.ledger.state_tree import StateProof
from yunhe.ledger.transaction import Transaction
from yunhe.limits import PROOF_BYTES_MAX, PROOF_STEPS_MAX, PROOF_SUBJECTS_MAX

MARKER: Final = "yunhe-proof"
"""What a bundle begins with."""
_VERSION = 1


@dataclass(frozen=True, slots=True)
class LogHeader:
    """A header and its inclusion in the checkpoint of the same step."""

    header: bytes
    """Canonical header."""
    path: tuple[bytes, ...]
    """Inclusion path, leaf to root."""

    def parts(self) -> list[object]:
        """Return what is encoded."""
        return [self.header, list(self.path)]


@dataclass(frozen=True, slots=True)
class Step:
    """One certified checkpoint on the way from what the reader trusts to the header."""

    note: bytes
    """The checkpoint with its cosignatures."""
    certifier_set: bytes
    """Canonical set whose cosignatures count."""
    last: LogHeader
    """Last header of the checkpoint; in a step that is not the final one it names the next step's set."""
    before: LogHeader | None
    """The header before it, which names this step's set; None for a checkpoint of one header."""

    def parts(self) -> list[object]:
        """Return what is encoded."""
        return [self.note, self.certifier_set, self.last.parts(), self.before.parts() if self.before else None]


@dataclass(frozen=True, slots=True)
class LeafSubject:
    """A transaction or receipt, by its inclusion in the header's root."""

    kind: str
    """`transaction` or `receipt`."""
    encoded: bytes
    sides: int
    """Bit i: hash i of the path stands on the left."""
    path: tuple[bytes, ...]

    def parts(self) -> list[object]:
        """Return what is encoded."""
        return [self.kind, self.sides, self.encoded, list(self.path)]


@dataclass(frozen=True, slots=True)
class StateSubject:
    """A record, or the absence of one, by the header's state root."""

    contract: str
    table: str
    key: tuple[KeyComponent, ...]
    record: bytes | None
    """None: there is none."""
    proof: StateProof

    def parts(self) -> list[object]:
        """Return what is encoded."""
        kind, shown = ("absence", self.proof.other) if self.record is None else ("record", self.record)
        return [kind, self.contract, self.table, list(self.key), shown, [self.proof.bitmap, list(self.proof.siblings)]]


Subject: TypeAlias = LeafSubject | StateSubject


@dataclass(frozen=True, slots=True)
class Bundle:
    """A proof bundle."""

    chain_hash: ChainHash
    """The ledger's, which makes the bundle's checksum."""
    network_id: bytes
    oldest_key: bytes
    """Hash of the oldest public key that the bundle relies on (PRF-015)."""
    steps: tuple[Step, ...]
    header: LogHeader
    """The header that the subjects are about."""
    subjects: tuple[Subject, ...]

    def encode(self) -> bytes:
        """Return the file's content.

        Raises:
            TooLargeError: over `PROOF_BYTES_MAX`.
        """
        steps, subjects = [step.parts() for step in self.steps], [subject.parts() for subject in self.subjects]
        parts = [MARKER, _VERSION, self.network_id, self.oldest_key, steps, self.header.parts(), subjects]
        encoded = encode([*parts, self.chain_hash.tagged(TAG_PROOF, encode(parts))])
        # PRF-010
        if len(encoded) > PROOF_BYTES_MAX:
            raise TooLargeError(f"the bundle would have {len(encoded)} bytes, more than {PROOF_BYTES_MAX}; prove fewer subjects at once")
        return encoded


@dataclass(frozen=True, slots=True)
class CertifiedCheckpoint:
    """A checkpoint with the set that counts for it and its cosignatures by that set, as a node keeps it."""

    checkpoint: Checkpoint
    certifiers: CertifierSet
    cosignatures: tuple[Cosignature, ...]


def certificate_sizes(change_heights: Iterable[int], size: int, trusted_size: int | None = None) -> tuple[int, ...]:
    """Return the sizes of the certified checkpoints that a bundle needs, ascending: one for each change of certifiers on the way.

    Args:
        change_heights: heights, ascending, of the headers whose `next_certifiers` differs from that of the header below.
        size: size of the checkpoint that the bundle ends with.
        trusted_size: size of the checkpoint that the reader trusts; None when the reader starts from the genesis.

    Raises:
        ProofError: the trusted checkpoint is newer than `size`.
    """
    first = 0 if trusted_size is None else trusted_size
    if first > size:
        raise ProofError(f"a bundle that ends with {size} headers cannot start from a trusted checkpoint of {first}")
    # PRF-012: header h changes the set for checkpoints of h + 2 headers and more, so the old set certifies the one of h + 1.
    boundaries = [height + 1 for height in change_heights if first < height + 1 < size]
    sizes = ([] if trusted_size in (None, size) else [first]) + boundaries + [size]
    return tuple(sizes)


def build_bundle(
    header_at: Callable[[int], Header],
    log: MerkleLog,
    certified: Sequence[CertifiedCheckpoint],
    height: int,
    subjects: Sequence[Subject],
) -> Bundle:
    """Put a bundle together.

    Args:
        header_at: returns the header of a height.
        log: the block log, at least as long as the last checkpoint.
        certified: certified checkpoints of the sizes that `certificate_sizes` gives, in that order.
        height: height of the header that the subjects are about; it is in the last checkpoint.
        subjects: 1 to `PROOF_SUBJECTS_MAX` things to prove.

    Raises:
        ProofError: a checkpoint is not one of this log, does not reach to `height`, or there are more of them than a bundle can span.
        MalformedError: no subjects, or too many.
    """
    if not 1 <= len(subjects) <= PROOF_SUBJECTS_MAX:
        raise MalformedError(f"a bundle proves 1 to {PROOF_SUBJECTS_MAX} things, not {len(subjects)}")
    if not certified or not 0 <= height < certified[-1].checkpoint.size:
        raise ProofError(f"no certified checkpoint reaches to height {height} yet")

    if len(certified) > PROOF_STEPS_MAX:
        raise ProofError(f"the certifiers changed more than {PROOF_STEPS_MAX - 1} times; start from a newer trusted checkpoint")

    def logged(at: int, size: int) -> LogHeader:
        return LogHeader(header_at(at).encode(), log.inclusion_path(at, size))

    steps = []
    for item in certified:
        size = item.checkpoint.size
        if size > log.size or log.root(size) != item.checkpoint.root:
            raise ProofError(f"the checkpoint of {size} headers is not one of this block log")
        signed = note(item.checkpoint, list(item.cosignatures))
        steps.append(Step(signed, item.certifiers.encode(), logged(size - 1, size), logged(size - 2, size) if size > 1 else None))
    final = certified[-1].checkpoint
    # PRF-015
    oldest_key = log.chain_hash.digest(certified[0].certifiers.members[0].public_key)
    return Bundle(log.chain_hash, final.network_id, oldest_key, tuple(steps), logged(height, final.size), tuple(subjects))


def transaction_subject(transactions: Sequence[Transaction], index: int, chain_hash: ChainHash) -> LeafSubject:
    """Return transaction `index` of a block as a subject, given all its transactions in order."""
    path = inclusion_path([transaction.leaf(chain_hash) for transaction in transactions], index, chain_hash)
    return LeafSubject("transaction", transactions[index].encoded, path_sides(index, len(transactions)), path)


def receipt_subject(receipts: Sequence[Receipt], index: int, chain_hash: ChainHash) -> LeafSubject:
    """Return receipt `index` of a block as a subject, given all its receipts in order."""
    path = inclusion_path([receipt.encoded for receipt in receipts], index, chain_hash)
    return LeafSubject("receipt", receipts[index].encoded, path_sides(index, len(receipts)), path)
