"""The OpenAPI description where it says more than its routes do: token and scopes, the media type of refusals, and JSON in a query."""

from typing import Any, Final

from fastapi import FastAPI

from yunhe.gateway.problems import PROBLEM_MEDIA_TYPE, Problem
from yunhe.gateway.route_states import route_state
from yunhe.gateway.scopes import needed_scope
from yunhe.limits import EVENT_CONDITIONS_MAX, INTEGER_MAX, INTEGER_MIN, KEY_COMPONENTS_MAX

REFUSALS: Final[dict[int | str, dict[str, Any]]] = {
    "4XX": {"model": Problem, "description": "refused"},
    "5XX": {"model": Problem, "description": "the node cannot answer"},
}
"""Answers that every route can give."""
_KEY: Final = {
    "type": "array",
    "maxItems": KEY_COMPONENTS_MAX,
    "items": {"anyOf": [{"type": "string"}, {"type": "integer", "minimum": INTEGER_MIN, "maximum": INTEGER_MAX}]},
}
_JSON_PARAMETERS: Final[dict[str, dict[str, Any]]] = {
    "key": _KEY | {"minItems": 1},
    "prefix": _KEY,
    "start": _KEY,
    "end": _KEY,
    "where": {
        "type": "object",
        "maxProperties": EVENT_CONDITIONS_MAX,
        "additionalProperties": {"type": ["string", "integer", "boolean", "null"]},
    },
}
"""Query parameters that are JSON."""
_TOKEN: Final = {"type": "http", "scheme": "bearer", "description": "an API token of the node; each route names the scope that it needs"}


def _present(schema: dict[str, Any]) -> dict[str, Any]:
    """Return what a parameter is when it is there; that it can be left out says `required`, and no text in a URL is null."""
    (kind,) = [one for one in schema["anyOf"] if one != {"type": "null"}]
    about = {name: value for name, value in schema.items() if name != "anyOf"}
    return about | dict(kind)


def describe(app: FastAPI) -> None:
    """Complete the description of an app whose routes are all there."""
    # API-044
    description = app.openapi()
    description.setdefault("components", {})["securitySchemes"] = {"token": _TOKEN}
    for path, operations in description["paths"].items():
        for method, operation in operations.items():
            for parameter in operation.get("parameters", []):
                if "anyOf" in parameter.get("schema", {}):
                    parameter["schema"] = _present(parameter["schema"])
                if parameter["name"] in _JSON_PARAMETERS:
                    del parameter["schema"]
                    parameter["content"] = {"application/json": {"schema": _JSON_PARAMETERS[parameter["name"]]}}
            scope = needed_scope(method.upper(), path)
            # As OpenAPI 3.1 has it: for a scheme that is not OAuth the list names roles.
            # API-051
            operation["x-yunhe-state"] = state = route_state(f"{method.upper()} {path}")
            if state == "deprecated":
                operation["deprecated"] = True
            operation["security"] = [] if scope is None else [{"token": [scope]}]
            for status in REFUSALS:
                content = operation["responses"][status]["content"]
                content[PROBLEM_MEDIA_TYPE] = content.pop("application/json")
