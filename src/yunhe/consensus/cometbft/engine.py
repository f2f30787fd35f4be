"""The engine between organisations, as its node sees it: envelopes in, decided blocks out.

What was accepted is kept until a block has it, because a process that ends loses what waits in its pool; the next one
gets it again.
Specification: docs/spec/engine.md, and docs/spec/network.md, "Between node and engine".
"""

import base64
import hashlib
import http.client
import json
import threading
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Final

import structlog

from yunhe.consensus.cometbft.bridge import Bridge
from yunhe.consensus.cometbft.rpc import LocalConnection
from yunhe.consensus.cometbft.server import AbciServer
from yunhe.consensus.cometbft.supervision import EngineSupervisor
from yunhe.consensus.engine import Application, Clock
from yunhe.errors import EngineFailedError, OverloadedError, UnavailableError
from yunhe.limits import ENGINE_ANSWER_BYTES_MAX, ENGINE_QUEUE_BYTES_MAX, ENGINE_QUEUE_ENVELOPES_MAX

_log = structlog.get_logger(__name__)

_ANSWER_TIMEOUT_S: Final = 10.0
_PAUSE_S: Final = 0.1
"""Before an envelope is handed over again."""
_KNOWN: Final = "already exists in cache"

Supervise = Callable[[Callable[[EngineFailedError], None]], EngineSupervisor]
"""Prepares what runs the process, which tells the given function that it stands still for good."""


class CometBftEngine:
    """Orders envelopes together with the other organisations' engines."""

    name = "cometbft"

    def __init__(self, application: Application, clock: Clock, home: Path, protocol_version: int, supervise: Supervise) -> None:
        """Prepare; nothing runs yet.

        Args:
            application: the ledger.
            clock: of this node.
            home: of the process.
            protocol_version: of the ledger's rules.
            supervise: prepares what runs the process.

        Raises:
            YunheError: the process cannot be run; the message says what to do.
        """
        self._application = application
        self._home = home
        self._changed = threading.Condition()
        self._outstanding: OrderedDict[bytes, bytes] = OrderedDict()
        """Accepted and not decided, by hash."""
        self._unsent: OrderedDict[bytes, None] = OrderedDict()
        """Those of them that are not in the process's pool."""
        self._outstanding_bytes = 0
        self._stopping = False
        self._failure: BaseException | None = None
        self._supervisor = supervise(self.failed)
        self._bridge = Bridge(application, clock, protocol_version, self)
        self._server: AbciServer | None = None
        self._sender = threading.Thread(target=self._send, name="engine-sender", daemon=True)

    @property
    def failure(self) -> BaseException | None:
        """Why the engine stopped by itself, or None."""
        return self._failure

    def start(self) -> None:
        """Begin to deliver, above what the application has committed."""
        self._server = AbciServer(self._home, self._bridge.handle)
        self._server.start()
        self._supervisor.start()
        self._sender.start()

    def submit(self, envelope: bytes) -> None:
        """Accept an envelope for a later block.

        Raises:
            OverloadedError: too much waits.
            UnavailableError: the engine is stopped.
            YunheError: whatever the application's `check` refuses it with.
        """
        # ENG-005
        self._application.check(envelope)
        key = hashlib.sha256(envelope).digest()
        with self._changed:
            # ENG-008, ENG-009
            if self._stopping or self._failure is not None:
                raise UnavailableError("the engine is stopped; ask `yunhe node status` why")
            # ENG-006
            is_full = len(self._outstanding) >= ENGINE_QUEUE_ENVELOPES_MAX
            if is_full or self._outstanding_bytes + len(envelope) > ENGINE_QUEUE_BYTES_MAX:
                raise OverloadedError("the engine's queue is full; try again in a second")
            if key not in self._outstanding:
                self._outstanding[key] = envelope
                self._outstanding_bytes += len(envelope)
                self._unsent[key] = None
                self._changed.notify_all()

    def stop(self) -> None:
        """End the process, then answer it no more (ENG-009)."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        self._supervisor.stop()
        if self._server is not None:
            self._server.close()
        if self._sender.is_alive():
            self._sender.join()

    # --- What the bridge tells --------------------------------------------------------------------------------------

    def engine_started(self) -> None:
        """Hand all that waits to the process that started (NET-034)."""
        with self._changed:
            self._unsent = OrderedDict.fromkeys(self._outstanding)
            self._changed.notify_all()

    def decided(self, envelopes: tuple[bytes, ...]) -> None:
        """Forget what a block has."""
        with self._changed:
            for envelope in envelopes:
                found = self._outstanding.pop(hashlib.sha256(envelope).digest(), None)
                if found is not None:
                    self._outstanding_bytes -= len(found)

    def failed(self, failure: BaseException) -> None:
        """Stop for good (ENG-008)."""
        with self._changed:
            self._failure = self._failure or failure
            self._changed.notify_all()

    # --- The thread that hands envelopes over -----------------------------------------------------------------------

    def _send(self) -> None:
        connection = LocalConnection(self._home, _ANSWER_TIMEOUT_S)
        while (item := self._next()) is not None:
            key, envelope = item
            try:
                error = _broadcast(connection, envelope)
            except (OSError, ValueError, AttributeError, RecursionError, http.client.HTTPException) as failure:
                # The process is starting, or was ended; it is handed over again when it answers.
                _log.debug("engine does not answer", reason=str(failure))
                connection.close()
                self._put_back(key)
                continue
            if error and _KNOWN not in error:
                _log.warning("engine did not take an envelope", reason=error)
                self._put_back(key)
        connection.close()

    def _next(self) -> tuple[bytes, bytes] | None:
        with self._changed:
            while not self._stopping and self._failure is None:
                while self._unsent:
                    key, _ = self._unsent.popitem(last=False)
                    if key in self._outstanding:
                        return key, self._outstanding[key]
                self._changed.wait()
            return None

    def _put_back(self, key: bytes) -> None:
        with self._changed:
            self._unsent[key] = None
            self._unsent.move_to_end(key, last=False)
            self._changed.wait_for(lambda: self._stopping, _PAUSE_S)


def _broadcast(connection: LocalConnection, envelope: bytes) -> str:
    """Hand an envelope to the process; return why it was not taken, or nothing."""
    params = {"tx": base64.b64encode(envelope).decode("ascii")}
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "broadcast_tx_sync", "params": params})
    connection.request("POST", "/", body, {"Content-Type": "application/json"})
    answer = json.loads(connection.getresponse().read(ENGINE_ANSWER_BYTES_MAX))
    error = answer.get("error")
    if error is not None:
        return f"{error.get('message')}: {error.get('data')}"[:300]
    result = answer["result"] if answer.get("result") else {}
    return f"its node refused it: {result.get('log')}" if result.get("code") else ""
