"""An engine for the tests of the conformance suite: the plainest one that keeps every obligation, and unlike `solo` in what is left open.

It has one thread and delivers nothing ahead of a commit, and makes the empty blocks that engines with agreement make: the first block of a
chain, and one after each block that changed the app hash. Each of its steps is a method, so that a broken engine is a small subclass.
"""

import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path

from yunhe.consensus import Application, Delivery
from yunhe.errors import OverloadedError, UnavailableError
from yunhe.limits import BLOCK_BYTES_MAX, BLOCK_ENVELOPES_MAX, ENGINE_QUEUE_BYTES_MAX, ENGINE_QUEUE_ENVELOPES_MAX


class SequentialEngine:
    """Delivers a block, commits it, and looks for the next."""

    name = "sequential"

    def __init__(self, application: Application, clock: Callable[[], int], folder: Path) -> None:
        self.application = application
        self.clock = clock
        self.failure: BaseException | None = None
        self.waiting: deque[bytes] = deque()
        self.changed = threading.Condition()
        self.stopping = False
        self.height = 0
        self.last_ms = 0
        self.app_hash = b""
        self.is_due = False
        """Whether a block is to be made even if it is empty."""
        self.thread = threading.Thread(target=self.run, daemon=True)

    def start(self) -> None:
        self.thread.start()

    def submit(self, envelope: bytes) -> None:
        self.application.check(envelope)
        with self.changed:
            if self.stopping or self.failure is not None:
                raise UnavailableError("the engine is stopped")
            self.admit(envelope)
            self.changed.notify_all()

    def stop(self) -> None:
        with self.changed:
            self.stopping = True
            self.changed.notify_all()
        self.thread.join()

    def admit(self, envelope: bytes) -> None:
        if self.is_full(envelope):
            raise OverloadedError("the queue is full")
        self.waiting.append(envelope)

    def is_full(self, envelope: bytes) -> bool:
        waiting_bytes = sum(map(len, self.waiting))
        return len(self.waiting) >= ENGINE_QUEUE_ENVELOPES_MAX or waiting_bytes + len(envelope) > ENGINE_QUEUE_BYTES_MAX

    def run(self) -> None:
        try:
            committed = self.application.committed()
            self.height, self.last_ms, self.app_hash = committed.engine_height, committed.time_ms, committed.app_hash
            self.is_due = self.height == 0
            while self.waits_for_a_block():
                self.make_block(self.take())
        except BaseException as failure:  # noqa: BLE001  # a thread's edge
            self.fail(failure)

    def fail(self, failure: BaseException) -> None:
        self.failure = failure

    def waits_for_a_block(self) -> bool:
        """Wait until a block is to be made; return False when none is to be made any more."""
        with self.changed:
            self.changed.wait_for(lambda: self.stopping or bool(self.waiting) or self.is_due)
            return not self.stopping

    def take(self) -> list[bytes]:
        taken: list[bytes] = []
        with self.changed:
            while self.waiting and self.fits(taken, self.waiting[0]):
                taken.append(self.waiting.popleft())
        return taken

    def fits(self, taken: list[bytes], envelope: bytes) -> bool:
        return len(taken) < BLOCK_ENVELOPES_MAX and sum(map(len, taken)) + len(envelope) <= BLOCK_BYTES_MAX

    def make_block(self, envelopes: list[bytes]) -> None:
        delivery = Delivery(self.next_height(), self.next_ms(), tuple(envelopes))
        app_hash = self.execute(delivery)
        self.is_due = app_hash != self.app_hash
        if self.is_due:
            self.last_ms, self.app_hash = delivery.time_ms, app_hash

    def next_height(self) -> int:
        self.height += 1
        return self.height

    def next_ms(self) -> int:
        return max(self.clock(), self.last_ms + 1)

    def execute(self, delivery: Delivery) -> bytes:
        app_hash = self.application.deliver(delivery)
        self.application.commit(1)
        return app_hash
