"""Webhooks of a node: how an operator registers them, and their signatures, with which a receiver knows the node.

A signature is what Standard Webhooks 1.0 says: an HMAC-SHA256, under a secret that node and receiver share, over the event's identifier,
the time of sending and the body, so a receiver can refuse what is forged or played back.
"""

import base64
import hashlib
import hmac
import secrets
import time
from collections.abc import Iterator, Mapping
from typing import Any, Final, Protocol

import httpx

from yunhe.errors import BadAnswerError, InvalidKeyError, WebhookSignatureError
from yunhe.limits import INTEGER_MAX
from yunhe.sdk.answers import json_object, pages

SECRET_PREFIX: Final = "whsec_"  # noqa: S105  # what every secret of the standard begins with
_TOLERANCE_S: Final = 300


def webhook_signature(secret: str, event_id: str, time_s: int, body: bytes) -> str:
    """Return the value of the header `webhook-signature`.

    Args:
        secret: `whsec_` and the key in base64.
        event_id: the event's identifier, in the header `webhook-id`.
        time_s: time of sending in the header `webhook-timestamp`, seconds since 1970-01-01 UTC.
        body: what is sent.

    Raises:
        InvalidKeyError: the secret is not of this form.
    """
    try:
        key = base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except ValueError as error:
        raise InvalidKeyError("the secret of a webhook is whsec_ and base64") from error
    mac = hmac.digest(key, f"{event_id}.{time_s}.".encode() + body, hashlib.sha256)
    return "v1," + base64.b64encode(mac).decode()


def verify_webhook(secret: str, headers: Mapping[str, str], body: bytes, *, now_s: int | None = None) -> str:
    """Verify that a webhook came from the node that shares the secret, and lately.

    Args:
        secret: as the node gave it when the webhook was registered.
        headers: of the request, by lower-case name.
        body: of the request, as it came.
        now_s: seconds since 1970-01-01 UTC; this machine's time when None.

    Returns:
        The event's identifier; who keeps it can tell an event that is sent twice.

    Raises:
        WebhookSignatureError: a header is missing, the signature is wrong, or it was sent more than five minutes from now.
        InvalidKeyError: the secret is not of its form.
    """
    # EVT-011
    event_id, sent, signatures = (headers.get(name, "") for name in ("webhook-id", "webhook-timestamp", "webhook-signature"))
    if not sent.isascii() or not sent.isdigit() or len(sent) > 12:
        raise WebhookSignatureError("the request has no time in `webhook-timestamp`")
    expected = webhook_signature(secret, event_id, int(sent), body).encode()
    if not any(hmac.compare_digest(expected, signature.encode()) for signature in signatures.split(" ")):
        raise WebhookSignatureError("the signature is not of the node that shares this secret, over this body")
    if abs(int(sent) - (int(time.time()) if now_s is None else now_s)) > _TOLERANCE_S:
        raise WebhookSignatureError("the request was signed more than five minutes from now: played back, or a clock is wrong")
    return event_id


class Ask(Protocol):
    """Sends one request to the node; raises what it refuses."""

    def __call__(self, method: str, path: str, **options: Any) -> httpx.Response:  # noqa: ANN401  # httpx's options
        """Return the node's answer."""
        ...


class WebhookRegister:
    """The webhooks of a node, as `Client.webhooks` has them. A webhook is {id, url, contract, event, where, state, …}."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    def add(
        self,
        url: str,
        contract: str | None = None,
        event: str | None = None,
        where: Mapping[str, str | int | bool | None] | None = None,
        *,
        from_height: int | None = None,
    ) -> dict[str, Any]:
        """Register a webhook and return it with its `secret`, which is shown only now.

        Args:
            url: https address that events are posted to.
            contract: events of this contract only.
            event: events of this class only.
            where: fields and the values that they must have.
            from_height: first block to look at; the next one when None.

        Raises:
            WebhookTargetError: the node may not send there.
            WebhooksFullError: the node has as many as it can have.
        """
        wanted = {"url": url, "contract": contract, "event": event, "where": dict(where or {}), "from_height": from_height}
        # A connection can break after the node has done it, and then the request is sent again.
        headers = {"Idempotency-Key": secrets.token_hex(16)}
        return json_object(self._ask("POST", "/v1/webhooks", json=wanted, headers=headers))

    def all(self, contract: str | None = None, state: str | None = None) -> list[dict[str, Any]]:
        """Return all webhooks and how each is, oldest first.

        Args:
            contract: those with events of this contract only.
            state: those that are `running`, `failing` or `halted` only.
        """
        wanted = {"contract": contract, "state": state}
        return list(self._pages("/v1/webhooks", {name: value for name, value in wanted.items() if value is not None}))

    def remove(self, webhook: str) -> None:
        """Remove a webhook with its dead letters; raises WebhookNotFoundError."""
        self._ask("DELETE", f"/v1/webhooks/{webhook}")

    def dead_letters(self, webhook: str, *, again: bool | None = None, limit: int | None = None) -> Iterator[dict[str, Any]]:
        """Yield the events that could not be delivered as {event, reason, time_ms, again}, oldest first.

        Args:
            webhook: its identifier.
            again: those that wait to be tried again, or those that do not; None for all.
            limit: how many at most; None for all.

        Raises:
            WebhookNotFoundError: there is none with this identifier.
        """
        wanted = {} if again is None else {"again": str(again).lower()}
        return self._pages(f"/v1/webhooks/{webhook}/dead-letters", wanted, limit)

    def _pages(self, path: str, wanted: Mapping[str, str], limit: int | None = None) -> Iterator[dict[str, Any]]:
        return pages(lambda page: json_object(self._ask("GET", path, params={**wanted, **page})), INTEGER_MAX if limit is None else limit)

    def try_again(self, webhook: str) -> int:
        """Try all dead letters once more, set a halted webhook going, and return how many there are; raises WebhookNotFoundError."""
        count = json_object(self._ask("POST", f"/v1/webhooks/{webhook}/dead-letters/retry")).get("count")
        if type(count) is not int:
            raise BadAnswerError("the node does not say how many dead letters it tries again")
        return count
