"""What is said of errors: bounded, encodable, and made of nothing that could be large (CON-133)."""

import pytest

from tests.contract_ledger import Ledger, contract
from yunhe.contracts.context import Context, require_role, require_signer
from yunhe.contracts.faults import Fault, Refusal
from yunhe.contracts.scalars import Org
from yunhe.errors import ViewRefusedError
from yunhe.limits import FAULT_CHARS_MAX

LARGE = contract("""
@action
def miss(ctx: Context, times: int) -> None:
    key = "a" * times
    entries: dict[str, int] = {}
    entries[key] += 1

@action
def look(ctx: Context, times: int) -> int:
    return [1].index(times)

@action
def find(ctx: Context, times: int) -> int:
    return [5, 6, 6].index(times)

@view
def ask(ctx: Context, code: int) -> int:
    call_view("other", chr(code) * 1000)
    return 1
""")
OTHER = contract("""
@view
def f(ctx: Context) -> int:
    return 1
""")


OWNED = contract("""
class Thing(Record):
    name: str
    holder: Org

things: Table[Thing] = Table(key="name")

@view
def owner(ctx: Context) -> Org:
    return ctx.sender

@action
def give(ctx: Context) -> Org:
    return call_view("other", "owner")

@action
def keep(ctx: Context) -> None:
    things.add(Thing(name="a", holder=call_view("other", "owner")))
""")


def fault(action: str, times: int) -> str:
    ledger = Ledger(large=LARGE)
    assert ledger.call("bank", "large", action, times=times).code == "CONTRACT_FAULT"
    return ledger.runner.faults[0]


def test_con_133_short_value_is_shown() -> None:
    assert fault("miss", 3).startswith("KeyError: 'aaa' (contract large, line ")


def test_con_133_long_value_is_not_shown() -> None:
    assert fault("miss", 1_000_000).startswith("KeyError (contract large, line ")


def test_con_133_value_that_is_not_found_is_not_written_out() -> None:
    assert fault("look", 5).startswith("CONTRACT_FAULT: index() of a value")


@pytest.mark.parametrize(("value", "position"), [(5, 0), (6, 1)])
def test_con_133_value_that_is_found_has_its_first_position(value, position) -> None:
    assert Ledger(large=LARGE).call("bank", "large", "find", times=value).results == (position,)


@pytest.mark.parametrize("code", [0x61, 0xD800, 0x10FFFF])
def test_con_133_refusal_of_a_view_is_short_and_can_be_encoded(code) -> None:
    with pytest.raises(ViewRefusedError) as caught:
        Ledger(large=LARGE, other=OTHER).view("large", "ask", code=code)
    assert len(caught.value.message.encode()) < 8 * FAULT_CHARS_MAX
    assert caught.value.refusal == "ACTION_NOT_FOUND"


def context(sender: str) -> Context:
    return Context(Org(sender), (), None, "c", 1, 1)


@pytest.mark.parametrize("value", [["deep"], 5, None])
def test_con_133_roles_and_organisations_are_text(value) -> None:
    with pytest.raises(Fault):
        require_signer(context("bank"), value)
    with pytest.raises(Fault):
        require_role(context("bank"), value)
    if value is not None:
        with pytest.raises(Fault):
            require_role(context("bank"), "admin", value)


def test_con_133_text_for_an_organisation_is_refused_by_name() -> None:
    with pytest.raises(Refusal, match="port did not sign"):
        require_signer(context("bank"), Org("port"))


def test_con_109_record_that_looks_like_a_context_is_none() -> None:
    class Forged:
        sender = Org("bank")
        signers = ()

    with pytest.raises(Fault):
        require_signer(Forged(), Org("bank"))  # type: ignore[arg-type]
    with pytest.raises(Fault):
        require_role(Forged(), "admin")  # type: ignore[arg-type]


@pytest.mark.parametrize(("action", "where"), [("give", ""), ("keep", "Thing.holder: ")])
def test_con_100_name_that_another_contract_returned_is_told_to_be_made_an_organisation(action, where) -> None:
    ledger = Ledger(owned=OWNED, other=OWNED)
    assert ledger.call("bank", "owned", action).code == "CONTRACT_FAULT"
    assert f"{where}expected Org, found str; make it one with Org(...)" in ledger.runner.faults[0]
