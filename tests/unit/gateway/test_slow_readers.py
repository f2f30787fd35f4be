"""Clients that take what they asked for slowly, or not at all: they are cut off, or cost the node nothing (API-013, EVT-005)."""

import asyncio
import json
import socket
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.unit.gateway.served_node import CBOR, TOKEN, serve
from tests.unit.gateway.test_submission_routes import enrol
from tests.unit.node.open_node import DEADLINE_S
from yunhe.gateway import event_routes, server
from yunhe.gateway.server import listen
from yunhe.node import Node


def test_client_that_takes_nothing_is_cut_off_by_the_system_and_one_that_reads_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """API-013: what is sent to it is not kept for ever."""
    monkeypatch.setattr(server, "CONNECTION_STUCK_MS_MAX", 300)
    with listen("127.0.0.1", 0) as listener:
        for is_reading in (True, False):
            with socket.socket() as client:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                client.connect(listener.getsockname())
                connection, _ = listener.accept()
                with connection:
                    connection.settimeout(DEADLINE_S)
                    if is_reading:
                        connection.sendall(bytes(1000))
                        assert len(client.recv(1000, socket.MSG_WAITALL)) == 1000
                    else:
                        with pytest.raises(TimeoutError) as refused:
                            connection.sendall(bytes(100_000_000))
                        # The system's own, and not that of the test, which has no number.
                        assert refused.value.errno is not None


def test_stream_reads_no_further_than_its_reader_takes_and_misses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """EVT-005: events that nobody takes stay on the disk; a reader that goes away gives its place back."""
    monkeypatch.setattr(event_routes, "_STREAM_ROWS", 1)

    async def ask(node: Node, client: httpx.AsyncClient) -> None:
        reads = 0
        real = node.events.read

        def counted(*arguments: Any) -> Any:
            nonlocal reads
            reads += 1
            return real(*arguments)

        monkeypatch.setattr(node.events, "read", counted)
        taken: asyncio.Queue[str] = asyncio.Queue()
        may_take = asyncio.Semaphore(1)
        is_gone = asyncio.Event()

        async def send(message: Any) -> None:
            if message["type"] == "http.response.body":
                await may_take.acquire()
                taken.put_nowait(message["body"].decode())

        asked = iter([{"type": "http.request", "body": b"", "more_body": False}])

        async def receive() -> Any:
            for message in asked:
                return message
            await is_gone.wait()
            return {"type": "http.disconnect"}

        path = "/v1/events/stream"
        scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": "GET",
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"from_height=0",
            "headers": [(b"host", b"node"), (b"authorization", f"Bearer {TOKEN}".encode())],
            "client": ("127.0.0.1", 1),
            "server": ("node", 80),
            "state": {},
        }
        transport: Any = client._transport
        streaming = asyncio.create_task(transport.app(scope, receive, send))
        assert (await asyncio.wait_for(taken.get(), DEADLINE_S)).startswith(":")
        for member in "abcdef":
            made = enrol(node, member)
            await client.post("/v1/transactions", content=made.encoded, headers=CBOR, timeout=DEADLINE_S)
        # One read is in hand and waits for its reader; the others were not made.
        assert reads <= 2
        found = []
        while len(found) < 12:
            may_take.release()
            found += [part for part in (await asyncio.wait_for(taken.get(), DEADLINE_S)).split("\n\n") if "data" in part]
        identifiers = [json.loads(part.partition("data: ")[2])["id"] for part in found]
        assert identifiers == [f"{height}.0.{index}" for height in range(1, 7) for index in range(2)]
        is_gone.set()
        for _ in range(3):
            may_take.release()
        await asyncio.wait_for(streaming, DEADLINE_S)

    serve(tmp_path, ask)
