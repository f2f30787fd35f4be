"""`yunhe org`, the part about votes: what can be proposed, how proposals stand, and the rules that are voted on."""

from pathlib import Path
from typing import Annotated, Any, Final

import typer

from yunhe.cli.connection import Connection, FolderOption, KeyOption, NodeOption, PassphraseOption, TokenOption, open_keys
from yunhe.cli.hexadecimal import from_hex
from yunhe.cli.output import fields, output, table
from yunhe.cli.proposal import RULES, change_fields, highest_gas, proposal_fields, read_proposal
from yunhe.crypto import suite_names
from yunhe.crypto.hashes import TAG_CODE
from yunhe.errors import RecordNotFoundError, UsageError
from yunhe.ledger import protocol as protocols
from yunhe.ledger.codec import Value
from yunhe.ledger.layouts import DEFAULT_PARAMETERS, PARAMETER_BOUNDS, SYSTEM_CONTRACTS
from yunhe.limits import CERTIFIERS_MAX
from yunhe.node.folder import REQUEST_FILE
from yunhe.node.joining import JoinRequest
from yunhe.sdk import Call, read_key_file

_FIRST_PROTOCOL: Final = {"version": protocols.FIRST.version, "height": protocols.FIRST.height, "release": protocols.FIRST.release}
_PROPOSALS_MAX: Final = 10_000
_GAS_HELP: Final = "Bound of work and memory; the ledger's highest when left out, which the deciding vote for an upgrade may need."

ProposalArgument = Annotated[int, typer.Argument(min=1, help="Number of the proposal.")]
OrganisationArgument = Annotated[str, typer.Argument(help="Organisation.")]


def _send(
    connection: Connection,
    key: KeyOption,
    passphrase_file: PassphraseOption,
    action: str,
    arguments: dict[str, Value],
    gas_limit: int | None = None,
) -> None:
    """Send a proposal, or what names one, and show how the proposal stands after it."""
    with connection.open() as client:
        transaction = client.build(
            open_keys(key, passphrase_file), [Call("governance", action, arguments)], gas_limit=gas_limit or highest_gas(client)
        )
        submitted = client.require_ok(client.submit(transaction), "governance", action)
        number = arguments.get("proposal_id", submitted.results[0])
        sent = {"transaction": submitted.transaction_id.hex(), "height": submitted.height}
        output.fields(sent | proposal_fields(client, int(str(number))))


def proposals(
    folder: FolderOption = None,
    node: NodeOption = None,
    token_file: TokenOption = None,
    *,
    everything: Annotated[bool, typer.Option("--all", help="Decided ones too.")] = False,
) -> None:
    """List the proposals that are open."""
    with Connection(folder, node, token_file).open() as client:
        rows = [row["fields"] for row in client.records("governance", "proposals", limit=_PROPOSALS_MAX)]
    shown = [row for row in rows if everything or row["status"] == "open"]
    columns = ["number", "operation", "subject", "proposer", "status"]
    lines = [[r["proposal_id"], r["change"]["operation"], r["change"]["subject"], r["proposer"], r["status"]] for r in shown]
    output.result(
        shown, table(columns, lines) if shown else "no proposals" if everything else "no open proposals; --all lists the decided ones"
    )


def proposal(
    number: ProposalArgument,
    folder: FolderOption = None,
    node: NodeOption = None,
    token_file: TokenOption = None,
) -> None:
    """Show a proposal: what it would change, and how the votes stand."""
    with Connection(folder, node, token_file).open() as client:
        output.fields(change_fields(read_proposal(client, number)) | proposal_fields(client, number))


def vote(  # one for each option
    number: ProposalArgument,
    key: KeyOption = None,
    passphrase_file: PassphraseOption = None,
    gas_limit: Annotated[int | None, typer.Option("--gas-limit", min=1, help=_GAS_HELP)] = None,
    folder: FolderOption = None,
    node: NodeOption = None,
    token_file: TokenOption = None,
    *,
    against: Annotated[bool, typer.Option("--against", help="Vote against instead of for.")] = False,
) -> None:
    """Vote for a proposal, or against it. The deciding vote makes the change."""
    arguments: dict[str, Value] = {"proposal_id": number, "approve": not against}
    _send(Connection(folder, node, token_file), key, passphrase_file, "vote", arguments, gas_limit)


def recount(  # one for each option
    number: ProposalArgument,
    key: KeyOption = None,
    passphrase_file: PassphraseOption = None,
    folder: FolderOption = None,
    node: NodeOption = None,
    token_file: TokenOption = None,
) -> None:
    """Count an open proposal's votes again, after organisations were admitted or suspended."""
    _send(Connection(folder, node, token_file), key, passphrase_file, "recount", {"proposal_id": number})


def withdraw(  # one for each option
    number: ProposalArgument,
    key: KeyOption = None,
    passphrase_file: PassphraseOption = None,
    folder: FolderOption = None,
    node: NodeOption = None,
    token_file: TokenOption = None,
) -> None:
    """Withdraw an open proposal of your organisation."""
    _send(Connection(folder, node, token_file), key, passphrase_file, "withdraw", {"proposal_id": number})


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
    _send(Connection(folder, node, token_file), key, passphrase_file, "propose_admission", arguments)


def suspend(  # one for each option
    organisation: OrganisationArgument,
    key: KeyOption = None,
    passphrase_file: PassphraseOption = None,
    folder: FolderOption = None,
    node: NodeOption = None,
    token_file: TokenOption = None,
) -> None:
    """Propose to suspend an organisation: its records stay, its members act no more."""
    _send(Connection(folder, node, token_file), key, passphrase_file, "propose_suspension", {"organisation": organisation})


def restore(  # one for each option
    organisation: OrganisationArgument,
    key: KeyOption = None,
    passphrase_file: PassphraseOption = None,
    folder: FolderOption = None,
    node: NodeOption = None,
    token_file: TokenOption = None,
) -> None:
    """Propose to restore a suspended organisation."""
    _send(Connection(folder, node, token_file), key, passphrase_file, "propose_restoration", {"organisation": organisation})


def parameter(  # one for each option
    name: Annotated[str, typer.Argument(help=f"Parameter ({', '.join(DEFAULT_PARAMETERS)}).")],
    value: Annotated[int, typer.Argument(help="Its new value; `yunhe org rules` shows the bounds.")],
    key: KeyOption = None,
    passphrase_file: PassphraseOption = None,
    folder: FolderOption = None,
    node: NodeOption = None,
    token_file: TokenOption = None,
) -> None:
    """Propose another value for a parameter of the ledger."""
    _send(Connection(folder, node, token_file), key, passphrase_file, "propose_parameter", {"name": name, "value": value})


def suite(  # one for each option
    name: Annotated[str, typer.Argument(help=f"Signature suite ({', '.join(suite_names())}).")],
    key: KeyOption = None,
    passphrase_file: PassphraseOption = None,
    folder: FolderOption = None,
    node: NodeOption = None,
    token_file: TokenOption = None,
) -> None:
    """Propose to allow a signature suite."""
    _send(Connection(folder, node, token_file), key, passphrase_file, "propose_suite", {"suite": name})


def certifier(  # one for each option
    organisation: OrganisationArgument,
    key_file: Annotated[Path, typer.Argument(help="Key file of its node's ledger key; only the public half is used.")],
    power: Annotated[int, typer.Option(min=1, help="Weight of its cosignature.")] = 1,
    key: KeyOption = None,
    passphrase_file: PassphraseOption = None,
    folder: FolderOption = None,
    node: NodeOption = None,
    token_file: TokenOption = None,
) -> None:
    """Propose with which key, and what weight, an organisation certifies the ledger; its node needs the key."""
    public_key = read_key_file(key_file).public_key
    arguments: dict[str, Value] = {
        "organisation": organisation,
        "suite": public_key.suite,
        "public_key": public_key.raw,
        "power": power,
    }
    _send(Connection(folder, node, token_file), key, passphrase_file, "propose_certifier", arguments)


def validator(  # one for each option
    request: Annotated[
        Path, typer.Argument(help=f"The {REQUEST_FILE} of the organisation's node, with the keys of its engine and ledger.")
    ],
    power: Annotated[
        int | None, typer.Option(min=1, help="Weight of its votes and of its cosignature; what it has, or 1, when left out.")
    ] = None,
    key: KeyOption = None,
    passphrase_file: PassphraseOption = None,
    folder: FolderOption = None,
    node: NodeOption = None,
    token_file: TokenOption = None,
) -> None:
    """Propose that an organisation's engine votes on blocks, and its ledger key certifies, or that one does so with other keys."""
    asked = JoinRequest.read(request)
    connection = Connection(folder, node, token_file)
    now = _certifier(connection, asked.node.organisation) if power is None else None
    arguments: dict[str, Value] = {
        "organisation": asked.node.organisation,
        "suite": asked.ledger_key.suite,
        "public_key": asked.ledger_key.raw,
        "power": power or (1 if now is None else int(now["power"])),
        "engine_key": asked.validator_key.raw,
    }
    _send(connection, key, passphrase_file, "propose_validator", arguments)


def _certifier(connection: Connection, organisation: str) -> dict[str, Any] | None:
    """Return the record of an organisation that certifies."""
    with connection.open() as client:
        try:
            return dict(client.record("governance", "certifiers", [organisation])["fields"])
        except RecordNotFoundError:
            return None


def power(  # one for each option
    organisation: OrganisationArgument,
    weight: Annotated[int, typer.Argument(min=1, help="Weight of its votes on blocks, if it has some, and of its cosignature.")],
    key: KeyOption = None,
    passphrase_file: PassphraseOption = None,
    folder: FolderOption = None,
    node: NodeOption = None,
    token_file: TokenOption = None,
) -> None:
    """Propose another power for an organisation that certifies; its keys stay."""
    connection = Connection(folder, node, token_file)
    now = _certifier(connection, organisation)
    if now is None:
        raise RecordNotFoundError(f"{organisation} certifies nothing; `yunhe org rules` lists who does")
    arguments: dict[str, Value] = {
        "organisation": organisation,
        "suite": now["suite"],
        "public_key": from_hex(now["public_key"]),
        "power": weight,
    }
    _send(connection, key, passphrase_file, "propose_certifier", arguments)


def remove_certifier(  # one for each option
    organisation: OrganisationArgument,
    key: KeyOption = None,
    passphrase_file: PassphraseOption = None,
    folder: FolderOption = None,
    node: NodeOption = None,
    token_file: TokenOption = None,
) -> None:
    """Propose that an organisation certifies no more, nor votes on blocks; it stays enrolled, and its node goes on following."""
    _send(Connection(folder, node, token_file), key, passphrase_file, "propose_certifier_removal", {"organisation": organisation})


def protocol(  # one for each option
    version: Annotated[int, typer.Argument(min=1, help="The next version of the ledger's rules.")],
    height: Annotated[int, typer.Argument(min=1, help="Its first block.")],
    key: KeyOption = None,
    passphrase_file: PassphraseOption = None,
    folder: FolderOption = None,
    node: NodeOption = None,
    token_file: TokenOption = None,
) -> None:
    """Propose from which block on the next version of the ledger's rules counts; nodes whose release does not know it stop there."""
    found = protocols.RULES.get(version)
    # LED-051: whoever proposes has a release that knows it, and names it to the others.
    if found is None:
        raise UsageError(
            f"this release does not know version {version} of the ledger's rules, but {', '.join(map(str, sorted(protocols.RULES)))}; "
            "propose it with one that does, so that every node has one to change to"
        )
    connection = Connection(folder, node, token_file)
    with connection.open() as client:
        hasher = client.chain_hash
        hashes = {name: from_hex(client.record("lifecycle", "contracts", [name])["fields"]["code_hash"]) for name in SYSTEM_CONTRACTS}
    hashes |= {name: hasher.tagged(TAG_CODE, source.encode()) for name, source in found.system_contracts.items()}
    arguments: dict[str, Value] = {
        "version": version,
        "height": height,
        "release": found.release,
        "contracts_hash": protocols.contracts_hash(hashes, hasher),
    }
    _send(connection, key, passphrase_file, "propose_protocol", arguments)


def call_off_protocol(  # one for each option
    version: Annotated[int, typer.Argument(min=1, help="The version whose first block is still to come.")],
    key: KeyOption = None,
    passphrase_file: PassphraseOption = None,
    folder: FolderOption = None,
    node: NodeOption = None,
    token_file: TokenOption = None,
) -> None:
    """Propose that a version of the ledger's rules does not come, before its first block."""
    _send(Connection(folder, node, token_file), key, passphrase_file, "propose_protocol_call_off", {"version": version})


def rules(folder: FolderOption = None, node: NodeOption = None, token_file: TokenOption = None) -> None:
    """Show the rules that are voted on: parameters, signature suites, thresholds of votes, who certifies, and who votes on blocks."""
    with Connection(folder, node, token_file).open() as client:
        read = {
            name: [row["fields"] for row in client.records("governance", name, limit=CERTIFIERS_MAX)]
            for name in ("parameters", "suites", "thresholds", "certifiers", "validators", "protocols")
        }
    shown = {
        "parameters": [_bounded(str(row["name"]), int(row["value"])) for row in read["parameters"]],
        "suites": [str(row["suite"]) for row in read["suites"]],
        "thresholds": [
            {"to change": row["kind"], "must approve": f"{RULES[row['threshold']]} of the organisations"} for row in read["thresholds"]
        ],
        "certifiers": [{name: row[name] for name in ("organisation", "power", "suite", "public_key")} for row in read["certifiers"]],
        "validators": [{"organisation": row["organisation"], "engine key": row["public_key"]} for row in read["validators"]],
        "protocol": [{name: row[name] for name in ("version", "height", "release")} for row in read["protocols"]] or [_FIRST_PROTOCOL],
    }
    output.result(read, fields(shown))


def _bounded(name: str, value: int) -> dict[str, str | int]:
    lowest, highest = PARAMETER_BOUNDS[name]
    return {"name": name, "value": value, "lowest": lowest, "highest": highest}
