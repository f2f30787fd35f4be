"""`yunhe contract`: make, check, test, propose and show contracts."""

from typing import Annotated, Final

import typer

from yunhe.cli import workbench
from yunhe.cli.arguments import read_contract
from yunhe.cli.connection import Connection, FolderOption, KeyOption, NodeOption, PassphraseOption, TokenOption, open_keys
from yunhe.cli.contract_change import entry_text
from yunhe.cli.contract_source import checked_source
from yunhe.cli.contract_votes import FileArgument, NameArgument, submit_for_result
from yunhe.cli.on_demand import on_demand
from yunhe.cli.output import fields, output, table
from yunhe.cli.proposal import proposal_fields
from yunhe.contracts.interface import Field, Interface, interface_of, type_text
from yunhe.errors import UsageError
from yunhe.sdk import Call

_PLACES: Final = {
    "interface": "yunhe.cli.interface:interface",
    "deploy": "yunhe.cli.contract_votes:deploy",
    "upgrade": "yunhe.cli.contract_votes:upgrade",
    "review": "yunhe.cli.contract_votes:review",
    "profile": "yunhe.cli.profile:profile",
}

app = typer.Typer(
    name="contract", cls=on_demand(_PLACES), help="Make, check, test, deploy, upgrade and show contracts.", no_args_is_help=True
)
app.command("new")(workbench.new)
app.command("test", context_settings={"allow_extra_args": True, "ignore_unknown_options": True})(workbench.test)
app.command("run")(workbench.run)


@app.command()
def check(file: FileArgument) -> None:
    """Check a contract as deployment does; each finding has rule, line, reason and what to write instead."""
    interface = interface_of(checked_source(file))
    output.result({"file": str(file), "accepted": True, "interface": interface.data()}, f"{file}: accepted\n{_describe(interface)}")


@app.command()
def status(  # one for each option
    name: NameArgument,
    operation: Annotated[str, typer.Argument(help="freeze, unfreeze or retire.")],
    key: KeyOption = None,
    passphrase_file: PassphraseOption = None,
    folder: FolderOption = None,
    node: NodeOption = None,
    token_file: TokenOption = None,
) -> None:
    """Propose to freeze, unfreeze or retire a contract."""
    if operation not in ("freeze", "unfreeze", "retire"):
        raise UsageError(f"the operation is freeze, unfreeze or retire, not {operation!r}")
    with Connection(folder, node, token_file).open() as client:
        signers = open_keys(key, passphrase_file)
        call = Call("governance", "propose_contract_status", {"contract": name, "operation": operation})
        proposal = submit_for_result(client, signers, call)
        output.fields({"contract": name, "operation": operation} | proposal_fields(client, int(proposal)))


@app.command("list")
def list_(folder: FolderOption = None, node: NodeOption = None, token_file: TokenOption = None) -> None:
    """List the contracts."""
    with Connection(folder, node, token_file).open() as client:
        rows = [row["fields"] for row in client.records("lifecycle", "contracts")]
    columns = ["name", "status", "version", "system", "code_hash"]
    output.result(rows, table(columns, [[row[column] for column in columns] for row in rows]))


@app.command()
def show(
    name: NameArgument,
    folder: FolderOption = None,
    node: NodeOption = None,
    token_file: TokenOption = None,
    *,
    source: Annotated[bool, typer.Option("--source", help="Print the source instead.")] = False,
) -> None:
    """Show a deployed contract: its state, its history, and what can be called with which arguments."""
    with Connection(folder, node, token_file).open() as client:
        contract = read_contract(client, name)
        steps = [row["fields"] for row in client.records("lifecycle", "steps", [name])]
    if source:
        output.result({"name": name, "source": contract.source}, contract.source.rstrip("\n"))
        return
    value = contract.record | {"history": steps, "interface": contract.interface.data()}
    head = fields({name: contract.record[name] for name in ("name", "status", "version", "code_hash")})
    history = "\n".join(f"  height {step['height']}: {step['operation']} version {step['version']}" for step in steps)
    output.result(value, f"{head}\nhistory:\n{history}\n{_describe(contract.interface)}")


def _describe(interface: Interface) -> str:
    lines = [interface.summary] if interface.summary else []
    for title, entries in (("actions", interface.actions), ("views", interface.views)):
        texts = [entry_text(entry) + (f"  {entry.summary}" if entry.summary else "") for entry in entries.values()]
        lines += _titled(title, texts)
    lines += _state(interface)
    lines += _titled("events", [f"{name}({_fields(of)})" for name, of in interface.events.items()])
    if interface.migration is not None:
        lines.append("migration: migrate runs with the vote that upgrades to this source")
    if interface.refusals:
        lines.append("refuses with: " + ", ".join(interface.refusals))
    return "\n".join(lines)


def _state(interface: Interface) -> list[str]:
    """Return what a contract stores."""
    tables = []
    for found in interface.tables.values():
        tables.append(f"{found.name}: {found.record} by {', '.join(found.key)}")
        tables += [f"  {'unique' if index.unique else 'index'} {index.name} by {', '.join(index.by)}" for index in found.indexes]
    logs = [f"{log.name}: {log.record} by {', '.join(map(type_text, log.key))}" for log in interface.logs.values()]
    maps = [f"{found.name}: {type_text(found.value)} by {', '.join(map(type_text, found.key))}" for found in interface.maps.values()]
    return _titled("tables", tables) + _titled("logs", logs) + _titled("maps", maps)


def _titled(title: str, texts: list[str]) -> list[str]:
    return [f"{title}:", *(f"  {text}" for text in texts)] if texts else []


def _fields(of: tuple[Field, ...]) -> str:
    return ", ".join(f"{field.name}: {type_text(field.type)}" for field in of)
