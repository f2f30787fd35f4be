"""Nodes that agree by an engine like CometBFT: whatever goes wrong, and whatever one of four does, all agree, nobody is told what is not
so, and there is rest at last; planted faults are found.

Cites ABC-004 to ABC-012, ABC-020 to ABC-022, CER-001 to CER-005, ENG-002, ENG-003, NET-039, LED-016 and NET-034 from above: here they hold
together, under one schedule after another.
"""

from pathlib import Path

import pytest

from tests.simulation import agreement
from tests.simulation.agreement import Agreement, Happened
from tests.simulation.consortium import DisagreementError
from yunhe.consensus.cometbft.engine import CometbftEngine
from yunhe.consensus.cometbft.proposals import Proposals
from yunhe.errors import YunheError
from yunhe.node import application

SEEDS = range(4)
"""Of the short run. Over a weekend each of them found a proposer whose block was not decided, and who filled it at the second try."""
CANARY_ACTIONS = 250
CANARY_SEEDS = range(12)
"""Of what looks for a planted fault; without it none of them finds one."""
LONG_SEEDS = range(100, 120)
LONG_ACTIONS = 3_000


def require_tried(told: Happened) -> None:
    """A run in which nothing went wrong shows nothing."""
    assert told.blocks > 5
    assert told.acknowledged > 10
    assert told.ended > 3
    assert told.processes_begun_anew > 0
    assert told.caught_up > 3
    assert len(told.hostile) > 3


@pytest.mark.parametrize("seed", SEEDS)
def test_organisations_agree_though_one_of_them_is_hostile(tmp_path: Path, seed: int) -> None:
    require_tried(Agreement(tmp_path, seed).run())


@pytest.mark.long
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("seed", LONG_SEEDS)
def test_organisations_agree_over_a_long_time(tmp_path: Path, seed: int) -> None:
    require_tried(Agreement(tmp_path, seed).run(LONG_ACTIONS))


@pytest.mark.parametrize("seed", SEEDS)
def test_network_rests_over_a_weekend_and_judges_by_a_fresh_time_after_it(tmp_path: Path, seed: int) -> None:
    """ABC-009, ENG-007, NET-039, LED-010: no block on Saturday; what is fresh on Monday takes effect, and what was over does not."""
    told = Agreement(tmp_path, seed, is_hostile=False).run_weekend()
    assert told.blocks > 3


def test_same_seed_is_the_same_history(tmp_path: Path) -> None:
    first, second = Agreement(tmp_path / "a", 1), Agreement(tmp_path / "b", 1)
    assert first.run() == second.run()
    assert [block.app_hash for block in first.decided] == [block.app_hash for block in second.decided]


# --- Planted faults ---------------------------------------------------------------------------------------------------


def fault_found(root: Path) -> str:
    """Return what the first seed that finds something says."""
    for seed in CANARY_SEEDS:
        try:
            Agreement(root / str(seed), seed).run(CANARY_ACTIONS)
        except (DisagreementError, YunheError) as found:
            return f"{type(found).__name__}: {found}"
    return ""


def test_canary_acceptance_by_the_clock_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Proposals.accepts
    monkeypatch.setattr(Proposals, "accepts", lambda self, time_ms, e: abs(self._clock() - time_ms) < 60_000 and real(self, time_ms, e))
    assert "rejects a proposal: of an honest proposer" in fault_found(tmp_path)


def test_canary_recheck_that_evicts_nothing_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Proposals, "keeps", lambda self, envelope, time_ms: True)
    assert "there is no rest" in fault_found(tmp_path)


def test_canary_proposer_that_looks_at_nothing_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Proposals, "prepare", lambda self, height, time_ms, bytes_max, offered: list(offered[: agreement.ENVELOPES_MAX]))
    assert "rejects a proposal: of an honest proposer" in fault_found(tmp_path)


def test_canary_acceptance_of_more_than_a_block_keeps_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def accepts(self: Proposals, time_ms: int, envelopes: list[bytes]) -> bool:
        return all(self._judge(envelope, time_ms) is not None for envelope in envelopes)

    monkeypatch.setattr(Proposals, "accepts", accepts)
    assert "accepts a proposal" in fault_found(tmp_path)


def test_canary_block_that_is_not_known_again_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = CometbftEngine._finalize

    def forgetful(self: CometbftEngine, request: object) -> object:
        self._in_hand = None
        return real(self, request)

    monkeypatch.setattr(CometbftEngine, "_finalize", forgetful)
    assert "halts" in fault_found(tmp_path)


def test_canary_owner_who_is_told_of_a_drop_before_the_block_is_durable_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = application.LedgerApplication.discard

    def hasty(self: application.LedgerApplication, envelope: bytes, time_ms: int) -> None:
        delivered, self._state = self._state, application._DeliveredState(self._store)
        self._state.seen = delivered.seen
        real(self, envelope, time_ms)
        self._state = delivered

    monkeypatch.setattr(application.LedgerApplication, "discard", hasty)
    assert "whose owner was told ALREADY_USED" in fault_found(tmp_path)


def test_canary_proposer_that_does_not_mind_a_time_of_long_ago_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Proposals, "_lets_time_go_ahead", lambda self, height, time_ms: False)
    with pytest.raises(DisagreementError, match="with the time of Friday"):
        Agreement(tmp_path, 0, is_hostile=False).run_weekend()
