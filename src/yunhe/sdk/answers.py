"""Reads what a node answered; what is no answer of a node, whoever it was that answered at the address, is refused by name."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import httpx

from yunhe.errors import BadAnswerError
from yunhe.limits import HASH_BYTES

PAGE_ROWS: Final = 500
"""Rows that are asked for at a time."""
_ADVICE: Final = "is the address that of a Yunhe node?"


@dataclass(frozen=True, slots=True)
class Submitted:
    """What became of a transaction."""

    transaction_id: bytes
    status: str
    """`committed` or `accepted` (waits for its block, not yet durable); `refused` in a batch."""
    height: int | None
    """Height of its block, when committed."""
    position: int | None
    """Place in its block, when committed."""
    time_ms: int | None
    """Time of its block, when committed."""
    receipt: Mapping[str, Any] | None
    """The receipt as JSON shows it, when committed."""
    problem: Mapping[str, Any] | None = None
    """Why it was refused, in a batch."""

    @property
    def code(self) -> str:
        """Code of the receipt, or of the refusal, or `ACCEPTED`."""
        if self.receipt is not None:
            return str(self.receipt["code"])
        return str(self.problem["code"]) if self.problem is not None else "ACCEPTED"

    @property
    def results(self) -> list[Any]:
        """One result for each call, as JSON shows it; empty unless the code is `OK`."""
        return list(self.receipt["results"]) if self.receipt is not None else []


def json_object(answer: httpx.Response) -> dict[str, Any]:
    """Return the JSON object of an answer.

    Raises:
        BadAnswerError: it is something else.
    """
    try:
        value = answer.json()
    except (ValueError, RecursionError) as error:
        raise BadAnswerError(f"the node's answer is not JSON; {_ADVICE}") from error
    if not isinstance(value, dict):
        raise BadAnswerError(f"the node's answer is not a JSON object; {_ADVICE}")
    return value


def text_of(answer: Mapping[str, Any], name: str) -> str:
    """Return a text of an answer.

    Raises:
        BadAnswerError: it has no such text.
    """
    value = answer.get(name)
    if not isinstance(value, str):
        raise BadAnswerError(f"the node's answer has no text {name!r}; {_ADVICE}")
    return value


def hash_of(answer: Mapping[str, Any], name: str) -> bytes:
    """Return a hash of an answer.

    Raises:
        BadAnswerError: it has no such hash.
    """
    text = text_of(answer, name)
    try:
        value = bytes.fromhex(text)
    except ValueError:
        value = b""
    if len(value) != HASH_BYTES:
        raise BadAnswerError(f"the node's answer has no hash {name!r}; {_ADVICE}")
    return value


def submitted(answer: object, transaction_id: bytes) -> Submitted:
    """Return what an answer, or one of a batch, says of a transaction.

    Raises:
        BadAnswerError: it does not say that.
    """
    if isinstance(answer, dict):
        status, receipt, problem = (answer.get(name) for name in ("status", "receipt", "problem"))
        has_receipt = isinstance(receipt, dict) and isinstance(receipt.get("code"), str) and isinstance(receipt.get("results"), list)
        has_problem = isinstance(problem, dict) and isinstance(problem.get("code"), str)
        if status == "accepted" or (status == "committed" and has_receipt) or (status == "refused" and has_problem):
            height, position, time_ms = (answer.get(name) for name in ("height", "position", "time_ms"))
            return Submitted(
                transaction_id, status, height, position, time_ms, receipt if has_receipt else None, problem if has_problem else None
            )
    raise BadAnswerError(f"the node's answer does not say what became of the transaction; {_ADVICE}")


def pages(get: Callable[[dict[str, str]], dict[str, Any]], limit: int, cursor: str | None = None) -> Iterator[Any]:
    """Yield up to `limit` items of a list, page by page.

    Args:
        get: asks for a page, given cursor and limit as parameters.
        limit: how many items at most.
        cursor: where to begin; at the beginning when None.

    Raises:
        BadAnswerError: an answer is no page, or the next page is the same one again.
    """
    left = limit
    while left > 0:
        page = get({"limit": str(min(left, PAGE_ROWS))} | ({} if cursor is None else {"cursor": cursor}))
        items = page.get("items")
        if not isinstance(items, list):
            raise BadAnswerError(f"the node answered a list without items; {_ADVICE}")
        yield from items[:left]
        left -= len(items)
        # API-006: events have no end, and say whether there is more now.
        if page.get("next") is None or page.get("complete", not items) is True:
            return
        following = text_of(page, "next")
        if following == cursor:
            raise BadAnswerError("the node's list does not go on: it gave the same page twice")
        cursor = following
