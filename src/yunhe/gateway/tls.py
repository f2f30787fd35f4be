"""TLS of the HTTP API: its certificate, loaded again when its files change, and connections that begin with a handshake (API-023).

A certificate that was renewed counts for the next connection, without a restart. A pair that cannot be used keeps the one before and is
told in the log until it is put right.
"""

import asyncio
import socket
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Final

import structlog

from yunhe.errors import InvalidConfigurationError
from yunhe.limits import TLS_HANDSHAKE_MS_MAX, TLS_HANDSHAKES_MAX
from yunhe.node.tls_files import read_pair

_log = structlog.get_logger("yunhe.gateway")
_LOOK_S: Final = 5.0
"""Between two looks at the files."""
_AFTER_FAILURE_S: Final = 0.1


class Certificate:
    """A certificate with its key, in their files."""

    def __init__(self, certificate: Path, key: Path) -> None:
        """Load the pair.

        Args:
            certificate: PEM file, the node's own certificate first, then those that lead to its authority.
            key: PEM file, without a passphrase.

        Raises:
            InvalidConfigurationError: a file cannot be read, is none, or they do not belong together.
        """
        self._files = (certificate, key)
        self._stamp = self._stamps()
        self._pair = read_pair(*self._files)

    @property
    def context(self) -> ssl.SSLContext:
        """With which the next connection begins."""
        return self._pair.context

    @property
    def expires_ms(self) -> int:
        """When the certificate expires, milliseconds since 1970-01-01 UTC."""
        return self._pair.expires_ms

    def renew(self) -> None:
        """Load the pair again if a file changed; one that cannot be used is told and passed over."""
        stamp = self._stamps()
        if stamp == self._stamp:
            return
        self._stamp = stamp
        try:
            # First into a context of its own: half of a pair must not spoil the one that is used.
            self._pair = read_pair(*self._files)
        except InvalidConfigurationError as error:
            _log.error("the certificate was not renewed", reason=error.message)
        else:
            _log.info("the certificate was renewed", expires_ms=self._pair.expires_ms)

    async def keep_renewed(self) -> None:
        """Look at the files now and then, until cancelled."""
        while True:
            await asyncio.sleep(_LOOK_S)
            await asyncio.to_thread(self.renew)

    def _stamps(self) -> tuple[tuple[int, int, int] | None, ...]:
        return tuple(_stamp(file) for file in self._files)


async def accept(listener: socket.socket, certificate: Certificate, make_protocol: Callable[[], asyncio.Protocol]) -> None:
    """Accept connections and give each that ends its handshake a protocol, until cancelled.

    At most `TLS_HANDSHAKES_MAX` shake hands at once and none for longer than `TLS_HANDSHAKE_MS_MAX`; one more takes the oldest's place. So
    those that only connect take neither the descriptors that the store needs, nor a place among the connections, nor keep others out.
    """
    loop = asyncio.get_running_loop()
    greeting: dict[asyncio.Task[None], None] = {}

    async def greet(connection: socket.socket) -> None:
        try:
            await loop.connect_accepted_socket(
                make_protocol, connection, ssl=certificate.context, ssl_handshake_timeout=TLS_HANDSHAKE_MS_MAX / 1000
            )
        except (OSError, TimeoutError) as error:
            # Who does not speak TLS, or went away, is nobody to answer.
            connection.close()
            _log.debug("no handshake", reason=str(error) or type(error).__name__)
        except asyncio.CancelledError:
            connection.close()
            raise

    listener.setblocking(False)
    try:
        while True:
            try:
                connection, _ = await loop.sock_accept(listener)
            except OSError as error:
                _log.error("a connection cannot be accepted", reason=str(error))
                await asyncio.sleep(_AFTER_FAILURE_S)
                continue
            if len(greeting) >= TLS_HANDSHAKES_MAX:
                oldest = next(iter(greeting))
                del greeting[oldest]
                oldest.cancel()
            task = loop.create_task(greet(connection))
            greeting[task] = None
            task.add_done_callback(lambda done: greeting.pop(done, None))
    finally:
        for task in list(greeting):
            task.cancel()


def _stamp(file: Path) -> tuple[int, int, int] | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size
