"""A node's refusal comes back as the error that it was made of."""

import httpx
import pytest

from yunhe.errors import (
    BadAnswerError,
    DiskFullError,
    EngineMissingError,
    EngineUnreachableError,
    ExpiredError,
    NotPermittedError,
    OverloadedError,
    QuotaExceededError,
    RemoteRefusedError,
    UnavailableError,
    ViewRefusedError,
    YunheError,
)
from yunhe.gateway.problems import problem
from yunhe.sdk.problems import raise_problem


def answer(error: YunheError) -> httpx.Response:
    return httpx.Response(error.status, json=problem(error).model_dump(exclude_none=True))


def test_known_code_is_its_own_error_with_the_message() -> None:
    with pytest.raises(ExpiredError, match="too late"):
        raise_problem(answer(ExpiredError("too late")))


@pytest.mark.parametrize("kind", [OverloadedError, QuotaExceededError, NotPermittedError, EngineMissingError, ExpiredError])
def test_code_of_any_module_of_errors_is_its_own_error(kind: type[YunheError]) -> None:
    with pytest.raises(kind, match="why") as caught:
        raise_problem(answer(kind("why")))
    assert type(caught.value) is kind


def test_refused_view_keeps_the_code_of_the_contract() -> None:
    with pytest.raises(ViewRefusedError, match="no parcel") as caught:
        raise_problem(answer(ViewRefusedError("NOT_FOUND", "no parcel")))
    assert caught.value.refusal == "NOT_FOUND"


@pytest.mark.parametrize(("status", "kind"), [(409, RemoteRefusedError), (507, UnavailableError)])
def test_unknown_code_keeps_its_class_and_is_named(status: int, kind: type[YunheError]) -> None:
    with pytest.raises(kind, match="OF_TOMORROW: why"):
        raise_problem(httpx.Response(status, json={"code": "OF_TOMORROW", "detail": "why"}))


@pytest.mark.parametrize("body", [b"", b"[]", b'{"code": "EXPIRED"}', b"\xff"])
def test_anything_else_is_no_answer_of_a_node(body: bytes) -> None:
    with pytest.raises(BadAnswerError):
        raise_problem(httpx.Response(500, content=body))


@pytest.mark.parametrize("kind", [OverloadedError, DiskFullError, EngineUnreachableError])
def test_error_of_any_module_of_errors_comes_back_as_itself(kind: type[YunheError]) -> None:
    with pytest.raises(kind) as caught:
        raise_problem(httpx.Response(503, json={"code": kind.code, "detail": "so it is"}))
    assert type(caught.value) is kind
