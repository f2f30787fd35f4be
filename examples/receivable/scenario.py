"""A supplier passes a part of what it is owed on, has the rest financed, and all are paid when it is due."""

from yunhe.contracts import Org
from yunhe.testing import Chain, invariants_of

import invariants
import receivable


def scenario(chain: Chain) -> None:
    """Play it: `yunhe contract run scenario.py` tells what each call did."""
    chain.deploy(receivable)
    chain.keep(*invariants_of(invariants))
    maker = chain.member("car_maker", "treasurer", roles=["treasurer"])
    seats, foam = chain.member("seat_supplier"), chain.member("foam_supplier")
    bank, other = chain.member("bank", roles=["financier"]), chain.member("other_bank", roles=["financier"])
    due_ms = chain.time_ms + 90 * receivable.DAY_MS

    # Both sign; the same invoice brings no second debt.
    together = chain.together(seats, maker)
    together.call(
        receivable.issue, "D-1", debtor=maker.organisation, invoice="2026-117", cents=1_000_000, due_ms=due_ms
    )
    with chain.refuses("INVOICE_TAKEN"):
        together.call(
            receivable.issue, "D-2", debtor=maker.organisation, invoice="2026-117", cents=1_000_000, due_ms=due_ms
        )

    # A part of it pays for the foam.
    assert seats.call(receivable.split, "D-1", 0, parts=[300_000, 700_000]) == [1, 2]
    seats.call(receivable.transfer, "D-1", 1, to=foam.organisation)

    # The rest is offered to one bank, and to no other one meanwhile.
    until_ms = chain.time_ms + 2 * receivable.DAY_MS
    seats.call(receivable.offer, "D-1", 2, financier=bank.organisation, rate_ppm=36_000, until_ms=until_ms)
    with chain.refuses("LOCKED"):
        seats.call(receivable.offer, "D-1", 2, financier=other.organisation, rate_ppm=40_000, until_ms=until_ms)
    chain.advance(receivable.DAY_MS)
    assert bank.call(receivable.finance, "D-1", 2) == 700_000 - 6_300 + 70

    # When it is due the car maker pays in two parts, and each holder has its share of both.
    chain.time_ms = due_ms
    maker.call(receivable.pay, "D-1", 500_001)
    maker.call(receivable.pay, "D-1", 499_999)
    assert chain.view(receivable.total_owed, maker.organisation) == 0
    assert paid_to(chain, "foam_supplier") == 300_000
    assert paid_to(chain, "bank") == 700_000


def paid_to(chain: Chain, holder: str) -> int:
    """Return what the history of its claims says that a holder was paid."""
    paid = 0
    for claim in chain.view(receivable.held, Org(holder), receivable.Status.PAID):
        steps = chain.view(receivable.history, claim.debt_id, claim.number)
        before = [step.cents for step in steps if step.act != receivable.Act.PAID]
        paid += before[-1] - claim.cents
    return paid
