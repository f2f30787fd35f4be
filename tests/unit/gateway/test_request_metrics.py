"""Metrics over HTTP: who may see them, and what is counted of requests."""

from pathlib import Path

import httpx
import pytest

from tests.unit.gateway.served_node import serve
from yunhe.node import Node


def counted(node: Node) -> dict[tuple[str, str, str], float]:
    """Return the answers by method, route and status."""
    return {
        (s.labels["method"], s.labels["route"], s.labels["status"]): s.value
        for family in node.metrics.families()
        for s in family.samples
        if s.name == "yunhe_http_requests_total"
    }


def test_answers_are_counted_by_declared_route_never_by_requested_path(tmp_path: Path) -> None:
    async def body(node: Node, client: httpx.AsyncClient) -> None:
        for height in (0, 0, 7, 8):
            await client.get(f"/v1/blocks/{height}")
        for path in ("/a", "/b", "/v1/c"):
            await client.get(path)
        await client.head("/v1/health")
        await client.get("/v1/status", headers={"Authorization": ""})
        assert counted(node) == {
            ("GET", "/v1/blocks/{height}", "200"): 2,
            ("GET", "/v1/blocks/{height}", "404"): 2,
            ("GET", "", "404"): 3,
            ("HEAD", "/v1/health", "200"): 1,
            # Refused before it was looked at where it would have gone.
            ("GET", "", "401"): 1,
        }

    serve(tmp_path, body)


def test_metrics_are_served_as_prometheus_reads_them(tmp_path: Path) -> None:
    async def body(_node: Node, client: httpx.AsyncClient) -> None:
        answer = await client.get("/metrics")
        assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
        assert "\nyunhe_height 0.0\n" in answer.text
        assert 'yunhe_queue_depth{queue="verification"} 0.0\n' in answer.text
        assert "# TYPE yunhe_transactions_total counter\n" in answer.text

    serve(tmp_path, body)


@pytest.mark.parametrize("authorization", ["", "Bearer x"])
def test_metrics_without_a_token_are_refused(tmp_path: Path, authorization: str) -> None:
    """API-031 refused."""

    async def body(_node: Node, client: httpx.AsyncClient) -> None:
        assert (await client.get("/metrics", headers={"Authorization": authorization})).status_code == 401

    serve(tmp_path, body)
