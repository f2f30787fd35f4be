"""The boundary of the HTTP API: who may ask, and how much may be sent.

Token and size are checked before a request reaches a route. Only health, version and the API's own description need no token.
"""

import hmac

from fastapi.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from yunhe.errors import TokenWrongError, TooLargeError, YunheError
from yunhe.gateway.problems import problem
from yunhe.limits import HTTP_BODY_BYTES_MAX

OPEN_PATHS = frozenset({"/v1/health", "/v1/version", "/openapi.json"})
"""Paths that need no token."""


class Boundary:
    """ASGI middleware that refuses what has no token or is too large."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app = app
        self._token = token.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        # API-002
        if scope["path"] not in OPEN_PATHS and not self._has_token(headers.get(b"authorization", b"")):
            refused = TokenWrongError("the request needs the header `Authorization: Bearer <token>` with the node's API token")
            await _refuse(refused, scope, receive, send, {"WWW-Authenticate": "Bearer"})
            return
        # API-003
        length = headers.get(b"content-length", b"0")
        if not length.isdigit() or int(length) > HTTP_BODY_BYTES_MAX:
            await _refuse(_too_large(), scope, receive, send)
            return
        await self._app(scope, _limited(receive), send)

    def _has_token(self, authorization: bytes) -> bool:
        scheme, _, token = authorization.partition(b" ")
        return scheme.lower() == b"bearer" and hmac.compare_digest(token.strip(), self._token)


def _too_large() -> TooLargeError:
    return TooLargeError(f"a request's body is at most {HTTP_BODY_BYTES_MAX} bytes; send fewer transactions at once")


def _limited(receive: Receive) -> Receive:
    """Count what arrives; a body without a stated length is cut off at the limit."""
    received = 0

    async def counted() -> Message:
        nonlocal received
        message = await receive()
        received += len(message.get("body", b""))
        if received > HTTP_BODY_BYTES_MAX:
            raise _too_large()
        return message

    return counted


async def _refuse(error: YunheError, scope: Scope, receive: Receive, send: Send, headers: dict[str, str] | None = None) -> None:
    body = problem(error).model_dump()
    await JSONResponse(body, error.status, headers, "application/problem+json")(scope, receive, send)
