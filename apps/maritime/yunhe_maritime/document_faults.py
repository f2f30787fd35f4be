"""What a refused field should have been and what was found in it, in the words of those who fill in documents.

A code, a date, a number or a truth value is shown as it was found. Free text may name people or be confidential, and messages are logged:
it is described instead. A text that is too long to be a code is described as well, whatever the field.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from yunhe_maritime.errors import Fault, json_path
from yunhe_maritime.field_types import FREE_TEXT_PATTERNS, PATTERN_MEANINGS

_SHOWN_CHARACTERS_MAX: Final = 40
"""Longer than any code of the standard."""
_FREE_TYPES: Final = ("list_type", "model_type", "string_type")
"""Types of errors of fields in whose place anything may be found."""
_LINE_BREAKS: Final = "\n\r\u2028\u2029"


def document_faults(error: ValidationError) -> tuple[Fault, ...]:
    """Return a fault for each refused field, in the order of the model."""
    return tuple(Fault(json_path(fault["loc"]), _reason(fault)) for fault in error.errors(include_url=False))


def _reason(fault: ErrorDetails) -> str:
    kind = fault["type"]
    if kind == "missing":
        return f"is required{_misspelt(str(fault['loc'][-1]), fault['input'])}"
    if kind == "value_error":
        return _of_our_own(fault)
    expected = _EXPECTED[kind](fault.get("ctx", {}))
    return f"should be {expected}; found {_found(fault)}"


def _of_our_own(fault: ErrorDetails) -> str:
    """Return the reason of a check that the model makes itself, and that says all but what it found in a single value."""
    reason = str(fault["ctx"]["error"])
    value = fault["input"]
    return reason if value is None or isinstance(value, dict) else f"{reason}; found {_shown(value)}"


_EXPECTED: Final[Mapping[str, Callable[[Mapping[str, object]], str]]] = {
    "bool_type": lambda _: "true or false",
    "float_type": lambda _: "a number",
    "int_type": lambda _: "a whole number, written without decimals",
    "list_type": lambda _: "a list",
    "model_type": lambda _: "an object",
    "string_type": lambda _: "text",
    "string_pattern_mismatch": lambda context: PATTERN_MEANINGS[str(context["pattern"])],
    "string_too_long": lambda context: f"text of at most {context['max_length']} characters",
    "literal_error": lambda context: str(context["expected"]).replace("'", ""),
    "greater_than": lambda context: f"more than {_number(context['gt'])}",
    "greater_than_equal": lambda context: f"{_number(context['ge'])} or more",
    "less_than_equal": lambda context: f"{_number(context['le'])} or less",
    "too_short": lambda context: f"a list of {context['min_length']} or more",
    "too_long": lambda context: f"a list of at most {context['max_length']}",
}
"""By pydantic's types of errors; a test holds it to those that the model can raise."""


def _found(fault: ErrorDetails) -> str:
    kind, value = fault["type"], fault["input"]
    if kind == "too_short":
        return "an empty list"
    if kind in ("too_long", "string_too_long"):
        return str(len(value))
    free = kind in _FREE_TYPES or (kind == "string_pattern_mismatch" and fault["ctx"]["pattern"] in FREE_TEXT_PATTERNS)
    return _described(value) if free else _shown(value)


def _shown(value: object) -> str:
    """Return a single value as JSON writes it, if it is short."""
    if value is None or isinstance(value, bool | int | float) or (isinstance(value, str) and len(value) <= _SHOWN_CHARACTERS_MAX):
        return json.dumps(value)
    return _described(value)


def _described(value: object) -> str:
    """Return what kind of value it is."""
    if isinstance(value, str):
        return _described_text(value)
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, int | float):
        return "a number"
    return "a list" if isinstance(value, list) else "an object"


def _described_text(text: str) -> str:
    if not text:
        return "an empty text"
    if any(character in text for character in _LINE_BREAKS):
        return "text with a line break"
    if text != text.strip():
        return "text with a space at its beginning or end"
    if not (text[0].isprintable() and text[-1].isprintable()):
        return "text with an invisible character at its beginning or end"
    return f"text of {len(text)} characters"


def _number(value: object) -> str:
    return f"{value:.8g}" if isinstance(value, float) else str(value)


def _misspelt(name: str, siblings: object) -> str:
    """Return a hint if a field of nearly this name is there."""
    if not isinstance(siblings, dict):
        return ""
    near = sorted(sibling for sibling in siblings if _letters(sibling) == _letters(name))
    return f"; found {_list(near)}, and names count letter by letter" if near else ""


def _letters(name: str) -> str:
    return "".join(filter(str.isalnum, name)).casefold()


def _list(names: Sequence[str]) -> str:
    return " and ".join(json.dumps(name[:_SHOWN_CHARACTERS_MAX]) for name in names)
