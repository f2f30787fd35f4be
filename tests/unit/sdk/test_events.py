"""How the SDK follows events over losses of the connection."""

import json
from collections.abc import Callable, Iterator
from itertools import islice, repeat
from math import inf

import httpx
import pytest

from yunhe.errors import BadAnswerError, CursorError, NodeUnreachableError
from yunhe.sdk.events import follow_stream

STREAM = {"Content-Type": "text/event-stream"}


class Cut(httpx.SyncByteStream):
    """An answer that is cut off after its parts."""

    def __init__(self, *parts: str) -> None:
        self.parts = parts

    def __iter__(self) -> Iterator[bytes]:
        yield from (part.encode() for part in self.parts)
        raise httpx.ReadError("connection lost")


def part(identifier: str, **fields: str) -> str:
    return f"id: {identifier}\ndata: {json.dumps({'id': identifier, 'fields': fields}, ensure_ascii=False)}\n\n"


def follow(
    answer: Callable[[httpx.Request], httpx.Response], after: str = "", patience_s: float = 60, for_s: float = inf
) -> Iterator[dict]:
    http = httpx.Client(base_url="http://node", transport=httpx.MockTransport(answer))
    return follow_stream(http, {"contract": "c"}, after, patience_s, for_s)


def test_lost_connection_goes_on_after_the_last_event() -> None:
    """EVT-003, EVT-006: what the node is asked for after a loss, an answer that is no success, and a part without data."""
    asked: list[str | None] = []
    answers = iter(
        [
            httpx.Response(200, headers=STREAM, stream=Cut(part("1.0.0"), part("1.0.1"), "id: 7\n\n")),
            httpx.Response(503, json={"code": "OVERLOADED", "detail": "later"}),
            httpx.Response(200, headers=STREAM, stream=Cut(part("9.0.0"))),
            httpx.Response(200, headers=STREAM, stream=Cut(part("9.1.0"))),
        ]
    )

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.headers.get("Last-Event-ID"))
        assert request.url.params["contract"] == "c"
        return next(answers)

    assert [event["id"] for event in islice(follow(answer), 4)] == ["1.0.0", "1.0.1", "9.0.0", "9.1.0"]
    assert asked == [None, "7", "7", "9.0.0"]


@pytest.mark.parametrize(
    "answer",
    [
        lambda _: httpx.Response(200, headers=STREAM, stream=Cut(*repeat("id: 7\n\n", 100))),
        lambda _: httpx.Response(503, json={"code": "OVERLOADED", "detail": "later"}),
        lambda _: httpx.Response(200, headers=STREAM, stream=Cut(part("1.0.0"))),
    ],
    ids=["no event comes", "no connection can be had", "events come and the connection is lost"],
)
def test_following_for_some_time_ends_without_an_error_when_it_is_over(answer: Callable[[httpx.Request], httpx.Response]) -> None:
    assert {event["id"] for event in follow(answer, for_s=0.3)} <= {"1.0.0"}


def test_half_an_event_is_asked_for_again() -> None:
    answers = iter(
        [
            httpx.Response(200, headers=STREAM, stream=Cut(part("1.0.0"), part("1.0.1")[:-1])),
            httpx.Response(200, headers=STREAM, stream=Cut(part("1.0.1"))),
        ]
    )
    assert [event["id"] for event in islice(follow(lambda _: next(answers)), 2)] == ["1.0.0", "1.0.1"]


def test_line_separators_inside_an_event_do_not_break_it() -> None:
    """JSON may hold U+2028 and U+0085, which Python's `splitlines` takes for ends of lines."""
    text = "a\u2028b\u0085c"
    (event,) = islice(follow(lambda _: httpx.Response(200, headers=STREAM, stream=Cut(part("1.0.0", note=text)))), 1)
    assert event["fields"]["note"] == text


def test_refusal_is_raised_at_once() -> None:
    with pytest.raises(CursorError):
        next(follow(lambda _: httpx.Response(400, json={"code": "CURSOR_INVALID", "detail": "no"}), after="x"))


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(200, json={"hello": "world"}),
        httpx.Response(200, headers=STREAM, text="data: not json\n\n"),
        httpx.Response(200, headers=STREAM, text="data: [1]\n\n"),
        httpx.Response(502, text="<html>"),
    ],
    ids=["no stream", "no JSON", "no event", "no problem"],
)
def test_answer_of_something_else_is_an_error_by_name(answer: httpx.Response) -> None:
    with pytest.raises(BadAnswerError):
        next(follow(lambda _: answer, patience_s=0))


def test_node_that_never_answers_is_an_error_in_the_end() -> None:
    tried = 0

    def refuse(_: httpx.Request) -> httpx.Response:
        nonlocal tried
        tried += 1
        raise httpx.ConnectError("refused")

    with pytest.raises(NodeUnreachableError):
        next(follow(refuse, patience_s=1))
    assert tried > 1
