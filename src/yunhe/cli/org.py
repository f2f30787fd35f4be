"""`yunhe org`: organisations, members and keys, and the votes by which organisations come and go."""

from pathlib import Path
from typing import Annotated, Any

import typer

from yunhe.cli.connection import Connection, FolderOption, KeyOption, NodeOption, PassphraseOption, TokenOption
from yunhe.cli.output import output, table
from yunhe.cli.proposal import proposal_fields
from yunhe.cli.tx import GasOption, show_submitted, submit_call
from yunhe.crypto import suite_names
from yunhe.ledger.codec import Value
from yunhe.sdk import Call, Member, read_key_file

app = typer.Typer(name="org", help="Organisations, members, keys and votes.", no_args_is_help=True)

_GAS_LIMIT = 20_000_000

OrganisationArgument = Annotated[str, typer.Argument(help="Organisation.")]
KeyFileArgument = Annotated[Path, typer.Argument(help="Key file; only its public half is used.")]
ProposalArgument = Annotated[int, typer.Argument(min=1, help="Number of the proposal.")]


def _send(connection: Connection, key: KeyOption, passphrase_file: PassphraseOption, call: Call) -> None:
    with connection.open() as client:
        show_submitted(submit_call(client, call, key, passphrase_file, _GAS_LIMIT))


def _send_about_proposal(
    connection: Connection, key: KeyOption, passphrase_file: PassphraseOption, call: Call, gas_limit: int = _GAS_LIMIT
) -> None:
    """Send a proposal, or a vote that names one, and show how the proposal stands after it."""
    with connection.open() as client:
        submitted = submit_call(client, call, key, passphrase_file, gas_limit)
        proposal = call.arguments.get("proposal_id", submitted.results[0])
        output.fields({"transaction": submitted.transaction_id.hex(), "height": submitted.height} | proposal_fields(client, int(proposal)))


@app.command("list")
def list_(folder: FolderOption = None, node: NodeOption = None, token_file: TokenOption = None) -> None:
    """List the organisations."""
    with Connection(folder, node, token_file).open() as client:
        rows = [row["fields"] for row in client.records("registry", "organisations")]
    output.result(rows, table(["organisation", "title", "status"], [[r["organisation"], r["title"], r["status"]] for r in rows]))


@app.command()
def show(organisation: OrganisationArgument, folder: FolderOption = None, node: NodeOption = None, token_file: TokenOption = None) -> None:
    """Show an organisation with its members, their keys, and its nodes."""
    with Connection(folder, node, token_file).open() as client:
        value: dict[str, Any] = {"organisation": organisation} | client.record("registry", "organisations", [organisation])["fields"]
        value["members"] = [row["fields"] for row in client.records("registry", "members", [organisation])]
        value["keys"] = [row["fields"] for row in client.records("registry", "member_keys", [organisation])]
        value["nodes"] = [row["fields"] for row in client.records("registry", "nodes", [organisation])]
    output.fields(value)


@app.command()
def admit(  # one for each option
    admin: Annotated[Path, typer.Argument(help="Key file of the new organisation's first admin; only its public half is used.")],
    title: Annotated[str, typer.Option(help="The organisation's name for people.")] = "",
    key: KeyOption = None,
    passphrase_file: PassphraseOption = None,
    folder: FolderOption = None,
    node: NodeOption = None,
    token_file: TokenOption = None,
) -> None:
    """Propose to admit an organisation; your organisation votes for it by proposing."""
    file = read_key_file(admin)
    arguments: dict[str, Value] = {
        "organisation": file.member.organisation,
        "title": title or file.member.organisation,
        "admin": file.member.member,
        "suite": file.public_key.suite,
        "public_key": file.public_key.raw,
    }
    _send_about_proposal(Connection(folder, node, token_file), key, passphrase_file, Call("governance", "propose_admission", arguments))


@app.command()
def proposals(
    folder: FolderOption = None,
    node: NodeOption = None,
    token_file: TokenOption = None,
    *,
    everything: Annotated[bool, typer.Option("--all", help="Decided ones too.")] = False,
) -> None:
    """List the proposals that are open."""
    with Connection(folder, node, token_file).open() as client:
        rows = [row["fields"] for row in client.records("governance", "proposals", limit=10_000)]
    shown = [row for row in rows if everything or row["status"] == "open"]
    columns = ["number", "operation", "subject", "proposer", "status"]
    lines = [[r["proposal_id"], r["change"]["operation"], r["change"]["subject"], r["proposer"], r["status"]] for r in shown]
    output.result(shown, table(columns, lines))


@app.command()
def vote(  # one for each option
    proposal: ProposalArgument,
    key: KeyOption = None,
    passphrase_file: PassphraseOption = None,
    gas_limit: GasOption = _GAS_LIMIT,
    folder: FolderOption = None,
    node: NodeOption = None,
    token_file: TokenOption = None,
    *,
    against: Annotated[bool, typer.Option("--against", help="Vote against instead of for.")] = False,
) -> None:
    """Vote for a proposal, or against it. The deciding vote makes the change: for an upgrade that builds an index, give it the gas."""
    arguments: dict[str, Value] = {"proposal_id": proposal, "approve": not against}
    _send_about_proposal(Connection(folder, node, token_file), key, passphrase_file, Call("governance", "vote", arguments), gas_limit)


@app.command()
def suite(  # one for each option
    name: Annotated[str, typer.Argument(help=f"Signature suite ({', '.join(suite_names())}).")],
    key: KeyOption = None,
    passphrase_file: PassphraseOption = None,
    folder: FolderOption = None,
    node: NodeOption = None,
    token_file: TokenOption = None,
) -> None:
    """Propose to allow a signature suite; your organisation votes for it by proposing."""
    _send(Connection(folder, node, token_file), key, passphrase_file, Call("governance", "propose_suite", {"suite": name}))


@app.command()
def enrol(  # one for each option
    member_key: KeyFileArgument,
    role: Annotated[list[str] | None, typer.Option("--role", help="Role of the member; give it again for more.")] = None,
    key: KeyOption = None,
    passphrase_file: PassphraseOption = None,
    folder: FolderOption = None,
    node: NodeOption = None,
    token_file: TokenOption = None,
) -> None:
    """Enrol a member of your organisation with its first key."""
    file = read_key_file(member_key)
    roles: list[Value] = [*sorted(set(role or []))]
    arguments: dict[str, Value] = {
        "member": file.member.member,
        "roles": roles,
        "suite": file.public_key.suite,
        "public_key": file.public_key.raw,
    }
    _send(Connection(folder, node, token_file), key, passphrase_file, Call("registry", "enrol_member", arguments))


@app.command()
def rotate(  # one for each option
    old: Annotated[Path, typer.Argument(help="Key file that is replaced.")],
    new: Annotated[Path, typer.Argument(help="Key file that replaces it, of the same member.")],
    key: KeyOption = None,
    passphrase_file: PassphraseOption = None,
    folder: FolderOption = None,
    node: NodeOption = None,
    token_file: TokenOption = None,
) -> None:
    """Replace a member's key, in one transaction."""
    old_file, new_file = read_key_file(old), read_key_file(new)
    arguments: dict[str, Value] = {
        "member": old_file.member.member,
        "old_public_key": old_file.public_key.raw,
        "suite": new_file.public_key.suite,
        "public_key": new_file.public_key.raw,
    }
    _send(Connection(folder, node, token_file), key, passphrase_file, Call("registry", "rotate_key", arguments))


@app.command()
def revoke(  # one for each option
    member: Annotated[str, typer.Argument(help="Whose key it is: organisation/member.")],
    public_key: Annotated[str, typer.Argument(help="The public key, in hexadecimal digits.")],
    key: KeyOption = None,
    passphrase_file: PassphraseOption = None,
    folder: FolderOption = None,
    node: NodeOption = None,
    token_file: TokenOption = None,
) -> None:
    """Revoke a key; it counts no more from the next transaction on, and for ever."""
    arguments: dict[str, Value] = {"member": Member.parse(member).member, "public_key": parse_hex(public_key)}
    _send(Connection(folder, node, token_file), key, passphrase_file, Call("registry", "revoke_key", arguments))


def parse_hex(text: str) -> bytes:
    """Read hexadecimal digits, with or without 0x.

    Raises:
        typer.BadParameter: they are none.
    """
    try:
        return bytes.fromhex(text.removeprefix("0x"))
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is not hexadecimal") from error
