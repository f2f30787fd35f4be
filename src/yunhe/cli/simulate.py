"""`yunhe tx simulate`: try a call out on the last block, without signing or committing anything."""

from pathlib import Path
from typing import Annotated, Any

import typer

from yunhe.cli.arguments import parse_arguments
from yunhe.cli.changes import changes_text, shown
from yunhe.cli.connection import KEY_VARIABLE, Connection, FolderOption, NodeOption, TokenOption
from yunhe.cli.output import EXIT_REFUSED, fields, output
from yunhe.cli.tx import GasOption
from yunhe.errors import UsageError
from yunhe.ledger.changes import RowChange
from yunhe.ledger.receipt import OK
from yunhe.sdk import Call, Member, read_key_file

_KEY_HELP = "Key file of a member who would sign; only its name is used."


def simulate(  # noqa: PLR0913, PLR0917  # one for each option
    contract: Annotated[str, typer.Argument(help="Contract.")],
    action: Annotated[str, typer.Argument(help="Action.")],
    arguments: Annotated[list[str] | None, typer.Argument(help="Arguments, NAME=VALUE each; see `yunhe contract show`.")] = None,
    member: Annotated[
        list[str] | None, typer.Option("--as", metavar="MEMBER", help="Who would sign, ORGANISATION/MEMBER; the first is the sender.")
    ] = None,
    key: Annotated[list[Path] | None, typer.Option("--key", envvar=KEY_VARIABLE, help=_KEY_HELP)] = None,
    gas_limit: GasOption = 20_000_000,
    folder: FolderOption = None,
    node: NodeOption = None,
    token_file: TokenOption = None,
) -> None:
    """Show what a call would do in the next block; nothing is signed, and nothing stays.

    Ends with exit code 1 if the call would be refused or fail; its code is shown all the same.
    """
    signers = [Member.parse(text) for text in member or []] or [read_key_file(path).member for path in key or []]
    if not signers:
        raise UsageError(f"say who would sign: --as ORGANISATION/MEMBER, or a key file by --key (or {KEY_VARIABLE})")
    with Connection(folder, node, token_file).open() as client:
        values = parse_arguments(client, contract, action, arguments or [], view=False)
        simulated = client.simulate(signers, [Call(contract, action, values)], gas_limit=gas_limit)
    output.result(simulated, _text(simulated, gas_limit))
    if simulated["code"] != OK:
        raise typer.Exit(EXIT_REFUSED)


def _text(simulated: dict[str, Any], gas_limit: int) -> str:
    head = {
        "height": simulated["height"],
        "code": simulated["code"],
        "fault": simulated["fault"],
        "gas": f"{simulated['gas_used']} of {gas_limit}",
        "results": [shown(result) for result in simulated["results"]],
        "events": [f"{event['contract']}.{event['name']} {shown(event['fields'])}" for event in simulated["events"]],
    }
    changes = [
        RowChange(change["contract"], change["table"], tuple(change["key"]), change["before"], change["after"])
        for change in simulated["changes"]
    ]
    return f"{fields({name: item for name, item in head.items() if item != ''})}\nwould change:\n{changes_text(changes)}"
