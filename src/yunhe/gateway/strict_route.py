"""Routes that take what they are described to take, in one form, and nothing beside it (docs/spec/http.md)."""

import re
from collections.abc import Callable, Coroutine, Iterator
from typing import Annotated, Any, Final

from fastapi import Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from pydantic import BaseModel, BeforeValidator, ConfigDict

from yunhe.errors import ParameterRepeatedError, ParameterUnknownError
from yunhe.gateway.strict_json import read_json

_INTEGER: Final = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)
_SHOWN_CHARS: Final = 40


def _integer(text: object) -> object:
    # API-042
    if isinstance(text, str) and not _INTEGER.fullmatch(text):
        raise ValueError("an integer is decimal digits, at most 19, without sign, spaces or leading zeros")
    return text


def _flag(text: object) -> object:
    # API-042
    if isinstance(text, str) and text not in ("true", "false"):
        raise ValueError("it is true or false")
    return text


UrlInteger = Annotated[int, BeforeValidator(_integer)]
"""An integer in a path or a query."""
UrlFlag = Annotated[bool, BeforeValidator(_flag)]
"""A truth value in a query."""


class RequestBody(BaseModel):
    """A body that has the fields it is described with, of their types, and no others."""

    # API-040
    model_config = ConfigDict(extra="forbid", strict=True)


class _StrictRequest(Request):
    """A request whose JSON means one thing only."""

    async def json(self) -> Any:  # noqa: ANN401  # any JSON
        """Return the body's value."""
        return read_json(await self.body(), "the body")


class StrictRoute(APIRoute):
    """A route that refuses query parameters which it does not have, or has twice, and JSON that can be read in two ways."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return what answers requests."""
        answer = super().get_route_handler()
        known = sorted(_query_names(self.dependant))

        async def strictly(request: Request) -> Response:
            _check_query(request, known)
            return await answer(_StrictRequest(request.scope, request.receive))

        return strictly


def _query_names(dependant: Dependant) -> Iterator[str]:
    yield from (field.alias for field in dependant.query_params)
    for below in dependant.dependencies:
        yield from _query_names(below)


def _check_query(request: Request, known: list[str]) -> None:
    # API-041
    given = [name for name, _ in request.query_params.multi_items()]
    for name in given:
        if name not in known:
            takes = ", ".join(known) or "none"
            raise ParameterUnknownError(f"{request.url.path} has no query parameter {name[:_SHOWN_CHARS]!r}; it takes: {takes}")
        if given.count(name) > 1:
            raise ParameterRepeatedError(f"the query parameter {name} stands in the query {given.count(name)} times; give it once")
