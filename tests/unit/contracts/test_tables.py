"""Tables and maps on a running ledger: CON-102 to CON-105, CON-111, CON-124."""

import pytest

from tests.contract_ledger import Ledger, contract, transaction
from yunhe.errors import ViewRefusedError
from yunhe.limits import SCAN_ROWS_MAX, STATE_KEY_BYTES_MAX

SHELF = contract("""
class Kind(Choice):
    SMALL = "small"
    LARGE = "large"

class Box(Record):
    name: str
    owner: Org
    number: int
    kind: Kind = Kind.SMALL
    tags: list[str] = []

boxes: Table[Box] = Table(key="name")
places: Table[Box] = Table(key=("owner", "number"))
by_number: Table[Box] = Table(key="number")
counts: Map[Org, int] = Map(default=7)
names: Map[tuple[Org, int], str] = Map()
flags: Map[bytes, bool] = Map(default=False)

@action
def put(ctx: Context, name: str, number: int = 0, tags: list[str] | None = None) -> None:
    box = Box(name=name, owner=ctx.sender, number=number, tags=[] if tags is None else tags)
    boxes.add(box)
    places.add(box)
    by_number.add(box)

@action
def rename(ctx: Context, name: str, new: str) -> None:
    box = boxes[name]
    box.name = new
    boxes.save(box)

@action
def tag_twice(ctx: Context, name: str) -> list[str]:
    box = boxes[name]
    box.tags.append("kept")
    boxes.save(box)
    other = boxes[name]
    other.tags.append("lost")
    boxes.discard(other)
    return boxes[name].tags

@action
def tag_unsaved(ctx: Context, name: str) -> list[str]:
    box = boxes[name]
    box.tags.append("lost")
    return boxes[name].tags

@action
def drop(ctx: Context, name: str) -> bool:
    boxes.delete(name)
    return name in boxes

@action
def readd(ctx: Context, name: str) -> str:
    box = boxes[name]
    boxes.delete(name)
    boxes.add(box)
    boxes.delete(name)
    return "there" if boxes.get(name) is not None else "gone"

@action
def put_and_scan(ctx: Context, keys: list[str]) -> list[str]:
    for name in keys:
        boxes.add(Box(name=name, owner=ctx.sender, number=0))
    return [box.name for box in boxes.scan()]

@action
def count(ctx: Context, step: int) -> int:
    counts[ctx.sender] += step
    return counts[ctx.sender]

@action
def forget(ctx: Context) -> int:
    del counts[ctx.sender]
    return counts[ctx.sender]

@action
def name_it(ctx: Context, number: int, text: str) -> None:
    names[(ctx.sender, number)] = text

@view
def get(ctx: Context, name: str) -> Box | None:
    return boxes.get(name)

@view
def one(ctx: Context, name: str) -> Box:
    return boxes[name]

@view
def scan(
    ctx: Context,
    start: str | None = None,
    end: str | None = None,
    prefix: str | None = None,
    limit: int | None = None,
    reverse: bool = False,
) -> list[str]:
    return [box.name for box in boxes.scan(start=start, end=end, prefix=prefix, limit=limit, reverse=reverse)]

@view
def scan_numbers(ctx: Context, start: int | None = None, end: int | None = None) -> list[int]:
    return [box.number for box in by_number.scan(start=start, end=end)]

@view
def scan_places(ctx: Context, owner: Org, start: int, end: int) -> list[str]:
    return [box.name for box in places.scan(prefix=owner, start=(owner, start), end=(owner, end))]

@view
def scan_owner(ctx: Context, owner: Org) -> list[str]:
    return [box.name for box in places.scan(prefix=(owner,))]

@view
def counted(ctx: Context, owner: Org) -> int:
    return counts[owner]

@view
def has_count(ctx: Context, owner: Org) -> bool:
    return owner in counts

@view
def named(ctx: Context, owner: Org, number: int) -> str:
    return names[(owner, number)]

@view
def all_names(ctx: Context, owner: Org) -> list[str]:
    return [f"{key[1]}:{text}" for key, text in names.scan(prefix=owner)]

@view
def flagged(ctx: Context, key: bytes) -> bool:
    return flags[key]
""")  # fmt: skip


@pytest.fixture
def ledger() -> Ledger:
    return Ledger(shelf=SHELF)


def filled(*names: str) -> Ledger:
    ledger = Ledger(shelf=SHELF)
    for number, name in enumerate(names):
        assert ledger.call("bank", "shelf", "put", name=name, number=number).code == "OK"
    return ledger


def test_con_103_added_record_is_found_by_its_key(ledger) -> None:
    assert ledger.call("bank", "shelf", "put", name="a", number=3, tags=["x"]).code == "OK"
    assert ledger.view("shelf", "one", name="a") == {"name": "a", "owner": "bank", "number": 3, "kind": "small", "tags": ["x"]}
    assert ledger.view("shelf", "get", name="b") is None


def test_con_103_missing_record_refuses_with_not_found(ledger) -> None:
    with pytest.raises(ViewRefusedError) as refused:
        ledger.view("shelf", "one", name="a")
    assert refused.value.refusal == "NOT_FOUND"
    assert ledger.call("bank", "shelf", "drop", name="a").code == "NOT_FOUND"


def test_con_103_adding_a_taken_key_refuses_with_already_exists(ledger) -> None:
    assert ledger.call("bank", "shelf", "put", name="a").code == "OK"
    assert ledger.call("bank", "shelf", "put", name="a", number=1).code == "ALREADY_EXISTS"


def test_con_103_saving_under_a_changed_key_refuses_with_not_found() -> None:
    ledger = filled("a")
    assert ledger.call("bank", "shelf", "rename", name="a", new="b").code == "NOT_FOUND"
    assert ledger.call("bank", "shelf", "rename", name="a", new="a").code == "OK"


def test_con_103_deleted_record_is_gone_at_once_and_can_be_added_again() -> None:
    ledger = filled("a")
    assert ledger.call("bank", "shelf", "readd", name="a").results == ("gone",)
    assert ledger.call("bank", "shelf", "drop", name="a").code == "NOT_FOUND"
    ledger = filled("a")
    assert ledger.call("bank", "shelf", "drop", name="a").results == (False,)


def test_con_102_loaded_record_is_a_private_copy() -> None:
    ledger = filled("a")
    assert ledger.call("bank", "shelf", "tag_unsaved", name="a").results == ([],)
    assert ledger.call("bank", "shelf", "tag_twice", name="a").results == (["kept"],)
    assert ledger.view("shelf", "one", name="a")["tags"] == ["kept"]


COPIES = contract("""
class Line(Record):
    number: int

class Order(Record):
    name: str
    note: str = ""
    lines: list[Line] = []
    sums: dict[str, int] = {}

orders: Table[Order] = Table(key="name")

def told(order: Order) -> str:
    numbers = ",".join([str(line.number) for line in order.lines])
    return f"{order.note} {numbers} {len(order.sums)}"

def change(order: Order) -> None:
    order.note = "changed"
    order.lines[0].number += 1
    order.lines.append(Line(number=9))
    order.sums["new"] = 1

@action
def make(ctx: Context) -> str:
    order = Order(name="a", note="made", lines=[Line(number=1)])
    orders.add(order)
    change(order)
    return told(orders["a"])

@action
def change_loaded(ctx: Context, way: str) -> list[str]:
    if way == "get":
        found = orders.get("a")
        order = orders["a"] if found is None else found
    elif way == "scan":
        rows = orders.scan()
        order = rows[0]
    else:
        order = orders["a"]
    change(order)
    orders.discard(order)
    return [told(order), told(orders["a"])]

@action
def change_and_save(ctx: Context) -> list[str]:
    order = orders["a"]
    change(order)
    orders.save(order)
    order.note = "changed again"
    order.lines[0].number = 100
    orders.discard(order)
    return [told(order), told(orders["a"])]

@view
def ask(ctx: Context) -> str:
    return told(orders["a"])
""")


def test_con_102_saved_changes_are_stored_and_those_after_saving_are_not() -> None:
    ledger = Ledger(c=COPIES)
    ledger.call("bank", "c", "make")
    assert ledger.call("bank", "c", "change_and_save").results == (["changed again 100,9 1", "changed 2,9 1"],)
    assert ledger.view("c", "ask") == "changed 2,9 1"


def test_con_102_record_that_was_added_is_not_what_is_stored() -> None:
    assert Ledger(c=COPIES).call("bank", "c", "make").results == ("made 1 0",)


@pytest.mark.parametrize("way", ["get", "scan", "key"])
def test_con_102_unsaved_changes_reach_no_other_copy_however_it_was_loaded(way) -> None:
    ledger = Ledger(c=COPIES)
    execution = ledger.execute(
        transaction("bank", ("c", "make", {})),
        transaction("bank", ("c", "change_loaded", {"way": way}), ("c", "change_loaded", {"way": way})),
        transaction("bank", ("c", "change_loaded", {"way": way})),
    )
    results = [result for outcome in execution.outcomes[1:] for result in outcome.results]
    assert results == [["changed 2,9 1", "made 1 0"]] * 3
    assert ledger.view("c", "ask") == "made 1 0"


def test_con_104_state_keys_name_contract_table_and_key() -> None:
    assert filled("a").keys("shelf") == [("boxes", ("a",)), ("by_number", (0,)), ("places", ("bank", 0))]


@pytest.mark.parametrize("length", [STATE_KEY_BYTES_MAX - len("shelf/boxes/") - 2, STATE_KEY_BYTES_MAX])
def test_con_104_longest_key_is_kept_and_a_longer_one_refused(ledger, length) -> None:
    code = ledger.call("bank", "shelf", "put", name="x" * length).code
    assert code == ("OK" if length < STATE_KEY_BYTES_MAX - 2 else "VALUE_TOO_LARGE")


def test_con_104_key_of_text_beyond_ascii_is_measured_in_bytes(ledger) -> None:
    assert ledger.call("bank", "shelf", "put", name="运" * 150).code == "OK"
    assert ledger.view("shelf", "one", name="运" * 150)["name"] == "运" * 150
    assert ledger.call("bank", "shelf", "put", name="运" * 180, number=1).code == "VALUE_TOO_LARGE"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({}, ["a", "aa", "ab", "b", "c"]),
        ({"reverse": True}, ["c", "b", "ab", "aa", "a"]),
        ({"start": "aa"}, ["aa", "ab", "b", "c"]),
        ({"end": "b"}, ["a", "aa", "ab"]),
        ({"start": "aa", "end": "b"}, ["aa", "ab"]),
        ({"start": "b", "end": "aa"}, []),
        ({"prefix": "a"}, ["a", "aa", "ab"]),
        ({"prefix": "a", "start": "ab"}, ["ab"]),
        ({"prefix": ""}, ["a", "aa", "ab", "b", "c"]),
        ({"prefix": "x"}, []),
        ({"limit": 2}, ["a", "aa"]),
        ({"limit": 2, "reverse": True}, ["c", "b"]),
        ({"limit": 0}, []),
    ],
)
def test_con_105_scan_is_ordered_and_bounded(arguments, expected) -> None:
    ledger = filled("b", "a", "c", "ab", "aa")
    assert ledger.view("shelf", "scan", **arguments) == expected


def test_con_105_scan_of_integers_is_in_their_order(ledger) -> None:
    for number in (5, -1, 300, 0, -(2**63), 2**63 - 1):
        assert ledger.call("bank", "shelf", "put", name=str(number), number=number).code == "OK"
    assert ledger.view("shelf", "scan_numbers") == [-(2**63), -1, 0, 5, 300, 2**63 - 1]
    assert ledger.view("shelf", "scan_numbers", start=-1, end=300) == [-1, 0, 5]


def test_con_105_scan_by_leading_key_fields(ledger) -> None:
    for owner in ("bank", "carrier"):
        for number in range(4):
            ledger.call(owner, "shelf", "put", name=f"{owner}{number}", number=number + (10 if owner == "bank" else 0))
    assert ledger.view("shelf", "scan_places", owner="bank", start=11, end=13) == ["bank1", "bank2"]
    assert ledger.view("shelf", "scan_owner", owner="carrier") == [f"carrier{n}" for n in range(4)]
    assert ledger.view("shelf", "scan_owner", owner="port") == []


def test_con_105_scan_sees_writes_of_the_transaction_and_of_the_block(ledger) -> None:
    execution = ledger.execute(
        transaction("bank", ("shelf", "put", {"name": "b"})),
        transaction("bank", ("shelf", "put_and_scan", {"keys": ["c", "a"]})),
        transaction("bank", ("shelf", "drop", {"name": "b"}), ("shelf", "put_and_scan", {"keys": []})),
    )
    assert [outcome.results[-1] for outcome in execution.outcomes] == [None, ["a", "b", "c"], ["a", "c"]]


@pytest.mark.parametrize("limit", [-1, SCAN_ROWS_MAX + 1])
def test_con_105_limit_outside_its_range_is_a_fault(ledger, limit) -> None:
    with pytest.raises(ViewRefusedError) as refused:
        ledger.view("shelf", "scan", limit=limit)
    assert refused.value.refusal == "CONTRACT_FAULT"


def test_con_105_scan_of_more_rows_than_one_can_return_is_refused() -> None:
    ledger = Ledger(shelf=SHELF)
    ledger.set_parameter("gas_limit_max", 10**9)
    ledger.call("bank", "shelf", "put", name="a")
    record = ledger.state.scan(b"shelf\x00boxes\x00", b"shelf\x00boxes\x01", 1)[0][1]
    keys = [b"shelf\x00boxes\x00\x02k%05d\x00" % n for n in range(SCAN_ROWS_MAX)]
    ledger.state.apply((key, record) for key in keys)
    with pytest.raises(ViewRefusedError) as refused:
        ledger.view("shelf", "scan")
    assert refused.value.refusal == "SCAN_TOO_LONG"
    ledger.state.apply([(keys[0], None)])
    assert len(ledger.view("shelf", "scan")) == SCAN_ROWS_MAX


def test_con_103_map_gives_its_default_until_set_and_after_deletion(ledger) -> None:
    assert ledger.view("shelf", "counted", owner="bank") == 7
    assert ledger.view("shelf", "has_count", owner="bank") is False
    assert ledger.call("bank", "shelf", "forget").code == "NOT_FOUND"
    assert ledger.call("bank", "shelf", "count", step=-7).results == (0,)
    assert ledger.view("shelf", "has_count", owner="bank") is True
    assert ledger.call("bank", "shelf", "forget").results == (7,)
    assert ledger.view("shelf", "flagged", key=b"\x00") is False


def test_con_103_map_without_default_refuses_with_not_found(ledger) -> None:
    with pytest.raises(ViewRefusedError) as refused:
        ledger.view("shelf", "named", owner="bank", number=1)
    assert refused.value.refusal == "NOT_FOUND"
    ledger.call("bank", "shelf", "name_it", number=2, text="two")
    ledger.call("bank", "shelf", "name_it", number=1, text="one")
    assert ledger.view("shelf", "named", owner="bank", number=1) == "one"
    assert ledger.view("shelf", "all_names", owner="bank") == ["1:one", "2:two"]


def test_con_101_map_value_is_stored_as_a_map(ledger) -> None:
    ledger.call("bank", "shelf", "count", step=1)
    ((key, record),) = ledger.state.scan(b"shelf\x00counts\x00", b"shelf\x00counts\x01", 9)
    assert record == b"\xa1\x65value\x08"
    assert key == b"shelf\x00counts\x00\x02bank\x00"


def test_con_122_map_value_of_more_than_64_bits_is_refused(ledger) -> None:
    assert ledger.call("bank", "shelf", "count", step=2**63 - 8).code == "OK"
    assert ledger.call("bank", "shelf", "count", step=1).code == "INTEGER_OUT_OF_RANGE"
