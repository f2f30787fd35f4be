"""The node's cosigner: signs checkpoints of the block log with the organisation's ledger key.

It signs the newest checkpoint when asked and keeps the latest note; a later checkpoint covers all earlier headers, so not every block needs
a signature of its own. Before it signs, size and root are durable, and a tree that is smaller than or inconsistent with what was signed
before is refused (LED-042).
"""

from collections.abc import Callable
from typing import Protocol

from yunhe.crypto import PrivateKey
from yunhe.ledger.checkpoint import Checkpoint, Cosignature, cosign
from yunhe.ledger.merkle import MerkleLog
from yunhe.storage import CosignerMemory


class NextKey(Protocol):
    """Where the key is that is to come after the ledger key."""

    def load(self) -> PrivateKey | None:
        """Return it, if there is one."""
        ...

    def take_up(self) -> None:
        """Put it in the place of the one before."""
        ...


class Cosigner:
    """One organisation's ledger key and the memory of what it signed. Not thread-safe: one owner calls it."""

    def __init__(
        self, organisation: str, key: PrivateKey, memory: CosignerMemory, clock: Callable[[], int], next_key: NextKey | None = None
    ) -> None:
        self._organisation = organisation
        self._key = key
        self._next_key = next_key
        self._next: PrivateKey | None = None
        self._memory = memory
        self._memory.meet(key.public_key.raw)
        self._clock = clock

    @property
    def organisation(self) -> str:
        """Whose cosigner it is."""
        return self._organisation

    def has(self, public_key: bytes) -> bool:
        """Return whether it can sign with a key: the ledger key, or the one that is to come after it."""
        if self._key.public_key.raw == public_key:
            return True
        # Opening the file takes long, and a key is asked for that is not there as long as the ledger names another one.
        if self._next is None and self._next_key is not None:
            self._next = self._next_key.load()
        return self._next is not None and self._next.public_key.raw == public_key

    def cosign(self, network_id: bytes, log: MerkleLog, size: int, public_key: bytes | None = None) -> tuple[Checkpoint, Cosignature]:
        """Cosign the checkpoint of the first `size` headers of the block log, all of which are durable.

        Args:
            network_id: whose log it is.
            log: the block log.
            size: of the checkpoint.
            public_key: which the set that counts for the checkpoint names, one that it `has`; the ledger key when left out.

        Raises:
            CosignatureRefusedError: the log contradicts what was signed before.
            CosignerBarredError: the key may have signed what a restored node does not know of.
        """
        if public_key is not None and self._key.public_key.raw != public_key:
            # NET-035: the set that counts names it from now on.
            assert self._next is not None
            assert self._next_key is not None
            assert self._next.public_key.raw == public_key
            self._key, self._next = self._next, None
            self._next_key.take_up()
        # LED-042
        self._memory.advance(log, size, self._key.public_key.raw)
        checkpoint = Checkpoint(network_id, size, log.root(size))
        return checkpoint, cosign(checkpoint, self._organisation, self._key, self._clock() // 1000)
