"""The HTTP API of a node in the test's own process, asked without a network."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from pathlib import Path

import httpx

from tests.unit.node.open_node import make_folder
from yunhe.gateway.app import create_app
from yunhe.node import Node
from yunhe.node.node import clock_ms
from yunhe.node.tokens import AccessTokens

TOKEN = "token"
CBOR = {"Content-Type": "application/cbor"}
PROBLEM = "application/problem+json"


def serve(
    path: Path,
    body: Callable[[Node, httpx.AsyncClient], Awaitable[None]],
    access: AccessTokens | None = None,
    clock: Callable[[], int] = clock_ms,
    parameters: Mapping[str, int] | None = None,
    **settings: int,
) -> None:
    """Serve a new node with some settings from a folder while a test asks it, and stop it."""

    async def run() -> None:
        folder = make_folder(path / "node", parameters=parameters)
        node = Node(replace(folder, config=replace(folder.config, **settings)), clock)
        app = create_app(node, access or AccessTokens(TOKEN, None, node.clock))
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        headers = {"Authorization": f"Bearer {TOKEN}"}
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=transport, base_url="http://node", headers=headers) as client,
        ):
            await body(node, client)

    asyncio.run(run())
