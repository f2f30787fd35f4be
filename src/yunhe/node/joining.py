"""How a node joins a network that is there: it asks with its public keys, a node of the network answers with an invitation.

The one that asks keeps its private keys from the beginning; request and invitation hold no secret. What the newcomer has to learn by
another way, as over the telephone, is the network id: with it the invitation's genesis is beyond doubt, and by the genesis every block.
Specification: docs/spec/network.md, "Joining".
"""

import contextlib
import json
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from yunhe.consensus.cometbft.configuration import EnginePeer, read_keys, write_genesis
from yunhe.contracts.system_contracts import genesis_writes
from yunhe.crypto import PrivateKey, PublicKey
from yunhe.crypto.hashes import TAG_INVITATION, TAG_JOIN_REQUEST
from yunhe.errors import (
    EngineFilesError,
    FolderNotEmptyError,
    InvalidConfigurationError,
    InvitationExpiredError,
    InvitationOtherError,
    ProtocolWrongError,
    WrongPythonError,
)
from yunhe.ledger.codec import as_name
from yunhe.ledger.envelope import NodeIdentity
from yunhe.ledger.genesis import Genesis
from yunhe.ledger.protocol import RULES
from yunhe.limits import INVITATION_DAYS_MAX
from yunhe.node.config import FILE_NAME, NodeConfig, load_config
from yunhe.node.engine_home import ENGINE_FOLDER, engine_genesis, engine_settings
from yunhe.node.folder import REQUEST_FILE, STORE_FOLDER, NodeFolder, load_keys
from yunhe.node.founding import NodeKeys, check_empty, folder_in_the_making, prepare_node_folder
from yunhe.node.signed_document import Document, identity_value, read_document, sign_document
from yunhe.sdk.local_node import GENESIS_FILE
from yunhe.storage import LedgerStore, files

REQUEST_FORMAT: Final = "yunhe-join-request"
INVITATION_FORMAT: Final = "yunhe-invitation"
VERSION: Final = 1

_DAY_MS: Final = 86_400_000
_REQUEST_FIELDS: Final = ("node", "ledger_key", "validator_key", "peer")
_INVITATION_FIELDS: Final = ("network_id", "genesis", "protocol_version", "python", "peers", "newcomer", "issued_by", "expires_ms")
_NOWHERE: Final = ("0.0.0.0:", "[::]:")


@dataclass(frozen=True, slots=True)
class JoinRequest:
    """What a node asks with; checked."""

    node: NodeIdentity
    ledger_key: PublicKey
    validator_key: PublicKey
    """Of its engine, in case it is voted to be a validator; Ed25519."""
    peer: EnginePeer
    """Its engine, where the others reach it."""

    @classmethod
    def read(cls, path: Path) -> "JoinRequest":
        """Read a request.

        Raises:
            InvalidConfigurationError: the file cannot be read.
            InvitationInvalidError: it is none, or was altered (NET-020).
        """
        # NET-020
        document = read_document(path, REQUEST_FORMAT, VERSION)
        node = document.identity("node")
        document.verify(TAG_JOIN_REQUEST, node, _REQUEST_FIELDS)
        as_name(node.organisation, "the organisation")
        as_name(node.node, "the node's name")
        try:
            peer = EnginePeer.parse(document.get("peer", str))
        except EngineFilesError as error:
            raise document.refusal(f"names no engine: {error.message}") from error
        ledger_key = PublicKey(node.suite, document.hex("ledger_key"))
        return cls(node, ledger_key, PublicKey("ed25519-sha256", document.hex("validator_key")), peer)


@dataclass(frozen=True, slots=True)
class Invitation:
    """What a node of the network answers with; checked."""

    genesis: Genesis
    peers: tuple[EnginePeer, ...]
    """Engines of the network that let the newcomer in."""
    newcomer: NodeIdentity
    issued_by: NodeIdentity
    expires_ms: int

    @classmethod
    def read(cls, path: Path, network_id: bytes, now_ms: int) -> "Invitation":
        """Read an invitation and check it against what is known otherwise.

        Args:
            path: of the file.
            network_id: of the network that is to be joined, learned by another way.
            now_ms: the time.

        Raises:
            InvalidConfigurationError: the file cannot be read.
            InvitationInvalidError: it is none, or was altered (NET-021).
            InvitationOtherError: it is for another network (NET-022).
            InvitationExpiredError: its time is over (NET-023).
            ProtocolWrongError: the network's rules are of another version (NET-024).
            WrongPythonError: its contracts run on another CPython (NET-024).
            InvalidGenesisError: its genesis is none.
        """
        # NET-021
        document = read_document(path, INVITATION_FORMAT, VERSION)
        issued_by = document.identity("issued_by")
        document.verify(TAG_INVITATION, issued_by, _INVITATION_FIELDS)
        # NET-024: before the genesis is read, which another version has in another form.
        _check_versions(document)
        genesis = Genesis.from_json(json.dumps(document.get("genesis", dict)).encode())
        # NET-022
        if genesis.network_id != network_id:
            raise InvitationOtherError(
                f"{path} is for the network {genesis.network_id.hex()}, not for {network_id.hex()}; ask its sender which one is right"
            )
        if document.hex("network_id") != network_id:
            raise document.refusal("names another network than its genesis is of; ask for it again")
        # NET-023
        expires_ms = document.get("expires_ms", int)
        if now_ms >= expires_ms:
            raise InvitationExpiredError(f"{path} has expired; ask {issued_by.name} for a new one, which needs no new request")
        return cls(genesis, _peers(document), document.identity("newcomer"), issued_by, expires_ms)


def request_to_join(path: Path, config: NodeConfig, suite: str, address: str) -> JoinRequest:
    """Make the folder of a node that has no network yet, with new keys and the request in it.

    Args:
        path: where; must not exist, or be empty.
        config: its settings.
        suite: of its keys.
        address: `host:port` where the others reach its engine.

    Raises:
        FolderNotEmptyError: something is there already.
        InvalidConfigurationError: the folder cannot be made, or the address is none.
    """
    as_name(config.organisation, "the organisation")
    as_name(config.node, "the node's name")
    check_empty(path)
    _check_reachable(address)
    keys = NodeKeys.generate(suite, with_engine=True)
    with folder_in_the_making(path) as partial:
        prepare_node_folder(partial, config, keys)
        validator, peer_id = read_keys(partial / ENGINE_FOLDER)
        node = NodeIdentity(config.organisation, config.node, suite, keys.node.public_key.raw)
        peer = EnginePeer.parse(f"{peer_id}@{address}")
        text = request_text(keys.node, node, keys.ledger.public_key, validator, peer)
        (partial / REQUEST_FILE).write_text(text, encoding="utf-8")
    return JoinRequest.read(path / REQUEST_FILE)


def request_text(node_key: PrivateKey, node: NodeIdentity, ledger_key: PublicKey, validator_key: PublicKey, peer: EnginePeer) -> str:
    """Return a request that names a node's public keys, signed by the node's key."""
    value = {
        "format": REQUEST_FORMAT,
        "version": VERSION,
        "node": identity_value(node),
        "ledger_key": ledger_key.raw.hex(),
        "validator_key": validator_key.raw.hex(),
        "peer": str(peer),
    }
    return sign_document(value, TAG_JOIN_REQUEST, node_key)


def invite(folder: NodeFolder, request: JoinRequest, address: str, now_ms: int, days: int) -> str:
    """Return the invitation of a node that asked, signed by a node of the network.

    Args:
        folder: of the node that invites.
        request: of the newcomer.
        address: `host:port` where the newcomer reaches the engine of the node that invites.
        now_ms: the time.
        days: how long the invitation is good; at most `INVITATION_DAYS_MAX`.

    Raises:
        InvalidConfigurationError: the network's nodes have no engine that others reach, or the address is none.
        InvitationOtherError: the newcomer's keys are of a suite that the network was not founded with.
    """
    genesis = folder.genesis
    if not genesis.validators:
        raise InvalidConfigurationError(
            "this node orders its own envelopes; a network that others can join is made with `yunhe network new`"
        )
    if request.node.suite not in genesis.suites:
        raise InvitationOtherError(
            f"the keys of {request.node.name} are of {request.node.suite}; the network has {', '.join(genesis.suites)}"
        )
    if not 1 <= days <= INVITATION_DAYS_MAX:
        raise InvalidConfigurationError(f"an invitation is good for 1 to {INVITATION_DAYS_MAX} days, not {days}")
    _check_reachable(address)
    node_key, _ = folder.load_keys()
    own = EnginePeer.parse(f"{read_keys(folder.path / ENGINE_FOLDER)[1]}@{address}")
    peers = [own, *(peer for peer in engine_settings(folder.config).peers if peer.peer_id != request.peer.peer_id)]
    value = {
        "format": INVITATION_FORMAT,
        "version": VERSION,
        "network_id": genesis.network_id.hex(),
        "genesis": json.loads(genesis.to_json()),
        "protocol_version": genesis.protocol_version,
        "python": genesis.python,
        "peers": [str(peer) for peer in peers],
        "newcomer": identity_value(request.node),
        "issued_by": identity_value(folder.identity(node_key)),
        "expires_ms": now_ms + days * _DAY_MS,
    }
    return sign_document(value, TAG_INVITATION, node_key)


def let_in(folder: Path, peer: EnginePeer) -> NodeConfig:
    """Add an engine to those that a node connects to and lets in, from its next start on; one that is there gets the new address."""
    config = load_config(folder / FILE_NAME)
    others = [other for other in engine_settings(config).peers if other.peer_id != peer.peer_id]
    changed = replace(config, engine_peers=",".join(map(str, [*others, peer])))
    engine_settings(changed)
    files.replace(folder / FILE_NAME, changed.to_toml().encode(), 0o644)
    return changed


def join(path: Path, invitation: Invitation) -> NodeFolder:
    """Make a node's folder that asked whole, so that it can be started; interrupted, it can be done again.

    Args:
        path: the folder in which the request was made.
        invitation: checked.

    Raises:
        FolderNotEmptyError: the node has joined a network already.
        InvalidConfigurationError: no request was made in the folder.
        InvitationOtherError: the invitation is for another node (NET-022).
    """
    if (path / GENESIS_FILE).exists():
        raise FolderNotEmptyError(f"the node in {path} is of a network already; `yunhe node start` starts it")
    if not (path / REQUEST_FILE).is_file():
        raise InvalidConfigurationError(f"{path} has no {REQUEST_FILE}; `yunhe node request` makes the folder of a node that asks")
    request = JoinRequest.read(path / REQUEST_FILE)
    # NET-022
    if invitation.newcomer != request.node:
        raise InvitationOtherError(
            f"the invitation is for the node {invitation.newcomer.name} with another key; send this folder's {REQUEST_FILE}"
        )
    config = load_config(path / FILE_NAME)
    load_keys(path, config)
    genesis = invitation.genesis
    config = replace(config, engine="cometbft", engine_peers=",".join(map(str, invitation.peers)))
    files.replace(path / FILE_NAME, config.to_toml().encode(), 0o644)
    write_genesis(path / ENGINE_FOLDER, engine_genesis(genesis))
    with contextlib.suppress(FileNotFoundError):
        shutil.rmtree(path / STORE_FOLDER)
    LedgerStore.create(path / STORE_FOLDER, genesis, genesis_writes(genesis)).close()
    # Last, because with it the folder is a node's.
    files.replace(path / GENESIS_FILE, genesis.to_json().encode(), 0o644)
    return NodeFolder.load(path)


def _check_versions(document: Document) -> None:
    protocol, python = document.get("protocol_version", int), document.get("python", str)
    if protocol not in RULES:
        raise ProtocolWrongError(
            f"the network runs version {protocol} of the ledger's rules, and this Yunhe knows {', '.join(map(str, sorted(RULES)))}; "
            "install another"
        )
    running = f"{sys.version_info.major}.{sys.version_info.minor}"
    if python != running:
        raise WrongPythonError(f"the network runs its contracts on CPython {python}; this is {running}: install Yunhe on that one")
    genesis: Mapping[str, Any] = document.get("genesis", dict)
    if (genesis.get("protocol_version"), genesis.get("python")) != (protocol, python):
        raise document.refusal("names other versions than its genesis; ask for it again")


def _peers(document: Document) -> tuple[EnginePeer, ...]:
    try:
        peers = tuple(EnginePeer.parse(peer) for peer in document.get("peers", list))
    except (EngineFilesError, TypeError) as error:
        raise document.refusal("has no proper 'peers'; ask for it again") from error
    if not peers:
        raise document.refusal("names no node of the network; ask for it again")
    return peers


def _check_reachable(address: str) -> None:
    try:
        EnginePeer.parse(f"{'0' * 40}@{address}")
    except EngineFilesError as error:
        raise InvalidConfigurationError(
            f"{address!r} is no HOST:PORT where others could reach the engine; name one with --address"
        ) from error
    if address.startswith(_NOWHERE):
        raise InvalidConfigurationError(f"{address} is no address that others could reach; name one with --address HOST:PORT")
