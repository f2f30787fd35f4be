"""Routes that register webhooks, show how they are, and try again what could not be delivered."""

from typing import Annotated

from fastapi import APIRouter, Path, Query

from yunhe.gateway.event_routes import parse_conditions
from yunhe.gateway.models import DeadLetterBody, DeadLetterPage, NewWebhookBody, RetryBody, WebhookBody, WebhookList, WebhookRequest
from yunhe.limits import INTEGER_MAX, PAGE_ROWS_MAX
from yunhe.node import EventFilter, EventPlace, Node
from yunhe.node.webhooks import HookStatus

WebhookId = Annotated[str, Path(pattern="^[0-9a-f]{16}$")]


def webhook_routes(node: Node) -> APIRouter:
    """Return the routes that look after webhooks."""
    router = APIRouter(prefix="/v1/webhooks", tags=["events"])

    @router.post("", status_code=201)
    async def add(request: WebhookRequest) -> NewWebhookBody:
        """Register a webhook. Its secret is in this answer and in no other."""
        wanted = EventFilter(request.contract, request.event, parse_conditions(request.where))
        start = node.events.end() if request.from_height is None else EventPlace(request.from_height)
        hook = await node.webhooks.add(request.url, wanted, start)
        shown = _body(HookStatus(hook, "running", None, 0, 0))
        return NewWebhookBody(**shown.model_dump(), secret=hook.secret)

    @router.get("")
    async def webhooks() -> WebhookList:
        """Return all webhooks and how each is."""
        return WebhookList(items=[_body(status) for status in node.webhooks.all()])

    @router.delete("/{webhook_id}", status_code=204)
    async def remove(webhook_id: WebhookId) -> None:
        """Remove a webhook with its dead letters."""
        await node.webhooks.remove(webhook_id)

    @router.get("/{webhook_id}/dead-letters")
    async def dead_letters(
        webhook_id: WebhookId,
        limit: Annotated[int, Query(ge=1, le=PAGE_ROWS_MAX)] = 100,
        cursor: Annotated[int, Query(ge=0, le=INTEGER_MAX, description="`next` of the page before")] = 0,
    ) -> DeadLetterPage:
        """Return the events that could not be delivered, oldest first."""
        found = node.webhooks.dead_letters(webhook_id, limit + 1, cursor)
        items = [DeadLetterBody(event=d.event, reason=d.reason, time_ms=d.time_ms, again=d.again) for _, d in found[:limit]]
        return DeadLetterPage(items=items, next=str(found[limit - 1][0]) if len(found) > limit else None)

    @router.post("/{webhook_id}/dead-letters/retry", status_code=202)
    async def retry(webhook_id: WebhookId) -> RetryBody:
        """Try all dead letters of a webhook once more, and set a halted one going."""
        return RetryBody(count=node.webhooks.try_again(webhook_id))

    return router


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
