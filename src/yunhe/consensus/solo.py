"""The solo engine: one node orders its own envelopes. For one operator, for development and for tests.

One block at a time: what has gathered while a block was made durable goes into the next one (ENG-010). It has no agreement, so its only
cosignature is the node's own. Specification: docs/spec/engine.md.
"""

import threading
from collections import deque

from yunhe.consensus.engine import Application, Clock, Delivery
from yunhe.errors import OverloadedError, UnavailableError
from yunhe.limits import BLOCK_ENVELOPES_MAX, ENGINE_QUEUE_ENVELOPES_MAX


class SoloEngine:
    """Orders envelopes as they come, in a thread of its own."""

    name = "solo"

    def __init__(self, application: Application, clock: Clock) -> None:
        self._application = application
        self._clock = clock
        self._queue: deque[bytes] = deque()
        self._wake = threading.Condition()
        self._stopping = False
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="solo-engine", daemon=True)

    @property
    def failure(self) -> BaseException | None:
        """Why the engine stopped by itself, or None."""
        return self._failure

    def start(self) -> None:
        """Begin to deliver, above what the application has committed."""
        self._thread.start()

    def submit(self, envelope: bytes) -> None:
        """Accept an envelope for the next block.

        Raises:
            OverloadedError: the queue is full.
            UnavailableError: the engine is stopped.
            YunheError: whatever the application's `check` refuses it with.
        """
        # ENG-005
        self._application.check(envelope)
        with self._wake:
            # ENG-008, ENG-009
            if self._stopping or self._failure is not None:
                raise UnavailableError("the engine is stopped; ask `yunhe node status` why")
            # ENG-006
            if len(self._queue) >= ENGINE_QUEUE_ENVELOPES_MAX:
                raise OverloadedError("the engine's queue is full; try again in a second")
            self._queue.append(envelope)
            self._wake.notify()

    def stop(self) -> None:
        """Finish the block in hand and stop (ENG-009)."""
        with self._wake:
            self._stopping = True
            self._wake.notify()
        if self._thread.is_alive() and threading.current_thread() is not self._thread:
            self._thread.join()

    def _run(self) -> None:
        try:
            committed = self._application.committed()
            height, time_ms = committed.engine_height, committed.time_ms
            while envelopes := self._next_block():
                # ENG-001, ENG-002
                height, time_ms = height + 1, max(self._clock(), time_ms + 1)
                # ENG-004
                self._application.deliver(Delivery(height, time_ms, envelopes))
                self._application.commit()
        except Exception as failure:  # noqa: BLE001  # a thread's edge: whatever it is, the node must learn of it and stop (ENG-008)
            with self._wake:
                self._failure = failure

    def _next_block(self) -> tuple[bytes, ...]:
        """Wait for envelopes; return none when the engine is to stop."""
        with self._wake:
            # ENG-007
            while not self._queue and not self._stopping:
                self._wake.wait()
            if self._stopping:
                return ()
            # ENG-010
            count = min(len(self._queue), BLOCK_ENVELOPES_MAX)
            return tuple(self._queue.popleft() for _ in range(count))
