"""API-031: which scope each route needs, and what those get who do not have it."""

from pathlib import Path

import httpx
import pytest

from tests.unit.gateway.served_node import PROBLEM, TOKEN, serve
from tools.reference.pages import openapi
from yunhe.gateway.scopes import needed_scope
from yunhe.node import Node
from yunhe.node.node import clock_ms
from yunhe.node.tokens import AUDIT, OPERATE, READ, SCOPES, SUBMIT, AccessTokens, create_token, revoke_token

NEEDED = {
    "GET /metrics": AUDIT,
    "GET /v1/health": None,
    "GET /v1/ready": None,
    "GET /v1/version": None,
    "GET /v1/status": READ,
    "GET /v1/blocks": READ,
    "GET /v1/blocks/{height}": READ,
    "GET /v1/blocks/{height}/record": READ,
    "GET /v1/contracts/{contract}/tables/{table}/record": READ,
    "GET /v1/contracts/{contract}/tables/{table}/records": READ,
    "POST /v1/contracts/{contract}/views/{view}": READ,
    "POST /v1/contracts/{contract}/views/{view}/cbor": READ,
    "GET /v1/checkpoint": READ,
    "GET /v1/events": READ,
    "GET /v1/events/stream": READ,
    "POST /v1/proofs": READ,
    "GET /v1/receipts/{transaction_id}": READ,
    "GET /v1/transactions/{transaction_id}": READ,
    "POST /v1/transactions/simulate": READ,
    "POST /v1/transactions": SUBMIT,
    "POST /v1/transactions/batch": SUBMIT,
    "GET /v1/webhooks": OPERATE,
    "POST /v1/webhooks": OPERATE,
    "DELETE /v1/webhooks/{webhook_id}": OPERATE,
    "GET /v1/webhooks/{webhook_id}/dead-letters": OPERATE,
    "POST /v1/webhooks/{webhook_id}/dead-letters/retry": OPERATE,
}
"""All routes. Who adds one decides here who may ask it."""


def test_every_route_needs_the_scope_that_was_decided_for_it() -> None:
    """API-031: in the node and in its description."""
    described = {}
    for path, operations in openapi()["paths"].items():
        for method, operation in operations.items():
            described[f"{method.upper()} {path}"] = operation["security"]
    assert {route: [] if scope is None else [{"token": [scope]}] for route, scope in NEEDED.items()} == described
    for route, scope in NEEDED.items():
        method, _, path = route.partition(" ")
        assert needed_scope(method, path) == scope
        if method == "GET":
            assert needed_scope("HEAD", path) == scope


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "BREW"])
def test_change_that_nobody_thought_of_needs_the_scope_of_operators(method: str) -> None:
    """API-031 refused: a new route is not open to whoever may read."""
    assert needed_scope(method, "/v1/anything") == OPERATE


def test_token_is_accepted_where_it_has_the_scope_and_refused_elsewhere(tmp_path: Path) -> None:
    """API-031, API-032: each scope against each route; the header says why, as RFC 6750 has it."""
    folder = tmp_path / "node"
    (folder / "secrets").mkdir(parents=True)
    tokens = {scope: create_token(folder, scope, [scope], 3_600_000, clock_ms())[1] for scope in SCOPES}
    access = AccessTokens(TOKEN, folder, clock_ms)

    async def ask(_node: Node, client: httpx.AsyncClient) -> None:
        for scope, token in tokens.items():
            for route, needed in NEEDED.items():
                method, _, path = route.partition(" ")
                if path.endswith("/stream"):
                    continue
                answer = await client.request(method, path, headers={"Authorization": f"Bearer {token}"})
                if needed in (None, scope):
                    assert answer.status_code not in (401, 403), route
                else:
                    assert (answer.status_code, answer.json()["code"]) == (403, "SCOPE_MISSING"), route
                    assert answer.headers["content-type"] == PROBLEM
                    assert answer.headers["www-authenticate"] == f'Bearer error="insufficient_scope", scope="{needed}"'

    # The folder of a node has to be empty when it is made.
    serve(tmp_path / "other", ask, access)


def test_refusals_of_tokens_have_codes_and_a_challenge(tmp_path: Path) -> None:
    """API-032 refused: in none of them is anything of the token."""
    folder = tmp_path / "node"
    (folder / "secrets").mkdir(parents=True)
    _, revoked = create_token(folder, "revoked", [READ], 3_600_000, clock_ms())
    revoke_token(folder, "revoked", clock_ms())
    _, expired = create_token(folder, "expired", [READ], 1, clock_ms() - 1)
    access = AccessTokens(TOKEN, folder, clock_ms)

    async def ask(_node: Node, client: httpx.AsyncClient) -> None:
        invalid = 'Bearer error="invalid_token"'
        for authorization, code, challenge in (
            ("", "TOKEN_WRONG", "Bearer"),
            (f"Basic {TOKEN}", "TOKEN_WRONG", "Bearer"),
            ("Bearer", "TOKEN_WRONG", invalid),
            ("Bearer unknown.secret", "TOKEN_WRONG", invalid),
            (f"Bearer {revoked}", "TOKEN_REVOKED", invalid),
            (f"bearer {expired}", "TOKEN_EXPIRED", invalid),
        ):
            answer = await client.get("/v1/status", headers={"Authorization": authorization})
            assert (answer.status_code, answer.json()["code"]) == (401, code)
            assert answer.headers["www-authenticate"] == challenge
            assert not any(token.partition(".")[2] in answer.text for token in (revoked, expired))

    serve(tmp_path / "other", ask, access)


def test_unreadable_register_is_told_without_its_place(tmp_path: Path) -> None:
    """API-033 refused: a stranger learns no path; the operator goes on."""
    folder = tmp_path / "node"
    (folder / "secrets").mkdir(parents=True)
    access = AccessTokens(TOKEN, folder, clock_ms)
    (folder / "secrets" / "tokens.json").write_text("?")

    async def ask(_node: Node, client: httpx.AsyncClient) -> None:
        answer = await client.get("/v1/status", headers={"Authorization": "Bearer some.token"})
        assert (answer.status_code, answer.json()["code"]) == (503, "TOKENS_UNREADABLE")
        assert str(tmp_path) not in answer.text
        assert (await client.get("/v1/status")).status_code == 200

    serve(tmp_path / "other", ask, access)
