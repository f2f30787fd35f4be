"""Kinds of generated clients: what is sent comes back, and an answer of another shape is our error."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import pytest

from yunhe.errors import BadAnswerError, MalformedError
from yunhe.ledger.rendering import value_to_json
from yunhe.sdk import typed
from yunhe.sdk.client import Client


class Colour(StrEnum):
    RED = "red"


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    name: str
    colour: Colour = Colour.RED
    tags: list[bytes]


BOX = typed.record(
    Box,
    {"name": typed.STR, "colour": typed.choice(Colour), "tags": typed.list_of(typed.BYTES)},
    {"colour": lambda: Colour.RED},
)
VALUES: dict[str, tuple[typed.Kind[Any], Any]] = {
    "int": (typed.INT, -5),
    "bool": (typed.BOOL, True),
    "text": (typed.STR, "运河"),
    "bytes": (typed.BYTES, b"\x00\xff"),
    "None": (typed.NONE, None),
    "list": (typed.list_of(typed.INT), [1, 2]),
    "by number": (typed.dict_of(typed.INT, typed.STR), {-1: "a", 2: "b"}),
    "by text": (typed.dict_of(typed.STR, typed.BOOL), {"a": False}),
    "nothing": (typed.optional(typed.INT), None),
    "something": (typed.optional(typed.INT), 3),
    "choice": (typed.choice(Colour), Colour.RED),
    "record": (typed.list_of(BOX), [Box(name="a", tags=[b"x"])]),
}


@pytest.mark.parametrize(("kind", "value"), VALUES.values(), ids=VALUES)
def test_value_that_is_sent_and_shown_is_read_as_it_was(kind: typed.Kind[Any], value: Any) -> None:
    answer = value_to_json(kind.send(value))
    assert kind.read(answer) == value
    assert type(kind.read(answer)) is type(value)


@pytest.mark.parametrize(
    ("kind", "answer"),
    {
        "text for a number": (typed.INT, "1"),
        "a bool for a number": (typed.INT, True),
        "bytes without 0x": (typed.BYTES, "ab"),
        "bytes of half a byte": (typed.BYTES, "0xa"),
        "bytes of other digits": (typed.BYTES, "0xzz"),
        "something for None": (typed.NONE, 0),
        "a map for a list": (typed.list_of(typed.INT), {}),
        "a wrong element": (typed.list_of(typed.INT), [None]),
        "a list for a map": (typed.dict_of(typed.STR, typed.INT), []),
        "a key that is no number": (typed.dict_of(typed.INT, typed.INT), {"a": 1}),
        "an unknown choice": (typed.choice(Colour), "blue"),
        "a record without a field": (BOX, {"name": "a", "colour": "red"}),
        "a record with a stranger": (BOX, {"name": "a", "tags": [], "more": 1}),
        "no record": (BOX, "a"),
    }.values(),
)
def test_answer_of_another_shape_is_our_error(kind: typed.Kind[Any], answer: Any) -> None:
    with pytest.raises(BadAnswerError, match="make the client again"):
        kind.read(answer)


def test_row_from_before_an_upgrade_gets_the_default() -> None:
    assert BOX.read({"name": "a", "tags": []}) == Box(name="a", colour=Colour.RED, tags=[])


@pytest.mark.parametrize(("kind", "value"), [(typed.INT, "1"), (typed.INT, True), (typed.STR, None), (typed.BYTES, "ab"), (typed.BOOL, 1)])
def test_value_of_another_type_is_not_sent(kind: typed.Kind[Any], value: Any) -> None:
    with pytest.raises(MalformedError, match="was expected, not"):
        kind.send(value)


def test_key_of_too_many_parts_is_refused() -> None:
    with Client("http://127.0.0.1:1") as client:
        rows: typed.Rows[int, str] = typed.Rows(typed.Deployed(client, "c", {}), "t", typed.INT, [typed.STR])
        with pytest.raises(MalformedError, match="has 1 parts, not 2"):
            list(rows.scan("a", "b"))


@pytest.mark.parametrize(
    "row",
    [
        {"contract": "other", "name": "Boxed", "fields": {"name": "a", "tags": []}},
        {"contract": "c", "name": "Unknown", "fields": {}},
        {"contract": "c", "name": "Boxed", "fields": {"name": 1}},
    ],
)
def test_event_that_the_client_was_not_made_for_is_handed_on_as_it_is(row: dict[str, Any]) -> None:
    with Client("http://127.0.0.1:1") as client:
        deployed: typed.Deployed[Box] = typed.Deployed(client, "c", {"Boxed": BOX})
        assert deployed._event(row) == typed.OtherEvent(row["contract"], row["name"], row["fields"])
