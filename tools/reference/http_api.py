"""The pages of the HTTP API: the OpenAPI document, and the same for readers."""

import json
from collections.abc import Iterator

from tools.reference.markdown import page, table
from yunhe.gateway.schema_words import Json, limits_in_words, parameter_in_words, type_in_words

_METHODS = ("get", "put", "post", "delete", "patch")


def openapi_page(document: Json) -> str:
    """Return docs/reference/openapi.json."""
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def http_page(document: Json) -> str:
    """Return docs/reference/http.md."""
    lines = [f"{document['info'].get('summary', '')} The machine-readable description is [openapi.json](openapi.json).", ""]
    for path, operations in document["paths"].items():
        for method in _METHODS:
            if method in operations:
                lines += _operation(method, path, operations[method])
    lines += ["## Types", ""]
    for name, schema in sorted(document.get("components", {}).get("schemas", {}).items()):
        lines += _type(name, schema)
    return page("HTTP API", lines)


def _operation(method: str, path: str, operation: Json) -> list[str]:
    lines = [f"## {method.upper()} {path}", "", operation.get("description") or operation.get("summary", ""), ""]
    scopes = [scope for needed in operation.get("security", []) for names in needed.values() for scope in names]
    lines += [f"Scope: `{', '.join(scopes)}`.", ""] if scopes else []
    parameters = [
        (
            f"`{item['name']}`",
            item["in"] + (", required" if item.get("required") else ""),
            parameter_in_words(item, type_name),
            _about(item),
        )
        for item in operation.get("parameters", [])
    ]
    lines += table(["Parameter", "In", "Type", "Meaning"], parameters)
    bodies = [
        (f"`{media}`", type_name(content.get("schema", {})))
        for media, content in operation.get("requestBody", {}).get("content", {}).items()
    ]
    lines += table(["Request body", "Type"], bodies)
    lines += table(["Status", "Body", "Meaning"], _responses(operation["responses"]))
    return lines


def _responses(responses: Json) -> Iterator[tuple[str, str, str]]:
    for status, response in responses.items():
        contents = response.get("content", {}) or {"": {}}
        for media, content in contents.items():
            kind = type_name(content.get("schema", {}))
            yield status, f"{kind} (`{media}`)" if media and media != "application/json" else kind, response.get("description", "")


def _type(name: str, schema: Json) -> list[str]:
    lines = [f"### {name}", "", " ".join(schema.get("description", "").split()), ""]
    required = set(schema.get("required", []))
    rows = [
        (f"`{field}`" + ("" if field in required else " (optional)"), type_name(about), _about(about))
        for field, about in schema.get("properties", {}).items()
    ]
    if "enum" in schema:
        lines += ["One of " + ", ".join(f"`{value}`" for value in schema["enum"]) + ".", ""]
    return lines + table(["Field", "Type", "Meaning"], rows)


def type_name(schema: Json) -> str:
    """Return a schema in words: a link for a named type, alternatives joined by *or*, a list as *list of*."""
    return type_in_words(schema, lambda name: f"[{name}](#{name.lower()})", _code)


def _about(item: Json) -> str:
    limits = limits_in_words(item, str, _code)
    text = item.get("description") or item.get("schema", item).get("description") or ""
    return text + (f" ({', '.join(limits)})" if limits else "")


def _code(value: str) -> str:
    return f"`{value}`"
