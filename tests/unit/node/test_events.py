"""The feed of events, on a node whose engine decides what the test submits."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from tests.unit.node.open_node import DEADLINE_S, SUITE, make_folder, run_node, transaction
from yunhe.crypto import PrivateKey
from yunhe.errors import CursorError
from yunhe.ledger.interfaces import Event
from yunhe.node import EventFeed, EventFilter, EventPlace, Node, NodeFolder

ALL = EventFilter()


async def enrol(node: Node, *members: str) -> list[int]:
    """Enrol members, each in a block of its own with two events, and return the blocks' heights."""
    heights = []
    for salt, member in enumerate(members, node.head().height):
        arguments = {"member": member, "roles": ["operator"], "suite": SUITE, "public_key": PrivateKey.generate().public_key.raw}
        (future,) = node.submit([transaction(node, "enrol_member", salt=salt, **arguments)])
        placed = await asyncio.wait_for(future, DEADLINE_S)
        assert placed.receipt.succeeded, placed.receipt.outcome
        heights.append(placed.height)
    return heights


def identifiers(feed: EventFeed, start: EventPlace, wanted: EventFilter = ALL, limit: int = 100) -> list[str]:
    """Read to the end, `limit` events at a time."""
    found: list[str] = []
    while True:
        read = feed.read(start, wanted, limit)
        found += [str(placed.place) for placed in read.events]
        # EVT-003: a reader that comes back knows where it was by text alone.
        start = EventPlace.after(read.next.reached)
        assert start == read.next
        if read.complete:
            return found


def run_started(folder: NodeFolder, body: Callable[[Node], Awaitable[None]]) -> None:
    async def started(node: Node) -> None:
        node.start()
        await body(node)

    run_node(folder, started)


def test_events_come_in_the_order_of_the_ledger_whatever_the_pages(tmp_path: Path) -> None:
    """EVT-001, EVT-002, EVT-003."""

    async def body(node: Node) -> None:
        heights = await enrol(node, "ann", "bob", "eve")
        all_of_them = [f"{height}.0.{index}" for height in heights for index in range(2)]
        for limit in (1, 2, 3, 100):
            assert identifiers(node.events, EventPlace(0), limit=limit) == all_of_them
        for number, identifier in enumerate(all_of_them):
            assert identifiers(node.events, EventPlace.after(identifier)) == all_of_them[number + 1 :]
        assert identifiers(node.events, EventPlace.after(str(heights[0]))) == all_of_them[2:]
        first = node.events.read(EventPlace(0), ALL, 1).events[0]
        assert first.event == Event("registry", "MemberChanged", first.event.fields)
        assert first.event.fields["member"] == "ann"
        assert first.transaction_id == node.store.block(heights[0]).transactions[0].id

    run_started(make_folder(tmp_path / "node"), body)


def test_identifiers_are_the_same_after_a_restart_and_nothing_is_missed(tmp_path: Path) -> None:
    """EVT-002, EVT-003."""
    folder = make_folder(tmp_path / "node")
    seen: list[str] = []

    async def before(node: Node) -> None:
        await enrol(node, "ann", "bob")
        seen.extend(identifiers(node.events, EventPlace(0)))

    async def after(node: Node) -> None:
        (height,) = await enrol(node, "eve")
        assert identifiers(node.events, EventPlace(0))[: len(seen)] == seen
        assert identifiers(node.events, EventPlace.after(seen[-1])) == [f"{height}.0.0", f"{height}.0.1"]

    run_started(folder, before)
    run_started(folder, after)


@pytest.mark.parametrize(
    ("wanted", "count"),
    [
        (EventFilter(contract="registry"), 4),
        (EventFilter(contract="governance"), 0),
        (EventFilter(name="KeyChanged"), 2),
        (EventFilter(contract="registry", name="KeyChanged", where={"member": "bob"}), 1),
        (EventFilter(where={"member": "bob", "organisation": "port"}), 2),
        (EventFilter(where={"member": "nobody"}), 0),
        (EventFilter(where={"roles": "operator"}), 0),
        (EventFilter(where={"no_such_field": None}), 0),
    ],
)
def test_filter_admits_what_it_names(tmp_path: Path, wanted: EventFilter, count: int) -> None:
    """EVT-004."""

    async def body(node: Node) -> None:
        await enrol(node, "ann", "bob")
        assert len(identifiers(node.events, EventPlace(0), wanted)) == count

    run_started(make_folder(tmp_path / "node"), body)


def test_filter_tells_true_from_one() -> None:
    """EVT-004 refused."""
    event = Event("c", "E", {"flag": True, "count": 1, "digest": b"\x01"})
    assert EventFilter(where={"flag": True, "count": 1, "digest": "0x01"}).admits(event)
    assert not EventFilter(where={"flag": 1}).admits(event)
    assert not EventFilter(where={"count": True}).admits(event)


@pytest.mark.parametrize("text", ["", "1.", "1.2", "1.2.3.4", "-1", "01.0.0", "1.0.0 ", "\u0661", "a.b.c", str(2**63), "1e3", "0x1"])
def test_identifier_of_another_form_is_refused(text: str) -> None:
    """EVT-003 refused."""
    with pytest.raises(CursorError):
        EventPlace.after(text)


def test_waiting_ends_with_a_block_and_with_the_node(tmp_path: Path) -> None:
    """EVT-001: who waits is woken when the block is durable; EVT-006: and when nothing more will come."""

    async def body(node: Node) -> None:
        waiting = asyncio.create_task(node.events.wait(node.events.end(), DEADLINE_S))
        (height,) = await enrol(node, "ann")
        await asyncio.wait_for(waiting, DEADLINE_S)
        assert identifiers(node.events, EventPlace(height)) == [f"{height}.0.0", f"{height}.0.1"]
        waiting = asyncio.create_task(node.events.wait(node.events.end(), DEADLINE_S))
        await asyncio.sleep(0)
        node.events.close()
        await asyncio.wait_for(waiting, DEADLINE_S)
        assert node.events.closed

    run_started(make_folder(tmp_path / "node"), body)


def test_read_ends_with_the_event_that_reaches_the_bound_of_bytes_and_goes_on_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """API-006, EVT-003."""
    monkeypatch.setattr("yunhe.node.events.PAGE_BYTES_MAX", 1)

    async def body(node: Node) -> None:
        heights = await enrol(node, "ann", "bob")
        place, found = EventPlace(0), []
        while not (read := node.events.read(place, EventFilter(), 100)).complete:
            assert len(read.events) == 1
            found += [str(event.place) for event in read.events]
            place = read.next
        assert found == [f"{height}.0.{index}" for height in heights for index in range(2)]

    run_started(make_folder(tmp_path / "node"), body)


def test_cache_keeps_no_more_than_its_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("yunhe.node.events.EVENTS_CACHED_BYTES_MAX", 700)

    async def body(node: Node) -> None:
        heights = await enrol(node, "ann", "bob", "eve")
        expected = [f"{height}.0.{index}" for height in heights for index in range(2)]
        assert identifiers(node.events, EventPlace(0)) == expected
        assert identifiers(node.events, EventPlace(0)) == expected
        assert 0 < node.events.cached <= 700

    run_started(make_folder(tmp_path / "node"), body)
