"""The conformance suite accepts an engine of another kind than `solo`, and refuses broken ones by the obligation that they break."""

import re
from pathlib import Path

import pytest

from tests.conformance.engine import TRIALS, EngineConformance, ObligationBrokenError, Patience
from tests.conformance.sequential_engine import SequentialEngine
from tests.unit.consensus import broken_engines as broken
from tools.tidy.checkout import ROOT

FOUND = Patience()
HANGS = Patience(deadline_s=2.0)
"""For engines that never do what they have to do, which nothing but the end of a wait can tell."""
ACTS_LATER = Patience(settle_s=30.0)
"""For engines that do what they must not do at some time, which ends the wait."""

BROKEN: list[tuple[type[SequentialEngine], str, str, Patience]] = [
    (broken.SkipsHeights, "ENG-001", "have the heights", FOUND),
    (broken.CountsItsOwnHeights, "ENG-001", "have the heights", FOUND),
    (broken.GoesOnAfterWhatWasNotCommitted, "ENG-001", "have the heights", FOUND),
    (broken.BelievesTheClock, "ENG-002", "has the time", FOUND),
    (broken.RepeatsTheTime, "ENG-002", "has the time", FOUND),
    (broken.ForgetsTheTimeAtARestart, "ENG-002", "has the time", FOUND),
    (broken.LosesAnEnvelope, "ENG-003", "is not delivered", HANGS),
    (broken.DeliversAnEnvelopeTwice, "ENG-003", "once", FOUND),
    (broken.DeliversABlockTwice, "ENG-003", "once", FOUND),
    (broken.DeliversAgainAfterARestart, "ENG-003", "of a durable block is delivered again", FOUND),
    (broken.TurnsTheOrderRound, "ENG-003", "order", FOUND),
    (broken.CommitsBeforeItDelivers, "ENG-004", "are to be committed", FOUND),
    (broken.CommitsMoreThanIsDelivered, "ENG-004", "are to be committed", HANGS),
    (broken.NeverCommits, "ENG-004", "is not committed", HANGS),
    (broken.RunsAheadOfItsCommits, "ENG-004", "more delivered blocks than may be", ACTS_LATER),
    (broken.DeliversFromManyThreads, "ENG-004", "more than one thread", FOUND),
    (broken.DoesNotCheck, "ENG-005", "none refused", FOUND),
    (broken.DeliversWhatCheckRefused, "ENG-005", "`check`", FOUND),
    (broken.QueuesWithoutEnd, "ENG-006", "none refused", FOUND),
    (broken.CountsNoBytes, "ENG-006", "none refused", FOUND),
    (broken.CountsBytesAlone, "ENG-006", "none refused", FOUND),
    (broken.RefusesTooEarly, "ENG-006", "before it is full", FOUND),
    (broken.DisplacesTheOldest, "ENG-006", "none refused", FOUND),
    (broken.WaitsForRoom, "ENG-006", "waits where it has to refuse", HANGS),
    (broken.RefusesForTheWrongReason, "ENG-006", "refuses with Unavailable", FOUND),
    (broken.NeverHasRoomAgain, "ENG-006", "room", FOUND),
    (broken.FillsBlocksWithTooMany, "ENG-007", "too many", FOUND),
    (broken.FillsBlocksWithTooManyBytes, "ENG-007", "too many bytes", FOUND),
    (broken.MakesBlocksWhileIdle, "ENG-007", "while nothing waits", ACTS_LATER),
    (broken.MakesBlocksByTheClock, "ENG-007", "while nothing waits", ACTS_LATER),
    (broken.DiesInSilence, "ENG-008", "reports no failure", HANGS),
    (broken.IsDeafToPanics, "ENG-008", "reports no failure", HANGS),
    (broken.ReportsSomethingElse, "ENG-008", "another failure", FOUND),
    (broken.TriesAgain, "ENG-008", "tries again", ACTS_LATER),
    (broken.TakesEnvelopesAfterAFailure, "ENG-008", "none refused", FOUND),
    (broken.DoesNotWaitInStop, "ENG-009", "before the block in hand is committed", ACTS_LATER),
    (broken.DropsTheBlockInHand, "ENG-009", "before the blocks in hand are committed", FOUND),
    (broken.EmptiesItsQueueInStop, "ENG-009", "after `stop`", FOUND),
    (broken.TakesEnvelopesAfterStop, "ENG-009", "none refused", FOUND),
    (broken.ReportsAStopAsAFailure, "ENG-009", "reported as a failure", FOUND),
    (broken.StopsOnce, "ENG-009", "does not return", HANGS),
    (broken.MakesABlockOfEachEnvelope, "ENG-010", "more blocks than it needs", FOUND),
]


class TestSequentialEngine(EngineConformance):
    """It is no part of the product: what it shows is that the trials ask for nothing that only `solo` does."""

    make_engine = SequentialEngine


@pytest.mark.parametrize(("engine", "rule", "what", "patience"), BROKEN, ids=[row[0].__name__ for row in BROKEN])
def test_broken_engine_is_refused_by_the_obligation_that_it_breaks(
    tmp_path: Path, engine: type[SequentialEngine], rule: str, what: str, patience: Patience
) -> None:
    refusals: list[str] = []
    for number, trial in enumerate(trial for trial in TRIALS if rule in trial.rules):
        # A class of its own for each trial: what some keep over a restart must not outlive the trial.
        made = type(engine.__name__, (engine,), {})
        try:
            trial.hold(made, tmp_path / str(number), patience)
        except ObligationBrokenError as error:
            refusals.append(str(error))
            if error.rule == rule and what in str(error):
                return
    pytest.fail(f"it was refused for {refusals}")


def test_every_obligation_has_a_trial_and_an_engine_that_fails_it() -> None:
    specification = (ROOT / "docs/spec/engine.md").read_text()
    obligations = set(re.findall(r"\*\*(ENG-\d{3})\*\*", specification))
    assert {rule for trial in TRIALS for rule in trial.rules} == obligations
    assert {rule for _, rule, _, _ in BROKEN} == obligations
