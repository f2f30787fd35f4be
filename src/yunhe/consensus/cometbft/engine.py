"""CometBFT as an engine: the organisations agree on every block, and each node has one process of it beside it.

The process asks, this module answers: it maps the requests of ABCI 2.0 to what an engine owes the application (docs/spec/engine.md) and
what an application owes CometBFT (docs/spec/cometbft.md). Blocks are delivered and committed in one thread. The process may begin anew at
any moment; then it asks what is durable, and hands over again what is not.

A failure of the application is final: no request of the process is answered any more, and it is ended.
"""

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol, TypeVar

import structlog
from google.protobuf.timestamp_pb2 import Timestamp

import yunhe
from yunhe.consensus.cometbft._generated import abci_pb2 as abci
from yunhe.consensus.cometbft.abci_server import AbciServer, CannotAnswerError
from yunhe.consensus.cometbft.configuration import POWER_FACTOR
from yunhe.consensus.cometbft.outbox import Outbox
from yunhe.consensus.cometbft.proposals import Proposals
from yunhe.consensus.cometbft.supervision import EngineHealth
from yunhe.consensus.engine import Clock, Delivery, ReplicatedApplication, block_time_ms
from yunhe.errors import EngineFailedError, EngineOrderError, UnavailableError
from yunhe.limits import VOTE_EXTENSION_BYTES_MAX

_log = structlog.get_logger(__name__)

_REFUSED: Final = 1
_Result = TypeVar("_Result")


class Process(Protocol):
    """What runs the CometBFT process of a home."""

    def start(self) -> None:
        """Start it; from then on it is kept running."""
        ...

    def stop(self) -> None:
        """End it and return when it has ended."""
        ...

    def renew(self, reason: str) -> None:
        """End it, so that it is started again; returns at once."""
        ...

    def health(self) -> EngineHealth:
        """Return how it is."""
        ...


MakeProcess = Callable[[Callable[[EngineFailedError], None]], Process]
"""Prepares the process of a home; its argument is told when it stands still for good."""


@dataclass(frozen=True, slots=True)
class _InHand:
    """The block that is delivered and not committed."""

    height: int
    block_hash: bytes
    answer: abci.ResponseFinalizeBlock


class CometbftEngine:
    """Runs one node's part of the agreement."""

    name = "cometbft"

    def __init__(
        self, application: ReplicatedApplication, clock: Clock, home: Path, make_process: MakeProcess, protocol_version: int
    ) -> None:
        """Prepare; nothing runs yet.

        Args:
            application: the ledger.
            clock: of this node; no decision on a block of another proposer depends on it.
            home: of the process.
            make_process: prepares what runs it.
            protocol_version: of the ledger's rules.
        """
        self._application = application
        self._protocol_version = protocol_version
        self._outbox = Outbox(home)
        self._proposals = Proposals(application, self._outbox, clock)
        self._server = AbciServer(home, self._answer)
        self._process = make_process(self._fail)
        # ENG-004
        self._decider = ThreadPoolExecutor(1, "cometbft-decide")
        self._changed = threading.Condition()
        self._height = 0
        self._time_ms = 0
        self._in_hand: _InHand | None = None
        self._is_delivering = False
        self._stopping = False
        self._failure: BaseException | None = None
        self._ended = False
        self._ending = threading.Lock()

    @property
    def failure(self) -> BaseException | None:
        """Why the engine stopped by itself, or None."""
        return self._failure

    def health(self) -> EngineHealth:
        """Return how the process is."""
        return self._process.health()

    def renew(self, reason: str) -> None:
        """Start the process anew, because its files change; returns at once."""
        self._process.renew(reason)

    def start(self) -> None:
        """Begin to deliver, above what the application has committed.

        Raises:
            EngineFilesError: the home cannot be used.
            EngineFailedError: the program cannot be run.
        """
        committed = self._application.committed()
        self._height, self._time_ms = committed.engine_height, committed.time_ms
        self._server.start()
        self._outbox.start()
        self._process.start()

    def submit(self, envelope: bytes) -> None:
        """Accept an envelope for a later block.

        Raises:
            OverloadedError: the queue is full.
            UnavailableError: the engine is stopped.
            YunheError: whatever the application's `check` refuses it with.
        """
        # ENG-005
        self._application.check(envelope)
        with self._changed:
            # ENG-008, ENG-009
            if self._stopping or self._failure is not None:
                raise UnavailableError("the engine is stopped; ask `yunhe node status` why")
            self._outbox.add(envelope)

    def stop(self) -> None:
        """Finish the block in hand and stop (ENG-009)."""
        with self._changed:
            self._stopping = True
            while (self._in_hand is not None or self._is_delivering) and self._failure is None:
                self._changed.wait()
        self._end()

    def _end(self) -> None:
        with self._changed:
            self._ended = True
        self._end_process()
        self._server.stop()
        self._outbox.close()
        self._decider.shutdown()

    def _end_process(self) -> None:
        with self._ending:
            self._process.stop()

    def _fail(self, failure: BaseException) -> None:
        with self._changed:
            if self._ended or self._failure is not None:
                return
            self._failure = failure
            self._changed.notify_all()
        # ENG-008: from a thread of its own, because this one answers the process, or watches it.
        threading.Thread(target=self._end_process, name="cometbft-end", daemon=True).start()

    # --- What the process asks -----------------------------------------------------------------------------------------

    def _answer(self, request: abci.Request) -> abci.Response:
        """Answer a request.

        Raises:
            CannotAnswerError: the engine is stopped.
        """
        if self._failure is not None:
            raise CannotAnswerError
        try:
            return self._answers(request)
        except CannotAnswerError:
            raise
        except BaseException as failure:  # a thread's edge: whatever it is, the node must learn of it and stop
            self._fail(failure)
            raise CannotAnswerError from failure

    def _answers(self, request: abci.Request) -> abci.Response:
        match request.WhichOneof("value"):
            case "info":
                return abci.Response(info=self._decided(self._info))
            case "init_chain":
                return abci.Response(init_chain=self._init_chain())
            case "check_tx":
                return abci.Response(check_tx=self._check(request.check_tx))
            case "prepare_proposal":
                return abci.Response(prepare_proposal=self._prepare(request.prepare_proposal))
            case "process_proposal":
                return abci.Response(process_proposal=self._process_proposal(request.process_proposal))
            case "extend_vote":
                return abci.Response(extend_vote=self._extend())
            case "verify_vote_extension":
                return abci.Response(verify_vote_extension=self._verify(request.verify_vote_extension))
            case "finalize_block":
                return abci.Response(finalize_block=self._decided(lambda: self._finalize(request.finalize_block)))
            case "commit":
                return abci.Response(commit=self._decided(self._commit))
            case _:
                return _without_snapshots(request)

    def _info(self) -> abci.ResponseInfo:
        # ABC-011: asked whenever the process begins anew.
        committed = self._application.committed()
        self._proposals.begin_anew()
        self._outbox.resend()
        return abci.ResponseInfo(
            data="yunhe",
            version=yunhe.__version__,
            app_version=self._protocol_version,
            last_block_height=committed.engine_height,
            last_block_app_hash=committed.app_hash if committed.engine_height else b"",
        )

    def _init_chain(self) -> abci.ResponseInitChain:
        # ABC-012: the validators are those of the genesis; it may come again while nothing is committed.
        return abci.ResponseInitChain(app_hash=self._application.committed().app_hash)

    def _check(self, request: abci.RequestCheckTx) -> abci.ResponseCheckTx:
        # ABC-010
        decide = self._proposals.admits if request.type == abci.CheckTxType.NEW else self._proposals.keeps
        if decide(request.tx, self._time_ms):
            return abci.ResponseCheckTx()
        return abci.ResponseCheckTx(code=_REFUSED)

    def _prepare(self, request: abci.RequestPrepareProposal) -> abci.ResponsePrepareProposal:
        for vote in request.local_last_commit.votes:
            self._receive(vote.vote_extension, vote.validator.address)
        envelopes = self._proposals.prepare(request.height, self._ledger_time_ms(request.time), request.max_tx_bytes, request.txs)
        return abci.ResponsePrepareProposal(txs=envelopes)

    def _process_proposal(self, request: abci.RequestProcessProposal) -> abci.ResponseProcessProposal:
        status = abci.ResponseProcessProposal.ProposalStatus
        accepted = self._proposals.accepts(self._ledger_time_ms(request.time), request.txs)
        return abci.ResponseProcessProposal(status=status.ACCEPT if accepted else status.REJECT)

    def _extend(self) -> abci.ResponseExtendVote:
        extension = self._application.extend_vote()
        assert len(extension) <= VOTE_EXTENSION_BYTES_MAX
        return abci.ResponseExtendVote(vote_extension=extension)

    def _verify(self, request: abci.RequestVerifyVoteExtension) -> abci.ResponseVerifyVoteExtension:
        status = abci.ResponseVerifyVoteExtension.VerifyStatus
        # ABC-007
        if len(request.vote_extension) > VOTE_EXTENSION_BYTES_MAX:
            return abci.ResponseVerifyVoteExtension(status=status.REJECT)
        self._receive(request.vote_extension, request.validator_address)
        return abci.ResponseVerifyVoteExtension(status=status.ACCEPT)

    def _receive(self, extension: bytes, voter: bytes) -> None:
        if 0 < len(extension) <= VOTE_EXTENSION_BYTES_MAX:
            self._application.receive_extension(extension, voter)

    def _decided(self, decide: Callable[[], _Result]) -> _Result:
        """Run what decides in the one thread for it."""
        return self._decider.submit(decide).result()

    def _finalize(self, request: abci.RequestFinalizeBlock) -> abci.ResponseFinalizeBlock:
        with self._changed:
            in_hand = self._in_hand
            if in_hand is not None and request.height == in_hand.height:
                # ABC-011: the process began anew before it heard of it.
                if request.hash != in_hand.block_hash:
                    raise EngineOrderError(
                        f"the engine decided two blocks at height {request.height}; do not start it again, and ask for help"
                    )
                return in_hand.answer
            if self._stopping:
                raise CannotAnswerError
            # ENG-001
            if in_hand is not None or request.height != self._height + 1:
                raise EngineOrderError(
                    f"the engine delivers block {request.height} where {self._height + 1} is next; put back its own home"
                )
            self._is_delivering = True
        try:
            return self._deliver(request)
        finally:
            with self._changed:
                self._is_delivering = False
                self._changed.notify_all()

    def _deliver(self, request: abci.RequestFinalizeBlock) -> abci.ResponseFinalizeBlock:
        time_ms = self._ledger_time_ms(request.time)
        envelopes = tuple(request.txs)
        before = self._application.validators()
        app_hash = self._application.deliver(Delivery(request.height, time_ms, envelopes))
        # ABC-008: the results are the same whatever came of the transactions; their receipts are the ledger's.
        answer = abci.ResponseFinalizeBlock(
            tx_results=[abci.ExecTxResult() for _ in envelopes],
            app_hash=app_hash,
            validator_updates=validator_updates(before, self._application.validators()),
        )
        with self._changed:
            self._in_hand = _InHand(request.height, request.hash, answer)
            self._height, self._time_ms = request.height, time_ms
        self._proposals.delivered(envelopes)
        return answer

    def _ledger_time_ms(self, time: Timestamp) -> int:
        """Return the time of the next block for the ledger, the same on every node.

        The process counts in nanoseconds, and can say the same millisecond twice.
        """
        # ENG-002
        return block_time_ms(_time_ms(time), self._application.committed().time_ms)

    def _commit(self) -> abci.ResponseCommit:
        if self._in_hand is None:
            raise EngineOrderError("the engine commits where no block is delivered")
        self._application.commit(1)
        self._proposals.committed()
        with self._changed:
            self._in_hand = None
            self._changed.notify_all()
        return abci.ResponseCommit()


def validator_updates(before: Mapping[bytes, int], after: Mapping[bytes, int]) -> list[abci.ValidatorUpdate]:
    """Return what a block changed about the validators, in order of their keys.

    Args:
        before: power by key before the block.
        after: power by key after it.
    """
    # ABC-013: by key, because the process knows no organisations, and refuses to remove a key that it does not have.
    return [
        abci.ValidatorUpdate(pub_key=abci.PublicKey(ed25519=key), power=POWER_FACTOR * after.get(key, 0))
        for key in sorted(before.keys() | after.keys())
        if before.get(key) != after.get(key)
    ]


def _without_snapshots(request: abci.Request) -> abci.Response:
    """Answer what is about snapshots, of which there are none, and queries, for which the node has its own way."""
    match request.WhichOneof("value"):
        case "query":
            return abci.Response(query={"code": _REFUSED, "log": "ask the node"})
        case "list_snapshots":
            return abci.Response(list_snapshots={})
        case "offer_snapshot":
            return abci.Response(offer_snapshot={"result": abci.ResponseOfferSnapshot.Result.REJECT})
        case "load_snapshot_chunk":
            return abci.Response(load_snapshot_chunk={})
        case _:
            return abci.Response(apply_snapshot_chunk={"result": abci.ResponseApplySnapshotChunk.Result.ABORT})


def _time_ms(time: Timestamp) -> int:
    return time.seconds * 1000 + time.nanos // 1_000_000
