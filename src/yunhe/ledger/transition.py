"""The state transition: (previous state, engine block) -> (receipts, write set, header).

Read `apply_block` from top to bottom: it is the protocol. Everything that it needs is an argument, so it gives the same result on every
node and in a test. It does not make anything durable. Specification: docs/spec/ledger.md.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from yunhe.crypto import ChainHash
from yunhe.errors import (
    AlreadyUsedError,
    CorruptionError,
    MalformedError,
    OverloadedError,
    ValidityTooFarError,
    YunheError,
)
from yunhe.ledger.admission import OpenedEnvelope, Verdict, check_suites, check_validity
from yunhe.ledger.enrolment import authorise_envelope
from yunhe.ledger.execution import execute_block, receipts_of
from yunhe.ledger.header import Header
from yunhe.ledger.interfaces import BlockContext, Executor, StateReader, Write
from yunhe.ledger.layouts import changes_certifiers, read_certifiers, read_parameters
from yunhe.ledger.merkle import merkle_root
from yunhe.ledger.receipt import Receipt
from yunhe.ledger.skip_order import SkipOrder, require_valid
from yunhe.ledger.transaction import Transaction
from yunhe.limits import BLOCK_BYTES_MAX, BLOCK_TRANSACTIONS_MAX


class State(StateReader, Protocol):
    """The state that a block is applied to: the head of a store."""

    def stage(self, height: int, writes: Sequence[Write]) -> bytes:
        """Compute the state root after `writes`; from then on reads see them. Nothing is durable yet."""
        ...

    def seen(self, ids: Collection[bytes]) -> set[bytes]:
        """Return those of `ids` that earlier ledger blocks have (LED-011)."""
        ...


@dataclass(frozen=True, slots=True)
class EngineBlock:
    """What an engine delivers."""

    engine_height: int
    """Counts engine blocks, empty ones too."""
    time_ms: int
    """Strictly above the time of the last engine block that made a ledger block."""
    envelopes: tuple[OpenedEnvelope, ...]
    """In order; an envelope that did not open is left out by whoever opened it."""


@dataclass(frozen=True, slots=True)
class LedgerBlock:
    """A ledger block, complete: what is stored."""

    header: Header
    header_hash: bytes
    transactions: tuple[Transaction, ...]
    receipts: tuple[Receipt, ...]
    """One for each transaction, in order."""
    writes: tuple[Write, ...]
    """Net changes of the state, ascending by key."""


@dataclass(frozen=True, slots=True)
class Late:
    """A transaction that could have an effect in another envelope: the node that sealed this one may not send, or not with this key."""

    transaction: Transaction
    sealed_by: bytes
    """The node's public key."""


@dataclass(frozen=True, slots=True)
class Dropped:
    """A transaction or envelope without effect, and why; for the node to report, not part of the ledger."""

    transaction_id: bytes | None
    """None when it could not even be decoded, or for an envelope that could not be opened."""
    error: YunheError
    early: Transaction | None = None
    """The transaction, when it is valid for too long as yet: later it can have an effect."""
    late: Late | None = None
    """Where it is the envelope's fault alone."""


@dataclass(frozen=True, slots=True)
class Transition:
    """Result of an engine block."""

    block: LedgerBlock | None
    """None when no transaction had an effect (LED-014)."""
    dropped: tuple[Dropped, ...]


def apply_block(
    previous: Header,
    engine_block: EngineBlock,
    state: State,
    executor: Executor,
    chain_hash: ChainHash,
    orders: Sequence[SkipOrder] = (),
) -> Transition:
    """Apply an engine block to the state after `previous`.

    Args:
        previous: header of the last ledger block.
        engine_block: what the engine delivered.
        state: the state after `previous`; the new state is staged there when a block results.
        executor: runs the calls.
        chain_hash: the ledger's.
        orders: to pass over transactions of the block that would be next; checked here.

    Returns:
        The ledger block, if any, and what was dropped.

    Raises:
        CorruptionError: the engine broke its obligations (LED-013).
        UnavailableError: the executor could not run; nothing was decided.
        ProtocolUnknownError: this release does not know the rules of the block; nothing was decided.
        SkipOrderInvalidError: an order does not count for the block; nothing was decided.
    """
    # LED-013
    if engine_block.time_ms <= previous.time_ms:
        raise CorruptionError(f"the engine's time {engine_block.time_ms} ms is not above the last block's {previous.time_ms} ms")
    effective, dropped = select_effective(previous.network_id, engine_block, state)
    # LED-014
    if not effective:
        return Transition(None, dropped)

    context = BlockContext(previous.height + 1, engine_block.time_ms)
    for order in orders:
        # LED-060, LED-061
        require_valid(order, previous, previous.hash(chain_hash), state)
    execution = execute_block(context, effective, state, executor, chain_hash, orders)
    receipts = receipts_of(effective, execution)
    state_root = state.stage(context.height, execution.writes)
    header = Header(
        network_id=previous.network_id,
        height=context.height,
        time_ms=context.time_ms,
        previous=previous.hash(chain_hash),
        transactions_root=merkle_root([t.leaf(chain_hash) for t in effective], chain_hash),
        receipts_root=merkle_root([receipt.encoded for receipt in receipts], chain_hash),
        state_root=state_root,
        next_certifiers=_next_certifiers(previous, execution.writes, state, chain_hash),
    )
    return Transition(LedgerBlock(header, header.hash(chain_hash), effective, receipts, execution.writes), dropped)


def select_effective(network_id: bytes, engine_block: EngineBlock, state: State) -> tuple[tuple[Transaction, ...], tuple[Dropped, ...]]:
    """Return the transactions that take effect, in order, and those that do not."""
    window_ms = read_parameters(state).validity_window_ms
    candidates: list[Transaction] = []
    dropped: list[Dropped] = []
    for opened in engine_block.envelopes:
        try:
            # COD-041
            authorise_envelope(state, network_id, opened.envelope)
        except YunheError as error:
            # Whoever waits for one of its transactions has to hear of it.
            dropped.extend(_dropped_with_envelope(opened.verdicts, opened.envelope.node.public_key, error))
            continue
        for verdict in opened.verdicts:
            if isinstance(verdict, YunheError):
                # LED-012: a copy that does not verify leaves the id unused.
                dropped.append(Dropped(None, verdict))
                continue
            try:
                check_suites(verdict, state)
                check_validity(verdict, network_id, engine_block.time_ms, window_ms)
            except ValidityTooFarError as error:
                dropped.append(Dropped(verdict.id, error, verdict))
                continue
            except YunheError as error:
                dropped.append(Dropped(verdict.id, error))
                continue
            candidates.append(verdict)
    return _first_of_each_id(candidates, dropped, state)


def _dropped_with_envelope(verdicts: Sequence[Verdict], sealed_by: bytes, error: YunheError) -> list[Dropped]:
    return [
        Dropped(verdict.id, error, late=Late(verdict, sealed_by)) if isinstance(verdict, Transaction) else Dropped(None, error)
        for verdict in verdicts
    ]


def require_viable(network_id: bytes, opened: OpenedEnvelope, time_ms: int, state: State) -> int:
    """Check that an envelope can have an effect in a block of this time on this state, or in a later one.

    Looks at its transactions one after the other and stops at the first that can now; that one is valid for too long as yet is no reason,
    for time goes on.

    Args:
        network_id: of the ledger.
        opened: the envelope.
        time_ms: of the block.
        state: the state that the block would be applied to.

    Returns:
        The time from which on one of its transactions can have an effect: this one, or a later one.

    Raises:
        YunheError: its node may send nothing, or none of its transactions can have an effect; why the first one cannot.
    """
    # LED-016
    authorise_envelope(state, network_id, opened.envelope)
    window_ms = read_parameters(state).validity_window_ms
    reason: YunheError | None = None
    later_ms: list[int] = []
    for verdict in opened.verdicts:
        if isinstance(verdict, YunheError):
            reason = reason or verdict
            continue
        try:
            check_suites(verdict, state)
            check_validity(verdict, network_id, time_ms, window_ms)
        except ValidityTooFarError:
            # Its id is unseen: what took effect was within the window then, and time goes on.
            later_ms.append(verdict.body.valid_until_ms - window_ms)
            continue
        except YunheError as error:
            reason = reason or error
            continue
        if not state.seen([verdict.id]):
            return time_ms
        reason = reason or _already_used()
    if later_ms:
        return min(later_ms)
    raise reason or MalformedError("an envelope without transactions has no effect")


def _already_used() -> AlreadyUsedError:
    return AlreadyUsedError("the transaction already has a receipt; ask for it by its id")


def _first_of_each_id(
    candidates: Sequence[Transaction], dropped: list[Dropped], state: State
) -> tuple[tuple[Transaction, ...], tuple[Dropped, ...]]:
    # LED-011
    used = state.seen([candidate.id for candidate in candidates])
    effective: list[Transaction] = []
    size = 0
    for candidate in candidates:
        if candidate.id in used:
            dropped.append(Dropped(candidate.id, _already_used()))
        # LED-015
        elif len(effective) == BLOCK_TRANSACTIONS_MAX or size + len(candidate.encoded) > BLOCK_BYTES_MAX:
            dropped.append(Dropped(candidate.id, OverloadedError("the block is full; submit the transaction again")))
        else:
            used.add(candidate.id)
            size += len(candidate.encoded)
            effective.append(candidate)
    return tuple(effective), tuple(dropped)


def _next_certifiers(previous: Header, writes: Sequence[Write], state: StateReader, chain_hash: ChainHash) -> bytes:
    # LED-041
    if changes_certifiers(writes):
        return read_certifiers(state).hash(chain_hash)
    return previous.next_certifiers
