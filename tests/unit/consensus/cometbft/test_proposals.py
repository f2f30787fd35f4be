"""When a proposer lets a block without envelopes go first, because the time of its proposal is long ago."""

from pathlib import Path

import pytest

from tests.unit.consensus.cometbft.abci_peer import JudgingApplication
from yunhe.consensus.cometbft.outbox import Outbox
from yunhe.consensus.cometbft.proposals import Proposals
from yunhe.limits import BLOCK_BYTES_MAX, ENGINE_BEHIND_MS_MAX, ENGINE_IDLE_S_MIN

FRIDAY_MS = 1_000_000
MONDAY_MS = FRIDAY_MS + 3 * 86_400_000
ENVELOPE = b"%d" % (MONDAY_MS + 60_000)


class Proposer:
    def __init__(self, folder: Path, clock_ms: int) -> None:
        self.clock_ms = clock_ms
        self.now_s = 100.0
        self.proposals = Proposals(JudgingApplication(), Outbox(folder), lambda: self.clock_ms, lambda: self.now_s)

    def proposes(self, height: int, time_ms: int) -> bool:
        return self.proposals.prepare(height, time_ms, BLOCK_BYTES_MAX, [ENVELOPE]) == [ENVELOPE]


def test_block_without_envelopes_goes_first_after_a_rest(tmp_path: Path) -> None:
    """ABC-009 accepted: the next block has a fresh time."""
    proposer = Proposer(tmp_path, MONDAY_MS)
    assert not proposer.proposes(8, FRIDAY_MS)
    proposer.proposals.committed()
    assert proposer.proposes(9, MONDAY_MS)


@pytest.mark.parametrize("next_height", [8, 9])
def test_no_two_in_a_row_go_without_envelopes(tmp_path: Path, next_height: int) -> None:
    """ABC-009 refused: the time stands still, as when the clocks of the others are behind."""
    proposer = Proposer(tmp_path, MONDAY_MS)
    assert not proposer.proposes(8, FRIDAY_MS)
    assert proposer.proposes(next_height, FRIDAY_MS)


def test_nothing_is_held_back_soon_after_a_commit(tmp_path: Path) -> None:
    """ABC-009 refused: with a clock that is ahead, every block of this node would be empty."""
    proposer = Proposer(tmp_path, MONDAY_MS)
    proposer.proposals.committed()
    proposer.now_s += ENGINE_IDLE_S_MIN - 1
    assert proposer.proposes(8, FRIDAY_MS)
    proposer.now_s += 1
    assert not proposer.proposes(9, FRIDAY_MS)


@pytest.mark.parametrize("clock_ms", [0, FRIDAY_MS, FRIDAY_MS + ENGINE_BEHIND_MS_MAX])
def test_time_that_is_near_or_ahead_of_the_clock_holds_nothing_back(tmp_path: Path, clock_ms: int) -> None:
    """ABC-009 refused."""
    assert Proposer(tmp_path, clock_ms).proposes(8, FRIDAY_MS)
