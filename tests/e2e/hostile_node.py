"""The node of one organisation, in the test's own process and under its control: it lets into memory and proposes whatever it is told.

All else of it is real, and so is its engine, by whose RPC it hands envelopes to the others.
"""

import asyncio
import base64
import itertools
import json
import random
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.node_process import DEADLINE_S, wait_until
from yunhe.consensus.cometbft import configuration
from yunhe.consensus.cometbft.proposals import Proposals
from yunhe.consensus.cometbft.rpc import LocalConnection
from yunhe.crypto import PrivateKey
from yunhe.ledger.envelope import NodeIdentity, seal_envelope
from yunhe.ledger.transaction import Call, Signer, Transaction, TransactionBody, assemble_transaction, sign_transaction
from yunhe.limits import ENVELOPE_BYTES_MAX
from yunhe.node import Node, NodeFolder
from yunhe.node.engine_home import ENGINE_FOLDER
from yunhe.node.node import clock_ms
from yunhe.sdk import MemberKey

GAS = 20_000_000


class HostileNode:
    """Runs until `stop`. Its memory takes everything, and a block of its own holds what `proposes` says."""

    def __init__(self, folder: Path, member: MemberKey) -> None:
        self.folder = NodeFolder.load(folder)
        self.genesis = self.folder.genesis
        self.key: PrivateKey = self.folder.load_keys()[0]
        self.identity: NodeIdentity = self.folder.identity(self.key)
        self.member = member
        self.proposes: Callable[[list[bytes]], list[bytes]] = lambda envelopes: envelopes
        """Makes a proposal of an honest one."""
        self.proposed = 0
        """Proposals that were not the honest ones."""
        self._sequence = itertools.count(1_000_000_000)
        self._home = folder / ENGINE_FOLDER
        self._stopping = threading.Event()
        self._failure: BaseException | None = None
        self._patched = pytest.MonkeyPatch()
        self._thread = threading.Thread(target=self._run, name="hostile-node", daemon=True)

    def start(self) -> "HostileNode":
        prepare = Proposals.prepare

        def hostile(proposals: Proposals, height: int, time_ms: int, bytes_max: int, offered: Sequence[bytes]) -> list[bytes]:
            honest = prepare(proposals, height, time_ms, bytes_max, offered)
            made = self.proposes(list(honest))
            self.proposed += made != honest
            return made

        self._patched.setattr(Proposals, "prepare", hostile)
        self._patched.setattr(Proposals, "admits", lambda *_: True)
        # Its own engine takes and sends what is too large for the others.
        self._patched.setattr(configuration, "ENVELOPE_BYTES_MAX", 4 * ENVELOPE_BYTES_MAX)
        self._thread.start()
        wait_until(lambda: self._failure is not None or self._is_answering(), "the hostile node's engine")
        self._require_running()
        return self

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join(DEADLINE_S)
        self._patched.undo()
        self._require_running()

    def send(self, envelope: bytes) -> str:
        """Hand an envelope to the engine, which hands it on; return why it does not."""
        body = json.dumps(
            {"jsonrpc": "2.0", "id": 1, "method": "broadcast_tx_sync", "params": {"tx": base64.b64encode(envelope).decode("ascii")}}
        )
        answer = self._ask("POST", "/", body)
        return json.dumps(answer["error"]) if "error" in answer else ""

    def peers(self) -> int:
        """Return how many other engines its engine is connected to."""
        return int(self._ask("GET", "/net_info")["result"]["n_peers"])

    def transaction(self, *, valid_ms: int = 60_000) -> Transaction:
        """Return a transaction of the organisation's admin that changes nothing."""
        signer = Signer(self.identity.organisation, "admin", self.member.key.public_key.suite, self.member.key.public_key.raw)
        calls = (Call("registry", "set_member", {"member": "admin", "roles": ["admin"], "status": "active"}),)
        body = TransactionBody(self.genesis.network_id, (signer,), calls, clock_ms() + valid_ms, GAS, random.randbytes(16))
        return sign_transaction(body, [self.member.key], self.genesis.chain_hash)

    def unsigned(self) -> Transaction:
        """Return one that nobody signed."""
        return assemble_transaction(self.transaction().body_bytes, [bytes(64)], self.genesis.chain_hash)

    def envelope(self, *transactions: Transaction | bytes) -> bytes:
        """Return an envelope of the node; its sequence makes it another one each time."""
        encoded = [t.encoded if isinstance(t, Transaction) else t for t in transactions]
        number = next(self._sequence)
        return seal_envelope(self.genesis.network_id, self.identity, number, encoded, self.key, self.genesis.chain_hash).encoded

    def _ask(self, method: str, path: str, body: str | None = None) -> dict[str, Any]:
        connection = LocalConnection(self._home, DEADLINE_S)
        try:
            connection.request(method, path, body, {"Content-Type": "application/json"} if body else {})
            answer: dict[str, Any] = json.loads(connection.getresponse().read())
            return answer
        finally:
            connection.close()

    def _is_answering(self) -> bool:
        try:
            return self.peers() == 3
        except OSError:
            return False

    def _run(self) -> None:
        try:
            asyncio.run(self._live())
        except BaseException as failure:  # noqa: BLE001  # a thread's edge: the test has to learn of it
            self._failure = failure

    async def _live(self) -> None:
        node = Node(self.folder)
        try:
            node.start()
            await asyncio.to_thread(self._stopping.wait)
        finally:
            await node.stop()

    def _require_running(self) -> None:
        if self._failure is not None:
            raise self._failure
