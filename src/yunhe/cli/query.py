"""`yunhe query`: look at records, views and blocks."""

import json
from typing import Annotated

import typer

from yunhe.cli.arguments import parse_arguments, parse_key
from yunhe.cli.connection import Connection, FolderOption, NodeOption, TokenOption
from yunhe.cli.output import output, table

app = typer.Typer(name="query", help="Look at records, views and blocks.", no_args_is_help=True)

ContractArgument = Annotated[str, typer.Argument(help="Contract.")]
TableArgument = Annotated[str, typer.Argument(help="Table.")]
LimitOption = Annotated[int, typer.Option("--limit", min=1, max=100_000, help="Rows at most.")]
_KEY_HELP = "Components of the key: text, an integer as int:5, a byte string as 0x and hexadecimal digits."


@app.command()
def record(  # one for each option
    contract: ContractArgument,
    table_name: TableArgument,
    key: Annotated[list[str], typer.Argument(help=_KEY_HELP)],
    folder: FolderOption = None,
    node: NodeOption = None,
    token_file: TokenOption = None,
) -> None:
    """Show one record as of the last block."""
    with Connection(folder, node, token_file).open() as client:
        output.fields(client.record(contract, table_name, parse_key(key)))


@app.command()
def records(  # one for each option
    contract: ContractArgument,
    table_name: TableArgument,
    prefix: Annotated[list[str] | None, typer.Argument(help=f"First components of the keys. {_KEY_HELP}")] = None,
    limit: LimitOption = 100,
    folder: FolderOption = None,
    node: NodeOption = None,
    token_file: TokenOption = None,
    *,
    reverse: Annotated[bool, typer.Option("--reverse", help="Last key first.")] = False,
) -> None:
    """List the records of a table in key order."""
    with Connection(folder, node, token_file).open() as client:
        rows = list(client.records(contract, table_name, parse_key(prefix or []), limit=limit, reverse=reverse))
    output.result(rows, table(["key", "fields"], [[row["key"], row["fields"]] for row in rows]))


@app.command()
def view(  # one for each option
    contract: ContractArgument,
    name: Annotated[str, typer.Argument(help="View.")],
    arguments: Annotated[list[str] | None, typer.Argument(help="Arguments, NAME=VALUE each; see `yunhe contract show`.")] = None,
    folder: FolderOption = None,
    node: NodeOption = None,
    token_file: TokenOption = None,
) -> None:
    """Run a view on the last block and show its result."""
    with Connection(folder, node, token_file).open() as client:
        values = parse_arguments(client, contract, name, arguments or [], view=True)
        result = client.view(contract, name, **values)
    output.result({"result": result}, result if isinstance(result, str) else json.dumps(result, ensure_ascii=False, indent=2))


@app.command()
def block(
    height: Annotated[int, typer.Argument(min=0, help="Height.")],
    folder: FolderOption = None,
    node: NodeOption = None,
    token_file: TokenOption = None,
) -> None:
    """Show a ledger block."""
    with Connection(folder, node, token_file).open() as client:
        output.fields(client.block(height))


@app.command()
def blocks(limit: LimitOption = 20, folder: FolderOption = None, node: NodeOption = None, token_file: TokenOption = None) -> None:
    """List the last blocks, newest first."""
    with Connection(folder, node, token_file).open() as client:
        rows = list(client.blocks(limit))
    output.result(rows, table(["height", "time_ms", "hash"], [[row["height"], row["time_ms"], row["hash"]] for row in rows]))
