"""API-031 to API-033: what the table of `test_access_table` has no row for, and refusals of tokens to the letter."""

from pathlib import Path

import httpx
import pytest

from tests.unit.gateway.served_node import TOKEN, serve
from yunhe.gateway.scopes import needed_scope
from yunhe.node import Node
from yunhe.node.node import clock_ms
from yunhe.node.tokens import OPERATE, READ, AccessTokens, create_token, revoke_token


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "BREW"])
def test_change_that_nobody_thought_of_needs_the_scope_of_operators(method: str) -> None:
    """API-031 refused: a new route is not open to whoever may read."""
    assert needed_scope(method, "/v1/anything") == OPERATE


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
