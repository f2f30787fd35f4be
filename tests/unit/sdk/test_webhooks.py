"""Signatures of webhooks."""

import pytest

from yunhe.errors import InvalidKeyError, WebhookSignatureError
from yunhe.sdk import verify_webhook, webhook_signature

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
"""With the message and signature below, the example of the Standard Webhooks specification, section "Signature scheme"."""
BODY = b'{"test": 2432232314}'
EVENT, TIME_S = "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def headers(**changes: str) -> dict[str, str]:
    return {"webhook-id": EVENT, "webhook-timestamp": str(TIME_S), "webhook-signature": SIGNATURE} | {
        name.replace("_", "-"): value for name, value in changes.items()
    }


def test_signature_is_that_of_the_standard() -> None:
    """EVT-011."""
    assert webhook_signature(SECRET, EVENT, TIME_S, BODY) == SIGNATURE
    assert verify_webhook(SECRET, headers(), BODY, now_s=TIME_S + 300) == EVENT
    assert verify_webhook(SECRET, headers(webhook_signature=f"v1,AAAA {SIGNATURE}"), BODY, now_s=TIME_S - 300) == EVENT


@pytest.mark.parametrize(
    ("changed", "body", "now_s"),
    [
        (headers(), BODY + b" ", TIME_S),
        (headers(webhook_id="other"), BODY, TIME_S),
        (headers(webhook_timestamp=str(TIME_S + 1)), BODY, TIME_S),
        (headers(webhook_timestamp="soon"), BODY, TIME_S),
        (headers(webhook_timestamp="9" * 30), BODY, TIME_S),
        (headers(webhook_signature=""), BODY, TIME_S),
        (headers(webhook_signature="v2" + SIGNATURE[2:]), BODY, TIME_S),
        (headers(), BODY, TIME_S + 301),
        (headers(), BODY, TIME_S - 301),
        ({}, BODY, TIME_S),
    ],
)
def test_forged_and_replayed_are_refused(changed: dict[str, str], body: bytes, now_s: int) -> None:
    """EVT-011 refused."""
    with pytest.raises(WebhookSignatureError):
        verify_webhook(SECRET, changed, body, now_s=now_s)


def test_secret_of_another_form_is_refused() -> None:
    with pytest.raises(InvalidKeyError):
        webhook_signature("whsec_!", EVENT, TIME_S, BODY)
