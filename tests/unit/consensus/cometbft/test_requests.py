"""What the node answers CometBFT, request by request (docs/spec/cometbft.md); the process is the test."""

from pathlib import Path

import pytest

from tests.conformance.recording_application import WITHOUT_EFFECT
from tests.unit.consensus.cometbft.abci_peer import TIME_MS, Connection, JudgingApplication, block, engine_of, time_of
from yunhe.consensus import Delivery
from yunhe.consensus.cometbft._generated import abci_pb2 as abci
from yunhe.consensus.cometbft.abci_server import frame
from yunhe.errors import EngineOrderError
from yunhe.limits import BLOCK_BYTES_MAX, BLOCK_ENVELOPES_MAX, CERTIFIERS_MAX, VOTE_EXTENSION_BYTES_MAX

LONG = b"9000000"
"""An envelope that is viable for long."""
ACCEPT = abci.ResponseProcessProposal.ProposalStatus.ACCEPT
REJECT = abci.ResponseProcessProposal.ProposalStatus.REJECT


def proposal(*envelopes: bytes, time_ms: int = TIME_MS) -> abci.RequestProcessProposal:
    return abci.RequestProcessProposal(txs=envelopes, height=2, time=time_of(time_ms))


def preparation(*envelopes: bytes, bytes_max: int = 2 * BLOCK_BYTES_MAX, height: int = 2) -> abci.RequestPrepareProposal:
    return abci.RequestPrepareProposal(txs=envelopes, max_tx_bytes=bytes_max, height=height, time=time_of(TIME_MS))


def numbered(count: int) -> list[bytes]:
    return [b"%s %d" % (LONG, number) for number in range(count)]


def test_answers_come_in_the_order_of_the_requests(tmp_path: Path) -> None:
    """ABC-001, ABC-002 and ABC-003 accepted."""
    with engine_of(tmp_path, JudgingApplication()), Connection(tmp_path) as process:
        check = abci.Request(check_tx={"tx": b"%d" % TIME_MS})
        answers = process.ask_all(abci.Request(echo={"message": "a"}), check, abci.Request(info={}), abci.Request(echo={"message": "b"}))
        assert [answer.WhichOneof("value") for answer in answers] == ["echo", "check_tx", "info", "echo"]


def test_socket_of_an_earlier_node_is_replaced(tmp_path: Path) -> None:
    """ABC-003 accepted."""
    for _ in range(2):
        with engine_of(tmp_path, JudgingApplication()), Connection(tmp_path) as process:
            assert process.ask(info={}).info.last_block_height == 0


def test_unknown_request_is_answered_with_an_exception(tmp_path: Path) -> None:
    """ABC-001 refused."""
    with engine_of(tmp_path, JudgingApplication()), Connection(tmp_path) as process:
        process.socket.sendall(b"\x03\xaa\x01\x00" + frame(abci.Request(flush={}).SerializeToString()))
        assert process.answer().HasField("exception")


@pytest.mark.parametrize("sent", [b"\xff" * 6, b"\x03\xff\xff\xff", b"\x81", b"\x05\x0a", b"\x81\x80\x80\x08"])
def test_stream_that_is_none_is_closed(tmp_path: Path, sent: bytes) -> None:
    """ABC-002 refused: length without end, no request, ends inside the length, ends inside the message, one byte too long."""
    with engine_of(tmp_path, JudgingApplication()) as engine, Connection(tmp_path) as process:
        process.socket.sendall(sent)
        process.socket.shutdown(1)
        assert process.is_closed()
        assert engine.failure is None


def test_proposal_is_what_is_viable_up_to_the_limits_and_is_accepted(tmp_path: Path) -> None:
    """ABC-004, ABC-005 accepted; ABC-010: what waits here comes after what the process offers, and what is over is left out."""
    application = JudgingApplication()
    over = b"%d own" % TIME_MS
    with engine_of(tmp_path, application) as engine, Connection(tmp_path) as process:
        for own in (b"%s own" % LONG, over):
            engine.submit(own)
        offered = [b"%d" % TIME_MS, *numbered(3), LONG + b" own"]
        proposed = list(process.ask(prepare_proposal=preparation(*offered)).prepare_proposal.txs)
        assert proposed == [*numbered(3), LONG + b" own"]
        assert application.discarded == []
        assert process.ask(process_proposal=proposal(*proposed)).process_proposal.status == ACCEPT
        full = list(process.ask(prepare_proposal=preparation(*numbered(BLOCK_ENVELOPES_MAX + 5))).prepare_proposal.txs)
        assert full == numbered(BLOCK_ENVELOPES_MAX)
        assert process.ask(process_proposal=proposal(*full)).process_proposal.status == ACCEPT
        # Each has a byte and a length before it in a block.
        some = process.ask(prepare_proposal=preparation(*numbered(9), bytes_max=3 * (2 + len(numbered(1)[0])))).prepare_proposal.txs
        assert list(some) == numbered(3)
        assert application.deliveries == []


@pytest.mark.parametrize(
    "envelopes",
    [
        numbered(BLOCK_ENVELOPES_MAX + 1),
        [LONG, LONG],
        [LONG, b"refused"],
        [LONG, b"%d" % TIME_MS],
        [LONG + b" " + bytes([number]) * (BLOCK_BYTES_MAX // 2) for number in range(2)],
    ],
    ids=["too many", "one twice", "malformed", "one that is over", "too large"],
)
def test_proposal_that_no_node_like_this_one_makes_is_rejected(tmp_path: Path, envelopes: list[bytes]) -> None:
    """ABC-004 and ABC-005 refused; ABC-006: nothing is changed by it."""
    application = JudgingApplication()
    with engine_of(tmp_path, application) as engine, Connection(tmp_path) as process:
        assert process.ask(process_proposal=proposal(*envelopes)).process_proposal.status == REJECT
        assert (application.deliveries, engine.failure) == ([], None)


@pytest.mark.parametrize(("time_ms", "status"), [(TIME_MS, ACCEPT), (TIME_MS + 9, REJECT)])
def test_no_clock_decides_on_a_proposal(tmp_path: Path, time_ms: int, status: int) -> None:
    """ABC-006 accepted and refused: the time is the proposal's, and the clock is wrong by decades."""
    with engine_of(tmp_path, JudgingApplication(), lambda: 10**13), Connection(tmp_path) as process:
        assert process.ask(process_proposal=proposal(b"%d" % (TIME_MS + 9), time_ms=time_ms)).process_proposal.status == status


def test_extension_of_any_content_is_accepted_and_handed_on(tmp_path: Path) -> None:
    """ABC-007 accepted."""
    application = JudgingApplication()
    with engine_of(tmp_path, application), Connection(tmp_path) as process:
        assert process.ask(extend_vote={"height": 2}).extend_vote.vote_extension == b"cosignature"
        for extension in (b"", b"\0\xff", b"x" * VOTE_EXTENSION_BYTES_MAX):
            answer = process.ask(verify_vote_extension={"height": 2, "validator_address": b"bank", "vote_extension": extension})
            assert answer.verify_vote_extension.status == abci.ResponseVerifyVoteExtension.VerifyStatus.ACCEPT
        late = {"votes": [{"validator": {"address": b"port"}, "vote_extension": b"late"}]}
        process.ask(prepare_proposal={"height": 3, "time": time_of(TIME_MS), "max_tx_bytes": 10, "local_last_commit": late})
        assert application.extensions == [(b"bank", b"\0\xff"), (b"bank", b"x" * VOTE_EXTENSION_BYTES_MAX), (b"port", b"late")]


def test_extension_that_is_too_large_is_rejected(tmp_path: Path) -> None:
    """ABC-007 refused."""
    application = JudgingApplication()
    with engine_of(tmp_path, application), Connection(tmp_path) as process:
        answer = process.ask(verify_vote_extension={"vote_extension": bytes(VOTE_EXTENSION_BYTES_MAX + 1)})
        assert answer.verify_vote_extension.status == abci.ResponseVerifyVoteExtension.VerifyStatus.REJECT
        assert application.extensions == []


def test_block_is_delivered_without_a_proposal_and_its_results_say_nothing(tmp_path: Path) -> None:
    """ABC-008 accepted: it may be one with what no node would propose, and it is durable with its commit."""
    application = JudgingApplication()
    with engine_of(tmp_path, application), Connection(tmp_path) as process:
        envelopes = (LONG, b"refused", WITHOUT_EFFECT)
        answer = process.ask(finalize_block=block(1, *envelopes)).finalize_block
        assert [result.SerializeToString() for result in answer.tx_results] == [b""] * 3
        assert (application.delivered, application.commits) == (list(envelopes), [])
        process.ask(commit={})
        assert application.commits == [1]
        assert process.ask(finalize_block=block(2)).finalize_block.app_hash == answer.app_hash
        process.ask(commit={})


def test_commit_of_nothing_halts_the_node(tmp_path: Path) -> None:
    """ABC-008 refused."""
    application = JudgingApplication()
    with engine_of(tmp_path, application) as engine, Connection(tmp_path) as process:
        process.socket.sendall(frame(abci.Request(commit={}).SerializeToString()))
        assert process.is_closed()
        assert isinstance(engine.failure, EngineOrderError)
        assert application.commits == []


def test_block_that_comes_again_gets_the_same_answer_and_is_applied_once(tmp_path: Path) -> None:
    """ABC-011 accepted: the process was killed before it heard of it."""
    application = JudgingApplication()
    with engine_of(tmp_path, application):
        with Connection(tmp_path) as process:
            first = process.ask(finalize_block=block(1, LONG))
        with Connection(tmp_path) as process:
            assert process.ask(info={}).info.last_block_height == 0
            assert process.ask(finalize_block=block(1, LONG)) == first
            process.ask(commit={})
            info = process.ask(info={}).info
        assert (info.last_block_height, info.last_block_app_hash) == (1, first.finalize_block.app_hash)
        assert application.delivered == [LONG]


@pytest.mark.parametrize("second", [block(1, LONG, block_hash=b"another"), block(2, LONG), block(0)], ids=["another", "next", "below"])
def test_block_that_is_not_the_next_halts_the_node(tmp_path: Path, second: abci.RequestFinalizeBlock) -> None:
    """ABC-011 refused, and ENG-001."""
    application = JudgingApplication()
    with engine_of(tmp_path, application) as engine, Connection(tmp_path) as process:
        process.ask(finalize_block=block(1, LONG))
        process.socket.sendall(frame(abci.Request(finalize_block=second).SerializeToString()))
        assert process.is_closed()
        assert isinstance(engine.failure, EngineOrderError)
        assert len(application.deliveries) == 1


def test_chain_begins_with_the_app_hash_of_the_genesis_as_often_as_it_is_asked(tmp_path: Path) -> None:
    """ABC-012 accepted: no validators are answered, so those of the genesis stay."""
    application = JudgingApplication()
    with engine_of(tmp_path, application), Connection(tmp_path) as process:
        for _ in range(2):
            answer = process.ask(init_chain={"chain_id": "any", "initial_height": 1}).init_chain
            assert answer == abci.ResponseInitChain(app_hash=application.committed().app_hash)


def test_application_ahead_of_the_first_block_is_not_begun_anew(tmp_path: Path) -> None:
    """ABC-012 refused: the process is told the height, and asks for no beginning."""
    application = JudgingApplication()
    with engine_of(tmp_path, application), Connection(tmp_path) as process:
        process.ask(finalize_block=block(1, LONG))
        process.ask(commit={})
        assert process.ask(info={}).info.last_block_height == 1


class Voting(JudgingApplication):
    """Changes its validators with each block that it applies."""

    def __init__(self, *powers: dict[bytes, int]) -> None:
        super().__init__()
        self.powers, *self.next_powers = powers

    def deliver(self, delivery: Delivery) -> bytes:
        self.powers = self.next_powers.pop(0)
        return super().deliver(delivery)


KEYS = [bytes([number]) * 32 for number in range(4)]
CHANGES = {
    "nobody votes": ({}, {}, []),
    "nothing changes": ({KEYS[1]: 1}, {KEYS[1]: 1}, []),
    "one is added": ({KEYS[1]: 1}, {KEYS[1]: 1, KEYS[0]: 3}, [(KEYS[0], 6)]),
    "one is removed": ({KEYS[1]: 1, KEYS[2]: 1}, {KEYS[1]: 1}, [(KEYS[2], 0)]),
    "a power changes": ({KEYS[1]: 1, KEYS[2]: 1}, {KEYS[1]: 1, KEYS[2]: 5}, [(KEYS[2], 10)]),
    "keys change": ({KEYS[1]: 1, KEYS[3]: 2}, {KEYS[2]: 1, KEYS[0]: 2}, [(KEYS[0], 4), (KEYS[1], 0), (KEYS[2], 2), (KEYS[3], 0)]),
}


@pytest.mark.parametrize(("before", "after", "told"), CHANGES.values(), ids=CHANGES)
def test_block_tells_what_it_changed_about_the_validators(
    tmp_path: Path, before: dict[bytes, int], after: dict[bytes, int], told: list[tuple[bytes, int]]
) -> None:
    """ABC-013 accepted: in order of the keys, powers doubled as in the engine's genesis, and nothing that did not change."""
    with engine_of(tmp_path, Voting(before, after)), Connection(tmp_path) as process:
        answer = process.ask(finalize_block=block(1, LONG)).finalize_block
        process.ask(commit={})
    assert [(update.pub_key.ed25519, update.power) for update in answer.validator_updates] == told


def test_block_that_comes_again_tells_the_same_of_the_validators_and_the_next_tells_it_no_more(tmp_path: Path) -> None:
    """ABC-013 refused, ABC-011: the process refuses to remove a validator twice, and halts."""
    application = Voting({KEYS[1]: 1, KEYS[2]: 1}, {KEYS[1]: 1}, {KEYS[1]: 1})
    with engine_of(tmp_path, application):
        with Connection(tmp_path) as process:
            first = process.ask(finalize_block=block(1, LONG))
            assert len(first.finalize_block.validator_updates) == 1
        with Connection(tmp_path) as process:
            assert process.ask(finalize_block=block(1, LONG)) == first
            process.ask(commit={})
            assert not process.ask(finalize_block=block(2)).finalize_block.validator_updates
            process.ask(commit={})


@pytest.mark.parametrize("kind", [abci.CheckTxType.NEW, abci.CheckTxType.RECHECK])
def test_envelope_stays_while_it_is_viable_at_the_time_of_the_last_block(tmp_path: Path, kind: int) -> None:
    """ABC-010 accepted and refused."""
    application = JudgingApplication()
    with engine_of(tmp_path, application) as engine, Connection(tmp_path) as process:
        envelope = b"%d" % (TIME_MS + 2)
        engine.submit(envelope)
        for height, code in [(1, 0), (2, 1)]:
            process.ask(finalize_block=block(height))
            process.ask(commit={})
            assert process.ask(check_tx={"tx": envelope, "type": kind}).check_tx.code == code
        assert application.discarded == [envelope]
        assert process.ask(prepare_proposal=preparation(envelope)).prepare_proposal.txs
        assert process.ask(check_tx={"tx": b"refused"}).check_tx.code == 1


def test_what_the_node_does_not_offer_is_answered_with_a_no(tmp_path: Path) -> None:
    with engine_of(tmp_path, JudgingApplication()) as engine, Connection(tmp_path) as process:
        assert process.ask(query={"path": "/p2p/filter/addr/x"}).query.code == 1
        assert process.ask(list_snapshots={}).HasField("list_snapshots")
        assert process.ask(offer_snapshot={}).offer_snapshot.result == abci.ResponseOfferSnapshot.Result.REJECT
        assert process.ask(load_snapshot_chunk={}).HasField("load_snapshot_chunk")
        assert process.ask(apply_snapshot_chunk={}).apply_snapshot_chunk.result == abci.ResponseApplySnapshotChunk.Result.ABORT
        assert engine.failure is None


def test_same_millisecond_twice_is_two_times_of_the_ledger(tmp_path: Path) -> None:
    """ENG-002: validators can bring two blocks into one millisecond, and the process does not mind."""
    application = JudgingApplication()
    with engine_of(tmp_path, application), Connection(tmp_path) as process:
        for height in (1, 2, 3):
            decided = block(height, b"%s %d" % (LONG, height), time_ms=TIME_MS - height)
            process.ask_all(abci.Request(finalize_block=decided), abci.Request(commit={}))
    times = [delivery.time_ms for delivery in application.deliveries]
    assert times == [TIME_MS, TIME_MS + 1, TIME_MS + 2]


def test_full_block_with_the_votes_of_all_validators_is_one_message(tmp_path: Path) -> None:
    """ABC-007 and ABC-002 accepted: the largest message that the process has, with what this version passes over in it."""
    vote = abci.ExtendedVoteInfo(validator={"address": bytes(20)}, vote_extension=bytes(VOTE_EXTENSION_BYTES_MAX))
    # Signature, power and flag of a vote, and hashes and evidence of the block, in a field that is not known.
    unknown = abci.ExtendedVoteInfo.FromString(vote.SerializeToString() + b"\xa2\x06\x80\x02" + bytes(256))
    request = preparation(*[b"%d " % (TIME_MS - 1) + bytes([number]) * (BLOCK_BYTES_MAX // 16) for number in range(16)])
    request.local_last_commit.votes.extend([unknown] * CERTIFIERS_MAX)
    application = JudgingApplication()
    with engine_of(tmp_path, application), Connection(tmp_path) as process:
        assert process.ask(prepare_proposal=request).prepare_proposal.txs == []
        assert len(application.extensions) == CERTIFIERS_MAX
