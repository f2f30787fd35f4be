"""Logs and counters: CON-117, CON-118. Each call on a `Chain` runs plainly and metered and must do the same."""

import inspect

import pytest

from tests.contract_ledger import Ledger, contract, transaction
from tests.unit.contracts import crates
from yunhe.contracts import Org
from yunhe.errors import ViewRefusedError
from yunhe.limits import INTEGER_MAX
from yunhe.testing import Chain

SOURCE = inspect.getsource(crates)


@pytest.fixture
def chain() -> Chain:
    made = Chain()
    made.deploy(crates)
    return made


def test_con_117_entries_stand_in_the_order_in_which_they_were_appended(chain) -> None:
    crane = chain.member("crane")
    assert crane.call(crates.note, "c1", [5, 6]) == [0, 1]
    assert crane.call(crates.note, "c1", [7]) == [2]
    assert chain.view(crates.history, "c1") == [5, 6, 7]
    assert chain.view(crates.moved, "c1") == 3
    assert chain.view(crates.last_move, "c1").berth == 7
    assert chain.view(crates.last_move, "c1").by == "crane"


def test_con_117_keys_have_lists_of_their_own(chain) -> None:
    crane = chain.member("crane")
    crane.call(crates.note, "c", [1])
    crane.call(crates.note, "c1", [2])
    assert chain.view(crates.history, "c") == [1]
    assert chain.view(crates.moved, "c1") == 1
    assert (chain.view(crates.moved, "c2"), chain.view(crates.last_move, "c2"), chain.view(crates.history, "c2")) == (0, None, [])


def test_con_117_scan_is_bounded_by_positions(chain) -> None:
    chain.member("crane").call(crates.note, "c1", [10, 11, 12, 13, 14])
    assert chain.view(crates.history, "c1", start=1, end=3) == [11, 12]
    assert chain.view(crates.history, "c1", start=3) == [13, 14]
    assert chain.view(crates.history, "c1", limit=2) == [10, 11]
    assert chain.view(crates.history, "c1", limit=2, reverse=True) == [14, 13]
    assert chain.view(crates.history, "c1", start=9) == []


def test_con_117_transactions_of_a_block_and_failed_ones_count_as_they_should() -> None:
    ledger = Ledger("crane", crates=SOURCE)
    note = ("crates", "note", {"crate_id": "c1", "berths": [1, 2]})
    execution = ledger.execute(
        transaction("crane", note),
        transaction("crane", note, ("crates", "drop", {"crate_id": "none"})),
        transaction("crane", note, note),
    )
    assert [outcome.results for outcome in execution.outcomes] == [([0, 1],), (), ([2, 3], [4, 5])]
    assert ledger.call("crane", "crates", "note", crate_id="c1", berths=[9]).results == ([6],)
    assert ledger.view("crates", "history", crate_id="c1") == [1, 2, 1, 2, 1, 2, 9]


def test_con_117_appending_costs_the_same_whoever_appended_before() -> None:
    together, apart = Ledger("crane", crates=SOURCE), Ledger("crane", crates=SOURCE)
    note = [transaction("crane", ("crates", "note", {"crate_id": "c1", "berths": [1]})) for _ in range(3)]
    in_one_block = [outcome.gas_used for outcome in together.execute(*note).outcomes]
    in_three = [apart.execute(single).outcomes[0].gas_used for single in note]
    assert in_one_block == in_three
    assert together.state.records() == apart.state.records()


@pytest.mark.parametrize(
    "statement",
    ['parts.append("a", Other(text="x"))', 'parts.append(("a", 1, 2), Part(number=1))', "parts.append((1, 'a'), Part(number=1))"],
)
def test_con_117_entry_or_key_of_another_type_is_a_fault(statement) -> None:
    source = contract(f"""
class Part(Record):
    number: int

class Other(Record):
    text: str

parts: Log[tuple[str, int], Part] = Log()

@action
def put(ctx: Context) -> int:
    return parts.append(("a", 1), Part(number=1))

@action
def wrong(ctx: Context) -> int:
    return {statement}
""")
    ledger = Ledger(parts=source)
    assert ledger.call("bank", "parts", "put").results == (0,)
    assert ledger.call("bank", "parts", "wrong").code == "CONTRACT_FAULT"


def test_con_118_additions_begin_at_the_default_and_add_up(chain) -> None:
    chain.member("crane").call(crates.put, "a")
    chain.member("crane").call(crates.put, "b")
    assert chain.view(crates.counts, Org("crane"))[-1] == 2


def test_con_118_addition_without_value_or_default_is_refused(chain) -> None:
    with chain.refuses("NOT_FOUND"):
        chain.member("crane").call(crates.add_limit, "weight", 5)


def test_con_118_sum_of_more_than_64_bits_is_refused(chain) -> None:
    chain.member("crane").call(crates.put, "a")
    ledger = Ledger(
        sums=contract("""
sums: Map[str, int] = Map(default=0)

@action
def put(ctx: Context, n: int) -> int:
    sums.add("a", n)
    return sums["a"]
""")
    )
    assert ledger.call("bank", "sums", "put", n=INTEGER_MAX).results == (INTEGER_MAX,)
    assert ledger.call("bank", "sums", "put", n=-1).results == (INTEGER_MAX - 1,)
    assert ledger.call("bank", "sums", "put", n=2).code == "INTEGER_OUT_OF_RANGE"


BERTHS = contract("""
class Stay(Record):
    ship: str

stays: Log[tuple[str, int], Stay] = Log()

@action
def moor(ctx: Context, quay: str, berth: int) -> int:
    return stays.append((quay, berth), Stay(ship="s"))

@view
def whole(ctx: Context, quay: str, berth: int) -> int:
    return len(stays.scan((quay, berth)))

@view
def half(ctx: Context, quay: str) -> int:
    return len(stays.scan(quay))

@view
def last_of_half(ctx: Context, quay: str) -> bool:
    return stays.last(quay) is None
""")


def test_con_117_log_is_read_by_its_whole_key() -> None:
    ledger = Ledger("crane", berths=BERTHS)
    ledger.call("crane", "berths", "moor", quay="a", berth=1)
    assert ledger.view("berths", "whole", quay="a", berth=1) == 1
    assert ledger.view("berths", "whole", quay="a", berth=2) == 0


@pytest.mark.parametrize("view", ["half", "last_of_half"])
def test_con_117_log_is_not_read_by_half_of_its_key(view) -> None:
    ledger = Ledger("crane", berths=BERTHS)
    ledger.call("crane", "berths", "moor", quay="a", berth=1)
    with pytest.raises(ViewRefusedError, match="has 2 parts"):
        ledger.view("berths", view, quay="a")
