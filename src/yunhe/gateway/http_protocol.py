"""HTTP as the node's process reads it from a connection: heads of bounded size, and refusals that are problems.

What is no HTTP never reaches the app, so its refusal is made here (API-001); the connection is closed after it.
"""

import asyncio
import http
from typing import Any, Final

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from yunhe.errors import RequestInvalidError, TooLargeError, YunheError
from yunhe.gateway.problems import PROBLEM_MEDIA_TYPE, problem
from yunhe.limits import HTTP_HEAD_BYTES_MAX

_PIECE_BYTES: Final = 16 * 1024
"""What the parser gets at once, so that little of what came before a head is in the piece that the head begins in."""


class HttpProtocol(HttpToolsProtocol):
    """Uvicorn's protocol on the parser `httptools`, with a limit on heads."""

    def __init__(
        self, config: Config, server_state: ServerState, app_state: dict[str, Any], _loop: asyncio.AbstractEventLoop | None = None
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self.url = b""
        self.headers = []
        self._in_head = False
        self._head_begins_here = False
        self._head_bytes = 0
        """Bytes received of a head that is not complete, without the piece that it begins in, which may have an earlier request too."""

    def data_received(self, data: bytes) -> None:
        """Take bytes from the connection."""
        for begin in range(0, len(data), _PIECE_BYTES):
            if self.transport.is_closing():
                return
            self._take(data[begin : begin + _PIECE_BYTES])

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
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """End a head.

        Raises:
            TooLargeError: it is over the limit; the parser stops and `send_400_response` answers.
        """
        self._in_head = False
        if self._size() > HTTP_HEAD_BYTES_MAX:
            raise _head_too_large()
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002  # what uvicorn would say to the caller
        """Refuse what the parser refuses."""
        if self._size() > HTTP_HEAD_BYTES_MAX:
            self._refuse(_head_too_large())
        else:
            self._refuse(RequestInvalidError("this is not a request of HTTP/1.1"))

    def _size(self) -> int:
        return len(self.url) + sum(len(name) + len(value) for name, value in self.headers)

    def _refuse(self, error: YunheError) -> None:
        # API-001
        body = problem(error).model_dump_json(exclude_none=True).encode()
        status = http.HTTPStatus(error.status)
        head = (
            f"HTTP/1.1 {status.value} {status.phrase}",
            f"content-type: {PROBLEM_MEDIA_TYPE}",
            f"content-length: {len(body)}",
            "connection: close",
            "",
            "",
        )
        self.transport.write("\r\n".join(head).encode() + body)
        self.transport.close()


def _head_too_large() -> TooLargeError:
    return TooLargeError(f"the head of a request (its first line and headers) is at most {HTTP_HEAD_BYTES_MAX} bytes")
