"""The witness's process: it follows the nodes, and answers for its cosignatures over HTTP, until it is told to stop.

    GET /checkpoint          all that was witnessed so far, cosigned
    GET /checkpoint/{size}   the first `size` headers of it, cosigned

No token is asked for: a cosignature is there to be shown. What contradicts the witnessed history ends the process (WIT-004).
"""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated, Any, Final

import structlog
from fastapi import FastAPI, Path
from fastapi.responses import PlainTextResponse

from yunhe.errors import ConfigurationError, CorruptionError, UnavailableError, YunheError
from yunhe.gateway.http_protocol import HttpConfig
from yunhe.gateway.problems import install_problem_handlers
from yunhe.gateway.server import Server, address_of, listen
from yunhe.limits import HEIGHT_MAX
from yunhe.node.node import clock_ms, open_executor
from yunhe.sdk import Client
from yunhe.sdk.tls import trusting
from yunhe.storage import Progress
from yunhe.witness.folder import WatchedNode, WitnessFolder
from yunhe.witness.following import Followed, Witness

_log = structlog.get_logger("yunhe.witness")
_INTERVAL_S: Final = 2.0
"""Between two questions whether there are new blocks, when there were none."""
_TIMEOUT_S: Final = 30.0
_REQUEST_TIMEOUT_MS: Final = 10_000
_CONNECTIONS_MAX: Final = 256


@contextmanager
def opened(folder: WitnessFolder, progress: Progress) -> Iterator[Witness]:
    """Open a witness; its store and its worker are closed at the end.

    Raises:
        YunheError: it cannot be opened; the message says what to do.
    """
    key = folder.load_key()
    with (
        contextlib.closing(folder.open_store(progress)) as store,
        contextlib.closing(open_executor(folder.genesis)) as executor,
    ):
        yield Witness(folder, store, key, executor, clock_ms)


def follow_once(folder: WitnessFolder, witness: Witness, go_on: Callable[[Followed], bool]) -> list[YunheError]:
    """Follow every node until none has more blocks, and return what went wrong with some of them.

    Args:
        folder: names the nodes.
        witness: open.
        go_on: is told of each step, and returns whether there may be another.

    Raises:
        CorruptionError: a history contradicts the witnessed one, or a block is wrong.
    """
    failures = []
    for node in folder.nodes:
        try:
            with _client(folder, node) as client:
                source = _Asked(client, node.address)
                while go_on(step := witness.follow(source, node.address)) and step.size < step.node_size:
                    pass
        except (CorruptionError, ConfigurationError):
            raise
        except YunheError as error:
            failures.append(error)
    return failures


def serve_witness(folder: WitnessFolder, host: str, port: int, on_ready: Callable[[str], None], progress: Progress) -> None:
    """Follow and answer until a signal arrives, or the history is contradicted.

    Args:
        folder: loaded.
        host: address to listen on.
        port: 0 for any that is free.
        on_ready: called with the address (`http://host:port`) when it answers.
        progress: is told of every block by which the state is rolled forward after a crash.

    Raises:
        HistoryContradictedError: a node shows another history; the evidence is in the folder.
        CertifiedBlockWrongError: the network certified what its rules do not lead to; the evidence is in the folder.
        PortTakenError: the address is in use.
        YunheError: the witness cannot be opened; the message says what to do.
    """
    with contextlib.closing(listen(host, port)) as listener, opened(folder, progress) as witness:
        address = address_of(listener)
        config = HttpConfig(_app(witness), _REQUEST_TIMEOUT_MS, _CONNECTIONS_MAX)
        _Following(folder, witness).run_beside(Server(config, lambda: on_ready(address), lambda: None), listener)


class _Asked:
    """A node, whose own faults are no contradiction: what it says of its disk ends nothing here."""

    def __init__(self, client: Client, address: str) -> None:
        self._client = client
        self._address = address

    def checkpoint(self) -> str:
        """Return the newest checkpoint as a signed note."""
        with self._faults_told():
            return self._client.checkpoint()

    def block_record(self, height: int) -> bytes:
        """Return a block as the node stores it."""
        with self._faults_told():
            return self._client.block_record(height)

    def prove(self, subjects: Sequence[dict[str, Any]]) -> bytes:
        """Return a proof bundle."""
        with self._faults_told():
            return self._client.prove(subjects)

    @contextmanager
    def _faults_told(self) -> Iterator[None]:
        try:
            yield
        except (CorruptionError, ConfigurationError) as error:
            raise UnavailableError(f"{self._address} cannot answer: {error.code}: {error.message}") from error


class _Following:
    """Follows in a thread of its own while the server answers."""

    def __init__(self, folder: WitnessFolder, witness: Witness) -> None:
        self._folder = folder
        self._witness = witness
        self._stopping = threading.Event()
        self._end: BaseException | None = None

    def run_beside(self, server: Server, listener: socket.socket) -> None:
        """Run both; raises what ended the following, if anything did."""
        thread = threading.Thread(target=self._follow, args=(server,), name="witness")
        thread.start()
        try:
            server.run([listener])
        finally:
            self._stopping.set()
            thread.join()
        if self._end is not None:
            raise self._end

    def _follow(self, server: Server) -> None:
        told: set[str] = set()
        try:
            while not self._stopping.is_set():
                failures = follow_once(self._folder, self._witness, self._say)
                for error in failures:
                    # Once, until it answers again: a node that is down for a night would fill the log.
                    if error.message not in told:
                        _log.warning("a node cannot be followed", code=error.code, reason=error.message)
                told = {error.message for error in failures}
                self._stopping.wait(_INTERVAL_S)
        except BaseException as error:  # noqa: BLE001  # raised again where the process ends
            self._end = error
            server.should_exit = True

    def _say(self, followed: Followed) -> bool:
        if followed.taken:
            _log.info("witnessed", node=followed.address, blocks=followed.taken, size=followed.size)
        return not self._stopping.is_set()


def _client(folder: WitnessFolder, node: WatchedNode) -> Client:
    genesis = folder.genesis
    tls = trusting(folder.path / node.ca_file) if node.ca_file else None
    return Client(
        node.address,
        folder.token(node),
        network_id=genesis.network_id,
        hash_name=genesis.chain_hash.name,
        timeout_s=_TIMEOUT_S,
        tls=tls,
    )


def _app(witness: Witness) -> FastAPI:
    app = FastAPI(title="Yunhe witness", docs_url=None, redoc_url=None)
    install_problem_handlers(app)

    # WIT-006
    @app.get("/checkpoint", response_class=PlainTextResponse)
    def newest() -> str:
        """Return all that was witnessed so far, cosigned, as a C2SP signed note."""
        return witness.note()

    @app.get("/checkpoint/{size}", response_class=PlainTextResponse)
    def of_size(size: Annotated[int, Path(ge=1, le=HEIGHT_MAX + 1)]) -> str:
        """Return the first `size` headers of what was witnessed, cosigned, as a C2SP signed note."""
        return witness.note(size)

    return app
