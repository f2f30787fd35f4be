"""A witness's folder: how it is made and what is in it.

```
witness.toml        name of the witness, nodes that it follows
genesis.json        the network's genesis
keys/witness.pem    cosigns checkpoints         encrypted PKCS#8
secrets/passphrase  of the key                  readable by the owner alone
store/              the ledger, as the witness ran it (docs/spec/storage.md)
evidence/           what contradicted it, if anything ever did
```
"""

import json
import re
import secrets
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from yunhe.contracts.system_contracts import genesis_writes
from yunhe.crypto import PrivateKey
from yunhe.errors import InvalidConfigurationError
from yunhe.ledger.checkpoint import key_line
from yunhe.ledger.genesis import Genesis
from yunhe.limits import GENESIS_BYTES_MAX, KEY_FILE_BYTES_MAX
from yunhe.node.founding import check_empty, folder_in_the_making
from yunhe.node.private_files import read_bounded, write_durably, write_secret
from yunhe.sdk.local_node import GENESIS_FILE
from yunhe.storage import LedgerStore, Progress
from yunhe.storage.files import sync_directory

SETTINGS_FILE: Final = "witness.toml"
KEY_FILE: Final = "keys/witness.pem"
PASSPHRASE_FILE: Final = "secrets/passphrase"  # noqa: S105  # a name
STORE_FOLDER: Final = "store"
EVIDENCE_FOLDER: Final = "evidence"
_SETTINGS_BYTES_MAX: Final = 64 * 1024
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,127}")
_NODES_MAX: Final = 64


@dataclass(frozen=True, slots=True)
class WatchedNode:
    """A node that a witness follows."""

    address: str
    """Such as `https://node.example:8440`."""
    token_file: str = ""
    """File with a token of scope `read`, relative to the folder unless absolute; empty for none."""
    ca_file: str = ""
    """PEM file with the authority that signed the node's certificate, likewise; empty for those that the system trusts."""


@dataclass(frozen=True, slots=True)
class NewWitness:
    """What is decided about a witness when its folder is made."""

    name: str
    """Under which it cosigns: letters, digits and `._/-`, at most 128, such as `regulator.example`."""
    suite: str
    """Of its key."""
    nodes: tuple[WatchedNode, ...]
    """At least one."""


@dataclass(frozen=True, slots=True)
class WitnessFolder:
    """A witness's folder, with what is read from it before anything is started."""

    path: Path
    name: str
    nodes: tuple[WatchedNode, ...]
    genesis: Genesis
    genesis_json: bytes

    @classmethod
    def load(cls, path: Path) -> "WitnessFolder":
        """Read settings and genesis.

        Raises:
            InvalidConfigurationError: the folder is no witness's, or a setting is wrong.
            InvalidGenesisError: the genesis file is not valid.
        """
        file = path / SETTINGS_FILE
        if not file.is_file():
            raise InvalidConfigurationError(f"{path} is no witness's folder: {SETTINGS_FILE} is missing; `yunhe witness init` makes one")
        try:
            table = tomllib.loads(read_bounded(file, _SETTINGS_BYTES_MAX).decode("utf-8"))
        except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            raise InvalidConfigurationError(f"{file} is not TOML: {error}") from error
        name, nodes = _settings(file, table)
        genesis_json = read_bounded(path / GENESIS_FILE, GENESIS_BYTES_MAX)
        return cls(path, name, nodes, Genesis.from_json(genesis_json), genesis_json)

    def load_key(self) -> PrivateKey:
        """Return the witness's key.

        Raises:
            InvalidConfigurationError: a file cannot be read.
            WrongPassphraseError: the passphrase does not open the key.
        """
        passphrase = read_bounded(self.path / PASSPHRASE_FILE, KEY_FILE_BYTES_MAX).strip()
        return PrivateKey.from_pem(read_bounded(self.path / KEY_FILE, KEY_FILE_BYTES_MAX), passphrase)

    def key_line(self) -> str:
        """Return the public key as the line that people hand on; raises as `load_key`."""
        public = self.load_key().public_key
        return key_line(self.name, public.suite, public.raw)

    def token(self, node: WatchedNode) -> str:
        """Return the token for a node.

        Raises:
            InvalidConfigurationError: its file cannot be read.
        """
        if not node.token_file:
            return ""
        return read_bounded(self.path / node.token_file, KEY_FILE_BYTES_MAX).decode("ascii", "replace").strip()

    def open_store(self, progress: Progress) -> LedgerStore:
        """Open the ledger as far as the witness followed it."""
        return LedgerStore.open(self.path / STORE_FOLDER, self.genesis, progress)


def make_witness_folder(path: Path, *, witness: NewWitness, genesis_json: bytes) -> WitnessFolder:
    """Make the folder of a witness.

    Args:
        path: where; must not exist, or be empty.
        witness: what is decided about it.
        genesis_json: the network's genesis file, from a source that the witness trusts.

    Raises:
        FolderNotEmptyError: something is there already; nothing was changed.
        InvalidConfigurationError: the folder cannot be made, or the name is none.
        InvalidGenesisError: the genesis is not valid.
    """
    # WIT-001
    check_empty(path)
    settings = _to_toml(witness)
    _settings(path / SETTINGS_FILE, tomllib.loads(settings))
    genesis = Genesis.from_json(genesis_json)
    key, passphrase = PrivateKey.generate(witness.suite), secrets.token_hex(32)
    with folder_in_the_making(path) as partial:
        for name in ("keys", "secrets", EVIDENCE_FOLDER):
            (partial / name).mkdir(mode=0o700)
        write_secret(partial / PASSPHRASE_FILE, (passphrase + "\n").encode())
        write_secret(partial / KEY_FILE, key.to_pem(passphrase.encode()))
        write_durably(partial / SETTINGS_FILE, settings.encode(), 0o644)
        write_durably(partial / GENESIS_FILE, genesis_json, 0o644)
        LedgerStore.create(partial / STORE_FOLDER, genesis, genesis_writes(genesis)).close()
        for made in [partial, *(inner for inner in partial.iterdir() if inner.is_dir())]:
            sync_directory(made)
    return WitnessFolder.load(path)


def _settings(file: Path, table: dict[str, Any]) -> tuple[str, tuple[WatchedNode, ...]]:
    unknown = set(table) - {"name", "nodes"}
    if unknown:
        raise InvalidConfigurationError(f"{file}: the setting {min(unknown)!r} is unknown; there are `name` and `[[nodes]]`")
    name, nodes = table.get("name"), table.get("nodes")
    # PRF-030: the names that begin so are those of the certifiers.
    if not isinstance(name, str) or not _NAME.fullmatch(name) or name.startswith("yunhe/"):
        raise InvalidConfigurationError(
            f"{file}: the name {name!r} is no witness's; take letters, digits and ._/- such as regulator.example, not beginning with yunhe/"
        )
    if not isinstance(nodes, list) or not 1 <= len(nodes) <= _NODES_MAX:
        raise InvalidConfigurationError(f"{file}: a witness follows 1 to {_NODES_MAX} nodes, each a table [[nodes]] with its `address`")
    return name, tuple(_node(file, node) for node in nodes)


def _node(file: Path, table: object) -> WatchedNode:
    fits = isinstance(table, dict) and {"address"} <= set(table) <= {"address", "token_file", "ca_file"}
    if not isinstance(table, dict) or not fits or not all(isinstance(value, str) for value in table.values()):
        raise InvalidConfigurationError(f"{file}: a node has an `address` and, where it needs them, `token_file` and `ca_file`, all texts")
    return WatchedNode(**table)


def _to_toml(witness: NewWitness) -> str:
    # A JSON string is a basic string of TOML.
    lines = [f"name = {json.dumps(witness.name)}", *_node_lines(witness.nodes)]
    return "\n".join(lines) + "\n"


def _node_lines(nodes: Sequence[WatchedNode]) -> list[str]:
    lines = []
    for node in nodes:
        lines += ["", "[[nodes]]", f"address = {json.dumps(node.address)}"]
        if node.token_file:
            lines.append(f"token_file = {json.dumps(node.token_file)}")
        if node.ca_file:
            lines.append(f"ca_file = {json.dumps(node.ca_file)}")
    return lines
