"""Routes that read events: page by page, or as a stream of server-sent events that goes on as blocks come."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Header, Query, Request
from fastapi.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from yunhe.errors import MalformedError, OverloadedError
from yunhe.gateway.models import CONTRACT_PATTERN, EVENT_PATTERN, EventPage, PlacedEventBody
from yunhe.gateway.pages import AnyPage
from yunhe.gateway.strict_json import read_json
from yunhe.gateway.strict_route import StrictRoute
from yunhe.limits import EVENT_CONDITIONS_MAX, EVENT_STREAM_SILENCE_S, EVENT_STREAMS_MAX, HEIGHT_MAX
from yunhe.node import EventFilter, EventPlace, Node, PlacedEvent
from yunhe.node.events import Scalar
from yunhe.node.tokens import AccessTokens

_STREAM_ROWS: Final = 200
_MEDIA_TYPE: Final = "text/event-stream"
_STREAM_RESPONSE: dict[int | str, dict[str, object]] = {
    200: {
        "description": "server-sent events; the data of each is a `PlacedEventBody`",
        "content": {_MEDIA_TYPE: {"schema": {"type": "string"}}},
    }
}


def parse_conditions(conditions: Mapping[str, object]) -> dict[str, Scalar]:
    """Read the fields and values of an event filter from JSON.

    Raises:
        MalformedError: there are too many, or a value is no scalar.
    """
    if len(conditions) > EVENT_CONDITIONS_MAX:
        raise MalformedError(f"`where` is a JSON object of at most {EVENT_CONDITIONS_MAX} fields")
    found: dict[str, Scalar] = {}
    for name, value in conditions.items():
        if not (value is None or isinstance(value, str | int)):
            raise MalformedError("`where` compares with text, integers, true, false or null; byte strings are 0x and hexadecimal digits")
        found[name] = value
    return found


def _wanted(
    contract: Annotated[str | None, Query(pattern=CONTRACT_PATTERN, description="events of this contract only")] = None,
    event: Annotated[str | None, Query(pattern=EVENT_PATTERN, description="events of this class only")] = None,
    where: Annotated[str, Query(description='JSON object of fields and their values, such as `{"bill": "MAEU123"}`')] = "{}",
) -> EventFilter:
    conditions = read_json(where, "`where`")
    if not isinstance(conditions, dict):
        raise MalformedError("`where` is a JSON object of an event's fields and their values")
    return EventFilter(contract, event, parse_conditions(conditions))


WantedEvents = Annotated[EventFilter, Depends(_wanted)]
FromHeight = Annotated[int | None, Query(ge=0, le=HEIGHT_MAX, description="first block to look at")]


def event_routes(node: Node, access: AccessTokens) -> APIRouter:
    """Return the routes that read events."""
    router = APIRouter(prefix="/v1", route_class=StrictRoute, tags=["events"])
    places = _Places()

    @router.get("/events")
    async def events(
        wanted: WantedEvents,
        page: AnyPage,
        from_height: FromHeight = None,
    ) -> EventPage:
        """Return events in the order of the ledger, from the first block on, page by page."""
        start = EventPlace.after(page.cursor) if page.cursor is not None else EventPlace(from_height or 0)
        read = await asyncio.to_thread(node.events.read, start, wanted, page.limit)
        return EventPage(items=[_body(placed) for placed in read.events], next=read.next.reached, complete=read.complete)

    @router.get("/events/stream", response_class=StreamingResponse, responses=_STREAM_RESPONSE)
    async def stream(
        request: Request,
        wanted: WantedEvents,
        from_height: FromHeight = None,
        last_event_id: Annotated[str | None, Header(max_length=40, description="go on after this event")] = None,
    ) -> StreamingResponse:
        """Follow events as server-sent events: after `Last-Event-ID`, else from `from_height`, else those to come."""
        start = node.events.end() if from_height is None else EventPlace(from_height)
        if last_event_id:
            start = EventPlace.after(last_event_id)
        # EVT-016: refused before the stream begins.
        start = node.events.kept(start)
        return _EventStream(_follow(node, start, wanted, lambda: access.is_valid(request.state.caller)), places)

    return router


class _Places:
    """Counts the streams that are open."""

    def __init__(self) -> None:
        self.taken = 0


class _EventStream(StreamingResponse):
    """A stream that holds one of the node's places while it is open."""

    def __init__(self, parts: AsyncIterator[str], places: _Places) -> None:
        super().__init__(parts, media_type=_MEDIA_TYPE, headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        self._places = places

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send until the client goes away or the node stops."""
        # EVT-005
        if self._places.taken >= EVENT_STREAMS_MAX:
            raise OverloadedError(f"this node serves {EVENT_STREAMS_MAX} streams of events already; try again later, or read pages")
        self._places.taken += 1
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._places.taken -= 1


async def _follow(node: Node, start: EventPlace, wanted: EventFilter, is_permitted: Callable[[], bool]) -> AsyncIterator[str]:
    """Yield the stream's parts until the node stops, or the caller's token ends."""
    place = start
    yield ": events of a Yunhe node\n\n"
    # API-033
    while not node.events.closed and is_permitted():
        read = await asyncio.to_thread(node.events.read, place, wanted, _STREAM_ROWS)
        place = read.next
        if read.events:
            yield "".join(_part(placed) for placed in read.events)
        if not read.complete:
            continue
        before = node.events.end()
        await node.events.wait(place, EVENT_STREAM_SILENCE_S)
        # EVT-006
        if node.events.end() == before:
            yield _progress(place)


def _part(placed: PlacedEvent) -> str:
    return f"id: {placed.place}\ndata: {_body(placed).model_dump_json()}\n\n"


def _progress(place: EventPlace) -> str:
    """Say how far the stream is: a part without data moves the client's last event id and nothing else."""
    return f"id: {place.reached}\n\n"


def _body(placed: PlacedEvent) -> PlacedEventBody:
    return PlacedEventBody.model_validate(placed.to_json())
