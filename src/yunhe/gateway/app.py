"""The HTTP API of a node, under `/v1`, with its OpenAPI description.

Each route is a thin reading of the node; what it decides is decided elsewhere. Rules: docs/spec/http.md.
"""

import json
import platform
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import APIRouter, FastAPI, Request, Response

import yunhe
from yunhe.gateway.api_page import HEADERS as PAGE_HEADERS
from yunhe.gateway.api_page import api_page
from yunhe.gateway.boundary import Boundary
from yunhe.gateway.collector import Collector
from yunhe.gateway.description import REFUSALS, describe
from yunhe.gateway.entity_tags import tagged
from yunhe.gateway.event_routes import event_routes
from yunhe.gateway.ledger_routes import ledger_routes
from yunhe.gateway.methods import install_methods
from yunhe.gateway.models import HealthBody, ReadyBody, StatusBody, VersionBody
from yunhe.gateway.problems import install_problem_handlers
from yunhe.gateway.record_routes import record_routes
from yunhe.gateway.relay import Relay
from yunhe.gateway.request_ids import RequestIds
from yunhe.gateway.request_metrics import RequestMetrics, metrics_routes
from yunhe.gateway.simulation_routes import simulation_routes
from yunhe.gateway.strict_route import StrictRoute
from yunhe.gateway.submission_routes import submission_routes
from yunhe.gateway.webhook_routes import webhook_routes
from yunhe.node import Node
from yunhe.node.audit import record
from yunhe.node.tokens import AccessTokens

_UNAVAILABLE = 503


def create_app(node: Node, access: AccessTokens) -> FastAPI:
    """Return the app that serves a node; the node starts and stops with it.

    Args:
        node: open, not yet started.
        access: the tokens that callers present.
    """
    collector = Collector(node)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        node.start()
        node.metrics.watch_queue("verification", lambda: collector.depth)
        collector.start()
        yield
        await collector.stop()
        await node.stop()

    app = FastAPI(
        title="Yunhe node",
        version=yunhe.__version__,
        summary="Consortium ledger: submit transactions, read what was decided, export proofs.",
        lifespan=lifespan,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        responses=REFUSALS,
    )
    install_problem_handlers(app)
    app.include_router(submission_routes(collector, Relay(node, collector)))
    app.include_router(simulation_routes(node))
    app.include_router(ledger_routes(node))
    app.include_router(record_routes(node))
    app.include_router(event_routes(node, access))
    app.include_router(webhook_routes(node))
    app.include_router(_state_routes(node))
    app.include_router(_description_route(app))
    app.include_router(metrics_routes(node))
    install_methods(app)
    app.add_middleware(Boundary, access=access, audit=lambda *entry: record(node.folder.path, *entry))
    app.add_middleware(RequestIds)
    app.add_middleware(RequestMetrics, node=node)
    describe(app)
    return app


def _description_route(app: FastAPI) -> APIRouter:
    router = APIRouter(route_class=StrictRoute)

    @router.get("/openapi.json", include_in_schema=False)
    async def description(request: Request) -> Response:
        # API-016
        return tagged(request, json.dumps(app.openapi()).encode())

    @router.get("/docs", include_in_schema=False)
    async def page(request: Request) -> Response:
        # API-045
        return tagged(request, api_page(app.openapi()), "text/html; charset=utf-8", PAGE_HEADERS)

    return router


def _state_routes(node: Node) -> APIRouter:
    router = APIRouter(prefix="/v1", route_class=StrictRoute, tags=["node"])

    @router.get("/health", responses={503: {"model": HealthBody}})
    async def health(response: Response) -> HealthBody:
        """Tell whether the node decides; 503 when it is halted or stopping. Needs no token."""
        status = node.status()
        if status.state != "running":
            response.status_code = _UNAVAILABLE
        return HealthBody(status=status.state, reason=status.reason)

    @router.get("/ready", responses={503: {"model": ReadyBody}})
    async def ready(response: Response) -> ReadyBody:
        """Tell whether the node takes transactions now; 503 with the reason when it does not. Needs no token."""
        reason = node.status().unready
        # API-019
        if reason is not None:
            response.status_code = _UNAVAILABLE
        return ReadyBody(ready=reason is None, reason=reason)

    @router.get("/status")
    async def status() -> StatusBody:
        """Tell how the node is, in detail."""
        now = node.status()
        return StatusBody(
            status=now.state,
            reason=now.reason,
            network=node.genesis.name,
            network_id=node.network_id.hex(),
            organisation=node.folder.config.organisation,
            node=node.folder.config.node,
            height=now.height,
            time_ms=now.time_ms,
            engine=now.engine,
            engine_height=now.engine_height,
            waiting=now.waiting,
            ready=now.unready is None,
            unready=now.unready,
            started_ms=now.started_ms,
            transactions=now.transactions,
            worker_restarts=now.worker_restarts,
            disk_free_bytes=now.disk_free_bytes,
            protections=now.protections,
        )

    @router.get("/version")
    async def version() -> VersionBody:
        """Tell the versions of software and protocol. Needs no token."""
        return VersionBody(
            yunhe=yunhe.__version__,
            protocol=node.genesis.protocol_version,
            python=platform.python_version(),
            network_id=node.network_id.hex(),
            chain_hash=node.genesis.chain_hash.name,
        )

    return router
