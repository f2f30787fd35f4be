"""What an engine is, and what it may expect from the application.

The obligations (ENG-001 to ENG-010) are in docs/spec/engine.md; `tests/conformance` holds every engine to them. An engine knows
envelopes as bytes only. Validator updates and snapshots join this interface with the first engine that has validators.
"""

from collections.abc import Callable
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
        """Return what is durable; asked once, at the start."""
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
