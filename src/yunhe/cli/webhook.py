"""`yunhe webhook`: have a node post events to an address, and see to what could not be delivered."""

from enum import StrEnum
from typing import Annotated

import typer

from yunhe.cli.arguments import parse_condition
from yunhe.cli.connection import Connection, FolderOption, NodeOption, TokenOption
from yunhe.cli.output import output, table, utc

app = typer.Typer(name="webhook", help="Post events to an address, as CloudEvents.", no_args_is_help=True)


class State(StrEnum):
    """How a webhook can be."""

    RUNNING = "running"
    FAILING = "failing"
    HALTED = "halted"


LimitOption = Annotated[int, typer.Option("--limit", min=1, max=100_000, help="Rows at most.")]
WebhookArgument = Annotated[str, typer.Argument(help="Identifier of the webhook; see `yunhe webhook list`.")]


@app.command()
def add(  # one for each option
    url: Annotated[str, typer.Argument(help="https address that events are posted to.")],
    contract: Annotated[str | None, typer.Option("--contract", help="Events of this contract only.")] = None,
    event: Annotated[str | None, typer.Option("--event", help="Events of this class only.")] = None,
    where: Annotated[
        list[str] | None, typer.Option("--where", help="NAME=VALUE: a field's value, an integer as int:5. Give it again for more fields.")
    ] = None,
    from_height: Annotated[int | None, typer.Option("--from-height", min=0, help="First block to look at; else the next one.")] = None,
    folder: FolderOption = None,
    node: NodeOption = None,
    token_file: TokenOption = None,
) -> None:
    """Register a webhook and show its secret, with which the receiver verifies the signatures. It is shown only now."""
    conditions = dict(parse_condition(text) for text in where or [])
    with Connection(folder, node, token_file).open() as client:
        added = client.webhooks.add(url, contract, event, conditions, from_height=from_height)
    output.fields({name: added[name] for name in ("id", "url", "contract", "event", "where", "secret")})


@app.command("list")
def list_(
    contract: Annotated[str | None, typer.Option("--contract", help="Those with events of this contract only.")] = None,
    state: Annotated[State | None, typer.Option("--state", help="Those in this state only.")] = None,
    folder: FolderOption = None,
    node: NodeOption = None,
    token_file: TokenOption = None,
) -> None:
    """List the webhooks and how each is."""
    with Connection(folder, node, token_file).open() as client:
        rows = client.webhooks.all(contract, None if state is None else state.value)
    columns = ["id", "url", "contract", "event", "where", "reached", "state", "dead_letters", "reason"]
    output.result(rows, table(columns, [["" if row[column] is None else row[column] for column in columns] for row in rows]))


@app.command()
def remove(webhook: WebhookArgument, folder: FolderOption = None, node: NodeOption = None, token_file: TokenOption = None) -> None:
    """Remove a webhook with its dead letters."""
    with Connection(folder, node, token_file).open() as client:
        client.webhooks.remove(webhook)
    output.result({"removed": webhook}, f"removed {webhook}")


@app.command()
def dead(
    webhook: WebhookArgument,
    limit: LimitOption = 1000,
    folder: FolderOption = None,
    node: NodeOption = None,
    token_file: TokenOption = None,
    *,
    again: Annotated[
        bool | None, typer.Option("--again/--not-again", help="Those that wait to be tried again, or those that do not.")
    ] = None,
) -> None:
    """List the events that could not be delivered."""
    with Connection(folder, node, token_file).open() as client:
        rows = list(client.webhooks.dead_letters(webhook, again=again, limit=limit))
    output.result(rows, table(["event", "tried", "reason"], [[row["event"], utc(row["time_ms"]), row["reason"]] for row in rows]))


@app.command()
def retry(webhook: WebhookArgument, folder: FolderOption = None, node: NodeOption = None, token_file: TokenOption = None) -> None:
    """Try the events that could not be delivered once more, and set a halted webhook going."""
    with Connection(folder, node, token_file).open() as client:
        count = client.webhooks.try_again(webhook)
    output.result({"count": count}, f"{count} to be tried again")
