"""SYS-025: what a new source could not read of what an old one stored, by table and field."""

import pytest

from tests.contract_ledger import contract
from yunhe.contracts.compatibility import incompatibilities
from yunhe.contracts.interface import interface_of
from yunhe.contracts.loader import inspect_source

BASE = """
class State(Choice):
    OPEN = "open"
    SHUT = "shut"

class Lid(Record):
    colour: str
    holes: int = 0

class Box(Record):
    name: str
    owner: Org
    number: int
    state: State = State.OPEN
    lid: Lid | None = None
    lids: list[Lid] = []
    notes: dict[Org, str] = {}
    weight: int = 5

boxes: Table[Box] = Table(key=("name", "number"))
counts: Map[Org, int] = Map(default=0)
moves: Log[str, Lid] = Log()

@action
def put(ctx: Context) -> None:
    require(boxes.count() == 0, "FULL")
"""


def compared(*changes: tuple[str, str]) -> list[str]:
    """Return what is incompatible after replacing texts of the source."""
    source = BASE
    for old, new in changes:
        assert old in source, old
        source = source.replace(old, new)
    before, after = contract(BASE), contract(source)
    inspect_source(after)
    return [str(found) for found in incompatibilities(interface_of(before), interface_of(after))]


REFUSED = {
    "field removed": ([("    weight: int = 5\n", "")], "Box.weight: the field was removed"),
    "field of a nested record removed": ([("    holes: int = 0\n", "")], "Box.lid.holes: the field was removed"),
    "field added without a default": ([("    owner: Org\n", "    owner: Org\n    fee: int\n")], "Box.fee: the field was added without"),
    "nested field added without a default": (
        [("    colour: str\n", "    colour: str\n    size: int\n")],
        "Box.lid.size: the field",
    ),
    "type changed": ([("    weight: int = 5", '    weight: str = "5"')], "Box.weight: the type was int and is str"),
    "text narrowed": ([("    colour: str", "    colour: Org")], "Box.lid.colour: the type was str and is Org"),
    "optional no more": ([("    lid: Lid | None = None\n", "    lid: Lid\n")], "Box.lid: the type was Lid | None and is Lid"),
    "default removed": ([("    holes: int = 0", "    holes: int")], "Box.lid.holes: the default was removed"),
    "default changed": ([("    weight: int = 5", "    weight: int = 6")], "Box.weight: the default was 5 and is 6"),
    "default of a choice changed": (
        [("State = State.OPEN", "State = State.SHUT")],
        "Box.state: the default was State.OPEN",
    ),
    "member removed": ([('    SHUT = "shut"\n', "")], "Box.state: State.SHUT, stored as 'shut', is no member of State"),
    "text of a member changed": ([('"shut"', '"closed"')], "Box.state: State.SHUT, stored as 'shut'"),
    "text for a choice": ([("    name: str\n", "    name: State\n")], "Box.name: the type was str and is State"),
    "key of a dict": ([("dict[Org, str]", "dict[int, str]")], "Box.notes, its keys: the type was Org and is int"),
    "values of a dict": ([("dict[Org, str]", "dict[Org, int]")], "Box.notes[…]: the type was str and is int"),
    "elements of a list": ([("list[Lid]", "list[str]")], "Box.lids[…]: the type was Lid and is str"),
    "key of a table": ([('key=("name", "number")', 'key=("number", "name")')], "boxes: the key was name, number and is number, name"),
    "table removed": (
        [('boxes: Table[Box] = Table(key=("name", "number"))\n', ""), ("boxes.count() == 0", "True")],
        "boxes: the table is no longer declared",
    ),
    "table renamed": ([("boxes", "crates")], "boxes: the table is no longer declared"),
    "map for a table": (
        [('boxes: Table[Box] = Table(key=("name", "number"))', "boxes: Map[str, int] = Map()")],
        "boxes: the table is no longer one",
    ),
    "map removed": ([("counts: Map[Org, int] = Map(default=0)\n", "")], "counts: the map is no longer declared"),
    "key of a map": ([("Map[Org, int]", "Map[tuple[Org, int], int]")], "counts: the key had 1 parts and has 2"),
    "values of a map": ([("Map[Org, int] = Map(default=0)", "Map[Org, str] = Map()")], "counts: the type was int and is str"),
    "log removed": ([("moves: Log[str, Lid] = Log()\n", "")], "moves: the log is no longer declared"),
    "key of a log": ([("Log[str, Lid]", "Log[int, Lid]")], "moves, part 1 of the key: the type was str and is int"),
}
ACCEPTED = {
    "nothing": [],
    "field added with a default": [("    weight: int = 5\n", "    weight: int = 5\n    fee: int = 0\n")],
    "nested field added with a default": [("    colour: str\n", "    colour: str\n    size: int = 0\n")],
    "organisation becomes text": [
        ("    owner: Org", "    owner: str"),
        ("dict[Org, str]", "dict[str, str]"),
        ("Map[Org, int]", "Map[str, int]"),
    ],
    "choice becomes text": [("    state: State = State.OPEN", '    state: str = "open"')],
    "value becomes optional": [("    owner: Org\n", "    owner: Org | None\n"), ("list[Lid]", "list[Lid | None]")],
    "default given": [("    number: int\n", "    number: int = 7\n")],
    "default written otherwise": [("    weight: int = 5", "    weight: int = 2 + 3")],
    "member added": [('    SHUT = "shut"\n', '    SHUT = "shut"\n    LOST = "lost"\n')],
    "member and classes renamed": [("SHUT", "CLOSED"), ("Lid", "Cover"), ("Box", "Crate"), ("State", "Condition")],
    "fields in another order": [("    owner: Org\n    number: int\n", "    number: int\n    owner: Org\n")],
    "default of a map changed": [("Map(default=0)", "Map(default=1)")],
    "table, index and map added": [
        ("counts: Map", 'lids: Table[Lid] = Table(key="colour")\nby_colour: Index[Lid] = Index(lids, by="holes")\ncounts: Map'),
        ("moves: Log", "more: Map[str, int] = Map()\nmoves: Log"),
    ],
}


# SYS-025
@pytest.mark.parametrize(("changes", "named"), REFUSED.values(), ids=REFUSED)
def test_sys_025_difference_that_old_rows_would_not_survive_is_named(changes: list[tuple[str, str]], named: str) -> None:
    found = compared(*changes)
    assert any(text.startswith(named) for text in found), found


# SYS-025
@pytest.mark.parametrize("changes", ACCEPTED.values(), ids=ACCEPTED)
def test_sys_025_difference_that_reads_old_rows_as_they_were_is_none(changes: list[tuple[str, str]]) -> None:
    assert compared(*changes) == []


def test_sys_025_every_difference_is_listed_with_its_table_and_a_remedy() -> None:
    before = interface_of(contract(BASE))
    after = interface_of(contract(BASE.replace("    weight: int = 5\n", "").replace("counts: Map[Org, int] = Map(default=0)\n", "")))
    found = incompatibilities(before, after)
    assert [(each.table, each.place) for each in found] == [("boxes", "Box.weight"), ("counts", "counts")]
    assert all(each.instead for each in found)
