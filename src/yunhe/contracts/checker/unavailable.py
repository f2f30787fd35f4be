"""What to write instead of names that Python has and contracts have not; for people who know Python."""

from typing import Final

_DETERMINISM: Final = "a contract knows only its arguments, its state and the context"
_REFLECTION: Final = "use the declared fields by name"
_LITERAL: Final = "write what is meant in literals"

_INSTEAD: Final = {
    "__import__": "import names from yunhe.contracts at the top",
    "bin": _LITERAL,
    "bytearray": "use bytes",
    "callable": "functions are no values in contracts",
    "classmethod": "write a function at module level",
    "compile": "contracts run only what was deployed",
    "complex": "count in the smallest unit, as an integer",
    "datetime": "use ctx.time_ms",
    "delattr": _REFLECTION,
    "dir": _REFLECTION,
    "eval": "contracts run only what was deployed",
    "exec": "contracts run only what was deployed",
    "filter": "write a comprehension with `if`",
    "float": "count in the smallest unit, as an integer; mul_div rounds",
    "format": 'write f"{name}"',
    "frozenset": "use a tuple, or a dict",
    "getattr": _REFLECTION,
    "globals": "keep state in a Table or Map",
    "hasattr": _REFLECTION,
    "hash": "compare the values themselves",
    "hex": "write value.hex() for bytes",
    "id": "compare the values themselves",
    "input": _DETERMINISM,
    "isinstance": "the types of parameters and fields are checked already",
    "issubclass": "the types of parameters and fields are checked already",
    "iter": "write a `for` loop",
    "locals": _REFLECTION,
    "map": "write a comprehension",
    "memoryview": "use bytes",
    "next": "write a `for` loop with `break`",
    "object": "declare a Record",
    "oct": _LITERAL,
    "open": _DETERMINISM,
    "pow": "write `**`",
    "print": "emit an Event, or return a value",
    "property": "write a function at module level",
    "random": _DETERMINISM,
    "repr": 'write f"{name}"',
    "round": "use mul_div with a Rounding",
    "set": "use a list or a dict: a set has no order that is the same everywhere",
    "setattr": "assign to the field by name",
    "slice": "write name[start:stop]",
    "staticmethod": "write a function at module level",
    "super": "records have no methods",
    "time": "use ctx.time_ms",
    "type": "the types of parameters and fields are checked already",
    "vars": _REFLECTION,
}

_IMPORTS: Final = {
    "Counter": "a count by key is a Map[K, int] with default=0 and its `add`",
    "OrderedDict": "a dict keeps its order",
    "defaultdict": "use a dict with `in`, or a Map with a default in state",
    "dataclass": "declare a Record",
    "dataclasses": "declare a Record",
    "NamedTuple": "declare a Record",
    "namedtuple": "declare a Record",
    "TypedDict": "declare a Record",
    "Enum": "declare a Choice",
    "StrEnum": "declare a Choice",
    "enum": "declare a Choice",
    "Decimal": "count in the smallest unit, as an integer; mul_div rounds",
    "decimal": "count in the smallest unit, as an integer; mul_div rounds",
    "Fraction": "count in the smallest unit, as an integer; mul_div rounds",
    "fractions": "count in the smallest unit, as an integer; mul_div rounds",
    "math": "count in the smallest unit, as an integer; mul_div rounds",
    "Optional": "write `T | None`",
    "Union": "write `T | None`",
    "List": "write list[...]",
    "Dict": "write dict[...]",
    "Any": "name the type",
    "typing": "write list[...], dict[...] and `T | None`; they need no import",
    "annotations": "leave the line out: annotations of a contract are read as they stand",
    "hashlib": "a contract has no hash function; take the hash as an argument",
    "json": "declare a Record for what has structure",
    "uuid": "take an id as an argument",
    "re": "compare characters in a loop",
    "logging": "emit an Event, or return a value",
    "os": _DETERMINISM,
    "sys": _DETERMINISM,
}
"""What people import whose counterpart in contracts has another name."""


def instead_of_import(*names: str) -> str:
    """Return what to write instead of something of Python's library, by its name or its module's; empty if nothing in particular."""
    return next((found for name in names if (found := _IMPORTS.get(name) or _INSTEAD.get(name))), "")


def instead_of(name: str) -> str:
    """Return what to write instead of a name that stands for nothing."""
    return _INSTEAD.get(name) or _IMPORTS.get(name, "define it above, or correct its spelling")
