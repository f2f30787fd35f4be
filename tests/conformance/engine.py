"""What every engine owes the application (docs/spec/engine.md), as trials that an engine's own test module inherits.

Nothing here knows which engine it is: it may run blocks ahead of their commit or not, may make the empty blocks that agreement needs, may
take its time from elsewhere than the clock it is given, and may need a folder of its own. What an engine breaks is told by the identifier
of the obligation; `tests/unit/consensus/test_conformance.py` holds the trials to that, with engines that are broken on purpose.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import pytest

from tests.conformance.recording_application import GENESIS_TIME_MS, REFUSED, WITHOUT_EFFECT, RecordingApplication
from yunhe.consensus import Application, Engine
from yunhe.errors import InvalidInputError, OverloadedError, UnavailableError, YunheError
from yunhe.limits import (
    BLOCK_BYTES_MAX,
    BLOCK_ENVELOPES_MAX,
    ENGINE_QUEUE_BYTES_MAX,
    ENGINE_QUEUE_ENVELOPES_MAX,
    ENVELOPE_BYTES_MAX,
    UNCOMMITTED_BLOCKS_MAX,
)


class ObligationBrokenError(AssertionError):
    """An engine does not do what docs/spec/engine.md demands."""

    def __init__(self, rule: str, what: str) -> None:
        super().__init__(f"{rule}: {what}")
        self.rule = rule


class Panic(BaseException):
    """What a panic of native code is in Python."""


class MakeEngine(Protocol):
    """Makes an engine for an application; with a folder that an engine of the same chain has used, one that goes on from there."""

    def __call__(self, application: Application, clock: Callable[[], int], folder: Path) -> Engine: ...


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait; no engine is refused for being slow within it."""

    deadline_s: float = 30.0
    """For what must happen."""
    settle_s: float = 0.1
    """For what must not happen: when it is too short, a fault is missed, and nothing is refused wrongly."""


class Bench:
    """A started engine over a recording application."""

    def __init__(self, make_engine: MakeEngine, folder: Path, patience: Patience) -> None:
        self._make_engine = make_engine
        self._folder = folder
        self._patience = patience
        self.now_ms = 2 * GENESIS_TIME_MS
        self.accepted: list[bytes] = []
        self.application = RecordingApplication()
        self.engine = self._started()

    def restart(self) -> None:
        """Stop the engine and start another one on what is durable."""
        self.stop()
        self.application.lose_what_is_not_durable()
        self.accepted = []
        self.engine = self._started()

    def stop(self) -> None:
        """Stop the engine, which may wait for what is in hand and for nothing else."""
        stopping = threading.Thread(target=self.engine.stop, daemon=True)
        stopping.start()
        self.await_end("ENG-009", stopping, "`stop` does not return")

    def close(self) -> None:
        self.application.release_commits()
        self.stop()

    def submit(self, *envelopes: bytes) -> None:
        for envelope in envelopes:
            try:
                self._submit(envelope)
            except OverloadedError as error:
                raise ObligationBrokenError("ENG-006", f"an envelope is refused where there is room: {error.message}") from error

    def submit_one_by_one(self, *envelopes: bytes) -> None:
        """Submit each when the one before it is delivered."""
        for envelope in envelopes:
            self.submit(envelope)
            self.await_delivered()

    def hold(self) -> None:
        """Hold commits back, with one envelope in a block that is delivered and uncommitted."""
        self.application.hold_commits()
        self.submit_one_by_one(b"held")

    def await_delivered(self) -> None:
        """Wait until everything that was accepted is delivered, in order, as the one caller's (ENG-003)."""
        self.await_record("ENG-003", lambda: len(self.application.delivered) >= len(self.accepted), "an accepted envelope is not delivered")
        self.require(
            "ENG-003", self.application.delivered == self.accepted, "what is delivered is not what was accepted, once and in order"
        )

    def await_record(self, rule: str, condition: Callable[[], bool], what: str) -> None:
        self.require(rule, self.application.wait_for(condition, self._patience.deadline_s), what)

    def never(self, rule: str, condition: Callable[[], bool], what: str) -> None:
        """Require that a condition on the record does not become true."""
        self.require(rule, not self.application.wait_for(condition, self._patience.settle_s), what)

    def await_failure(self, rule: str, what: str) -> None:
        deadline = time.monotonic() + self._patience.deadline_s
        while self.engine.failure is None:
            self.require(rule, time.monotonic() < deadline, what)
            threading.Event().wait(0.001)

    def await_end(self, rule: str, thread: threading.Thread, what: str) -> None:
        thread.join(self._patience.deadline_s)
        self.require(rule, not thread.is_alive(), what)

    def goes_on(self, thread: threading.Thread) -> bool:
        """Return whether a thread has not ended after a while."""
        thread.join(self._patience.settle_s)
        return thread.is_alive()

    def refusal(self, rule: str, expected: type[YunheError], attempts_max: int, make: Callable[[int], bytes]) -> None:
        """Submit envelopes until one is refused, as it must be at once, with the expected error."""
        refused: list[BaseException] = []

        def submit() -> None:
            try:
                for number in range(attempts_max):
                    self._submit(make(number))
            except BaseException as error:  # noqa: BLE001  # a thread's edge: told below
                refused.append(error)

        thread = threading.Thread(target=submit, daemon=True)
        thread.start()
        self.await_end(rule, thread, "`submit` waits where it has to refuse")
        self.require(rule, bool(refused), f"{attempts_max} envelopes were accepted, and none refused")
        self.require(rule, isinstance(refused[0], expected), f"`submit` refuses with {refused[0]!r}")

    def require(self, rule: str, condition: bool, what: str) -> None:
        if not condition:
            raise ObligationBrokenError(rule, what)

    def require_record(self) -> None:
        """Require of the whole record what holds at any moment."""
        for rule, what in self.application.breaches():
            raise ObligationBrokenError(rule, what)

    def _submit(self, envelope: bytes) -> None:
        self.engine.submit(envelope)
        self.accepted.append(envelope)

    def _started(self) -> Engine:
        engine = self._make_engine(self.application, lambda: self.now_ms, self._folder)
        engine.start()
        return engine


@dataclass(frozen=True, slots=True)
class Trial:
    """One thing that is tried."""

    rules: tuple[str, ...]
    """Obligations that it is about."""
    name: str
    run: Callable[[Bench], None]

    def hold(self, make_engine: MakeEngine, folder: Path, patience: Patience | None = None) -> None:
        """Hold an engine to it.

        Raises:
            ObligationBrokenError: by the identifier of what the engine breaks.
        """
        bench = Bench(make_engine, folder, patience or Patience())
        try:
            self.run(bench)
        except ObligationBrokenError:
            # Whether such an engine stops is no longer asked.
            with suppress(ObligationBrokenError):
                bench.close()
            raise
        bench.close()
        bench.require_record()


TRIALS: list[Trial] = []


def _trial(*rules: str) -> Callable[[Callable[[Bench], None]], Callable[[Bench], None]]:
    def keep(run: Callable[[Bench], None]) -> Callable[[Bench], None]:
        TRIALS.append(Trial(rules, run.__name__, run))
        return run

    return keep


class EngineConformance:
    """Inherit, and define `make_engine`."""

    make_engine: MakeEngine

    @pytest.mark.parametrize("trial", TRIALS, ids=lambda trial: f"{'-'.join(trial.rules)}-{trial.name}")
    def test_engine_keeps_its_obligations(self, trial: Trial, tmp_path: Path) -> None:
        trial.hold(self.make_engine, tmp_path)


def _numbered(count: int) -> list[bytes]:
    return [b"%d" % number for number in range(count)]


@_trial("ENG-001", "ENG-002")
def blocks_follow_one_another(bench: Bench) -> None:
    bench.submit_one_by_one(*_numbered(5))


@_trial("ENG-001", "ENG-002", "ENG-003")
def restart_goes_on_above_what_is_committed(bench: Bench) -> None:
    bench.submit_one_by_one(*_numbered(3))
    bench.now_ms = 5
    bench.restart()
    bench.submit_one_by_one(b"after the restart")


@_trial("ENG-001", "ENG-003")
def restart_after_a_failed_commit_begins_with_the_height_that_was_not_committed(bench: Bench) -> None:
    bench.submit_one_by_one(b"committed")
    bench.await_record("ENG-004", lambda: not bench.application.uncommitted, "a delivered block is not committed")
    bench.application.fail_in("commit", RuntimeError)
    bench.submit(b"not committed")
    bench.await_failure("ENG-008", "the engine reports no failure of `commit`")
    bench.application.recover()
    bench.restart()
    bench.submit(b"after the restart")
    # What was accepted before may come again now, for its block is not durable anywhere; what is durable may not.
    bench.await_record("ENG-003", lambda: b"after the restart" in bench.application.delivered, "an accepted envelope is not delivered")
    bench.require("ENG-003", b"committed" not in bench.application.delivered, "an envelope of a durable block is delivered again")


@_trial("ENG-002")
def time_is_above_that_of_every_block_with_an_effect_whatever_the_clock_does(bench: Bench) -> None:
    moments = [(2_000_000, b"a"), (2_000_000, b"b"), (1_500_000, b"c"), (0, b"d"), (9_000_000, WITHOUT_EFFECT), (2_000_001, b"e")]
    for bench.now_ms, envelope in [*moments, (3_000_000, b"f"), (2_500_000, b"g")]:
        bench.submit_one_by_one(envelope)


@_trial("ENG-003")
def accepted_envelopes_are_delivered_once_in_the_order_of_their_caller(bench: Bench) -> None:
    callers = [[b"%s %d" % (caller, number) for number in range(100)] for caller in (b"a", b"b", b"c", b"d")]
    threads = [threading.Thread(target=lambda sent=sent: [bench.engine.submit(envelope) for envelope in sent]) for sent in callers]
    for thread in threads:
        thread.start()
    for thread in threads:
        bench.await_end("ENG-003", thread, "`submit` waits")
    bench.await_record("ENG-003", lambda: len(bench.application.delivered) >= 400, "an accepted envelope is not delivered")
    bench.never("ENG-003", lambda: len(bench.application.delivered) > 400, "an envelope is delivered twice")
    delivered = bench.application.delivered
    bench.require("ENG-003", set(Counter(delivered).values()) == {1}, "an envelope is delivered twice")
    for sent in callers:
        in_order = [envelope for envelope in delivered if envelope in set(sent)]
        bench.require("ENG-003", in_order == sent, "the envelopes of a caller are not delivered in its order")


@_trial("ENG-003", "ENG-004")
def everything_that_is_delivered_is_committed(bench: Bench) -> None:
    for number in range(0, 50, 10):
        bench.submit(*(b"%d" % at for at in range(number, number + 10)))
        bench.await_delivered()
    bench.await_record("ENG-004", lambda: not bench.application.uncommitted, "a delivered block is not committed")


@_trial("ENG-004")
def slow_commit_holds_deliveries_back(bench: Bench) -> None:
    bench.hold()
    bench.submit(*_numbered(UNCOMMITTED_BLOCKS_MAX * BLOCK_ENVELOPES_MAX))
    too_many = "more delivered blocks than may be are uncommitted"
    bench.never("ENG-004", lambda: bench.application.uncommitted > UNCOMMITTED_BLOCKS_MAX, too_many)
    bench.application.release_commits()
    bench.await_delivered()


@_trial("ENG-005")
def check_is_asked_before_an_envelope_is_accepted(bench: Bench) -> None:
    bench.submit(b"before")
    bench.refusal("ENG-005", InvalidInputError, 1, lambda number: REFUSED)
    bench.submit(b"after")
    bench.await_record("ENG-003", lambda: b"after" in bench.application.delivered, "an accepted envelope is not delivered")
    bench.require("ENG-005", REFUSED not in bench.application.delivered, "an envelope is delivered that `check` refused")


@_trial("ENG-006", "ENG-003")
def full_queue_refuses_displaces_nothing_and_has_room_again_later(bench: Bench) -> None:
    bench.hold()
    in_hand = UNCOMMITTED_BLOCKS_MAX * BLOCK_ENVELOPES_MAX
    bench.refusal("ENG-006", OverloadedError, ENGINE_QUEUE_ENVELOPES_MAX + in_hand + 1, lambda number: b"%d" % number)
    bench.require("ENG-006", len(bench.accepted) >= ENGINE_QUEUE_ENVELOPES_MAX, "the queue refuses before it is full")
    bench.application.release_commits()
    bench.await_delivered()
    bench.submit_one_by_one(b"room again")


@_trial("ENG-006", "ENG-003")
def queue_is_bounded_in_bytes(bench: Bench) -> None:
    bench.hold()
    fitting = ENGINE_QUEUE_BYTES_MAX // ENVELOPE_BYTES_MAX
    in_hand = UNCOMMITTED_BLOCKS_MAX * (BLOCK_BYTES_MAX // ENVELOPE_BYTES_MAX)
    bench.refusal("ENG-006", OverloadedError, fitting + in_hand + 1, _large)
    bench.require("ENG-006", len(bench.accepted) >= fitting, "the queue refuses before it is full")
    bench.application.release_commits()
    bench.await_delivered()
    bench.submit_one_by_one(_large(fitting + in_hand + 1))


@_trial("ENG-007", "ENG-010")
def block_takes_what_waits_up_to_the_number_of_envelopes(bench: Bench) -> None:
    bench.hold()
    bench.submit(*_numbered(BLOCK_ENVELOPES_MAX + 10))
    _require_few_blocks(bench, 2)


@_trial("ENG-007", "ENG-010")
def block_takes_what_waits_up_to_the_bytes_of_a_block(bench: Bench) -> None:
    bench.hold()
    bench.submit(*map(_large, range(BLOCK_BYTES_MAX // ENVELOPE_BYTES_MAX + 2)))
    _require_few_blocks(bench, 2)


@_trial("ENG-010")
def what_waits_while_a_block_is_made_durable_goes_into_one_block(bench: Bench) -> None:
    bench.hold()
    bench.submit(*_numbered(BLOCK_ENVELOPES_MAX // 2))
    _require_few_blocks(bench, 1)


@_trial("ENG-007")
def idle_engine_comes_to_rest(bench: Bench) -> None:
    bench.submit_one_by_one(b"x", WITHOUT_EFFECT)
    bench.await_record("ENG-004", lambda: not bench.application.uncommitted, "a delivered block is not committed")
    # Beside the two, there may be the first block of the chain and the one that follows an effect.
    bench.never("ENG-007", lambda: len(bench.application.deliveries) > 4, "blocks are made while nothing waits")


def _failure_stops_the_engine_for_good(bench: Bench, call: str, fault: type[BaseException]) -> None:
    bench.application.fail_in(call, fault)
    bench.submit(b"x")
    bench.await_failure("ENG-008", f"the engine reports no failure of `{call}`")
    bench.require("ENG-008", bench.engine.failure is bench.application.raised, "the engine reports another failure than the one that was")
    bench.refusal("ENG-008", UnavailableError, 1, lambda number: b"y")
    bench.application.recover()
    bench.never("ENG-008", lambda: bench.application.attempts[call] > 1, "the engine tries again by itself")
    bench.stop()
    bench.require("ENG-008", b"y" not in bench.application.delivered, "the engine goes on after a failure")


@_trial("ENG-008")
def failed_delivery_stops_the_engine_for_good(bench: Bench) -> None:
    _failure_stops_the_engine_for_good(bench, "deliver", RuntimeError)


@_trial("ENG-008")
def failed_commit_stops_the_engine_for_good(bench: Bench) -> None:
    _failure_stops_the_engine_for_good(bench, "commit", RuntimeError)


@_trial("ENG-008")
def panic_in_a_delivery_stops_the_engine_for_good(bench: Bench) -> None:
    _failure_stops_the_engine_for_good(bench, "deliver", Panic)


@_trial("ENG-008")
def panic_in_a_commit_stops_the_engine_for_good(bench: Bench) -> None:
    _failure_stops_the_engine_for_good(bench, "commit", Panic)


@_trial("ENG-009")
def stop_finishes_the_blocks_in_hand_and_nothing_more(bench: Bench) -> None:
    bench.hold()
    before = len(bench.application.deliveries) - 1
    bench.submit(*_numbered((UNCOMMITTED_BLOCKS_MAX + 1) * BLOCK_ENVELOPES_MAX))
    stopping = threading.Thread(target=bench.engine.stop, daemon=True)
    stopping.start()
    bench.require("ENG-009", bench.goes_on(stopping), "`stop` returns before the block in hand is committed")
    bench.refusal("ENG-009", UnavailableError, 1, lambda number: b"late")
    bench.application.release_commits()
    bench.await_end("ENG-009", stopping, "`stop` does not return")
    bench.require("ENG-009", not bench.application.uncommitted, "`stop` returns before the blocks in hand are committed")
    in_hand = len(bench.application.deliveries) - before
    bench.require("ENG-009", in_hand <= UNCOMMITTED_BLOCKS_MAX, "blocks are begun after `stop`")
    bench.never("ENG-009", lambda: len(bench.application.deliveries) > before + in_hand, "blocks are delivered after `stop`")
    bench.require("ENG-009", bench.engine.failure is None, "a stop is reported as a failure")


@_trial("ENG-009")
def stopped_engine_takes_nothing_and_stops_again(bench: Bench) -> None:
    bench.submit_one_by_one(b"x")
    bench.stop()
    bench.require("ENG-009", not bench.application.uncommitted, "`stop` returns before the blocks in hand are committed")
    bench.refusal("ENG-009", UnavailableError, 1, lambda number: b"late")
    bench.stop()


def _large(number: int) -> bytes:
    return number.to_bytes(8, "big").ljust(ENVELOPE_BYTES_MAX, b"\0")


def _require_few_blocks(bench: Bench, count: int) -> None:
    """Require of what waits behind a held block that it makes at most `count` blocks, and those that were begun while it came in."""
    bench.application.release_commits()
    bench.await_delivered()
    ahead = UNCOMMITTED_BLOCKS_MAX - 1
    bench.require("ENG-010", len(bench.application.filled) <= 1 + ahead + count, "what waits goes into more blocks than it needs")
