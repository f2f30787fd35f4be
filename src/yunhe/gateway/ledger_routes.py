"""Routes that read what was decided: transactions, receipts, blocks, and proofs of them."""

import asyncio
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response
from starlette.convertors import Convertor, register_url_convertor

from yunhe.gateway.entity_tags import NOT_MODIFIED, tagged
from yunhe.gateway.models import (
    BlockBody,
    BlockPage,
    HeaderBody,
    PlacedReceiptBody,
    PlacedSubject,
    PlacedTransactionBody,
    ProofRequest,
    ReceiptBody,
    RecordSubject,
    TransactionBodyBody,
)
from yunhe.gateway.pages import AnyPage
from yunhe.gateway.record_routes import parse_key
from yunhe.gateway.strict_route import StrictRoute
from yunhe.ledger.rendering import header_to_json, receipt_to_json, transaction_to_json
from yunhe.limits import HEIGHT_MAX
from yunhe.node import Node, ProofSubjectRequest

TransactionId = Annotated[str, Path(pattern="^[0-9a-f]{64}$", description="64 lower-case hexadecimal digits")]
Height = Annotated[int, Path(ge=0, le=HEIGHT_MAX)]

CBOR = "application/cbor"
PROOF_MEDIA_TYPE = "application/vnd.yunhe.proof+cbor"
_PROOF_RESPONSE: dict[int | str, dict[str, object]] = {
    200: {"description": "the proof bundle", "content": {PROOF_MEDIA_TYPE: {"schema": {"type": "string", "format": "binary"}}}}
}
_RECORD_RESPONSE: dict[int | str, dict[str, object]] = {
    200: {"description": "the block's record", "content": {CBOR: {"schema": {"type": "string", "format": "binary"}}}}
}


class _TransactionConvertor(Convertor[str]):
    """Matches what can be meant as a transaction's id, and not the paths beside it, which take other methods (API-014)."""

    regex = "(?!batch$|simulate$)[^/]+"

    def convert(self, value: str) -> str:
        """Return the text; its form is checked where a refusal can name it."""
        return value

    def to_string(self, value: str) -> str:
        """Return the text."""
        return value


register_url_convertor("transaction", _TransactionConvertor())


def ledger_routes(node: Node) -> APIRouter:
    """Return the routes that read transactions, receipts and blocks."""
    router = APIRouter(prefix="/v1", route_class=StrictRoute, tags=["ledger"])

    @router.get("/transactions/{transaction_id:transaction}", response_model=PlacedTransactionBody, responses=NOT_MODIFIED)
    async def transaction(request: Request, transaction_id: TransactionId) -> Response:
        """Return a transaction that took effect."""
        placed = await asyncio.to_thread(node.require_placed, bytes.fromhex(transaction_id))
        block = await asyncio.to_thread(node.store.block, placed.height)
        body = TransactionBodyBody.model_validate(transaction_to_json(block.transactions[placed.position]))
        shown = PlacedTransactionBody(height=placed.height, position=placed.position, time_ms=placed.time_ms, transaction=body)
        return tagged(request, shown)

    @router.get("/receipts/{transaction_id}", response_model=PlacedReceiptBody, responses=NOT_MODIFIED)
    async def receipt(request: Request, transaction_id: TransactionId) -> Response:
        """Return the receipt of a transaction that took effect."""
        placed = await asyncio.to_thread(node.require_placed, bytes.fromhex(transaction_id))
        body = ReceiptBody.model_validate(receipt_to_json(placed.receipt))
        return tagged(request, PlacedReceiptBody(height=placed.height, position=placed.position, time_ms=placed.time_ms, receipt=body))

    @router.get("/blocks")
    async def blocks(
        page: AnyPage,
        from_height: Annotated[int, Query(ge=0, le=HEIGHT_MAX, description="lowest height")] = 0,
        to_height: Annotated[int, Query(ge=0, le=HEIGHT_MAX, description="highest height")] = HEIGHT_MAX,
    ) -> BlockPage:
        """Return headers, newest first."""
        highest = min(to_height, node.head().height)
        cursor = page.height(from_height, highest)
        top = highest if cursor is None else cursor
        heights = range(top, max(from_height - 1, top - page.limit), -1)
        headers = await asyncio.to_thread(lambda: [node.store.header(height) for height in heights])
        chain_hash = node.genesis.chain_hash
        items = [HeaderBody.model_validate(header_to_json(header, header.hash(chain_hash))) for header in headers]
        below = top - len(items)
        return BlockPage(items=items, next=str(below) if below >= from_height else None)

    @router.get("/blocks/{height}", response_model=BlockBody, responses=NOT_MODIFIED)
    async def block(request: Request, height: Height) -> Response:
        """Return a ledger block's header, transaction ids and codes."""
        found = await asyncio.to_thread(node.store.block, height)
        shown = BlockBody(
            header=HeaderBody.model_validate(header_to_json(found.header, found.header_hash)),
            transaction_ids=[transaction.id.hex() for transaction in found.transactions],
            codes=[receipt.outcome.code for receipt in found.receipts],
        )
        return tagged(request, shown)

    @router.get("/blocks/{height}/record", response_class=Response, responses=_RECORD_RESPONSE)
    async def block_record(height: Height) -> Response:
        """Return a ledger block as it is stored, everything that is needed to check it and to run it again (STO-003)."""
        found = await asyncio.to_thread(node.store.record, height)
        return Response(found.encode(), media_type=CBOR)

    @router.post("/proofs", response_class=Response, responses=_PROOF_RESPONSE)
    async def proof(request: ProofRequest) -> Response:
        """Make one proof bundle, to be verified offline against the genesis file."""
        subjects = [_subject(subject) for subject in request.subjects]
        bundle = await asyncio.to_thread(node.certification.prove, subjects, request.height)
        return Response(bundle, media_type=PROOF_MEDIA_TYPE)

    @router.get("/checkpoint", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
    async def checkpoint() -> Response:
        """Return the newest checkpoint with this node's cosignature, as a C2SP signed note."""
        note = await asyncio.to_thread(node.certification.newest_note)
        return Response(note, media_type="text/plain; charset=utf-8")

    return router


def _subject(subject: PlacedSubject | RecordSubject) -> ProofSubjectRequest:
    if isinstance(subject, RecordSubject):
        return ProofSubjectRequest.of_record(subject.contract, subject.table, parse_key(subject.key))
    return ProofSubjectRequest(subject.kind, bytes.fromhex(subject.transaction_id))
