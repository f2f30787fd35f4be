"""What a description of the API has lost of an earlier one, by the rules of docs/spec/http.md (What lasts)."""

from collections.abc import Iterator, Mapping
from typing import Any, Final, TypeAlias

Json: TypeAlias = Mapping[str, Any]

_KIND: Final = ("$ref", "type", "const", "anyOf", "oneOf", "items", "additionalProperties")
"""What decides whether a reader or writer of a value goes on working; bounds may become wider, and texts better."""


def lost(kept: Json, now: Json) -> list[str]:
    """Return what callers of stable routes relied on and no longer have, one line each."""
    # API-050
    found = []
    for path, operations in kept["paths"].items():
        for method, operation in operations.items():
            if operation["x-yunhe-state"] != "stable":
                continue
            route = f"{method.upper()} {path}"
            found += [f"{route}: {fault}" for fault in _route(operation, now["paths"].get(path, {}).get(method))]
    requests = _requested(kept)
    for name, schema in kept["components"]["schemas"].items():
        found += [f"{name}: {fault}" for fault in _type(schema, now["components"]["schemas"].get(name), is_request=name in requests)]
    return found


def _route(kept: Json, now: Json | None) -> Iterator[str]:
    if now is None:
        yield "is gone"
        return
    before, after = (_parameters(operation) for operation in (kept, now))
    yield from (f"the parameter {name} is gone" for name in before.keys() - after.keys())
    yield from (
        f"the parameter {name} is of another kind" for name in before.keys() & after.keys() if _kind(before[name]) != _kind(after[name])
    )
    yield from (
        f"the parameter {name} is required now"
        for name in after
        if after[name].get("required") and not before.get(name, {}).get("required")
    )
    media = kept.get("requestBody", {}).get("content", {}).keys() - now.get("requestBody", {}).get("content", {}).keys()
    yield from (f"bodies of {one} are not taken any more" for one in media)
    for status, answer in kept["responses"].items():
        if answer.get("content", {}) != now["responses"].get(status, {}).get("content", {}):
            yield f"the answer {status} is another"


def _parameters(operation: Json) -> dict[str, Json]:
    return {item["name"]: item for item in operation.get("parameters", [])}


def _type(kept: Json, now: Json | None, *, is_request: bool) -> Iterator[str]:
    if now is None:
        yield "is gone"
        return
    before, after = kept.get("properties", {}), now.get("properties", {})
    yield from (f"the field {name} is gone" for name in before.keys() - after.keys())
    yield from (
        f"the field {name} is of another kind" for name in before.keys() & after.keys() if _kind(before[name]) != _kind(after[name])
    )
    required = (set(kept.get("required", [])), set(now.get("required", [])))
    if is_request:
        yield from (f"the field {name} is required now" for name in required[1] - required[0])
    else:
        yield from (f"the field {name} can be missing now" for name in required[0] - required[1])


def _requested(document: Json) -> set[str]:
    """Return the types that bodies of requests are made of."""
    schemas = document["components"]["schemas"]
    bodies = [operation.get("requestBody", {}) for operations in document["paths"].values() for operation in operations.values()]
    found: set[str] = set()
    waiting = [name for body in bodies for name in _names(body)]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += _names(schemas[name])
    return found


def _names(part: object) -> list[str]:
    if isinstance(part, Mapping):
        own = [part["$ref"].rpartition("/")[2]] if isinstance(part.get("$ref"), str) else []
        return own + [name for value in part.values() for name in _names(value)]
    return [name for value in part for name in _names(value)] if isinstance(part, list) else []


def _kind(part: object) -> object:
    """Return a schema, or a parameter, without bounds and texts."""
    if isinstance(part, Mapping):
        inner = part.get("schema", part.get("content", part))
        if inner is not part:
            return part["in"], _kind(inner)
        return {key: _kind(part[key]) for key in _KIND if key in part}
    return [_kind(value) for value in part] if isinstance(part, list) else part
