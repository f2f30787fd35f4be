"""A trade on a chain: the bill of lading deployed, and the parties that act on it."""

from collections.abc import Callable
from typing import Any

from yunhe.contracts import Org
from yunhe.ledger.layouts import encode_record, organisation_key
from yunhe.testing import Chain, Member
from yunhe_maritime import bill_of_lading
from yunhe_maritime.bill_of_lading import Bill

CHECKSUM = "5e" * 32
PARTIES = ("carrier", "shipper", "bank", "consignee", "port")
CARRIER = Org("carrier")
BILL = "QYHL26NGB004711"
OF_CARRIERS = (bill_of_lading.issue, bill_of_lading.accept_surrender, bill_of_lading.amend, bill_of_lading.reject_surrender)
"""Actions that name a bill by its number alone, because they are its carrier's."""


class Trade:
    """A chain with the contract and the parties' members, and a bill of the carrier's to trade."""

    def __init__(self, chain: Chain) -> None:
        self.chain = chain
        self.bill_id = BILL
        self.checksum = CHECKSUM
        self._bills = 0
        chain.deploy(bill_of_lading)
        for party in PARTIES:
            self.member(party)

    def suspend(self, party: str) -> None:
        """Put on record that the organisations have suspended one: the vote is governance's, which a chain in memory has not."""
        record = encode_record({"organisation": party, "title": party, "status": "suspended"})
        self.chain.state.apply([(organisation_key(party), record)])

    def member(self, party: str) -> Member:
        return self.chain.member(party, roles=["carrier"] if party == "carrier" else ["clerk"])

    def act(self, party: str, action: Callable[..., Any], *arguments: Any) -> None:
        names = (self.bill_id,) if action in OF_CARRIERS else (CARRIER, self.bill_id)
        self.member(party).call(action, *names, *arguments)

    def issue(self, *, consignee: str | None = None, endorsee: str | None = None) -> "Trade":
        self.act("carrier", bill_of_lading.issue, self.checksum, Org("shipper"), _org(consignee), _org(endorsee))
        return self

    def next(self) -> "Trade":
        """Go on with another bill over another document, so that many bills can be traded on one chain."""
        self._bills += 1
        self.bill_id, self.checksum = f"B-{self._bills}", f"{self._bills:064x}"
        return self

    @property
    def bill(self) -> Bill:
        return self.chain.view(bill_of_lading.bill, CARRIER, self.bill_id)


def _org(name: str | None) -> Org | None:
    return None if name is None else Org(name)
