"""Which envelopes go into a block: what a proposer of this node puts there, and what this node accepts of another proposer.

Both ask `judge`, which reads no clock, and so does the check that takes envelopes out of the process's memory: if a proposer put in what
the others refuse, or left out what stays in memory, the chain would stand still, or make blocks for ever.

The time of a block is about that of the votes for the block before. After a time of rest that is long ago, and fresh transactions would be
valid for too long, and expired ones not expired. So a proposer whose clock says that it is so lets a block without envelopes go first. It
does that neither twice in a row nor when something was committed lately: with a clock that is wrong, nothing would be decided any more.

Specification: docs/spec/cometbft.md.
"""

import time
from collections.abc import Callable, Sequence

from yunhe.consensus.cometbft.outbox import Outbox
from yunhe.consensus.engine import Clock, ReplicatedApplication
from yunhe.errors import YunheError
from yunhe.limits import BLOCK_BYTES_MAX, BLOCK_ENVELOPES_MAX, ENGINE_BEHIND_MS_MAX, ENGINE_IDLE_S_MIN


class Proposals:
    """The blocks of one node's proposals and what it says to others'; one thread proposes, and `is_viable` is asked by any."""

    def __init__(
        self, application: ReplicatedApplication, outbox: Outbox, clock: Clock, monotonic_s: Callable[[], float] = time.monotonic
    ) -> None:
        self._application = application
        self._outbox = outbox
        self._clock = clock
        self._monotonic_s = monotonic_s
        self._committed_s: float | None = None
        self._passed_height = 0

    def committed(self) -> None:
        """Take note that a block was committed."""
        self._committed_s = self._monotonic_s()

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
        chosen: dict[bytes, None] = {}
        room, encoded_room = BLOCK_BYTES_MAX, bytes_max
        # What waits here and has not reached the process yet comes after what has.
        for envelope in (*offered, *self._outbox.waiting()):
            if envelope in chosen or not self.is_viable(envelope, time_ms):
                continue
            # ABC-004
            room, encoded_room = room - len(envelope), encoded_room - _encoded_bytes(envelope)
            if len(chosen) == BLOCK_ENVELOPES_MAX or room < 0 or encoded_room < 0:
                break
            chosen[envelope] = None
        return list(chosen)

    def accepts(self, time_ms: int, envelopes: Sequence[bytes]) -> bool:
        """Return whether a proposed block is one that a node like this one proposes; pure but for `judge`."""
        # ABC-004
        if len(envelopes) > BLOCK_ENVELOPES_MAX or sum(map(len, envelopes)) > BLOCK_BYTES_MAX or len(set(envelopes)) < len(envelopes):
            return False
        # ABC-005, ABC-006
        return all(self.is_viable(envelope, time_ms) for envelope in envelopes)

    def is_viable(self, envelope: bytes, time_ms: int) -> bool:
        """Return whether an envelope may be in a block of this time; one of this node's that may not is given up, and its owner told."""
        try:
            self._application.judge(envelope, time_ms)
        except YunheError:
            if self._outbox.remove([envelope]):
                self._application.discard(envelope, time_ms)
            return False
        return True

    def _lets_time_go_ahead(self, height: int, time_ms: int) -> bool:
        is_behind = self._clock() - time_ms > ENGINE_BEHIND_MS_MAX
        is_idle = self._committed_s is None or self._monotonic_s() - self._committed_s >= ENGINE_IDLE_S_MIN
        return is_behind and is_idle and height > self._passed_height + 1


def _encoded_bytes(envelope: bytes) -> int:
    """Return an envelope's share of an encoded block: itself, its length in groups of seven bits, and one byte before that."""
    return len(envelope) + 1 + max(1, (len(envelope).bit_length() + 6) // 7)
