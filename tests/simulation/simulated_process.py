"""What a CometBFT process keeps and does, as far as its node can see: blocks, the memory for envelopes, votes and their times.

Stands where the real program stands beside a node, in one thread and without a clock. What it keeps on its disk outlives it, the rest
does not. How blocks are agreed on is in `agreement`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from google.protobuf.timestamp_pb2 import Timestamp

MEMORY_ENVELOPES = 64
"""Envelopes that a process keeps in its memory; the node's share of it is by that, too."""


@dataclass(frozen=True, slots=True)
class Vote:
    """A vote for a block."""

    time_ms: int
    extension: bytes


@dataclass
class Block:
    """A block that more than two thirds voted for."""

    height: int
    time_ms: int
    envelopes: tuple[bytes, ...]
    block_hash: bytes
    commit: dict[int, Vote]
    """The votes that every process has that has the block, by number of the organisation: more than two thirds."""
    votes: dict[int, Vote]
    """All that there are."""
    app_hash: bytes | None = None
    """What the first node made of it."""


@dataclass
class Process:
    """One node's process."""

    stored: int = 0
    """Height of its last block; on its disk."""
    memory: dict[bytes, None] = field(default_factory=dict)
    """Envelopes for later blocks, in order."""
    known: set[bytes] = field(default_factory=set)
    """Envelopes that it takes no second time: those that it has and those that blocks had."""
    votes: dict[int, Vote] = field(default_factory=dict)
    """Those for its last block which it has beside the block's own."""

    def begin_anew(self) -> None:
        """Lose what is not on the disk."""
        self.memory.clear()
        self.known.clear()
        self.votes.clear()


def median_time_ms(votes: Iterable[Vote]) -> int:
    """Return the time of the block that follows a block with these votes, all of one power: the engine halves their sum."""
    times = sorted(vote.time_ms for vote in votes)
    return times[(len(times) + 1) // 2 - 1]


def has_two_thirds(votes: Mapping[int, object], count: int) -> bool:
    """Return whether so many of `count` organisations are enough."""
    return 3 * len(votes) > 2 * count


def timestamp(time_ms: int) -> Timestamp:
    """Return a time as it travels."""
    return Timestamp(seconds=time_ms // 1000, nanos=time_ms % 1000 * 1_000_000)
