"""What a person wants to know of a proposal: what it changes, who has voted, how many votes it needs, and what to do next."""

from typing import Any, Final

from yunhe.sdk import Client

_RULES: Final = {"majority": "more than half", "two_thirds": "more than two thirds", "all": "all"}


def proposal_fields(client: Client, number: int) -> dict[str, Any]:
    """Return a proposal as the last block has it, for `output.fields`.

    Raises:
        RecordNotFoundError: there is none.
    """
    proposal = client.record("governance", "proposals", [number])["fields"]
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
        organisations = [row["fields"] for row in client.records("registry", "organisations")]
        active = sum(organisation["status"] == "active" for organisation in organisations)
        fields["needs"] = f"{_RULES[threshold]} of {active} organisations"
        fields["next"] = f"yunhe org vote {number}, by an admin of another organisation"
    return fields
