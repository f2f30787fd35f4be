"""Schemas of the API's description in words, for every page that shows them to readers, whatever it is written in."""

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

Json: TypeAlias = Mapping[str, Any]
Form: TypeAlias = Callable[[str], str]
"""How a page writes a text."""

_LIMITS: Final = {
    "minimum": "at least",
    "maximum": "at most",
    "minLength": "shortest",
    "maxLength": "longest",
    "minItems": "fewest",
    "maxItems": "most",
    "maxProperties": "most fields",
    "pattern": "pattern",
}


def type_in_words(schema: Json, link: Form, code: Form, text: Form = str) -> str:
    """Return a schema's type: a link for a named type, alternatives joined by *or*, a list as *list of*.

    Args:
        schema: of the description.
        link: writes the name of a type so that it leads there.
        code: writes a value.
        text: writes any other text.
    """
    if "$ref" in schema:
        return link(schema["$ref"].rpartition("/")[2])
    for union in ("anyOf", "oneOf", "allOf"):
        if union in schema:
            return " or ".join(type_in_words(part, link, code, text) for part in schema[union])
    if "enum" in schema or "const" in schema:
        return " or ".join(code(str(value)) for value in schema.get("enum", [schema.get("const")]))
    if schema.get("type") == "array":
        return f"list of {type_in_words(schema.get('items', {}), link, code, text)}"
    if schema.get("type") == "object" and isinstance(schema.get("additionalProperties"), Mapping):
        return f"map to {type_in_words(schema['additionalProperties'], link, code, text)}"
    kind = schema.get("type", "any" if schema else "")
    return text(" or ".join(kind) if isinstance(kind, list) else str(kind))


def parameter_in_words(item: Json, in_words: Callable[[Json], str]) -> str:
    """Return a parameter's type, which may be JSON within its text."""
    return in_words(item["schema"]) if "schema" in item else "JSON: " + in_words(item["content"]["application/json"]["schema"])


def limits_in_words(item: Json, bound: Form, code: Form) -> list[str]:
    """Return what a field or parameter may be at most and at least, and its default; `bound` writes the former, `code` the latter."""
    schema = item.get("schema", item)
    limits = [f"{word} {bound(str(schema[name]))}" for name, word in _LIMITS.items() if schema.get(name) is not None]
    return limits if schema.get("default") is None else [*limits, f"default {code(str(schema['default']))}"]
