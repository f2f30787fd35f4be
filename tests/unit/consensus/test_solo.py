"""The solo engine fulfils the obligations of docs/spec/engine.md."""

from tests.conformance.engine import WITHOUT_EFFECT, EngineConformance, wait_until
from yunhe.consensus import SoloEngine


class TestSoloEngine(EngineConformance):
    make_engine = SoloEngine

    def test_clock_that_was_ahead_while_nothing_had_an_effect_does_not_bind_what_follows(self, engine, application, now):
        """ENG-002: transactions of the present would be expired in every block until the engine is started again."""
        moments = [(2_000_000, b"x"), (9_000_000, WITHOUT_EFFECT), (2_500_000, b"y"), (9_000_000, b"z"), (3_000_000, WITHOUT_EFFECT)]
        for count, (moment, envelope) in enumerate(moments, 1):
            now[0] = moment
            engine.submit(envelope)
            wait_until(lambda count=count: len(application.delivered) == count)
        assert [d.time_ms for d in application.deliveries] == [2_000_000, 9_000_000, 2_500_000, 9_000_000, 9_000_001]
