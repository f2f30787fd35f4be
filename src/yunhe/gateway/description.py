"""The API's OpenAPI description, where it says more than its routes do: the token, and the media type of refusals."""

from typing import Any, Final

from fastapi import FastAPI

from yunhe.gateway.boundary import OPEN_PATHS
from yunhe.gateway.problems import PROBLEM_MEDIA_TYPE, Problem

REFUSALS: Final[dict[int | str, dict[str, Any]]] = {
    "4XX": {"model": Problem, "description": "refused"},
    "5XX": {"model": Problem, "description": "the node cannot answer"},
}
"""Answers that every route can give."""
_TOKEN: Final = {"type": "http", "scheme": "bearer", "description": "the node's API token, in `secrets/api-token` of its folder"}


def describe(app: FastAPI) -> None:
    """Complete the description of an app whose routes are all there."""
    description = app.openapi()
    description.setdefault("components", {})["securitySchemes"] = {"token": _TOKEN}
    for path, operations in description["paths"].items():
        for operation in operations.values():
            operation["security"] = [] if path in OPEN_PATHS else [{"token": []}]
            for status in REFUSALS:
                content = operation["responses"][status]["content"]
                content[PROBLEM_MEDIA_TYPE] = content.pop("application/json")
