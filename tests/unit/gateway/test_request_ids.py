"""API-015: the names of requests in the log."""

import asyncio
from pathlib import Path

import httpx
import pytest
import structlog
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs

from tests.unit.gateway.served_node import PROBLEM, serve
from yunhe.gateway.request_ids import current_request_id
from yunhe.node import Node


def test_failure_of_ours_is_found_in_the_log_by_the_name_in_its_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """API-015: the caller learns the name and no more; the log has the cause."""

    async def ask(node: Node, client: httpx.AsyncClient) -> None:
        def broken() -> None:
            raise RuntimeError("out of cheese")

        monkeypatch.setattr(node, "status", broken)
        with capture_logs(processors=[merge_contextvars]) as lines:
            answer = await client.get("/v1/status", headers={"X-Request-Id": "mine"})
        assert (answer.status_code, answer.headers["content-type"], answer.headers["x-request-id"]) == (500, PROBLEM, "mine")
        assert answer.json()["request_id"] == "mine"
        assert "cheese" not in answer.text
        (line,) = [line for line in lines if line["event"] == "request failed"]
        assert (line["request_id"], str(line["exc_info"])) == ("mine", "out of cheese")

    serve(tmp_path, ask)


def test_answers_are_logged_under_their_names_without_query_and_token(tmp_path: Path) -> None:
    """API-015: two requests at once do not take each other's name."""

    async def ask(_node: Node, client: httpx.AsyncClient) -> None:
        with capture_logs(processors=[merge_contextvars]) as lines:
            await asyncio.gather(*(client.get("/v1/blocks?limit=7", headers={"X-Request-Id": f"r{n}"}) for n in range(8)))
        answered = [line for line in lines if line["event"] == "answered"]
        assert {line["request_id"] for line in answered} == {f"r{n}" for n in range(8)}
        assert {(line["method"], line["path"], line["status"]) for line in answered} == {("GET", "/v1/blocks", 200)}
        assert "limit" not in str(answered)
        assert "Bearer" not in str(answered)

    serve(tmp_path, ask)
    structlog.contextvars.clear_contextvars()
    assert current_request_id() is None
