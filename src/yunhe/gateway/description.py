"""The API's OpenAPI description, where it says more than its routes do: token and scopes, and the media type of refusals."""

from typing import Any, Final

from fastapi import FastAPI

from yunhe.gateway.problems import PROBLEM_MEDIA_TYPE, Problem
from yunhe.gateway.scopes import needed_scope

REFUSALS: Final[dict[int | str, dict[str, Any]]] = {
    "4XX": {"model": Problem, "description": "refused"},
    "5XX": {"model": Problem, "description": "the node cannot answer"},
}
"""Answers that every route can give."""
_TOKEN: Final = {"type": "http", "scheme": "bearer", "description": "an API token of the node; each route names the scope that it needs"}


def describe(app: FastAPI) -> None:
    """Complete the description of an app whose routes are all there."""
    description = app.openapi()
    description.setdefault("components", {})["securitySchemes"] = {"token": _TOKEN}
    for path, operations in description["paths"].items():
        for method, operation in operations.items():
            scope = needed_scope(method.upper(), path)
            # As OpenAPI 3.1 has it: for a scheme that is not OAuth the list names roles.
            operation["security"] = [] if scope is None else [{"token": [scope]}]
            for status in REFUSALS:
                content = operation["responses"][status]["content"]
                content[PROBLEM_MEDIA_TYPE] = content.pop("application/json")
