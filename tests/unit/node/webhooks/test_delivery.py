"""Delivery of webhooks from a node in the test's own process to a receiver on loopback."""

import asyncio
import contextlib
import shutil
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.unit.node.open_node import DEADLINE_S, SUITE, make_folder, run_node, transaction
from tests.unit.node.webhooks.receiver import Receiver, receiving
from yunhe.crypto import PrivateKey
from yunhe.errors import MalformedError, WebhookNotFoundError, WebhooksFullError, WebhookTargetError
from yunhe.node import EventFilter, EventPlace, Node, NodeFolder
from yunhe.node.webhooks import Hook, HookStatus, Webhooks

ALL = EventFilter()
QUICK = (0.01, 0.01)


@contextlib.asynccontextmanager
async def sending(node: Node, path: Path, *, pauses_s: tuple[float, ...] = QUICK, allow_private: bool = True) -> AsyncIterator[Webhooks]:
    webhooks = Webhooks(path, node.events, node.network_id, node.clock, allow_private=allow_private, pauses_s=pauses_s)
    webhooks.start()
    try:
        yield webhooks
    finally:
        await webhooks.stop()


async def enrol(node: Node, *members: str) -> list[str]:
    """Enrol members, each in a block of its own with two events, and return the events' identifiers."""
    identifiers = []
    for salt, member in enumerate(members, node.head().height):
        arguments = {"member": member, "roles": ["operator"], "suite": SUITE, "public_key": PrivateKey.generate().public_key.raw}
        (future,) = node.submit([transaction(node, "enrol_member", salt=salt, **arguments)])
        placed = await asyncio.wait_for(future, DEADLINE_S)
        identifiers += [f"{placed.height}.0.0", f"{placed.height}.0.1"]
    return identifiers


async def until(condition: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not come about"
        await asyncio.sleep(0.005)


def status(webhooks: Webhooks) -> HookStatus:
    (found,) = webhooks.all()
    return found


def run(path: Path, body: Callable[[Node], Awaitable[None]]) -> NodeFolder:
    folder = NodeFolder.load(path) if path.exists() else make_folder(path)

    async def started(node: Node) -> None:
        node.start()
        await body(node)

    run_node(folder, started)
    return folder


def readable_by_others(folder: Path) -> list[str]:
    return [path.name for path in folder.glob("hooks.db*") if path.stat().st_mode & 0o077]


async def added(webhooks: Webhooks, receiver: Receiver, wanted: EventFilter = ALL) -> Hook:
    hook = await webhooks.add(receiver.url, wanted, EventPlace(0))
    receiver.secret = hook.secret
    return hook


def test_events_arrive_signed_in_order_and_once(tmp_path: Path) -> None:
    """EVT-010, EVT-011: those of before the registration, and those that come."""

    async def body(node: Node) -> None:
        with receiving() as receiver:
            async with sending(node, tmp_path / "hooks.db") as webhooks:
                expected = await enrol(node, "ann")
                await added(webhooks, receiver)
                expected += await enrol(node, "bob", "eve")
                await until(lambda: len(receiver.confirmed) == 6, "delivery")
            assert receiver.confirmed == expected
            first = receiver.bodies[0]
            assert (first["specversion"], first["type"]) == ("1.0", "yunhe.registry.MemberChanged")
            assert first["source"] == f"urn:yunhe:{node.network_id.hex()}"
            assert first["data"]["fields"]["member"] == "ann"
            assert first["subject"] == first["data"]["transaction_id"]

    run(tmp_path / "node", body)


def test_filter_decides_what_is_sent(tmp_path: Path) -> None:
    """EVT-004."""

    async def body(node: Node) -> None:
        with receiving() as receiver:
            async with sending(node, tmp_path / "hooks.db") as webhooks:
                await added(webhooks, receiver, EventFilter("registry", "KeyChanged", {"member": "bob"}))
                identifiers = await enrol(node, "ann", "bob", "eve", "bob2")
                await until(lambda: receiver.confirmed, "delivery")
            assert receiver.confirmed == [identifiers[3]]

    run(tmp_path / "node", body)


def test_failure_is_tried_again_and_keeps_the_order(tmp_path: Path) -> None:
    """EVT-012, EVT-013: an error, a redirect and a success that is none hold up what is behind."""
    answers = [500, 302, 404, 200, 503, 200, 200, 200]

    async def body(node: Node) -> None:
        with receiving(lambda number: answers[number]) as receiver:
            async with sending(node, tmp_path / "hooks.db", pauses_s=(0.01,) * 3) as webhooks:
                expected = await enrol(node, "ann", "bob")
                await added(webhooks, receiver)
                await until(lambda: len(receiver.confirmed) == 4, "delivery")
                assert receiver.confirmed == expected
                assert [sent["id"] for sent in receiver.bodies] == [*[expected[0]] * 4, *[expected[1]] * 2, *expected[2:]]
                await until(lambda: status(webhooks).hook.reached == expected[-1], "the place")
                assert (status(webhooks).state, status(webhooks).dead_letters) == ("running", 0)

    run(tmp_path / "node", body)


def test_last_failure_becomes_a_dead_letter_that_can_be_tried_again(tmp_path: Path) -> None:
    """EVT-012: the next event is sent all the same."""

    async def body(node: Node) -> None:
        with receiving(lambda number: 500 if number < 3 else 200) as receiver:
            async with sending(node, tmp_path / "hooks.db") as webhooks:
                expected = await enrol(node, "ann", "bob")
                hook = await added(webhooks, receiver)
                await until(lambda: len(receiver.confirmed) == 3, "delivery")
                assert receiver.confirmed == expected[1:]
                ((_, letter),) = webhooks.dead_letters(hook.id, 10)
                assert (letter.event, letter.reason, letter.again) == (expected[0], "ANSWER_NOT_OK: answer 500", False)
                assert webhooks.try_again(hook.id) == 1
                await until(lambda: len(receiver.confirmed) == 4, "the dead letter")
                assert receiver.confirmed[-1] == expected[0]
                await until(lambda: not webhooks.dead_letters(hook.id, 10), "the empty list")

    run(tmp_path / "node", body)


def test_place_is_kept_over_restarts_and_only_the_event_in_hand_is_repeated(tmp_path: Path) -> None:
    """EVT-010: a crash between the receiver's confirmation and the keeping of the place repeats that event, and loses none."""
    seen: list[str] = []

    async def before(node: Node) -> None:
        seen.extend(await enrol(node, "ann", "bob"))
        with receiving(lambda number: 200 if number < 2 else 0) as receiver:
            async with sending(node, tmp_path / "hooks.db") as webhooks:
                await added(webhooks, receiver)
                await until(lambda: len(receiver.bodies) == 3, "the event that hangs")
            assert receiver.confirmed == seen[:2]
            assert receiver.bodies[2]["id"] == seen[2]

    async def after(node: Node) -> None:
        seen.extend(await enrol(node, "eve"))
        with receiving() as receiver:
            async with sending(node, tmp_path / "hooks.db", pauses_s=()) as webhooks:
                (found,) = webhooks.all()
                await webhooks.remove(found.hook.id)
                # The receiver has another port now; what the register kept is where to go on.
                hook = await webhooks.add(receiver.url, ALL, EventPlace.after(found.hook.reached))
                receiver.secret = hook.secret
                await until(lambda: len(receiver.confirmed) == 4, "delivery")
            assert receiver.confirmed == seen[2:]

    run(tmp_path / "node", before)
    run(tmp_path / "node", after)


def test_receiver_that_hangs_is_given_up_and_stopping_does_not_wait_for_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """EVT-013."""
    monkeypatch.setattr("yunhe.node.webhooks.target.WEBHOOK_TIMEOUT_S", 0.05)

    async def body(node: Node) -> None:
        with receiving(lambda _: 0) as receiver:
            async with sending(node, tmp_path / "hooks.db", pauses_s=(0.01,) * 1000) as webhooks:
                await enrol(node, "ann")
                await added(webhooks, receiver)
                await until(lambda: status(webhooks).state == "failing", "failure")
                assert "TIMED_OUT: no answer within" in str(status(webhooks).reason)

    run(tmp_path / "node", body)


def test_target_that_became_private_is_not_sent_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """EVT-014: the name is looked up at each sending; a name that was public and now stands for this machine gets nothing."""

    async def body(node: Node) -> None:
        with receiving() as receiver:
            port = receiver.url.split(":")[2].partition("/")[0]
            asked = 0

            async def lookup(host: str, *_: object, **__: object) -> list[tuple]:
                nonlocal asked
                asked += 1
                return [(2, 1, 6, "", ("93.184.216.34" if asked == 1 else "127.0.0.1", int(port)))]

            monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", lookup, raising=False)
            async with sending(node, tmp_path / "hooks.db", pauses_s=(), allow_private=False) as webhooks:
                await enrol(node, "ann")
                hook = await webhooks.add(f"https://example.org:{port}/events", ALL, EventPlace(0))
                await until(lambda: status(webhooks).dead_letters == 2, "dead letters")
                reason = webhooks.dead_letters(hook.id, 1)[0][1].reason
                assert (reason.split(":")[0], "not public" in reason) == ("WEBHOOK_TARGET_REFUSED", True)
            assert receiver.bodies == []

    run(tmp_path / "node", body)


def test_redirect_is_not_followed_and_says_so(tmp_path: Path) -> None:
    """EVT-013 refused: also one that leads to an address that would confirm."""

    async def body(node: Node) -> None:
        with receiving(lambda _: 307) as receiver:
            async with sending(node, tmp_path / "hooks.db", pauses_s=()) as webhooks:
                (first, _) = await enrol(node, "ann")
                hook = await added(webhooks, receiver)
                await until(lambda: status(webhooks).dead_letters == 2, "dead letters")
                (_, letter), _ = webhooks.dead_letters(hook.id, 10)
                assert (letter.event, letter.reason.split(":")[0]) == (first, "REDIRECTED")
            assert len(receiver.bodies) == 2

    run(tmp_path / "node", body)


@pytest.mark.parametrize(("url", "code"), [("http://127.0.0.1:1/x", "CONNECTION_FAILED"), ("http://nowhere.invalid/x", "HOST_UNKNOWN")])
def test_target_that_is_not_there_is_named(tmp_path: Path, url: str, code: str) -> None:
    """EVT-013."""

    async def body(node: Node) -> None:
        async with sending(node, tmp_path / "hooks.db", pauses_s=()) as webhooks:
            await enrol(node, "ann")
            hook = await webhooks.add(url, ALL, EventPlace(0))
            await until(lambda: status(webhooks).dead_letters == 2, "dead letters")
            assert {letter.reason.split(":")[0] for _, letter in webhooks.dead_letters(hook.id, 10)} == {code}

    run(tmp_path / "node", body)


def test_delivery_goes_on_after_a_rollback(tmp_path: Path) -> None:
    """EVT-015: behind the place that was reached the ledger is another; what it has now is sent, and what is gone is not."""
    folder = tmp_path / "node"
    answers = {"status": 200}

    async def first(node: Node) -> None:
        await enrol(node, "ann")

    async def lost(node: Node) -> None:
        async with sending(node, tmp_path / "hooks.db", pauses_s=()) as webhooks:
            await added(webhooks, receiver)
            await until(lambda: len(receiver.confirmed) == 2, "delivery")
            await enrol(node, "bob")
            await until(lambda: len(receiver.confirmed) == 4, "delivery")
            answers["status"] = 500
            await enrol(node, "eve")
            await until(lambda: status(webhooks).dead_letters == 2, "dead letters")

    async def after(node: Node) -> None:
        answers["status"] = 200
        async with sending(node, tmp_path / "hooks.db", pauses_s=()) as webhooks:
            hook = status(webhooks).hook
            assert hook.reached == str(node.head().height)
            webhooks.try_again(hook.id)
            expected = await enrol(node, "zoe")
            await until(lambda: len(receiver.confirmed) == 6, "delivery of what is decided now")
            assert receiver.confirmed[4:] == expected
            assert [body["data"]["fields"]["member"] for body in receiver.bodies[-2:]] == ["zoe", "zoe"]
            reasons = [(letter.reason.split(":")[0], letter.again) for _, letter in webhooks.dead_letters(hook.id, 10)]
            assert reasons == [("EVENT_GONE", False)] * 2

    with receiving(lambda _: answers["status"]) as receiver:
        run(folder, first)
        shutil.copytree(folder / "store", tmp_path / "kept")
        run(folder, lost)
        shutil.rmtree(folder / "store")
        shutil.copytree(tmp_path / "kept", folder / "store")
        run(folder, after)


def test_webhook_does_not_begin_behind_the_next_block(tmp_path: Path) -> None:
    """EVT-015 refused."""

    async def body(node: Node) -> None:
        async with sending(node, tmp_path / "hooks.db") as webhooks:
            with pytest.raises(MalformedError, match="the next one, which is 1"):
                await webhooks.add("http://127.0.0.1:1/x", ALL, EventPlace(2))
            await webhooks.add("http://127.0.0.1:1/x", ALL, EventPlace(1))

    run(tmp_path / "node", body)


def test_too_many_dead_letters_halt_a_webhook_until_an_operator_retries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """EVT-012."""
    monkeypatch.setattr("yunhe.node.webhooks.delivery.WEBHOOK_DEAD_LETTERS_MAX", 1)

    async def body(node: Node) -> None:
        with receiving(lambda _: 500) as receiver:
            async with sending(node, tmp_path / "hooks.db", pauses_s=()) as webhooks:
                expected = await enrol(node, "ann", "bob")
                hook = await added(webhooks, receiver)
                await until(lambda: status(webhooks).state == "halted", "the halt")
                assert status(webhooks).dead_letters == 1
                receiver.answer = lambda _: 200
                webhooks.try_again(hook.id)
                await until(lambda: len(receiver.confirmed) == 4, "delivery")
                assert sorted(receiver.confirmed) == sorted(expected)

    run(tmp_path / "node", body)


def test_one_webhook_too_many_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("yunhe.node.webhooks.delivery.WEBHOOKS_MAX", 1)

    async def body(node: Node) -> None:
        with receiving() as receiver:
            async with sending(node, tmp_path / "hooks.db") as webhooks:
                hook = await added(webhooks, receiver)
                with pytest.raises(WebhooksFullError):
                    await added(webhooks, receiver)
                await webhooks.remove(hook.id)
                with pytest.raises(WebhookNotFoundError):
                    await webhooks.remove(hook.id)
                await added(webhooks, receiver)

    run(tmp_path / "node", body)


def test_secret_is_not_shown_again_nor_written_where_others_read(tmp_path: Path) -> None:
    async def body(node: Node) -> None:
        with receiving() as receiver:
            async with sending(node, tmp_path / "hooks.db") as webhooks:
                hook = await added(webhooks, receiver)
                assert hook.secret.startswith("whsec_")
                assert hook.secret not in repr(status(webhooks))
                assert readable_by_others(tmp_path) == []

    run(tmp_path / "node", body)


def test_private_targets_need_the_setting(tmp_path: Path) -> None:
    """EVT-014: of the node's configuration, which callers cannot change."""
    folder = make_folder(tmp_path / "node")
    allowing = replace(folder, config=replace(folder.config, webhook_private_targets=True))

    async def refuse(node: Node) -> None:
        node.start()
        with pytest.raises(WebhookTargetError):
            await node.webhooks.add("http://127.0.0.1:1/x", ALL, EventPlace(0))

    async def accept(node: Node) -> None:
        node.start()
        await node.webhooks.add("http://127.0.0.1:1/x", ALL, node.events.end())

    run_node(folder, refuse)
    run_node(allowing, accept)
