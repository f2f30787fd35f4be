"""Routes that register webhooks, show how they are, and try again what could not be delivered."""

import re
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Header, Path, Query

from yunhe.gateway.event_routes import parse_conditions
from yunhe.gateway.models import (
    CONTRACT_PATTERN,
    DeadLetterBody,
    DeadLetterPage,
    NewWebhookBody,
    RetryBody,
    WebhookBody,
    WebhookPage,
    WebhookRequest,
)
from yunhe.gateway.pages import AnyPage, wrong_cursor
from yunhe.gateway.strict_route import StrictRoute
from yunhe.limits import INTEGER_MAX
from yunhe.node import EventFilter, EventPlace, Node
from yunhe.node.webhooks import Hook, HookStatus

_PLACE: Final = re.compile("(0|[1-9][0-9]{0,18})[.]([0-9a-f]{16})")
"""Where a list of webhooks goes on: time and identifier of the last one of the page before."""
IdempotencyKey = Annotated[
    str | None,
    Header(pattern="^[A-Za-z0-9._:-]{16,64}$", description="random; who sends it again, with the same request, gets the first answer"),
]
WebhookId = Annotated[str, Path(pattern="^[0-9a-f]{16}$")]


def webhook_routes(node: Node) -> APIRouter:
    """Return the routes that look after webhooks."""
    router = APIRouter(prefix="/v1/webhooks", route_class=StrictRoute, tags=["events"])

    @router.post("", status_code=201)
    async def add(request: WebhookRequest, idempotency_key: IdempotencyKey = None) -> NewWebhookBody:
        """Register a webhook. Its secret is in this answer and in no other, but for the same request with the same `Idempotency-Key`."""
        wanted = EventFilter(request.contract, request.event, parse_conditions(request.where))
        start = node.events.end() if request.from_height is None else EventPlace(request.from_height)
        hook = await node.webhooks.add(request.url, wanted, start, idempotency_key)
        shown = _body(HookStatus(hook, "running", None, 0, 0))
        return NewWebhookBody(**shown.model_dump(), secret=hook.secret)

    @router.get("")
    async def webhooks(
        page: AnyPage,
        contract: Annotated[str | None, Query(pattern=CONTRACT_PATTERN, description="those with events of this contract only")] = None,
        state: Annotated[Literal["running", "failing", "halted"] | None, Query(description="those that are in this state")] = None,
    ) -> WebhookPage:
        """Return webhooks and how each is, oldest first."""
        after = _after(page.cursor)
        found = [
            status
            for status in node.webhooks.all()
            if contract in (None, status.hook.filter.contract) and state in (None, status.state) and _place(status.hook) > after
        ]
        shown = found[: page.limit]
        following = None if len(found) <= page.limit else "{}.{}".format(*_place(shown[-1].hook))
        return WebhookPage(items=[_body(status) for status in shown], next=following)

    @router.delete("/{webhook_id}", status_code=204)
    async def remove(webhook_id: WebhookId) -> None:
        """Remove a webhook with its dead letters."""
        await node.webhooks.remove(webhook_id)

    @router.get("/{webhook_id}/dead-letters")
    async def dead_letters(
        webhook_id: WebhookId,
        page: AnyPage,
        again: Annotated[bool | None, Query(description="those that wait to be tried again, or those that do not")] = None,
    ) -> DeadLetterPage:
        """Return the events that could not be delivered, oldest first."""
        found = node.webhooks.dead_letters(webhook_id, page.limit + 1, page.height(1, INTEGER_MAX) or 0, again=again)
        items = [DeadLetterBody(event=d.event, reason=d.reason, time_ms=d.time_ms, again=d.again) for _, d in found[: page.limit]]
        return DeadLetterPage(items=items, next=str(found[page.limit - 1][0]) if len(found) > page.limit else None)

    @router.post("/{webhook_id}/dead-letters/retry", status_code=202)
    async def retry(webhook_id: WebhookId) -> RetryBody:
        """Try all dead letters of a webhook once more, and set a halted one going."""
        return RetryBody(count=node.webhooks.try_again(webhook_id))

    return router


def _place(hook: Hook) -> tuple[int, str]:
    return hook.created_ms, hook.id


def _after(cursor: str | None) -> tuple[int, str]:
    if cursor is None:
        return (-1, "")
    found = _PLACE.fullmatch(cursor)
    if found is None:
        raise wrong_cursor()
    return int(found[1]), found[2]


def _body(status: HookStatus) -> WebhookBody:
    hook = status.hook
    return WebhookBody.model_validate(
        {
            "id": hook.id,
            "url": hook.url,
            "contract": hook.filter.contract,
            "event": hook.filter.name,
            "where": dict(hook.filter.where),
            "created_ms": hook.created_ms,
            "reached": hook.reached,
            "state": status.state,
            "reason": status.reason,
            "attempts": status.attempts,
            "dead_letters": status.dead_letters,
        }
    )
