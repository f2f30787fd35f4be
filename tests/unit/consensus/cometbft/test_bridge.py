"""What the engine asks of the application: order, times, and the one rule by which all judge an envelope (NET-030 to NET-033)."""

from collections.abc import Sequence

import pytest

from tests.conformance.recording_application import GENESIS_TIME_MS, REFUSED, RecordingApplication
from yunhe.consensus.cometbft.bridge import Bridge
from yunhe.consensus.cometbft.messages import (
    CheckTx,
    Commit,
    FinalizeBlock,
    Info,
    InitChain,
    Other,
    PrepareProposal,
    ProcessProposal,
    VerifyVoteExtension,
)
from yunhe.consensus.cometbft.wire import Fields
from yunhe.errors import EngineOrderError
from yunhe.limits import BLOCK_ENVELOPES_MAX, VOTE_EXTENSION_BYTES_MAX

BYTES_MAX = 1 << 20
ACCEPTED, REJECTED = 1, 2


class Engine:
    """What stands behind the socket, and what it was told of."""

    def __init__(self) -> None:
        self.application = RecordingApplication()
        self.now_ms = 2 * GENESIS_TIME_MS
        self.starts = 0
        self.known: list[bytes] = []
        self.failures: list[BaseException] = []
        self.bridge = Bridge(self.application, lambda: self.now_ms, 1, self)

    def engine_started(self) -> None:
        self.starts += 1

    def decided(self, envelopes: tuple[bytes, ...]) -> None:
        self.known += envelopes

    def failed(self, failure: BaseException) -> None:
        self.failures.append(failure)

    def finalize(self, height: int, *envelopes: bytes, name: bytes = b"hash") -> bytes:
        for envelope in envelopes:
            self.application.check(envelope)
        return Fields(self.bridge.handle(FinalizeBlock(envelopes, name, height, self.now_ms + height))).octets(5)

    def commit(self) -> None:
        self.bridge.handle(Commit())

    def prepare(self, envelopes: Sequence[bytes], age_ms: int = 0, bytes_max: int = BYTES_MAX) -> tuple[bytes, ...]:
        return Fields(self.bridge.handle(PrepareProposal(bytes_max, tuple(envelopes), (), 1, self.now_ms - age_ms))).all(1)

    def verdict(self, *envelopes: bytes) -> int:
        return Fields(self.bridge.handle(ProcessProposal(envelopes, 1))).integer(1)


@pytest.fixture
def engine() -> Engine:
    return Engine()


def test_blocks_are_applied_and_committed_in_order(engine: Engine) -> None:
    """NET-030 accepted."""
    assert Fields(engine.bridge.handle(InitChain("chain"))).octets(3) == bytes(32)
    for height in (1, 2, 3):
        app_hash = engine.finalize(height, b"%d" % height)
        engine.commit()
        info = Fields(engine.bridge.handle(Info()))
        assert (info.integer(4), info.octets(5)) == (height, app_hash)
    assert engine.application.delivered == [b"1", b"2", b"3"] == engine.known
    assert not list(engine.application.breaches())
    assert engine.starts == 3


def test_block_that_is_asked_for_again_is_applied_once(engine: Engine) -> None:
    """NET-030 accepted: the process ended between the block and its commit."""
    first = engine.finalize(1, b"1")
    assert Fields(engine.bridge.handle(Info())).integer(4) == 0
    assert engine.finalize(1, b"1") == first
    engine.commit()
    engine.commit()
    assert engine.application.delivered == [b"1"]
    assert engine.application.commits == [1]


@pytest.mark.parametrize(("height", "name"), [(2, b"hash"), (1, b"another")])
def test_another_block_than_the_one_that_was_applied_halts(engine: Engine, height: int, name: bytes) -> None:
    """NET-030 refused."""
    engine.finalize(1, b"1")
    with pytest.raises(EngineOrderError):
        engine.finalize(height, b"1", name=name)
    assert isinstance(engine.failures[0], EngineOrderError)


@pytest.mark.parametrize("height", [0, 2, 7])
def test_block_out_of_order_halts(engine: Engine, height: int) -> None:
    """NET-030 refused."""
    with pytest.raises(EngineOrderError):
        engine.finalize(height)
    assert len(engine.failures) == 1
    assert engine.application.delivered == []


@pytest.mark.parametrize("step", ["deliver", "commit"])
def test_failure_of_the_application_is_told(engine: Engine, step: str) -> None:
    engine.application.fail_in(step, RuntimeError)
    if step == "deliver":
        with pytest.raises(RuntimeError):
            engine.finalize(1, b"1")
    else:
        engine.finalize(1, b"1")
        with pytest.raises(RuntimeError):
            engine.commit()
    assert isinstance(engine.failures[0], RuntimeError)


def test_envelope_that_one_refuses_all_refuse(engine: Engine) -> None:
    """NET-031: in the pool, in a proposal of one's own, and in another's."""
    for envelope, code in ((b"good", 0), (REFUSED, 1)):
        for again in (False, True):
            assert Fields(engine.bridge.handle(CheckTx(envelope, again))).integer(1) == code
    assert engine.prepare([b"a", REFUSED, b"b"]) == (b"a", b"b")
    assert engine.verdict(b"a", b"b") == ACCEPTED
    assert engine.verdict(b"a", REFUSED) == REJECTED


def test_proposal_keeps_the_limits_of_a_block(engine: Engine) -> None:
    """NET-031: number and bytes."""
    many = [b"%d" % number for number in range(BLOCK_ENVELOPES_MAX + 1)]
    assert engine.prepare(many) == tuple(many[:-1])
    assert engine.verdict(*many[:-1]) == ACCEPTED
    assert engine.verdict(*many) == REJECTED
    large = [bytes([number]) * (1 << 20) for number in range(9)]
    assert len(engine.prepare(large, bytes_max=1 << 30)) == 7
    assert engine.verdict(*large) == REJECTED
    assert engine.prepare([b"x" * 100, b"y"], bytes_max=100) == ()


def test_block_with_a_time_of_long_ago_is_proposed_empty_once(engine: Engine) -> None:
    """NET-032: then the next one is as fresh as it gets, whatever the clocks say."""
    assert engine.prepare([b"a"], age_ms=2_000) == (b"a",)
    assert engine.prepare([b"a"], age_ms=200_000) == ()
    assert engine.prepare([b"a"], age_ms=200_000) == (b"a",)
    assert engine.prepare([b"a"], age_ms=200_000) == ()


def test_block_is_not_proposed_empty_soon_after_one_that_changed_the_ledger(engine: Engine) -> None:
    """NET-032: a clock that is ahead must not empty every second block."""
    engine.finalize(1, b"1")
    engine.commit()
    engine.now_ms += 30_000
    assert engine.prepare([b"a"], age_ms=29_000) == (b"a",)
    engine.now_ms += 1
    assert engine.prepare([b"a"], age_ms=29_000) == ()


def test_what_another_node_adds_to_its_vote_is_accepted_up_to_a_size(engine: Engine) -> None:
    """NET-033 accepted and refused."""
    for size, verdict in ((0, ACCEPTED), (VOTE_EXTENSION_BYTES_MAX, ACCEPTED), (VOTE_EXTENSION_BYTES_MAX + 1, REJECTED)):
        assert Fields(engine.bridge.handle(VerifyVoteExtension(b"v", 1, bytes(size)))).integer(1) == verdict


def test_vote_extension_of_any_content_is_accepted(engine: Engine) -> None:
    """NET-033 accepted."""
    assert Fields(engine.bridge.handle(VerifyVoteExtension(b"", -1, b"\xff\x00"))).integer(1) == ACCEPTED


def test_request_that_needs_nothing_is_answered_with_nothing(engine: Engine) -> None:
    assert engine.bridge.handle(Other(12)) == b""
