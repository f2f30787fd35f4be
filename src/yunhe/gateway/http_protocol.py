"""HTTP as the node's process reads it from a connection: heads of bounded size, requests of bounded time, refusals that are problems.

What is no HTTP, or never becomes a whole request, never reaches the app, so its refusal is made here (API-001, API-013); the connection is
closed after it.
"""

import asyncio
import http
from typing import Any, Final

import structlog
from fastapi import FastAPI
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from yunhe.errors import OverloadedError, RequestInvalidError, RequestTooSlowError, TooLargeError, YunheError
from yunhe.gateway.problems import PROBLEM_MEDIA_TYPE, RETRY_AFTER_S, problem
from yunhe.gateway.request_head import check_head
from yunhe.gateway.request_ids import HEADER as REQUEST_ID_HEADER
from yunhe.gateway.request_ids import new_request_id
from yunhe.limits import HTTP_HEAD_BYTES_MAX

_log = structlog.get_logger("yunhe.gateway")
_PIECE_BYTES: Final = 16 * 1024
"""What the parser gets at once, so that little of what came before a head is in the piece that the head begins in."""
_STOP_TIMEOUT_S: Final = 10


class HttpConfig(Config):
    """How an app is served over HTTP."""

    def __init__(self, app: FastAPI, request_timeout_ms: int, connections_max: int) -> None:
        super().__init__(
            app,
            loop="uvloop",
            http=HttpProtocol,
            ws="none",
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=_STOP_TIMEOUT_S,
        )
        self.request_timeout_ms = request_timeout_ms
        self.connections_max = connections_max


class HttpProtocol(HttpToolsProtocol):
    """Uvicorn's protocol on the parser `httptools`, with limits on heads, on the time that requests take to arrive, and on connections."""

    def __init__(
        self, config: "HttpConfig", server_state: ServerState, app_state: dict[str, Any], _loop: asyncio.AbstractEventLoop | None = None
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._timeout_ms = config.request_timeout_ms
        self._connections_max = config.connections_max
        self._heard_s = self.loop.time()
        """When the client was heard of last."""
        self.url = b""
        self.headers = []
        self._in_head = False
        self._fault: RequestInvalidError | None = None
        """Why the parser was stopped, if not by its own rules."""
        self._head_begins_here = False
        self._head_bytes = 0
        """Bytes received of a head that is not complete, without the piece that it begins in, which may have an earlier request too."""
        self._patience: asyncio.TimerHandle | None = None
        """Runs while the rest of a request is awaited."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Begin a connection."""
        super().connection_made(transport)
        self._await_request()
        # API-017
        if len(self.connections) > self._connections_max:
            self._make_room()

    def connection_lost(self, exc: Exception | None) -> None:
        """End a connection."""
        self._await_nothing()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take bytes from the connection."""
        self._heard_s = self.loop.time()
        for begin in range(0, len(data), _PIECE_BYTES):
            if self.transport.is_closing():
                return
            self._take(data[begin : begin + _PIECE_BYTES])
        cycle = self._last_cycle()
        if self._patience is None and (cycle is None or cycle.response_complete):
            # Bytes that begin no request have ended uvicorn's wait for the next one.
            self._await_request()

    def _take(self, piece: bytes) -> None:
        self._head_begins_here = False
        super().data_received(piece)
        # API-003: the parser keeps what it has of a head, without a limit of its own.
        if self._in_head and not self._head_begins_here and not self.transport.is_closing():
            self._head_bytes += len(piece)
            if self._head_bytes > HTTP_HEAD_BYTES_MAX:
                self._refuse(_head_too_large())

    def on_message_begin(self) -> None:
        """Begin a head."""
        self._in_head = self._head_begins_here = True
        self._head_bytes = 0
        self._await_request()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """End a head.

        Raises:
            TooLargeError: it is over the limit; the parser stops and `send_400_response` answers.
            RequestInvalidError: it can be read in two ways; likewise.
        """
        if self._size() > HTTP_HEAD_BYTES_MAX:
            raise _head_too_large()
        try:
            check_head(self.parser.get_http_version(), self.url, self.headers)
        except RequestInvalidError as error:
            self._fault = error
            raise
        self._in_head = False
        super().on_headers_complete()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header.

        Raises:
            RequestInvalidError: it comes after the body, where it would change a head that was checked.
        """
        # API-018
        if not self._in_head:
            self._fault = RequestInvalidError("headers stand before the body; this node takes none after its chunks")
            raise self._fault
        super().on_header(name, value)

    def on_message_complete(self) -> None:
        """End a request."""
        self._await_nothing()
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002  # what uvicorn would say to the caller
        """Refuse what the parser refuses."""
        if self._size() > HTTP_HEAD_BYTES_MAX:
            self._refuse(_head_too_large())
        else:
            self._refuse(self._fault or RequestInvalidError("this is not a request of HTTP/1.1"))

    def _await_request(self) -> None:
        self._await_nothing()
        self._patience = self.loop.call_later(self._timeout_ms / 1000, self._give_up)

    def _await_nothing(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None

    def _give_up(self) -> None:
        """Close the connection of a client that has not sent its request in time (API-013)."""
        self._patience = None
        cycle = self._last_cycle()
        if self.transport.is_closing():
            return
        if self.pipeline or (cycle is not None and not cycle.more_body and not cycle.response_complete):
            # An earlier request on this connection is still being answered; what follows it waits for us.
            self._await_request()
        elif self._in_head or (cycle is not None and not cycle.response_started):
            self._refuse(RequestTooSlowError(f"the request did not arrive whole within {self._timeout_ms} ms; send it again"))
        else:
            # Nothing was asked, or the answer did not wait for the end of the request.
            self.transport.close()

    def _make_room(self) -> None:
        """Close the connection that has waited longest for its client, or this one if every other is being answered (API-017)."""
        others = [other for other in self.connections if isinstance(other, HttpProtocol) and not other.transport.is_closing()]
        if len(others) <= self._connections_max:
            return
        waiting = [other for other in others if other is not self and other.waits_for_client]
        if waiting:
            min(waiting, key=lambda other: (other.cycle is not None, other._heard_s)).transport.close()
        else:
            self._refuse(OverloadedError(f"all {self._connections_max} connections of this node are in use; try again in a second"))

    @property
    def waits_for_client(self) -> bool:
        """Whether no request of this connection is being answered: the next one has not come, or not all of it."""
        cycle = self._last_cycle()
        return self._patience is not None or cycle is None or cycle.response_complete

    def _last_cycle(self) -> RequestResponseCycle | None:
        """Return the last request whose head is complete, if there was one."""
        return self.cycle

    def _size(self) -> int:
        return len(self.url) + sum(len(name) + len(value) for name, value in self.headers)

    def _refuse(self, error: YunheError) -> None:
        cycle = self._last_cycle()
        is_answering = cycle is not None and (
            cycle.response_started if cycle.more_body and not self._in_head else not cycle.response_complete
        )
        if self.pipeline or is_answering:
            # API-018: the caller would take this for the answer to an earlier request, or for more of the one that it has.
            self.transport.close()
            return
        # API-001, API-015: whatever name the caller gave has not been read.
        name = new_request_id()
        _log.info("refused before it was a request", code=error.code, request_id=name)
        document = problem(error)
        document.request_id = name
        body = document.model_dump_json(exclude_none=True).encode()
        status = http.HTTPStatus(error.status)
        head = (
            f"HTTP/1.1 {status.value} {status.phrase}",
            f"content-type: {PROBLEM_MEDIA_TYPE}",
            f"{REQUEST_ID_HEADER.lower()}: {name}",
            f"content-length: {len(body)}",
            *([f"retry-after: {RETRY_AFTER_S}"] if isinstance(error, OverloadedError) else []),
            "connection: close",
            "",
            "",
        )
        self.transport.write("\r\n".join(head).encode() + body)
        self.transport.close()


def _head_too_large() -> TooLargeError:
    return TooLargeError(f"the head of a request (its first line and headers) is at most {HTTP_HEAD_BYTES_MAX} bytes")
