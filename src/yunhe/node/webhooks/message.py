"""What a webhook carries: an event as CloudEvents 1.0 in its JSON form, signed as `yunhe.sdk.webhooks` says."""

import base64
import json
import secrets
from datetime import UTC, datetime
from typing import Final

from yunhe.node.events import PlacedEvent
from yunhe.sdk.webhooks import SECRET_PREFIX, webhook_signature

MEDIA_TYPE: Final = "application/cloudevents+json"
_SECRET_BYTES: Final = 32


def cloud_event(placed: PlacedEvent, network_id: bytes) -> bytes:
    """Return the body of a webhook.

    Args:
        placed: the event.
        network_id: of the ledger, which with the event's identifier makes it unique in the world.
    """
    moment = datetime.fromtimestamp(placed.time_ms // 1000, UTC)
    # EVT-011
    envelope = {
        "specversion": "1.0",
        "id": str(placed.place),
        "source": f"urn:yunhe:{network_id.hex()}",
        "type": f"yunhe.{placed.event.contract}.{placed.event.name}",
        "subject": placed.transaction_id.hex(),
        "time": f"{moment:%Y-%m-%dT%H:%M:%S}.{placed.time_ms % 1000:03d}Z",
        "datacontenttype": "application/json",
        "data": placed.to_json(),
    }
    return json.dumps(envelope, ensure_ascii=False, separators=(",", ":")).encode()


def new_secret() -> str:
    """Return a fresh secret, in the standard's text form."""
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def signed_headers(secret: str, event_id: str, time_s: int, body: bytes) -> dict[str, str]:
    """Return the headers that a webhook is sent with.

    Args:
        secret: as `new_secret` makes it.
        event_id: the event's identifier.
        time_s: time of sending, seconds since 1970-01-01 UTC.
        body: what is sent.
    """
    return {
        "Content-Type": MEDIA_TYPE,
        "webhook-id": event_id,
        "webhook-timestamp": str(time_s),
        "webhook-signature": webhook_signature(secret, event_id, time_s, body),
    }
