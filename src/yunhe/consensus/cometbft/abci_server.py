"""Serves the application to one CometBFT process, over a socket in its home.

The process opens four connections, one for each of its parts, and every message travels with its length before it. Answers go out in the
order of the requests of their connection. Each connection has a thread of its own: what is asked takes signatures, contracts and the disk,
so there would be nothing left for an event loop to do. A connection that says what is no request, or too much, is closed; so is one whose
request cannot be answered, for a process that gets a wrong answer is worse off than one that gets none.

Specification: docs/spec/cometbft.md.
"""

import contextlib
import os
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final, Protocol

import structlog
from google.protobuf.message import DecodeError

from yunhe.consensus.cometbft._generated.abci_pb2 import Request, Response, ResponseException
from yunhe.consensus.cometbft.configuration import ABCI_SOCKET
from yunhe.errors import EngineMessageError
from yunhe.limits import ABCI_CONNECTIONS_MAX, ABCI_MESSAGE_BYTES_MAX

_log = structlog.get_logger(__name__)

_BUFFER_BYTES: Final = 256 * 1024
_LENGTH_BYTES_MAX: Final = 5

Handler = Callable[[Request], Response]
"""Answers a request; called from the connection's thread. Raises `CannotAnswerError` to have the connection closed."""


class Reader(Protocol):
    """A stream of bytes."""

    def read(self, size: int, /) -> bytes:
        """Return so many bytes, or fewer at the end."""
        ...


class CannotAnswerError(Exception):
    """The request cannot be answered, and whoever raises this has said why where it counts."""


class AbciServer:
    """Listens in a home. `start` and `stop` are called once each."""

    def __init__(self, home: Path, handler: Handler) -> None:
        self._home = home
        self._handler = handler
        self._lock = threading.Lock()
        self._open: dict[socket.socket, threading.Thread] = {}
        self._listener: socket.socket | None = None
        self._acceptor = threading.Thread(target=self._accept, name="abci-accept", daemon=True)

    def start(self) -> None:
        """Listen; a socket that an earlier node left behind is replaced."""
        listener = socket.socket(socket.AF_UNIX)
        # A socket's path may have no more than 107 bytes, so it is named through a descriptor of its folder.
        folder = os.open(self._home, os.O_PATH | os.O_DIRECTORY)
        try:
            # ABC-003
            with contextlib.suppress(FileNotFoundError):
                os.unlink(ABCI_SOCKET, dir_fd=folder)
            path = f"/proc/self/fd/{folder}/{ABCI_SOCKET}"
            listener.bind(path)
            # The home is its owner's alone already (NET-003).
            Path(path).chmod(0o600)
            listener.listen(ABCI_CONNECTIONS_MAX)
        except BaseException:
            listener.close()
            raise
        finally:
            os.close(folder)
        self._listener = listener
        self._acceptor.start()

    def stop(self) -> None:
        """Close every connection and return when no request is being answered any more."""
        listener = self._listener
        if listener is not None:
            # Closing alone would not wake the thread that accepts.
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            self._acceptor.join()
            listener.close()
        self.disconnect()
        while True:
            with self._lock:
                threads = [thread for thread in self._open.values() if thread is not threading.current_thread()]
            if not threads:
                return
            threads[0].join()

    def disconnect(self) -> None:
        """Close every connection; a request that is being answered gets no answer."""
        with self._lock:
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        listener = self._listener
        assert listener is not None
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with self._lock:
                if len(self._open) >= ABCI_CONNECTIONS_MAX:
                    _log.warning("a connection of the engine is refused", open=len(self._open))
                    connection.close()
                    continue
                thread = threading.Thread(target=self._serve, args=(connection,), name="abci-connection", daemon=True)
                self._open[connection] = thread
                thread.start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            with connection, connection.makefile("rb", _BUFFER_BYTES) as reader, connection.makefile("wb", _BUFFER_BYTES) as writer:
                while (data := read_message(reader)) is not None:
                    request = parse_request(data)
                    response = _routine(request) or self._handler(request)
                    writer.write(frame(response.SerializeToString()))
                    # The process waits for nothing before it has asked for this.
                    if request.HasField("flush"):
                        writer.flush()
        except EngineMessageError as error:
            _log.error("the engine's connection is closed", reason=error.message)
        except (CannotAnswerError, OSError):
            # Said where it counts; or the process has gone, which its supervisor sees.
            pass
        finally:
            with self._lock:
                del self._open[connection]


def read_message(reader: Reader) -> bytes | None:
    """Return the next message, or None when the stream ends before it.

    Raises:
        EngineMessageError: the stream ends inside it, its length is none, or above `ABCI_MESSAGE_BYTES_MAX`.
    """
    length = shift = 0
    while True:
        byte = reader.read(1)
        if not byte:
            if shift:
                raise EngineMessageError("the stream ends inside the length of a message")
            return None
        length |= (byte[0] & 0x7F) << shift
        shift += 7
        if byte[0] < 0x80:
            break
        if shift >= 7 * _LENGTH_BYTES_MAX:
            raise EngineMessageError("the length of a message has too many bytes")
    # ABC-002
    if length > ABCI_MESSAGE_BYTES_MAX:
        raise EngineMessageError(f"a message has at most {ABCI_MESSAGE_BYTES_MAX} bytes, not {length}")
    data = reader.read(length)
    if len(data) != length:
        raise EngineMessageError("the stream ends inside a message")
    return data


def frame(data: bytes) -> bytes:
    """Return a message with its length before it."""
    length, head = len(data), bytearray()
    while length >= 0x80:
        head.append(length & 0x7F | 0x80)
        length >>= 7
    head.append(length)
    return bytes(head) + data


def parse_request(data: bytes) -> Request:
    """Return a request; what this version does not know in it is passed over.

    Raises:
        EngineMessageError: the bytes are none.
    """
    try:
        return Request.FromString(data)
    except DecodeError as error:
        raise EngineMessageError("the message is no request") from error


def _routine(request: Request) -> Response | None:
    """Answer what is about the connection itself."""
    # ABC-001: what this version does not know has no field here.
    match request.WhichOneof("value"):
        case None:
            return Response(exception=ResponseException(error="the request is unknown"))
        case "echo":
            return Response(echo={"message": request.echo.message})
        case "flush":
            return Response(flush={})
        case _:
            return None
