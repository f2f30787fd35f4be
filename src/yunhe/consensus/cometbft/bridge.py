"""What a CometBFT process asks, answered by the application: the order of calls is the engine's, the rules are the ledger's.

Rules:

- What one node proposes, the others accept, and what waits in the pool is judged alike: an envelope is good if its node's signature
  verifies. If they differed, an envelope could wait for ever and stop the chain.
- A proposal is judged by the block and nothing else: no clock, nothing that this node alone knows.
- A block is applied once, whoever asks: the process may start anew while the application lives, and then asks for it again.
- Results are constant: receipts are the ledger's.

Whatever fails while a block is decided stops the engine for good and is told to the node. Specification: docs/spec/network.md, "Between
node and engine".
"""

import threading
from dataclasses import dataclass
from typing import Final, Protocol

import yunhe
from yunhe.consensus.cometbft import messages
from yunhe.consensus.cometbft.messages import (
    CheckTx,
    Commit,
    Echo,
    FinalizeBlock,
    Info,
    InitChain,
    PrepareProposal,
    ProcessProposal,
    Request,
    VerifyVoteExtension,
)
from yunhe.consensus.engine import Application, Clock, Delivery
from yunhe.errors import EngineOrderError, YunheError
from yunhe.limits import BLOCK_BYTES_MAX, BLOCK_ENVELOPES_MAX, VOTE_EXTENSION_BYTES_MAX

_STALE_MS: Final = 2_000
_BETWEEN_SKIPS_MS: Final = 30_000
_ROOM_BYTES: Final = 8
"""Of an envelope's frame in a block."""


class BridgeListener(Protocol):
    """What the engine's own part of the node is told."""

    def engine_started(self) -> None:
        """The process started: nothing waits in its pool."""
        ...

    def decided(self, envelopes: tuple[bytes, ...]) -> None:
        """A block with these envelopes was decided."""
        ...

    def failed(self, failure: BaseException) -> None:
        """A block could not be applied or committed."""
        ...


@dataclass(frozen=True, slots=True)
class _Applied:
    """A block that is applied and not committed."""

    height: int
    block_hash: bytes
    app_hash: bytes


class Bridge:
    """Answers the requests of one home's process, through all its starts; thread-safe."""

    def __init__(self, application: Application, clock: Clock, protocol_version: int, listener: "BridgeListener") -> None:
        """Begin where the application stands.

        Args:
            application: the ledger.
            clock: of this node; it decides what this node proposes and nothing else.
            protocol_version: of the ledger's rules.
            listener: is told of what the process does.
        """
        self._application = application
        self._clock = clock
        self._protocol_version = protocol_version
        self._listener = listener
        self._lock = threading.Lock()
        committed = application.committed()
        self._height, self._app_hash = committed.engine_height, committed.app_hash
        self._applied: _Applied | None = None
        self._has_skipped = False
        self._changed_ms = 0

    def handle(self, request: Request) -> bytes:
        """Return the content of the answer to a request."""
        match request:
            case FinalizeBlock() | Commit():
                return self._decide(request)
            case CheckTx():
                return self._check(request)
            case PrepareProposal():
                return messages.prepared_content(self._prepare(request))
            case ProcessProposal():
                return messages.verdict_content(accepted=self._is_acceptable(request.envelopes))
            case VerifyVoteExtension():
                # NET-033
                return messages.verdict_content(accepted=len(request.extension) <= VOTE_EXTENSION_BYTES_MAX)
            case Info():
                return self._info()
            case InitChain():
                return messages.init_chain_content(self._app_hash)
            case Echo():
                return messages.echo_content(request.message)
            case _:
                return b""

    def _info(self) -> bytes:
        # A block that the process before is still waiting for comes first.
        with self._lock:
            self._listener.engine_started()
            return messages.info_content(yunhe.__version__, self._protocol_version, self._height, self._app_hash if self._height else b"")

    def _check(self, request: CheckTx) -> bytes:
        try:
            self._application.check(request.envelope)
        except YunheError as error:
            return messages.check_content(1, error.code)
        return messages.check_content(0, "")

    def _prepare(self, request: PrepareProposal) -> tuple[bytes, ...]:
        if self._skips(request.time_ms):
            return ()
        chosen: list[bytes] = []
        room = min(BLOCK_BYTES_MAX, request.bytes_max)
        for envelope in request.envelopes:
            room -= len(envelope) + _ROOM_BYTES
            if room < 0 or len(chosen) == BLOCK_ENVELOPES_MAX:
                break
            if self._is_good(envelope):
                chosen.append(envelope)
        return tuple(chosen)

    def _skips(self, time_ms: int) -> bool:
        """Say whether to propose nothing, so that the next block has a fresh time: this one's is that of the votes before an idle time."""
        # NET-032
        now_ms = self._clock()
        is_stale = now_ms - time_ms > _STALE_MS and now_ms - self._changed_ms > _BETWEEN_SKIPS_MS
        self._has_skipped = is_stale and not self._has_skipped
        return self._has_skipped

    def _is_acceptable(self, envelopes: tuple[bytes, ...]) -> bool:
        # NET-031
        if len(envelopes) > BLOCK_ENVELOPES_MAX or sum(map(len, envelopes)) > BLOCK_BYTES_MAX:
            return False
        return all(self._is_good(envelope) for envelope in envelopes)

    def _is_good(self, envelope: bytes) -> bool:
        try:
            self._application.check(envelope)
        except YunheError:
            return False
        return True

    def _decide(self, request: FinalizeBlock | Commit) -> bytes:
        with self._lock:
            try:
                return self._finalize(request) if isinstance(request, FinalizeBlock) else self._commit()
            except BaseException as failure:
                self._listener.failed(failure)
                raise

    def _finalize(self, request: FinalizeBlock) -> bytes:
        # NET-030
        if self._applied is None:
            if request.height != self._height + 1:
                raise EngineOrderError(
                    f"the engine decided block {request.height} after block {self._height}; restore the engine's folder or join anew"
                )
            app_hash = self._application.deliver(Delivery(request.height, request.time_ms, request.envelopes))
            self._applied = _Applied(request.height, request.block_hash, app_hash)
        if (self._applied.height, self._applied.block_hash) != (request.height, request.block_hash):
            raise EngineOrderError(f"the engine decided another block {request.height} than the one that was applied")
        self._listener.decided(request.envelopes)
        return messages.finalized_content(len(request.envelopes), self._applied.app_hash)

    def _commit(self) -> bytes:
        if self._applied is not None:
            self._application.commit(1)
            if self._applied.app_hash != self._app_hash:
                self._changed_ms = self._clock()
            self._height, self._app_hash = self._applied.height, self._applied.app_hash
            self._applied = None
        return b""
