"""The bill of lading keeps the rules of MLETR and DCSA: one bill, one holder, endorsed and surrendered only by who may.

Rules: UNCITRAL Model Law on Electronic Transferable Records, articles 10 to 15; DCSA PINT 3.0.0, Transaction.actionCode; DCSA EBL_SUR
3.0.4, what a platform guarantees by requesting a surrender.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.imported_module import imported
from tests.unit.maritime.trade import BILL, CARRIER, CHECKSUM, PARTIES, Trade
from yunhe.contracts import Org
from yunhe.contracts.faults import ContractStop
from yunhe.testing import Chain
from yunhe_maritime import bill_of_lading
from yunhe_maritime.bill_of_lading import CHAIN_STEPS_MAX, PAGE_BILLS_MAX, Act, BillActedOn, Status, Title


@pytest.fixture
def trade(chain: Chain) -> Trade:
    return Trade(chain)


# --- Issue: singularity (MLETR article 10(1)(b)(i)) -------------------------------------------------------------------


def test_issue_by_carrier_gives_the_shipper_the_bill(trade: Trade) -> None:
    bill = trade.issue(endorsee="shipper").bill
    assert (bill.carrier, bill.shipper, bill.holder, bill.title_holder) == ("carrier", "shipper", "shipper", "shipper")
    assert (bill.status, bill.title, bill.document_checksum, bill.consignee) == (Status.LIVE, Title.TO_ORDER, CHECKSUM, None)
    assert [(step.act, step.by, step.to, step.time_ms) for step in bill.chain] == [(Act.ISSUE, "carrier", "shipper", trade.chain.time_ms)]


@pytest.mark.parametrize(
    ("consignee", "endorsee", "title", "title_holder"),
    [("consignee", None, Title.STRAIGHT, "consignee"), (None, "bank", Title.TO_ORDER, "bank"), (None, None, Title.BEARER, None)],
)
def test_issue_makes_the_bill_out_as_the_document_does(
    trade: Trade, consignee: str | None, endorsee: str | None, title: Title, title_holder: str | None
) -> None:
    bill = trade.issue(consignee=consignee, endorsee=endorsee).bill
    assert (bill.title, bill.title_holder, bill.consignee) == (title, title_holder, consignee)


def test_second_issue_is_refused(trade: Trade) -> None:
    trade.issue()
    with trade.chain.refuses("ALREADY_ISSUED"):
        trade.act("carrier", bill_of_lading.issue, "ab" * 32, Org("shipper"), None, None)


def test_issue_over_a_document_of_another_bill_is_refused(trade: Trade) -> None:
    trade.issue()
    with trade.chain.refuses("DOCUMENT_ALREADY_ISSUED"):
        trade.member("carrier").call(bill_of_lading.issue, "ANOTHER", CHECKSUM, Org("shipper"), None, None)


def test_issue_by_a_member_who_is_no_carrier_is_refused(trade: Trade) -> None:
    with trade.chain.refuses("ROLE_REQUIRED"):
        trade.act("shipper", bill_of_lading.issue, CHECKSUM, Org("shipper"), None, None)


@pytest.mark.parametrize("bill_id", ["", " B1", "B1 ", "x" * 21])
def test_issue_under_no_reference_of_a_document_is_refused(trade: Trade, bill_id: str) -> None:
    with trade.chain.refuses("BILL_ID_INVALID"):
        trade.member("carrier").call(bill_of_lading.issue, bill_id, CHECKSUM, Org("shipper"), None, None)


@pytest.mark.parametrize("checksum", ["", "5e" * 31, "5e" * 33, "5E" * 32, "5g" * 32, "5e" * 31 + " 5"])
def test_issue_over_what_is_no_checksum_is_refused(trade: Trade, checksum: str) -> None:
    with trade.chain.refuses("CHECKSUM_INVALID"):
        trade.act("carrier", bill_of_lading.issue, checksum, Org("shipper"), None, None)


def test_issue_to_both_consignee_and_endorsee_is_refused(trade: Trade) -> None:
    with trade.chain.refuses("CONSIGNEE_AND_ENDORSEE"):
        trade.issue(consignee="consignee", endorsee="bank")


# --- Possession: control (MLETR article 11) --------------------------------------------------------------------------


def test_transfer_by_holder_moves_possession_and_leaves_title(trade: Trade) -> None:
    trade.issue(endorsee="shipper").act("shipper", bill_of_lading.transfer, Org("bank"))
    assert (trade.bill.holder, trade.bill.title_holder) == ("bank", "shipper")
    assert trade.chain.emitted(BillActedOn) == [
        BillActedOn(
            carrier=CARRIER,
            bill_id=BILL,
            document_checksum=CHECKSUM,
            act=Act.TRANSFER,
            by=Org("shipper"),
            to=Org("bank"),
            holder=Org("bank"),
            status=Status.LIVE,
        )
    ]


@pytest.mark.parametrize("party", ["carrier", "bank", "consignee", "port"])
def test_transfer_by_another_than_the_holder_is_refused(trade: Trade, party: str) -> None:
    trade.issue()
    with trade.chain.refuses("NOT_HOLDER"):
        trade.act(party, bill_of_lading.transfer, Org("port"))


def test_second_transfer_is_refused(trade: Trade) -> None:
    trade.issue().act("shipper", bill_of_lading.transfer, Org("bank"))
    with trade.chain.refuses("NOT_HOLDER"):
        trade.act("shipper", bill_of_lading.transfer, Org("port"))


def test_transfer_to_oneself_is_refused(trade: Trade) -> None:
    trade.issue()
    with trade.chain.refuses("ALREADY_HOLDER"):
        trade.act("shipper", bill_of_lading.transfer, Org("shipper"))


def test_transfer_to_an_unknown_party_is_refused(trade: Trade) -> None:
    trade.issue()
    with trade.chain.refuses("PARTY_UNKNOWN"):
        trade.act("shipper", bill_of_lading.transfer, Org("nobody"))


def test_transfer_to_a_suspended_party_is_refused(trade: Trade) -> None:
    trade.issue().suspend("bank")
    with trade.chain.refuses("PARTY_UNKNOWN"):
        trade.act("shipper", bill_of_lading.transfer, Org("bank"))


def test_bill_that_was_not_issued_is_not_found(trade: Trade) -> None:
    with trade.chain.refuses("NOT_FOUND"):
        trade.act("shipper", bill_of_lading.transfer, Org("bank"))
    with trade.chain.refuses("NOT_FOUND"):
        trade.chain.view(bill_of_lading.chain, CARRIER, BILL)


# --- Endorsement (MLETR article 15; PINT ENDORSE, ENDORSE_TO_ORDER, BLANK_ENDORSE) ------------------------------------


def test_endorsement_moves_title_and_leaves_possession(trade: Trade) -> None:
    trade.issue(endorsee="shipper").act("shipper", bill_of_lading.endorse_to_order, Org("bank"))
    assert (trade.bill.title, trade.bill.title_holder, trade.bill.holder) == (Title.TO_ORDER, "bank", "shipper")


def test_party_to_whose_order_a_bill_is_endorsed_can_endorse_it_on(trade: Trade) -> None:
    trade.issue(endorsee="shipper").act("shipper", bill_of_lading.endorse_to_order, Org("bank"))
    trade.act("shipper", bill_of_lading.transfer, Org("bank"))
    trade.act("bank", bill_of_lading.endorse, Org("consignee"))
    assert (trade.bill.title, trade.bill.title_holder) == (Title.NAMED, "consignee")


def test_named_endorsee_cannot_endorse_on(trade: Trade) -> None:
    trade.issue(endorsee="shipper").act("shipper", bill_of_lading.endorse, Org("bank"))
    trade.act("shipper", bill_of_lading.transfer, Org("bank"))
    for endorsement in (bill_of_lading.endorse, bill_of_lading.endorse_to_order):
        with trade.chain.refuses("ENDORSED_TO_NAMED_PARTY"):
            trade.act("bank", endorsement, Org("consignee"))
    with trade.chain.refuses("ENDORSED_TO_NAMED_PARTY"):
        trade.act("bank", bill_of_lading.endorse_in_blank)


def test_holder_without_title_cannot_endorse(trade: Trade) -> None:
    trade.issue(endorsee="bank")
    with trade.chain.refuses("NOT_TITLE_HOLDER"):
        trade.act("shipper", bill_of_lading.endorse, Org("shipper"))


def test_title_holder_without_possession_cannot_endorse(trade: Trade) -> None:
    trade.issue(endorsee="bank")
    with trade.chain.refuses("NOT_HOLDER"):
        trade.act("bank", bill_of_lading.endorse, Org("consignee"))


def test_straight_bill_cannot_be_endorsed(trade: Trade) -> None:
    trade.issue(consignee="consignee")
    with trade.chain.refuses("NOT_NEGOTIABLE"):
        trade.act("shipper", bill_of_lading.endorse_to_order, Org("bank"))


def test_bill_in_blank_is_endorsed_by_any_holder(trade: Trade) -> None:
    trade.issue(endorsee="shipper").act("shipper", bill_of_lading.endorse_in_blank)
    assert (trade.bill.title, trade.bill.title_holder) == (Title.BEARER, None)
    trade.act("shipper", bill_of_lading.transfer, Org("port"))
    trade.act("port", bill_of_lading.endorse_to_order, Org("bank"))
    assert (trade.bill.title, trade.bill.title_holder) == (Title.TO_ORDER, "bank")


def test_endorsement_to_an_unknown_party_is_refused(trade: Trade) -> None:
    trade.issue()
    for endorsement in (bill_of_lading.endorse, bill_of_lading.endorse_to_order):
        with trade.chain.refuses("PARTY_UNKNOWN"):
            trade.act("shipper", endorsement, Org("nobody"))


@pytest.mark.parametrize("field", ["shipper", "consignee", "endorsee"])
def test_issue_to_an_unknown_party_is_refused(trade: Trade, field: str) -> None:
    parties: dict[str, Org | None] = {"shipper": Org("shipper"), "consignee": None, "endorsee": None} | {field: Org("nobody")}
    with trade.chain.refuses("PARTY_UNKNOWN"):
        trade.member("carrier").call(bill_of_lading.issue, bill_id=BILL, document_checksum=CHECKSUM, **parties)


# --- Refusal of an endorsement ------------------------------------------------------------------------------------------


def endorsed_to_bank(trade: Trade, *, handed_over: bool, made_out: dict[str, str]) -> Trade:
    trade.issue(**made_out).act("shipper", bill_of_lading.endorse_to_order, Org("bank"))
    if handed_over:
        trade.act("shipper", bill_of_lading.transfer, Org("bank"))
    return trade


@pytest.mark.parametrize("handed_over", [False, True])
@pytest.mark.parametrize("made_out", [{"endorsee": "shipper"}, {}], ids=["to order", "in blank"])
def test_refused_endorsement_gives_title_and_bill_back_to_the_endorser(trade: Trade, handed_over: bool, made_out: dict[str, str]) -> None:
    endorsed_to_bank(trade, handed_over=handed_over, made_out=made_out).act("bank", bill_of_lading.refuse_endorsement)
    assert (trade.bill.title, trade.bill.title_holder, trade.bill.holder) == (Title.TO_ORDER, "shipper", "shipper")
    assert (trade.bill.chain[-1].act, trade.bill.chain[-1].by, trade.bill.chain[-1].to) == (Act.REFUSE_ENDORSEMENT, "bank", "shipper")
    trade.act("shipper", bill_of_lading.endorse, Org("consignee"))


def test_refused_endorsement_of_a_bill_that_another_holds_leaves_it_there_without_title(trade: Trade) -> None:
    endorsed_to_bank(trade, handed_over=False, made_out={}).act("shipper", bill_of_lading.transfer, Org("port"))
    trade.act("bank", bill_of_lading.refuse_endorsement)
    assert (trade.bill.holder, trade.bill.title_holder) == ("port", "shipper")
    with trade.chain.refuses("NOT_ENTITLED"):
        trade.act("port", bill_of_lading.surrender, False)


def test_endorsee_that_has_acted_on_the_bill_cannot_refuse_the_endorsement(trade: Trade) -> None:
    endorsed_to_bank(trade, handed_over=True, made_out={}).act("bank", bill_of_lading.transfer, Org("port"))
    with trade.chain.refuses("ENDORSEMENT_ACCEPTED"):
        trade.act("bank", bill_of_lading.refuse_endorsement)


def test_endorsement_is_refused_by_its_endorsee_only_and_once(trade: Trade) -> None:
    endorsed_to_bank(trade, handed_over=True, made_out={})
    for party in ("shipper", "port", "carrier"):
        with trade.chain.refuses("NOT_TITLE_HOLDER"):
            trade.act(party, bill_of_lading.refuse_endorsement)
    trade.act("bank", bill_of_lading.refuse_endorsement)
    with trade.chain.refuses("NOT_TITLE_HOLDER"):
        trade.act("bank", bill_of_lading.refuse_endorsement)
    with trade.chain.refuses("ENDORSEMENT_ACCEPTED"):
        trade.act("shipper", bill_of_lading.refuse_endorsement)


@pytest.mark.parametrize(("made_out", "party"), [({"endorsee": "bank"}, "bank"), ({"consignee": "consignee"}, "consignee")])
def test_title_that_came_with_the_issue_is_no_endorsement(trade: Trade, made_out: dict[str, str], party: str) -> None:
    trade.issue(**made_out)
    with trade.chain.refuses("NOT_ENDORSED"):
        trade.act(party, bill_of_lading.refuse_endorsement)


# --- Amendment (MLETR article 16) --------------------------------------------------------------------------------------

AMENDED = "QYHL26NGB004711-2"
AMENDED_CHECKSUM = "a3" * 32


def amend(trade: Trade, *signers: str, checksum: str = AMENDED_CHECKSUM, new_bill: str = AMENDED, consignee: Org | None = None) -> None:
    together = trade.chain.together(trade.member("carrier"), *map(trade.member, signers))
    together.call(bill_of_lading.amend, BILL, new_bill, checksum, consignee, None)


@pytest.fixture
def to_amend(trade: Trade) -> Trade:
    """A bill in blank that the bank surrendered for amendment."""
    trade.issue().act("shipper", bill_of_lading.transfer, Org("bank"))
    trade.act("bank", bill_of_lading.surrender, True)
    return trade


def test_amendment_voids_the_bill_and_issues_another_to_who_surrendered(to_amend: Trade) -> None:
    amend(to_amend, "bank", consignee=Org("consignee"))
    old, new = to_amend.bill, to_amend.chain.view(bill_of_lading.bill, CARRIER, AMENDED)
    assert (old.status, old.replaced_by, old.document_checksum) == (Status.VOID, AMENDED, CHECKSUM)
    assert [step.act for step in old.chain[-2:]] == [Act.SURRENDER_FOR_AMENDMENT, Act.SURRENDER_ACCEPTED]
    assert (new.status, new.replaces, new.document_checksum) == (Status.LIVE, BILL, AMENDED_CHECKSUM)
    assert (new.holder, new.shipper, new.title, new.title_holder) == ("bank", "shipper", Title.STRAIGHT, "consignee")
    assert [(step.act, step.by, step.to) for step in new.chain] == [(Act.ISSUE, "carrier", "bank")]
    assert held(to_amend, "bank") == [("carrier", AMENDED)]


def test_bill_whose_shipper_has_left_the_ledger_can_still_be_amended(to_amend: Trade) -> None:
    to_amend.suspend("shipper")
    amend(to_amend, "bank")
    assert to_amend.chain.view(bill_of_lading.bill, CARRIER, AMENDED).shipper == "shipper"


def test_amendment_without_the_signature_of_who_surrendered_is_refused(to_amend: Trade) -> None:
    for signers in ((), ("shipper",)):
        with to_amend.chain.refuses("SIGNER_REQUIRED"):
            amend(to_amend, *signers)


@pytest.mark.parametrize(
    ("terms", "code"),
    [
        ({"checksum": CHECKSUM}, "DOCUMENT_ALREADY_ISSUED"),
        ({"new_bill": BILL}, "ALREADY_ISSUED"),
        ({"new_bill": ""}, "BILL_ID_INVALID"),
        ({"checksum": ""}, "CHECKSUM_INVALID"),
        ({"consignee": Org("nobody")}, "PARTY_UNKNOWN"),
    ],
)
def test_amendment_that_is_no_new_bill_is_refused_and_leaves_the_old_one(to_amend: Trade, terms: dict[str, Any], code: str) -> None:
    before = to_amend.bill
    with to_amend.chain.refuses(code):
        amend(to_amend, "bank", **terms)
    assert to_amend.bill == before


def test_voided_document_is_never_issued_again(to_amend: Trade) -> None:
    amend(to_amend, "bank")
    with to_amend.chain.refuses("DOCUMENT_ALREADY_ISSUED"):
        to_amend.member("carrier").call(bill_of_lading.issue, "ANOTHER", CHECKSUM, Org("shipper"), None, None)


def test_request_gets_the_answer_that_it_asked_for(to_amend: Trade) -> None:
    with to_amend.chain.refuses("AMENDMENT_REQUESTED"):
        to_amend.act("carrier", bill_of_lading.accept_surrender)
    to_amend.act("carrier", bill_of_lading.reject_surrender)
    to_amend.act("bank", bill_of_lading.surrender, False)
    with to_amend.chain.refuses("DELIVERY_REQUESTED"):
        amend(to_amend, "bank")


# --- Two carriers, and other contracts ----------------------------------------------------------------------------------


def test_carrier_cannot_take_or_touch_the_number_of_another(trade: Trade) -> None:
    rival = trade.chain.member("rival", roles=["carrier"])
    rival.call(bill_of_lading.issue, BILL, "ab" * 32, Org("shipper"), None, None)
    trade.issue()
    assert held(trade, "shipper") == [("carrier", BILL), ("rival", BILL)]
    trade.act("shipper", bill_of_lading.surrender, False)
    with trade.chain.refuses("NO_SURRENDER_REQUESTED"):
        rival.call(bill_of_lading.accept_surrender, BILL)
    assert trade.bill.status == Status.SURRENDER_REQUESTED


def test_document_of_another_carrier_is_not_issued_again(trade: Trade) -> None:
    trade.issue()
    with trade.chain.refuses("DOCUMENT_ALREADY_ISSUED"):
        trade.chain.member("rival", roles=["carrier"]).call(bill_of_lading.issue, BILL, CHECKSUM, Org("shipper"), None, None)


AGENT = '''"""Acts on a bill for whoever calls it, and tells its holder."""

from yunhe.contracts import Context, Org, action, call, call_view, require


@action
def act(ctx: Context, name: str, carrier: Org, bill_id: str) -> None:
    """Do what a name says."""
    if name == "transfer":
        call("bill_of_lading", "transfer", carrier=carrier, bill_id=bill_id, to=Org("port"))
    elif name == "refuse_endorsement":
        call("bill_of_lading", "refuse_endorsement", carrier=carrier, bill_id=bill_id)
    elif name == "accept_surrender":
        call("bill_of_lading", "accept_surrender", bill_id=bill_id)
    else:
        call("bill_of_lading", "issue", bill_id="B2", document_checksum="", shipper=carrier, consignee=None, endorsee=None)


@action
def check_holder(ctx: Context, carrier: Org, bill_id: str) -> None:
    """Refuse who does not hold a bill."""
    require(call_view("bill_of_lading", "bill", carrier=carrier, bill_id=bill_id)["holder"] == ctx.sender, "NOT_HOLDER")
'''


def test_another_contract_reads_a_bill_and_never_acts_on_it(trade: Trade, tmp_path: Path) -> None:
    (tmp_path / "agent.py").write_text(AGENT, encoding="utf-8")
    agent = imported(tmp_path / "agent.py")
    trade.chain.deploy(agent)
    trade.issue()
    trade.member("shipper").call(agent.check_holder, CARRIER, BILL)
    for party, name in (("shipper", "transfer"), ("bank", "refuse_endorsement"), ("carrier", "accept_surrender"), ("carrier", "issue")):
        with trade.chain.refuses("DIRECT_CALL_ONLY"):
            trade.member(party).call(agent.act, name, CARRIER, BILL)


# --- Surrender (EBL_SUR 3.0.4; PINT SACC, SREJ) ------------------------------------------------------------------------


def _held_by(trade: Trade, party: str) -> None:
    if trade.bill.holder != party:
        trade.act(trade.bill.holder, bill_of_lading.transfer, Org(party))


@pytest.mark.parametrize(
    ("made_out", "party", "code"),
    [
        ({"consignee": "consignee"}, "consignee", None),
        ({"consignee": "consignee"}, "shipper", None),
        ({"consignee": "consignee"}, "bank", "NOT_ENTITLED"),
        ({"endorsee": "bank"}, "bank", None),
        ({"endorsee": "bank"}, "shipper", "NOT_ENTITLED"),
        ({}, "port", None),
    ],
)
def test_surrender_by_a_holder_is_accepted_if_entitled(trade: Trade, made_out: dict[str, str], party: str, code: str | None) -> None:
    trade.issue(**made_out)
    _held_by(trade, party)
    if code is None:
        trade.act(party, bill_of_lading.surrender, False)
        assert (trade.bill.holder, trade.bill.status) == ("carrier", Status.SURRENDER_REQUESTED)
    else:
        with trade.chain.refuses(code):
            trade.act(party, bill_of_lading.surrender, False)


def test_surrender_by_title_holder_without_possession_is_refused(trade: Trade) -> None:
    trade.issue(endorsee="bank")
    with trade.chain.refuses("NOT_HOLDER"):
        trade.act("bank", bill_of_lading.surrender, False)


@pytest.mark.parametrize(("for_amendment", "status", "code"), [(False, Status.DELIVERED, "SURRENDERED"), (True, Status.VOID, "VOID")])
def test_after_an_accepted_surrender_nothing_follows(trade: Trade, for_amendment: bool, status: Status, code: str) -> None:
    trade.issue().act("shipper", bill_of_lading.surrender, for_amendment)
    if for_amendment:
        amend(trade, "shipper")
    else:
        trade.act("carrier", bill_of_lading.accept_surrender)
    assert (trade.bill.status, trade.bill.holder) == (status, "carrier")
    for party in ("shipper", "carrier"):
        for action, *arguments in (
            (bill_of_lading.transfer, Org("bank")),
            (bill_of_lading.endorse, Org("bank")),
            (bill_of_lading.endorse_to_order, Org("bank")),
            (bill_of_lading.endorse_in_blank,),
            (bill_of_lading.refuse_endorsement,),
            (bill_of_lading.surrender, False),
        ):
            with trade.chain.refuses(code):
                trade.act(party, action, *arguments)
    for answer in (bill_of_lading.accept_surrender, bill_of_lading.reject_surrender):
        with trade.chain.refuses("NO_SURRENDER_REQUESTED"):
            trade.act("carrier", answer)
    with trade.chain.refuses("ALREADY_ISSUED"):
        trade.issue()


def test_while_a_surrender_waits_nobody_can_pass_the_bill_on(trade: Trade) -> None:
    trade.issue().act("shipper", bill_of_lading.surrender, False)
    for party in ("shipper", "carrier"):
        with trade.chain.refuses("SURRENDER_PENDING"):
            trade.act(party, bill_of_lading.transfer, Org("port"))


def test_rejected_surrender_gives_the_bill_back(trade: Trade) -> None:
    trade.issue(endorsee="shipper").act("shipper", bill_of_lading.surrender, False)
    trade.act("carrier", bill_of_lading.reject_surrender)
    assert (trade.bill.holder, trade.bill.title_holder, trade.bill.status) == ("shipper", "shipper", Status.LIVE)
    trade.act("shipper", bill_of_lading.transfer, Org("bank"))


@pytest.mark.parametrize("answer", [bill_of_lading.accept_surrender, bill_of_lading.reject_surrender])
def test_answer_by_another_than_the_carrier_is_refused(trade: Trade, answer: Callable[..., None]) -> None:
    trade.issue().act("shipper", bill_of_lading.surrender, False)
    with trade.chain.refuses("ROLE_REQUIRED"):
        trade.act("shipper", answer)
    with trade.chain.refuses("NOT_FOUND"):
        trade.chain.member("other_carrier", roles=["carrier"]).call(answer, BILL)
    trade.chain.member("carrier", roles=["clerk"])
    with trade.chain.refuses("ROLE_REQUIRED"):
        trade.chain.member("carrier").call(answer, BILL)


def test_chain_that_is_full_can_still_be_surrendered(trade: Trade) -> None:
    trade.issue()
    for step in range(1, CHAIN_STEPS_MAX):
        trade.act("shipper" if step % 2 else "bank", bill_of_lading.transfer, Org("bank" if step % 2 else "shipper"))
    holder = trade.bill.holder
    with trade.chain.refuses("CHAIN_FULL"):
        trade.act(holder, bill_of_lading.transfer, Org("port"))
    trade.act(holder, bill_of_lading.surrender, False)
    trade.act("carrier", bill_of_lading.accept_surrender)
    assert len(trade.chain.view(bill_of_lading.chain, CARRIER, BILL)) == CHAIN_STEPS_MAX + 2


# --- Found by document, holder and carrier ----------------------------------------------------------------------------


def issue_several(trade: Trade, *bills: str) -> None:
    for number, bill_id in enumerate(bills):
        trade.member("carrier").call(bill_of_lading.issue, bill_id, f"{number:064x}", Org("shipper"), None, None)


def test_bill_is_found_by_its_document(trade: Trade) -> None:
    trade.issue()
    assert trade.chain.view(bill_of_lading.of_document, CHECKSUM) == trade.bill
    with trade.chain.refuses("NOT_FOUND"):
        trade.chain.view(bill_of_lading.of_document, "ab" * 32)


def test_bills_are_listed_by_their_holder_page_by_page(trade: Trade) -> None:
    issue_several(trade, "C", "A", "D", "B")
    trade.member("shipper").call(bill_of_lading.transfer, CARRIER, "D", Org("bank"))
    assert held(trade, "shipper") == [("carrier", "A"), ("carrier", "B"), ("carrier", "C")]
    assert held(trade, "shipper", CARRIER, "A", 1) == [("carrier", "B")]
    assert held(trade, "bank") == [("carrier", "D")]
    assert held(trade, "port") == []


def held(trade: Trade, holder: str, *page: Any) -> list[tuple[str, str]]:
    return [(name.carrier, name.bill_id) for name in trade.chain.view(bill_of_lading.held, Org(holder), *page)]


@pytest.mark.parametrize("limit", [0, -1, PAGE_BILLS_MAX + 1])
def test_page_of_another_size_is_refused(trade: Trade, limit: int) -> None:
    with trade.chain.refuses("LIMIT_INVALID"):
        trade.chain.view(bill_of_lading.held, Org("shipper"), limit=limit)
    with trade.chain.refuses("LIMIT_INVALID"):
        trade.chain.view(bill_of_lading.surrendered, CARRIER, limit=limit)


def test_carrier_finds_the_surrenders_that_wait_for_its_answer(trade: Trade) -> None:
    issue_several(trade, "A", "B", "C")
    for bill_id in ("C", "A"):
        trade.member("shipper").call(bill_of_lading.surrender, CARRIER, bill_id, False)
    assert trade.chain.view(bill_of_lading.surrendered, Org("carrier")) == ["A", "C"]
    assert trade.chain.view(bill_of_lading.surrendered, Org("carrier"), "A") == ["C"]
    trade.member("carrier").call(bill_of_lading.accept_surrender, "A")
    assert trade.chain.view(bill_of_lading.surrendered, Org("carrier")) == ["C"]


# --- Any sequence of actions -----------------------------------------------------------------------------------------

_party = st.sampled_from(PARTIES)
_action = st.one_of(
    st.tuples(st.just(bill_of_lading.transfer), _party),
    st.tuples(st.just(bill_of_lading.endorse), _party),
    st.tuples(st.just(bill_of_lading.endorse_to_order), _party),
    st.tuples(st.just(bill_of_lading.endorse_in_blank)),
    st.tuples(st.just(bill_of_lading.refuse_endorsement)),
    st.tuples(st.just(bill_of_lading.surrender), st.booleans()),
    st.tuples(st.just(bill_of_lading.accept_surrender)),
    st.tuples(st.just(bill_of_lading.reject_surrender)),
)


@given(
    st.sampled_from([{"consignee": "consignee"}, {"endorsee": "shipper"}, {"endorsee": "bank"}, {}]),
    st.lists(st.tuples(st.none() | _party, _action), max_size=25),
)
# All bills are traded on one chain, each apart from the others: on a node a chain of its own for each would take minutes.
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_actions_leave_one_holder_one_document_and_a_chain_that_tells_all(
    trade: Trade, made_out: dict[str, str], actions: list[tuple[str | None, tuple[Any, ...]]]
) -> None:
    trade.next().issue(**made_out)
    for actor, (action, *arguments) in actions:
        before = trade.bill
        party = before.holder if actor is None else actor  # mostly the one who can
        try:
            trade.act(party, action, *(Org(item) if isinstance(item, str) else item for item in arguments))
        except ContractStop:
            assert trade.bill == before
            continue
        bill = trade.bill
        # MLETR article 10(1)(b): one controller, before and after; nobody else acted.
        assert party == (before.title_holder if action is bill_of_lading.refuse_endorsement else before.holder)
        assert bill.holder in PARTIES
        # MLETR article 10(2): the document stays the same, and each change is an entry.
        assert (bill.document_checksum, bill.carrier, bill.shipper) == (trade.checksum, "carrier", "shipper")
        assert bill.chain[:-1] == before.chain
        assert bill.chain[-1].by == party
        # EBL_SUR 3.0.4: who surrendered was entitled.
        if action is bill_of_lading.surrender:
            assert before.title_holder in (None, party) or (before.title == Title.STRAIGHT and party == "shipper")
        # PINT: no endorsement moves possession, no transfer moves title.
        if bill.chain[-1].act == Act.TRANSFER:
            assert (bill.title, bill.title_holder) == (before.title, before.title_holder)
        if bill.chain[-1].act in (Act.ENDORSE, Act.ENDORSE_TO_ORDER, Act.BLANK_ENDORSE):
            assert bill.holder == before.holder
            assert before.title in (Title.TO_ORDER, Title.BEARER)
        assert before.status in (Status.LIVE, Status.SURRENDER_REQUESTED)
