"""Work and memory that a line of Python does not show: copies of defaults, gaps in dicts, long literals, hashes that meet, empty scans.

Rules: CON-121, CON-122, CON-124, CON-127, CON-134.
"""

import sys

import pytest

from tests.contract_ledger import Ledger, contract
from tests.unit.contracts.metered.loaded import Metered, meter_with
from yunhe.contracts.faults import Fault, IntegerOutOfRange, OutOfGas
from yunhe.contracts.metered.methods import methods
from yunhe.contracts.metered.operations import operations
from yunhe.limits import INTEGER_MAX


def instance(fields: str, given: str = "") -> Metered:
    source = contract(f"""
class Thing(Record):
    number: int = 0
{fields}

@view
def f(ctx: Context) -> int:
    thing = Thing({given})
    return thing.number
""")
    metered = Metered("", source=source)
    assert metered() == 0
    return metered


ELEMENTS = "0, " * 100
ENTRIES = ", ".join(f'"k{index}": 0' for index in range(100))
LISTS = "\n".join(f"    list_{index}: list[int] = [{ELEMENTS}]" for index in range(20))
DICTS = "\n".join(f"    dict_{index}: dict[str, int] = {{{ENTRIES}}}" for index in range(20))


@pytest.mark.parametrize(("fields", "bytes_min"), [(LISTS, 20 * 8 * 100), (DICTS, 20 * 100 * 100)], ids=["lists", "dicts"])
def test_con_124_defaults_that_an_instance_copies_are_counted(fields, bytes_min) -> None:
    assert instance(fields).memory - instance("").memory > bytes_min


@pytest.mark.parametrize("fields", [LISTS, DICTS], ids=["lists", "dicts"])
def test_con_121_defaults_that_an_instance_copies_are_paid(fields) -> None:
    assert instance(fields).gas - instance("").gas > 20 * 100


def test_con_121_default_of_a_field_that_is_given_is_not_copied_and_not_paid() -> None:
    fields = f"    notes: list[int] = [{ELEMENTS}]"
    assert instance(fields, given="notes=[]").memory < instance(fields).memory


def test_con_124_fields_that_are_not_given_are_counted() -> None:
    many = "\n".join(f"    field_{index}: int = 0" for index in range(60))
    assert instance(many).memory - instance("").memory >= 60 * 8


# --- Gaps in dicts --------------------------------------------------------------------------------------------------

DELETIONS = {
    "deleted": lambda meter: operations(meter)["_delete_item"],
    "popped": lambda meter: methods(meter)["pop"],
}


@pytest.mark.parametrize("deletion", DELETIONS.values(), ids=DELETIONS)
def test_con_134_dict_that_has_shrunk_has_few_gaps(deletion) -> None:
    entries = {f"k{index}": index for index in range(5000)}
    delete = deletion(meter_with())
    for index in range(4990):
        delete(entries, f"k{index}")
    assert list(entries.items()) == [(f"k{index}", index) for index in range(4990, 5000)]
    assert sys.getsizeof(entries) < sys.getsizeof({f"k{index}": index for index in range(200)})


def test_con_134_putting_a_dict_together_is_paid_once_for_each_halving() -> None:
    meter = meter_with()
    delete = operations(meter)["_delete_item"]
    entries = {f"k{index}": index for index in range(1100)}
    gas = []
    for index in range(1100 - 200):
        before = meter.left
        delete(entries, f"k{index}")
        gas.append((before - meter.left, len(entries)))
    costly = [count for spent, count in gas if spent > 1000]
    assert costly == [1024, 512, 256]


def test_con_134_small_dict_is_left_as_it_is() -> None:
    meter = meter_with()
    delete = operations(meter)["_delete_item"]
    entries = {f"k{index}": index for index in range(40)}
    before = meter.left
    for index in range(39):
        delete(entries, f"k{index}")
    assert before - meter.left == 0


def test_con_134_popping_what_is_not_there_changes_nothing() -> None:
    meter = meter_with()
    entries = {f"k{index}": index for index in range(1024)}
    assert methods(meter)["pop"](entries, "missing", None) is None
    assert len(entries) == 1024


# --- Literals, texts of two widths ----------------------------------------------------------------------------------


@pytest.mark.parametrize("comparison", ['s == "{}"', 's in ("a", "{}")', '"{}" == s'])
def test_con_121_long_literal_is_paid_by_its_length(comparison) -> None:
    def gas(length: int) -> int:
        literal = "a" * length
        metered = Metered(f"return 1 if {comparison.format(literal)} else 0", parameters=", s: str")
        assert metered("a" * length) == 1
        return metered.gas

    assert gas(40_000) - gas(20_000) >= 20_000 >> 4


def test_con_121_texts_of_two_widths_cost_more_to_order() -> None:
    metered = Metered("return 1 if s < t else 0", parameters=", s: str, t: str")
    metered("a" * 10_000, "a" * 10_001)
    narrow = metered.gas
    metered("a" * 10_000, "a" * 10_000 + "\u4e00")
    assert metered.gas - narrow > 9_000


# --- Keys -----------------------------------------------------------------------------------------------------------


def test_con_127_tuple_of_several_integers_pays_for_the_entries_that_it_could_collide_with() -> None:
    metered = Metered("d = {(i, i): i for i in range(n)}\nreturn len(d)", parameters=", n: int")

    def gas(entries: int) -> int:
        assert metered(entries) == entries
        return metered.gas

    assert gas(2000) - 2 * gas(1000) > 16 * 500_000


def test_con_127_tuple_of_one_integer_pays_as_the_integer_does() -> None:
    metered = Metered('d = {("a", i): i for i in range(n)}\nreturn len(d)', parameters=", n: int")

    def gas(entries: int) -> int:
        assert metered(entries) == entries
        return metered.gas

    assert gas(2000) - 2 * gas(1000) < 16 * 500_000


# --- Numbers --------------------------------------------------------------------------------------------------------


COUNTED = "found = [i for i, x in enumerate([7, 7], n)]\nreturn found[1]"


def test_con_122_enumerate_starts_at_an_integer_of_64_bits() -> None:
    metered = Metered(COUNTED, parameters=", n: int")
    assert metered(INTEGER_MAX) == INTEGER_MAX + 1


@pytest.mark.parametrize("start", [INTEGER_MAX + 1, 2**255 - 1, "1"])
def test_con_122_enumerate_starts_at_nothing_else(start) -> None:
    with pytest.raises(IntegerOutOfRange):
        Metered(COUNTED, parameters=", n: int")(start)


@pytest.mark.parametrize("function", ["min", "max"])
def test_default_of_values_that_are_there_is_a_fault_as_in_python(function) -> None:
    metered = Metered(f"return {function}(1, 2, default=3)")
    with pytest.raises(Fault):
        metered()
    with pytest.raises(TypeError):
        metered.plainly()


# --- Scans that find nothing ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("scan", ["t.scan(limit=0)", 't.scan(start="b", end="a")'])
def test_con_121_scan_that_cannot_find_anything_is_paid(scan) -> None:
    source = contract(f"""
class Thing(Record):
    key: str

t: Table[Thing] = Table(key="key")

@view
def f(ctx: Context) -> int:
    return len({scan})
""")
    metered = Metered("", source=source)
    assert metered() == 0
    assert metered.gas > 4000
    with pytest.raises(OutOfGas):
        metered(gas=4000)


def test_con_121_count_that_cannot_find_anything_is_paid() -> None:
    source = contract("""
m: Map[str, int] = Map(default=0)

@view
def f(ctx: Context) -> int:
    return m.count(start="b", end="a")
""")
    metered = Metered("", source=source)
    assert metered() == 0
    assert metered.gas > 4000


# --- Results of other contracts -------------------------------------------------------------------------------------

ASKING = contract("""
@action
def ask(ctx: Context, times: int) -> None:
    kept: list[list[int]] = []
    for i in range(times):
        kept.append(call_view("answering", "numbers"))
""")
ANSWERING = contract("""
@view
def numbers(ctx: Context) -> list[int]:
    return [0] * 230000
""")


@pytest.mark.parametrize(("times", "code"), [(3, "OK"), (8, "OUT_OF_MEMORY")])
def test_con_124_results_of_other_contracts_are_counted(times, code) -> None:
    ledger = Ledger(asking=ASKING, answering=ANSWERING)
    ledger.set_parameter("gas_limit_max", 200_000_000)
    assert ledger.call("bank", "asking", "ask", gas_limit=200_000_000, times=times).code == code
