"""A node's folder, and what is in it.

```
node.toml            settings
genesis.json         the network's genesis
keys/node.pem        signs envelopes            encrypted PKCS#8
keys/ledger.pem      cosigns checkpoints        encrypted PKCS#8
keys/*.next.pem      what comes after them      encrypted PKCS#8 (`yunhe.node.next_keys`)
rotation.json        what the others vote on to change keys
secrets/passphrase   of the two keys            readable by the owner alone
secrets/api-token    of the operator            readable by the owner alone
secrets/tokens.json  of other callers, hashed   readable by the owner alone
store/               the ledger (docs/spec/storage.md)
engine/              the home of its CometBFT process, between organisations (docs/spec/network.md)
skip-orders/          orders to pass over transactions, until their blocks are made
audit.jsonl          what operators did       readable by the owner alone
webhooks.db          the register of webhooks        readable by the owner alone
run/                 process and address while the node runs
log/                 the node's log
```

How it is made is in `yunhe.node.founding`.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

from yunhe.crypto import PrivateKey
from yunhe.errors import InvalidConfigurationError, InvalidGenesisError
from yunhe.ledger.envelope import NodeIdentity
from yunhe.ledger.genesis import Genesis
from yunhe.limits import GENESIS_BYTES_MAX, KEY_FILE_BYTES_MAX
from yunhe.node.config import FILE_NAME, PASSPHRASE_VARIABLE, NodeConfig, Scalar, resolve_config
from yunhe.node.private_files import read_bounded
from yunhe.node.tokens import AccessTokens
from yunhe.sdk.local_node import GENESIS_FILE, TOKEN_FILE
from yunhe.storage import LedgerStore, Progress

NODE_KEY_FILE: Final = "keys/node.pem"
LEDGER_KEY_FILE: Final = "keys/ledger.pem"
STORE_FOLDER: Final = "store"
REQUEST_FILE: Final = "join-request.json"
"""What a node asks with to join a network."""
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
        if not file.is_file() and (path / REQUEST_FILE).is_file():
            raise InvalidGenesisError(f"the node in {path} has not joined a network yet; `yunhe node join` does, with an invitation")
        if not file.is_file():
            raise InvalidGenesisError(f"{file} is missing; {_GENESIS_ADVICE}")
        try:
            return cls(path, config, Genesis.from_json(read_bounded(file, GENESIS_BYTES_MAX)))
        except InvalidGenesisError as error:
            raise InvalidGenesisError(f"{file} cannot be used: {error.message}; {_GENESIS_ADVICE}") from error

    @property
    def log_path(self) -> Path | None:
        """The file of the log; None for standard error."""
        return None if self.config.log_file == "-" else self.path / self.config.log_file

    @property
    def tls_files(self) -> tuple[Path, Path] | None:
        """Certificate and key of the HTTP API; None for plain HTTP.

        Raises:
            InvalidConfigurationError: one is set without the other.
        """
        config = self.config
        if bool(config.tls_certificate) != bool(config.tls_key):
            raise InvalidConfigurationError("tls_certificate and tls_key go together: set both, or neither")
        return (self.path / config.tls_certificate, self.path / config.tls_key) if config.tls_certificate else None

    def has_keys(self) -> bool:
        """Return whether the node's key files are there."""
        return all((self.path / name).is_file() for name in (NODE_KEY_FILE, LEDGER_KEY_FILE))

    def load_keys(self) -> tuple[PrivateKey, PrivateKey]:
        """Return the node's key and its ledger key; raises as the function."""
        return load_keys(self.path, self.config)

    def identity(self, node_key: PrivateKey) -> NodeIdentity:
        """Return the node as its envelopes name it."""
        return NodeIdentity(self.config.organisation, self.config.node, node_key.suite, node_key.public_key.raw)

    def token(self) -> str:
        """Return the operator's own token.

        Raises:
            InvalidConfigurationError: the file cannot be read, or is empty.
        """
        path = self.path / TOKEN_FILE
        token = read_bounded(path, KEY_FILE_BYTES_MAX).decode("ascii", "replace").strip()
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


def load_keys(folder: Path, config: NodeConfig) -> tuple[PrivateKey, PrivateKey]:
    """Return the key and the ledger key of a node, of a network or not yet.

    Raises:
        InvalidConfigurationError: a file or the passphrase cannot be read.
        WrongPassphraseError: the passphrase does not open the keys.
    """
    passphrase = read_passphrase(folder, config)
    files = (NODE_KEY_FILE, LEDGER_KEY_FILE)
    node_key, ledger_key = (PrivateKey.from_pem(read_bounded(folder / name, KEY_FILE_BYTES_MAX, _KEY_ADVICE), passphrase) for name in files)
    return node_key, ledger_key


def read_passphrase(folder: Path, config: NodeConfig) -> bytes:
    """Return the passphrase of a node's key files.

    Raises:
        InvalidConfigurationError: it cannot be read.
    """
    passphrase = os.fsencode(os.environ.get(PASSPHRASE_VARIABLE, ""))
    return passphrase or read_bounded(folder / config.passphrase_file, KEY_FILE_BYTES_MAX, _PASSPHRASE_ADVICE).strip()


def is_node_folder(path: Path) -> bool:
    """Return whether a folder has the settings of a node."""
    return (path / FILE_NAME).is_file()
