"""How a command finds its node, its key and its passphrase.

Each setting comes from its option, else from the environment. A node on this machine is found by its folder, which holds the token and,
while the node runs, the address.
"""

import os
import ssl
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

import typer

from yunhe.cli.output import output
from yunhe.errors import InvalidConfigurationError, InvalidKeyError, UsageError, YunheError
from yunhe.sdk import Client, MemberKey, read_key_file
from yunhe.sdk.local_node import GENESIS_FILE, TOKEN_FILE, local_trust, read_run_file
from yunhe.sdk.tls import trusting

FOLDER_VARIABLE: Final = "YUNHE_FOLDER"
NODE_VARIABLE: Final = "YUNHE_NODE"
TOKEN_VARIABLE: Final = "YUNHE_TOKEN"  # noqa: S105  # a name
CA_VARIABLE: Final = "YUNHE_CA"
KEY_VARIABLE: Final = "YUNHE_KEY"
PASSPHRASE_VARIABLE: Final = "YUNHE_KEY_PASSPHRASE"  # noqa: S105  # a name

_NO_PASSPHRASE: Final = f"no passphrase was given, and there is no terminal to ask at; use --passphrase-file or {PASSPHRASE_VARIABLE}"

FolderOption = Annotated[Path | None, typer.Option("--folder", envvar=FOLDER_VARIABLE, help="Folder of a node on this machine.")]
NodeOption = Annotated[str | None, typer.Option("--node", envvar=NODE_VARIABLE, help="Address of a node, such as http://127.0.0.1:8440.")]
TokenOption = Annotated[Path | None, typer.Option("--token-file", help=f"File with an API token of the node; or {TOKEN_VARIABLE}.")]
KeyOption = Annotated[
    list[Path] | None,
    typer.Option("--key", envvar=KEY_VARIABLE, help="Key file of a signer; the first signs as sender. Give it again for more signers."),
]
PassphraseOption = Annotated[
    Path | None,
    typer.Option("--passphrase-file", help=f"File with the key's passphrase; or {PASSPHRASE_VARIABLE}; else it is asked for."),
]


@dataclass(frozen=True, slots=True)
class Connection:
    """Options that find a node."""

    folder: Path | None
    node: str | None
    token_file: Path | None

    def open(self) -> Client:
        """Return a client of the node.

        Raises:
            UsageError: no node was named.
            NodeNotRunningError: the folder's node does not run.
            InvalidConfigurationError: the token cannot be read.
        """
        if self.node is None and self.folder is None:
            raise UsageError(
                f"name a node: --folder DIR for one on this machine, or --node ADDRESS (or {FOLDER_VARIABLE}, {NODE_VARIABLE})"
            )
        if self.node is None and self.folder is not None:
            return Client(read_address(self.folder), self._token(), on_retry=Retries(), tls=local_trust(self.folder))
        return Client(self.node or "", self._token(), on_retry=Retries(), tls=trusted())

    def genesis(self) -> Path | None:
        """Return the genesis file in the node's folder, if a folder was named."""
        return self.folder / GENESIS_FILE if self.folder is not None else None

    def _token(self) -> str:
        path = self.token_file or (self.folder / TOKEN_FILE if self.folder is not None else None)
        return read_secret(path) if path is not None else os.environ.get(TOKEN_VARIABLE, "")


class Retries:
    """Tells people once why a command takes its time."""

    def __init__(self) -> None:
        self._told = False

    def __call__(self, failure: YunheError) -> None:
        """Say so, the first time."""
        if not self._told:
            output.progress(f"{failure.message}; trying again for a while")
        self._told = True


def trusted() -> ssl.SSLContext | None:
    """Return whose certificates are accepted of nodes that are named by their address; None for those that the system trusts.

    Raises:
        InvalidConfigurationError: the authority's file cannot be read.
    """
    authority = os.environ.get(CA_VARIABLE, "")
    return trusting(Path(authority)) if authority else None


def read_address(folder: Path) -> str:
    """Return the address of a folder's running node; raises as `read_run_file`."""
    return read_run_file(folder)[1]


def read_secret(path: Path) -> str:
    """Return the text of a small secret file.

    Raises:
        InvalidConfigurationError: it cannot be read.
    """
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidConfigurationError(f"{path} cannot be read: {getattr(error, 'strerror', None) or 'it is not text'}") from error


def open_keys(paths: list[Path] | None, passphrase_file: Path | None) -> list[MemberKey]:
    """Open the key files of all signers.

    Raises:
        UsageError: none was named.
        YunheError: one cannot be opened.
    """
    if not paths:
        raise UsageError(f"name the signer's key file: --key FILE (or {KEY_VARIABLE})")
    return [read_key_file(path).open(read_passphrase(passphrase_file, f"Passphrase of {path}")) for path in paths]


def read_passphrase(passphrase_file: Path | None, prompt: str, *, confirm: bool = False) -> str:
    """Return a passphrase from its file, the environment, or the terminal.

    Raises:
        InvalidKeyError: there is none, and no terminal to ask at.
    """
    if passphrase_file is not None:
        return read_secret(passphrase_file)
    if PASSPHRASE_VARIABLE in os.environ:
        return os.environ[PASSPHRASE_VARIABLE]
    if not sys.stdin.isatty():
        raise InvalidKeyError(_NO_PASSPHRASE)
    try:
        return str(typer.prompt(prompt, hide_input=True, confirmation_prompt=confirm, err=True))
    except typer.Abort as error:
        raise InvalidKeyError(_NO_PASSPHRASE) from error
