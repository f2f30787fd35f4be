"""Values of contracts from and to JSON, by the types of an interface (CON-149).

JSON has no bytes, no integer keys, and clients whose numbers lose digits: bytes are lower-case hex, with or without 0x before it, integer
keys are text, and an integer may be given as decimal text.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from yunhe.contracts.interface import EntryInterface, Interface, type_text
from yunhe.contracts.scalars import Org
from yunhe.contracts.value_types import TypeData
from yunhe.errors import MalformedError
from yunhe.ledger.codec import Value
from yunhe.limits import CODEC_DEPTH_MAX, INTEGER_MAX, INTEGER_MIN

_INTEGER: Final = re.compile(r"-?(0|[1-9][0-9]{0,18})", re.ASCII)
_HEX: Final = re.compile(r"(0x)?([0-9a-f]{2})*", re.ASCII)


def arguments_from_json(interface: Interface, entry: EntryInterface, given: Mapping[str, Any]) -> dict[str, Value]:
    """Turn JSON arguments into those of a call.

    Integers may also be decimal text, bytes are lower-case hex, keys of maps are text.

    Raises:
        MalformedError: one is missing, unknown or ill-typed; the message names it.
    """
    known = {parameter.name: parameter for parameter in entry.parameters}
    for name in given:
        if name not in known:
            raise MalformedError(f"{entry.name} has no argument {name}; it takes {', '.join(known) or 'none'}")
    for parameter in entry.parameters:
        if parameter.default is None and parameter.name not in given:
            raise MalformedError(f"{entry.name} needs the argument {parameter.name}")
    return {name: value_from_json(interface, known[name].type, value, name) for name, value in given.items()}


def value_from_json(interface: Interface, kind: TypeData, value: Any, where: str, depth: int = CODEC_DEPTH_MAX) -> Value:
    """Turn a JSON value into one of a type of the interface.

    Raises:
        MalformedError: it is not of the type; `where` says which one.
    """
    if isinstance(kind, str):
        return _scalar_from_json(kind, value, where)
    ((shape, of),) = kind.items()
    if depth == 0:
        raise MalformedError(f"{where} nests too deeply")
    match shape, value:
        case "optional", None:
            return None
        case "optional", _:
            return value_from_json(interface, of, value, where, depth)
        case "choice", str() if value in interface.choices.get(of, {of: value}).values():
            return value
        case "list", list():
            return [value_from_json(interface, of, item, f"{where}[{index}]", depth - 1) for index, item in enumerate(value)]
        case "dict", dict():
            return _dict_from_json(interface, of, value, where, depth)
        case "record", dict() if of in interface.records:
            return _record_from_json(interface, of, value, where, depth)
        case "choice", _ if of in interface.choices:
            raise MalformedError(f"{where} must be one of {', '.join(interface.choices[of].values())}")
    raise MalformedError(f"{where} must be {type_text(kind)}")


def _scalar_from_json(kind: str, value: Any, where: str) -> Value:
    match kind, value:
        case "bool", bool():
            return value
        case "str", str():
            return value
        case "Org", str():
            return _organisation(value, where)
        case "None", None:
            return None
        case "bytes", str() if _HEX.fullmatch(value):
            return bytes.fromhex(value.removeprefix("0x"))
        case "int", str() if _INTEGER.fullmatch(value):
            return _in_range(int(value), where)
        case "int", int() if not isinstance(value, bool):
            return _in_range(value, where)
    expected = {"bytes": "bytes, written as lower-case hex", "Org": "an organisation's name"}.get(kind, kind)
    raise MalformedError(f"{where} must be {expected}")


def _organisation(text: str, where: str) -> str:
    try:
        Org(text)
    except ValueError as error:
        raise MalformedError(f"{where} must be an organisation's name: a-z, 0-9 and _, beginning with a letter") from error
    return text


def _in_range(value: int, where: str) -> int:
    if not INTEGER_MIN <= value <= INTEGER_MAX:
        raise MalformedError(f"{where} must be an integer of 64 bits")
    return value


def _dict_from_json(interface: Interface, of: list[TypeData], value: dict[str, Any], where: str, depth: int) -> Value:
    key_type, item_type = of
    if key_type == "int":
        return {
            int(str(_scalar_from_json("int", key, f"a key of {where}"))): value_from_json(
                interface, item_type, item, f"{where}[{key}]", depth - 1
            )
            for key, item in value.items()
        }
    return {key: value_from_json(interface, item_type, item, f"{where}[{key}]", depth - 1) for key, item in value.items()}


def _record_from_json(interface: Interface, record: str, value: dict[str, Any], where: str, depth: int) -> Value:
    fields = {declared.name: declared for declared in interface.records[record]}
    for name in value:
        if name not in fields:
            raise MalformedError(f"{where} has no field {name}; {record} has {', '.join(fields)}")
    for declared in fields.values():
        if declared.default is None and declared.name not in value:
            raise MalformedError(f"{where} needs the field {declared.name}")
    return {name: value_from_json(interface, fields[name].type, item, f"{where}.{name}", depth - 1) for name, item in value.items()}


def value_to_json(value: Value) -> Any:
    """Return a decoded value as JSON takes it: bytes as lower-case hex, integer keys as text."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, list):
        return [value_to_json(item) for item in value]
    if isinstance(value, dict):
        return {str(key): value_to_json(item) for key, item in value.items()}
    return value
