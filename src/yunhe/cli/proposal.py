"""What a person wants to know of a proposal: what it changes, who has voted, how many votes it needs, and what to do next."""

from typing import Any, Final

from yunhe.errors import RecordNotFoundError
from yunhe.ledger.layouts import GAS_LIMIT_MAX
from yunhe.sdk import Client

RULES: Final = {"majority": "more than half", "two_thirds": "more than two thirds", "all": "all"}
"""How many of the active organisations a threshold asks for."""
ORGANISATIONS_MAX: Final = 10_000
"""Organisations that are read; a ledger has fewer (SYS-008)."""
_NAMED_IN_CHANGE: Final = ("operation", "subject")


def highest_gas(client: Client) -> int:
    """Return the most gas that a transaction may ask for: a vote that is the last one pays for the whole change."""
    return int(client.record("governance", "parameters", [GAS_LIMIT_MAX])["fields"]["value"])


def read_proposal(client: Client, number: int) -> dict[str, Any]:
    """Return a proposal's record.

    Raises:
        RecordNotFoundError: there is none.
    """
    try:
        return dict(client.record("governance", "proposals", [number])["fields"])
    except RecordNotFoundError as error:
        raise RecordNotFoundError(f"there is no proposal {number}; `yunhe org proposals --all` lists them") from error


def change_fields(proposal: dict[str, Any]) -> dict[str, Any]:
    """Return who proposed what and when, and what the change consists of, for `output.fields`."""
    change = proposal["change"]
    value: dict[str, Any] = {
        "proposal": proposal["proposal_id"],
        "proposer": proposal["proposer"],
        "proposed_height": proposal["proposed_height"],
        "decided_height": proposal["decided_height"],
        "change": f"{change['operation']} {change['subject']}",
        "details": {name: item for name, item in change.items() if name not in _NAMED_IN_CHANGE and item not in ("", "0x", 0)},
    }
    if change["code_hash"] != "0x":
        value["review"] = f"yunhe contract review {proposal['proposal_id']}"
    return value


def proposal_fields(client: Client, number: int) -> dict[str, Any]:
    """Return how a proposal stands as of the last block, for `output.fields`.

    Raises:
        RecordNotFoundError: there is none.
    """
    proposal = read_proposal(client, number)
    votes = [row["fields"] for row in client.records("governance", "votes", [number])]
    fields: dict[str, Any] = {
        "proposal": proposal["proposal_id"],
        "change": f"{proposal['change']['operation']} {proposal['change']['subject']}",
        "status": proposal["status"],
        "approved_by": [vote["organisation"] for vote in votes if vote["approve"]],
        "opposed_by": [vote["organisation"] for vote in votes if not vote["approve"]],
    }
    if proposal["status"] == "open":
        threshold = str(client.record("governance", "thresholds", [proposal["kind"]])["fields"]["threshold"])
        organisations = [row["fields"] for row in client.records("registry", "organisations", limit=ORGANISATIONS_MAX)]
        active = sum(organisation["status"] == "active" for organisation in organisations)
        fields["needs"] = f"{RULES[threshold]} of {active} organisations"
        fields["next"] = f"yunhe org vote {number}, by an admin of another organisation"
    return fields


def missing(client: Client, number: int) -> str:
    """Return in one sentence what an open proposal has and what it lacks."""
    found = proposal_fields(client, number)
    voted = {*found["approved_by"], *found["opposed_by"]}
    rows = [row["fields"] for row in client.records("registry", "organisations", limit=ORGANISATIONS_MAX)]
    waiting = [row["organisation"] for row in rows if row["status"] == "active" and row["organisation"] not in voted]
    opposed = f", opposed by {', '.join(found['opposed_by'])}" if found["opposed_by"] else ""
    approved = ", ".join(found["approved_by"]) or "nobody"
    return (
        f"approved by {approved}{opposed}; it needs {found['needs']}, and {', '.join(waiting) or 'nobody'} can still vote: {found['next']}"
    )
