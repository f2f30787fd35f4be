"""The five organisations of the demo: keys, enrolment, and the votes by which a contract is deployed.

Each party has a folder of its own with its encrypted key file, and signs for itself; the demo holds all of them only because it plays all
parts. The port founds the network; everyone else is admitted by the votes of those who are there already.
"""

import os
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any, Final

from yunhe.sdk import Call, Client, KeyFile, Member, MemberKey, Submitted, Wallet
from yunhe_maritime.errors import DemoFailedError
from yunhe_maritime.transport_document import TransportDocument

FOUNDER: Final = "port"
ORGANISATIONS: Final = ("port", "carrier", "shipper", "bank", "consignee")
"""In the order in which they join."""
MEMBER: Final = "desk"
"""The member who signs for each organisation."""
CONTRACT: Final = "bill_of_lading"
"""Name under which the contract is deployed."""


@dataclass(frozen=True, slots=True)
class Party:
    """One organisation with its opened key."""

    organisation: str
    title: str
    """Name for people, from the document where it names the party."""
    file: KeyFile
    key: MemberKey


def make_parties(folder: Path, titles: Mapping[str, str]) -> dict[str, Party]:
    """Give each organisation a folder with a new encrypted key file and the file with its passphrase.

    Args:
        folder: where the parties' folders are made.
        titles: name for people of each of `ORGANISATIONS`.
    """
    parties = {}
    for organisation in ORGANISATIONS:
        home = folder / organisation
        home.mkdir(parents=True, mode=0o700)
        passphrase = secrets.token_urlsafe(24)
        descriptor = os.open(home / "passphrase", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(passphrase + "\n")
        key_file = Wallet(home).create(Member(organisation, MEMBER), passphrase)
        parties[organisation] = Party(organisation, titles[organisation], key_file, key_file.open(passphrase))
    return parties


def titles_from(document: TransportDocument) -> dict[str, str]:
    """Return the five organisations' names for people, as the document gives them."""
    named = document.document_parties
    receiver = named.consignee or next(iter(named.notify_parties or []), None)
    bank = named.endorsee.party_name if named.endorsee is not None and endorsee_organisation(document) == "bank" else "The shipper's bank"
    return {
        "port": "The port",
        "carrier": named.issuing_party.party_name,
        "shipper": named.shipper.party_name,
        "bank": bank,
        "consignee": receiver.party_name if receiver is not None else "The buyer of the goods",
    }


def endorsee_organisation(document: TransportDocument) -> str | None:
    """Return the organisation that plays the document's endorsee, if it names one."""
    named = document.document_parties
    if named.endorsee is None:
        return None
    return "shipper" if named.endorsee.party_name == named.shipper.party_name else "bank"


class Ledger:
    """What the parties do over HTTP."""

    def __init__(self, client: Client, parties: Mapping[str, Party]) -> None:
        self.client = client
        self.parties = parties
        self.submitted_ms: list[float] = []
        """For each transaction, how long it took from the signature until it was durable and answered."""

    def send(self, organisation: str, *calls: Call) -> Submitted:
        """Sign calls with an organisation's key, submit them as one transaction and wait for the receipt, whatever its code."""
        began = perf_counter()
        submitted = self.client.submit(self.client.build([self.parties[organisation].key], calls))
        self.submitted_ms.append((perf_counter() - began) * 1000)
        return submitted

    def succeed(self, organisation: str, *calls: Call) -> Submitted:
        """Send, and demand that it succeeds.

        Raises:
            DemoFailedError: it was refused.
        """
        submitted = self.send(organisation, *calls)
        if submitted.code != "OK":
            raise DemoFailedError(f"{organisation} was refused with {submitted.code} where it should have succeeded: {_named(calls)}")
        return submitted

    def be_refused(self, organisation: str, code: str, *calls: Call) -> Submitted:
        """Send, and demand that it is refused with a code.

        Raises:
            DemoFailedError: it succeeded, or was refused with another code.
        """
        submitted = self.send(organisation, *calls)
        if submitted.code != code:
            raise DemoFailedError(f"{organisation} should have been refused with {code}, and got {submitted.code}: {_named(calls)}")
        return submitted

    def admit(self, organisation: str) -> list[str]:
        """Admit an organisation by the votes of those who are there; return who voted."""
        key = self.parties[organisation].key.signer
        arguments: dict[str, Any] = {
            "organisation": organisation,
            "title": self.parties[organisation].title,
            "admin": MEMBER,
            "suite": key.suite,
            "public_key": key.public_key,
        }
        present = ORGANISATIONS[: ORGANISATIONS.index(organisation)]
        return self._decide(FOUNDER, Call("governance", "propose_admission", arguments), present)

    def deploy(self, proposer: str, source: str) -> list[str]:
        """Submit a contract's source, propose its deployment and have it voted for; return who voted."""
        submitted = self.succeed(proposer, Call("lifecycle", "submit", {"source": source}))
        code_hash = bytes.fromhex(str(submitted.results[0]).removeprefix("0x"))
        proposal = Call("governance", "propose_deployment", {"contract": CONTRACT, "code_hash": code_hash})
        return self._decide(proposer, proposal, ORGANISATIONS)

    def _decide(self, proposer: str, proposal: Call, voters: Sequence[str]) -> list[str]:
        """Propose, then let one organisation after the other vote until the proposal is accepted."""
        proposal_id = self.succeed(proposer, proposal).results[0]
        voted = [proposer]
        for voter in voters:
            if self._status(proposal_id) == "accepted":
                return voted
            if voter != proposer:
                self.succeed(voter, Call("governance", "vote", {"proposal_id": proposal_id, "approve": True}))
                voted.append(voter)
        if self._status(proposal_id) != "accepted":
            raise DemoFailedError(f"all have voted for proposal {proposal_id} and it was not accepted: {_named([proposal])}")
        return voted

    def _status(self, proposal_id: int) -> str:
        return str(self.client.record("governance", "proposals", [proposal_id])["fields"]["status"])


def _named(calls: Sequence[Call]) -> str:
    return ", ".join(f"{call.contract}.{call.action}" for call in calls)
