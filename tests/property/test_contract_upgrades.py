"""SYS-025: whatever an upgrade is accepted for, the new code reads every row that the old code stored."""

from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.contract_ledger import contract
from yunhe.contracts.compatibility import incompatibilities
from yunhe.contracts.faults import ContractStop
from yunhe.contracts.interface import Interface, interface_of
from yunhe.contracts.loader import inspect_source
from yunhe.contracts.value_types import Room, TypeData
from yunhe.ledger.codec import decode, encode
from yunhe.limits import RECORD_BYTES_MAX

_SCALARS = ["int", "str", "bytes", "bool", "Org", "Colour"]
_DEFAULTS = {"int": ["0", "1"], "str": ['""', '"a"'], "bytes": ['b""'], "bool": ["False", "True"], "Org": [], "Colour": ["Colour.RED"]}
_MEMBERS = ["RED", "BLUE", "GREEN"]


@st.composite
def _types(draw: st.DrawFn, nested: bool = True) -> str:
    kind = draw(st.sampled_from(_SCALARS + (["Inner"] if nested else [])))
    shape = draw(st.sampled_from(["{}", "{}", "{}", "{} | None", "list[{}]", "dict[str, {}]", "dict[Org, {}]"]))
    return shape.format(kind)


def _defaults(kind: str) -> list[str]:
    if kind.endswith("None"):
        return ["None"]
    if kind.startswith(("list", "dict")):
        return ["[]" if kind.startswith("list") else "{}"]
    return _DEFAULTS.get(kind, [])


def _declared(draw: st.DrawFn, kind: str) -> str:
    """Return a field's type, with one of the defaults that it can have or without."""
    default = draw(st.sampled_from([None, *_defaults(kind)]))
    return kind if default is None else f"{kind} = {default}"


@st.composite
def _fields(draw: st.DrawFn, nested: bool) -> dict[str, str]:
    names = draw(st.lists(st.sampled_from(["a", "b", "c"]), unique=True, min_size=1))
    return {name: _declared(draw, draw(_types(nested))) for name in names}


Shape = tuple[list[str], dict[str, str], dict[str, str]]


@st.composite
def _shapes(draw: st.DrawFn) -> Shape:
    members = draw(st.lists(st.sampled_from(_MEMBERS[1:]), unique=True))
    return ["RED", *members], draw(_fields(False)), draw(_fields(True))


_NEAR = [("Org", "str"), ("str", "Org"), ("Colour", "str"), ("str", "Colour"), (" | None", ""), ("int", "bool"), ("Inner", "str")]


def _changed(draw: st.DrawFn, fields: dict[str, str], nested: bool) -> dict[str, str]:
    """Change one field: its type to a near one, its default, or whether it is there."""
    name = draw(st.sampled_from(sorted(fields)))
    kind = fields[name].partition(" = ")[0]
    match draw(st.sampled_from(["nothing", "type", "optional", "default", "added"])):
        case "type":
            old, new = draw(st.sampled_from([near for near in _NEAR if near[0] in kind] or [("", "")]))
            changed = kind.replace(old, new, 1)
            # A dict's keys are no choices.
            return fields | {name: _declared(draw, kind if "dict[Colour" in changed else changed)}
        case "optional" if not kind.endswith("None"):
            return fields | {name: fields[name].replace(kind, f"{kind} | None", 1)}
        case "default":
            return fields | {name: _declared(draw, kind)}
        case "added":
            return fields | {"d": _declared(draw, draw(_types(nested)))}
    return fields


@st.composite
def _pairs(draw: st.DrawFn) -> tuple[Shape, Shape]:
    """Two shapes that differ little, so that many pairs are compatible and the others nearly so."""
    members, inner, outer = draw(_shapes())
    others = draw(st.sampled_from([members, members[:1], [*members, *[m for m in _MEMBERS if m not in members]]]))
    return (members, inner, outer), (others, _changed(draw, inner, False), _changed(draw, outer, True))


def _source(shape: Shape) -> str:
    members, inner, outer = shape
    lines = ["class Colour(Choice):", *(f'    {member} = "{member.lower()}"' for member in members), ""]
    lines += ["class Inner(Record):", *(f"    {name}: {text}" for name, text in inner.items()), ""]
    lines += ["class Outer(Record):", "    key: str", *(f"    {name}: {text}" for name, text in outer.items()), ""]
    lines += ['outers: Table[Outer] = Table(key="key")', "", "@view", "def one(ctx: Context) -> int:", "    return 1"]
    return contract("\n".join(lines) + "\n")


def _values(interface: Interface, kind: TypeData) -> st.SearchStrategy[Any]:
    if isinstance(kind, str):
        return {
            "int": st.integers(-2, 2),
            "str": st.sampled_from(["", "a", "port", "Red", "red"]),
            "bytes": st.binary(max_size=2),
            "bool": st.booleans(),
            "Org": st.sampled_from(["port", "bank"]),
        }[kind]
    ((shape, of),) = kind.items()
    match shape:
        case "optional":
            return st.none() | _values(interface, of)
        case "list":
            return st.lists(_values(interface, of), max_size=2)
        case "dict":
            return st.dictionaries(st.sampled_from(["port", "bank"]), _values(interface, of[1]), max_size=2)
        case "choice":
            return st.sampled_from(sorted(interface.choices[of].values()))
    return _rows(interface, of)


def _rows(interface: Interface, record: str) -> st.SearchStrategy[dict[str, Any]]:
    """Rows as the contract can have them: a field with a default may be lacking, since the row may be older than the field."""
    fields = interface.records[record]
    return st.fixed_dictionaries(
        {field.name: _values(interface, field.type) for field in fields if field.default is None},
        optional={field.name: _values(interface, field.type) for field in fields if field.default is not None},
    )


def _holds(was: Any, now: Any) -> bool:
    """Tell whether a value, read by the new code, holds all that it held as the old one read it; records may have fields besides."""
    if isinstance(was, dict) and isinstance(now, dict):
        return all(name in now and _holds(value, now[name]) for name, value in was.items())
    if isinstance(was, list) and isinstance(now, list):
        return len(was) == len(now) and all(map(_holds, was, now))
    return type(was) is type(now) and bool(was == now)


# SYS-025
@settings(max_examples=400)
@given(_pairs(), st.data())
def test_sys_025_accepted_upgrade_reads_every_row_as_it_was(pair: tuple[Shape, Shape], data: st.DataObject) -> None:
    old, new = map(_source, pair)
    before, after = interface_of(old), interface_of(new)
    assume(not incompatibilities(before, after))
    stored = encode(data.draw(_rows(before, "Outer")))
    plain = decode(stored, RECORD_BYTES_MAX)
    readings = [inspect_source(source).records["Outer"] for source in (old, new)]
    was, now = (reading.to_plain(reading.from_plain(plain), Room(RECORD_BYTES_MAX)) for reading in readings)
    assert _holds(was, now)


# SYS-025
@given(_shapes(), st.data())
def test_sys_025_refused_difference_is_one_that_some_row_shows(shape: Shape, data: st.DataObject) -> None:
    """A field that is gone is refused, and indeed no row with it is read."""
    members, inner, outer = shape
    gone = data.draw(st.sampled_from(sorted(outer)))
    rest = {name: text for name, text in outer.items() if name != gone}
    old, new = _source(shape), _source((members, inner, rest))
    assert [str(found) for found in incompatibilities(interface_of(old), interface_of(new))] == [f"Outer.{gone}: the field was removed"]
    row = data.draw(_rows(interface_of(old), "Outer"))
    assume(gone in row)
    with pytest.raises(ContractStop):
        inspect_source(new).records["Outer"].from_plain(row)
