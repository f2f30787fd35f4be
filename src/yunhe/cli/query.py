"""`yunhe query`: look at records, views, events and blocks."""

import json
from typing import Annotated, Any

import typer

from yunhe.cli.arguments import parse_arguments, parse_condition, parse_key
from yunhe.cli.connection import Connection, FolderOption, NodeOption, TokenOption
from yunhe.cli.output import output, table, utc
from yunhe.limits import PAGE_ROWS_MAX

app = typer.Typer(name="query", help="Look at records, views, events and blocks.", no_args_is_help=True)

ContractArgument = Annotated[str, typer.Argument(help="Contract.")]
TableArgument = Annotated[str, typer.Argument(help="Table.")]
LimitOption = Annotated[int, typer.Option("--limit", min=1, max=100_000, help="Rows at most.")]
_BOUND_HELP = "Give it again for each further component."
_KEY_HELP = "Components of the key: text, an integer as int:5, a byte string as 0x and hexadecimal digits."


@app.command()
def record(  # one for each option
    contract: ContractArgument,
    table_name: TableArgument,
    key: Annotated[list[str], typer.Argument(help=_KEY_HELP)],
    at: Annotated[int | None, typer.Option("--at", min=0, help="Height of a block of the past; the last block when left out.")] = None,
    folder: FolderOption = None,
    node: NodeOption = None,
    token_file: TokenOption = None,
) -> None:
    """Show one record as of the last block, or as it was after a block of the past."""
    with Connection(folder, node, token_file).open() as client:
        output.fields(client.record(contract, table_name, parse_key(key), at))


@app.command()
def versions(  # noqa: PLR0913, PLR0917  # one for each option
    contract: ContractArgument,
    table_name: TableArgument,
    key: Annotated[list[str], typer.Argument(help=_KEY_HELP)],
    limit: LimitOption = 100,
    from_height: Annotated[int | None, typer.Option("--from-height", min=0, help="Lowest block to look at.")] = None,
    to_height: Annotated[int | None, typer.Option("--to-height", min=0, help="Highest block to look at.")] = None,
    folder: FolderOption = None,
    node: NodeOption = None,
    token_file: TokenOption = None,
) -> None:
    """List what blocks wrote at a record's key, newest first, as far back as the node keeps blocks whole."""
    with Connection(folder, node, token_file).open() as client:
        rows = list(client.record_versions(contract, table_name, parse_key(key), from_height=from_height, to_height=to_height, limit=limit))
    shown = [[row["height"], utc(row["time_ms"]), "removed" if row["fields"] is None else row["fields"]] for row in rows]
    output.result(rows, table(["height", "time", "fields"], shown))


@app.command()
def records(  # noqa: PLR0913, PLR0917  # one for each option
    contract: ContractArgument,
    table_name: TableArgument,
    prefix: Annotated[list[str] | None, typer.Argument(help=f"First components of the keys. {_KEY_HELP}")] = None,
    by: Annotated[str, typer.Option("--by", help="Fields of an index, such as carrier,status, to list in its order.")] = "",
    start: Annotated[list[str] | None, typer.Option("--start", help=f"Begin with this key or row. {_BOUND_HELP}")] = None,
    end: Annotated[list[str] | None, typer.Option("--end", help=f"Stop before this key or row. {_BOUND_HELP}")] = None,
    limit: LimitOption = 100,
    cursor: Annotated[str | None, typer.Option("--cursor", help="`next` of an earlier list, to go on where it ended.")] = None,
    folder: FolderOption = None,
    node: NodeOption = None,
    token_file: TokenOption = None,
    *,
    reverse: Annotated[bool, typer.Option("--reverse", help="Last key first.")] = False,
) -> None:
    """List the records of a table in the order of their keys or of an index.

    A row of an index is the indexed fields and then the primary key; of a uniqueness constraint the fields alone.
    """
    first, low, high = (parse_key(items or []) for items in (prefix, start, end))
    rows: list[dict[str, Any]] = []
    with Connection(folder, node, token_file).open() as client:
        while len(rows) < limit:
            size = min(limit - len(rows), PAGE_ROWS_MAX)
            page = client.record_page(contract, table_name, first, by=by, start=low, end=high, limit=size, reverse=reverse, cursor=cursor)
            rows += page["items"]
            cursor = page["next"]
            if cursor is None:
                break
    lines = table(["key", "fields"], [[row["key"], row["fields"]] for row in rows])
    more = "" if cursor is None else f"\nthere are more: --cursor {cursor}"
    output.result({"items": rows, "next": cursor}, lines + more)


@app.command()
def events(  # noqa: PLR0913, PLR0917  # one for each option
    contract: Annotated[str | None, typer.Argument(help="Events of this contract only.")] = None,
    event: Annotated[str | None, typer.Argument(help="Events of this class only.")] = None,
    where: Annotated[
        list[str] | None, typer.Option("--where", help="NAME=VALUE: a field's value, an integer as int:5. Give it again for more fields.")
    ] = None,
    from_height: Annotated[int | None, typer.Option("--from-height", min=0, help="First block to look at.")] = None,
    after: Annotated[str | None, typer.Option("--after", help="Begin after the event with this id.")] = None,
    limit: LimitOption = 100,
    folder: FolderOption = None,
    node: NodeOption = None,
    token_file: TokenOption = None,
    *,
    follow: Annotated[bool, typer.Option("--follow", help="Go on with events to come, one line each, until interrupted.")] = False,
) -> None:
    """List events in the order of the ledger, or follow them."""
    conditions = dict(parse_condition(text) for text in where or [])
    with Connection(folder, node, token_file).open() as client:
        if follow:
            for row in client.follow(contract, event, conditions, from_height=from_height, after=after):
                output.line(row, _event_line(row))
            return
        rows = list(client.events(contract, event, conditions, from_height=from_height or 0, after=after, limit=limit))
    columns = ["id", "time_ms", "contract", "name", "fields"]
    output.result(rows, table(columns, [[row[column] for column in columns] for row in rows]))


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
def blocks(
    limit: LimitOption = 20,
    from_height: Annotated[int, typer.Option("--from-height", min=0, help="Lowest block to show.")] = 0,
    to_height: Annotated[int | None, typer.Option("--to-height", min=0, help="Highest block to show.")] = None,
    folder: FolderOption = None,
    node: NodeOption = None,
    token_file: TokenOption = None,
) -> None:
    """List the last blocks, newest first."""
    with Connection(folder, node, token_file).open() as client:
        rows = list(client.blocks(limit, from_height=from_height, to_height=to_height))
    output.result(rows, table(["height", "time_ms", "hash"], [[row["height"], row["time_ms"], row["hash"]] for row in rows]))


def _event_line(row: dict[str, Any]) -> str:
    return f"{row['id']}  {utc(row['time_ms'])}  {row['contract']}.{row['name']}  {json.dumps(row['fields'], ensure_ascii=False)}"
