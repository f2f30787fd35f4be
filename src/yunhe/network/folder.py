"""The folder of a whole network on one machine: every organisation's node and admin key, for development, trials and tests.

```
network.json          what the folder is, and its nodes
genesis.json          the network's genesis
nodes/ORGANISATION/   the folder of that organisation's node
keys/*.pem            key file of each organisation's admin   encrypted PKCS#8
secrets/passphrase    of the key files                        readable by the owner alone
run/                  the network's own process while it runs
```

Between real organisations nobody has all of this: each has its own node's folder and key files.
Specification: docs/spec/network.md, "The folder of a network".
"""

import json
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from yunhe.consensus.cometbft.configuration import check_home
from yunhe.errors import InvalidGenesisError, MalformedError, NetworkFolderError, YunheError
from yunhe.ledger.codec import as_name
from yunhe.ledger.genesis import Genesis
from yunhe.limits import GENESIS_BYTES_MAX, NETWORK_NODES_MAX
from yunhe.node import NodeFolder
from yunhe.node.engine_home import ENGINE_FOLDER
from yunhe.sdk.local_node import GENESIS_FILE

FORMAT: Final = "yunhe-network"
VERSION: Final = 1
NETWORK_FILE: Final = "network.json"
NODES_FOLDER: Final = "nodes"
KEYS_FOLDER: Final = "keys"
PASSPHRASE_FILE: Final = "secrets/passphrase"  # noqa: S105  # a path
ADMIN: Final = "admin"
"""The member of each organisation that votes and enrols."""

_AGAIN: Final = "remove the folder and make it anew with `yunhe network new`, or put back what is missing"


@dataclass(frozen=True, slots=True)
class LocalNode:
    """One organisation's node."""

    organisation: str
    folder: Path


@dataclass(frozen=True, slots=True)
class NetworkFolder:
    """A network's folder that was found whole."""

    path: Path
    genesis: Genesis
    nodes: tuple[LocalNode, ...]
    """In the order in which they were named."""

    @classmethod
    def load(cls, path: Path) -> "NetworkFolder":
        """Read a folder and look at all that is in it.

        Raises:
            NetworkFolderError: it is no network's folder, or not whole; the message names what is wrong (NET-010).
        """
        # NET-010
        names, network_id = _read(path / NETWORK_FILE)
        genesis = _genesis(path / GENESIS_FILE)
        if genesis.network_id.hex() != network_id:
            raise NetworkFolderError(f"{path / GENESIS_FILE} is the genesis of another network than {path / NETWORK_FILE} says; {_AGAIN}")
        nodes = tuple(LocalNode(name, path / NODES_FOLDER / name) for name in names)
        for node in nodes:
            _check_node(node, genesis)
        _check_secrets(path, nodes)
        return cls(path, genesis, nodes)

    def node(self, organisation: str) -> LocalNode:
        """Return the node of an organisation.

        Raises:
            NetworkFolderError: it has none here.
        """
        for node in self.nodes:
            if node.organisation == organisation:
                return node
        known = ", ".join(node.organisation for node in self.nodes)
        raise NetworkFolderError(f"the network in {self.path} has no node of {organisation!r}; its organisations are {known}")

    def admin_key(self, organisation: str) -> Path:
        """Return the key file of an organisation's admin."""
        return self.path / KEYS_FOLDER / f"{organisation}.{ADMIN}.pem"

    @property
    def passphrase(self) -> Path:
        """The file with the passphrase of the key files."""
        return self.path / PASSPHRASE_FILE


def network_file(genesis: Genesis, organisations: tuple[str, ...]) -> str:
    """Return the text of the file that says what a folder is."""
    value = {
        "format": FORMAT,
        "version": VERSION,
        "name": genesis.name,
        "network_id": genesis.network_id.hex(),
        "organisations": list(organisations),
    }
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def _read(file: Path) -> tuple[list[str], str]:
    """Return the organisations and the network id that the file names."""
    try:
        value: Any = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise NetworkFolderError(
            f"{file.parent} is no network's folder, or one that was made only half: {file.name} is missing; "
            "`yunhe network new` makes one, in a folder that does not exist yet"
        ) from error
    except (OSError, ValueError, RecursionError) as error:
        raise NetworkFolderError(f"{file} cannot be read: {error}; {_AGAIN}") from error
    try:
        kind, names, network_id = (value["format"], value["version"]), value["organisations"], str(value["network_id"])
        checked = [as_name(name, "an organisation") for name in names]
    except (KeyError, TypeError, MalformedError) as error:
        raise NetworkFolderError(f"{file} does not say what the network is; {_AGAIN}") from error
    if kind != (FORMAT, VERSION):
        raise NetworkFolderError(f"{file} is of another version of Yunhe; use that one")
    if not 1 <= len(set(checked)) == len(checked) <= NETWORK_NODES_MAX:
        raise NetworkFolderError(f"{file} must name 1 to {NETWORK_NODES_MAX} organisations, each once; {_AGAIN}")
    return checked, network_id


def _genesis(file: Path) -> Genesis:
    try:
        with file.open("rb") as stream:
            return Genesis.from_json(stream.read(GENESIS_BYTES_MAX + 1))
    except OSError as error:
        raise NetworkFolderError(f"{file} cannot be read: {error.strerror}; {_AGAIN}") from error
    except InvalidGenesisError as error:
        raise NetworkFolderError(f"{file} cannot be used: {error.message}; {_AGAIN}") from error


def _check_node(node: LocalNode, genesis: Genesis) -> None:
    try:
        loaded = NodeFolder.load(node.folder)
        if not loaded.has_keys():
            raise NetworkFolderError(f"{node.folder} lacks the node's keys; {_AGAIN}")
        check_home(node.folder / ENGINE_FOLDER)
    except NetworkFolderError:
        raise
    except YunheError as error:
        raise NetworkFolderError(f"the node of {node.organisation} is not whole: {error.message}") from error
    if loaded.genesis.network_id != genesis.network_id:
        raise NetworkFolderError(
            f"{node.folder / GENESIS_FILE} is the genesis of another network; copy {GENESIS_FILE} of the network there"
        )


def _check_secrets(path: Path, nodes: tuple[LocalNode, ...]) -> None:
    secrets = [path / PASSPHRASE_FILE, *(path / KEYS_FOLDER / f"{node.organisation}.{ADMIN}.pem" for node in nodes)]
    for file in secrets:
        if not file.is_file():
            raise NetworkFolderError(f"{file} is missing; {_AGAIN}")
        mode = stat.S_IMODE(file.stat().st_mode)
        if mode & 0o077:
            raise NetworkFolderError(f"{file} has the mode {mode:03o}, and others may read it; run `chmod go= {file}`")
