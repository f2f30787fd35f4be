"""Pages of records by key and by index, over the state that a contract made: API-006, API-010, API-011."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.contract_ledger import Ledger, contract
from yunhe.errors import CorruptionError, CursorError, IndexNotFoundError, TableNotFoundError
from yunhe.gateway import record_pages
from yunhe.gateway.record_pages import Page, Wanted, read_page
from yunhe.ledger.codec import decode
from yunhe.ledger.state_keys import decode_state_key, state_key
from yunhe.limits import RECORD_BYTES_MAX

SHELF = contract("""
class Box(Record):
    owner: Org
    number: int
    place: str
    weight: int
    seal: bytes | None = None

boxes: Table[Box] = Table(key=("owner", "number"))
boxes_by_place: Index[Box] = Index(boxes, by=("place", "weight"))
box_of_seal: Unique[Box] = Unique(boxes, by="seal")

@action
def put(ctx: Context, owner: Org, number: int, place: str, weight: int, seal: bytes | None = None) -> None:
    boxes.add(Box(owner=owner, number=number, place=place, weight=weight, seal=seal))
""")
BOXES = [
    ("bank", 1, "quay", 5, b"\x00\xff"),
    ("bank", 2, "quay", -3, None),
    ("bank", 10, "yard\x00", 5, b"\x01"),
    ("carrier", 1, "quay", 5, None),
    ("port", 7, "", 0, b""),
    ("port", 8, "quay", 9, b"\x00"),
]
BY_PLACE = ("place", "weight")
BY_SEAL = ("seal",)


def made() -> Ledger:
    ledger = Ledger(shelf=SHELF)
    for owner, number, place, weight, seal in BOXES:
        arguments = {"owner": owner, "number": number, "place": place, "weight": weight, "seal": seal}
        assert ledger.call("bank", "shelf", "put", **arguments).code == "OK"
    return ledger


@pytest.fixture
def ledger() -> Ledger:
    return made()


LEDGER = made()
"""For tests that change nothing."""


def shown(page: Page) -> list[tuple]:
    """Return the boxes of a page, each as it was put."""
    found = []
    for key, stored in page.records:
        fields = decode(stored, RECORD_BYTES_MAX)
        assert decode_state_key(key) == ("shelf", "boxes", (fields["owner"], fields["number"]))
        found.append(tuple(fields[name] for name in ("owner", "number", "place", "weight", "seal")))
    return found


def listed(wanted: Wanted) -> list[tuple]:
    return shown(read_page(LEDGER.state, "shelf", "boxes", wanted, 100))


def row_of(box: tuple, by: tuple[str, ...]) -> tuple | None:
    """Return where a box lies in an order, as the specification says it."""
    owner, number, place, weight, seal = box
    if by == BY_PLACE:
        return (place, weight, owner, number)
    if by == BY_SEAL:
        return None if seal is None else (seal,)
    return (owner, number)


def expected(wanted: Wanted) -> list[tuple]:
    """Select from all boxes without any index."""
    rows = sorted((row, box) for box in BOXES if (row := row_of(box, wanted.by)) is not None)
    found = [
        box
        for row, box in rows
        if row[: len(wanted.prefix)] == wanted.prefix and (not wanted.start or row >= wanted.start) and (not wanted.end or row < wanted.end)
    ]
    return found[::-1] if wanted.reverse else found


ORDERS = st.sampled_from([(), BY_PLACE, BY_SEAL])


@st.composite
def lists(draw: st.DrawFn) -> Wanted:
    by = draw(ORDERS)
    rows = [row for box in BOXES if (row := row_of(box, by)) is not None]
    leading = st.sampled_from(rows).flatmap(lambda row: st.integers(0, len(row)).map(lambda count: row[:count]))
    return Wanted(by, draw(leading), draw(leading), draw(leading), None, draw(st.booleans()))


@given(wanted=lists(), limit=st.integers(1, 7), bytes_max=st.sampled_from([1, 150, 10**6]), scanned=st.sampled_from([1, 2, 64]))
def test_api_010_pages_of_any_size_give_the_whole_list_in_order(wanted: Wanted, limit: int, bytes_max: int, scanned: int) -> None:
    """API-006 too: a page ends with the row by which it reaches the bound of bytes."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(record_pages, "PAGE_BYTES_MAX", bytes_max)
        patched.setattr(record_pages, "_SCANNED_ROWS", scanned)
        check_pages(wanted, limit, bytes_max)


def check_pages(wanted: Wanted, limit: int, bytes_max: int) -> None:
    found, cursor = [], None
    for _ in range(len(BOXES) + 1):
        here = Wanted(wanted.by, wanted.prefix, wanted.start, wanted.end, cursor, wanted.reverse)
        page = read_page(LEDGER.state, "shelf", "boxes", here, limit)
        assert len(page.records) <= limit
        assert sum(len(stored) for _, stored in page.records[:-1]) < bytes_max
        assert page.next is None or page.records
        found += shown(page)
        cursor = page.next
        if cursor is None:
            break
    assert found == expected(wanted)


def test_api_010_bounds_may_contradict_the_prefix_and_give_nothing() -> None:
    assert listed(Wanted(prefix=("port",), end=("bank",))) == []
    assert listed(Wanted(start=("port",), end=("bank",))) == []


def test_api_011_record_without_a_row_is_not_listed() -> None:
    assert [box[4] for box in listed(Wanted(BY_SEAL))] == [b"", b"\x00", b"\x00\xff", b"\x01"]


@pytest.mark.parametrize("by", [("place",), ("weight", "place"), ("owner",), ("seal", "place"), ("nothing",)])
def test_api_011_index_that_is_not_declared_is_refused_and_the_declared_ones_are_named(by: tuple[str, ...]) -> None:
    with pytest.raises(IndexNotFoundError, match=r"it has: place,weight; seal$"):
        listed(Wanted(by))


@pytest.mark.parametrize(
    ("contract_name", "table", "said"),
    [("shelf", "crates", "no table crates; it has .*boxes"), ("nobody", "boxes", "no contract nobody")],
)
def test_api_010_table_that_there_is_not_is_refused_and_those_that_there_are_are_named(contract_name: str, table: str, said: str) -> None:
    with pytest.raises(TableNotFoundError, match=said):
        read_page(LEDGER.state, contract_name, table, Wanted(), 10)


@pytest.mark.parametrize(("contract_name", "table"), [("shelf", "crates"), ("nobody", "boxes")])
def test_api_011_index_of_what_is_not_there_is_refused(contract_name: str, table: str) -> None:
    with pytest.raises(IndexNotFoundError, match="it has: none"):
        read_page(LEDGER.state, contract_name, table, Wanted(BY_PLACE), 10)


def test_api_006_cursor_of_another_list_is_refused() -> None:
    cursor = read_page(LEDGER.state, "shelf", "boxes", Wanted(BY_PLACE), 1).next
    assert cursor is not None
    assert len(listed(Wanted(BY_PLACE, cursor=cursor))) == len(BOXES) - 1
    for other in (Wanted(), Wanted(BY_SEAL), Wanted(BY_PLACE, prefix=("quay",)), Wanted(BY_PLACE, start=("quay",))):
        with pytest.raises(CursorError, match="not of this list"):
            listed(Wanted(other.by, other.prefix, other.start, other.end, cursor))


def test_api_006_cursor_whose_row_is_gone_goes_on_behind_it(ledger: Ledger) -> None:
    page = read_page(ledger.state, "shelf", "boxes", Wanted(BY_SEAL), 2)
    assert page.next is not None
    ledger.state.apply([(page.next, None)])
    rest = read_page(ledger.state, "shelf", "boxes", Wanted(BY_SEAL, cursor=page.next), 10)
    assert [box[4] for box in shown(rest)] == [b"\x00\xff", b"\x01"]


@pytest.mark.parametrize(
    ("key", "record"),
    [
        (state_key("shelf", "boxes", ("bank", 1)), None),
        (state_key("shelf", "boxes#seal", (b"\x01",)), b"\xa0"),
        (state_key("shelf", "boxes#seal", (b"\x01",)), b"\xff"),
    ],
)
def test_api_011_row_that_names_no_record_is_corruption(ledger: Ledger, key: bytes, record: bytes | None) -> None:
    ledger.state.apply([(key, record)])
    with pytest.raises(CorruptionError, match="names no record"):
        read_page(ledger.state, "shelf", "boxes", Wanted(BY_SEAL), 10)
