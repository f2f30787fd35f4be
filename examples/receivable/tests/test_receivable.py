"""What the contract allows, and what it refuses. Every test checks the declared invariants after each call."""

from collections.abc import Callable
from typing import Any

import pytest
from yunhe.contracts import Org
from yunhe.testing import Call, Chain, Member, invariants_of

import agent
import invariants
import receivable
from receivable import Act, Claim, Debt, Share, Status

DAY_MS = receivable.DAY_MS
MAKER, SEATS, FOAM, BANK = Org("car_maker"), Org("seat_supplier"), Org("foam_supplier"), Org("bank")


class Trade:
    """A chain with the contract, the parties, and one debt of 1,000 cents that is due in 90 days."""

    def __init__(self, chain: Chain) -> None:
        self.chain = chain
        chain.deploy(receivable)
        chain.keep(*invariants_of(invariants))
        self.maker = chain.member(MAKER, "treasurer", roles=["treasurer"])
        self.seats, self.foam = chain.member(SEATS), chain.member(FOAM)
        self.bank = chain.member(BANK, roles=["financier"])
        self.due_ms = chain.time_ms + 90 * DAY_MS
        self.issue("D-1", "2026-117")

    def issue(self, debt_id: str, invoice: str, **other: Any) -> None:
        terms: dict[str, Any] = {"debtor": MAKER, "cents": 1_000, "due_ms": self.due_ms}
        self.chain.together(self.seats, self.maker).call(receivable.issue, debt_id, invoice=invoice, **terms | other)

    def offer(self, number: int = 0, *, rate_ppm: int = 36_000, days: int = 2) -> None:
        until_ms = self.chain.time_ms + days * DAY_MS
        self.seats.call(receivable.offer, "D-1", number, BANK, rate_ppm=rate_ppm, until_ms=until_ms)

    def claim(self, number: int) -> Claim:
        return self.chain.view(receivable.claim, "D-1", number)

    def acts(self, number: int) -> list[Act]:
        return [step.act for step in self.chain.view(receivable.history, "D-1", number)]


@pytest.fixture
def trade(chain: Chain) -> Trade:
    return Trade(chain)


# --- Issue ------------------------------------------------------------------------------------------------------------


def test_debt_that_both_sign_begins_as_one_claim_of_the_supplier(trade: Trade, chain: Chain) -> None:
    debt = Debt(debt_id="D-1", supplier=SEATS, debtor=MAKER, invoice="2026-117", cents=1_000, due_ms=trade.due_ms)
    assert chain.view(receivable.debt, "D-1") == chain.view(receivable.debt_over, SEATS, "2026-117") == debt
    assert trade.claim(0) == Claim(debt_id="D-1", number=0, holder=SEATS, cents=1_000)
    assert chain.view(receivable.total_owed, MAKER) == 1_000
    assert [event.cents for event in chain.emitted(receivable.DebtIssued)] == [1_000]


def test_debt_without_the_signature_of_a_treasurer_of_the_debtor_is_refused(trade: Trade, chain: Chain) -> None:
    terms: dict[str, Any] = {"debtor": MAKER, "invoice": "2026-118", "cents": 1, "due_ms": trade.due_ms}
    with chain.refuses("ROLE_REQUIRED"):
        trade.seats.call(receivable.issue, "D-2", **terms)
    with chain.refuses("ROLE_REQUIRED"):
        chain.together(trade.seats, chain.member(MAKER, "clerk")).call(receivable.issue, "D-2", **terms)


def test_invoice_brings_one_debt_whatever_it_is_called(trade: Trade, chain: Chain) -> None:
    with chain.refuses("INVOICE_TAKEN"):
        trade.issue("D-2", "2026-117")
    with chain.refuses("ALREADY_EXISTS"):
        trade.issue("D-1", "2026-118")
    chain.together(trade.foam, trade.maker).call(
        receivable.issue, "D-2", debtor=MAKER, invoice="2026-117", cents=1, due_ms=trade.due_ms
    )


@pytest.mark.parametrize(
    ("terms", "code"),
    [
        ({"debtor": SEATS}, "ROLE_REQUIRED"),
        ({"cents": 0}, "AMOUNT_INVALID"),
        ({"cents": receivable.CENTS_MAX + 1}, "AMOUNT_INVALID"),
        ({"due_ms": 0}, "DUE_TIME_INVALID"),
        ({"due_ms": 10 * receivable.TERM_MS_MAX + 1_767_225_600_000}, "DUE_TIME_INVALID"),
        ({"invoice": " "}, "INVOICE_INVALID"),
        ({"invoice": "X" * 41}, "INVOICE_INVALID"),
        ({"invoice": ""}, "INVOICE_INVALID"),
        ({"invoice": "2026-117 "}, "INVOICE_INVALID"),
        ({"invoice": "inv-118"}, "INVOICE_INVALID"),
        ({"invoice": "2026\u2010117"}, "INVOICE_INVALID"),
        ({"debt_id": ""}, "DEBT_ID_INVALID"),
    ],
)
def test_debt_with_terms_that_cannot_be_is_refused(
    trade: Trade, chain: Chain, terms: dict[str, Any], code: str
) -> None:
    given = {"debt_id": "D-2", "invoice": "2026-118", **terms}
    with chain.refuses(code):
        trade.issue(**given)


def test_nobody_is_its_own_debtor(trade: Trade, chain: Chain) -> None:
    with chain.refuses("DEBTOR_IS_SUPPLIER"):
        trade.maker.call(receivable.issue, "D-2", MAKER, "2026-118", 1, trade.due_ms)


# --- Split and transfer -----------------------------------------------------------------------------------------------


def test_parts_add_up_to_the_claim_and_are_passed_on_one_by_one(trade: Trade, chain: Chain) -> None:
    assert trade.seats.call(receivable.split, "D-1", 0, [300, 700]) == [1, 2]
    trade.seats.call(receivable.transfer, "D-1", 1, FOAM)
    assert trade.foam.call(receivable.split, "D-1", 1, [100, 200]) == [3, 4]
    held = {number: (claim.holder, claim.cents) for (_, number), claim in chain.rows(receivable.claims).items()}
    assert held == {0: (SEATS, 0), 1: (FOAM, 0), 2: (SEATS, 700), 3: (FOAM, 100), 4: (FOAM, 200)}
    assert trade.acts(1) == [Act.SPLIT_OFF, Act.TRANSFERRED, Act.SPLIT]
    assert trade.claim(4).part_of == 1


@pytest.mark.parametrize(
    ("parts", "code"),
    [
        ([300, 701], "PARTS_DO_NOT_ADD_UP"),
        ([300, 699], "PARTS_DO_NOT_ADD_UP"),
        ([1_000], "PARTS_INVALID"),
        ([1_000, 0], "PARTS_INVALID"),
        ([1_001, -1], "PARTS_INVALID"),
        ([], "PARTS_INVALID"),
        ([1] * 21, "PARTS_INVALID"),
    ],
)
def test_parts_that_do_not_make_the_claim_are_refused(trade: Trade, chain: Chain, parts: list[int], code: str) -> None:
    with chain.refuses(code):
        trade.seats.call(receivable.split, "D-1", 0, parts)


def test_split_and_transfer_in_one_transaction_take_effect_together_or_not_at_all(trade: Trade, chain: Chain) -> None:
    pay_foam = Call(receivable.split, "D-1", 0, [300, 700])
    with chain.refuses("PARTY_UNKNOWN"):
        trade.seats.transact(pay_foam, Call(receivable.transfer, "D-1", 1, Org("stranger")))
    assert trade.claim(0).cents == 1_000
    trade.seats.transact(pay_foam, Call(receivable.transfer, "D-1", 1, FOAM))
    assert trade.claim(1).holder == FOAM


def test_claim_is_not_passed_on_to_its_holder_or_its_debtor(trade: Trade, chain: Chain) -> None:
    with chain.refuses("ALREADY_HOLDER"):
        trade.seats.call(receivable.transfer, "D-1", 0, SEATS)
    with chain.refuses("DEBTOR_CANNOT_HOLD"):
        trade.seats.call(receivable.transfer, "D-1", 0, MAKER)


def test_claim_that_was_split_is_over(trade: Trade, chain: Chain) -> None:
    trade.seats.call(receivable.split, "D-1", 0, [300, 700])
    with chain.refuses("NOTHING_OWED"):
        trade.seats.call(receivable.transfer, "D-1", 0, FOAM)


def test_nobody_but_the_holder_disposes_of_a_claim(trade: Trade, chain: Chain) -> None:
    calls: list[tuple[Callable[..., Any], tuple[Any, ...]]] = [
        (receivable.split, ([300, 700],)),
        (receivable.transfer, (FOAM,)),
        (receivable.offer, (BANK, 0, trade.due_ms)),
    ]
    for action, arguments in calls:
        with chain.refuses("NOT_HOLDER"):
            trade.foam.call(action, "D-1", 0, *arguments)


# --- Financing --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rate_ppm", "days_later", "price"),
    [(36_000, 0, 991), (36_000, 1, 991), (0, 0, 1_000), (1_000_000, 0, 750), (1, 0, 999)],
)
def test_financier_takes_a_claim_over_at_the_price_of_that_day(
    trade: Trade, chain: Chain, rate_ppm: int, days_later: int, price: int
) -> None:
    trade.offer(rate_ppm=rate_ppm)
    chain.advance(days_later * DAY_MS)
    assert chain.view(receivable.price, "D-1", 0) == price
    assert trade.bank.call(receivable.finance, "D-1", 0) == price
    assert trade.claim(0) == Claim(debt_id="D-1", number=0, holder=BANK, cents=1_000)
    financed = receivable.ClaimFinanced(debt_id="D-1", number=0, seller=SEATS, financier=BANK, price_cents=price)
    assert chain.emitted(receivable.ClaimFinanced) == [financed]


def test_locked_claim_is_neither_split_nor_passed_on_nor_offered_again(trade: Trade, chain: Chain) -> None:
    trade.offer()
    other = chain.member("other_bank", roles=["financier"]).organisation
    for call in (
        Call(receivable.split, "D-1", 0, [300, 700]),
        Call(receivable.transfer, "D-1", 0, FOAM),
        Call(receivable.offer, "D-1", 0, other, rate_ppm=1, until_ms=trade.due_ms),
    ):
        with chain.refuses("LOCKED"):
            trade.seats.transact(call)
    assert [claim.number for claim in chain.view(receivable.offered, BANK)] == [0]


def test_lock_ends_with_the_offer(trade: Trade, chain: Chain) -> None:
    trade.offer(days=2)
    chain.advance(2 * DAY_MS)
    with chain.refuses("OFFER_ENDED"):
        trade.bank.call(receivable.finance, "D-1", 0)
    trade.seats.call(receivable.transfer, "D-1", 0, FOAM)
    assert trade.claim(0) == Claim(debt_id="D-1", number=0, holder=FOAM, cents=1_000)


def test_financier_declines_and_the_claim_is_free(trade: Trade, chain: Chain) -> None:
    trade.offer()
    trade.bank.call(receivable.decline, "D-1", 0)
    assert trade.claim(0) == Claim(debt_id="D-1", number=0, holder=SEATS, cents=1_000)
    assert chain.view(receivable.offered, BANK) == []
    trade.seats.call(receivable.transfer, "D-1", 0, FOAM)


def test_nobody_else_takes_or_declines_what_is_offered(trade: Trade, chain: Chain) -> None:
    trade.offer()
    other, clerk = chain.member("other_bank", roles=["financier"]), chain.member(BANK, "clerk")
    for action in (receivable.finance, receivable.decline):
        with chain.refuses("NOT_OFFERED_TO_YOU"):
            other.call(action, "D-1", 0)
        with chain.refuses("ROLE_REQUIRED"):
            clerk.call(action, "D-1", 0)


@pytest.mark.parametrize(
    ("terms", "code"),
    [
        ({"rate_ppm": -1}, "RATE_INVALID"),
        ({"rate_ppm": receivable.RATE_PPM_MAX + 1}, "RATE_INVALID"),
        ({"days": 0}, "OFFER_TIME_INVALID"),
        ({"days": 91}, "OFFER_TIME_INVALID"),
    ],
)
def test_offer_with_terms_that_cannot_be_is_refused(
    trade: Trade, chain: Chain, terms: dict[str, int], code: str
) -> None:
    with chain.refuses(code):
        trade.offer(**terms)


def test_price_of_what_is_not_offered_is_none(trade: Trade, chain: Chain) -> None:
    with chain.refuses("NOT_OFFERED"):
        chain.view(receivable.price, "D-1", 0)
    trade.offer(days=2)
    chain.advance(2 * DAY_MS)
    trade.issue("D-2", "2026-118")  # a view is of the last block's time
    with chain.refuses("OFFER_ENDED"):
        chain.view(receivable.price, "D-1", 0)


def test_claim_is_never_offered_for_nothing(trade: Trade, chain: Chain) -> None:
    trade.issue("D-2", "2026-118", cents=1)
    until_ms = chain.time_ms + DAY_MS
    with chain.refuses("PRICE_IS_ZERO"):
        trade.seats.call(receivable.offer, "D-2", 0, BANK, rate_ppm=1, until_ms=until_ms)
    trade.seats.call(receivable.offer, "D-2", 0, BANK, rate_ppm=0, until_ms=until_ms)


def test_another_contract_disposes_of_no_claim(trade: Trade, chain: Chain) -> None:
    chain.deploy(agent)
    assert chain.view(agent.holder, "D-1", 0) == SEATS
    trade.offer()
    both = chain.together(trade.seats, trade.maker)
    with chain.refuses("DIRECT_CALL_ONLY"):
        trade.seats.call(agent.transfer, "D-1", 0, FOAM)
    with chain.refuses("DIRECT_CALL_ONLY"):
        trade.bank.call(agent.finance, "D-1", 0)
    with chain.refuses("DIRECT_CALL_ONLY"):
        both.call(agent.issue, "D-2", MAKER, trade.due_ms)
    chain.time_ms = trade.due_ms
    with chain.refuses("DIRECT_CALL_ONLY"):
        trade.maker.call(agent.pay, "D-1", 1)


# --- Payment ----------------------------------------------------------------------------------------------------------


def divided(trade: Trade) -> Member:
    """Divide the debt among three holders, let it be due, and return its debtor."""
    trade.seats.call(receivable.split, "D-1", 0, [333, 333, 334])
    trade.seats.call(receivable.transfer, "D-1", 1, FOAM)
    trade.seats.call(receivable.transfer, "D-1", 3, BANK)
    trade.chain.time_ms = trade.due_ms
    return trade.maker


def test_payment_is_shared_in_proportion_and_nothing_is_lost_in_rounding(trade: Trade, chain: Chain) -> None:
    maker = divided(trade)
    assert maker.call(receivable.pay, "D-1", 100) == [
        Share(number=1, holder=FOAM, cents=33),
        Share(number=2, holder=SEATS, cents=33),
        Share(number=3, holder=BANK, cents=34),
    ]
    assert [trade.claim(number).cents for number in (1, 2, 3)] == [300, 300, 300]
    (paid,) = chain.emitted(receivable.DebtPaid)
    assert (paid.cents, paid.left_cents) == (100, 900)


def test_debt_that_is_paid_is_over(trade: Trade, chain: Chain) -> None:
    maker = divided(trade)
    for cents in (1, 998, 1):
        maker.call(receivable.pay, "D-1", cents)
    assert {claim.status for claim in chain.rows(receivable.claims).values()} == {Status.SPLIT, Status.PAID}
    assert chain.view(receivable.total_owed, MAKER) == 0
    assert [payment.cents for payment in chain.rows(receivable.payments)["D-1"]] == [1, 998, 1]
    with chain.refuses("AMOUNT_INVALID"):
        maker.call(receivable.pay, "D-1", 1)


def test_more_than_is_owed_or_nothing_is_not_paid(trade: Trade, chain: Chain) -> None:
    maker = divided(trade)
    for cents in (1_001, 0, -1):
        with chain.refuses("AMOUNT_INVALID"):
            maker.call(receivable.pay, "D-1", cents)


def test_debt_is_paid_when_it_is_due_and_not_before(trade: Trade, chain: Chain) -> None:
    with chain.refuses("NOT_DUE"):
        trade.maker.call(receivable.pay, "D-1", 1_000)
    chain.time_ms = trade.due_ms
    trade.maker.call(receivable.pay, "D-1", 1_000)


def test_nobody_but_a_treasurer_of_the_debtor_puts_a_payment_on_record(trade: Trade, chain: Chain) -> None:
    divided(trade)
    with chain.refuses("NOT_DEBTOR"):
        trade.seats.call(receivable.pay, "D-1", 1)
    with chain.refuses("ROLE_REQUIRED"):
        chain.member(MAKER, "clerk").call(receivable.pay, "D-1", 1)


def test_claim_of_a_debt_that_is_due_is_not_disposed_of(trade: Trade, chain: Chain) -> None:
    divided(trade)
    for call in (Call(receivable.split, "D-1", 2, [1, 332]), Call(receivable.transfer, "D-1", 2, FOAM)):
        with chain.refuses("DUE"):
            trade.seats.transact(call)


def test_offer_that_nobody_took_does_not_stand_in_the_way_of_a_payment(trade: Trade, chain: Chain) -> None:
    trade.offer(days=90 - 1)
    chain.time_ms = trade.due_ms
    assert trade.maker.call(receivable.pay, "D-1", 400) == [Share(number=0, holder=SEATS, cents=400)]
    assert trade.claim(0) == Claim(debt_id="D-1", number=0, holder=SEATS, cents=600)


def test_debt_in_as_many_claims_as_it_can_have_is_paid_in_one_call(trade: Trade, chain: Chain) -> None:
    for first in range(0, 99, 11):
        trade.seats.call(receivable.split, "D-1", first, [1] * 10 + [990 - 10 * (first // 11)])
    with chain.refuses("TOO_MANY_CLAIMS"):
        trade.seats.call(receivable.split, "D-1", 99, [1, 909])
    chain.time_ms = trade.due_ms
    assert len(trade.maker.call(receivable.pay, "D-1", 999)) == 91


# --- Lookups ----------------------------------------------------------------------------------------------------------


def test_claims_of_a_holder_are_listed_page_by_page(trade: Trade, chain: Chain) -> None:
    trade.seats.call(receivable.split, "D-1", 0, [100, 200, 700])
    trade.issue("D-0", "2026-118", cents=5)
    first = chain.view(receivable.held, SEATS, Status.OPEN, limit=2)
    last = first[-1]
    second = chain.view(receivable.held, SEATS, Status.OPEN, last.debt_id, last.number, 2)
    assert [(claim.debt_id, claim.number) for claim in first + second] == [
        ("D-0", 0),
        ("D-1", 1),
        ("D-1", 2),
        ("D-1", 3),
    ]
    assert [claim.number for claim in chain.view(receivable.held, SEATS, Status.SPLIT)] == [0]


def test_page_of_claims_without_a_sensible_limit_is_refused(trade: Trade, chain: Chain) -> None:
    for limit in (-1, 0, receivable.PAGE_CLAIMS_MAX + 1):
        with chain.refuses("LIMIT_INVALID"):
            chain.view(receivable.held, SEATS, Status.OPEN, limit=limit)


def test_debts_of_a_debtor_are_listed_by_the_time_when_they_are_due(trade: Trade, chain: Chain) -> None:
    trade.issue("D-2", "2026-118", due_ms=trade.due_ms - DAY_MS)
    trade.issue("D-3", "2026-119", due_ms=trade.due_ms + DAY_MS)
    due = chain.view(receivable.due, MAKER, trade.due_ms + 1)
    assert [debt.debt_id for debt in due] == ["D-2", "D-1"]
