"""The solo engine keeps the obligations of docs/spec/engine.md, and more closely than any engine has to."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conformance.engine import Bench, EngineConformance, Patience
from tests.conformance.recording_application import WITHOUT_EFFECT
from yunhe.consensus import Application, SoloEngine
from yunhe.consensus.engine import Clock


def make_solo(application: Application, clock: Clock, folder: Path) -> SoloEngine:
    return SoloEngine(application, clock)


class TestSoloEngine(EngineConformance):
    make_engine = staticmethod(make_solo)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(make_solo, tmp_path, Patience())
    yield bench
    bench.close()
    bench.require_record()


def times(bench: Bench) -> list[int]:
    return [delivery.time_ms for delivery in bench.application.deliveries]


def test_time_is_the_clocks_where_it_may_be(bench: Bench) -> None:
    """ENG-002 accepted when the clock moves on; one above the last block when it does not."""
    for bench.now_ms, envelope in [(2_000_000, b"a"), (2_000_000, b"b"), (0, b"c"), (3_000_000, b"d")]:
        bench.submit_one_by_one(envelope)
    assert times(bench) == [2_000_000, 2_000_001, 2_000_002, 3_000_000]


def test_clock_that_was_ahead_while_nothing_had_an_effect_does_not_bind_what_follows(bench: Bench) -> None:
    """ENG-002: transactions of the present would be expired in every block until the engine is started again."""
    moments = [(2_000_000, b"x"), (9_000_000, WITHOUT_EFFECT), (2_500_000, b"y"), (9_000_000, b"z"), (3_000_000, WITHOUT_EFFECT)]
    for bench.now_ms, envelope in moments:
        bench.submit_one_by_one(envelope)
    assert times(bench) == [2_000_000, 9_000_000, 2_500_000, 9_000_000, 9_000_001]


def test_solo_engine_makes_no_empty_block(bench: Bench) -> None:
    """ENG-007: it needs none, not even the first one."""
    bench.submit_one_by_one(b"x", WITHOUT_EFFECT, b"y")
    bench.engine.stop()
    assert [delivery.envelopes for delivery in bench.application.deliveries] == [(b"x",), (WITHOUT_EFFECT,), (b"y",)]


def test_solo_engine_delivers_while_the_block_below_is_being_committed(bench: Bench) -> None:
    """ENG-004 accepted: that is what the pipeline is for."""
    bench.hold()
    bench.submit_one_by_one(b"ahead")
    assert bench.application.uncommitted == 2
