"""The socket at which a CometBFT process finds its application: one thread for each of its four connections, answers in order.

Specification: docs/spec/network.md, "Between node and engine".
"""

import contextlib
import os
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, Final, cast

import structlog

from yunhe.consensus.cometbft import messages, wire
from yunhe.consensus.cometbft.configuration import ABCI_SOCKET
from yunhe.consensus.cometbft.messages import Flush, Request
from yunhe.errors import EngineMessageError
from yunhe.limits import ENGINE_MESSAGE_BYTES_MAX

_log = structlog.get_logger(__name__)

_BUFFER_BYTES: Final = 1 << 20


class AbciServer:
    """Takes the engine's connections and answers each request with what a handler returns."""

    def __init__(self, home: Path, handle: Callable[[Request], bytes]) -> None:
        """Listen in a home; nothing is answered before `start`.

        Args:
            home: of the process.
            handle: returns the content of the answer; what it raises ends the connection, and with it the process.
        """
        self._home = home
        self._handle = handle
        self._listener = _listen(home)
        self._connections: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._closing = False
        self._thread = threading.Thread(target=self._accept, name="abci", daemon=True)

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def close(self) -> None:
        """End all connections; returns when no request is being answered any more."""
        with self._lock:
            self._closing = True
            connections = list(self._connections)
        # A thread that waits in accept or read is woken by a shutdown, not by a close.
        for one in (self._listener, *connections):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        if self._thread.is_alive():
            self._thread.join()
        self._listener.close()
        for thread in threading.enumerate():
            if thread.name == f"abci-{id(self)}" and thread is not threading.current_thread():
                thread.join()
        (self._home / ABCI_SOCKET).unlink(missing_ok=True)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                if self._closing:
                    connection.close()
                    return
                self._connections.add(connection)
            threading.Thread(target=self._serve, args=(connection,), name=f"abci-{id(self)}", daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rb", _BUFFER_BYTES) as reading, connection.makefile("wb", _BUFFER_BYTES) as writing:
            try:
                while self._answer_one(cast("BinaryIO", reading), cast("BinaryIO", writing)):
                    pass
            except OSError as error:
                # The process ended, or this node closes: both are told of elsewhere.
                _log.debug("engine connection ended", reason=str(error))
            except EngineMessageError as error:
                _log.error("engine sent what is no request", reason=error.message)
            finally:
                with self._lock:
                    self._connections.discard(connection)
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def _answer_one(self, reading: BinaryIO, writing: BinaryIO) -> bool:
        data = _read_message(reading)
        if data is None:
            return False
        request, number = messages.read_request(data)
        failed = False
        try:
            answer = messages.answer(number, self._handle(request))
        except Exception as error:  # noqa: BLE001  # the edge of a process: the engine has to be told, and the handler has told the node
            _log.error("request of the engine failed", request=type(request).__name__, exc_info=error)
            answer, failed = messages.exception(type(error).__name__), True
        writing.write(wire.varint(len(answer)) + answer)
        if failed or isinstance(request, Flush):
            writing.flush()
        return not failed


def _listen(home: Path) -> socket.socket:
    """Return a socket that listens in a folder, whatever the length of the folder's path."""
    # One that was killed leaves its socket behind.
    (home / ABCI_SOCKET).unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX)
    folder = os.open(home, os.O_PATH | os.O_DIRECTORY)
    try:
        listener.bind(f"/proc/self/fd/{folder}/{ABCI_SOCKET}")
        (home / ABCI_SOCKET).chmod(0o600)
        listener.listen()
    except BaseException:
        listener.close()
        raise
    finally:
        os.close(folder)
    return listener


def _read_message(reading: BinaryIO) -> bytes | None:
    """Return the next message; None when there comes no more."""
    length, shift = 0, 0
    while True:
        part = reading.read(1)
        if not part:
            return None
        length |= (part[0] & 0x7F) << shift
        if part[0] < 0x80:
            break
        shift += 7
        if length > ENGINE_MESSAGE_BYTES_MAX:
            break
    if length > ENGINE_MESSAGE_BYTES_MAX:
        raise EngineMessageError(f"a message of more than {ENGINE_MESSAGE_BYTES_MAX} bytes")
    data = reading.read(length)
    return data if len(data) == length else None
