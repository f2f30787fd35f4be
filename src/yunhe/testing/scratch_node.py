"""A real node of its own for one test: folder, store, contract worker and HTTP API, with a clock that the test holds.

It runs in threads of the test's process. One organisation, `FOUNDER`, makes the ledger and runs the node; others are admitted and contracts
deployed by vote, as on any ledger. The blocks of such votes have the earliest times that they can have, and leave the time to the test.
"""

import platform
import secrets
import socket
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Final

import uvicorn

from yunhe.contracts.faults import ContractStop
from yunhe.crypto import ED25519_SHA256, PrivateKey
from yunhe.errors import UnavailableError
from yunhe.gateway.server import api_config, listen
from yunhe.ledger.codec import Value
from yunhe.ledger.genesis import FoundingMember
from yunhe.ledger.header import Header
from yunhe.ledger.interfaces import Write
from yunhe.ledger.layouts import DEFAULT_PARAMETERS, GAS_LIMIT_MAX, GOVERNANCE, LIFECYCLE, REGISTRY
from yunhe.ledger.receipt import OK
from yunhe.ledger.transaction import Call, TransactionBody, sign_transaction
from yunhe.limits import SALT_BYTES
from yunhe.node import NewNetwork, Node, NodeConfig, Placed, make_node_folder
from yunhe.node.tokens import AccessTokens
from yunhe.sdk import Client, Member, MemberKey
from yunhe.storage.readers import SnapshotReader

FOUNDER: Final = "test_founder"
"""The organisation that runs the node."""
_ADMIN: Final = "test_admin"
"""The member of every organisation that votes and enrols."""
_VALID_FOR_MS: Final = 60_000
_START_TIMEOUT_S: Final = 60.0
_STOP_TIMEOUT_S: Final = 60.0


class ScratchNode:
    """A running node. Use as a context manager, or call `close`."""

    def __init__(self, folder: Path, genesis_ms: int) -> None:
        """Make a network and start its node.

        Args:
            folder: where the node's folder is made; must not exist.
            genesis_ms: time of the genesis, milliseconds since 1970-01-01 UTC.

        Raises:
            YunheError: a node cannot run here; the message says why.
        """
        self._admins = {FOUNDER: _new_key(FOUNDER, _ADMIN)}
        self._keys: dict[tuple[str, str], MemberKey] = {}
        self._now_ms = genesis_ms
        founder = FoundingMember(_ADMIN, ("admin",), (self._admins[FOUNDER].key.public_key,))
        python = ".".join(platform.python_version_tuple()[:2])
        config = NodeConfig(FOUNDER, "node1", port=0, collect_ms=0)
        made = make_node_folder(folder, config=config, title="Founder", admins=[founder], network=NewNetwork("test", genesis_ms, python))
        listener = listen(config.host, config.port)
        try:
            self._node = Node(made, clock=lambda: self._now_ms)
            self._serving = _Serving(self._node, made.access(self._node.clock), listener)
        except BaseException:
            listener.close()
            raise
        self._client = Client(
            self._serving.address, made.token(), network_id=self._node.network_id, hash_name=self._node.genesis.chain_hash.name
        )

    def __enter__(self) -> "ScratchNode":
        """Return the node."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Stop the node."""
        self.close()

    def close(self) -> None:
        """Stop the node; its folder stays."""
        self._client.close()
        self._serving.stop()

    # --- What is there ----------------------------------------------------------------------------------------------

    @property
    def head(self) -> Header:
        """Header of the last block."""
        return self._node.head()

    def reader(self) -> SnapshotReader:
        """Return a reader of the state after the last block."""
        return self._node.reader()

    def writes(self, height: int) -> tuple[Write, ...]:
        """Return what a block changed."""
        return self._node.store.record(height).writes

    def view(self, contract: str, view: str, arguments: Mapping[str, Value]) -> Any:
        """Ask a view over HTTP and return its result as JSON shows it.

        Raises:
            ViewRefusedError: the contract refused it.
        """
        return self._client.view(contract, view, **arguments)

    # --- What is done -----------------------------------------------------------------------------------------------

    def transact(self, signers: Sequence[tuple[str, str]], calls: Sequence[Call], time_ms: int) -> Placed:
        """Let members sign and submit a transaction over HTTP, and return its place and receipt.

        Args:
            signers: organisation and member of each, enrolled.
            calls: in order.
            time_ms: time of the block, if it is later than that of the last one.
        """
        return self._submit([self._keys[signer] for signer in signers], calls, time_ms)

    def enrol(self, organisation: str, member: str, roles: Sequence[str]) -> None:
        """Enrol a member, or change its roles; the organisation is admitted by vote if it is not there."""
        if organisation not in self._admins:
            admin = _new_key(organisation, _ADMIN)
            self._vote(
                "propose_admission",
                organisation=organisation,
                title=organisation,
                admin=_ADMIN,
                suite=admin.key.suite,
                public_key=admin.key.public_key.raw,
            )
            self._admins[organisation] = admin
        admin = self._admins[organisation]
        if (organisation, member) in self._keys:
            self._do(admin, REGISTRY, "set_member", member=member, roles=list(roles), status="active")
            return
        key = _new_key(organisation, member)
        self._do(admin, REGISTRY, "enrol_member", member=member, roles=list(roles), suite=key.key.suite, public_key=key.key.public_key.raw)
        self._keys[organisation, member] = key

    def deploy(self, contract: str, source: str, *, upgrade: bool) -> None:
        """Submit a source and deploy it by vote, or upgrade to it."""
        digest = self._do(self._admins[FOUNDER], LIFECYCLE, "submit", source=source)
        self._vote("propose_upgrade" if upgrade else "propose_deployment", contract=contract, code_hash=digest)

    def _vote(self, proposal: str, /, **arguments: Value) -> None:
        """Propose a change and let the organisations vote for it until it is made."""
        number = self._do(self._admins[FOUNDER], GOVERNANCE, proposal, **arguments)
        for organisation, admin in self._admins.items():
            if self._client.view(GOVERNANCE, "proposal", proposal_id=number)["status"] != "open":
                return
            if organisation != FOUNDER:
                self._do(admin, GOVERNANCE, "vote", proposal_id=number, approve=True)

    def _do(self, signer: MemberKey, contract: str, action: str, /, **arguments: Value) -> Value:
        """Make one call, at the earliest time, and return its result.

        Raises:
            ContractStop: it was refused, as an upgrade is that would lose records.
        """
        placed = self._submit([signer], [Call(contract, action, arguments)], 0)
        outcome = placed.receipt.outcome
        if outcome.code != OK:
            raise ContractStop(outcome.code, f"the node of the test refused {contract}.{action}")
        return outcome.results[0]

    def _submit(self, signers: Sequence[MemberKey], calls: Sequence[Call], time_ms: int) -> Placed:
        self._now_ms = max(time_ms, self.head.time_ms + 1)
        body = TransactionBody(
            self._node.network_id,
            tuple(signer.signer for signer in signers),
            tuple(calls),
            self._now_ms + _VALID_FOR_MS,
            DEFAULT_PARAMETERS[GAS_LIMIT_MAX],
            secrets.token_bytes(SALT_BYTES),
        )
        transaction = sign_transaction(body, [signer.key for signer in signers], self._node.genesis.chain_hash)
        self._client.submit(transaction)
        return self._node.require_placed(transaction.id)


class _Serving:
    """The node's HTTP server, in a thread."""

    def __init__(self, node: Node, access: AccessTokens, listener: socket.socket) -> None:
        host, port = listener.getsockname()[:2]
        self.address = f"http://{host}:{port}"
        self._server = _Server(api_config(node, access))
        self._thread = threading.Thread(target=self._serve, args=(listener,), name="node of a test", daemon=True)
        self._thread.start()
        self._server.is_up.wait(_START_TIMEOUT_S)
        if not self._server.started:
            self.stop()
            raise UnavailableError("the node of the test did not start; its log says why")

    def stop(self) -> None:
        """Stop the server and the node."""
        self._server.should_exit = True
        self._thread.join(_STOP_TIMEOUT_S)
        if self._thread.is_alive():
            raise UnavailableError(f"the node of the test did not stop within {_STOP_TIMEOUT_S:.0f} s")

    def _serve(self, listener: socket.socket) -> None:
        try:
            self._server.run([listener])
        finally:
            listener.close()
            self._server.is_up.set()


class _Server(uvicorn.Server):
    """Uvicorn that tells when it answers, or that it will not."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.is_up = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to answer, then say so."""
        await super().startup(sockets)
        self.is_up.set()


def _new_key(organisation: str, member: str) -> MemberKey:
    return MemberKey(Member(organisation, member), PrivateKey.generate(ED25519_SHA256.name))
