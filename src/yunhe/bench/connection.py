"""One kept-alive HTTP connection of the load generator.

It parses with the parser that the node's server uses and does nothing else, because what the load costs is taken from the node beside it;
the SDK's client costs ten times as much for each request.
"""

import asyncio
from dataclasses import dataclass
from typing import Final, cast

import httptools

from yunhe.errors import NodeUnreachableError

_LOST: Final = "the node closed a connection in the middle of the measurement"


@dataclass(frozen=True, slots=True)
class Answer:
    """What the node answered."""

    status: int
    body: bytes
    retry_after_s: float
    """What the node asks to wait before the request is sent again; 0 when it asks for nothing."""


class Connection(asyncio.Protocol):
    """A connection with at most one request in hand."""

    def __init__(self, host: str, token: str) -> None:
        self._head = f"Host: {host}\r\nAuthorization: Bearer {token}\r\nContent-Type: application/cbor\r\n".encode()
        self._transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[Answer] | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._body = bytearray()
        self._retry_after_s = 0.0
        self._lost = asyncio.Event()

    @classmethod
    async def open(cls, host: str, port: int, token: str) -> "Connection":
        """Connect.

        Raises:
            NodeUnreachableError: the node does not answer.
        """
        try:
            _, connection = await asyncio.get_running_loop().create_connection(lambda: cls(host, token), host, port)
        except OSError as error:
            raise NodeUnreachableError(f"the node at {host}:{port} does not answer: {error.strerror}") from error
        return connection

    @property
    def is_open(self) -> bool:
        """Whether a request can be sent; a node closes a connection on which nothing was asked for some seconds."""
        return self._transport is not None and not self._transport.is_closing()

    async def post(self, path: str, body: bytes) -> Answer:
        """Send a request and wait for its answer.

        Raises:
            NodeUnreachableError: the connection was lost.
        """
        if self._transport is None or not self.is_open:
            raise NodeUnreachableError(_LOST)
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(b"POST %s HTTP/1.1\r\n%sContent-Length: %d\r\n\r\n%s" % (path.encode(), self._head, len(body), body))
        return await self._answer

    async def close(self) -> None:
        """Close the connection and wait until it is."""
        if self._transport is not None:
            self._transport.close()
            await self._lost.wait()

    # --- What the event loop calls ------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the transport."""
        # uvloop's transports are none by class.
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Parse what arrived."""
        self._parser.feed_data(data)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell who waits."""
        self._transport = None
        self._lost.set()
        if self._answer is not None and not self._answer.done():
            failure = NodeUnreachableError(_LOST)
            failure.__cause__ = exc
            self._answer.set_exception(failure)

    # --- What the parser calls ----------------------------------------------------------------------------------------

    def on_message_begin(self) -> None:
        """Begin an answer."""
        self._body.clear()
        self._retry_after_s = 0.0

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep what the node asks to wait."""
        if name.lower() == b"retry-after" and value.isdigit():
            self._retry_after_s = float(value)

    def on_body(self, body: bytes) -> None:
        """Keep a part of the body."""
        self._body += body

    def on_message_complete(self) -> None:
        """Hand the answer over."""
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(Answer(self._parser.get_status_code(), bytes(self._body), self._retry_after_s))
