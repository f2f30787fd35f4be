"""The solo engine: one node orders its own envelopes. For one operator, for development and for tests.

A pipeline of two threads: while a block is made durable, the next one executes, and what comes meanwhile gathers for the one after it
(ENG-010). Under more load than that a block takes what will execute in about `SOLO_BLOCK_MS`, by what the blocks before it took: answers
come steadily, and no block uses up its gas on what could have had its turn in the next one. The engine has no agreement, so its only
cosignature is the node's own. Specification: docs/spec/engine.md.
"""

import threading
import time
from collections import deque

from yunhe.consensus.engine import Application, Clock, Delivery, block_time_ms
from yunhe.errors import OverloadedError, UnavailableError
from yunhe.limits import (
    BLOCK_BYTES_MAX,
    BLOCK_ENVELOPES_MAX,
    ENGINE_QUEUE_BYTES_MAX,
    ENGINE_QUEUE_ENVELOPES_MAX,
    ENVELOPE_BYTES_MAX,
    SOLO_BLOCK_MS,
    UNCOMMITTED_BLOCKS_MAX,
)


class SoloEngine:
    """Orders envelopes as they come, in threads of its own."""

    name = "solo"

    def __init__(self, application: Application, clock: Clock) -> None:
        self._application = application
        self._clock = clock
        self._queue: deque[bytes] = deque()
        self._queue_bytes = 0
        self._room = BLOCK_BYTES_MAX
        """Bytes of envelopes that the next block takes at most."""
        self._uncommitted = 0
        self._is_delivering = True
        self._changed = threading.Condition()
        self._stopping = False
        self._failure: BaseException | None = None
        self._deliverer = threading.Thread(target=self._deliver, name="solo-engine-deliver", daemon=True)
        self._committer = threading.Thread(target=self._commit, name="solo-engine-commit", daemon=True)

    @property
    def failure(self) -> BaseException | None:
        """Why the engine stopped by itself, or None."""
        return self._failure

    def start(self) -> None:
        """Begin to deliver, above what the application has committed."""
        self._deliverer.start()
        self._committer.start()

    def submit(self, envelope: bytes) -> None:
        """Accept an envelope for the next block.

        Raises:
            OverloadedError: the queue is full.
            UnavailableError: the engine is stopped.
            YunheError: whatever the application's `check` refuses it with.
        """
        # ENG-005
        self._application.check(envelope)
        with self._changed:
            # ENG-008, ENG-009
            if self._stopping or self._failure is not None:
                raise UnavailableError("the engine is stopped; ask `yunhe node status` why")
            # ENG-006
            if len(self._queue) >= ENGINE_QUEUE_ENVELOPES_MAX or self._queue_bytes + len(envelope) > ENGINE_QUEUE_BYTES_MAX:
                raise OverloadedError("the engine's queue is full; try again in a second")
            self._queue.append(envelope)
            self._queue_bytes += len(envelope)
            self._changed.notify_all()

    def stop(self) -> None:
        """Finish the blocks in hand and stop (ENG-009)."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        for thread in (self._deliverer, self._committer):
            if thread.is_alive() and threading.current_thread() is not thread:
                thread.join()

    def _deliver(self) -> None:
        try:
            committed = self._application.committed()
            height, last_ms, app_hash = committed.engine_height, committed.time_ms, committed.app_hash
            while envelopes := self._next_block():
                # ENG-001
                height, time_ms = height + 1, block_time_ms(self._clock(), last_ms)
                began = time.monotonic()
                delivered = self._application.deliver(Delivery(height, time_ms, envelopes))
                self._adapt(sum(map(len, envelopes)), (time.monotonic() - began) * 1000)
                # A clock that was ahead for a moment must not bind those after it, when all that it did was to let transactions expire.
                if delivered != app_hash:
                    last_ms, app_hash = time_ms, delivered
                with self._changed:
                    self._uncommitted += 1
                    self._changed.notify_all()
        except BaseException as failure:  # noqa: BLE001  # a thread's edge: whatever it is, the node must learn of it and stop (ENG-008)
            self._fail(failure)
        finally:
            with self._changed:
                self._is_delivering = False
                self._changed.notify_all()

    def _commit(self) -> None:
        try:
            while count := self._next_commit():
                self._application.commit(count)
                with self._changed:
                    self._uncommitted -= count
                    self._changed.notify_all()
        except BaseException as failure:  # noqa: BLE001  # as above
            self._fail(failure)

    def _fail(self, failure: BaseException) -> None:
        with self._changed:
            self._failure = self._failure or failure
            self._changed.notify_all()

    def _next_block(self) -> tuple[bytes, ...]:
        """Wait for envelopes; return none when the engine is to stop."""
        with self._changed:
            # ENG-004, ENG-007
            while not self._is_ending and (not self._queue or self._uncommitted >= UNCOMMITTED_BLOCKS_MAX):
                self._changed.wait()
            if self._is_ending:
                return ()
            # ENG-003, ENG-010
            envelopes: list[bytes] = []
            room = self._room
            while self._queue and len(envelopes) < BLOCK_ENVELOPES_MAX and len(self._queue[0]) <= room:
                envelopes.append(self._queue.popleft())
                room -= len(envelopes[-1])
            self._queue_bytes -= self._room - room
            return tuple(envelopes)

    def _adapt(self, size: int, took_ms: float) -> None:
        """Give the next block the room for what would execute in time at the pace of this one, if this one was long enough to tell."""
        if took_ms > SOLO_BLOCK_MS / 4:
            self._room = min(max(int(size * SOLO_BLOCK_MS / took_ms), ENVELOPE_BYTES_MAX), BLOCK_BYTES_MAX)
        elif size > self._room // 2:
            self._room = min(self._room * 2, BLOCK_BYTES_MAX)

    def _next_commit(self) -> int:
        """Wait for delivered blocks and return how many there are; none when no more will come."""
        with self._changed:
            while not self._uncommitted and self._is_delivering:
                self._changed.wait()
            return self._uncommitted

    @property
    def _is_ending(self) -> bool:
        return self._stopping or self._failure is not None
