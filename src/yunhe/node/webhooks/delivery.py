"""Delivery of webhooks: each has a task of its own that reads the feed, sends one event after the other, and tries again.

An event that does not arrive holds up those behind it, so a receiver gets them in order; after the last try it becomes a dead letter and
the next one is sent. Each place is kept when the event has arrived, so a node that ends in between sends that one again.
"""

import asyncio
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from typing import Final

import httpx
import structlog

from yunhe.errors import BlockPrunedError, ConflictError, IdempotencyKeyUsedError, MalformedError, NodeStoppingError, WebhooksFullError
from yunhe.limits import WEBHOOK_DEAD_LETTERS_MAX, WEBHOOK_RETRY_PAUSES_S, WEBHOOKS_MAX
from yunhe.node.events import EventFeed, EventFilter, EventPlace, PlacedEvent
from yunhe.node.webhooks.message import cloud_event, new_secret, signed_headers
from yunhe.node.webhooks.register import DeadLetter, Hook, Register
from yunhe.node.webhooks.target import Target, UndeliveredError

_log = structlog.get_logger("yunhe.webhooks")
_READ_EVENTS: Final = 100
_WAIT_S: Final = 60.0
_KEPT_EVERY_BLOCKS: Final = 1000
"""How many blocks without an event may be looked through again after a restart."""
_ID_DIGITS: Final = 16
_ANY: Final = EventFilter()


HOOK_STATES: Final = ("running", "failing", "halted")
"""`running`; `failing`: the last event did not arrive and is tried again; `halted`: see the reason."""


@dataclass(frozen=True, slots=True)
class HookStatus:
    """How a webhook is."""

    hook: Hook
    state: str
    """One of `HOOK_STATES`."""
    reason: str | None
    attempts: int
    """How often the event in hand was tried."""
    dead_letters: int


class _Progress:
    """What a task is at."""

    def __init__(self) -> None:
        self.state = "running"
        self.reason: str | None = None
        self.attempts = 0
        self.wake = asyncio.Event()


class Webhooks:
    """All webhooks of a node. Methods are for the event loop's thread."""

    def __init__(
        self,
        database: Path,
        feed: EventFeed,
        network_id: bytes,
        clock: Callable[[], int],
        *,
        allow_private: bool,
        pauses_s: Sequence[float] = WEBHOOK_RETRY_PAUSES_S,
    ) -> None:
        """Open the register; nothing is sent before `start`.

        Args:
            database: file of the register.
            feed: where events come from.
            network_id: of the ledger.
            clock: milliseconds since 1970-01-01 UTC.
            allow_private: whether targets may have addresses that are not public, and plain HTTP.
            pauses_s: between the tries of an event, seconds; after the last try it becomes a dead letter.

        Raises:
            InvalidConfigurationError: the register cannot be used.
        """
        self._register = Register(database)
        self._feed = feed
        self._network_id = network_id
        self._clock = clock
        self._allow_private = allow_private
        self._pauses_s = tuple(pauses_s)
        self._tasks: dict[str, tuple[asyncio.Task[None], _Progress]] = {}
        self._http: httpx.AsyncClient | None = None
        self._adding = asyncio.Lock()

    def start(self) -> None:
        """Begin to send; call from the running event loop, before the node decides anything."""
        # Environment proxies would connect elsewhere than the address that was looked at.
        self._http = httpx.AsyncClient(follow_redirects=False, trust_env=False, timeout=None)  # noqa: S113  # each sending has its time limit
        end = self._feed.end()
        for hook in self._register.all():
            # EVT-015
            if EventPlace.after(hook.reached) > end:
                _log.warning("the ledger was rolled back; the webhook goes on at its end", webhook=hook.id, reached=hook.reached)
                self._register.advance(hook.id, end.reached)
            self._spawn(hook.id)

    async def stop(self) -> None:
        """Stop sending and close the register."""
        tasks = [task for task, _ in self._tasks.values()]
        self._tasks.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._http is not None:
            await self._http.aclose()
        self._register.close()

    async def add(self, url: str, wanted: EventFilter, start: EventPlace, key: str | None = None) -> Hook:
        """Register a webhook and begin to send.

        Args:
            url: where to.
            wanted: which events.
            start: the first place to look at.
            key: who gives the same one again, with the same address and filter, gets the webhook that is there.

        Raises:
            IdempotencyKeyUsedError: the key was given with another address or filter.
            MalformedError: the first place is behind that of the next block.
            WebhookTargetError: the node may not send there.
            WebhooksFullError: there are `WEBHOOKS_MAX`.
        """
        if start > (end := self._feed.end()):
            raise MalformedError(f"a webhook begins with a block that is there or with the next one, which is {end.height}")
        async with self._adding:
            return await self._add(url, wanted, start, key)

    async def _add(self, url: str, wanted: EventFilter, start: EventPlace, key: str | None) -> Hook:
        # API-053
        hook_id = token_hex(8) if key is None else hashlib.sha256(key.encode()).hexdigest()[:_ID_DIGITS]
        known = next((hook for hook in self._register.all() if hook.id == hook_id), None)
        if known is not None:
            if (known.url, known.filter) != (url, wanted):
                raise IdempotencyKeyUsedError("this Idempotency-Key was sent with another webhook; give each request one of its own")
            return known
        target = Target.parse(url, allow_private=self._allow_private)
        try:
            await target.resolve()
        except UndeliveredError:
            # A host that is unknown today may be there tomorrow; each sending looks again.
            _log.warning("webhook registered for a host that is unknown", host=target.host)
        if len(self._register.all()) >= WEBHOOKS_MAX:
            raise WebhooksFullError(f"this node has {WEBHOOKS_MAX} webhooks; remove one first")
        hook = Hook(hook_id, url, new_secret(), wanted, self._clock(), start.reached)
        await asyncio.to_thread(self._register.add, hook)
        self._spawn(hook.id)
        _log.info("webhook added", webhook=hook.id, host=target.host)
        return hook

    async def remove(self, hook_id: str) -> None:
        """Stop sending to a webhook and forget it.

        Raises:
            WebhookNotFoundError: there is none with this identifier.
        """
        self._register.require(hook_id)
        if hook_id in self._tasks:
            task, _ = self._tasks.pop(hook_id)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        await asyncio.to_thread(self._register.remove, hook_id)
        _log.info("webhook removed", webhook=hook_id)

    def all(self) -> list[HookStatus]:
        """Return how each webhook is, oldest first."""
        return [self._status(hook) for hook in self._register.all()]

    def first_unsent(self) -> int | None:
        """Return the lowest height from which something has still to be sent; None when nothing ever will be. Thread-safe."""
        return self._register.first_unsent()

    def dead_letters(self, hook_id: str, limit: int, after: int = 0, *, again: bool | None = None) -> list[tuple[int, DeadLetter]]:
        """Return up to `limit` dead letters with their numbers, those above `after`; by `again`, those that wait or do not.

        Raises:
            WebhookNotFoundError: there is no such webhook.
        """
        self._register.require(hook_id)
        return self._register.dead_letters(hook_id, limit, after, again=again)

    def try_again(self, hook_id: str) -> int:
        """Try all dead letters of a webhook once more, and go on if it was halted; return how many there are.

        Raises:
            WebhookNotFoundError: there is no such webhook.
        """
        self._register.require(hook_id)
        count = self._register.try_again(hook_id)
        task, progress = self._tasks[hook_id]
        if task.done():
            self._spawn(hook_id)
        else:
            progress.wake.set()
        return count

    def _status(self, hook: Hook) -> HookStatus:
        found = self._tasks.get(hook.id)
        progress = _Progress() if found is None else found[1]
        return HookStatus(hook, progress.state, progress.reason, progress.attempts, self._register.count_dead(hook.id))

    def _spawn(self, hook_id: str) -> None:
        progress = _Progress()
        task = asyncio.get_running_loop().create_task(self._serve(hook_id, progress))
        self._tasks[hook_id] = (task, progress)
        task.add_done_callback(lambda ended: _halted(hook_id, progress, ended))

    async def _serve(self, hook_id: str, progress: _Progress) -> None:
        """Send to one webhook until the node stops."""
        hook = self._register.require(hook_id)
        place = EventPlace.after(hook.reached)
        kept = place
        while not self._feed.closed:
            progress.wake.clear()
            await self._send_dead(hook)
            read = await asyncio.to_thread(self._feed.read, place, hook.filter, _READ_EVENTS)
            for placed in read.events:
                # EVT-010: kept when it has arrived, and not before.
                await self._send_until_over(hook, placed, progress)
                kept = EventPlace.after(str(placed.place))
                await asyncio.to_thread(self._register.advance, hook.id, kept.reached)
            place = read.next
            if place.height >= kept.height + _KEPT_EVERY_BLOCKS:
                kept = place
                await asyncio.to_thread(self._register.advance, hook.id, kept.reached)
            if read.complete:
                await self._wait(place, progress)

    async def _wait(self, place: EventPlace, progress: _Progress) -> None:
        """Return when there may be something to send."""
        block = asyncio.ensure_future(self._feed.wait(place, _WAIT_S))
        wake = asyncio.ensure_future(progress.wake.wait())
        try:
            await asyncio.wait([block, wake], return_when=asyncio.FIRST_COMPLETED)
        finally:
            block.cancel()
            wake.cancel()

    async def _send_until_over(self, hook: Hook, placed: PlacedEvent, progress: _Progress) -> None:
        """Send an event until it arrives or becomes a dead letter."""
        # EVT-012
        reason = ""
        for pause_s in (*self._pauses_s, None):
            progress.attempts += 1
            try:
                await self._send(hook, placed)
            except UndeliveredError as error:
                reason = str(error)
            else:
                progress.state, progress.reason, progress.attempts = "running", None, 0
                return
            progress.state, progress.reason = "failing", f"event {placed.place}: {reason}"
            _log.warning("webhook not delivered", webhook=hook.id, event_id=str(placed.place), attempts=progress.attempts, reason=reason)
            if pause_s is not None:
                await asyncio.sleep(pause_s)
        if self._register.count_dead(hook.id) >= WEBHOOK_DEAD_LETTERS_MAX:
            raise ConflictError(f"{WEBHOOK_DEAD_LETTERS_MAX} events could not be delivered, the last one because: {reason}")
        await asyncio.to_thread(self._register.bury, hook.id, str(placed.place), reason, self._clock())
        progress.attempts = 0

    async def _send_dead(self, hook: Hook) -> None:
        """Try each dead letter that is marked for it once."""
        while (event_id := self._register.next_again(hook.id)) is not None:
            height, position, index = (int(part) for part in event_id.split("."))
            try:
                read = await asyncio.to_thread(self._feed.read, EventPlace(height, position, index), _ANY, 1)
                await self._send(hook, _found(read.events, event_id))
            except BlockPrunedError:
                await asyncio.to_thread(self._register.bury, hook.id, event_id, "EVENT_GONE: its block was pruned", self._clock())
            except UndeliveredError as error:
                await asyncio.to_thread(self._register.bury, hook.id, event_id, str(error), self._clock())
            else:
                await asyncio.to_thread(self._register.revive, hook.id, event_id)

    async def _send(self, hook: Hook, placed: PlacedEvent) -> None:
        if self._http is None:
            raise NodeStoppingError("the node does not send webhooks now")
        # EVT-014: the rules of the node may have changed since the webhook was registered.
        body = cloud_event(placed, self._network_id)
        headers: Mapping[str, str] = signed_headers(hook.secret, str(placed.place), self._clock() // 1000, body)
        await Target.parse(hook.url, allow_private=self._allow_private).send(self._http, body, headers)


def _found(events: Sequence[PlacedEvent], event_id: str) -> PlacedEvent:
    # EVT-015: a rollback takes events away, and no other may be sent in their place.
    if not events or str(events[0].place) != event_id:
        raise UndeliveredError("EVENT_GONE", "the ledger was rolled back and does not have this event")
    return events[0]


def _halted(hook_id: str, progress: _Progress, task: asyncio.Task[None]) -> None:
    """Say why a task ended, if it ended by an error; all other webhooks go on."""
    if task.cancelled() or (error := task.exception()) is None:
        return
    progress.state, progress.reason = "halted", f"{type(error).__name__}: {error}"
    _log.error("webhook halted", webhook=hook_id, exc_info=error)
