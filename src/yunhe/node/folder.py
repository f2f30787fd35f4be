"""A node's folder: how it is made and what is in it.

```
node.toml            settings
genesis.json         the network's genesis
keys/node.pem        signs envelopes            encrypted PKCS#8
keys/ledger.pem      cosigns checkpoints        encrypted PKCS#8
secrets/passphrase   of the two keys            readable by the owner alone
secrets/api-token    of the operator            readable by the owner alone
secrets/tokens.json  of other callers, hashed   readable by the owner alone
store/               the ledger (docs/spec/storage.md)
audit.jsonl          what operators did       readable by the owner alone
webhooks.db          the register of webhooks        readable by the owner alone
run/                 process and address while the node runs
log/                 the node's log
```

A folder is made beside its place and renamed when it is whole, so a half-made one is never taken for a node.
"""

import contextlib
import os
import secrets
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Final

from yunhe.contracts.system_contracts import genesis_writes, system_code_hashes
from yunhe.crypto import ED25519_SHA256, SHA256, ChainHash, PrivateKey
from yunhe.errors import FolderNotEmptyError, InvalidConfigurationError, InvalidGenesisError
from yunhe.ledger.certifiers import Certifier, CertifierSet
from yunhe.ledger.codec import as_name
from yunhe.ledger.envelope import NodeIdentity
from yunhe.ledger.genesis import PROTOCOL_VERSION, THRESHOLD_KINDS, FoundingMember, FoundingOrganisation, Genesis
from yunhe.ledger.layouts import DEFAULT_PARAMETERS
from yunhe.limits import GENESIS_BYTES_MAX, KEY_FILE_BYTES_MAX
from yunhe.node.config import FILE_NAME, PASSPHRASE_VARIABLE, NodeConfig, Scalar, resolve_config
from yunhe.node.tokens import AccessTokens
from yunhe.sdk.local_node import GENESIS_FILE, TOKEN_FILE
from yunhe.storage import LedgerStore, Progress
from yunhe.storage.files import sync_directory

NODE_KEY_FILE: Final = "keys/node.pem"
LEDGER_KEY_FILE: Final = "keys/ledger.pem"
STORE_FOLDER: Final = "store"
WEBHOOKS_FILE: Final = "webhooks.db"
_PASSPHRASE_ADVICE: Final = f"; set `passphrase_file` in node.toml, or the passphrase itself in the environment's {PASSPHRASE_VARIABLE}"
_KEY_ADVICE: Final = "; put back the key file that was there: the ledger knows this node by it, and only a vote can give it another one"
_GENESIS_ADVICE: Final = "put back the network's genesis file, of which every organisation and every backup has a copy"


@dataclass(frozen=True, slots=True)
class NodeFolder:
    """A node's folder, with what is read from it before anything is started."""

    path: Path
    config: NodeConfig
    genesis: Genesis

    @classmethod
    def load(
        cls, path: Path, environment: Mapping[str, str] = MappingProxyType({}), flags: Mapping[str, Scalar] = MappingProxyType({})
    ) -> "NodeFolder":
        """Read configuration and genesis.

        Args:
            path: the folder.
            environment: variables that may give settings.
            flags: settings that the command line gave.

        Raises:
            InvalidConfigurationError: the folder is no node's, or a setting is wrong.
            InvalidGenesisError: the genesis file is missing or not valid.
        """
        config = resolve_config(path / FILE_NAME, environment, flags).config
        file = path / GENESIS_FILE
        if not file.is_file():
            raise InvalidGenesisError(f"{file} is missing; {_GENESIS_ADVICE}")
        try:
            return cls(path, config, Genesis.from_json(_read(file, GENESIS_BYTES_MAX)))
        except InvalidGenesisError as error:
            raise InvalidGenesisError(f"{file} cannot be used: {error.message}; {_GENESIS_ADVICE}") from error

    @property
    def log_path(self) -> Path | None:
        """The file of the log; None for standard error."""
        return None if self.config.log_file == "-" else self.path / self.config.log_file

    def has_keys(self) -> bool:
        """Return whether the node's key files are there."""
        return all((self.path / name).is_file() for name in (NODE_KEY_FILE, LEDGER_KEY_FILE))

    def load_keys(self) -> tuple[PrivateKey, PrivateKey]:
        """Return the node's key and its ledger key.

        Raises:
            InvalidConfigurationError: a file or the passphrase cannot be read.
            WrongPassphraseError: the passphrase does not open the keys.
        """
        passphrase = os.fsencode(os.environ.get(PASSPHRASE_VARIABLE, ""))
        if not passphrase:
            passphrase = _read(self.path / self.config.passphrase_file, KEY_FILE_BYTES_MAX, _PASSPHRASE_ADVICE).strip()
        node_key, ledger_key = (
            PrivateKey.from_pem(_read(self.path / name, KEY_FILE_BYTES_MAX, _KEY_ADVICE), passphrase)
            for name in (NODE_KEY_FILE, LEDGER_KEY_FILE)
        )
        return node_key, ledger_key

    def identity(self, node_key: PrivateKey) -> NodeIdentity:
        """Return the node as its envelopes name it."""
        return NodeIdentity(self.config.organisation, self.config.node, node_key.suite, node_key.public_key.raw)

    def token(self) -> str:
        """Return the operator's own token.

        Raises:
            InvalidConfigurationError: the file cannot be read, or is empty.
        """
        path = self.path / TOKEN_FILE
        token = _read(path, KEY_FILE_BYTES_MAX).decode("ascii", "replace").strip()
        # An empty one would let everyone in.
        if not token:
            raise InvalidConfigurationError(f"{path} is empty; write a long random text into it")
        return token

    def access(self, clock: Callable[[], int]) -> AccessTokens:
        """Return the tokens that the node accepts.

        Raises:
            InvalidConfigurationError: the operator's token cannot be read.
            TokensUnreadableError: the register of the others cannot be read.
        """
        return AccessTokens(self.token(), self.path, clock)

    def open_store(self, progress: Progress) -> LedgerStore:
        """Open the ledger's store; rolls forward what a crash left behind, and tells `progress` of each block of it."""
        return LedgerStore.open(self.path / STORE_FOLDER, self.genesis, progress)


@dataclass(frozen=True, slots=True)
class NewNetwork:
    """What its founder decides about a network; the rest of the genesis follows."""

    name: str
    """Its name for people."""
    time_ms: int
    """Time of the genesis, milliseconds since 1970-01-01 UTC."""
    python: str
    """CPython minor version that runs the contracts, such as `3.11`."""
    suites: tuple[str, ...] = (ED25519_SHA256.name,)
    """Suites allowed from the beginning; the first is that of the node's keys."""
    chain_hash: ChainHash = SHA256
    """The one hash of the ledger, for ever."""
    parameters: Mapping[str, int] = field(default_factory=dict)
    """Parameters that differ from the defaults."""
    thresholds: Mapping[str, str] = field(default_factory=dict)
    """Kinds of proposals whose threshold is another than the majority."""


def make_node_folder(path: Path, *, config: NodeConfig, title: str, admins: Sequence[FoundingMember], network: NewNetwork) -> NodeFolder:
    """Make the folder of the first node of a new network.

    Args:
        path: where; must not exist, or be empty.
        config: settings, with the founding organisation and the node's name.
        title: the organisation's name for people.
        admins: founding members of the organisation.
        network: what is decided about the network.

    Raises:
        FolderNotEmptyError: something is there already; nothing was changed.
        InvalidConfigurationError: the folder cannot be made.
        InvalidGenesisError: the genesis would not be valid.
    """
    as_name(config.organisation, "the organisation")
    as_name(config.node, "the node's name")
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise FolderNotEmptyError(f"{path} is not empty; name a folder that does not exist yet, or remove it")
    unknown = set(network.parameters) - set(DEFAULT_PARAMETERS)
    if unknown:
        raise InvalidGenesisError(f"the parameter {min(unknown)!r} is unknown; the parameters are {', '.join(DEFAULT_PARAMETERS)}")
    unknown = set(network.thresholds) - set(THRESHOLD_KINDS)
    if unknown:
        raise InvalidGenesisError(f"there are no proposals of the kind {min(unknown)!r}; the kinds are {', '.join(THRESHOLD_KINDS)}")
    node_key, ledger_key = PrivateKey.generate(network.suites[0]), PrivateKey.generate(network.suites[0])
    node = NodeIdentity(config.organisation, config.node, node_key.suite, node_key.public_key.raw)
    genesis = Genesis(
        name=network.name,
        time_ms=network.time_ms,
        chain_hash=network.chain_hash,
        python=network.python,
        protocol_version=PROTOCOL_VERSION,
        suites=tuple(sorted(set(network.suites))),
        parameters=DEFAULT_PARAMETERS | dict(network.parameters),
        thresholds=dict.fromkeys(THRESHOLD_KINDS, "majority") | dict(network.thresholds),
        organisations=(FoundingOrganisation(config.organisation, title, tuple(admins), (node,)),),
        certifiers=CertifierSet.of([Certifier(config.organisation, ledger_key.suite, ledger_key.public_key.raw, 1)]),
        system_contracts=system_code_hashes(network.chain_hash),
    )
    # What is written is read back by the rules for everyone's file, so a genesis that could not be loaded is never made.
    genesis = Genesis.from_json(genesis.to_json().encode())
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(prefix=f".{path.name}-", dir=path.parent))
    except OSError as error:
        raise InvalidConfigurationError(f"{path} cannot be made: {error.strerror}") from error
    try:
        _fill(partial, config, genesis, node_key, ledger_key)
        with contextlib.suppress(FileNotFoundError):
            path.rmdir()
        partial.rename(path)
        sync_directory(path.parent)
    except OSError as error:
        raise InvalidConfigurationError(f"{path} cannot be made: {error.strerror}") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return NodeFolder(path, config, genesis)


def _fill(folder: Path, config: NodeConfig, genesis: Genesis, node_key: PrivateKey, ledger_key: PrivateKey) -> None:
    passphrase = secrets.token_hex(32)
    for name in ("keys", "secrets", "run", "log"):
        (folder / name).mkdir(mode=0o700)
    (folder / config.passphrase_file).parent.mkdir(parents=True, exist_ok=True)
    _write_secret(folder / config.passphrase_file, (passphrase + "\n").encode())
    _write_secret(folder / TOKEN_FILE, (secrets.token_urlsafe(32) + "\n").encode())
    _write_secret(folder / NODE_KEY_FILE, node_key.to_pem(passphrase.encode()))
    _write_secret(folder / LEDGER_KEY_FILE, ledger_key.to_pem(passphrase.encode()))
    _write_durably(folder / FILE_NAME, config.to_toml().encode(), 0o644)
    _write_durably(folder / GENESIS_FILE, genesis.to_json().encode(), 0o644)
    LedgerStore.create(folder / STORE_FOLDER, genesis, genesis_writes(genesis)).close()
    for made in [folder, *(inner for inner in folder.iterdir() if inner.is_dir())]:
        sync_directory(made)


def _write_secret(path: Path, data: bytes) -> None:
    _write_durably(path, data, 0o600)


def _write_durably(path: Path, data: bytes, mode: int) -> None:
    """Write a new file whose content is on the disk before the folder's name is: a key that a power cut took is lost for ever."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _read(path: Path, bytes_max: int, advice: str = "") -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(bytes_max + 1)
    except OSError as error:
        raise InvalidConfigurationError(f"{path} cannot be read: {error.strerror}{advice}") from error
    if len(data) > bytes_max:
        raise InvalidConfigurationError(f"{path} is larger than {bytes_max} bytes")
    return data
