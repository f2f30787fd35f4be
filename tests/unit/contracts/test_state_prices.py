"""What contracts pay for the state that they read and write, and for what they put into receipts: CON-121."""

import pytest

from tests.contract_ledger import Ledger, contract
from tests.unit.contracts.metered.loaded import Metered
from yunhe.contracts import prices
from yunhe.contracts.metered.syntax import INSTANCE_FIELD

SIZES = contract("""
class Text(Record):
    name: str
    text: str = ""

class Told(Event):
    text: str

texts: Table[Text] = Table(key="name")

@action
def keep(ctx: Context, name: str, length: int) -> None:
    texts.add(Text(name=name, text="a" * length))

@action
def read(ctx: Context, name: str) -> int:
    return len(texts[name].text)

@action
def walk(ctx: Context) -> int:
    return len(texts.scan())

@action
def tell(ctx: Context, length: int) -> None:
    emit(Told(text="a" * length))

@action
def answer(ctx: Context, length: int) -> str:
    return "a" * length
""")


def gas_for_size(action: str, length: int) -> int:
    ledger = Ledger(c=SIZES)
    if action in ("read", "walk"):
        assert ledger.call("bank", "c", "keep", name="x", length=length).code == "OK"
    arguments = {"keep": {"name": "x", "length": length}, "read": {"name": "x"}, "walk": {}}.get(action, {"length": length})
    outcome = ledger.call("bank", "c", action, **arguments)
    assert outcome.code == "OK"
    return outcome.gas_used


@pytest.mark.parametrize(
    ("action", "price"),
    [
        ("keep", prices.WRITE_BYTE),
        ("read", prices.READ_BYTE),
        ("walk", prices.READ_BYTE),
        ("tell", prices.EVENT_BYTE),
        ("answer", prices.RESULT_BYTE),
    ],
)
def test_con_121_records_events_and_results_are_charged_by_their_bytes(action, price) -> None:
    assert gas_for_size(action, 20_000) - gas_for_size(action, 10_000) >= 10_000 * price


def test_con_121_scan_is_charged_by_the_rows_that_it_meets() -> None:
    ledger = Ledger(c=SIZES)
    gas = []
    for name in "abc":
        ledger.call("bank", "c", "keep", name=name, length=10)
        gas.append(ledger.call("bank", "c", "walk").gas_used)
    assert gas[2] - gas[1] == gas[1] - gas[0] >= prices.SCAN_ROW


LOADS = contract("""
class Nested(Record):
    name: str
    items: list[str]

nesteds: Table[Nested] = Table(key="name")
log: Log[str, Nested] = Log()

@action
def keep(ctx: Context, length: int) -> None:
    nesteds.add(Nested(name="x", items=["a" * length]))
    log.append("x", Nested(name="x", items=["a" * length]))

@action
def nested(ctx: Context) -> int:
    return len(nesteds["x"].name)

@action
def entry(ctx: Context) -> int:
    found = log.last("x")
    return 0 if found is None else len(found.name)

@action
def twice(ctx: Context) -> int:
    return len(nesteds["x"].name) + len(nesteds["x"].name)
""")


def gas_to_load(action: str, length: int = 100) -> int:
    ledger = Ledger(c=LOADS)
    assert ledger.call("bank", "c", "keep", length=length).code == "OK"
    outcome = ledger.call("bank", "c", action)
    assert outcome.code == "OK"
    return outcome.gas_used


def test_con_121_record_that_can_nest_is_charged_for_its_bytes_once_more() -> None:
    for action in ("nested", "entry"):
        assert gas_to_load(action, 10_100) - gas_to_load(action, 100) >= 10_000 * (prices.READ_BYTE + prices.LOAD_NESTED_BYTE)


def test_con_121_first_look_at_a_key_costs_more_than_the_next() -> None:
    once, twice = gas_to_load("nested"), gas_to_load("twice")
    assert prices.READ_KNOWN < twice - once < prices.READ


def test_con_121_fields_that_are_left_to_their_defaults_cost_as_those_that_are_given() -> None:
    made = "class R(Record):\n    a: int = 0\n    b: int = 0\n\n@view\ndef f(ctx: Context) -> int:\n    return {}.a\n"
    gas = []
    for instance in ("R()", "R(a=0, b=0)"):
        metered = Metered("", source=contract(made.format(instance)))
        assert metered() == 0
        gas.append(metered.gas)
    # Evaluating the two constants is all that differs.
    assert 0 <= gas[1] - gas[0] < 2 * INSTANCE_FIELD
