"""Methods that are the same for every path (API-014): HEAD beside GET, OPTIONS everywhere, and a refusal that names what a path takes."""

from typing import Final

from fastapi import FastAPI, Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from yunhe.errors import MethodNotAllowedError
from yunhe.gateway.problems import problem_response

_METHOD_NOT_ALLOWED: Final = 405
_NO_CONTENT: Final = 204
_METHODS: Final = ("DELETE", "GET", "PATCH", "POST", "PUT")
"""Methods that a route can name."""


class HeadAsGet:
    """ASGI middleware that answers HEAD as the app answers GET, without the body."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] == "http" and scope["method"] == "HEAD":
            # API-014
            as_get = {**scope, "method": "GET"}

            async def routed(message: Message) -> None:
                # What counts answers by route looks for it in the scope that it knows.
                scope["route"] = as_get.get("route")
                await send(message)

            await self._app(as_get, receive, _without_body(routed))
        else:
            await self._app(scope, receive, send)


def _without_body(send: Send) -> Send:
    is_complete = False

    async def heads_only(message: Message) -> None:
        nonlocal is_complete
        if message["type"] != "http.response.body":
            await send(message)
        elif not is_complete:
            # With the first part, so that a stream ends before it begins.
            is_complete = True
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    return heads_only


def install_methods(app: FastAPI) -> None:
    """Make an app answer methods that its routes do not name."""
    app.add_middleware(HeadAsGet)

    @app.exception_handler(_METHOD_NOT_ALLOWED)
    async def _other_method(request: Request, _error: HTTPException) -> Response:
        # API-014
        allowed = ", ".join(_methods(app, request.scope))
        if request.method == "OPTIONS":
            return Response(status_code=_NO_CONTENT, headers={"Allow": allowed})
        refused = MethodNotAllowedError(f"{request.url.path} does not take {request.method}; it takes {allowed}")
        return problem_response(refused, {"Allow": allowed})


def _methods(app: FastAPI, scope: Scope) -> list[str]:
    """Return the methods that a path takes; several routes can have it."""
    taken = {method for method in _METHODS if any(_takes(route, scope, method) for route in app.routes)}
    return sorted(taken | {"OPTIONS"} | ({"HEAD"} if "GET" in taken else set()))


def _takes(route: BaseRoute, scope: Scope, method: str) -> bool:
    return route.matches({**scope, "method": method})[0] == Match.FULL
