"""API-050 to API-052: what each route promises, and how one goes."""

from pathlib import Path

import httpx
import pytest

from tests.unit.gateway.served_node import serve
from tools.reference.pages import openapi
from yunhe.gateway import route_states, strict_route
from yunhe.gateway.route_states import DEPRECATED, PROVISIONAL, Deprecation
from yunhe.node import Node

STATES = {
    "DELETE /v1/webhooks/{webhook_id}": "stable",
    "GET /metrics": "provisional",
    "GET /v1/blocks": "stable",
    "GET /v1/blocks/{height}": "stable",
    "GET /v1/blocks/{height}/record": "stable",
    "GET /v1/checkpoint": "stable",
    "GET /v1/contracts/{contract}/tables/{table}/record": "stable",
    "GET /v1/contracts/{contract}/tables/{table}/record/versions": "stable",
    "GET /v1/contracts/{contract}/tables/{table}/records": "stable",
    "GET /v1/events": "stable",
    "GET /v1/events/stream": "stable",
    "GET /v1/health": "stable",
    "GET /v1/ready": "stable",
    "GET /v1/receipts/{transaction_id}": "stable",
    "GET /v1/status": "stable",
    "GET /v1/transactions/{transaction_id}": "stable",
    "GET /v1/version": "stable",
    "GET /v1/webhooks": "stable",
    "GET /v1/webhooks/{webhook_id}/dead-letters": "stable",
    "POST /v1/contracts/{contract}/views/{view}": "stable",
    "POST /v1/contracts/{contract}/views/{view}/cbor": "stable",
    "POST /v1/proofs": "stable",
    "POST /v1/relay": "provisional",
    "POST /v1/transactions": "stable",
    "POST /v1/transactions/batch": "stable",
    "POST /v1/transactions/simulate": "provisional",
    "POST /v1/webhooks": "stable",
    "POST /v1/webhooks/{webhook_id}/dead-letters/retry": "stable",
}
"""All routes. Who adds one decides here what it promises; who takes a stable one away breaks API-050."""

GOING = Deprecation(1_800_000_000, 1_832_000_000, "/v1/status")


def described() -> dict[str, dict]:
    return {
        f"{method.upper()} {path}": operation for path, operations in openapi()["paths"].items() for method, operation in operations.items()
    }


def test_every_route_is_in_the_state_that_was_decided_for_it() -> None:
    """API-050, API-051."""
    assert {route: operation["x-yunhe-state"] for route, operation in described().items()} == STATES


def test_what_is_not_stable_is_a_route_and_what_goes_has_its_successor() -> None:
    """API-051, API-052: no state of a route that is not there."""
    assert set(DEPRECATED) | PROVISIONAL <= set(STATES)
    assert {going.successor for going in DEPRECATED.values()} <= {route.partition(" ")[2] for route in STATES}


@pytest.fixture
def going(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (route_states, strict_route):
        monkeypatch.setattr(module, "DEPRECATED", {"GET /v1/version": GOING})


@pytest.mark.usefixtures("going")
def test_deprecated_route_says_so_in_its_answers_and_in_the_description(tmp_path: Path) -> None:
    """API-052: and no other does."""
    marked = {route: operation["x-yunhe-state"] for route, operation in described().items() if operation.get("deprecated")}
    assert marked == {"GET /v1/version": "deprecated"}

    async def ask(_node: Node, client: httpx.AsyncClient) -> None:
        answer = await client.get("/v1/version")
        assert answer.headers["deprecation"] == "@1800000000"
        assert answer.headers["sunset"] == "Thu, 20 Jan 2028 16:53:20 GMT"
        assert answer.headers["link"] == '</v1/status>; rel="successor-version"'
        assert not {"deprecation", "sunset", "link"} & set((await client.get("/v1/health")).headers)

    serve(tmp_path, ask)


def test_route_does_not_go_within_a_year() -> None:
    """API-052 refused."""
    with pytest.raises(AssertionError, match="stays for a year"):
        Deprecation(1_800_000_000, 1_800_000_000 + 364 * 86_400, "/v1/status")
