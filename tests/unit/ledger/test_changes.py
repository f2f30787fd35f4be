"""COD-062: what a transaction changed, told from its writes."""

import pytest

from yunhe.errors import CorruptionError, MalformedError
from yunhe.ledger.changes import RowChange, row_changes, writes_between
from yunhe.ledger.codec import encode
from yunhe.ledger.state_keys import index_table, state_key
from yunhe.testing import MemoryState

A = state_key("ebl", "bills", ("A",))
B = state_key("ebl", "bills", ("B",))
C = state_key("ebl", "counts", ("x", 3))
INDEX = state_key("ebl", index_table("bills", ["holder"]), ("bank", "A"))


def record(**fields):
    return encode(fields)


def test_changes_name_table_key_and_fields_before_and_after() -> None:
    state = MemoryState({A: record(id="A", holder="carrier", note=None), B: record(id="B")})
    changed, deleted, added = row_changes([(A, record(id="A", holder="bank", note=None)), (B, None), (C, record(value=1))], state)
    assert changed == RowChange(
        "ebl", "bills", ("A",), {"id": "A", "holder": "carrier", "note": None}, {"id": "A", "holder": "bank", "note": None}
    )
    assert changed.fields() == {"holder": ("carrier", "bank")}
    assert (deleted.before, deleted.after, deleted.fields()) == ({"id": "B"}, None, {"id": ("B", None)})
    assert (added.table, added.key, added.before, added.fields()) == ("counts", ("x", 3), None, {"value": (None, 1)})


def test_field_that_an_upgrade_brought_is_shown_as_new() -> None:
    (change,) = row_changes([(A, record(id="A", copies=2))], MemoryState({A: record(id="A")}))
    assert change.fields() == {"copies": (None, 2)}


def test_rows_of_indexes_and_writes_of_what_was_there_are_no_changes() -> None:
    state = MemoryState({A: record(id="A")})
    assert row_changes([(A, record(id="A")), (INDEX, record()), (B, None)], state) == ()


def test_change_as_json_shows_bytes_and_keys_as_text() -> None:
    (change,) = row_changes([(A, record(digest=b"\x01", parts={1: 2}))], MemoryState())
    assert change.to_json() == {
        "contract": "ebl",
        "table": "bills",
        "key": ["A"],
        "before": None,
        "after": {"digest": "0x01", "parts": {"1": 2}},
    }


def test_what_is_no_state_key_or_no_record_is_refused() -> None:
    with pytest.raises(MalformedError):
        row_changes([(b"nonsense", record())], MemoryState())
    with pytest.raises(CorruptionError):
        row_changes([(A, encode([1]))], MemoryState())


def test_writes_between_two_states_over_one_base_lead_from_the_first_to_the_second() -> None:
    base = MemoryState({A: b"a", B: b"b"})
    first = [(A, b"a2"), (C, b"c")]
    # The second transaction put A back as it was and deleted C, which net writes no longer show; and it deleted B.
    second = [(B, None)]
    assert writes_between(first, second, base) == ((A, b"a"), (B, None), (C, None))
    assert writes_between((), first, base) == tuple(first)
    assert writes_between(first, first, base) == ()
