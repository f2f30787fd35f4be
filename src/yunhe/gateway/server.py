"""The node's process: one node, its HTTP API on one address, until it is told to stop.

While it runs, `run/node.json` in the node's folder names the process and the address. SIGTERM and SIGINT finish the block in hand, answer
who waits, and end with exit code 0; SIGHUP opens the log's file anew; a halted node goes on answering queries until an operator stops it.
"""

import asyncio
import contextlib
import errno
import gc
import json
import os
import resource
import signal
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import uvicorn

from yunhe.errors import InvalidConfigurationError, PortTakenError
from yunhe.gateway.app import create_app
from yunhe.gateway.http_protocol import HttpConfig
from yunhe.gateway.tls import Certificate, accept
from yunhe.limits import CONNECTION_STUCK_MS_MAX, DESCRIPTORS_BESIDE_CONNECTIONS
from yunhe.node import Node, NodeFolder
from yunhe.node.node import clock_ms
from yunhe.node.tokens import AccessTokens
from yunhe.sdk.local_node import RUN_FILE, process_start
from yunhe.storage import Progress
from yunhe.storage.files import named_refusals

_BACKLOG: Final = 1024
_COLLECTION_THRESHOLDS: Final = (50_000, 20, 100)
"""When the interpreter looks for cycles: after so many new objects, and among older ones after so many times of that."""
_HOST_ADVICE: Final = "set `host` in node.toml to an address of this machine, such as 127.0.0.1"


def serve(folder: NodeFolder, on_ready: Callable[[str], None], progress: Progress, on_hangup: Callable[[], None]) -> None:
    """Open the node of a folder and serve it until a signal arrives.

    Args:
        folder: loaded.
        on_ready: called with the API's address (`http://host:port`) when it answers.
        progress: is told of every block by which the state is rolled forward after a crash.
        on_hangup: called when SIGHUP arrives; in a signal handler.

    Raises:
        InvalidConfigurationError: the system allows too few file descriptors for the connections that the settings ask for.
        PortTakenError: the address is in use; the store was not opened.
        YunheError: the node cannot be opened; the message says what to do.
    """
    allow_descriptors(folder.config.connections_max + DESCRIPTORS_BESIDE_CONNECTIONS)
    listener = listen(folder.config.host, folder.config.port)
    with contextlib.closing(listener):
        certificate = certificate_of(folder)
        address = address_of(listener, "http" if certificate is None else "https")
        access = folder.access(clock_ms)
        node = Node(folder, progress=progress)
        signal.signal(signal.SIGHUP, lambda _number, _frame: on_hangup())
        if certificate is not None:
            node.metrics.watch_certificate(lambda: certificate.expires_ms)

        def answering() -> None:
            _collect_seldom()
            on_ready(address)

        server = Server(api_config(node, access), answering, node.events.close, certificate)
        run_file = folder.path / RUN_FILE
        _write_run_file(run_file, address, folder.tls_files)
        try:
            server.run([listener])
        finally:
            # On a disk that has become read-only it stays, and is known as old by the process that it names.
            with contextlib.suppress(OSError):
                run_file.unlink()


def _collect_seldom() -> None:
    """Let the interpreter look for cycles seldom, and never among what lives as long as the process.

    A node holds tens of thousands of objects that wait or are remembered, and makes hardly any cycles (docs/adr/0023).
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_COLLECTION_THRESHOLDS)


def api_config(node: Node, access: AccessTokens) -> HttpConfig:
    """Return how a node's API is served; the node starts and stops with the server.

    Args:
        node: open, not yet started.
        access: the tokens that callers present.
    """
    config = node.folder.config
    return HttpConfig(create_app(node, access), config.request_timeout_ms, config.connections_max)


class Server(uvicorn.Server):
    """Uvicorn that tells when it answers, and that it is about to stop; with a certificate it answers by TLS."""

    def __init__(
        self,
        config: uvicorn.Config,
        on_started: Callable[[], None],
        on_stopping: Callable[[], None],
        certificate: Certificate | None = None,
    ) -> None:
        super().__init__(config)
        self._certificate = certificate
        self._tls_tasks: list[asyncio.Task[None]] = []
        self._on_started = on_started
        self._on_stopping = on_stopping

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Let SIGTERM and SIGINT end the server, and the process with exit code 0: being told to stop is no failure."""
        previous = {number: signal.signal(number, self.handle_exit) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in previous.items():
                signal.signal(number, handler)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to answer, then say so."""
        if self._certificate is None:
            await super().startup(sockets)
        else:
            await super().startup([])
            tasks = [self._certificate.keep_renewed(), *(accept(listener, self._certificate, self._protocol) for listener in sockets or [])]
            self._tls_tasks = [asyncio.create_task(task) for task in tasks]
        if self.started:
            self._on_started()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Say that streams have to end, then wait for the requests in hand."""
        self._on_stopping()
        for task in self._tls_tasks:
            task.cancel()
        await asyncio.gather(*self._tls_tasks, return_exceptions=True)
        await super().shutdown(sockets)

    def _protocol(self) -> asyncio.Protocol:
        return self.config.http_protocol_class(  # type: ignore[call-arg]  # as uvicorn makes it
            config=self.config, server_state=self.server_state, app_state=self.lifespan.state
        )


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens.

    Raises:
        PortTakenError: the address is in use.
        InvalidConfigurationError: it is no address of this machine.
    """
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # API-013: connections inherit it; who takes nothing of what is sent, or has vanished, is cut off by the system.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, CONNECTION_STUCK_MS_MAX)
        listener.bind((host, port))
        listener.listen(_BACKLOG)
    except socket.gaierror as error:
        raise InvalidConfigurationError(f"the host {host!r} cannot be found ({error.strerror}); {_HOST_ADVICE}") from error
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise PortTakenError(
                f"{host}:{port} is in use by another program; stop it, or set another `port` in node.toml or with --port"
            ) from error
        if error.errno == errno.EADDRNOTAVAIL:
            raise InvalidConfigurationError(f"this machine does not have the address {host}; {_HOST_ADVICE}") from error
        raise InvalidConfigurationError(f"cannot listen on {host}:{port}: {error.strerror}") from error
    return listener


def address_of(listener: socket.socket, scheme: str = "http") -> str:
    """Return the address at which a socket that listens is reached, such as `http://127.0.0.1:8440`."""
    host, port = listener.getsockname()[:2]
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"


def allow_descriptors(count: int) -> None:
    """Raise the process's own limit of file descriptors where it is lower.

    Raises:
        InvalidConfigurationError: the system does not allow so many.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if resource.RLIM_INFINITY not in (soft, hard) and hard < count:
        raise InvalidConfigurationError(
            f"the node needs {count} file descriptors and the system allows it {hard}; "
            "lower `connections_max` in node.toml, or raise the limit (`ulimit -Hn`, or LimitNOFILE= of a systemd unit)"
        )
    if soft != resource.RLIM_INFINITY and soft < count:
        resource.setrlimit(resource.RLIMIT_NOFILE, (count, hard))


def certificate_of(folder: NodeFolder) -> Certificate | None:
    """Return the certificate of a node's API; None for plain HTTP.

    Raises:
        InvalidConfigurationError: it cannot be used.
    """
    return None if folder.tls_files is None else Certificate(*folder.tls_files)


def _write_run_file(path: Path, address: str, tls_files: tuple[Path, Path] | None) -> None:
    value: dict[str, object] = {"pid": os.getpid(), "start": process_start(os.getpid()), "address": address}
    if tls_files is not None:
        value["certificate"] = str(tls_files[0].absolute())
    text = json.dumps(value) + "\n"
    partial = path.with_suffix(".partial")
    # STO-009
    with named_refusals(path):
        path.parent.mkdir(exist_ok=True)
        partial.write_text(text, encoding="utf-8")
        partial.replace(path)
