"""The boundary of the HTTP API: who may ask, and how much may be sent.

Token, scope and size are checked before a request reaches a route, and its body is read whole: a caller that goes away before its end has
asked for nothing. Health, readiness, version, the API's own
description and the relay of transactions need no token. Rules: docs/spec/http.md.
"""

import asyncio
from collections.abc import Callable
from typing import Final

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from yunhe.errors import RequestInvalidError, ScopeMissingError, TokensUnreadableError, TokenWrongError, TooLargeError, YunheError
from yunhe.gateway.problems import problem_response
from yunhe.gateway.request_ids import current_request_id
from yunhe.gateway.scopes import OPEN_PATHS, SAFE_METHODS, needed_scope
from yunhe.limits import HTTP_BODY_BYTES_MAX, HTTP_OPEN_BODY_BYTES_MAX
from yunhe.node.audit import DONE, Subject
from yunhe.node.tokens import OPERATE, AccessTokens, Caller

_REFUSED: Final = 400
_NOT_NAMED = "the request needs the header `Authorization: Bearer <token>` with an API token of the node"
_UNREADABLE = "the node cannot read its register of tokens, and accepts its operator's alone; its log says why"


class Boundary:
    """ASGI middleware that refuses what has no token for it or is too large."""

    def __init__(self, app: ASGIApp, access: AccessTokens, audit: Callable[[str, str, Subject, str], None]) -> None:
        """Stand before an app.

        Args:
            app: what answers.
            access: the tokens that callers present.
            audit: records actor, action, subject and outcome of what an operator did.
        """
        self._app = app
        self._access = access
        self._audit = audit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        needed = needed_scope(scope["method"], scope["path"])
        # API-002: before the body is read.
        if needed is not None:
            scheme, _, token = headers.get(b"authorization", b"").partition(b" ")
            is_named = scheme.lower() == b"bearer"
            try:
                caller = self._caller(token.strip() if is_named else None)
                caller.require(needed)
            except YunheError as error:
                await problem_response(error, _challenge(error, needed, is_named=is_named))(scope, receive, send)
                return
            scope.setdefault("state", {})["caller"] = caller
            if needed == OPERATE and scope["method"] not in SAFE_METHODS:
                send = self._audited(caller, scope, send)
            structlog.contextvars.bind_contextvars(caller=caller.name)
        # API-003: a stranger is given less of the node's memory.
        most = HTTP_OPEN_BODY_BYTES_MAX if scope["path"] in OPEN_PATHS else HTTP_BODY_BYTES_MAX
        try:
            _check_length(headers.get(b"content-length", b"0"), most)
            body = await _read(receive, most)
        except YunheError as error:
            await problem_response(error)(scope, receive, send)
            return
        # API-007: who went away before the end has asked for nothing; who goes away later is answered all the same.
        if body is not None:
            await self._app(scope, _replaying(body, receive), send)

    def _audited(self, caller: Caller, scope: Scope, send: Send) -> Send:
        """Record what an operator changes; the entry is durable before the answer is sent."""

        async def recorded(message: Message) -> None:
            if message["type"] == "http.response.start":
                # STO-030
                status = message["status"]
                outcome = DONE if status < _REFUSED else f"HTTP {status}"
                subject = {"path": scope["path"], "request_id": current_request_id()}
                await asyncio.to_thread(self._audit, f"token {caller.name}", f"http {scope['method']}", subject, outcome)
            await send(message)

        return recorded

    def _caller(self, token: bytes | None) -> Caller:
        if token is None:
            raise TokenWrongError(_NOT_NAMED)
        try:
            return self._access.authenticate(token)
        except TokensUnreadableError as error:
            raise TokensUnreadableError(_UNREADABLE) from error


def _challenge(error: YunheError, needed: str, *, is_named: bool) -> dict[str, str]:
    """Return the header that says, as RFC 6750 has it, why a token was not enough (API-032)."""
    if isinstance(error, ScopeMissingError):
        return {"WWW-Authenticate": f'Bearer error="insufficient_scope", scope="{needed}"'}
    if isinstance(error, TokensUnreadableError):
        return {}
    return {"WWW-Authenticate": 'Bearer error="invalid_token"' if is_named else "Bearer"}


def _check_length(stated: bytes, most: int) -> None:
    if not stated.isdigit():
        raise RequestInvalidError("the header Content-Length is a number of bytes")
    # API-003
    if int(stated) > most:
        raise _too_large(most)


def _too_large(most: int) -> TooLargeError:
    return TooLargeError(f"a body is at most {most} bytes here; send fewer transactions at once")


async def _read(receive: Receive, most: int) -> bytes | None:
    """Return the whole body, or None when the caller went away.

    Raises:
        TooLargeError: it is over the limit.
    """
    parts = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        part = message.get("body", b"")
        parts.append(part)
        size += len(part)
        # API-003: without a stated length too.
        if size > most:
            raise _too_large(most)
        if not message.get("more_body", False):
            return b"".join(parts)


def _replaying(body: bytes, receive: Receive) -> Receive:
    """Return a `receive` that begins with a body that was read already."""
    is_read = False

    async def replay() -> Message:
        nonlocal is_read
        if is_read:
            return await receive()
        is_read = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay
