"""The interface of a contract as a JSON Schema (draft 2020-12), for programs in any language.

`$defs` holds a schema for each record, choice and event by its name, for the arguments and the result of each action and view as
`NAME.arguments` and `NAME.result`, and for the values of each map as `NAME.value`. The keyword `contract`, which validators pass over,
says which of them make an action, a view, an event, a table, and which codes the contract refuses with.

Schemas of arguments describe what `yunhe.contracts.json_values` takes and the contract's types accept: integers also as decimal text, byte
strings as lower-case hexadecimal digits with or without 0x, what has a default may be left out. Schemas of results, events and rows
describe what a node answers. What JSON Schema cannot say is not said: that a text holds no lone surrogate, that a number with a point is no
integer, that a value fits into a record.
"""

from collections.abc import Sequence
from typing import Any, Final

from yunhe.contracts.arithmetic import Rounding
from yunhe.contracts.interface import EntryInterface, Field, Interface
from yunhe.contracts.json_values import value_to_json
from yunhe.contracts.value_types import TypeData
from yunhe.limits import CODEC_INTEGER_KEYS_MAX, INTEGER_MAX, INTEGER_MIN, NAME_CHARS_MAX

Schema = dict[str, Any]

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


def interface_schema(name: str, interface: Interface) -> Schema:
    """Return the JSON Schema of a contract's interface.

    Args:
        name: of the contract.
        interface: what it offers.
    """
    return {
        "$schema": DIALECT,
        "title": name,
        "description": interface.summary,
        "contract": _contract(interface),
        "$defs": _definitions(interface),
    }


# --- What there is --------------------------------------------------------------------------------------------------


def _contract(interface: Interface) -> Schema:
    return {
        "actions": [_entry(entry) for entry in interface.actions.values()],
        "views": [_entry(entry) for entry in interface.views.values()],
        "events": list(interface.events),
        "tables": [
            {
                "name": table.name,
                "record": _ref(table.record),
                "key": list(table.key),
                "indexes": [{"name": i.name, "by": list(i.by), "unique": i.unique, "refusal": i.code} for i in table.indexes],
            }
            for table in interface.tables.values()
        ],
        "maps": [{"name": found.name, "key": _keys(found.key), "value": _ref(f"{found.name}.value")} for found in interface.maps.values()],
        "logs": [{"name": log.name, "key": _keys(log.key), "record": _ref(log.record)} for log in interface.logs.values()],
        "refusals": list(interface.refusals),
    }


def _entry(entry: EntryInterface) -> Schema:
    return {
        "name": entry.name,
        "description": entry.summary,
        "arguments": _ref(f"{entry.name}.arguments"),
        "result": _ref(f"{entry.name}.result"),
    }


def _keys(kinds: Sequence[TypeData]) -> list[Schema]:
    return [_answered(kind) for kind in kinds]


def _definitions(interface: Interface) -> Schema:
    found: Schema = dict(_SCALARS)
    for name, members in interface.choices.items():
        found[name] = {"enum": list(members.values())}
    for name, fields in interface.records.items():
        found[name] = _object(fields, given=False)
        found[f"{name}.given"] = _object(fields, given=True)
    for name, fields in interface.events.items():
        found[name] = _object(fields, given=False)
    for entry in [*interface.actions.values(), *interface.views.values()]:
        found[f"{entry.name}.arguments"] = _object(entry.parameters, given=True)
        found[f"{entry.name}.result"] = _answered(entry.result)
    for value in interface.maps.values():
        found[f"{value.name}.value"] = _answered(value.value) | (
            {} if value.default is None else {"default": value_to_json(value.default_value)}
        )
    return found


def _object(fields: Sequence[Field], *, given: bool) -> Schema:
    """Return the schema of fields or parameters: as they are given, or as a node answers them, where nothing is left out."""
    properties = {}
    for field in fields:
        schema = _given(field.type) if given else _answered(field.type)
        properties[field.name] = schema | ({"default": value_to_json(field.default_value)} if given and field.default is not None else {})
    required = [field.name for field in fields if not given or field.default is None]
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


# --- Types ----------------------------------------------------------------------------------------------------------


def _given(kind: TypeData) -> Schema:
    """Return the schema of a value as it is given to a node."""
    if isinstance(kind, str):
        return _ref(f"{kind}.given") if kind in ("bytes", "int") else _plain(kind)
    ((shape, of),) = kind.items()
    if shape == "record":
        return _ref(f"{of}.given")
    if shape == "dict":
        return _map(of[0], _given(of[1]))
    return _shape(shape, of, _given)


def _answered(kind: TypeData) -> Schema:
    """Return the schema of a value as a node answers it."""
    if isinstance(kind, str):
        return _ref(kind) if kind in ("bytes", "int") else _plain(kind)
    ((shape, of),) = kind.items()
    if shape == "record":
        return _ref(of)
    if shape == "dict":
        return _map(of[0], _answered(of[1]))
    return _shape(shape, of, _answered)


def _plain(kind: str) -> Schema:
    return _ref("Org") if kind == "Org" else {"type": _JSON_TYPES[kind]}


def _shape(shape: str, of: Any, item: Any) -> Schema:
    if shape == "list":
        return {"type": "array", "items": item(of)}
    if shape == "optional":
        return {"anyOf": [item(of), {"type": "null"}]}
    return _ref(of)


def _map(key: TypeData, value: Schema) -> Schema:
    schema: Schema = {"type": "object", "additionalProperties": value}
    if key == "int":
        return schema | {"propertyNames": _ref("int.text"), "maxProperties": CODEC_INTEGER_KEYS_MAX}
    return schema if key == "str" else schema | {"propertyNames": _ref("Org")}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/$defs/{name}"}


def decimal_pattern() -> str:
    """Return the pattern of the decimal texts of integers of 64 bits."""
    highest, lowest = _up_to(str(INTEGER_MAX)), _up_to(str(-INTEGER_MIN))
    return f"^({highest}|-{lowest})$"


def _up_to(bound: str) -> str:
    """Return the pattern of the decimal texts of 0 to a bound, without leading zeros."""
    shorter = f"0|[1-9][0-9]{{0,{len(bound) - 2}}}"
    as_long = []
    for index, digit in enumerate(bound):
        lowest = "1" if index == 0 else "0"
        if digit > lowest:
            rest = len(bound) - index - 1
            as_long.append(f"{bound[:index]}[{lowest}-{int(digit) - 1}]" + (f"[0-9]{{{rest}}}" if rest else ""))
    return "(" + "|".join([shorter, *as_long, bound]) + ")"


_INTEGER: Final = {"type": "integer", "minimum": INTEGER_MIN, "maximum": INTEGER_MAX}
_JSON_TYPES: Final = {"str": "string", "bool": "boolean", "None": "null"}
_SCALARS: Final[Schema] = {
    "Org": {"type": "string", "pattern": f"^[a-z][a-z0-9_]{{0,{NAME_CHARS_MAX - 1}}}$"},
    "Rounding": {"enum": [str(member) for member in Rounding]},
    "bytes": {"type": "string", "pattern": "^0x([0-9a-f]{2})*$"},
    "bytes.given": {"type": "string", "pattern": "^(0x)?([0-9a-f]{2})*$"},
    "int": _INTEGER,
    "int.given": {"anyOf": [_ref("int"), _ref("int.text")]},
    "int.text": {"type": "string", "pattern": decimal_pattern()},
}
