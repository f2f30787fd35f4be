"""`yunhe org`: organisations, members and keys, and the votes by which the organisations decide (`yunhe.cli.votes`)."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from yunhe.cli import skip, votes
from yunhe.cli.connection import Connection, FolderOption, KeyOption, NodeOption, PassphraseOption, TokenOption, open_keys
from yunhe.cli.hexadecimal import from_hex
from yunhe.cli.output import fields, output, table
from yunhe.cli.proposal import ORGANISATIONS_MAX
from yunhe.cli.tx import show_submitted
from yunhe.errors import RecordNotFoundError, UsageError
from yunhe.ledger.codec import Value
from yunhe.node.folder import REQUEST_FILE
from yunhe.node.joining import JoinRequest
from yunhe.node.next_keys import ROTATION_FILE
from yunhe.sdk import Call, Client, KeyFile, Member, read_key_file

app = typer.Typer(name="org", help="Organisations, members, keys and votes.", no_args_is_help=True)

_GAS_LIMIT: Final = 20_000_000
_VOTES: Final = "Votes"

OrganisationArgument = Annotated[str, typer.Argument(help="Organisation.")]
KeyFileArgument = Annotated[Path, typer.Argument(help="Key file; only its public half is used.")]
MemberArgument = Annotated[str, typer.Argument(help="Who it is about: organisation/member.")]
RoleOption = Annotated[list[str] | None, typer.Option("--role", help="Role of the member; give it again for more.")]


def _send(
    connection: Connection, key: KeyOption, passphrase_file: PassphraseOption, owner: Member, action: str, arguments: dict[str, Value]
) -> None:
    """Call the registry about a member or node, and show the receipt.

    Raises:
        UsageError: the signer is of another organisation.
        TransactionRefusedError: the registry refused.
    """
    with connection.open() as client:
        signers = open_keys(key, passphrase_file)
        sender = signers[0].member.organisation
        # The registry has no argument for it: what is not the sender's own would be done to what has the same name there.
        if owner.organisation != sender:
            raise UsageError(f"{owner} is not of {sender}, which signs; an organisation's own admins decide on its members, nodes and keys")
        transaction = client.build(signers, [Call("registry", action, arguments)], gas_limit=_GAS_LIMIT)
        show_submitted(client.require_ok(client.submit(transaction), "registry", action))


@app.command("list")
def list_(folder: FolderOption = None, node: NodeOption = None, token_file: TokenOption = None) -> None:
    """List the organisations."""
    with Connection(folder, node, token_file).open() as client:
        rows = [row["fields"] for row in client.records("registry", "organisations", limit=ORGANISATIONS_MAX)]
    columns = ["organisation", "title", "status"]
    output.result(rows, table(columns, [[row[column] for column in columns] for row in rows]))


@app.command()
def show(organisation: OrganisationArgument, folder: FolderOption = None, node: NodeOption = None, token_file: TokenOption = None) -> None:
    """Show an organisation with its members, their keys, and its nodes."""
    with Connection(folder, node, token_file).open() as client:
        value: dict[str, Any] = {"organisation": organisation} | _organisation(client, organisation)
        for name, table_name in (("members", "members"), ("keys", "member_keys"), ("nodes", "nodes")):
            value[name] = [row["fields"] for row in client.records("registry", table_name, [organisation], limit=10_000)]
    shown = value | {
        "members": _columns(value["members"], ("member", "roles", "status")),
        "keys": _columns(value["keys"], ("member", "public_key", "suite", "status", "since_height", "revoked_height")),
        "nodes": _columns(value["nodes"], ("node", "public_key", "suite", "status")),
    }
    output.result(value, fields(shown))


def _organisation(client: Client, organisation: str) -> dict[str, Any]:
    try:
        return dict(client.record("registry", "organisations", [organisation])["fields"])
    except RecordNotFoundError as error:
        raise RecordNotFoundError(f"there is no organisation {organisation}; `yunhe org list` shows those that are enrolled") from error


def _columns(rows: Iterable[Mapping[str, Any]], columns: Sequence[str]) -> list[dict[str, Any]]:
    """Return rows for people: in the order of the columns, with nothing where there is nothing."""
    return [{column: "" if row[column] in (None, []) else row[column] for column in columns} for row in rows]


@app.command()
def enrol(  # one for each option
    member_key: KeyFileArgument,
    role: RoleOption = None,
    key: KeyOption = None,
    passphrase_file: PassphraseOption = None,
    folder: FolderOption = None,
    node: NodeOption = None,
    token_file: TokenOption = None,
) -> None:
    """Enrol a member of your organisation with its first key."""
    file = read_key_file(member_key)
    arguments = _member_key(file) | {"roles": _roles(role)}
    _send(Connection(folder, node, token_file), key, passphrase_file, file.member, "enrol_member", arguments)


@app.command("member")
def member_(  # noqa: PLR0913  # one for each option
    member: MemberArgument,
    role: RoleOption = None,
    key: KeyOption = None,
    passphrase_file: PassphraseOption = None,
    folder: FolderOption = None,
    node: NodeOption = None,
    token_file: TokenOption = None,
    *,
    no_roles: Annotated[bool, typer.Option("--no-roles", help="Take all roles away.")] = False,
    suspend: Annotated[bool, typer.Option("--suspend", help="Let the member act no more.")] = False,
    restore: Annotated[bool, typer.Option("--restore", help="Let a suspended member act again.")] = False,
) -> None:
    """Set the roles of a member of your organisation, suspend or restore it; what is left out stays."""
    if (role and no_roles) or (suspend and restore) or not (role or no_roles or suspend or restore):
        raise UsageError("say what to change: --role ROLE or --no-roles, --suspend or --restore")
    owner = Member.parse(member)
    connection = Connection(folder, node, token_file)
    with connection.open() as client:
        now = client.record("registry", "members", [owner.organisation, owner.member])["fields"]
    status = "suspended" if suspend else "active" if restore else now["status"]
    roles = _roles(role) if role or no_roles else now["roles"]
    _send(connection, key, passphrase_file, owner, "set_member", {"member": owner.member, "roles": roles, "status": status})


@app.command("add-key")
def add_key(  # one for each option
    member_key: KeyFileArgument,
    key: KeyOption = None,
    passphrase_file: PassphraseOption = None,
    folder: FolderOption = None,
    node: NodeOption = None,
    token_file: TokenOption = None,
) -> None:
    """Give a member one key more; those that it has stay."""
    file = read_key_file(member_key)
    _send(Connection(folder, node, token_file), key, passphrase_file, file.member, "add_key", _member_key(file))


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
    if old_file.member != new_file.member:
        raise UsageError(
            f"{old} is a key of {old_file.member}, {new} one of {new_file.member}; a key is replaced by one of the same member"
        )
    arguments = _member_key(new_file) | {"old_public_key": old_file.public_key.raw}
    _send(Connection(folder, node, token_file), key, passphrase_file, old_file.member, "rotate_key", arguments)


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
    owner = Member.parse(member)
    arguments: dict[str, Value] = {"member": owner.member, "public_key": _parse_hex(public_key)}
    _send(Connection(folder, node, token_file), key, passphrase_file, owner, "revoke_key", arguments)


@app.command("node")
def node_(  # one for each option
    name: Annotated[str, typer.Argument(help="Which node: organisation/node.")],
    key_file: KeyFileArgument,
    key: KeyOption = None,
    passphrase_file: PassphraseOption = None,
    folder: FolderOption = None,
    node: NodeOption = None,
    token_file: TokenOption = None,
) -> None:
    """Give a node of your organisation another key for its envelopes; it seals nothing more until it has the file."""
    owner, public_key = Member.parse(name), read_key_file(key_file).public_key
    arguments: dict[str, Value] = {"node": owner.member, "suite": public_key.suite, "public_key": public_key.raw, "status": "active"}
    _send(Connection(folder, node, token_file), key, passphrase_file, owner, "set_node", arguments)


@app.command("enrol-node")
def enrol_node(  # one for each option
    request: Annotated[Path, typer.Argument(help=f"The {REQUEST_FILE} of a node of your organisation that is to join.")],
    key: KeyOption = None,
    passphrase_file: PassphraseOption = None,
    folder: FolderOption = None,
    node: NodeOption = None,
    token_file: TokenOption = None,
) -> None:
    """Enrol a node of your organisation, so that the others take what it hands in."""
    owner, arguments = _node_key(request)
    _send(Connection(folder, node, token_file), key, passphrase_file, owner, "enrol_node", arguments)


@app.command("renew-node")
def renew_node(  # one for each option
    request: Annotated[Path, typer.Argument(help=f"The {ROTATION_FILE} that `yunhe node new-keys` wrote.")],
    key: KeyOption = None,
    passphrase_file: PassphraseOption = None,
    folder: FolderOption = None,
    node: NodeOption = None,
    token_file: TokenOption = None,
) -> None:
    """Let a node of your organisation seal its envelopes with its next key; the running node changes to it at once."""
    owner, arguments = _node_key(request)
    _send(Connection(folder, node, token_file), key, passphrase_file, owner, "set_node", arguments | {"status": "active"})


def _member_key(file: KeyFile) -> dict[str, Value]:
    return {"member": file.member.member, "suite": file.public_key.suite, "public_key": file.public_key.raw}


def _node_key(request: Path) -> tuple[Member, dict[str, Value]]:
    """Return the node that asks in a request, and its key as the registry wants it."""
    asked = JoinRequest.read(request).node
    return Member(asked.organisation, asked.node), {"node": asked.node, "suite": asked.suite, "public_key": asked.public_key}


def _roles(roles: list[str] | None) -> list[Value]:
    """Return roles as the registry wants them."""
    return [*sorted(set(roles or []))]


def _parse_hex(text: str) -> bytes:
    """Read hexadecimal digits, with or without 0x.

    Raises:
        UsageError: they are none.
    """
    try:
        return from_hex(text)
    except ValueError as error:
        raise UsageError(f"{text!r} is not hexadecimal; `yunhe org show ORGANISATION` lists the public keys") from error


for _command in (
    votes.proposals,
    votes.proposal,
    votes.vote,
    votes.recount,
    votes.withdraw,
    votes.rules,
    votes.admit,
    votes.suspend,
    votes.restore,
    votes.parameter,
    votes.suite,
    votes.certifier,
    votes.validator,
    votes.power,
    votes.protocol,
):
    app.command(rich_help_panel=_VOTES)(_command)
app.command("sign-skip", rich_help_panel=_VOTES)(skip.sign_skip)
app.command("skip-order", rich_help_panel=_VOTES)(skip.fetch_order)
app.command("call-off-protocol", rich_help_panel=_VOTES)(votes.call_off_protocol)
app.command("remove-certifier", rich_help_panel=_VOTES)(votes.remove_certifier)
