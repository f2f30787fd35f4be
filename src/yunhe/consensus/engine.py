"""What an engine is, and what it may expect from the application.

The obligations (ENG-001 to ENG-010) are in docs/spec/engine.md; `tests/conformance` holds every engine to them. An engine knows
envelopes as bytes only. What an engine between organisations needs besides is in `ReplicatedApplication`; there are no snapshots: who
catches up does it by blocks.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Delivery:
    """An ordered block, as the engine hands it over."""

    engine_height: int
    """Consecutive, from 1 (ENG-001)."""
    time_ms: int
    """Above that of every block with an effect below (ENG-002)."""
    envelopes: tuple[bytes, ...]
    """Encoded envelopes in order."""


@dataclass(frozen=True, slots=True)
class Committed:
    """Where the application stands."""

    engine_height: int
    """Last engine height that is durable; 0 for none."""
    time_ms: int
    """Time of the last durable block."""
    app_hash: bytes
    """Root of the block log; 32 bytes."""


class Application(Protocol):
    """The ledger, as an engine sees it."""

    def committed(self) -> Committed:
        """Return what is durable; asked at the start, and by an engine with a process of its own whenever that begins anew."""
        ...

    def check(self, envelope: bytes) -> None:
        """Decide whether an envelope may enter the queue; raises why not (ENG-005). May be called from any thread."""
        ...

    def deliver(self, delivery: Delivery) -> bytes:
        """Apply a block on the one delivered before it and return the resulting app hash; nothing is durable yet."""
        ...

    def commit(self, count: int) -> None:
        """Make the oldest `count` delivered blocks durable together; everything that waits for them is answered after that."""
        ...


@dataclass(frozen=True, slots=True)
class Viable:
    """What an engine has to know of an envelope that may be in a block."""

    sender: str
    """Organisation whose node signed it."""
    transactions: int
    """How many it holds, of whatever use."""
    since_ms: int
    """Time from which on one of them can have an effect."""


class ReplicatedApplication(Application, Protocol):
    """The ledger, as an engine sees it on which organisations agree. May be called from any thread."""

    def judge(self, envelope: bytes, time_ms: int) -> Viable:
        """Decide whether an envelope can have an effect in a block of this time or of a later one, after all that was delivered.

        The same on every node with the same blocks; no clock is read.

        Raises:
            YunheError: it cannot, now or ever; the error says why.
        """
        ...

    def admit(self, envelope: bytes, time_ms: int) -> Viable:
        """Decide as `judge` does, for the memory of this node alone: who made it verify much for nothing lately has to wait.

        Raises:
            QuotaExceededError: the sender has to wait.
            YunheError: as `judge`.
        """
        ...

    def discard(self, envelope: bytes, time_ms: int) -> None:
        """Take note that an envelope which was accepted here will be in no block, because `judge` refused it for this time."""
        ...

    def validators(self) -> Mapping[bytes, int]:
        """Return who votes on the order of blocks after all that was delivered: power by the key of the engine, of Ed25519.

        The same on every node with the same blocks. Nobody where the validators of the genesis are for ever.
        """
        ...

    def extend_vote(self) -> bytes:
        """Return what this node's vote tells the others beside the block, at most `VOTE_EXTENSION_BYTES_MAX`; empty for nothing."""
        ...

    def receive_extension(self, extension: bytes, voter: bytes) -> None:
        """Take what another's vote told, which may be anything; what is of no use is passed over. No block may depend on it.

        Args:
            extension: what it told, at most `VOTE_EXTENSION_BYTES_MAX`.
            voter: whose vote it is; the engine has verified that.
        """
        ...


class Engine(Protocol):
    """An engine in this process, whatever stands behind it."""

    name: str
    """Name in configuration and status."""

    def start(self) -> None:
        """Begin to deliver."""
        ...

    def submit(self, envelope: bytes) -> None:
        """Accept an envelope for a later block; thread-safe, does not wait.

        Raises:
            OverloadedError: the queue is full.
            UnavailableError: the engine is stopped.
        """
        ...

    def stop(self) -> None:
        """Finish the block in hand and stop; returns when it is done. Stopping twice is allowed."""
        ...

    @property
    def failure(self) -> BaseException | None:
        """Why the engine stopped by itself, or None."""
        ...


Clock = Callable[[], int]
"""Returns milliseconds since 1970-01-01 UTC."""


def block_time_ms(clock_ms: int, last_ms: int) -> int:
    """Return the time of a block that is made now: the clock's, but always above the last one, wherever the clock was set.

    Who judges a transaction before its block is made takes the same time.

    Args:
        clock_ms: what the local clock shows.
        last_ms: time of the last block with an effect.
    """
    # ENG-002
    return max(clock_ms, last_ms + 1)
