"""The feed of events: what contracts announced, in the order of the ledger, from any place on and as it comes.

Nothing is queued for a reader. Each reads the durable blocks at its own pace and then waits for the next one, so a slow reader costs no
memory, and one that comes back goes on where it was, also when the node was restarted in between. Specification: docs/spec/events.md.
"""

import asyncio
import re
import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from yunhe.errors import BlockPrunedError, CursorError
from yunhe.ledger.codec import Value
from yunhe.ledger.header import Header
from yunhe.ledger.interfaces import Event
from yunhe.ledger.receipt import Receipt
from yunhe.ledger.rendering import Json, value_to_json
from yunhe.limits import EVENT_BLOCKS_PER_READ_MAX, EVENTS_CACHED_BYTES_MAX, INTEGER_MAX, PAGE_BYTES_MAX
from yunhe.storage import LedgerStore

Scalar: TypeAlias = str | int | bool | None
"""What a field of an event is compared with."""

_BLOCK_BYTES: Final = 64
"""What a kept block counts for besides its events."""
_PLACE: Final = re.compile(r"(0|[1-9][0-9]{0,18})(?:\.(0|[1-9][0-9]{0,8})\.(0|[1-9][0-9]{0,8}))?")


@dataclass(frozen=True, slots=True, order=True)
class EventPlace:
    """A place in the ledger's order of events."""

    height: int
    position: int = 0
    """Place of the transaction in its block, from 0."""
    index: int = 0
    """Place of the event in its transaction, from 0."""

    def __str__(self) -> str:
        """Return the identifier of the event at this place."""
        return f"{self.height}.{self.position}.{self.index}"

    @property
    def reached(self) -> str:
        """The identifier of which this place is the one after; that of the genesis block, which has no events, for places in it."""
        return f"{self.height}.{self.position}.{self.index - 1}" if self.index else str(max(self.height - 1, 0))

    @classmethod
    def after(cls, identifier: str) -> "EventPlace":
        """Return the place after an event's identifier, `HEIGHT.POSITION.INDEX`, or after a whole block, `HEIGHT`.

        Raises:
            CursorError: it is neither.
        """
        # EVT-003
        found = _PLACE.fullmatch(identifier)
        if found is None or int(found[1]) >= INTEGER_MAX:
            raise CursorError("an event's identifier is HEIGHT.POSITION.INDEX, or HEIGHT for all of a block")
        if found[2] is None:
            return cls(int(found[1]) + 1)
        return cls(int(found[1]), int(found[2]), int(found[3]) + 1)


@dataclass(frozen=True, slots=True)
class PlacedEvent:
    """An event with its place, its block's time, and the transaction that it came of."""

    place: EventPlace
    time_ms: int
    transaction_id: bytes
    event: Event
    size: int
    """Bytes of its receipt, shared evenly by the receipt's events."""

    def to_json(self) -> dict[str, Json]:
        """Return the event with its place as JSON shows it."""
        return {
            "id": str(self.place),
            "height": self.place.height,
            "position": self.place.position,
            "index": self.place.index,
            "time_ms": self.time_ms,
            "transaction_id": self.transaction_id.hex(),
            "contract": self.event.contract,
            "name": self.event.name,
            "fields": value_to_json(dict(self.event.fields)),
        }


@dataclass(frozen=True, slots=True)
class EventFilter:
    """Which events a reader wants; what is None or empty lets all through."""

    contract: str | None = None
    name: str | None = None
    """The event's class."""
    where: Mapping[str, Scalar] = field(default_factory=dict)
    """Fields that must have these values, as JSON shows them."""

    def admits(self, event: Event) -> bool:
        """Tell whether a reader wants an event."""
        # EVT-004
        if self.contract is not None and event.contract != self.contract:
            return False
        if self.name is not None and event.name != self.name:
            return False
        return all(name in event.fields and _shows(event.fields[name], value) for name, value in self.where.items())


@dataclass(frozen=True, slots=True)
class EventRead:
    """What one read of the feed found."""

    events: tuple[PlacedEvent, ...]
    next: EventPlace
    """Where the next read goes on, the place after an event or after a block; nothing that the filter admits lies between."""
    complete: bool
    """Whether everything up to the last block was read."""


class EventFeed:
    """Reads events from the durable blocks. `announce` and `wait` are for the event loop's thread; `read` for any."""

    def __init__(self, store: LedgerStore) -> None:
        self._store = store
        self._next_block: asyncio.Event = asyncio.Event()
        self._closed = False
        self._cache: OrderedDict[int, tuple[PlacedEvent, ...]] = OrderedDict()
        self._cached = 0
        self._lock = threading.Lock()

    @property
    def closed(self) -> bool:
        """Whether nothing more will come, because the node stops."""
        return self._closed

    @property
    def cached(self) -> int:
        """Stored bytes of the events that are kept decoded, with `_BLOCK_BYTES` for each block."""
        return self._cached

    def end(self) -> EventPlace:
        """Return the place where the next block's first event will be."""
        return EventPlace(self._store.head().height + 1)

    def read(self, start: EventPlace, wanted: EventFilter, limit: int) -> EventRead:
        """Read on from a place.

        Args:
            start: the first place to look at; it may be beyond the last block.
            wanted: which events to return.
            limit: how many at most, from 1; fewer when their receipts reach `PAGE_BYTES_MAX`.

        Raises:
            BlockPrunedError: the block of the place was pruned.
        """
        head = self._store.head().height
        found: list[PlacedEvent] = []
        size = 0
        place = self.kept(start)
        last = min(head, place.height + EVENT_BLOCKS_PER_READ_MAX - 1)
        while place.height <= last:
            for placed in self._events(place.height):
                if placed.place >= place and wanted.admits(placed.event):
                    found.append(placed)
                    size += placed.size
                    # EVT-003: the next read goes on right here.
                    if len(found) == limit or size >= PAGE_BYTES_MAX:
                        return EventRead(tuple(found), EventPlace.after(str(placed.place)), complete=False)
            place = EventPlace(place.height + 1)
        return EventRead(tuple(found), place, complete=place.height > head)

    def kept(self, start: EventPlace) -> EventPlace:
        """Return the first place from `start` on whose events are kept: of the ledger's beginning, the oldest there is.

        Raises:
            BlockPrunedError: it is another place, and its block was pruned, so events would be passed over unseen.
        """
        oldest = self._store.oldest
        # EVT-016
        if start.height >= oldest:
            return start
        if start == EventPlace(0):
            return EventPlace(oldest)
        raise BlockPrunedError(
            f"the events from block {start.height} on were pruned here; the oldest that this node keeps are those of block {oldest}: go on "
            "from there, and know that some are missing, or ask a node that keeps more"
        )

    async def wait(self, place: EventPlace, timeout_s: float) -> None:
        """Return when there is a block at a place, the feed is closed, or the time is over."""
        # EVT-001: only durable blocks are announced, and the store has a block before its announcement.
        if self._closed or self._store.head().height >= place.height:
            return
        try:
            async with asyncio.timeout(timeout_s):
                await self._next_block.wait()
        except TimeoutError:
            return

    def announce(self) -> None:
        """Wake all who wait: a block is durable."""
        self._next_block.set()
        self._next_block = asyncio.Event()

    def close(self) -> None:
        """End all who wait."""
        self._closed = True
        self.announce()

    def _events(self, height: int) -> tuple[PlacedEvent, ...]:
        """Return all events of a block; blocks that were read of late are kept, because most readers are at the head."""
        with self._lock:
            if (kept := self._cache.get(height)) is not None:
                self._cache.move_to_end(height)
                return kept
        events = self._read_block(height)
        with self._lock:
            if height not in self._cache:
                self._cache[height] = events
                self._cached += _stored_bytes(events)
            while self._cached > EVENTS_CACHED_BYTES_MAX:
                _, oldest = self._cache.popitem(last=False)
                self._cached -= _stored_bytes(oldest)
        return events

    def _read_block(self, height: int) -> tuple[PlacedEvent, ...]:
        record = self._store.record(height)
        time_ms = Header.decode(record.header).time_ms
        receipts = [Receipt.decode(encoded) for encoded in record.receipts]
        # EVT-002: the ledger alone decides the place.
        return tuple(
            PlacedEvent(EventPlace(height, position, index), time_ms, receipt.transaction_id, event, _share(receipt))
            for position, receipt in enumerate(receipts)
            for index, event in enumerate(receipt.outcome.events)
        )


def _share(receipt: Receipt) -> int:
    return -(-len(receipt.encoded) // len(receipt.outcome.events))


def _stored_bytes(events: tuple[PlacedEvent, ...]) -> int:
    return _BLOCK_BYTES + sum(placed.size for placed in events)


def _shows(value: Value, wanted: Scalar) -> bool:
    """Tell whether JSON shows a value as it is wanted; true is not 1."""
    shown = value_to_json(value)
    return type(shown) is type(wanted) and shown == wanted
