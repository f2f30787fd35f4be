"""The route that tries calls out without a block."""

import asyncio

from fastapi import APIRouter, Request

from yunhe.gateway.models import RowChangeBody, SimulatedBody
from yunhe.gateway.strict_route import StrictRoute
from yunhe.ledger.codec import as_array, as_fields, as_int, as_name, decode
from yunhe.ledger.rendering import value_to_json
from yunhe.ledger.transaction import Call
from yunhe.limits import CALLS_MAX, HTTP_BODY_BYTES_MAX, SIGNERS_MAX
from yunhe.node import Node, Simulated

_CBOR_BODY = {"requestBody": {"content": {"application/cbor": {"schema": {"type": "string", "format": "binary"}}}, "required": True}}


def simulation_routes(node: Node) -> APIRouter:
    """Return the route."""
    router = APIRouter(prefix="/v1/transactions", route_class=StrictRoute, tags=["transactions"])

    @router.post("/simulate", openapi_extra=_CBOR_BODY)
    async def simulate(request: Request) -> SimulatedBody:
        """Try calls out in the next block, on the state as of the last one, as if members had signed them.

        The body is the canonical CBOR array of signers, each an array of organisation and member; calls, each an array of contract,
        action and map of arguments; and the gas limit. No signature is asked for, and nothing of it stays: the answer shows no more than a
        caller could read and compute.
        """
        signers, calls, gas_limit = _asked(await request.body())
        return _body(await asyncio.to_thread(node.simulator.simulate, signers, calls, gas_limit))

    return router


def _asked(data: bytes) -> tuple[list[tuple[str, str]], list[Call], int]:
    """Take the body apart; raises `InvalidInputError`."""
    signers, calls, gas_limit = as_array(decode(data, HTTP_BODY_BYTES_MAX), "a simulation", 3)
    named = [as_array(signer, "a signer", 2) for signer in as_array(signers, "signers", length_max=SIGNERS_MAX)]
    asked = [as_array(call, "a call", 3) for call in as_array(calls, "calls", length_max=CALLS_MAX)]
    return (
        [(as_name(organisation, "a signer's organisation"), as_name(member, "a signer's member")) for organisation, member in named],
        [
            Call(as_name(contract, "a call's contract"), as_name(action, "a call's action"), as_fields(arguments, "arguments"))
            for contract, action, arguments in asked
        ],
        as_int(gas_limit, "gas limit", 1),
    )


def _body(simulated: Simulated) -> SimulatedBody:
    outcome = simulated.outcome
    return SimulatedBody(
        height=simulated.height,
        code=outcome.code,
        call_index=outcome.call_index,
        gas_used=outcome.gas_used,
        results=[value_to_json(result) for result in outcome.results],
        events=[{"contract": e.contract, "name": e.name, "fields": value_to_json(dict(e.fields))} for e in outcome.events],
        fault=simulated.fault,
        changes=[RowChangeBody.model_validate(change.to_json()) for change in simulated.changes],
    )
