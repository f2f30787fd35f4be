"""What contracts pay for the state that they read and write, and for what they put into receipts: CON-121."""

import pytest

from tests.contract_ledger import Ledger, contract, transaction
from tests.unit.contracts.metered.loaded import Metered
from yunhe.contracts import prices
from yunhe.contracts.metered.syntax import INSTANCE_FIELD
from yunhe.ledger.interfaces import BlockContext
from yunhe.testing import MemoryState

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


STATE = contract("""
class Box(Record):
    number: int
    owner: str = ""
    seal: int | None = None

boxes: Table[Box] = Table(key="number")
boxes_by_owner: Index[Box] = Index(boxes, by="owner")
box_of_seal: Unique[Box] = Unique(boxes, by="seal")
counts: Map[int, int] = Map(default=0)
steps: Log[int, Box] = Log()

@action
def fill(ctx: Context, count: int) -> None:
    for i in range(count):
        boxes.add(Box(number=i, owner=f"o{i}", seal=i))
        counts[i] = i
        steps.append(i, Box(number=i))

@action
def run(ctx: Context, what: str, count: int) -> None:
    for i in range(count):
        if what == "get":
            found = boxes[i].number
        elif what == "miss":
            known = (-1 - i) in boxes
        elif what == "add":
            boxes.add(Box(number=-1 - i, seal=-1 - i))
        elif what == "save":
            box = boxes[i]
            box.owner = "z"
            box.seal = -1 - i
            boxes.save(box)
        elif what == "delete":
            boxes.delete(i)
        elif what == "scan":
            n = len(boxes.scan(start=i, limit=1))
        elif what == "index":
            n = len(boxes_by_owner.scan(prefix=f"o{i}"))
        elif what == "unique":
            found = box_of_seal[i].number
        elif what == "map":
            counts.add(i, 1)
        elif what == "last":
            last = steps.last(i) is None
        elif what == "append":
            steps.append(i, Box(number=i))
""")


class Asked:
    """Counts the questions that a state is asked by one who remembers every answer."""

    def __init__(self, state: MemoryState) -> None:
        self._state = state
        self._known: set[bytes] = set()
        self.questions = 0

    def get(self, key: bytes) -> bytes | None:
        return self.get_many([key])[0]

    def get_many(self, keys: list[bytes]) -> list[bytes | None]:
        self.questions += not self._known.issuperset(keys)
        self._known.update(keys)
        return self._state.get_many(keys)

    def scan(self, start: bytes, end: bytes, limit: int, *, reverse: bool = False) -> list[tuple[bytes, bytes]]:
        self.questions += 1
        rows = self._state.scan(start, end, limit, reverse=reverse)
        self._known.update(key for key, _ in rows)
        return rows


@pytest.mark.parametrize("what", ["get", "miss", "add", "save", "delete", "scan", "index", "unique", "map", "last", "append"])
def test_con_121_every_question_that_the_node_is_asked_was_paid_as_one(what) -> None:
    count = 50
    ledger = Ledger(c=STATE)
    assert ledger.call("bank", "c", "fill", count=count).code == "OK"
    found = []
    for rounds in (0, count):
        asked = Asked(ledger.state)
        block = [transaction("bank", ("c", "run", {"what": what, "count": rounds}))]
        (outcome,) = ledger.runner.execute(BlockContext(ledger.height, ledger.time_ms), block, asked).outcomes
        assert outcome.code == "OK"
        found.append((asked.questions, outcome.gas_used))
    (questions_of_none, gas_of_none), (questions, gas) = found
    assert questions - questions_of_none >= count
    # One question is free of charge: what a block deleted is looked up at its end, all at once.
    assert gas - gas_of_none >= (questions - questions_of_none - 1) * min(prices.READ, prices.SCAN)
