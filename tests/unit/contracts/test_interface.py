"""CON-149: the interface that is read from a source says what the loaded contract has."""

import inspect
from dataclasses import asdict

import pytest

from tests.contract_ledger import contract
from tests.unit.contracts import crates
from yunhe.contracts.indexes import Unique
from yunhe.contracts.interface import IndexInterface, Interface, interface_of, type_text
from yunhe.contracts.json_values import value_from_json
from yunhe.contracts.loader import inspect_source
from yunhe.contracts.system_contracts import governance, lifecycle, registry
from yunhe.errors import MalformedError

SHELF = '''"""Boxes on shelves.

More of it.
"""
from yunhe.contracts import Choice, Context, Event, Map, Org, Record, Rounding, Table, action, refuse, require, view


class Kind(Choice):
    SMALL = "small"
    LARGE = "large"


class Line(Record):
    number: int = 0
    tags: list[str] = []


class Box(Record):
    name: str
    owner: Org
    kind: Kind = Kind.SMALL
    lines: list[Line] = []
    notes: dict[str, bytes] = {}
    weights: dict[int, int] = {}
    next: Org | None = None


class Moved(Event):
    name: str
    to: Org | None


boxes: Table[Box] = Table(key="name")
places: Table[Box] = Table(key=("owner", "name"))
counts: Map[Org, int] = Map(default=7)
names: Map[tuple[Org, int], str] = Map()
LIMIT = 5


def inner(n: int) -> None:
    require(n < LIMIT, "TOO_MANY")


@action
def put(ctx: Context, name: str, kind: Kind = Kind.LARGE, lines: list[Line] | None = None, rounding: Rounding = Rounding.DOWN) -> int:
    """Put a box on a shelf.

    And more.
    """
    require(name != "", "NO_NAME")
    return 1


@action
def clear(ctx: Context) -> None:
    refuse("NEVER")


@view
def find(ctx: Context, name: str, deep: bool = False) -> Box | None:
    return boxes.get(name)
'''
SOURCES = {
    "shelf": (SHELF, False),
    "crates": (inspect.getsource(crates), False),
    "governance": (inspect.getsource(governance), True),
    "lifecycle": (inspect.getsource(lifecycle), True),
    "registry": (inspect.getsource(registry), True),
}


@pytest.mark.parametrize(("source", "is_system"), SOURCES.values(), ids=SOURCES)
def test_con_149_interface_is_that_of_the_loaded_module(source, is_system) -> None:
    interface, module = interface_of(source), inspect_source(source, is_system=is_system)
    assert interface.summary == module.summary
    for entries, loaded in ((interface.actions, module.actions), (interface.views, module.views)):
        assert list(entries) == list(loaded)
        for name, entry in entries.items():
            assert {field.name: field.type for field in entry.parameters} == {
                parameter: kind.data() for parameter, kind in loaded[name].parameters.items()
            }
            assert {field.name for field in entry.parameters if field.default is not None} == set(loaded[name].defaults)
            assert (entry.result, entry.summary) == (loaded[name].result.data(), loaded[name].summary)
    for found, types in ((interface.records, module.records), (interface.events, module.events)):
        assert {name: {field.name: field.type for field in fields} for name, fields in found.items()} == {
            name: {field: kind.data() for field, kind in record.fields.items()} for name, record in types.items()
        }
    assert {name: table.key for name, table in interface.tables.items()} == {n: t.key_fields for n, t in module.tables.items()}
    assert {name: found.key for name, found in interface.maps.items()} == {
        name: tuple(part.data() for part in found.keys.parts) for name, found in module.maps.items()
    }
    assert {name: (log.key, log.record) for name, log in interface.logs.items()} == {
        name: (tuple(part.data() for part in log.keys.parts[:-1]), log.kind.name) for name, log in module.logs.items()
    }
    for name, table in interface.tables.items():
        assert {(index.name, index.by, index.unique, index.code) for index in table.indexes} == {
            (index.name, index.by, isinstance(index, Unique), index.code if isinstance(index, Unique) else None)
            for index in module.indexes.values()
            if index.table.name == name
        }


def test_con_149_interface_shows_indexes_logs_and_their_codes() -> None:
    interface = interface_of(SOURCES["crates"][0])
    assert interface.tables["crates"].indexes[1] == IndexInterface("crates_by_state", ("owner", "state"), unique=False)
    assert interface.tables["crates"].indexes[3:] == (
        IndexInterface("crate_of_seal", ("seal",), unique=True, code="SEAL_TAKEN"),
        IndexInterface("crate_at_berth", ("berth", "state"), unique=True, code="NOT_UNIQUE"),
    )
    assert interface.data()["logs"]["moves"] == {"name": "moves", "key": ("str",), "record": "Move"}
    assert interface.refusals == ("NOT_UNIQUE", "SEAL_TAKEN")


@pytest.mark.parametrize(
    "text", ["x =", 'by_a: Index[Part] = Index(parts, by="a")', 'by_a: Index[Part] = Index(by="a")', "parts: Log[str, Part] = 5 +"]
)
def test_con_149_text_that_is_no_contract_is_refused(text) -> None:
    with pytest.raises(MalformedError):
        interface_of(contract(text))


def test_con_149_interface_has_types_defaults_summaries_and_refusals() -> None:
    interface = interface_of(SHELF)
    put = interface.actions["put"]
    assert (interface.summary, put.summary) == ("Boxes on shelves.", "Put a box on a shelf.")
    assert {field.name: (type_text(field.type), field.default) for field in put.parameters} == {
        "name": ("str", None),
        "kind": ("Kind", "Kind.LARGE"),
        "lines": ("list[Line] | None", "None"),
        "rounding": ("Rounding", "Rounding.DOWN"),
    }
    assert {field.name: type_text(field.type) for field in interface.records["Box"]} == {
        "name": "str",
        "owner": "Org",
        "kind": "Kind",
        "lines": "list[Line]",
        "notes": "dict[str, bytes]",
        "weights": "dict[int, int]",
        "next": "Org | None",
    }
    assert interface.refusals == ("NEVER", "NO_NAME", "TOO_MANY")
    assert interface.data() == asdict(interface)


def test_con_149_default_shows_what_a_constant_is_and_not_its_name() -> None:
    head, _, tail = SHELF.partition("class Box(Record):")
    constants = "LARGEST = Kind.LARGE\nBASE = LARGEST\nMINUTES = 60 * 24\nLABEL = 'a' + 'b'\n\n\n"
    interface = interface_of(
        head
        + constants
        + "class Box(Record):"
        + tail.replace("Kind.SMALL", "BASE").replace("{}", "{LABEL: b'x'}", 1).replace("{}", "{MINUTES: -MINUTES + 1}", 1)
    )
    assert {field.name: (field.default, field.default_value) for field in interface.records["Box"] if field.default} == {
        "kind": ("Kind.LARGE", "large"),
        "lines": ("[]", []),
        "notes": ("{'ab': b'x'}", {"ab": b"x"}),
        "weights": ("{1440: -1440 + 1}", {1440: -1439}),
        "next": ("None", None),
    }


def test_con_149_reading_an_interface_runs_nothing() -> None:
    source = SHELF.replace("LIMIT = 5", "LIMIT = 1 // 0")
    assert interface_of(source) == interface_of(SHELF)


@pytest.mark.parametrize(
    "source",
    [
        "def f(:",
        "x = " + "(" * 5000,
        "\x00",
        SHELF.replace('key="name"', "key=LIMIT"),
        SHELF.replace("-> Box | None", "-> Box | int"),
        SHELF.replace("name: str, deep: bool", "name: set[str], deep: bool"),
        SHELF.replace("name: str, deep: bool", "name, deep: bool"),
        SHELF.replace('"NEVER"', "LIMIT"),
        SHELF.replace("boxes: Table[Box]", "boxes: Table[list[Box]]"),
    ],
    ids=["no syntax", "brackets", "a zero", "a key", "a result", "a set", "no type", "a code", "a record"],
)
def test_con_149_source_with_what_no_interface_has_is_refused(source) -> None:
    with pytest.raises(MalformedError):
        interface_of(source)


def test_value_that_is_no_member_of_a_choice_is_refused_with_the_members() -> None:
    interface = Interface(choices={"Status": {"ACTIVE": "active", "SUSPENDED": "suspended"}})
    assert value_from_json(interface, {"choice": "Status"}, "active", "status") == "active"
    for value in ("gone", 1, None):
        with pytest.raises(MalformedError, match="status must be one of active, suspended"):
            value_from_json(interface, {"choice": "Status"}, value, "status")
