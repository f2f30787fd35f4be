"""What has to hold of all receivables after every transaction. A node knows nothing of it: tests check it."""

from yunhe.testing import Chain, invariant

import receivable
from receivable import Claim, Status


@invariant
def every_cent_is_owed_or_paid(chain: Chain) -> None:
    claims = claims_by_debt(chain)
    for debt_id, debt in chain.rows(receivable.debts).items():
        assert sum(claim.cents for claim in claims[debt_id]) + debt.paid_cents == debt.cents, debt


@invariant
def no_claim_is_negative_and_those_without_a_cent_are_over(chain: Chain) -> None:
    for claim in chain.rows(receivable.claims).values():
        assert claim.cents >= 0, claim
        assert (claim.cents == 0) == (claim.status in (Status.SPLIT, Status.PAID)), claim


@invariant
def a_claim_is_locked_for_one_financier_until_the_debt_is_due_at_the_latest(chain: Chain) -> None:
    debts = chain.rows(receivable.debts)
    for claim in chain.rows(receivable.claims).values():
        assert (claim.status == Status.LOCKED) == (claim.financier is not None), claim
        assert claim.financier != claim.holder, claim
        assert claim.locked_until_ms <= debts[claim.debt_id].due_ms, claim


@invariant
def a_debtor_holds_no_claim_on_itself(chain: Chain) -> None:
    debts = chain.rows(receivable.debts)
    for claim in chain.rows(receivable.claims).values():
        assert claim.holder != debts[claim.debt_id].debtor, claim


@invariant
def parts_of_a_claim_are_of_its_debt_and_later(chain: Chain) -> None:
    for claim in chain.rows(receivable.claims).values():
        assert claim.part_of is None or 0 <= claim.part_of < claim.number, claim


@invariant
def counters_and_logs_say_what_the_records_say(chain: Chain) -> None:
    owed: dict[str, int] = {}
    payments = chain.rows(receivable.payments)
    for debt_id, debt in chain.rows(receivable.debts).items():
        owed[debt.debtor] = owed.get(debt.debtor, 0) + debt.cents - debt.paid_cents
        assert sum(payment.cents for payment in payments.get(debt_id, [])) == debt.paid_cents, debt
    assert chain.rows(receivable.owed) == owed
    steps = chain.rows(receivable.steps)
    for key, claim in chain.rows(receivable.claims).items():
        last = steps[key][-1]
        assert (last.holder, last.cents) == (claim.holder, claim.cents), claim


def claims_by_debt(chain: Chain) -> dict[str, list[Claim]]:
    """Return the claims of each debt."""
    found: dict[str, list[Claim]] = {}
    for claim in chain.rows(receivable.claims).values():
        found.setdefault(claim.debt_id, []).append(claim)
    return found
