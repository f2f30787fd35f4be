"""What schemathesis has to know of this API: bytes are sent as they are, and which refusals no description can foresee."""

import schemathesis
from schemathesis.generation.modes import GenerationMode

BEYOND_SCHEMAS = {
    "CURSOR_INVALID",
    "MALFORMED",
    "NOT_CANONICAL",
    "WEBHOOK_TARGET_REFUSED",
}
"""Refusals of what the description allows: canonical CBOR, JSON within CBOR's values, places of this ledger, addresses of this internet."""


@schemathesis.serializer("application/cbor")
def cbor(_context: object, value: object) -> bytes:
    return value if isinstance(value, bytes) else b"\xf6"


@schemathesis.check
def described_request_is_not_refused_for_its_form(_context, response, case) -> None:
    """Hold the description to what it allows."""
    if case.meta is None or case.meta.generation.mode is not GenerationMode.POSITIVE or response.status_code != 400:
        return
    code = response.json()["code"]
    assert code in BEYOND_SCHEMAS, f"the description allows this request, and it is refused with {code}: {response.json()['detail']}"


@schemathesis.check
def refusal_is_a_problem(_context, response, _case) -> None:
    if response.status_code >= 400 and response.request.method != "HEAD":
        assert response.headers["content-type"][0] == "application/problem+json"
        assert response.json()["type"] == "urn:yunhe:error:" + response.json()["code"]
