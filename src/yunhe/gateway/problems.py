"""Errors as `application/problem+json` (RFC 9457), with our stable codes."""

import http

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from yunhe.errors import OverloadedError, ViewRefusedError, YunheError

_log = structlog.get_logger("yunhe.gateway")
_MEDIA_TYPE = "application/problem+json"
_RETRY_AFTER_S = "1"


class Problem(BaseModel):
    """Why a request, or one transaction of a batch, was refused."""

    type: str = Field(description="URI of the error, relative to the reference page of codes", examples=["errors#EXPIRED"])
    title: str = Field(description="the HTTP status in words", examples=["Bad Request"])
    status: int = Field(description="the HTTP status", examples=[400])
    code: str = Field(description="stable code of the error", examples=["EXPIRED"])
    detail: str = Field(description="what is wrong and what to do")
    refusal: str | None = Field(None, description="with VIEW_REFUSED: the code by which the contract refused", examples=["NOT_FOUND"])


def problem(error: YunheError) -> Problem:
    """Return an error of ours as a problem."""
    title = http.HTTPStatus(error.status).phrase
    refusal = error.refusal if isinstance(error, ViewRefusedError) else None
    return Problem(type=f"errors#{error.code}", title=title, status=error.status, code=error.code, detail=error.message, refusal=refusal)


def install_problem_handlers(app: FastAPI) -> None:
    """Make every error of an app a problem."""

    @app.exception_handler(YunheError)
    async def _ours(_request: Request, error: YunheError) -> JSONResponse:
        headers = {"Retry-After": _RETRY_AFTER_S} if isinstance(error, OverloadedError) else None
        return JSONResponse(problem(error).model_dump(exclude_none=True), error.status, headers, _MEDIA_TYPE)

    @app.exception_handler(RequestValidationError)
    async def _parameters(_request: Request, error: RequestValidationError) -> JSONResponse:
        faults = "; ".join(f"{'.'.join(str(part) for part in fault['loc'])}: {fault['msg']}" for fault in error.errors()[:8])
        return _plain(400, "REQUEST_INVALID", faults)

    @app.exception_handler(HTTPException)
    async def _framework(_request: Request, error: HTTPException) -> JSONResponse:
        codes = {404: "ROUTE_NOT_FOUND", 405: "METHOD_NOT_ALLOWED"}
        return _plain(error.status_code, codes.get(error.status_code, "REQUEST_INVALID"), str(error.detail), dict(error.headers or {}))

    @app.exception_handler(Exception)
    async def _unexpected(request: Request, error: Exception) -> JSONResponse:
        _log.error("request failed", path=request.url.path, exc_info=error)
        return _plain(500, YunheError.code, "the node failed to answer; its log says why")


def _plain(status: int, code: str, detail: str, headers: dict[str, str] | None = None) -> JSONResponse:
    body = Problem(type=f"errors#{code}", title=http.HTTPStatus(status).phrase, status=status, code=code, detail=detail)
    return JSONResponse(body.model_dump(), status, headers, _MEDIA_TYPE)
