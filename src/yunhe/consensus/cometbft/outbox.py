"""Envelopes that this node accepted and no block has yet, and how they come to the CometBFT process: through its RPC, in order.

The process keeps them in its memory alone, and drops some when it is full, so they are kept here as well until a block has them: each is
handed over again when the process has begun anew, and every few seconds besides; one that it still has it passes over. No more are handed
over at a time than every process has room for: what a peer passes over for lack of it, it is not told of again. A proposer of
this node takes from here too what has not reached its process yet.
"""

import base64
import http.client
import json
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import structlog

from yunhe.consensus.cometbft.pool import ENVELOPE_BYTES_COUNTED
from yunhe.consensus.cometbft.rpc import LocalConnection
from yunhe.errors import EngineUnreachableError, OverloadedError
from yunhe.limits import (
    ENGINE_ANSWER_BYTES_MAX,
    ENGINE_QUEUE_BYTES_MAX,
    ENGINE_QUEUE_ENVELOPES_MAX,
    ENGINE_RESEND_S,
    ENGINE_SENT_BYTES_MAX,
)

_log = structlog.get_logger(__name__)

_PAUSE_S: Final = 0.2
_ANSWER_S: Final = 30.0
_FULL: Final = "mempool is full"
_KNOWN: Final = "already exists in cache"


class Outbox:
    """Accepted envelopes in order, and the thread that hands them over. Thread-safe; `start` and `close` are called once each."""

    def __init__(self, home: Path) -> None:
        self._connection = LocalConnection(home, _ANSWER_S)
        self._changed = threading.Condition()
        self._waiting: OrderedDict[bytes, None] = OrderedDict()
        self._bytes = 0
        self._unsent: deque[bytes] = deque()
        """Those of them that are to be handed over, in order."""
        self._sent: set[bytes] = set()
        """What the process has."""
        self._sent_bytes = 0
        self._sent_s = 0.0
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="cometbft-outbox", daemon=True)

    def start(self) -> None:
        """Begin to hand over."""
        self._thread.start()

    def close(self) -> None:
        """Hand nothing more over; what waits is forgotten."""
        with self._changed:
            self._closed = True
            self._waiting.clear()
            self._changed.notify_all()
        if self._thread.is_alive():
            self._thread.join()

    def add(self, envelope: bytes) -> None:
        """Take an envelope; one that waits already is not taken twice.

        Raises:
            OverloadedError: too many wait, or too many bytes.
        """
        with self._changed:
            if envelope in self._waiting:
                return
            # ENG-006
            if len(self._waiting) >= ENGINE_QUEUE_ENVELOPES_MAX or self._bytes + len(envelope) > ENGINE_QUEUE_BYTES_MAX:
                raise OverloadedError("the engine's queue is full; try again in a second")
            self._waiting[envelope] = None
            self._bytes += len(envelope)
            self._unsent.append(envelope)
            self._changed.notify_all()

    def waiting(self) -> list[bytes]:
        """Return what no block has, in order."""
        with self._changed:
            return list(self._waiting)

    def remove(self, envelopes: Iterable[bytes]) -> list[bytes]:
        """Forget envelopes, because a block has them or none can, and return those that waited."""
        with self._changed:
            found = [envelope for envelope in envelopes if envelope in self._waiting]
            for envelope in found:
                del self._waiting[envelope]
                self._bytes -= len(envelope)
                if envelope in self._sent:
                    self._sent.remove(envelope)
                    self._sent_bytes -= _counted(envelope)
            self._changed.notify_all()
            return found

    def resend(self) -> None:
        """Hand everything over again, in order: the process has begun anew (NET-034)."""
        with self._changed:
            self._begin_again()
            self._changed.notify_all()

    def _begin_again(self) -> None:
        self._unsent = deque(self._waiting)
        self._sent.clear()
        self._sent_bytes = 0

    # --- The thread that hands over ------------------------------------------------------------------------------------

    def _run(self) -> None:
        while (envelope := self._next()) is not None:
            try:
                is_taken = self._hand_over(envelope)
            except EngineUnreachableError as error:
                _log.debug("an envelope is handed over later", reason=error.message)
                is_taken = False
            with self._changed:
                if is_taken:
                    self._sent_s = time.monotonic()
                    if envelope in self._waiting and envelope not in self._sent:
                        self._sent.add(envelope)
                        self._sent_bytes += _counted(envelope)
                elif not self._closed:
                    self._unsent.appendleft(envelope)
                    self._changed.wait(_PAUSE_S)
        self._connection.close()

    def _next(self) -> bytes | None:
        """Wait for an envelope to hand over; None when there will be none."""
        with self._changed:
            while not self._closed:
                # ABC-021
                while self._unsent:
                    envelope = self._unsent[0]
                    is_waiting = envelope in self._waiting
                    if is_waiting and self._sent_bytes + _counted(envelope) > ENGINE_SENT_BYTES_MAX:
                        break
                    self._unsent.popleft()
                    if is_waiting:
                        return envelope
                due_s = self._sent_s + ENGINE_RESEND_S - time.monotonic()
                if self._waiting and due_s <= 0:
                    self._begin_again()
                    continue
                self._changed.wait(due_s if self._waiting else None)
            return None

    def _hand_over(self, envelope: bytes) -> bool:
        """Return whether the process has the envelope now; False when it has no room."""
        parameters = {"tx": base64.b64encode(envelope).decode("ascii")}
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "broadcast_tx_async", "params": parameters})
        try:
            self._connection.request("POST", "/", body, {"Content-Type": "application/json"})
            answer = json.loads(self._connection.getresponse().read(ENGINE_ANSWER_BYTES_MAX))
            error = answer.get("error")
        except (OSError, ValueError, AttributeError, RecursionError, http.client.HTTPException) as failure:
            self._connection.close()
            raise EngineUnreachableError(f"the engine takes no envelope: {failure}") from failure
        if error is None or _KNOWN in str(error):
            return True
        if _FULL not in str(error):
            _log.warning("the engine refuses an envelope", reason=str(error)[:300])
        return False


def _counted(envelope: bytes) -> int:
    """Return what an envelope counts in the memory of processes, for one of usual transactions."""
    return max(len(envelope), ENVELOPE_BYTES_COUNTED)
