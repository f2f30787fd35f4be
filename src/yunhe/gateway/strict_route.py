"""Routes that take what they are described to take, in one form, and nothing beside it (docs/spec/http.md)."""

import re
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Final, get_args

from fastapi import Request, Response
from fastapi._compat import ModelField
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict

from yunhe.errors import ParameterRepeatedError, ParameterUnknownError, RequestInvalidError
from yunhe.gateway.route_states import DEPRECATED
from yunhe.gateway.strict_json import read_json

_INTEGER: Final = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)
_SHOWN_CHARS: Final = 40


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
        path, query = _fields(self.dependant)
        deprecation = next(
            (DEPRECATED[route] for method in self.methods or () if (route := f"{method} {self.path_format}") in DEPRECATED), None
        )

        async def strictly(request: Request) -> Response:
            _check_query(request, query)
            _check_forms("path", path, request.path_params)
            _check_forms("query", query, request.query_params)
            answered = await answer(_StrictRequest(request.scope, request.receive))
            # API-052
            answered.headers.update({} if deprecation is None else deprecation.headers)
            return answered

        return strictly


def _fields(dependant: Dependant) -> tuple[dict[str, ModelField], dict[str, ModelField]]:
    """Return what a route takes from its path and from its query, by name."""
    path = {field.alias: field for field in dependant.path_params}
    query = {field.alias: field for field in dependant.query_params}
    for below in map(_fields, dependant.dependencies):
        path |= below[0]
        query |= below[1]
    return path, query


def _check_forms(place: str, fields: Mapping[str, ModelField], given: Mapping[str, str]) -> None:
    # API-042: the framework would take `+1`, ` 1`, `1_0` and `yes` too.
    for name, text in given.items():
        annotation = fields[name].field_info.annotation
        kinds = get_args(annotation) or (annotation,)
        if int in kinds and not _INTEGER.fullmatch(text):
            raise RequestInvalidError(f"{place}.{name}: an integer is decimal digits, at most 19, without sign, spaces or leading zeros")
        if bool in kinds and text not in ("true", "false"):
            raise RequestInvalidError(f"{place}.{name}: it is true or false")


def _check_query(request: Request, known: Mapping[str, ModelField]) -> None:
    # API-041
    given = [name for name, _ in request.query_params.multi_items()]
    for name in given:
        if name not in known:
            takes = ", ".join(sorted(known)) or "none"
            raise ParameterUnknownError(f"{request.url.path} has no query parameter {name[:_SHOWN_CHARS]!r}; it takes: {takes}")
        if given.count(name) > 1:
            raise ParameterRepeatedError(f"the query parameter {name} stands in the query {given.count(name)} times; give it once")
