"""What every engine owes the application (docs/spec/engine.md), as tests that an engine's own test module inherits.

A subclass makes an engine over a recording application; nothing here knows which engine it is.
"""

import threading
import time
from collections.abc import Callable
from typing import Protocol

import pytest

from yunhe.consensus import Application, Committed, Delivery, Engine
from yunhe.errors import InvalidInputError, OverloadedError, UnavailableError
from yunhe.limits import (
    BLOCK_BYTES_MAX,
    BLOCK_ENVELOPES_MAX,
    ENGINE_QUEUE_BYTES_MAX,
    ENGINE_QUEUE_ENVELOPES_MAX,
    ENVELOPE_BYTES_MAX,
    UNCOMMITTED_BLOCKS_MAX,
)

DEADLINE_S = 20.0
WITHOUT_EFFECT = b"without effect"
"""An envelope that leaves the app hash as it is."""
START = Committed(engine_height=41, time_ms=1_000_000, app_hash=bytes(32))


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true"
        threading.Event().wait(0.001)


class Panic(BaseException):
    """What a panic of native code is in Python: no Exception."""


class RecordingApplication:
    """Keeps what an engine does; can hold it in `commit`, refuse in `check`, fail in `deliver` or `commit`."""

    def __init__(self) -> None:
        self.deliveries: list[Delivery] = []
        self.calls: list[str] = []
        self.threads: dict[str, set[int]] = {"deliver": set(), "commit": set()}
        self.uncommitted: list[int] = []
        self.gate = threading.Event()
        self.gate.set()
        self.app_hash = START.app_hash
        self.fail_at = ""
        self.fault: type[BaseException] = RuntimeError

    def committed(self) -> Committed:
        return START

    def check(self, envelope: bytes) -> None:
        if envelope.startswith(b"bad"):
            raise InvalidInputError("bad")

    def deliver(self, delivery: Delivery) -> bytes:
        self._enter("deliver")
        self.deliveries.append(delivery)
        if any(envelope != WITHOUT_EFFECT for envelope in delivery.envelopes):
            self.app_hash = delivery.engine_height.to_bytes(32, "big")
        return self.app_hash

    def commit(self, count: int) -> None:
        self.gate.wait(DEADLINE_S)
        for _ in range(count):
            self._enter("commit")

    def _enter(self, call: str) -> None:
        self.threads[call].add(threading.get_ident())
        if self.fail_at == call:
            raise self.fault(call)
        self.calls.append(call)
        self.uncommitted.append(self.calls.count("deliver") - self.calls.count("commit"))

    @property
    def delivered(self) -> list[bytes]:
        return [envelope for delivery in self.deliveries for envelope in delivery.envelopes]


def fill_pipeline(engine: Engine, application: RecordingApplication) -> list[bytes]:
    """With the gate closed, submit until the engine delivers no more ahead of the commits; return what was submitted."""
    for number in range(UNCOMMITTED_BLOCKS_MAX):
        engine.submit(b"ahead %d" % number)
        wait_until(lambda count=number + 1: len(application.deliveries) == count)
    return list(application.delivered)


class MakeEngine(Protocol):
    def __call__(self, application: Application, clock: Callable[[], int]) -> Engine: ...


class EngineConformance:
    """Inherit, and define `make_engine`."""

    make_engine: MakeEngine

    @pytest.fixture
    def application(self) -> RecordingApplication:
        return RecordingApplication()

    @pytest.fixture
    def now(self) -> list[int]:
        return [2_000_000]

    @pytest.fixture
    def engine(self, application, now):
        engine = type(self).make_engine(application, lambda: now[0])
        engine.start()
        yield engine
        application.gate.set()
        engine.stop()

    def test_first_block_is_one_above_what_is_committed(self, engine, application):
        """ENG-001 accepted: consecutive heights."""
        for number in range(5):
            engine.submit(b"%d" % number)
            wait_until(lambda count=number + 1: len(application.delivered) == count)
        assert [d.engine_height for d in application.deliveries] == [42, 43, 44, 45, 46]

    def test_time_follows_the_clock_and_never_stands_or_goes_back(self, engine, application, now):
        """ENG-002: accepted when the clock moves on, and above the last block when it does not."""
        for moment in (2_000_000, 2_000_000, 1_500_000, 0, 2_000_001, 3_000_000):
            now[0] = moment
            count = len(application.delivered) + 1
            engine.submit(b"x")
            wait_until(lambda count=count: len(application.delivered) == count)
        times = [d.time_ms for d in application.deliveries]
        assert times == sorted(set(times))
        assert (times[0], times[-1]) == (2_000_000, 3_000_000)

    def test_time_is_above_what_is_committed_when_the_clock_is_behind(self, engine, application, now):
        """ENG-002 refused: the clock's time would not be above the last block's."""
        now[0] = 5
        engine.submit(b"x")
        wait_until(lambda: application.deliveries)
        assert application.deliveries[0].time_ms > START.time_ms

    def test_accepted_envelopes_are_delivered_once_in_order(self, engine, application):
        """ENG-003."""
        sent = [b"%d" % number for number in range(300)]
        for envelope in sent:
            engine.submit(envelope)
        wait_until(lambda: len(application.delivered) >= len(sent))
        engine.stop()
        assert application.delivered == sent

    def test_each_delivery_is_committed_after_it_and_few_wait(self, engine, application):
        """ENG-004: deliveries come from one thread, commits from one, none before its delivery, and few deliveries run ahead."""
        for number in range(50):
            engine.submit(b"%d" % number)
            if number % 10 == 0:
                wait_until(lambda count=number + 1: len(application.delivered) == count)
        wait_until(lambda: len(application.delivered) == 50)
        engine.stop()
        assert application.calls.count("deliver") == application.calls.count("commit") == len(application.deliveries)
        assert set(application.uncommitted) <= set(range(UNCOMMITTED_BLOCKS_MAX + 1))
        assert [len(threads) for threads in application.threads.values()] == [1, 1]

    def test_slow_commit_holds_deliveries_back(self, engine, application):
        """ENG-004 refused: nothing is delivered while so many blocks wait to be committed."""
        application.gate.clear()
        for number in range(UNCOMMITTED_BLOCKS_MAX + 2):
            engine.submit(b"%d" % number)
            ahead = min(number + 1, UNCOMMITTED_BLOCKS_MAX)
            wait_until(lambda ahead=ahead: len(application.deliveries) >= ahead)
        application.gate.set()
        wait_until(lambda: len(application.delivered) == UNCOMMITTED_BLOCKS_MAX + 2)
        engine.stop()
        assert max(application.uncommitted) <= UNCOMMITTED_BLOCKS_MAX

    def test_refused_by_check_is_not_delivered(self, engine, application):
        """ENG-005."""
        with pytest.raises(InvalidInputError):
            engine.submit(b"bad")
        engine.submit(b"good")
        wait_until(lambda: application.delivered)
        assert application.delivered == [b"good"]

    def test_full_queue_refuses_and_displaces_nothing(self, engine, application):
        """ENG-006."""
        application.gate.clear()
        accepted = fill_pipeline(engine, application)
        for number in range(ENGINE_QUEUE_ENVELOPES_MAX):
            engine.submit(b"%d" % number)
            accepted.append(b"%d" % number)
        with pytest.raises(OverloadedError):
            engine.submit(b"one too many")
        application.gate.set()
        wait_until(lambda: len(application.delivered) == len(accepted))
        assert application.delivered == accepted

    def test_blocks_are_bounded_and_gather_what_waits(self, engine, application):
        """ENG-007, ENG-010."""
        application.gate.clear()
        ahead = len(fill_pipeline(engine, application))
        for number in range(BLOCK_ENVELOPES_MAX + 10):
            engine.submit(b"%d" % number)
        application.gate.set()
        wait_until(lambda: len(application.delivered) == ahead + BLOCK_ENVELOPES_MAX + 10)
        assert [len(d.envelopes) for d in application.deliveries] == [1] * ahead + [BLOCK_ENVELOPES_MAX, 10]

    def test_blocks_are_bounded_in_bytes(self, engine, application):
        """ENG-007: what does not fit comes in the next block, in order."""
        application.gate.clear()
        ahead = len(fill_pipeline(engine, application))
        fitting = BLOCK_BYTES_MAX // ENVELOPE_BYTES_MAX
        sent = [bytes([number]) * ENVELOPE_BYTES_MAX for number in range(fitting + 2)]
        for envelope in sent:
            engine.submit(envelope)
        application.gate.set()
        wait_until(lambda: len(application.delivered) == ahead + len(sent))
        assert application.delivered[ahead:] == sent
        assert [len(d.envelopes) for d in application.deliveries] == [1] * ahead + [fitting, 2]

    def test_queue_is_bounded_in_bytes(self, engine, application):
        """ENG-006: the room is free again when its envelopes are delivered."""
        application.gate.clear()
        ahead = len(fill_pipeline(engine, application))
        count = ENGINE_QUEUE_BYTES_MAX // ENVELOPE_BYTES_MAX
        for _ in range(count):
            engine.submit(bytes(ENVELOPE_BYTES_MAX))
        with pytest.raises(OverloadedError):
            engine.submit(b"x")
        application.gate.set()
        wait_until(lambda: len(application.delivered) == ahead + count)
        engine.submit(bytes(ENVELOPE_BYTES_MAX))
        wait_until(lambda: len(application.delivered) == ahead + count + 1)

    def test_idle_engine_makes_no_blocks(self, engine, application):
        """ENG-007: nothing waits, nothing is delivered, however often the engine could have looked."""
        engine.submit(b"x")
        wait_until(lambda: application.calls == ["deliver", "commit"])
        engine.stop()
        assert len(application.deliveries) == 1

    @pytest.mark.parametrize("call", ["deliver", "commit"])
    @pytest.mark.parametrize("fault", [RuntimeError, Panic])
    def test_failure_stops_the_engine_for_good(self, engine, application, call, fault):
        """ENG-008: whatever was raised; an engine that is silently dead would take envelopes for ever."""
        application.fail_at, application.fault = call, fault
        engine.submit(b"x")
        wait_until(lambda: engine.failure is not None)
        assert str(engine.failure) == call
        with pytest.raises(UnavailableError):
            engine.submit(b"y")
        application.fail_at = ""
        engine.stop()
        assert b"y" not in application.delivered
        assert application.calls.count("commit") == 0

    def test_stop_finishes_the_block_in_hand_and_nothing_more(self, engine, application):
        """ENG-009."""
        application.gate.clear()
        in_hand = fill_pipeline(engine, application)
        engine.submit(b"waits")
        stopping = threading.Thread(target=engine.stop)
        stopping.start()
        with pytest.raises(UnavailableError):
            wait_until(lambda: engine.submit(b"late") is not None)
        application.gate.set()
        stopping.join(DEADLINE_S)
        assert not stopping.is_alive()
        assert application.calls.count("commit") == len(in_hand)
        assert application.delivered == in_hand
        assert engine.failure is None
        engine.stop()
