"""What of each organisation is in the process's memory, and how much more of it is let in.

The process hands on to its peers what its node lets in, up to the limits of its memory. One organisation could fill that alone, and then
nothing of the others would reach any proposer but their own. So nobody has more there than a fixed share, nor than half of what is
free: however many fill their shares, there is room for one more.

The process does not say what it has, but after each block it asks about all of that again: what it does not ask about is gone. Thread-safe.
Specification: docs/spec/cometbft.md, ABC-021.
"""

import hashlib
import threading
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from yunhe.consensus.engine import Viable
from yunhe.limits import (
    ENGINE_POOL_BYTES_MAX,
    ENGINE_QUEUE_ENVELOPES_MAX,
    ENGINE_SHARE_BYTES_MAX,
    ENVELOPE_SHARE_TRANSACTION_BYTES,
)

ENVELOPE_BYTES_COUNTED: Final = ENGINE_POOL_BYTES_MAX // ENGINE_QUEUE_ENVELOPES_MAX
"""What an envelope counts at least: its place among those that the process keeps."""


def cost(envelope: bytes, viable: Viable) -> int:
    """Return what an envelope counts in the process's memory, in bytes."""
    return max(len(envelope), viable.transactions * ENVELOPE_SHARE_TRANSACTION_BYTES, ENVELOPE_BYTES_COUNTED)


@dataclass(slots=True)
class _Entry:
    sender: str
    cost: int
    asked_about: int
    """Count of commits when the process last asked about it."""


class Pool:
    """The process's memory, as its node knows it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: dict[bytes, _Entry] = {}
        self._used: Counter[str] = Counter()
        self._free = ENGINE_POOL_BYTES_MAX
        self._commits = 0

    def admit(self, envelope: bytes, viable: Viable) -> bool:
        """Return whether an envelope may enter, and count it if so; one that is there stays."""
        key, size = _key(envelope), cost(envelope, viable)
        with self._lock:
            if key in self._entries:
                return True
            # ABC-021
            if self._used[viable.sender] + size > min(ENGINE_SHARE_BYTES_MAX, self._free // 2):
                return False
            self._entries[key] = _Entry(viable.sender, size, self._commits)
            self._used[viable.sender] += size
            self._free -= size
            return True

    def keep(self, envelope: bytes, viable: Viable) -> None:
        """Take note that the process has an envelope and keeps it."""
        key = _key(envelope)
        with self._lock:
            entry = self._entries.get(key)
            if entry is None:
                entry = self._entries[key] = _Entry(viable.sender, cost(envelope, viable), self._commits)
                self._used[entry.sender] += entry.cost
                self._free -= entry.cost
            entry.asked_about = self._commits

    def forget(self, envelopes: Iterable[bytes]) -> None:
        """Take note that the process has some envelopes no more."""
        keys = [_key(envelope) for envelope in envelopes]
        with self._lock:
            for key in keys:
                self._forget(key)

    def committed(self) -> None:
        """Take note of a commit; what the process did not ask about after the last one is gone."""
        with self._lock:
            for key in [key for key, entry in self._entries.items() if entry.asked_about < self._commits]:
                self._forget(key)
            self._commits += 1

    def begin_anew(self) -> None:
        """Take note that the process has nothing."""
        with self._lock:
            self._entries.clear()
            self._used.clear()
            self._free = ENGINE_POOL_BYTES_MAX

    def _forget(self, key: bytes) -> None:
        entry = self._entries.pop(key, None)
        if entry is not None:
            self._used[entry.sender] -= entry.cost
            self._free += entry.cost


def _key(envelope: bytes) -> bytes:
    return hashlib.sha256(envelope).digest()
