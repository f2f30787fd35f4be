"""The key of a node's envelopes: seals what the node hands in, and changes when the ledger knows another one.

Envelopes that were sealed with the key before and are in no block count no more once the ledger has changed it; their transactions are
sealed again with the new one (`yunhe.node.node`), so none that was accepted is lost. `seal` is called from the event loop's thread,
`committed` from the engine's.
"""

from collections.abc import Sequence

import structlog

from yunhe.crypto import ChainHash, PrivateKey
from yunhe.errors import YunheError
from yunhe.ledger.envelope import Envelope, NodeIdentity, seal_envelope
from yunhe.ledger.interfaces import StateReader, Write
from yunhe.ledger.layouts import node_key
from yunhe.node.folder import NodeFolder
from yunhe.node.next_keys import NextKey, enrolled_key, next_node_key

_log = structlog.get_logger("yunhe.node")


class Sealer:
    """Seals envelopes with the key that the ledger knows."""

    def __init__(self, folder: NodeFolder, key: PrivateKey, state: StateReader) -> None:
        """Begin with the key that the ledger knows now.

        Args:
            folder: of the node.
            key: that the node had.
            state: of the last committed block.
        """
        self._network_id = folder.genesis.network_id
        self._chain_hash: ChainHash = folder.genesis.chain_hash
        self._folder = folder
        self._next_key: NextKey = next_node_key(folder.path, folder.config)
        self._record_key = node_key(folder.config.organisation, folder.config.node)
        self._held = (key, folder.identity(key))
        self._take_up(state)

    @property
    def identity(self) -> NodeIdentity:
        """The node, as its envelopes name it now."""
        return self._held[1]

    def seal(self, sequence: int, transactions: Sequence[bytes]) -> Envelope:
        """Return an envelope with transactions."""
        key, identity = self._held
        return seal_envelope(self._network_id, identity, sequence, list(transactions), key, self._chain_hash)

    def committed(self, writes: Sequence[Write], state: StateReader) -> None:
        """Change to the next key if a block made it count.

        Args:
            writes: of the block.
            state: after it.
        """
        if any(key == self._record_key for key, _ in writes):
            self._take_up(state)

    def _take_up(self, state: StateReader) -> None:
        enrolled = enrolled_key(state, self._folder.config)
        if enrolled is None or enrolled == self.identity.public_key:
            return
        try:
            found = self._next_key.load()
        except YunheError as error:
            # The ledger goes on, and so does the node, which has no envelope taken until it has the key.
            _log.error("the next key of the envelopes cannot be used", reason=error.message)
            return
        if found is None or found.public_key.raw != enrolled:
            _log.error("the ledger takes no envelope with this node's key; put the key file in place that was enrolled")
            return
        # NET-035
        self._held = (found, self._folder.identity(found))
        self._next_key.take_up()
