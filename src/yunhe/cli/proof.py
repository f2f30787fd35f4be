"""`yunhe proof`: get proof bundles from a node, and verify them without one."""

import shutil
from pathlib import Path
from shlex import join
from typing import Annotated

import typer

from yunhe import verifier
from yunhe.cli.arguments import parse_key
from yunhe.cli.connection import Connection, FolderOption, NodeOption, TokenOption
from yunhe.cli.output import output
from yunhe.cli.tx import TransactionArgument, transaction_id
from yunhe.errors import InvalidInputError
from yunhe.sdk import prove_receipt, prove_record, prove_transaction

app = typer.Typer(name="proof", help="Get proof bundles and verify them offline.", no_args_is_help=True)

OutOption = Annotated[Path, typer.Option("--out", "-o", help="File to write.")]
HeightOption = Annotated[int | None, typer.Option("--at", "--height", min=0, help="Height; the last block when left out.")]
_DEFAULT = Path("proof.yunhe")


def _write(path: Path, data: bytes, genesis: Path | None) -> None:
    try:
        path.write_bytes(data)
    except OSError as error:
        raise InvalidInputError(f"{path} cannot be written: {error.strerror}") from error
    verify = join(["yunhe", "proof", "verify", str(path), "--genesis", str(genesis or "GENESIS")])
    output.fields({"file": str(path), "bytes": len(data), "verify": verify})


@app.command()
def record(  # one for each option
    contract: Annotated[str, typer.Argument(help="Contract.")],
    table: Annotated[str, typer.Argument(help="Table.")],
    key: Annotated[list[str], typer.Argument(help="Components of the key: text, int:5, or 0x and hexadecimal digits.")],
    out: OutOption = _DEFAULT,
    height: HeightOption = None,
    folder: FolderOption = None,
    node: NodeOption = None,
    token_file: TokenOption = None,
) -> None:
    """Prove that a record is as it is, or that there is none."""
    connection = Connection(folder, node, token_file)
    with connection.open() as client:
        _write(out, client.prove([prove_record(contract, table, parse_key(key))], height), connection.genesis())


@app.command()
def transaction(  # one for each option
    transaction: TransactionArgument,
    out: OutOption = _DEFAULT,
    folder: FolderOption = None,
    node: NodeOption = None,
    token_file: TokenOption = None,
    *,
    receipt: Annotated[bool, typer.Option("--receipt", help="Prove the receipt as well.")] = False,
) -> None:
    """Prove that a transaction took its place in the ledger."""
    identity = transaction_id(transaction)
    subjects = [prove_transaction(identity)] + ([prove_receipt(identity)] if receipt else [])
    connection = Connection(folder, node, token_file)
    with connection.open() as client:
        _write(out, client.prove(subjects), connection.genesis())


@app.command()
def checkpoint(folder: FolderOption = None, node: NodeOption = None, token_file: TokenOption = None) -> None:
    """Print the newest checkpoint with the node's cosignature."""
    with Connection(folder, node, token_file).open() as client:
        note = client.checkpoint()
    output.result({"checkpoint": note}, note.rstrip("\n"))


@app.command()
def verify(
    file: Annotated[Path, typer.Argument(help="Proof bundle.")],
    genesis: Annotated[Path, typer.Option("--genesis", help="Genesis file of the network, from a source that you trust.")],
    trust: Annotated[Path | None, typer.Option("--trust", help="Checkpoint that you trust, to begin from instead of the genesis.")] = None,
    document: Annotated[Path | None, typer.Option("--document", help="Document whose checksum a proven record must name.")] = None,
    witness: Annotated[Path | None, typer.Option("--witness", help="Checkpoint cosigned by a witness, of the bundle's size.")] = None,
    witness_key: Annotated[str | None, typer.Option("--witness-key", help="Key line of that witness, from a source you trust.")] = None,
) -> None:
    """Verify a proof bundle offline. No node is asked, and none is trusted."""
    arguments = [str(file), "--genesis", str(genesis)]
    given = (("--trust", trust), ("--document", document), ("--witness", witness), ("--witness-key", witness_key))
    for option, value in given:
        if value is not None:
            arguments += [option, str(value)]
    # The very program that a stranger runs, so that both always say the same.
    raise typer.Exit(verifier.main([*arguments, "--json"] if output.json else arguments))


@app.command("verifier")
def verifier_(out: OutOption = Path("yunhe_verifier.py")) -> None:
    """Write the verifier as one file that runs with Python alone, for someone who trusts nobody here."""
    try:
        shutil.copyfile(verifier.__file__, out)
    except OSError as error:
        raise InvalidInputError(f"{out} cannot be written: {error.strerror}") from error
    output.fields({"file": str(out), "use": join(["python3", "-I", "-S", str(out), "BUNDLE", "--genesis", "GENESIS"])})
