"""API-019: a node says whether it takes transactions, and why not."""

import shutil
from collections import namedtuple
from pathlib import Path

import httpx
import pytest

from tests.unit.gateway.served_node import serve
from yunhe.limits import DISK_FREE_BYTES_MIN
from yunhe.node import Node
from yunhe.node import node as node_module

Usage = namedtuple("Usage", ["total", "used", "free"])


@pytest.mark.parametrize(("free", "status"), [(DISK_FREE_BYTES_MIN, 200), (DISK_FREE_BYTES_MIN - 1, 503)])
def test_node_is_ready_while_the_disk_has_room_for_the_largest_block(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, status: int
) -> None:
    """API-019."""
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: Usage(2 * free, free, free))

    async def ask(_node: Node, client: httpx.AsyncClient) -> None:
        answer = await client.get("/v1/ready", headers={"Authorization": ""})
        assert (answer.status_code, answer.json()["ready"]) == (status, status == 200)
        assert ("make room" in (answer.json()["reason"] or "")) == (status == 503)
        assert (await client.get("/v1/health")).status_code == 200

    serve(tmp_path, ask)


def test_node_where_no_more_transactions_can_wait_is_not_ready(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """API-019 refused."""
    monkeypatch.setattr(node_module, "PENDING_TRANSACTIONS_MAX", 0)

    async def ask(_node: Node, client: httpx.AsyncClient) -> None:
        answer = await client.get("/v1/ready")
        assert (answer.status_code, answer.json()) == (503, {"ready": False, "reason": "too many transactions wait for a block"})

    serve(tmp_path, ask)


def test_node_that_stops_is_not_ready(tmp_path: Path) -> None:
    """API-019 refused."""

    async def ask(node: Node, client: httpx.AsyncClient) -> None:
        assert (await client.get("/v1/ready")).status_code == 200
        node._stopping = True
        answer = await client.get("/v1/ready")
        assert (answer.status_code, answer.json()["reason"]) == (503, "the node is stopping")
        assert (await client.get("/v1/health")).status_code == 503

    serve(tmp_path, ask)
