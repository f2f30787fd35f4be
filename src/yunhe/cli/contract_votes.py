"""`yunhe contract deploy`, `upgrade` and `review`: a source goes to the vote, and whoever votes sees what for."""

from pathlib import Path
from typing import Annotated, Any, Final

import typer

from yunhe.cli.arguments import read_contract
from yunhe.cli.connection import Connection, FolderOption, KeyOption, NodeOption, PassphraseOption, TokenOption, open_keys
from yunhe.cli.contract_change import ContractChange
from yunhe.cli.contract_source import checked_source
from yunhe.cli.output import EXIT_REFUSED, fields, output
from yunhe.cli.proposal import missing, proposal_fields, read_proposal
from yunhe.cli.tx import GasOption
from yunhe.errors import DecisionPendingError, NotFoundError
from yunhe.sdk import Call, Client, MemberKey

GAS_LIMIT: Final = 50_000_000
"""The highest of a new ledger: the largest source can be submitted for it."""

_WAIT_S: Final = 3600
_WAIT_S_MAX: Final = 30 * 86_400

FileArgument = Annotated[Path, typer.Argument(help="Contract source.")]
NameArgument = Annotated[str, typer.Argument(help="Name of the contract.")]
WaitOption = Annotated[bool, typer.Option("--wait", help="Wait until the vote is decided; ends with exit code 1 unless it is accepted.")]
WaitSecondsOption = Annotated[
    int,
    typer.Option(
        "--wait-s", metavar="SECONDS", min=1, max=_WAIT_S_MAX, help="How long --wait waits; then it says what is missing, with exit code 3."
    ),
]

_OPERATIONS: Final = {"deploy_contract": "deployment", "upgrade_contract": "upgrade"}


def deploy(  # noqa: PLR0913  # one for each option
    name: NameArgument,
    file: FileArgument,
    key: KeyOption = None,
    passphrase_file: PassphraseOption = None,
    gas_limit: GasOption = GAS_LIMIT,
    folder: FolderOption = None,
    node: NodeOption = None,
    token_file: TokenOption = None,
    *,
    wait: WaitOption = False,
    wait_s: WaitSecondsOption = _WAIT_S,
) -> None:
    """Submit a contract's source and propose to deploy it; your organisation votes for it by proposing."""
    source = checked_source(file)
    with Connection(folder, node, token_file).open() as client:
        _propose(
            client,
            open_keys(key, passphrase_file),
            "propose_deployment",
            ContractChange(name, "", source, ()),
            gas_limit,
            wait_s if wait else None,
        )


def upgrade(  # noqa: PLR0913  # one for each option
    name: NameArgument,
    file: FileArgument,
    key: KeyOption = None,
    passphrase_file: PassphraseOption = None,
    gas_limit: GasOption = GAS_LIMIT,
    folder: FolderOption = None,
    node: NodeOption = None,
    token_file: TokenOption = None,
    *,
    wait: WaitOption = False,
    wait_s: WaitSecondsOption = _WAIT_S,
) -> None:
    """Propose another source for a deployed contract, and show what it changes; one that could not read what is stored is refused."""
    source = checked_source(file)
    with Connection(folder, node, token_file).open() as client:
        change = ContractChange.of(client, name, read_contract(client, name).source, source)
        change.require_possible()
        _propose(client, open_keys(key, passphrase_file), "propose_upgrade", change, gas_limit, wait_s if wait else None)


def review(
    proposal: Annotated[int, typer.Argument(min=1, help="Number of the proposal.")],
    folder: FolderOption = None,
    node: NodeOption = None,
    token_file: TokenOption = None,
) -> None:
    """Show what a proposal to deploy or upgrade a contract changes: the differences of the sources, and whether it can be made."""
    with Connection(folder, node, token_file).open() as client:
        change = read_proposal(client, proposal)["change"]
        if change["operation"] not in _OPERATIONS:
            raise NotFoundError(f"proposal {proposal} is no deployment or upgrade of a contract, but {change['operation']}")
        name, code_hash = str(change["subject"]), str(change["code_hash"])
        source = str(client.record("lifecycle", "sources", [bytes.fromhex(code_hash[2:])])["fields"]["source"])
        old = read_contract(client, name).source if change["operation"] == "upgrade_contract" else ""
        found = ContractChange.of(client, name, old, source)
        losses = [f"{each.table}, {each}" for each in found.losses]
        head = {"contract": name, "code_hash": code_hash} | proposal_fields(client, proposal) | {"could_not_read": losses}
    shown = head | {"changes": found.data(), "source": source, "diff": found.diff()}
    output.result(shown, "\n".join([fields(head), fields(found.data()), "", found.diff() or source.rstrip("\n")]))


def submit_for_result(client: Client, signers: list[MemberKey], call: Call, gas_limit: int = GAS_LIMIT) -> Any:  # noqa: ANN401  # the action's
    """Submit one call and return the result of its action.

    Raises:
        TransactionRefusedError: it was refused.
    """
    submitted = client.submit(client.build(signers, [call], gas_limit=gas_limit))
    return client.require_ok(submitted, call.contract, call.action).results[0]


def _propose(client: Client, signers: list[MemberKey], action: str, change: ContractChange, gas_limit: int, wait_s: int | None) -> None:
    code_hash = str(submit_for_result(client, signers, Call("lifecycle", "submit", {"source": change.new}), gas_limit))
    arguments: Any = {"contract": change.contract, "code_hash": bytes.fromhex(code_hash[2:])}
    number = int(submit_for_result(client, signers, Call("governance", action, arguments), gas_limit))
    if wait_s is not None:
        output.progress(f"proposal {number} waits for its votes")
        _wait(client, number, wait_s)
    head = {"contract": change.contract, "code_hash": code_hash} | proposal_fields(client, number)
    changes = change.data() if change.old else {}
    text = [fields(head), *([fields(changes)] if changes else []), *(["", change.diff()] if change.old else [])]
    output.result(head | ({"changes": changes, "diff": change.diff()} if change.old else {}), "\n".join(text))
    if wait_s is not None and head["status"] != "accepted":
        raise typer.Exit(EXIT_REFUSED)


def _wait(client: Client, number: int, wait_s: int) -> None:
    """Wait for the event that says how a proposal was decided; it may be in the ledger already.

    Raises:
        DecisionPendingError: it is still open after that time.
    """
    height = int(read_proposal(client, number)["proposed_height"])
    decided = next(client.follow("governance", "Decided", {"proposal_id": number}, from_height=height, for_s=wait_s), None)
    if decided is None and read_proposal(client, number)["status"] == "open":
        raise DecisionPendingError(f"proposal {number} is not decided after {wait_s} s and stays open: {missing(client, number)}")
