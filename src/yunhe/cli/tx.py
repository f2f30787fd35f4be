"""`yunhe tx`: call actions of contracts, and see what became of transactions."""

import json
from collections.abc import Mapping
from typing import Annotated, Any, Final

import typer

from yunhe.cli.arguments import parse_arguments
from yunhe.cli.connection import Connection, FolderOption, KeyOption, NodeOption, PassphraseOption, Retries, TokenOption, open_keys, trusted
from yunhe.cli.on_demand import on_demand
from yunhe.cli.output import fields, output
from yunhe.errors import MalformedError
from yunhe.sdk import Call, Client, Submitted

_PLACES: Final = {"simulate": "yunhe.cli.simulate:simulate", "replay": "yunhe.cli.replay:replay"}

app = typer.Typer(name="tx", cls=on_demand(_PLACES), help="Call contracts and look up transactions.", no_args_is_help=True)

TransactionArgument = Annotated[str, typer.Argument(help="Transaction id, 64 hexadecimal digits.")]


def transaction_id(text: str) -> bytes:
    """Read a transaction id.

    Raises:
        MalformedError: it is something else.
    """
    try:
        value = bytes.fromhex(text)
    except ValueError:
        value = b""
    if len(value) != 32:  # said in the message
        raise MalformedError("a transaction id is 64 hexadecimal digits")
    return value


def show_submitted(submitted: Submitted) -> None:
    """Print what became of a transaction."""
    value: dict[str, Any] = {
        "transaction": submitted.transaction_id.hex(),
        "status": submitted.status,
        "code": submitted.code,
        "height": submitted.height,
        "results": submitted.results,
    }
    if submitted.receipt is not None:
        value["gas_used"] = submitted.receipt["gas_used"]
        value["events"] = submitted.receipt["events"]
    shown = value | {"results": [_shown(result) for result in submitted.results if result is not None]}
    shown["events"] = [_event(event) for event in value.get("events", [])]
    output.result(value, fields(shown))


def _event(event: Mapping[str, Any]) -> str:
    """Return an event in one line."""
    told = " ".join(f"{name}={_shown(item)}" for name, item in event["fields"].items())
    return f"{event['contract']}.{event['name']} {told}".rstrip()


def _shown(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def submit_call(
    client: Client, call: Call, keys: KeyOption, passphrase_file: PassphraseOption, gas_limit: int, relay: str | None = None
) -> Submitted:
    """Sign one call, submit it and wait; with `relay` it is handed to the node at that address, without a token.

    Raises:
        TransactionRefusedError: the receipt is not `OK`.
    """
    transaction = client.build(open_keys(keys, passphrase_file), [call], gas_limit=gas_limit)
    if relay is None:
        return client.require_ok(client.submit(transaction), call.contract, call.action)
    with Client(relay, on_retry=Retries(), tls=trusted()) as other:
        return client.require_ok(other.relay(transaction), call.contract, call.action)


RelayOption = Annotated[
    str | None,
    typer.Option(
        "--relay", help="Hand it to the node at this address instead, without a token, as any member may; your own node says the types."
    ),
]
GasOption = Annotated[int, typer.Option("--gas-limit", min=1, help="Bound of work and memory.")]


@app.command("call")
def call_(  # noqa: PLR0913, PLR0917  # one for each option
    contract: Annotated[str, typer.Argument(help="Contract.")],
    action: Annotated[str, typer.Argument(help="Action.")],
    arguments: Annotated[list[str] | None, typer.Argument(help="Arguments, NAME=VALUE each; see `yunhe contract show`.")] = None,
    key: KeyOption = None,
    passphrase_file: PassphraseOption = None,
    gas_limit: GasOption = 20_000_000,
    relay: RelayOption = None,
    folder: FolderOption = None,
    node: NodeOption = None,
    token_file: TokenOption = None,
) -> None:
    """Sign a call of an action, submit it, and wait for its receipt."""
    with Connection(folder, node, token_file).open() as client:
        values = parse_arguments(client, contract, action, arguments or [], view=False)
        show_submitted(submit_call(client, Call(contract, action, values), key, passphrase_file, gas_limit, relay))


@app.command()
def show(transaction: TransactionArgument, folder: FolderOption = None, node: NodeOption = None, token_file: TokenOption = None) -> None:
    """Show a transaction as it was signed, and its place in the ledger."""
    with Connection(folder, node, token_file).open() as client:
        output.fields(client.transaction(transaction_id(transaction)))


@app.command()
def receipt(transaction: TransactionArgument, folder: FolderOption = None, node: NodeOption = None, token_file: TokenOption = None) -> None:
    """Show what a transaction did."""
    with Connection(folder, node, token_file).open() as client:
        output.fields(client.receipt(transaction_id(transaction)))
