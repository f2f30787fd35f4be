"""Which envelopes go into a block: what a proposer of this node puts there, and what this node accepts of another proposer.

Both ask `judge`, which reads no clock, and so does the check that takes envelopes out of the process's memory: if a proposer put in what
the others refuse, or left out what stays in memory, the chain would stand still, or make blocks for ever. What enters that memory is this
node's own affair, and it is stricter there: with who sends too much, what does not verify, or what is of use only in a far future.

A proposer takes the organisations' envelopes by turns, so that none waits because another has more: next is who has the least of the block.

The time of a block is about that of the votes for the block before. After a time of rest that is long ago, and fresh transactions would be
valid for too long, and expired ones not expired. So a proposer whose clock says that it is so lets a block without envelopes go first, as
often as it proposes that block. It does so neither for the next block nor when something was committed lately: with a clock that is wrong,
nothing would be decided any more.

The time of a proposal may never be decided: another proposer of the same block can have an earlier one. So nothing is given up for it.

Specification: docs/spec/cometbft.md.
"""

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from yunhe.consensus.cometbft.outbox import Outbox
from yunhe.consensus.cometbft.pool import Pool
from yunhe.consensus.engine import Clock, ReplicatedApplication, Viable
from yunhe.errors import QuotaExceededError, YunheError
from yunhe.limits import (
    BLOCK_BYTES_MAX,
    BLOCK_ENVELOPES_MAX,
    BLOCK_TRANSACTIONS_MAX,
    ENGINE_AHEAD_MS_MAX,
    ENGINE_BEHIND_MS_MAX,
    ENGINE_IDLE_S_MIN,
)


@dataclass(frozen=True, slots=True)
class _Offer:
    """An envelope that may be in the block that is being made."""

    envelope: bytes
    viable: Viable

    @property
    def part(self) -> int:
        """How much of a full block it is, by bytes, transactions or envelopes, whichever is most; in bytes of the full block."""
        by_transactions = self.viable.transactions * BLOCK_BYTES_MAX // BLOCK_TRANSACTIONS_MAX
        return max(len(self.envelope), by_transactions, BLOCK_BYTES_MAX // BLOCK_ENVELOPES_MAX)


class Proposals:
    """The blocks of one node's proposals and what it says to others'; one thread proposes, all else is asked by any."""

    def __init__(
        self, application: ReplicatedApplication, outbox: Outbox, clock: Clock, monotonic_s: Callable[[], float] = time.monotonic
    ) -> None:
        self._application = application
        self._outbox = outbox
        self._clock = clock
        self._monotonic_s = monotonic_s
        self._pool = Pool()
        self._committed_s: float | None = None
        self._passed_height = 0

    def begin_anew(self) -> None:
        """Take note that the process has begun anew, with nothing in its memory."""
        self._pool.begin_anew()

    def delivered(self, envelopes: Sequence[bytes]) -> None:
        """Take note that a block has some envelopes."""
        self._outbox.remove(envelopes)
        self._pool.forget(envelopes)

    def committed(self) -> None:
        """Take note that a block was committed."""
        self._committed_s = self._monotonic_s()
        self._pool.committed()

    def prepare(self, height: int, time_ms: int, bytes_max: int, offered: Sequence[bytes]) -> list[bytes]:
        """Return the envelopes of a block that this node proposes.

        Args:
            height: of the block.
            time_ms: of the block.
            bytes_max: of its envelopes, each with what the encoding adds to it.
            offered: what the process has, in order.
        """
        # ABC-009
        if self._lets_time_go_ahead(height, time_ms):
            self._passed_height = height
            return []
        chosen: list[bytes] = []
        room, encoded_room, places = BLOCK_BYTES_MAX, bytes_max, BLOCK_TRANSACTIONS_MAX
        for offer in _by_turns(self._offers(time_ms, offered)):
            # ABC-004
            room, encoded_room = room - len(offer.envelope), encoded_room - _encoded_bytes(offer.envelope)
            places -= offer.viable.transactions
            if len(chosen) == BLOCK_ENVELOPES_MAX or min(room, encoded_room, places) < 0:
                break
            chosen.append(offer.envelope)
        return chosen

    def _offers(self, time_ms: int, offered: Sequence[bytes]) -> Iterator[_Offer]:
        """Yield what could be in a block, each once; what waits here and has not reached the process yet comes after what has."""
        known = set(offered)
        own = (envelope for envelope in self._outbox.waiting() if envelope not in known)
        for envelope in dict.fromkeys(offered):
            if (viable := self._judge(envelope, time_ms)) is not None:
                yield _Offer(envelope, viable)
        taken = 0
        for envelope in own:
            # More than a block's worth of one sender cannot be chosen.
            if taken >= BLOCK_BYTES_MAX:
                return
            if (viable := self._judge(envelope, time_ms)) is not None:
                offer = _Offer(envelope, viable)
                taken += offer.part
                yield offer

    def accepts(self, time_ms: int, envelopes: Sequence[bytes]) -> bool:
        """Return whether a proposed block is one that a node like this one proposes; pure but for `judge`."""
        # ABC-004
        if len(envelopes) > BLOCK_ENVELOPES_MAX or sum(map(len, envelopes)) > BLOCK_BYTES_MAX or len(set(envelopes)) < len(envelopes):
            return False
        places = BLOCK_TRANSACTIONS_MAX
        for envelope in envelopes:
            # ABC-005, ABC-006
            viable = self._judge(envelope, time_ms)
            if viable is None or (places := places - viable.transactions) < 0:
                return False
        return True

    def admits(self, envelope: bytes, time_ms: int) -> bool:
        """Return whether an envelope may enter the process's memory.

        Args:
            envelope: of anyone.
            time_ms: of the last block.
        """
        viable = self._judge_for_memory(envelope, time_ms, self._application.admit)
        # ABC-022: of use now or soon, by this clock or by the last block, whichever is ahead.
        if viable is None or viable.since_ms > max(self._clock(), time_ms) + ENGINE_AHEAD_MS_MAX:
            return False
        return self._pool.admit(envelope, viable)

    def keeps(self, envelope: bytes, time_ms: int) -> bool:
        """Return whether an envelope may stay in the process's memory after a block of this time."""
        viable = self._judge_for_memory(envelope, time_ms, self._application.judge)
        if viable is None:
            self._pool.forget([envelope])
            return False
        self._pool.keep(envelope, viable)
        return True

    def _judge(self, envelope: bytes, time_ms: int) -> Viable | None:
        """Return what is known of an envelope that is viable at the time of a proposal."""
        try:
            return self._application.judge(envelope, time_ms)
        except YunheError:
            return None

    def _judge_for_memory(self, envelope: bytes, time_ms: int, judge: Callable[[bytes, int], Viable]) -> Viable | None:
        """Return what is known of an envelope that is viable at the time of the last block; one of this node's that is not is given up."""
        try:
            return judge(envelope, time_ms)
        except QuotaExceededError:
            return None
        except YunheError:
            # ABC-010
            if self._outbox.remove([envelope]):
                self._application.discard(envelope, time_ms)
            return None

    def _lets_time_go_ahead(self, height: int, time_ms: int) -> bool:
        is_behind = self._clock() - time_ms > ENGINE_BEHIND_MS_MAX
        is_idle = self._committed_s is None or self._monotonic_s() - self._committed_s >= ENGINE_IDLE_S_MIN
        return is_behind and is_idle and height != self._passed_height + 1


def _by_turns(offers: Iterable[_Offer]) -> Iterator[_Offer]:
    """Yield offers by turns of their senders, each sender's in order: next is the one that has the least of the block."""
    # ABC-020
    waiting: dict[str, deque[_Offer]] = {}
    for offer in offers:
        waiting.setdefault(offer.viable.sender, deque()).append(offer)
    taken = dict.fromkeys(waiting, 0)
    while waiting:
        sender = min(waiting, key=taken.__getitem__)
        offer = waiting[sender].popleft()
        taken[sender] += offer.part
        if not waiting[sender]:
            del waiting[sender]
        yield offer


def _encoded_bytes(envelope: bytes) -> int:
    """Return an envelope's share of an encoded block: itself, its length in groups of seven bits, and one byte before that."""
    return len(envelope) + 1 + max(1, (len(envelope).bit_length() + 6) // 7)
