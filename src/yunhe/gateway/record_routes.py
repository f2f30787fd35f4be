"""Routes that read contract state: one record, a table in key order, a view, and a contract's interface."""

import asyncio
import re
from collections.abc import Sequence
from typing import Annotated, Final, cast

from fastapi import APIRouter, Depends, Path, Query, Request

from yunhe.errors import MalformedError, RecordNotFoundError
from yunhe.gateway.models import PlacedRecordBody, RecordBody, RecordPage, RecordVersionBody, RecordVersionPage, ViewBody, ViewRequest
from yunhe.gateway.pages import AnyPage, wrong_cursor
from yunhe.gateway.record_pages import Wanted, read_page, require_table
from yunhe.gateway.strict_json import read_json
from yunhe.gateway.strict_route import StrictRoute
from yunhe.ledger.codec import Value, as_fields, decode
from yunhe.ledger.rendering import Json, value_to_json
from yunhe.ledger.state_keys import KeyComponent, decode_state_key, state_key
from yunhe.limits import HEIGHT_MAX, HTTP_BODY_BYTES_MAX, KEY_COMPONENTS_MAX, RECORD_BYTES_MAX, STATE_KEY_BYTES_MAX
from yunhe.node import Node
from yunhe.storage import block_pruned, read_versions

_FIELDS: Final = "^([a-z][a-z0-9_]*(,[a-z][a-z0-9_]*)*)?$"
_BYTES: Final = re.compile("0x([0-9a-f]{2})*")
_CURSOR: Final = re.compile("([0-9a-f]{2})+")
ContractName = Annotated[str, Path(pattern="^[a-z][a-z0-9_]{0,39}$")]
KeyText = Annotated[str, Query(description='JSON array of the key\'s components, such as `["MAEU123"]`; byte strings as `"0x…"`')]

HeightText = Annotated[
    int | None,
    Query(
        ge=0, le=HEIGHT_MAX, description="a block of the past; the last `state_history_blocks` of them are kept. The last block when absent"
    ),
]


def parse_key(components: Sequence[object]) -> tuple[KeyComponent, ...]:
    """Read key components from JSON: text, integers, and `0x` with hexadecimal digits for byte strings.

    Raises:
        MalformedError: a component is something else.
    """
    parsed: list[KeyComponent] = []
    for component in components:
        if isinstance(component, bool) or not isinstance(component, str | int):
            raise MalformedError("a key's component is text, an integer, or 0x and hexadecimal digits for a byte string")
        parsed.append(_bytes_or_text(component) if isinstance(component, str) else component)
    return tuple(parsed)


def _bytes_or_text(component: str) -> KeyComponent:
    if not component.startswith("0x"):
        return component
    # API-042
    if not _BYTES.fullmatch(component):
        raise MalformedError("0x begins a byte string in lower-case hexadecimal digits, two for each byte")
    return bytes.fromhex(component[2:])


def _parse_key_text(text: str) -> tuple[KeyComponent, ...]:
    components = read_json(text, "a key")
    if not isinstance(components, list) or len(components) > KEY_COMPONENTS_MAX:
        raise MalformedError(f"a key is a JSON array of at most {KEY_COMPONENTS_MAX} components")
    return parse_key(components)


def _wanted(  # one for each query parameter
    page: AnyPage,
    by: Annotated[str, Query(pattern=_FIELDS, description="fields of an index, such as `carrier,status`, to list in its order")] = "",
    prefix: Annotated[str, Query(description="JSON array of the leading components that all keys, or rows of the index, have")] = "[]",
    start: Annotated[str, Query(description="JSON array: first key or row, or its leading components; inclusive")] = "[]",
    end: Annotated[str, Query(description="JSON array: key or row, or its leading components, before which the list ends")] = "[]",
    *,
    reverse: Annotated[bool, Query(description="whether the last comes first")] = False,
) -> Wanted:
    return Wanted(
        by=tuple(by.split(",")) if by else (),
        prefix=_parse_key_text(prefix),
        start=_parse_key_text(start),
        end=_parse_key_text(end),
        cursor=None if page.cursor is None else _parse_cursor(page.cursor),
        reverse=reverse,
    )


def _parse_cursor(cursor: str) -> bytes:
    if len(cursor) > 2 * STATE_KEY_BYTES_MAX or not _CURSOR.fullmatch(cursor):
        raise wrong_cursor()
    return bytes.fromhex(cursor)


FromHeight = Annotated[int | None, Query(ge=0, le=HEIGHT_MAX, description="lowest block; the oldest that is kept whole when absent")]
WantedRecords = Annotated[Wanted, Depends(_wanted)]


def record_routes(node: Node) -> APIRouter:
    """Return the routes that read contract state."""
    router = APIRouter(prefix="/v1/contracts/{contract}", route_class=StrictRoute, tags=["state"])

    @router.get("/tables/{table}/record")
    async def record(contract: ContractName, table: ContractName, key: KeyText, height: HeightText = None) -> PlacedRecordBody:
        """Return one record as of the last block, or as it was after the block `height`."""
        encoded = state_key(contract, table, _parse_key_text(key))
        stored, at = await asyncio.to_thread(_read, node, encoded, height)
        if stored is None:
            if height is None:
                await asyncio.to_thread(require_table, node.reader(), contract, table)
            when = "" if height is None else f" at height {height}"
            raise RecordNotFoundError(f"the table {contract}.{table} has no record with this key{when}")
        shown = _record(encoded, stored)
        return PlacedRecordBody(key=shown.key, fields=shown.fields, height=at)

    @router.get("/tables/{table}/record/versions")
    async def versions(
        contract: ContractName,
        table: ContractName,
        key: KeyText,
        page: AnyPage,
        from_height: FromHeight = None,
        to_height: Annotated[int, Query(ge=0, le=HEIGHT_MAX, description="highest block")] = HEIGHT_MAX,
    ) -> RecordVersionPage:
        """Return what blocks wrote at a record's key, newest first, page by page. A page may have no rows and not be the last."""
        encoded = state_key(contract, table, _parse_key_text(key))
        oldest = node.store.oldest
        # API-026: nothing is passed over unseen.
        if from_height is not None and from_height < oldest:
            raise block_pruned(from_height, oldest)
        lowest, highest = from_height or oldest, min(to_height, node.head().height)
        cursor = page.height(lowest, highest)
        read = await asyncio.to_thread(read_versions, node.store, encoded, lowest, highest if cursor is None else cursor, page.limit)
        if not read.versions and cursor is None:
            await asyncio.to_thread(require_table, node.reader(), contract, table)
        items = [RecordVersionBody(height=each.height, time_ms=each.time_ms, fields=_fields(each.record)) for each in read.versions]
        return RecordVersionPage(oldest=oldest, items=items, next=None if read.next is None else str(read.next))

    @router.get("/tables/{table}/records")
    async def records(contract: ContractName, table: ContractName, wanted: WantedRecords, page: AnyPage) -> RecordPage:
        """Return a table's records page by page, in the order of their keys or, with `by`, of an index.

        A row of an index is the indexed fields and then the primary key; of a uniqueness constraint the fields alone. Components are as in
        `key` of a record.
        """
        reader = node.reader()
        read = await asyncio.to_thread(read_page, reader, contract, table, wanted, page.limit)
        items = [_record(key, stored) for key, stored in read.records]
        return RecordPage(height=reader.height, items=items, next=None if read.next is None else read.next.hex())

    @router.post("/views/{view}")
    async def view(contract: ContractName, view: ContractName, request: ViewRequest) -> ViewBody:
        """Run a view with JSON arguments, on the state as of the last block."""
        height, result = await asyncio.to_thread(node.view, contract, view, cast(dict[str, Value], request.arguments))
        return ViewBody(height=height, result=value_to_json(result))

    @router.post("/views/{view}/cbor", openapi_extra={"requestBody": {"content": {"application/cbor": {}}, "required": True}})
    async def view_exact(contract: ContractName, view: ContractName, request: Request) -> ViewBody:
        """Run a view with arguments in canonical CBOR, which can hold byte strings."""
        arguments: dict[str, Value] = as_fields(decode(await request.body(), HTTP_BODY_BYTES_MAX), "arguments")
        height, result = await asyncio.to_thread(node.view, contract, view, arguments)
        return ViewBody(height=height, result=value_to_json(result))

    return router


def _read(node: Node, key: bytes, height: int | None) -> tuple[bytes | None, int]:
    """Return the record at a key, checked against the state root where it is one of the past, and the height that it is of."""
    if height is None:
        reader = node.reader()
        return reader.get(key), reader.height
    # API-025
    return node.store.prove_record(height, key)[0], height


def _record(key: bytes, stored: bytes) -> RecordBody:
    _, _, components = decode_state_key(key)
    shown = ["0x" + component.hex() if isinstance(component, bytes) else component for component in components]
    return RecordBody(key=shown, fields=_fields(stored))


def _fields(stored: bytes | None) -> Json:
    return None if stored is None else value_to_json(decode(stored, RECORD_BYTES_MAX))
