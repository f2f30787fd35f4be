"""The application of the conformance suite: it keeps what an engine does with it, and says which obligations the record breaks."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from yunhe.consensus import Committed, Delivery
from yunhe.errors import InvalidInputError
from yunhe.limits import BLOCK_BYTES_MAX, BLOCK_ENVELOPES_MAX, UNCOMMITTED_BLOCKS_MAX

WITHOUT_EFFECT = b"without effect"
"""An envelope that leaves the app hash as it is."""
REFUSED = b"refused"
"""What an envelope begins with that `check` refuses."""
GENESIS_TIME_MS = 1_000_000

Breach = tuple[str, str]
"""Identifier of the obligation, and what broke it."""


class RecordingApplication:
    """Is durable in memory. Can hold commits back and fail; blocks without envelopes, which are the engine's own, it always takes."""

    def __init__(self) -> None:
        self.deliveries: list[Delivery] = []
        self.app_hashes: list[bytes] = []
        """After each delivery."""
        self.commits: list[int] = []
        """Number of blocks of each commit."""
        self.attempts: Counter[str] = Counter()
        """Calls of `deliver` and `commit` for blocks with envelopes, those that failed too."""
        self.raised: BaseException | None = None
        """What the first call that failed raised."""
        self._start = Committed(0, GENESIS_TIME_MS, bytes(32))
        self._checked: set[bytes] = set()
        self._breaches: list[Breach] = []
        self._threads: dict[str, threading.Thread] = {}
        self._changed = threading.Condition()
        self._holding = False
        self._fault: tuple[str, type[BaseException]] | None = None

    def committed(self) -> Committed:
        durable = sum(self.commits)
        with_effect = [delivery.time_ms for index, delivery in enumerate(self.deliveries[:durable]) if self._had_effect(index)]
        return Committed(
            self.deliveries[durable - 1].engine_height if durable else self._start.engine_height,
            with_effect[-1] if with_effect else self._start.time_ms,
            self.app_hashes[durable - 1] if durable else self._start.app_hash,
        )

    def check(self, envelope: bytes) -> None:
        if envelope.startswith(REFUSED):
            raise InvalidInputError("the application refuses it")
        self._checked.add(envelope)

    def deliver(self, delivery: Delivery) -> bytes:
        with self._changed:
            self._enter("deliver", [delivery])
            app_hash = self.app_hashes[-1] if self.app_hashes else self._start.app_hash
            if any(envelope != WITHOUT_EFFECT for envelope in delivery.envelopes):
                app_hash = delivery.engine_height.to_bytes(32, "big")
            self.deliveries.append(delivery)
            self.app_hashes.append(app_hash)
            if self.uncommitted > UNCOMMITTED_BLOCKS_MAX:
                self._breaches.append(("ENG-004", f"{self.uncommitted} delivered blocks are uncommitted"))
            self._changed.notify_all()
            return app_hash

    def commit(self, count: int) -> None:
        with self._changed:
            durable = sum(self.commits)
            blocks = self.deliveries[durable : durable + count]
            if not blocks or len(blocks) < count:
                self._breaches.append(("ENG-004", f"{count} blocks are to be committed where {len(blocks)} are delivered"))
            self._enter("commit", blocks)
            self._changed.wait_for(lambda: not self._holding or not any(block.envelopes for block in blocks))
            self.commits.append(count)
            self._changed.notify_all()

    def hold_commits(self) -> None:
        """Let no commit return until `release_commits`."""
        self._holding = True

    def release_commits(self) -> None:
        with self._changed:
            self._holding = False
            self._changed.notify_all()

    def fail_in(self, call: str, fault: type[BaseException]) -> None:
        """Raise in each `deliver` or in each `commit`, until `recover`."""
        self._fault = (call, fault)

    def recover(self) -> None:
        self._fault = None

    def lose_what_is_not_durable(self) -> None:
        """Stand where the last commit left it, and record anew from there."""
        self._start = self.committed()
        self.deliveries, self.app_hashes, self.commits, self._threads = [], [], [], {}

    def wait_for(self, condition: Callable[[], bool], seconds: float) -> bool:
        """Wait until a condition on the record is true; return whether it became so."""
        with self._changed:
            return self._changed.wait_for(condition, seconds)

    @property
    def delivered(self) -> list[bytes]:
        """Envelopes of all blocks in order."""
        return [envelope for delivery in self.deliveries for envelope in delivery.envelopes]

    @property
    def filled(self) -> list[Delivery]:
        """Blocks with envelopes."""
        return [delivery for delivery in self.deliveries if delivery.envelopes]

    @property
    def uncommitted(self) -> int:
        """Number of delivered blocks that are not committed."""
        return len(self.deliveries) - sum(self.commits)

    def breaches(self) -> Iterator[Breach]:
        """Yield what the record breaks of the obligations that hold at any moment."""
        yield from self._breaches
        heights = [delivery.engine_height for delivery in self.deliveries]
        if heights != list(range(self._start.engine_height + 1, self._start.engine_height + 1 + len(heights))):
            yield "ENG-001", f"the blocks above {self._start.engine_height} have the heights {heights[:10]}"
        last_ms = self._start.time_ms
        for index, delivery in enumerate(self.deliveries):
            if delivery.time_ms <= last_ms:
                yield "ENG-002", f"block {delivery.engine_height} has the time {delivery.time_ms} after one of {last_ms}"
            if self._had_effect(index):
                last_ms = delivery.time_ms
            if not set(delivery.envelopes) <= self._checked:
                yield "ENG-005", f"block {delivery.engine_height} has an envelope that `check` did not accept"
            if len(delivery.envelopes) > BLOCK_ENVELOPES_MAX or sum(map(len, delivery.envelopes)) > BLOCK_BYTES_MAX:
                yield "ENG-007", f"block {delivery.engine_height} has {len(delivery.envelopes)} envelopes: too many, or of too many bytes"
            if not delivery.envelopes and not (self._had_effect(index - 1) if index else True):
                yield "ENG-007", f"block {delivery.engine_height} is empty, and the one before it changed nothing"

    def _had_effect(self, index: int) -> bool:
        return self.app_hashes[index] != (self.app_hashes[index - 1] if index else self._start.app_hash)

    def _enter(self, call: str, blocks: Sequence[Delivery]) -> None:
        if self._threads.setdefault(call, threading.current_thread()) is not threading.current_thread():
            self._breaches.append(("ENG-004", f"`{call}` is called from more than one thread"))
        if not any(block.envelopes for block in blocks):
            return
        self.attempts[call] += 1
        if self._fault is not None and self._fault[0] == call:
            fault = self._fault[1](call)
            self.raised = self.raised or fault
            raise fault
