"""`yunhe key`: make and show key files."""

from pathlib import Path
from typing import Annotated

import typer

from yunhe.cli.connection import PassphraseOption, read_passphrase
from yunhe.cli.output import output, table
from yunhe.crypto import ED25519_SHA256, suite_names
from yunhe.errors import UsageError
from yunhe.sdk import KeyFile, Member, Wallet, create_key_file, read_key_file

app = typer.Typer(name="key", help="Make and show key files.", no_args_is_help=True)


def _fields(file: KeyFile) -> dict[str, str]:
    return {
        "file": str(file.path),
        "member": str(file.member),
        "suite": file.public_key.suite,
        "public_key": file.public_key.raw.hex(),
    } | ({"signer_id": file.signer_id} if file.signer_id else {})


@app.command()
def new(
    member: Annotated[str, typer.Argument(help="Whose key it is: organisation/member.")],
    file: Annotated[Path | None, typer.Argument(help="Where; ORGANISATION.MEMBER.pem here when left out.")] = None,
    passphrase_file: PassphraseOption = None,
    suite: Annotated[str, typer.Option(help=f"Signature suite ({', '.join(suite_names())}).")] = ED25519_SHA256.name,
) -> None:
    """Make a new key and its encrypted file."""
    owner = Member.parse(member)
    path = file or Wallet(Path()).path(owner)
    passphrase = read_passphrase(passphrase_file, "Passphrase of the new key", confirm=True)
    output.fields(_fields(create_key_file(path, owner, passphrase, suite)))


@app.command()
def show(file: Annotated[Path, typer.Argument(help="Key file.")]) -> None:
    """Show whose key a file holds; needs no passphrase."""
    output.fields(_fields(read_key_file(file)))


@app.command("list")
def list_(folder: Annotated[Path, typer.Argument(help="Folder with key files.")] = Path()) -> None:
    """List the key files of a folder."""
    if not folder.is_dir():
        raise UsageError(f"there is no folder {folder}")
    files = [_fields(file) for file in Wallet(folder).key_files()]
    columns = ["file", "member", "suite", "public_key"]
    rows = [[file[column] for column in columns] for file in files]
    output.result(files, table(columns, rows) if rows else f"no key files in {folder}; `yunhe key new` makes one")
