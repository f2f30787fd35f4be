"""CON-149: the JSON Schema of arguments takes exactly what a node takes, as far as JSON Schema can say.

Left out is what it cannot say: lone surrogates in text, numbers such as 1.0, sizes.
"""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend

from tests.unit.contracts.test_interface import SOURCES
from yunhe.contracts.faults import ContractStop
from yunhe.contracts.interface import EntryInterface, Interface, interface_of
from yunhe.contracts.json_schema import decimal_pattern, interface_schema
from yunhe.contracts.json_values import arguments_from_json
from yunhe.contracts.loader import inspect_source
from yunhe.contracts.module import Entry
from yunhe.contracts.value_types import TypeData
from yunhe.errors import MalformedError
from yunhe.limits import INTEGER_MAX, INTEGER_MIN

EVERY_TYPE = """from yunhe.contracts import Choice, Context, Org, Record, Rounding, Table, action, view

LIMIT = 2 * 3


class State(Choice):
    NEW = "new"
    DONE = "is done"


class Inner(Record):
    tags: list[str]
    raw: bytes = b"\\\\x01"
    state: State = State.DONE


class Outer(Record):
    key: str
    inner: Inner | None = None
    many: list[Inner] = []
    limit: int = LIMIT + 1


outers: Table[Outer] = Table(key="key")


@action
def everything(
    ctx: Context,
    outer: Outer,
    by_org: dict[Org, int],
    by_number: dict[int, bool],
    by_text: dict[str, list[bytes]],
    maybe: Org | None,
    rounding: Rounding = Rounding.UP,
    count: int = -LIMIT,
    state: State = State.NEW,
) -> Outer | None:
    return outer


@view
def nothing(ctx: Context) -> int:
    return LIMIT
"""
CONTRACTS = SOURCES | {"every type": (EVERY_TYPE, False)}


def _pattern(validator: Any, pattern: str, instance: Any, schema: Any) -> Any:
    """Match as ECMA-262 does: `$` is the end, not the place before a last line feed."""
    if isinstance(instance, str) and re.search(pattern.replace("$", r"\Z"), instance, re.ASCII) is None:
        yield ValidationError(f"{instance!r} does not match {pattern!r}")


Validator = extend(Draft202012Validator, {"pattern": _pattern})


def _entries() -> list[Any]:
    found = []
    for name, (source, is_system) in CONTRACTS.items():
        interface, module = interface_of(source), inspect_source(source, is_system=is_system)
        loaded = module.actions | module.views
        for entry in [*interface.actions.values(), *interface.views.values()]:
            found.append(pytest.param(interface, entry, loaded[entry.name], id=f"{name}.{entry.name}"))
    return found


# --- JSON values, right or nearly right -----------------------------------------------------------------------------------

_WRONG = st.one_of(
    st.sampled_from([None, True, False, 0, -1, [], [1], {}, {"a": 1}, INTEGER_MAX + 1, INTEGER_MIN - 1]),
    st.sampled_from([str(INTEGER_MAX), str(INTEGER_MAX + 1), str(INTEGER_MIN), str(INTEGER_MIN - 1), "0", "-0", "00", "+1", "1\n", "٣"]),
    st.sampled_from(["", "a", "A", "port", "port\n", "x" * 41, "0x", "0xab", "abc", "AB", "0x0\n", "new", "is done", "up"]),
)


def _value(interface: Interface, kind: TypeData) -> st.SearchStrategy[Any]:
    right = _scalar(kind) if isinstance(kind, str) else _composed(interface, kind)
    return st.one_of(right, right, right, _WRONG)


def _scalar(kind: str) -> st.SearchStrategy[Any]:
    integers = st.integers(INTEGER_MIN - 1, INTEGER_MAX + 1)
    return {
        "int": st.one_of(integers, integers.map(str)),
        "str": st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=5),
        "bytes": st.binary(max_size=3).map(bytes.hex),
        "bool": st.booleans(),
        "Org": st.from_regex(r"[a-z_0-9]{1,42}\Z", fullmatch=True),
        "None": st.none(),
    }[kind]


def _composed(interface: Interface, kind: dict[str, Any]) -> st.SearchStrategy[Any]:
    ((shape, of),) = kind.items()
    match shape:
        case "list":
            return st.lists(_value(interface, of), max_size=3)
        case "dict":
            keys = st.integers(-3, 3).map(str) if of[0] == "int" else st.sampled_from(["a", "b2", "C", "", "0", "port\n"])
            return st.dictionaries(keys, _value(interface, of[1]), max_size=3)
        case "optional":
            return st.none() | _value(interface, of)
        case "choice":
            return st.sampled_from([*interface.choices.get(of, {"UP": "up"}).values(), "none of them"])
    return _fields(interface, interface.records[of])


def _fields(interface: Interface, fields: Any) -> st.SearchStrategy[Any]:
    known = st.fixed_dictionaries(
        {field.name: _value(interface, field.type) for field in fields if field.default is None},
        optional={field.name: _value(interface, field.type) for field in fields if field.default is not None},
    )
    names = st.sampled_from([field.name for field in fields] or ["none"])
    dropped = st.builds(lambda values, left_out: {name: value for name, value in values.items() if name != left_out}, known, names)
    return st.one_of(known, known, known, known.map(lambda values: values | {"stranger": 1}), dropped)


def _node_takes(interface: Interface, entry: EntryInterface, loaded: Entry, arguments: Any) -> bool:
    try:
        loaded.take(arguments_from_json(interface, entry, arguments))
    except (MalformedError, ContractStop):
        return False
    return True


@pytest.mark.parametrize(("interface", "entry", "loaded"), _entries())
def test_con_149_schema_takes_what_the_node_takes(interface: Interface, entry: EntryInterface, loaded: Entry) -> None:
    validator = Validator(interface_schema("c", interface) | {"$ref": f"#/$defs/{entry.name}.arguments"})

    @given(_fields(interface, entry.parameters))
    def compare(arguments: dict[str, Any]) -> None:
        assert validator.is_valid(arguments) is _node_takes(interface, entry, loaded, arguments), arguments

    compare()


@pytest.mark.parametrize(("source", "is_system"), CONTRACTS.values(), ids=CONTRACTS)
def test_con_149_schema_is_one_by_the_metaschema(source: str, is_system: bool) -> None:
    Draft202012Validator.check_schema(interface_schema("c", interface_of(source)))


@given(st.one_of(st.integers(INTEGER_MIN - 3, INTEGER_MAX + 3), st.integers()))
def test_decimal_pattern_matches_integers_of_64_bits(value: int) -> None:
    assert (re.fullmatch(decimal_pattern(), str(value)) is not None) is (INTEGER_MIN <= value <= INTEGER_MAX)


@pytest.mark.parametrize("text", ["", "-", "00", "01", "-01", "+1", " 1", "1 ", "1.0", "1e3", "٣"])
def test_decimal_pattern_matches_no_other_text(text: str) -> None:
    assert re.fullmatch(decimal_pattern(), text) is None


def test_con_149_defaults_are_values() -> None:
    interface = interface_of(EVERY_TYPE)
    assert {field.name: field.default_value for field in interface.actions["everything"].parameters if field.default is not None} == {
        "rounding": "up",
        "count": -6,
        "state": "new",
    }
    assert [field.default_value for field in interface.records["Outer"]] == [None, None, [], 7]
    assert interface.records["Inner"][1].default_value == b"\\x01"


@pytest.mark.parametrize(("source", "is_system"), CONTRACTS.values(), ids=CONTRACTS)
def test_con_149_defaults_are_those_of_the_loaded_module(source: str, is_system: bool) -> None:
    interface, module = interface_of(source), inspect_source(source, is_system=is_system)
    for name, record in module.records.items():
        found = {field.name: field.default_value for field in interface.records[name] if field.default is not None}
        assert found == record.defaults
    for name, entry in (module.actions | module.views).items():
        parameters = (interface.actions | interface.views)[name].parameters
        assert {field.name: field.default_value for field in parameters if field.default is not None} == entry.defaults
    assert {name: found.default_value for name, found in interface.maps.items()} == {name: m.default for name, m in module.maps.items()}
