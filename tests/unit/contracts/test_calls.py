"""Refusals: CON-108."""

import pytest

from tests.contract_ledger import Ledger, contract
from yunhe.contracts import refuse, require
from yunhe.contracts.faults import Fault, Refusal
from yunhe.contracts.vocabulary import RESERVED_CODES

GATE = contract("""
visits: Map[str, int] = Map(default=0)

def checked(amount: int) -> None:
    require(amount > 0, "NOT_POSITIVE")
    require(amount < 100, "TOO_MUCH")

@action
def enter(ctx: Context, amount: int) -> int:
    visits["all"] += 1
    for step in range(3):
        checked(amount + step)
    if amount == 50:
        refuse("HALF")
    visits["done"] += 1
    return amount

@view
def seen(ctx: Context, name: str) -> int:
    require(name != "", "NAMELESS")
    return visits[name]
""")


def test_con_108_condition_that_holds_lets_the_transaction_go_on() -> None:
    ledger = Ledger(gate=GATE)
    assert ledger.call("bank", "gate", "enter", amount=5).results == (5,)
    assert [ledger.view("gate", "seen", name=name) for name in ("all", "done")] == [1, 1]


@pytest.mark.parametrize(("amount", "code"), [(0, "NOT_POSITIVE"), (98, "TOO_MUCH"), (50, "HALF")])
def test_con_108_refusal_ends_the_transaction_with_its_code_and_no_effect(amount, code) -> None:
    ledger = Ledger(gate=GATE)
    outcome = ledger.call("bank", "gate", "enter", amount=amount)
    assert (outcome.code, outcome.call_index, outcome.results) == (code, 0, ())
    assert ledger.keys("gate") == []


@pytest.mark.parametrize("code", ["NOT_FOUND", "ALREADY_EXISTS", "SIGNER_REQUIRED", "ROLE_REQUIRED", "A", "A" * 40, "A_1"])
def test_con_108_contract_may_use_codes_of_its_own_and_of_the_api(code) -> None:
    with pytest.raises(Refusal) as caught:
        refuse(code)
    assert caught.value.code == code


@pytest.mark.parametrize("code", [*sorted(RESERVED_CODES), "", "lower", "A" * 41, "1A", "_A", "A-B", "É", "A\n", 5, None])
def test_con_108_codes_of_the_runtime_and_what_is_none_are_a_fault(code) -> None:
    # A contract that pytest imports plainly is not checked first, so the runtime looks as well.
    with pytest.raises(Fault):
        refuse(code)
    with pytest.raises(Fault):
        require(False, code)


@pytest.mark.parametrize("condition", [True, 1, "a", [0]])
def test_con_108_truth_of_the_condition_counts(condition) -> None:
    require(condition, "NO")
