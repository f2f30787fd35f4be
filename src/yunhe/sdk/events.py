"""Follows the events of a node: all from a place on, then as they come, over every loss of the connection."""

import time
from collections.abc import Iterator, Mapping
from math import inf
from typing import Any, Final

import httpx
from httpx_sse import EventSource, SSEError

from yunhe.errors import BadAnswerError, MalformedError, NodeUnreachableError, OverloadedError, UnavailableError, YunheError
from yunhe.limits import EVENT_STREAM_SILENCE_S
from yunhe.sdk.problems import raise_problem

_PATH: Final = "/v1/events/stream"
_SILENCE_S: Final = 2.0 * EVENT_STREAM_SILENCE_S
"""After this time without a byte the connection is lost; a node says at half of it how far it is."""
_CONNECT_S: Final = 10.0
_RETRY_FIRST_S: Final = 0.1
_RETRY_MAX_S: Final = 5.0


def follow_stream(
    http: httpx.Client, parameters: Mapping[str, str], after: str, patience_s: float, for_s: float = inf
) -> Iterator[dict[str, Any]]:
    """Yield events as JSON shows them, for ever or for some time, each once.

    Args:
        http: with the node's address and token.
        parameters: of the request, the filter and the first height.
        after: identifier after which to begin, or empty.
        patience_s: how long the node may not answer before that is an error, seconds.
        for_s: seconds from now after which it ends.

    Raises:
        NodeUnreachableError: it did not answer for that long.
        YunheError: it refused.
    """
    lost_since: float | None = None
    pause_s = _RETRY_FIRST_S
    end = time.monotonic() + for_s
    while (left_s := end - time.monotonic()) > 0:
        failure: YunheError
        try:
            for event_id, event in _connected(http, parameters, after, min(_SILENCE_S, left_s)):
                lost_since, pause_s = None, _RETRY_FIRST_S
                after = event_id or after
                if event is not None:
                    yield event
                if time.monotonic() >= end:
                    return
            failure = NodeUnreachableError("the node ended the stream of events")
        except (OverloadedError, UnavailableError) as error:
            failure = error
        except UnicodeEncodeError as error:
            raise MalformedError(f"a name or other text cannot be sent: {error}") from error
        except httpx.TransportError as error:
            failure = NodeUnreachableError(f"the node does not answer: {str(error) or type(error).__name__}")
            failure.__cause__ = error
        now = time.monotonic()
        lost_since = now if lost_since is None else lost_since
        if now + pause_s - lost_since > patience_s and now < end:
            raise failure
        time.sleep(max(0.0, min(pause_s, end - now)))
        pause_s = min(2 * pause_s, _RETRY_MAX_S)


def _connected(
    http: httpx.Client, parameters: Mapping[str, str], after: str, silence_s: float
) -> Iterator[tuple[str, dict[str, Any] | None]]:
    """Yield identifier and event of each part of one connection; a part without event says how far the stream is."""
    headers = {"Accept": "text/event-stream"} | ({"Last-Event-ID": after} if after else {})
    with http.stream(
        "GET", _PATH, params=dict(parameters), headers=headers, timeout=httpx.Timeout(min(_CONNECT_S, silence_s), read=silence_s)
    ) as answer:
        if not answer.is_success:
            answer.read()
            raise_problem(answer)
        try:
            for part in EventSource(answer).iter_sse():
                yield part.id, _event(part.json()) if part.data else None
        except (SSEError, ValueError, RecursionError, httpx.DecodingError) as error:
            raise BadAnswerError("the node's answer is no stream of events; is the address that of a Yunhe node?") from error


def _event(value: object) -> dict[str, Any]:
    if not isinstance(value, dict) or not isinstance(value.get("id"), str):
        raise BadAnswerError("the node's stream has something that is no event")
    return value
