"""How a network is founded and the folders of its nodes are made.

A folder is made beside its place and renamed when it is whole, so a half-made one is never taken for a node; and what a power cut could
take is on the disk before the folder has its name, because a key that is in the genesis and nowhere else is lost for ever.
"""

import contextlib
import secrets
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from yunhe.consensus.cometbft import configuration
from yunhe.contracts.system_contracts import genesis_writes, system_code_hashes
from yunhe.crypto import ED25519_SHA256, SHA256, ChainHash, PrivateKey
from yunhe.errors import FolderNotEmptyError, InvalidConfigurationError, InvalidGenesisError
from yunhe.ledger.certifiers import Certifier, CertifierSet
from yunhe.ledger.codec import as_name
from yunhe.ledger.envelope import NodeIdentity
from yunhe.ledger.genesis import PROTOCOL_VERSION, THRESHOLD_KINDS, FoundingMember, FoundingOrganisation, Genesis
from yunhe.ledger.layouts import DEFAULT_PARAMETERS
from yunhe.ledger.validators import Validator
from yunhe.node.config import FILE_NAME, NodeConfig
from yunhe.node.engine_home import ENGINE_FOLDER, engine_genesis, engine_settings
from yunhe.node.folder import LEDGER_KEY_FILE, NODE_KEY_FILE, STORE_FOLDER, NodeFolder
from yunhe.node.private_files import write_durably, write_secret
from yunhe.sdk.local_node import GENESIS_FILE, TOKEN_FILE
from yunhe.storage import LedgerStore
from yunhe.storage.files import disk_refusals, sync_directory


@dataclass(frozen=True, slots=True)
class EngineKeys:
    """Keys of a node's engine: Ed25519, whatever the ledger's suites are."""

    validator: PrivateKey
    """Signs votes."""
    peer: PrivateKey
    """Authenticates it to the others."""


@dataclass(frozen=True, slots=True)
class NodeKeys:
    """All keys of a node."""

    node: PrivateKey
    """Signs envelopes."""
    ledger: PrivateKey
    """Cosigns checkpoints."""
    engine: EngineKeys | None = None
    """None where the node orders its own envelopes."""

    @classmethod
    def generate(cls, suite: str, *, with_engine: bool = False) -> "NodeKeys":
        """Make new keys.

        Args:
            suite: of the ledger's keys.
            with_engine: whether the node has an engine between organisations.
        """
        engine = EngineKeys(PrivateKey.generate(), PrivateKey.generate()) if with_engine else None
        return cls(PrivateKey.generate(suite), PrivateKey.generate(suite), engine)


@dataclass(frozen=True, slots=True)
class NewNetwork:
    """What its founders decide about a network; the rest of the genesis follows."""

    name: str
    """Its name for people."""
    time_ms: int
    """Time of the genesis, milliseconds since 1970-01-01 UTC."""
    python: str
    """CPython minor version that runs the contracts, such as `3.11`."""
    suites: tuple[str, ...] = (ED25519_SHA256.name,)
    """Suites allowed from the beginning; the first is that of the nodes' keys."""
    chain_hash: ChainHash = SHA256
    """The one hash of the ledger, for ever."""
    parameters: Mapping[str, int] = field(default_factory=dict)
    """Parameters that differ from the defaults."""
    thresholds: Mapping[str, str] = field(default_factory=dict)
    """Kinds of proposals whose threshold is another than the majority."""


@dataclass(frozen=True, slots=True)
class Founder:
    """An organisation that founds a network, with its first node."""

    organisation: str
    title: str
    """Its name for people."""
    admins: tuple[FoundingMember, ...]
    node: str
    """The node's name in the organisation."""
    keys: NodeKeys


def found_network(network: NewNetwork, founders: Sequence[Founder]) -> Genesis:
    """Return the genesis of a new network; each founder has one vote.

    Args:
        network: what is decided about it.
        founders: all with an engine between organisations, or one without.

    Raises:
        InvalidGenesisError: the genesis would not be valid.
        MalformedError: an organisation's or node's name is none.
    """
    for founder in founders:
        as_name(founder.organisation, "the organisation")
        as_name(founder.node, "the node's name")
    unknown = set(network.parameters) - set(DEFAULT_PARAMETERS)
    if unknown:
        raise InvalidGenesisError(f"the parameter {min(unknown)!r} is unknown; the parameters are {', '.join(DEFAULT_PARAMETERS)}")
    unknown = set(network.thresholds) - set(THRESHOLD_KINDS)
    if unknown:
        raise InvalidGenesisError(f"there are no proposals of the kind {min(unknown)!r}; the kinds are {', '.join(THRESHOLD_KINDS)}")
    certifiers = [Certifier(f.organisation, f.keys.ledger.suite, f.keys.ledger.public_key.raw, 1) for f in founders]
    validators = [Validator(f.organisation, f.keys.engine.validator.public_key.raw, 1) for f in founders if f.keys.engine is not None]
    genesis = Genesis(
        name=network.name,
        time_ms=network.time_ms,
        chain_hash=network.chain_hash,
        python=network.python,
        protocol_version=PROTOCOL_VERSION,
        suites=tuple(sorted(set(network.suites))),
        parameters=DEFAULT_PARAMETERS | dict(network.parameters),
        thresholds=dict.fromkeys(THRESHOLD_KINDS, "majority") | dict(network.thresholds),
        organisations=tuple(_organisation(founder) for founder in founders),
        certifiers=CertifierSet.of(certifiers),
        system_contracts=system_code_hashes(network.chain_hash),
        validators=tuple(sorted(validators, key=lambda validator: validator.organisation)),
    )
    # What is written is read back by the rules for everyone's file, so a genesis that could not be loaded is never made.
    return Genesis.from_json(genesis.to_json().encode())


def _organisation(founder: Founder) -> FoundingOrganisation:
    key = founder.keys.node.public_key
    node = NodeIdentity(founder.organisation, founder.node, key.suite, key.raw)
    return FoundingOrganisation(founder.organisation, founder.title, founder.admins, (node,))


def make_node_folder(path: Path, *, config: NodeConfig, title: str, admins: Sequence[FoundingMember], network: NewNetwork) -> NodeFolder:
    """Make the folder of the only node of a new network, which orders its own envelopes.

    Args:
        path: where; must not exist, or be empty.
        config: settings, with the founding organisation and the node's name.
        title: the organisation's name for people.
        admins: founding members of the organisation.
        network: what is decided about the network.

    Raises:
        FolderNotEmptyError: something is there already; nothing was changed.
        InvalidConfigurationError: the folder cannot be made.
        DiskFullError: no room.
        InvalidGenesisError: the genesis would not be valid.
    """
    as_name(config.organisation, "the organisation")
    as_name(config.node, "the node's name")
    check_empty(path)
    keys = NodeKeys.generate(network.suites[0])
    genesis = found_network(network, [Founder(config.organisation, title, tuple(admins), config.node, keys)])
    with folder_in_the_making(path) as partial:
        fill_node_folder(partial, config, genesis, keys)
    return NodeFolder(path, config, genesis)


def check_empty(path: Path) -> None:
    """Check that a folder can be made.

    Raises:
        FolderNotEmptyError: something is there.
    """
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise FolderNotEmptyError(f"{path} is not empty; name a folder that does not exist yet, or remove it")


@contextlib.contextmanager
def folder_in_the_making(path: Path) -> Iterator[Path]:
    """Give a folder to fill, which gets its name when the block ends well, and is gone when it does not.

    Raises:
        InvalidConfigurationError: the folder cannot be made.
        DiskFullError: no room.
    """
    try:
        with disk_refusals(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            partial = Path(tempfile.mkdtemp(prefix=f".{path.name}-", dir=path.parent))
            try:
                yield partial
                with contextlib.suppress(FileNotFoundError):
                    path.rmdir()
                partial.rename(path)
                sync_directory(path.parent)
            finally:
                shutil.rmtree(partial, ignore_errors=True)
    except OSError as error:
        raise InvalidConfigurationError(f"{path} cannot be made: {error.strerror}; see to the folder's rights") from error


def fill_node_folder(folder: Path, config: NodeConfig, genesis: Genesis, keys: NodeKeys) -> None:
    """Fill the folder of a node of a network.

    Args:
        folder: empty.
        config: settings of the node.
        genesis: of the network.
        keys: new ones of the node.
    """
    prepare_node_folder(folder, config, keys)
    write_durably(folder / GENESIS_FILE, genesis.to_json().encode(), 0o644)
    LedgerStore.create(folder / STORE_FOLDER, genesis, genesis_writes(genesis)).close()
    if keys.engine is not None:
        configuration.write_genesis(folder / ENGINE_FOLDER, engine_genesis(genesis))
    sync_directory(folder)


def prepare_node_folder(folder: Path, config: NodeConfig, keys: NodeKeys) -> None:
    """Put settings, keys and secrets of a node into its folder: all that it has before it is of a network.

    Args:
        folder: empty.
        config: settings of the node.
        keys: new ones of the node.
    """
    passphrase = secrets.token_hex(32)
    for name in ("keys", "secrets", "run", "log"):
        (folder / name).mkdir(mode=0o700)
    (folder / config.passphrase_file).parent.mkdir(parents=True, exist_ok=True)
    write_secret(folder / config.passphrase_file, (passphrase + "\n").encode())
    write_secret(folder / TOKEN_FILE, (secrets.token_urlsafe(32) + "\n").encode())
    write_secret(folder / NODE_KEY_FILE, keys.node.to_pem(passphrase.encode()))
    write_secret(folder / LEDGER_KEY_FILE, keys.ledger.to_pem(passphrase.encode()))
    write_durably(folder / FILE_NAME, config.to_toml().encode(), 0o644)
    if keys.engine is not None:
        configuration.make_home(folder / ENGINE_FOLDER, engine_settings(config), keys.engine.validator, keys.engine.peer)
    for made in [folder, *(inner for inner in folder.iterdir() if inner.is_dir())]:
        sync_directory(made)
