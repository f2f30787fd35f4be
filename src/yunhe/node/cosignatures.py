"""Cosignatures of the newest checkpoints, by this node's key and by those of the others: what certificates are made of.

What comes from others may be anything. A cosignature is kept when it is by a key of the set that counts for its checkpoint, whatever set
the engine votes by now, and verifies over a root that is this node's own; everything else is passed over.
"""

from collections import OrderedDict
from collections.abc import Sequence

from yunhe.crypto import SignedItem, invalid_signatures
from yunhe.ledger.certifiers import Certifier, CertifierSet
from yunhe.ledger.checkpoint import Checkpoint, Cosignature, NoteSignature, cosignature_message, cosigner_name, key_id
from yunhe.ledger.proof import CertifiedCheckpoint
from yunhe.limits import CHECKPOINTS_COLLECTED_MAX


class Cosignatures:
    """Verified cosignatures by checkpoint. Not thread-safe: one owner calls it."""

    def __init__(self) -> None:
        self._collected: OrderedDict[int, CertifiedCheckpoint] = OrderedDict()

    def of(self, size: int) -> CertifiedCheckpoint | None:
        """Return a checkpoint with the cosignatures that are known of it."""
        return self._collected.get(size)

    def lacks(self, size: int) -> bool:
        """Return whether more cosignatures of a checkpoint would be of use."""
        known = self._collected.get(size)
        return known is None or len(known.cosignatures) < len(known.certifiers.members)

    def add(self, checkpoint: Checkpoint, certifiers: CertifierSet, cosignatures: Sequence[Cosignature]) -> CertifiedCheckpoint:
        """Keep verified cosignatures by members of the set, and return the checkpoint with all that are known."""
        known = self._collected.get(checkpoint.size)
        by_organisation = {c.organisation: c for c in (*cosignatures, *(known.cosignatures if known is not None else ()))}
        ordered = tuple(by_organisation[organisation] for organisation in sorted(by_organisation))
        found = self._collected[checkpoint.size] = CertifiedCheckpoint(checkpoint, certifiers, ordered)
        while len(self._collected) > CHECKPOINTS_COLLECTED_MAX:
            del self._collected[min(self._collected)]
        return found

    def verified(self, checkpoint: Checkpoint, certifiers: CertifierSet, lines: Sequence[NoteSignature]) -> list[Cosignature]:
        """Return those of a note's signatures that are cosignatures by members of the set, verify, and are not known yet."""
        known = self._collected.get(checkpoint.size)
        had = {c.organisation for c in known.cosignatures} if known is not None else set()
        found = [
            Cosignature(member.organisation, member.suite, member.public_key, line.time_s, line.signature)
            for line in lines
            if (member := _signer(checkpoint, certifiers, line)) is not None and member.organisation not in had
        ]
        items = [SignedItem(c.suite, c.public_key, cosignature_message(checkpoint, c.time_s), c.signature) for c in found]
        failed = set(invalid_signatures(items))
        return [cosignature for index, cosignature in enumerate(found) if index not in failed]


def power_of(item: CertifiedCheckpoint) -> int:
    """Return the power of the certifiers whose cosignatures a checkpoint has."""
    signed = {c.organisation for c in item.cosignatures}
    return sum(member.power for member in item.certifiers.members if member.organisation in signed)


def is_certified(item: CertifiedCheckpoint) -> bool:
    """Return whether a checkpoint's cosignatures carry more than two thirds of the power."""
    # PRF-002
    return 3 * power_of(item) > 2 * item.certifiers.power


def _signer(checkpoint: Checkpoint, certifiers: CertifierSet, line: NoteSignature) -> Certifier | None:
    """Return the certifier whose key a signature names."""
    for member in certifiers.members:
        name = cosigner_name(checkpoint.network_id, member.organisation)
        if line.name == name and line.key_id == key_id(name, member.suite, member.public_key):
            return member
    return None
