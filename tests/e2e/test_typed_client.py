"""A generated client on a real node: actions, results, events, refusals, views, tables, maps and logs, each typed."""

from pathlib import Path

import pytest

from tests.e2e.node_process import NodeProcess, yunhe_json
from tests.imported_module import imported
from yunhe.contracts import Rounding
from yunhe.sdk import Call, TransactionRefusedError, ViewRefusedError
from yunhe.sdk.typed import OtherEvent

SHOP = '''"""Orders of a shop."""

from yunhe.contracts import Choice, Context, Event, Log, Map, Org, Record, Rounding, Table, action, emit, mul_div, require, view


class State(Choice):
    OPEN = "open"
    PAID = "paid"


class Line(Record):
    article: str
    count: int = 1


class Order(Record):
    buyer: Org
    number: int
    seal: bytes
    lines: list[Line]
    notes: dict[int, str] = {}
    state: State = State.OPEN


class Note(Record):
    text: str


class Ordered(Event):
    buyer: Org
    number: int
    seal: bytes


orders: Table[Order] = Table(key=("buyer", "number"))
by_seal: Map[bytes, int] = Map(default=0)
notes: Log[Org, Note] = Log()


@action
def order(ctx: Context, lines: list[Line], seal: bytes, notes_of: dict[int, str], number: int = 1) -> Order:
    """Order articles."""
    require(len(lines) > 0, "NOTHING_ORDERED")
    made = Order(buyer=ctx.sender, number=number, seal=seal, lines=lines, notes=notes_of)
    orders.add(made)
    by_seal[seal] = number
    notes.append(ctx.sender, Note(text="ordered"))
    emit(Ordered(buyer=ctx.sender, number=number, seal=seal))
    return made


@view
def half(ctx: Context, amount: int, rounding: Rounding = Rounding.FLOOR) -> int:
    require(amount >= 0, "NEGATIVE")
    return mul_div(amount, 1, 2, rounding)


@view
def state_of(ctx: Context, buyer: Org, number: int) -> State | None:
    found = orders.get((buyer, number))
    return None if found is None else found.state
'''


def test_generated_client_reads_and_writes_everything_typed(own_node: NodeProcess, tmp_path: Path) -> None:
    own_node.deploy("shop", SHOP)
    target = tmp_path / "shop_client.py"
    made = yunhe_json("contract", "interface", "shop", "--client", str(target), "--folder", str(own_node.folder))
    assert made == {"client": str(target), "class": "ShopClient"}
    shop = imported(target)
    with own_node.client() as client:
        contract = shop.ShopClient(client)
        lines = [shop.Line(article="rope", count=3), shop.Line(article="tar")]
        done = contract.actions.order(own_node.founder, lines=lines, seal=b"\x00\xff", notes_of={-1: "by boat"}, number=7)
        expected = shop.Order(buyer="port", number=7, seal=b"\x00\xff", lines=lines, notes={-1: "by boat"}, state=shop.State.OPEN)
        assert done.result == expected
        assert done.events == (shop.Ordered(buyer="port", number=7, seal=b"\x00\xff"),)
        assert done.gas_used > 0

        assert contract.tables.orders.get("port", 7) == expected
        assert contract.tables.orders.get("port", 8) is None
        assert list(contract.tables.orders.scan("port")) == [expected]
        assert contract.tables.by_seal.get(b"\x00\xff") == 7
        assert list(contract.tables.notes.scan("port")) == [shop.Note(text="ordered")]

        assert contract.views.half(amount=5) == 2
        assert contract.views.half(amount=5, rounding=Rounding.CEILING) == 3
        assert contract.views.state_of(buyer="port", number=7) is shop.State.OPEN
        assert contract.views.state_of(buyer="port", number=8) is None

        with pytest.raises(TransactionRefusedError) as refused:
            contract.actions.order(own_node.founder, lines=[], seal=b"", notes_of={})
        assert refused.value.receipt_code == shop.ShopRefusal.NOTHING_ORDERED
        with pytest.raises(ViewRefusedError) as asked:
            contract.views.half(amount=-1)
        assert asked.value.refusal == shop.ShopRefusal.NEGATIVE

        (placed,) = contract.events()
        assert (placed.event, placed.height, placed.transaction_id) == (done.events[0], done.height, done.transaction_id)
        assert next(contract.follow(from_height=0)) == placed
        assert list(contract.events(after=placed.id)) == []


def test_generated_client_of_a_system_contract_reads_what_a_vote_announced(own_node: NodeProcess, tmp_path: Path) -> None:
    target = tmp_path / "governance_client.py"
    yunhe_json("contract", "interface", "governance", "--client", str(target), "--folder", str(own_node.folder))
    module = imported(target)
    with own_node.client() as client:
        governance = module.GovernanceClient(client)
        done = governance.actions.propose_parameter(own_node.founder, name="state_history_blocks", value=500)
        assert [type(event).__name__ for event in done.events] == ["Proposed", "Voted", "Decided"]
        assert governance.tables.proposals.get(done.result).status is module.ProposalStatus.ACCEPTED
        transaction = client.build([own_node.founder], [Call("lifecycle", "submit", {"source": SHOP})])
        submitted = client.require_ok(client.submit(transaction), "lifecycle", "submit")
        (other,) = (governance.actions._deployed._event(event) for event in submitted.receipt["events"])
        assert isinstance(other, OtherEvent)
