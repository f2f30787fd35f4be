"""What a node proposes, accepts and lets into its memory: fair shares for all, and time that stood still."""

from pathlib import Path

import pytest

from tests.unit.consensus.cometbft.abci_peer import JudgingApplication
from yunhe.consensus.cometbft.outbox import Outbox
from yunhe.consensus.cometbft.proposals import Proposals
from yunhe.limits import (
    BLOCK_BYTES_MAX,
    BLOCK_ENVELOPES_MAX,
    BLOCK_TRANSACTIONS_MAX,
    ENGINE_AHEAD_MS_MAX,
    ENGINE_BEHIND_MS_MAX,
    ENGINE_IDLE_S_MIN,
    ENGINE_POOL_BYTES_MAX,
    ENGINE_QUEUE_ENVELOPES_MAX,
    ENGINE_SHARE_BYTES_MAX,
    ENVELOPE_BYTES_MAX,
    ENVELOPE_TRANSACTIONS_MAX,
)

FRIDAY_MS = 1_000_000
MONDAY_MS = FRIDAY_MS + 3 * 86_400_000
ENVELOPE = b"%d" % (MONDAY_MS + 60_000)


def envelope(sender: str, number: int, size: int = 0, holds: int = 1) -> bytes:
    """Return a viable envelope of so many bytes."""
    head = b"%d of=%s holds=%d no=%d " % (MONDAY_MS + 60_000, sender.encode(), holds, number)
    return head + b"x" * (size - len(head))


def sender_of(data: bytes) -> str:
    return data.split(b"of=")[1].split(b" ")[0].decode()


class Proposer:
    def __init__(self, folder: Path, clock_ms: int) -> None:
        self.clock_ms = clock_ms
        self.now_s = 100.0
        self.application = JudgingApplication()
        self.outbox = Outbox(folder)
        self.proposals = Proposals(self.application, self.outbox, lambda: self.clock_ms, lambda: self.now_s)

    def prepares(self, *offered: bytes) -> list[bytes]:
        return self.proposals.prepare(8, self.clock_ms, 2 * BLOCK_BYTES_MAX, offered)

    def admitted(self, sender: str, size: int, holds: int = 1, already: int = 0, tries: int = 2000) -> int:
        """Let a sender send until no more is let in; return how many were."""
        for number in range(already, already + tries):
            if not self.proposals.admits(envelope(sender, number, size, holds), self.clock_ms):
                return number - already
        raise AssertionError(f"{tries} envelopes of {sender} are let in")

    def proposes(self, height: int, time_ms: int) -> bool:
        return self.proposals.prepare(height, time_ms, BLOCK_BYTES_MAX, [ENVELOPE]) == [ENVELOPE]


def test_block_without_envelopes_goes_first_after_a_rest(tmp_path: Path) -> None:
    """ABC-009 accepted: the next block has a fresh time."""
    proposer = Proposer(tmp_path, MONDAY_MS)
    assert not proposer.proposes(8, FRIDAY_MS)
    proposer.proposals.committed()
    assert proposer.proposes(9, MONDAY_MS)


def test_no_two_blocks_in_a_row_go_without_envelopes(tmp_path: Path) -> None:
    """ABC-009 refused: the time stands still, as when the clocks of the others are behind."""
    proposer = Proposer(tmp_path, MONDAY_MS)
    assert not proposer.proposes(8, FRIDAY_MS)
    assert proposer.proposes(9, FRIDAY_MS)


def test_block_that_was_not_decided_goes_without_envelopes_again(tmp_path: Path) -> None:
    """ABC-009 accepted: the others were out of reach, and the time is still that of Friday."""
    proposer = Proposer(tmp_path, MONDAY_MS)
    assert not any(proposer.proposes(8, FRIDAY_MS) for _ in range(3))


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


FLOODS = {
    "the largest envelopes": (ENVELOPE_BYTES_MAX, 1),
    "the fullest envelopes": (100_000, ENVELOPE_TRANSACTIONS_MAX),
    "the smallest envelopes": (0, 1),
}


@pytest.mark.parametrize(("size", "holds"), FLOODS.values(), ids=FLOODS)
def test_organisation_that_floods_has_half_a_block_and_no_more(tmp_path: Path, size: int, holds: int) -> None:
    """ABC-020: what came first, and how it is cut, is no matter."""
    flood = [envelope("hog", number, size, holds) for number in range(100)]
    honest = [envelope("port", number, 60_000, 200) for number in range(60)]
    proposed = Proposer(tmp_path, MONDAY_MS).prepares(*flood, *honest)
    mine = [data for data in proposed if sender_of(data) == "port"]
    assert mine == honest[: len(mine)]
    assert len(mine) >= 30


def test_organisation_that_is_alone_has_the_whole_block(tmp_path: Path) -> None:
    """ABC-020 accepted."""
    offered = [envelope("port", number, 1000) for number in range(BLOCK_ENVELOPES_MAX + 3)]
    assert Proposer(tmp_path, MONDAY_MS).prepares(*offered) == offered[:BLOCK_ENVELOPES_MAX]


def test_own_envelopes_have_their_turn_though_the_process_has_none_of_them(tmp_path: Path) -> None:
    """ABC-020: the process offers no more than a block's worth, which may all be of others."""
    proposer = Proposer(tmp_path, MONDAY_MS)
    own = [envelope("own", number, 1000) for number in range(5)]
    for data in own:
        proposer.outbox.add(data)
    proposed = proposer.prepares(*[envelope("hog", number, ENVELOPE_BYTES_MAX) for number in range(16)])
    assert [data for data in proposed if sender_of(data) == "own"] == own


def test_proposal_holds_no_more_transactions_than_a_ledger_block_keeps(tmp_path: Path) -> None:
    """ABC-004 accepted and refused: nothing of a block is dropped because it is full (LED-015)."""
    proposer = Proposer(tmp_path, MONDAY_MS)
    full = BLOCK_TRANSACTIONS_MAX // ENVELOPE_TRANSACTIONS_MAX
    offered = [envelope("port", number, 1000, ENVELOPE_TRANSACTIONS_MAX) for number in range(full + 1)]
    assert proposer.prepares(*offered) == offered[:full]
    assert proposer.proposals.accepts(MONDAY_MS, offered[:full])
    assert not proposer.proposals.accepts(MONDAY_MS, [*offered[:full], envelope("port", 99)])


@pytest.mark.parametrize(("size", "holds"), FLOODS.values(), ids=FLOODS)
def test_memory_has_room_for_one_more_however_many_fill_it(tmp_path: Path, size: int, holds: int) -> None:
    """ABC-021 accepted and refused."""
    proposer = Proposer(tmp_path, MONDAY_MS)
    alone = proposer.admitted("hog0", size, holds)
    assert 0 < alone * max(size, ENGINE_POOL_BYTES_MAX // ENGINE_QUEUE_ENVELOPES_MAX) <= ENGINE_SHARE_BYTES_MAX
    for number in range(1, 10):
        proposer.admitted(f"hog{number}", size, holds)
    assert proposer.admitted("port", 60_000, 200) > 0


def test_memory_is_free_again_when_blocks_have_what_was_there(tmp_path: Path) -> None:
    """ABC-021: by a block, by a refusal, by a process that does not ask again, and by one that begins anew."""
    proposer = Proposer(tmp_path, MONDAY_MS)
    share = proposer.admitted("port", 60_000)
    sent = [envelope("port", number, 60_000) for number in range(share)]
    assert proposer.admitted("port", 60_000, already=100) == 0
    proposer.proposals.delivered(sent[:3])
    assert proposer.admitted("port", 60_000, already=200) == 3
    assert not proposer.proposals.keeps(sent[3], MONDAY_MS + 60_000)
    assert proposer.admitted("port", 60_000, already=300) == 1
    proposer.proposals.committed()
    assert all(proposer.proposals.keeps(data, MONDAY_MS) for data in sent[4:14])
    proposer.proposals.committed()
    assert proposer.admitted("port", 60_000, already=400) == share - 10
    proposer.proposals.begin_anew()
    assert proposer.admitted("port", 60_000, already=500) == share


def test_envelope_that_is_let_in_twice_counts_once(tmp_path: Path) -> None:
    """ABC-021 accepted."""
    proposer = Proposer(tmp_path, MONDAY_MS)
    assert all(proposer.proposals.admits(ENVELOPE, MONDAY_MS) for _ in range(2000))


@pytest.mark.parametrize(
    ("clock_ms", "block_ms", "is_let_in"),
    [
        (MONDAY_MS, FRIDAY_MS, True),
        (MONDAY_MS - ENGINE_AHEAD_MS_MAX, FRIDAY_MS, True),
        (FRIDAY_MS, MONDAY_MS - ENGINE_AHEAD_MS_MAX, True),
        (MONDAY_MS - ENGINE_AHEAD_MS_MAX - 1, FRIDAY_MS, False),
    ],
    ids=["now", "in a minute, by the clock", "in a minute, by the last block", "later"],
)
def test_what_is_of_use_in_a_far_future_only_is_not_let_in(tmp_path: Path, clock_ms: int, block_ms: int, is_let_in: bool) -> None:
    """ABC-022 accepted and refused; a proposal with it is accepted all the same, since no clock decides on that."""
    proposer = Proposer(tmp_path, clock_ms)
    data = b"%d since=%d" % (2 * MONDAY_MS, MONDAY_MS)
    proposer.outbox.add(data)
    assert proposer.proposals.admits(data, block_ms) is is_let_in
    assert proposer.proposals.accepts(block_ms, [data])
    assert proposer.outbox.waiting() == [data]


def test_own_envelope_is_given_up_for_the_time_of_a_block_and_not_of_a_proposal(tmp_path: Path) -> None:
    """ABC-010 accepted and refused: another proposal of the same block can have an earlier time."""
    proposer = Proposer(tmp_path, MONDAY_MS)
    data = b"%d" % MONDAY_MS
    proposer.outbox.add(data)
    assert proposer.prepares() == []
    assert not proposer.proposals.accepts(MONDAY_MS, [data])
    assert (proposer.application.discarded, proposer.prepares()) == ([], [])
    assert proposer.proposals.prepare(8, MONDAY_MS - 1, BLOCK_BYTES_MAX, []) == [data]
    assert not proposer.proposals.keeps(data, MONDAY_MS)
    assert (proposer.application.discarded, proposer.outbox.waiting()) == ([data], [])


def test_sender_of_what_does_not_verify_is_not_let_in_for_a_while(tmp_path: Path) -> None:
    """ABC-022 refused: its proposals are still looked at, and what waits is not given up."""
    proposer = Proposer(tmp_path, MONDAY_MS)
    data = envelope("hog", 1)
    proposer.outbox.add(data)
    proposer.application.wasteful.add("hog")
    assert not proposer.proposals.admits(data, MONDAY_MS)
    assert proposer.proposals.accepts(MONDAY_MS, [data])
    assert proposer.proposals.admits(envelope("port", 1), MONDAY_MS)
    assert (proposer.outbox.waiting(), proposer.application.discarded) == ([data], [])
