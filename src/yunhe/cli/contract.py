"""`yunhe contract`: make, check, test, propose and show contracts."""

from pathlib import Path
from typing import Annotated, Any

import typer

from yunhe.cli import interface as interface_command
from yunhe.cli import workbench
from yunhe.cli.arguments import read_contract
from yunhe.cli.connection import Connection, FolderOption, KeyOption, NodeOption, PassphraseOption, TokenOption, open_keys
from yunhe.cli.contract_source import checked_source
from yunhe.cli.output import fields, output, table
from yunhe.cli.proposal import proposal_fields
from yunhe.cli.tx import GasOption
from yunhe.contracts.interface import EntryInterface, Interface, interface_of
from yunhe.errors import UsageError
from yunhe.sdk import Call, Client, MemberKey

app = typer.Typer(name="contract", help="Make, check, test, deploy and show contracts.", no_args_is_help=True)
app.command("new")(workbench.new)
app.command("test", context_settings={"allow_extra_args": True, "ignore_unknown_options": True})(workbench.test)
app.command("run")(workbench.run)
app.command("interface")(interface_command.interface)

_GAS_LIMIT = 50_000_000

FileArgument = Annotated[Path, typer.Argument(help="Contract source.")]
NameArgument = Annotated[str, typer.Argument(help="Name of the contract.")]


@app.command()
def check(file: FileArgument) -> None:
    """Check a contract as deployment does; each finding has rule, line, reason and what to write instead."""
    interface = interface_of(checked_source(file))
    output.result({"file": str(file), "accepted": True, "interface": interface.data()}, f"{file}: accepted\n{_describe(interface)}")


@app.command()
def deploy(  # noqa: PLR0913  # one for each option
    name: NameArgument,
    file: FileArgument,
    key: KeyOption = None,
    passphrase_file: PassphraseOption = None,
    gas_limit: GasOption = _GAS_LIMIT,
    folder: FolderOption = None,
    node: NodeOption = None,
    token_file: TokenOption = None,
    *,
    upgrade: Annotated[bool, typer.Option("--upgrade", help="Replace the code of a contract that is deployed.")] = False,
) -> None:
    """Submit a contract's source and propose to deploy it; your organisation votes for it by proposing."""
    source = checked_source(file)
    with Connection(folder, node, token_file).open() as client:
        signers = open_keys(key, passphrase_file)
        code_hash = _result(client, signers, Call("lifecycle", "submit", {"source": source}), gas_limit)
        action = "propose_upgrade" if upgrade else "propose_deployment"
        digest = bytes.fromhex(str(code_hash)[2:])
        proposal = _result(client, signers, Call("governance", action, {"contract": name, "code_hash": digest}), gas_limit)
        output.fields({"contract": name, "code_hash": code_hash} | proposal_fields(client, int(proposal)))


def _result(client: Client, signers: list[MemberKey], call: Call, gas_limit: int = _GAS_LIMIT) -> Any:  # noqa: ANN401  # the action's
    submitted = client.submit(client.build(signers, [call], gas_limit=gas_limit))
    return client.require_ok(submitted, call.contract, call.action).results[0]


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
        proposal = _result(client, signers, call)
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
        if entries:
            lines.append(f"{title}:")
            lines += [f"  {_signature(entry)}" + (f"  {entry.summary}" if entry.summary else "") for entry in entries.values()]
    if interface.tables:
        lines.append("tables:")
        for found in interface.tables.values():
            lines.append(f"  {found.name}: {found.record} by {', '.join(found.key)}")
            lines += [f"    {'unique' if index.unique else 'index'} {index.name} by {', '.join(index.by)}" for index in found.indexes]
    if interface.logs:
        lines.append("logs:")
        lines += [f"  {log.name}: {log.record} by {', '.join(map(_type, log.key))}" for log in interface.logs.values()]
    if interface.refusals:
        lines.append("refuses with: " + ", ".join(interface.refusals))
    return "\n".join(lines)


def _signature(entry: EntryInterface) -> str:
    parameters = [
        f"{parameter.name}: {_type(parameter.type)}" + ("" if parameter.default is None else f" = {parameter.default}")
        for parameter in entry.parameters
    ]
    return f"{entry.name}({', '.join(parameters)}) -> {_type(entry.result)}"


def _type(kind: object) -> str:
    match kind:
        case {"optional": inner}:
            return f"{_type(inner)} | None"
        case {"list": inner}:
            return f"list[{_type(inner)}]"
        case {"dict": [key, value]}:
            return f"dict[{_type(key)}, {_type(value)}]"
        case {"choice": name} | {"record": name}:
            return str(name)
    return str(kind)
