"""Counts every answer by method, declared route and status, and serves the metrics of the node."""

import asyncio
import time

from fastapi import APIRouter, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from yunhe.gateway.scopes import METRICS_PATH
from yunhe.gateway.strict_route import StrictRoute
from yunhe.node import Node
from yunhe.node.metrics import CONTENT_TYPE


class RequestMetrics:
    """ASGI middleware that counts answers, refusals at the boundary included."""

    def __init__(self, app: ASGIApp, node: Node) -> None:
        self._app = app
        self._node = node

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()

        async def counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                # The declared path, never the requested one: a stranger chooses that, and could make a series of each.
                route = getattr(scope.get("route"), "path_format", "")
                self._node.metrics.count_answer(scope["method"], route, message["status"], time.perf_counter() - began)
            await send(message)

        await self._app(scope, receive, counted)


def metrics_routes(node: Node) -> APIRouter:
    """Return the route of the metrics."""
    router = APIRouter(route_class=StrictRoute, tags=["node"])

    @router.get(METRICS_PATH, response_class=Response, responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}})
    async def metrics() -> Response:
        """Return the node's metrics in the text format of Prometheus."""
        # Sizes are read from the disk.
        return Response(await asyncio.to_thread(node.metrics.text), media_type=CONTENT_TYPE)

    return router
