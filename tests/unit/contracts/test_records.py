"""Records and events: CON-100, CON-101, CON-106, without a machine."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yunhe.contracts import Choice, Event, Org, Record
from yunhe.contracts.codes import VALUE_TOO_LARGE
from yunhe.contracts.faults import ContractStop, Fault, IntegerOutOfRange
from yunhe.contracts.records import record_type
from yunhe.contracts.value_types import Room, value_type
from yunhe.ledger.codec import decode, encode
from yunhe.limits import CODEC_INTEGER_KEYS_MAX, INTEGER_MAX, INTEGER_MIN, RECORD_BYTES_MAX, RECORD_FIELDS_MAX, VALUE_DEPTH_MAX


class Status(Choice):
    OPEN = "open"
    SHUT = "shut"


class Part(Record):
    number: int
    by: Org | None


class Bill(Record):
    bill_id: str
    holder: Org
    seal: bytes
    status: Status = Status.OPEN
    weight: int = 0
    is_original: bool = True
    parts: list[Part] = []  # noqa: RUF012  # copied for each instance, which is what is tested
    counts: dict[str, int] = {}  # noqa: RUF012
    by_day: dict[int, list[str]] = {}  # noqa: RUF012


class Moved(Event):
    bill_id: str


def bill(**fields) -> Bill:
    return Bill(**({"bill_id": "B1", "holder": Org("bank"), "seal": b"\x00"} | fields))


def stored(record) -> bytes:
    return encode(record_type(type(record)).to_plain(record, Room(RECORD_BYTES_MAX)))


def loaded(data: bytes, cls=Bill):
    return record_type(cls).from_plain(decode(data, RECORD_BYTES_MAX))


texts = st.text(st.characters(codec="utf-8"), max_size=20)
orgs = st.from_regex(r"[a-z][a-z0-9_]{0,39}", fullmatch=True).map(Org)
integers = st.integers(INTEGER_MIN, INTEGER_MAX)
parts = st.builds(lambda n, by: Part(number=n, by=by), integers, st.none() | orgs)
bills = st.builds(
    bill,
    bill_id=texts,
    holder=orgs,
    seal=st.binary(max_size=20),
    status=st.sampled_from(list(Status)),
    weight=integers,
    is_original=st.booleans(),
    parts=st.lists(parts, max_size=4),
    counts=st.dictionaries(texts, integers, max_size=4),
    by_day=st.dictionaries(integers, st.lists(texts, max_size=3), max_size=3),
)


@given(bills)
def test_con_101_record_stored_and_loaded_is_equal_and_of_the_declared_types(record) -> None:
    again = loaded(stored(record))
    assert again == record
    assert stored(again) == stored(record)
    assert type(again.holder) is Org
    assert type(again.status) is Status
    assert again.parts is not record.parts


def test_con_101_record_is_stored_as_a_map_of_plain_values() -> None:
    plain = decode(stored(bill(parts=[Part(number=1, by=None)])), RECORD_BYTES_MAX)
    assert plain == {
        "bill_id": "B1",
        "holder": "bank",
        "seal": b"\x00",
        "status": "open",
        "weight": 0,
        "is_original": True,
        "parts": [{"number": 1, "by": None}],
        "counts": {},
        "by_day": {},
    }
    assert type(record_type(Bill).to_plain(bill(), Room(100))["holder"]) is str


@given(bills)
def test_con_100_record_needs_no_more_room_than_its_encoding(record) -> None:
    room = Room(len(stored(record)))
    record_type(Bill).to_plain(record, room)
    assert room.left >= 0


def test_con_100_records_take_room_before_they_are_converted() -> None:
    room = Room(1000)
    with pytest.raises(ContractStop, match="too much content"):
        record_type(Bill).to_plain(bill(parts=[Part(number=1, by=None)] * 100), room)


def test_con_101_stored_record_without_a_new_field_takes_its_default() -> None:
    plain = {"bill_id": "B1", "holder": "bank", "seal": b""}
    assert loaded(encode(plain)) == bill(seal=b"")


@pytest.mark.parametrize(
    "plain",
    [
        {"bill_id": "B1", "holder": "bank"},
        {"bill_id": "B1", "holder": "bank", "seal": b"", "unknown": 1},
        {"bill_id": "B1", "holder": "bank", "seal": b"", "status": "ajar"},
        {"bill_id": "B1", "holder": "Bank!", "seal": b""},
        {"bill_id": 1, "holder": "bank", "seal": b""},
        {"bill_id": "B1", "holder": "bank", "seal": b"", "weight": True},
        {"bill_id": "B1", "holder": "bank", "seal": b"", "parts": {}},
        [],
    ],
)
def test_con_101_stored_record_of_another_shape_is_a_fault(plain) -> None:
    with pytest.raises(Fault):
        loaded(encode(plain))


@pytest.mark.parametrize(
    "fields",
    [
        {"bill_id": 1},
        {"holder": "bank"},
        {"seal": "x"},
        {"status": "open"},
        {"weight": True},
        {"weight": None},
        {"is_original": 1},
        {"parts": ()},
        {"parts": [None]},
        {"counts": {1: 1}},
        {"by_day": {1: ["a", 2]}},
    ],
)
def test_con_100_ill_typed_field_is_a_fault_when_stored(fields) -> None:
    with pytest.raises(Fault):
        stored(bill(**fields))


def test_con_100_org_or_choice_stands_where_text_is_asked_for() -> None:
    assert loaded(stored(bill(bill_id=Org("bank")))).bill_id == "bank"
    assert type(loaded(stored(bill(bill_id=Status.OPEN))).bill_id) is str


@pytest.mark.parametrize("number", [INTEGER_MIN, INTEGER_MAX])
def test_con_122_largest_stored_integers_are_kept(number) -> None:
    assert loaded(stored(bill(weight=number, counts={"a": number}))).counts == {"a": number}


@pytest.mark.parametrize("fields", [{"weight": INTEGER_MAX + 1}, {"counts": {"a": INTEGER_MIN - 1}}, {"by_day": {2**63: []}}])
def test_con_122_integer_of_more_than_64_bits_is_not_stored(fields) -> None:
    with pytest.raises(IntegerOutOfRange):
        stored(bill(**fields))


@pytest.mark.parametrize("fields", [{"bill_id": "x" * (RECORD_BYTES_MAX + 1)}, {"by_day": {1: ["x" * 1000] * 1000}}])
def test_con_121_value_of_too_much_content_is_refused_before_it_is_encoded(fields) -> None:
    with pytest.raises(ContractStop) as stop:
        stored(bill(**fields))
    assert stop.value.code == VALUE_TOO_LARGE


def test_con_100_dict_of_integers_is_stored_to_the_limit_of_the_codec() -> None:
    """COD-006"""
    most = {number: [] for number in range(CODEC_INTEGER_KEYS_MAX)}
    assert loaded(stored(bill(by_day=most))).by_day == most
    with pytest.raises(ContractStop) as stop:
        stored(bill(by_day=most | {-1: []}))
    assert stop.value.code == VALUE_TOO_LARGE


def test_con_106_mutable_default_is_copied_for_each_instance() -> None:
    first, second = bill(), bill()
    first.parts.append(Part(number=1, by=None))
    first.counts["a"] = 1
    assert second.parts == []
    assert second.counts == {}
    assert bill().parts == []


def test_con_106_default_of_nested_containers_is_refused() -> None:
    with pytest.raises(TypeError, match="scalars"):
        type(Record)("Bad", (Record,), {"__annotations__": {"rows": list[list[int]]}, "rows": [[1]]})


def test_record_has_declared_fields_only_and_all_of_them() -> None:
    with pytest.raises(AttributeError):
        bill().note = 1
    with pytest.raises(TypeError):
        Bill(bill_id="B1")
    with pytest.raises(TypeError):
        bill(note=1)
    with pytest.raises(TypeError):
        Moved("B1")


def test_record_class_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        Bill.weight = 1
    with pytest.raises(AttributeError):
        del Bill.weight


def test_record_is_equal_by_type_and_fields_and_no_key() -> None:
    assert bill() == bill()
    assert bill() != bill(weight=1)
    assert Moved(bill_id="B1") != bill()
    with pytest.raises(TypeError):
        hash(bill())


@pytest.mark.parametrize(
    "annotations",
    [
        {},
        {"x": float},
        {"x": object},
        {"x": list},
        {"x": dict[bytes, int]},
        {"x": int | str},
        {"x": "int"},
        {"Upper": int},
        {"x" * 41: int},
        {f"f{n}": int for n in range(RECORD_FIELDS_MAX + 1)},
        {"x": Choice},
        {"x": Record},
    ],
)
def test_con_100_record_of_other_types_is_refused(annotations) -> None:
    with pytest.raises(TypeError):
        type(Record)("Bad", (Record,), {"__annotations__": annotations})


def test_con_100_record_of_as_many_fields_as_allowed_is_made() -> None:
    made = type(Record)("Wide", (Record,), {"__annotations__": {f"f{n}": int for n in range(RECORD_FIELDS_MAX)}})
    assert len(record_type(made).fields) == RECORD_FIELDS_MAX


def test_record_of_a_record_is_refused_as_base() -> None:
    with pytest.raises(TypeError, match="directly"):
        type(Record)("Child", (Bill,), {"__annotations__": {"x": int}})


def test_con_100_types_nest_as_deep_as_allowed_and_no_deeper() -> None:
    annotation = int
    for _ in range(VALUE_DEPTH_MAX):
        annotation = list[annotation]
    assert value_type(annotation).depth == VALUE_DEPTH_MAX
    with pytest.raises(TypeError, match="nests"):
        value_type(list[annotation])
