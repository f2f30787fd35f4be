"""Keys that a node changes to: made beside those that it has, and taken up when the ledger knows them.

The ledger says which keys count: a transaction changes the key of a node's envelopes, a vote those of its engine and its cosignatures. The
new ones are made before, by a node that runs or not, and lie in files of their own; when the block is committed that names one, the node
changes to it and the file takes the place of the old one. So nobody has to be there at the right moment, and the old key works until then.

Specification: docs/spec/network.md, "Changing keys" (NET-035, NET-037 and NET-038).
"""

import contextlib
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog

from yunhe.consensus.cometbft.configuration import NEXT_VALIDATOR_KEY_FILE, EnginePeer, read_keys
from yunhe.consensus.cometbft.key_files import read_public_key, validator_key_file
from yunhe.crypto import PrivateKey
from yunhe.errors import FolderNotEmptyError, InvalidConfigurationError
from yunhe.ledger.interfaces import StateReader
from yunhe.ledger.layouts import node_key, read_record, validator_key
from yunhe.limits import KEY_FILE_BYTES_MAX
from yunhe.node.config import NodeConfig
from yunhe.node.engine_home import ENGINE_FOLDER
from yunhe.node.folder import LEDGER_KEY_FILE, NODE_KEY_FILE, NodeFolder, read_passphrase
from yunhe.node.joining import JoinRequest, request_text
from yunhe.node.private_files import read_bounded, write_secret
from yunhe.storage import files
from yunhe.storage.files import sync_directory

ROTATION_FILE: Final = "rotation.json"
"""What the others vote on: a request, as of a node that joins, with the new keys and those that stay."""
NEXT_NODE_KEY_FILE: Final = "keys/node.next.pem"
NEXT_LEDGER_KEY_FILE: Final = "keys/ledger.next.pem"
USES: Final = ("node", "ledger", "engine")
"""What a key is for: envelopes, cosignatures, votes on blocks."""

_log = structlog.get_logger("yunhe.node")


@dataclass(frozen=True, slots=True)
class NextKey:
    """The key that is to come after one of a node's own two, in its file."""

    folder: Path
    config: NodeConfig
    file: str
    """Of the key that counts."""
    next_file: str

    def load(self) -> PrivateKey | None:
        """Return the key, if there is one.

        Raises:
            InvalidConfigurationError: the file or the passphrase cannot be read.
            WrongPassphraseError: the passphrase does not open it.
        """
        path = self.folder / self.next_file
        if not path.is_file():
            return None
        return PrivateKey.from_pem(read_bounded(path, KEY_FILE_BYTES_MAX), read_passphrase(self.folder, self.config))

    def take_up(self) -> None:
        """Put the key in the place of the one before, which counts no more; durable on return."""
        # NET-035
        with contextlib.suppress(FileNotFoundError):
            (self.folder / self.next_file).replace(self.folder / self.file)
            sync_directory((self.folder / self.file).parent)
            _log.info("a new key is taken up", file=self.file)


def next_node_key(folder: Path, config: NodeConfig) -> NextKey:
    """Return where the next key of a node's envelopes is."""
    return NextKey(folder, config, NODE_KEY_FILE, NEXT_NODE_KEY_FILE)


def next_ledger_key(folder: Path, config: NodeConfig) -> NextKey:
    """Return where the next key of a node's cosignatures is."""
    return NextKey(folder, config, LEDGER_KEY_FILE, NEXT_LEDGER_KEY_FILE)


def enrolled_key(state: StateReader, config: NodeConfig) -> bytes | None:
    """Return the key that the ledger takes envelopes of a node with; None when it takes none."""
    return _public_key(state, node_key(config.organisation, config.node))


def voting_key(state: StateReader, organisation: str) -> bytes | None:
    """Return the key with which an organisation's engine votes on blocks; None when it does not."""
    return _public_key(state, validator_key(organisation))


def _public_key(state: StateReader, key: bytes) -> bytes | None:
    record = read_record(state, key)
    return None if record is None or not isinstance(record["public_key"], bytes) else record["public_key"]


def is_engine_key_due(folder: Path, state: StateReader, organisation: str) -> bool:
    """Return whether the engine of a node has to change to the key that is prepared for it."""
    path = folder / ENGINE_FOLDER / NEXT_VALIDATOR_KEY_FILE
    if not path.is_file():
        return False
    prepared = read_public_key(path.read_text(encoding="utf-8"), str(path))
    return prepared.raw == voting_key(state, organisation)


def make_next_keys(folder: NodeFolder, uses: Collection[str]) -> JoinRequest:
    """Make new keys of a node beside those that it has, which go on to count, and the request that the others vote on.

    Args:
        folder: of a node of a network, which may be running.
        uses: some of `USES`.

    Raises:
        InvalidConfigurationError: the node orders its own envelopes, or a key cannot be read.
        FolderNotEmptyError: new keys are there already; nothing was changed.
    """
    path, home = folder.path, folder.path / ENGINE_FOLDER
    if not folder.genesis.validators:
        raise InvalidConfigurationError(
            "this node orders its own envelopes, and no other one has to learn of its keys; it has none to change"
        )
    made = (path / NEXT_NODE_KEY_FILE, path / NEXT_LEDGER_KEY_FILE, home / NEXT_VALIDATOR_KEY_FILE)
    waiting = [str(file) for file in made if file.exists()]
    # NET-038
    if waiting:
        raise FolderNotEmptyError(
            f"{waiting[0]} was made before and waits to be taken up; propose it, or remove it if nobody was asked to vote for it"
        )
    node, ledger = folder.load_keys()
    validator, peer = read_keys(home)
    passphrase = read_passphrase(path, folder.config)
    if "node" in uses:
        node = PrivateKey.generate(node.suite)
        write_secret(path / NEXT_NODE_KEY_FILE, node.to_pem(passphrase))
    if "ledger" in uses:
        ledger = PrivateKey.generate(ledger.suite)
        write_secret(path / NEXT_LEDGER_KEY_FILE, ledger.to_pem(passphrase))
    if "engine" in uses:
        engine = PrivateKey.generate()
        validator = engine.public_key
        write_secret(home / NEXT_VALIDATOR_KEY_FILE, validator_key_file(engine).encode())
    for made_in in (path / "keys", home / "config"):
        sync_directory(made_in)
    own = EnginePeer(peer, folder.config.engine_listen)
    text = request_text(node, folder.identity(node), ledger.public_key, validator, own)
    files.replace(path / ROTATION_FILE, text.encode(), 0o644)
    return JoinRequest.read(path / ROTATION_FILE)
