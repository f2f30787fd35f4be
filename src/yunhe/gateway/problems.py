"""Errors as `application/problem+json` (RFC 9457), with our stable codes."""

import http
from typing import Final

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from yunhe.errors import OverloadedError, RequestInvalidError, RouteNotFoundError, ViewRefusedError, YunheError
from yunhe.gateway.request_ids import HEADER as REQUEST_ID_HEADER
from yunhe.gateway.request_ids import current_request_id

_log = structlog.get_logger("yunhe.gateway")
PROBLEM_MEDIA_TYPE: Final = "application/problem+json"
_TYPE: Final = "urn:yunhe:error:"
"""What the `type` of each problem begins with (API-043)."""
RETRY_AFTER_S: Final = "1"
"""When to come back after `OVERLOADED`, as the header `Retry-After` has it."""
_FAULTS_MAX: Final = 8
"""Faults of one request that its refusal lists."""
_NOT_FOUND: Final = 404
_NOT_JSON: Final = "the body cannot be read as JSON; send UTF-8 text with the header `Content-Type: application/json`"


class Problem(BaseModel):
    """Why a request, or one transaction of a batch, was refused."""

    type: str = Field(description="URI of the error: `urn:yunhe:error:` and its code", examples=["urn:yunhe:error:EXPIRED"])
    title: str = Field(description="the HTTP status in words", examples=["Bad Request"])
    status: int = Field(description="the HTTP status", examples=[400])
    code: str = Field(description="stable code of the error", examples=["EXPIRED"])
    detail: str = Field(description="what is wrong and what to do")
    request_id: str | None = Field(None, description="name of the refused request, as in `X-Request-Id` and in the node's log")
    refusal: str | None = Field(None, description="with VIEW_REFUSED: the code by which the contract refused", examples=["NOT_FOUND"])


def problem(error: YunheError) -> Problem:
    """Return an error of ours as a problem."""
    title = http.HTTPStatus(error.status).phrase
    refusal = error.refusal if isinstance(error, ViewRefusedError) else None
    # API-043
    return Problem(type=f"{_TYPE}{error.code}", title=title, status=error.status, code=error.code, detail=error.message, refusal=refusal)


def problem_response(error: YunheError, headers: dict[str, str] | None = None) -> JSONResponse:
    """Return the answer that refuses a request with an error of ours."""
    # API-008: when too much waits, the caller is told when to come back.
    retry = {"Retry-After": RETRY_AFTER_S} if isinstance(error, OverloadedError) else {}
    body = problem(error)
    # API-015
    body.request_id = current_request_id()
    return JSONResponse(body.model_dump(exclude_none=True), error.status, retry | (headers or {}), PROBLEM_MEDIA_TYPE)


def install_problem_handlers(app: FastAPI) -> None:
    """Make every error of an app a problem with a stable code (API-001)."""

    @app.exception_handler(YunheError)
    async def _ours(_request: Request, error: YunheError) -> JSONResponse:
        return problem_response(error)

    @app.exception_handler(RequestValidationError)
    async def _parameters(_request: Request, error: RequestValidationError) -> JSONResponse:
        faults = [f"{'.'.join(str(part) for part in fault['loc'])}: {fault['msg']}" for fault in error.errors()]
        more = f"; and {len(faults) - _FAULTS_MAX} more" if len(faults) > _FAULTS_MAX else ""
        return problem_response(RequestInvalidError("; ".join(faults[:_FAULTS_MAX]) + more))

    @app.exception_handler(_NOT_FOUND)
    async def _route(request: Request, _error: HTTPException) -> JSONResponse:
        return problem_response(RouteNotFoundError(f"this node has no path {request.url.path}; GET /openapi.json lists those that it has"))

    @app.exception_handler(HTTPException)
    async def _body(_request: Request, error: HTTPException) -> JSONResponse:
        if isinstance(error.__cause__, YunheError):
            return problem_response(error.__cause__)
        # The only other one that the framework raises by itself, beside a method's, which `yunhe.gateway.methods` answers.
        return problem_response(RequestInvalidError(_NOT_JSON))

    @app.exception_handler(Exception)
    async def _unexpected(request: Request, error: Exception) -> JSONResponse:
        _log.error("request failed", path=request.url.path, exc_info=error)
        # The framework answers this one outside of what names requests.
        named = {REQUEST_ID_HEADER: current_request_id() or ""}
        return problem_response(YunheError("the node failed to answer; its log says why"), named)
