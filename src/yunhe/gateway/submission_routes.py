"""Routes that take transactions, one or many, and tell what became of them."""

import asyncio
import base64
import binascii
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response

from yunhe.errors import MalformedError, OverloadedError, TooLargeError, YunheError
from yunhe.gateway.collector import Accepted, Answer, Collector
from yunhe.gateway.models import BatchBody, ReceiptBody, SubmittedBody
from yunhe.gateway.problems import RETRY_AFTER_S, problem
from yunhe.gateway.relay import Relay
from yunhe.gateway.strict_route import StrictRoute
from yunhe.ledger.codec import as_array, as_bytes, decode
from yunhe.ledger.rendering import receipt_to_json
from yunhe.limits import HTTP_BATCH_TRANSACTIONS_MAX, HTTP_BODY_BYTES_MAX, HTTP_WAIT_MS_MAX

Wait = Annotated[Literal["none", "committed"], Query(description="answer when accepted, or when committed")]
WaitMs = Annotated[int, Query(ge=1, le=HTTP_WAIT_MS_MAX, description="how long to wait for the commit, milliseconds")]

_ACCEPTED = 202
_CBOR_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "application/cbor": {"schema": {"type": "string", "format": "binary"}},
            "text/plain": {"schema": {"type": "string", "description": "the same bytes in base64"}},
        },
    }
}


def submission_routes(collector: Collector, relays: Relay) -> APIRouter:
    """Return the routes that submit."""
    router = APIRouter(prefix="/v1", route_class=StrictRoute, tags=["transactions"])

    @router.post("/transactions", openapi_extra=_CBOR_BODY, responses={202: {"model": SubmittedBody}}, response_model_exclude_none=True)
    async def submit(request: Request, response: Response, wait: Wait = "committed", wait_ms: WaitMs = 10_000) -> SubmittedBody:
        """Submit one transaction.

        The body is the encoded transaction. With `wait=committed` the answer has the receipt; when the time is over before the commit, and
        with `wait=none`, it is 202 and says `accepted`. Submitting the same transaction again is safe: it is executed once.
        """
        answer = (await collector.submit([await _body(request)], request.state.caller.name))[0]
        return await _one(answer, response, wait_ms if wait == "committed" else 0)

    @router.post("/relay", openapi_extra=_CBOR_BODY, responses={202: {"model": SubmittedBody}}, response_model_exclude_none=True)
    async def relay(request: Request, response: Response, wait: Wait = "committed", wait_ms: WaitMs = 10_000) -> SubmittedBody:
        """Submit one transaction without a token, as a member of any organisation may, so that no node can keep it from the ledger.

        Body and answer are as those of one transaction that is submitted with a token. What is taken from each member is bounded by the
        node's setting `relay_rate_max`, and what is taken from all by `RELAYED_MAX`.
        """
        return await _one(await relays.submit(await _body(request)), response, wait_ms if wait == "committed" else 0)

    @router.post("/transactions/batch", openapi_extra=_CBOR_BODY, response_model_exclude_none=True)
    async def submit_batch(request: Request, response: Response, wait: Wait = "committed", wait_ms: WaitMs = 10_000) -> BatchBody:
        """Submit up to `HTTP_BATCH_TRANSACTIONS_MAX` transactions, each for itself.

        The body is a canonical CBOR array of encoded transactions (byte strings). One that is refused does not keep the others from being
        executed; each has its own result.
        """
        items = as_array(decode(await _body(request), HTTP_BODY_BYTES_MAX), "a batch")
        if not items:
            raise MalformedError("a batch has at least one transaction")
        if len(items) > HTTP_BATCH_TRANSACTIONS_MAX:
            raise TooLargeError(f"a batch has at most {HTTP_BATCH_TRANSACTIONS_MAX} transactions, not {len(items)}; send it in parts")
        encoded = [as_bytes(item, "a transaction of a batch") for item in items]
        answers = await collector.submit(encoded, request.state.caller.name)
        # API-008: one refusal for all of them costs a node that has too much to do less than one for each.
        if isinstance(answers[0], OverloadedError) and all(isinstance(answer, OverloadedError) for answer in answers):
            raise answers[0]
        outcomes = await _outcomes(answers, wait_ms if wait == "committed" else 0)
        # API-008
        if any(isinstance(outcome, OverloadedError) for outcome in outcomes):
            response.headers["Retry-After"] = RETRY_AFTER_S
        return BatchBody(results=[_refused(outcome) if isinstance(outcome, YunheError) else outcome for outcome in outcomes])

    return router


async def _one(answer: Answer, response: Response, wait_ms: int) -> SubmittedBody:
    """Wait for one that was accepted, up to `wait_ms`, and say what became of it.

    Raises:
        YunheError: it was refused, or dropped.
    """
    submitted = (await _outcomes([answer], wait_ms))[0]
    if isinstance(submitted, YunheError):
        raise submitted
    if submitted.status == "accepted":
        response.status_code = _ACCEPTED
    return submitted


async def _body(request: Request) -> bytes:
    body = await request.body()
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "text/plain":
        return body
    try:
        return base64.b64decode(body.strip(), validate=True)
    except binascii.Error as error:
        raise MalformedError("a text/plain body must be base64") from error


async def _outcomes(answers: list[Answer], wait_ms: int) -> list[SubmittedBody | YunheError]:
    """Wait for all that were accepted, up to `wait_ms`, and say what became of each."""
    waiting = [answer.placed for answer in answers if isinstance(answer, Accepted) and not answer.placed.done()]
    if waiting and wait_ms:
        # API-004, API-007: what is waited for is not cancelled when the time is over or the caller goes away.
        await asyncio.wait(waiting, timeout=wait_ms / 1000)
    return [answer if isinstance(answer, YunheError) else _outcome(answer) for answer in answers]


def _outcome(answer: Accepted) -> SubmittedBody | YunheError:
    identity = answer.transaction_id.hex()
    # API-004: what has no place yet is not durable, and is not called committed.
    if not answer.placed.done():
        return SubmittedBody(id=identity, status="accepted")
    error = answer.placed.exception()
    if isinstance(error, YunheError):
        return error
    placed = answer.placed.result()
    receipt = ReceiptBody.model_validate(receipt_to_json(placed.receipt))
    return SubmittedBody(
        id=identity, status="committed", height=placed.height, position=placed.position, time_ms=placed.time_ms, receipt=receipt
    )


def _refused(error: YunheError) -> SubmittedBody:
    return SubmittedBody(id=None, status="refused", problem=problem(error))
