"""Who may ask what: every route of the server, for every kind of token, with the status that API-002 and API-031 to API-032 give it."""

from dataclasses import dataclass
from pathlib import Path

import httpx
from fastapi import FastAPI
from fastapi.routing import APIRoute, APIRouter

from tests.unit.gateway.served_node import PROBLEM, TOKEN, serve
from tools.reference.pages import openapi
from yunhe.gateway.app import create_app
from yunhe.gateway.scopes import needed_scope
from yunhe.node import Node
from yunhe.node.node import clock_ms
from yunhe.node.tokens import AUDIT, OPERATE, READ, SCOPES, SUBMIT, AccessTokens, create_token, revoke_token

ID = "ab" * 32
RECORD = "/v1/contracts/registry/tables/members/record"


@dataclass(frozen=True, slots=True)
class Row:
    """A route, who may ask it, and what it says to who may."""

    scope: str | None
    """Needed; None: open to everyone."""
    path: str
    """One of the route's, to ask without a body."""
    status: int
    """Answer of the route itself to that: what it has not is not found, what it cannot read is malformed."""


TABLE = {
    # API-002: open.
    "GET /openapi.json": Row(None, "/openapi.json", 200),
    "GET /docs": Row(None, "/docs", 200),
    "GET /v1/health": Row(None, "/v1/health", 200),
    "GET /v1/ready": Row(None, "/v1/ready", 200),
    "GET /v1/version": Row(None, "/v1/version", 200),
    # API-021: the member's signature decides.
    "POST /v1/relay": Row(None, "/v1/relay", 400),
    # API-031: metrics.
    "GET /metrics": Row(AUDIT, "/metrics", 200),
    # API-031: to hand in transactions.
    "POST /v1/transactions": Row(SUBMIT, "/v1/transactions", 400),
    "POST /v1/transactions/batch": Row(SUBMIT, "/v1/transactions/batch", 400),
    # API-031: webhooks.
    "GET /v1/webhooks": Row(OPERATE, "/v1/webhooks", 200),
    "POST /v1/webhooks": Row(OPERATE, "/v1/webhooks", 400),
    "DELETE /v1/webhooks/{webhook_id}": Row(OPERATE, f"/v1/webhooks/{ID}", 400),
    "GET /v1/webhooks/{webhook_id}/dead-letters": Row(OPERATE, f"/v1/webhooks/{ID}/dead-letters", 400),
    "POST /v1/webhooks/{webhook_id}/dead-letters/retry": Row(OPERATE, f"/v1/webhooks/{ID}/dead-letters/retry", 400),
    # API-031: everything else.
    "GET /v1/status": Row(READ, "/v1/status", 200),
    "GET /v1/blocks": Row(READ, "/v1/blocks", 200),
    "GET /v1/blocks/{height}": Row(READ, "/v1/blocks/0", 200),
    "GET /v1/blocks/{height}/record": Row(READ, "/v1/blocks/0/record", 200),
    "GET /v1/contracts/{contract}/tables/{table}/record": Row(READ, RECORD + '?key=["port","nobody"]', 404),
    "GET /v1/contracts/{contract}/tables/{table}/record/versions": Row(READ, RECORD + '/versions?key=["port","nobody"]', 200),
    "GET /v1/contracts/{contract}/tables/{table}/records": Row(READ, f"{RECORD}s", 200),
    "POST /v1/contracts/{contract}/views/{view}": Row(READ, "/v1/contracts/none/views/none", 400),
    "POST /v1/contracts/{contract}/views/{view}/cbor": Row(READ, "/v1/contracts/none/views/none/cbor", 400),
    "GET /v1/checkpoint": Row(READ, "/v1/checkpoint", 200),
    "GET /v1/events": Row(READ, "/v1/events", 200),
    "GET /v1/events/stream": Row(READ, "/v1/events/stream", 200),
    "POST /v1/proofs": Row(READ, "/v1/proofs", 400),
    "GET /v1/receipts/{transaction_id}": Row(READ, f"/v1/receipts/{ID}", 404),
    "GET /v1/transactions/{transaction_id}": Row(READ, f"/v1/transactions/{ID}", 404),
    "POST /v1/transactions/simulate": Row(READ, "/v1/transactions/simulate", 400),
}
"""All routes. Who adds one decides here who may ask it."""

_UNKNOWN = "stranger." + "x" * 43
_NOBODY = {"no token": None, "not a bearer": f"Basic {TOKEN}", "unknown": f"Bearer {_UNKNOWN}", "wrong secret": "Bearer read." + "x" * 43}


def routes(app: FastAPI) -> set[str]:
    """Return all routes of an app, those that its description leaves out too."""
    found: set[str] = set()
    for part in app.routes:
        router = getattr(part, "original_router", None)
        assert isinstance(router, APIRouter), part
        for route in router.routes:
            assert isinstance(route, APIRoute), route
            found |= {f"{method} {route.path_format}" for method in route.methods}
    return found


def test_every_route_of_the_server_is_in_the_table(tmp_path: Path) -> None:
    """API-031 refused: a route that nobody decided about."""

    async def ask(node: Node, _client: httpx.AsyncClient) -> None:
        assert routes(create_app(node, AccessTokens(TOKEN, None, clock_ms))) == set(TABLE)

    serve(tmp_path, ask)


def test_description_names_the_scope_of_the_table() -> None:
    """API-031: in the description too, and for HEAD as for GET."""
    described = {
        f"{method.upper()} {path}": operation["security"]
        for path, operations in openapi()["paths"].items()
        for method, operation in operations.items()
    }
    hidden = {"GET /openapi.json", "GET /docs"}
    wanted = {route: [] if row.scope is None else [{"token": [row.scope]}] for route, row in TABLE.items()}
    assert described == {route: security for route, security in wanted.items() if route not in hidden}
    for route, row in TABLE.items():
        method, _, path = route.partition(" ")
        assert needed_scope(method, path) == row.scope
        if method == "GET":
            assert needed_scope("HEAD", path) == row.scope


def expected(row: Row, presented: str) -> tuple[int, str | None]:
    """Return status and code that the rules give; the code is None where the route itself answers."""
    if row.scope is None:
        return row.status, None
    if presented in SCOPES or presented == "operator":
        return (row.status, None) if presented in (row.scope, "operator") else (403, "SCOPE_MISSING")
    return 401, {"revoked": "TOKEN_REVOKED", "expired": "TOKEN_EXPIRED"}.get(presented, "TOKEN_WRONG")


def test_each_route_answers_each_kind_of_token_by_the_rules(tmp_path: Path) -> None:
    """API-002, API-031, API-032: accepted with the one scope, or open to all; refused to everyone else, before the route is asked."""
    folder = tmp_path / "node"
    (folder / "secrets").mkdir(parents=True)
    tokens = {scope: create_token(folder, scope, [scope], 3_600_000, clock_ms())[1] for scope in SCOPES}
    tokens |= {"operator": TOKEN, "expired": create_token(folder, "expired", SCOPES, 1, clock_ms() - 1)[1]}
    tokens["revoked"] = create_token(folder, "revoked", SCOPES, 3_600_000, clock_ms())[1]
    revoke_token(folder, "revoked", clock_ms())
    presented = _NOBODY | {kind: f"Bearer {token}" for kind, token in tokens.items()}

    async def ask(_node: Node, client: httpx.AsyncClient) -> None:
        del client.headers["Authorization"]
        for route, row in TABLE.items():
            method = route.partition(" ")[0]
            # A stream has no end; its head has.
            method = "HEAD" if route.endswith("/stream") else method
            for kind, authorization in presented.items():
                answer = await client.request(method, row.path, headers={"Authorization": authorization} if authorization else {})
                status, code = expected(row, kind)
                assert answer.status_code == status, (route, kind)
                if code is not None:
                    assert answer.headers["content-type"] == PROBLEM
                    assert answer.headers["www-authenticate"].startswith("Bearer")
                    assert method == "HEAD" or answer.json()["code"] == code, (route, kind)
                if code == "SCOPE_MISSING":
                    assert answer.headers["www-authenticate"] == f'Bearer error="insufficient_scope", scope="{row.scope}"'

    # The folder of a node has to be empty when it is made.
    serve(tmp_path / "other", ask, AccessTokens(TOKEN, folder, clock_ms))
