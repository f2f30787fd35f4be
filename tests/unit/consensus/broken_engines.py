"""Engines that break one obligation each, for the proof that the conformance suite finds it."""

import threading

from tests.conformance.sequential_engine import SequentialEngine
from yunhe.consensus import Delivery
from yunhe.errors import UnavailableError
from yunhe.limits import BLOCK_ENVELOPES_MAX, ENGINE_QUEUE_BYTES_MAX, ENGINE_QUEUE_ENVELOPES_MAX


class SkipsHeights(SequentialEngine):
    def next_height(self) -> int:
        self.height += 2
        return self.height


class CountsItsOwnHeights(SequentialEngine):
    """Begins with 1, wherever the application stands."""

    count = 0

    def next_height(self) -> int:
        self.count += 1
        return self.count


class GoesOnAfterWhatWasNotCommitted(SequentialEngine):
    """Counts up from what it delivered before the restart."""

    delivered_height = 0

    def next_height(self) -> int:
        cls = type(self)
        cls.delivered_height = max(cls.delivered_height, super().next_height() - 1) + 1
        return cls.delivered_height


class BelievesTheClock(SequentialEngine):
    def next_ms(self) -> int:
        return self.clock()


class RepeatsTheTime(SequentialEngine):
    def next_ms(self) -> int:
        return max(self.clock(), self.last_ms)


class ForgetsTheTimeAtARestart(SequentialEngine):
    first = True

    def next_ms(self) -> int:
        first, self.first = self.first, False
        return self.clock() if first else super().next_ms()


class LosesAnEnvelope(SequentialEngine):
    count = 0

    def admit(self, envelope: bytes) -> None:
        self.count += 1
        if self.count % 7:
            super().admit(envelope)


class DeliversAnEnvelopeTwice(SequentialEngine):
    def make_block(self, envelopes: list[bytes]) -> None:
        super().make_block([*envelopes, *envelopes[:1]])


class DeliversABlockTwice(SequentialEngine):
    def make_block(self, envelopes: list[bytes]) -> None:
        super().make_block(envelopes)
        if envelopes:
            super().make_block(envelopes)


class DeliversAgainAfterARestart(SequentialEngine):
    """Keeps what it had, durable or not."""

    kept: tuple[bytes, ...] = ()

    def run(self) -> None:
        self.waiting.extend(self.kept)
        super().run()

    def execute(self, delivery: Delivery) -> bytes:
        type(self).kept = (*self.kept, *delivery.envelopes)
        return super().execute(delivery)


class TurnsTheOrderRound(SequentialEngine):
    def take(self) -> list[bytes]:
        return super().take()[::-1]


class CommitsBeforeItDelivers(SequentialEngine):
    """What waits for the block is answered before the block is there."""

    def execute(self, delivery: Delivery) -> bytes:
        self.application.commit(1)
        return self.application.deliver(delivery)


class CommitsMoreThanIsDelivered(SequentialEngine):
    def execute(self, delivery: Delivery) -> bytes:
        app_hash = self.application.deliver(delivery)
        self.application.commit(2)
        return app_hash


class NeverCommits(SequentialEngine):
    count = 0

    def execute(self, delivery: Delivery) -> bytes:
        self.count += 1
        return self.application.deliver(delivery) if self.count == 3 else super().execute(delivery)


class RunsAheadOfItsCommits(SequentialEngine):
    """Delivers whatever comes, and leaves the commits to another thread that may be late."""

    def run(self) -> None:
        self.delivered = threading.Semaphore(0)
        threading.Thread(target=self.commit_all, daemon=True).start()
        super().run()

    def commit_all(self) -> None:
        while True:
            self.delivered.acquire()
            self.application.commit(1)

    def execute(self, delivery: Delivery) -> bytes:
        app_hash = self.application.deliver(delivery)
        self.delivered.release()
        return app_hash


class DeliversFromManyThreads(SequentialEngine):
    def execute(self, delivery: Delivery) -> bytes:
        results: list[bytes] = []
        thread = threading.Thread(target=lambda: results.append(self.application.deliver(delivery)))
        thread.start()
        thread.join()
        self.application.commit(1)
        return results[0]


class DoesNotCheck(SequentialEngine):
    def submit(self, envelope: bytes) -> None:
        with self.changed:
            self.admit(envelope)
            self.changed.notify_all()


class DeliversWhatCheckRefused(SequentialEngine):
    def submit(self, envelope: bytes) -> None:
        with self.changed:
            self.admit(envelope)
            self.changed.notify_all()
        self.application.check(envelope)


class QueuesWithoutEnd(SequentialEngine):
    def is_full(self, envelope: bytes) -> bool:
        return False


class CountsNoBytes(SequentialEngine):
    def is_full(self, envelope: bytes) -> bool:
        return len(self.waiting) >= ENGINE_QUEUE_ENVELOPES_MAX


class CountsBytesAlone(SequentialEngine):
    def is_full(self, envelope: bytes) -> bool:
        return sum(map(len, self.waiting)) + len(envelope) > ENGINE_QUEUE_BYTES_MAX


class RefusesTooEarly(SequentialEngine):
    def is_full(self, envelope: bytes) -> bool:
        return len(self.waiting) >= ENGINE_QUEUE_ENVELOPES_MAX // 2


class DisplacesTheOldest(SequentialEngine):
    def admit(self, envelope: bytes) -> None:
        if self.is_full(envelope):
            self.waiting.popleft()
        super().admit(envelope)


class WaitsForRoom(SequentialEngine):
    def admit(self, envelope: bytes) -> None:
        self.changed.wait_for(lambda: not self.is_full(envelope))
        super().admit(envelope)

    def take(self) -> list[bytes]:
        taken = super().take()
        with self.changed:
            self.changed.notify_all()
        return taken


class RefusesForTheWrongReason(SequentialEngine):
    def admit(self, envelope: bytes) -> None:
        if self.is_full(envelope):
            raise UnavailableError("the engine is busy")
        super().admit(envelope)


class NeverHasRoomAgain(SequentialEngine):
    accepted = 0

    def is_full(self, envelope: bytes) -> bool:
        self.accepted += 1
        return self.accepted > ENGINE_QUEUE_ENVELOPES_MAX + 2


class FillsBlocksWithTooMany(SequentialEngine):
    def fits(self, taken: list[bytes], envelope: bytes) -> bool:
        return len(taken) <= BLOCK_ENVELOPES_MAX


class FillsBlocksWithTooManyBytes(SequentialEngine):
    def fits(self, taken: list[bytes], envelope: bytes) -> bool:
        return len(taken) < BLOCK_ENVELOPES_MAX


class MakesBlocksWhileIdle(SequentialEngine):
    def make_block(self, envelopes: list[bytes]) -> None:
        super().make_block(envelopes)
        self.is_due = True


class MakesBlocksByTheClock(SequentialEngine):
    def waits_for_a_block(self) -> bool:
        with self.changed:
            self.changed.wait_for(lambda: self.stopping or bool(self.waiting), timeout=0.02)
            return not self.stopping


class DiesInSilence(SequentialEngine):
    def fail(self, failure: BaseException) -> None:
        pass


class IsDeafToPanics(SequentialEngine):
    """Reports an exception, and not what is raised beside them."""

    def fail(self, failure: BaseException) -> None:
        if isinstance(failure, Exception):
            self.failure = failure


class ReportsSomethingElse(SequentialEngine):
    def fail(self, failure: BaseException) -> None:
        self.failure = RuntimeError("something went wrong")


class TriesAgain(SequentialEngine):
    def execute(self, delivery: Delivery) -> bytes:
        try:
            return super().execute(delivery)
        except RuntimeError as failure:
            self.failure = failure
            return super().execute(delivery)

    def fail(self, failure: BaseException) -> None:
        """Keep the first one."""


class TakesEnvelopesAfterAFailure(SequentialEngine):
    def submit(self, envelope: bytes) -> None:
        self.application.check(envelope)
        with self.changed:
            if self.stopping:
                raise UnavailableError("the engine is stopped")
            self.admit(envelope)
            self.changed.notify_all()


class DoesNotWaitInStop(SequentialEngine):
    def stop(self) -> None:
        with self.changed:
            self.stopping = True
            self.changed.notify_all()


class DropsTheBlockInHand(SequentialEngine):
    """Commits a block when the next one is delivered, so that a stop leaves the last one uncommitted."""

    def execute(self, delivery: Delivery) -> bytes:
        app_hash = self.application.deliver(delivery)
        if delivery.engine_height > 1:
            self.application.commit(1)
        return app_hash


class EmptiesItsQueueInStop(SequentialEngine):
    def waits_for_a_block(self) -> bool:
        return super().waits_for_a_block() or bool(self.waiting)


class TakesEnvelopesAfterStop(SequentialEngine):
    def submit(self, envelope: bytes) -> None:
        self.application.check(envelope)
        with self.changed:
            if self.failure is not None:
                raise UnavailableError("the engine is stopped")
            self.admit(envelope)
            self.changed.notify_all()


class ReportsAStopAsAFailure(SequentialEngine):
    def run(self) -> None:
        super().run()
        self.failure = self.failure or RuntimeError("stopped")


class StopsOnce(SequentialEngine):
    stops = 0

    def stop(self) -> None:
        self.stops += 1
        if self.stops > 1:
            threading.Event().wait()
        super().stop()


class MakesABlockOfEachEnvelope(SequentialEngine):
    def fits(self, taken: list[bytes], envelope: bytes) -> bool:
        return not taken
