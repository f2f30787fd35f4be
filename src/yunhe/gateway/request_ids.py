"""A name for each request (API-015): the caller's own or a new one, in the answer, in its problem document and in the log."""

import re
import secrets
import time
from typing import Final

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADER: Final = "X-Request-Id"
_FORM: Final = re.compile(r"[A-Za-z0-9._:-]{1,64}")
"""What a caller may name a request; no other text of a stranger's goes into the log."""
_KEY: Final = "request_id"

_log = structlog.get_logger("yunhe.gateway")


def new_request_id() -> str:
    """Return a name that no other request has."""
    return secrets.token_hex(16)


def current_request_id() -> str | None:
    """Return the name of the request that is being answered."""
    name = structlog.contextvars.get_contextvars().get(_KEY)
    return name if isinstance(name, str) else None


class RequestIds:
    """ASGI middleware that names requests, and logs each answer at level `debug`, without query and body."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on under its name."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        # API-015: a request has a task of its own, and so a context; the name stays bound for whoever handles an error further out.
        given = Headers(scope=scope).get(HEADER, "")
        name = given if _FORM.fullmatch(given) else new_request_id()
        structlog.contextvars.bind_contextvars(**{_KEY: name})
        await self._app(scope, receive, _named(send, name, scope))


def _named(send: Send, name: str, scope: Scope) -> Send:
    began_ns = time.monotonic_ns()

    async def named(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message)[HEADER] = name
            took_ms = (time.monotonic_ns() - began_ns) // 1_000_000
            _log.debug("answered", method=scope["method"], path=scope["path"], status=message["status"], took_ms=took_ms)
        await send(message)

    return named
