"""Random calls by random parties never break an invariant, and end with nothing but the codes of the contract."""

from yunhe.contracts import Org
from yunhe.testing import Chain, invariants_of, stateful_test

import invariants
import receivable

PARTIES = {"car_maker": ["treasurer"], "seat_supplier": ["treasurer"], "foam_supplier": [], "bank": ["financier"]}


def three_debts(chain: Chain) -> None:
    """Begin with debts in three situations: due tomorrow, due in two years, and offered to a financier."""
    supplier, maker = chain.member("seat_supplier"), chain.member("car_maker").organisation
    both = chain.together(supplier, chain.member("car_maker"))
    now_ms = chain.time_ms
    for debt_id, days in (("D-1", 1), ("D-2", 730), ("D-3", 730)):
        due_ms = now_ms + days * receivable.DAY_MS
        both.call(receivable.issue, debt_id, maker, invoice=debt_id, cents=1_000, due_ms=due_ms)
    until_ms = now_ms + 365 * receivable.DAY_MS
    supplier.call(receivable.offer, "D-3", 0, Org("bank"), rate_ppm=36_000, until_ms=until_ms)


TestRandomCalls = stateful_test(
    receivable, members=PARTIES, invariants=invariants_of(invariants), prepare=three_debts
).TestCase
