"""The node's cosigner: signs checkpoints of the block log with the organisation's ledger key.

It signs the newest checkpoint when asked and keeps the latest note; a later checkpoint covers all earlier headers, so not every block needs
a signature of its own. Before it signs, size and root are durable, and a tree that is smaller than or inconsistent with what was signed
before is refused (LED-042).
"""

from collections.abc import Callable

from yunhe.crypto import PrivateKey
from yunhe.ledger.checkpoint import Checkpoint, Cosignature, cosign
from yunhe.ledger.merkle import MerkleLog
from yunhe.storage import CosignerMemory


class Cosigner:
    """One organisation's ledger key and the memory of what it signed. Not thread-safe: one owner calls it."""

    def __init__(self, organisation: str, key: PrivateKey, memory: CosignerMemory, clock: Callable[[], int]) -> None:
        self._organisation = organisation
        self._key = key
        self._memory = memory
        self._memory.meet(key.public_key.raw)
        self._clock = clock

    @property
    def organisation(self) -> str:
        """Whose cosigner it is."""
        return self._organisation

    @property
    def public_key(self) -> bytes:
        """The ledger key that it signs with."""
        return self._key.public_key.raw

    def cosign(self, network_id: bytes, log: MerkleLog, size: int) -> tuple[Checkpoint, Cosignature]:
        """Cosign the checkpoint of the first `size` headers of the block log, all of which are durable.

        Raises:
            CosignatureRefusedError: the log contradicts what was signed before.
            CosignerBarredError: the key may have signed what a restored node does not know of.
        """
        # LED-042
        self._memory.advance(log, size, self.public_key)
        checkpoint = Checkpoint(network_id, size, log.root(size))
        return checkpoint, cosign(checkpoint, self._organisation, self._key, self._clock() // 1000)
