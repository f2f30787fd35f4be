"""Answers with an entity tag, for what does not change: who has one already is told so in place of it (API-016, RFC 9110 §13.1.2)."""

import hashlib
from collections.abc import Mapping
from typing import Any, Final

from fastapi import Request, Response
from pydantic import BaseModel

NOT_MODIFIED: Final[dict[int | str, dict[str, Any]]] = {304: {"description": "the answer is the one whose entity tag the caller has"}}
"""The answer that such a route has besides its own."""
_TAG_DIGITS: Final = 32
_NOT_MODIFIED: Final = 304


def tagged(
    request: Request, body: BaseModel | bytes, media_type: str = "application/json", more: Mapping[str, str] | None = None
) -> Response:
    """Return a body with its entity tag and `more` headers, or 304 when the request's `If-None-Match` names it.

    The tag is of the bytes that are sent, so it also changes with a version of the software that shows the same thing in another way.
    """
    content = body if isinstance(body, bytes) else body.model_dump_json().encode()
    tag = f'"{hashlib.sha256(content).hexdigest()[:_TAG_DIGITS]}"'
    # An operator can roll a ledger back; so a copy is kept, and asked about each time.
    headers = {"ETag": tag, "Cache-Control": "private, no-cache", **(more or {})}
    held = [one.strip().removeprefix("W/") for line in request.headers.getlist("If-None-Match") for one in line.split(",")]
    # API-016
    if tag in held or "*" in held:
        return Response(status_code=_NOT_MODIFIED, headers=headers)
    return Response(content, media_type=media_type, headers=headers)
