"""Heads of requests that two readers could take differently (API-018), which the parser lets through.

Between a caller and a node there can be a proxy. What it and the node read differently lets one caller's bytes become part of another's
request, so what is not plain is refused, and the connection closed.
"""

import re
from collections.abc import Sequence
from typing import Final

from yunhe.errors import RequestInvalidError

_VERSIONS: Final = frozenset({"1.0", "1.1"})
_HOST: Final = re.compile(rb"[A-Za-z0-9._~:%\[\]-]*")
_ONCE: Final = (
    b"authorization",
    b"content-encoding",
    b"content-length",
    b"content-type",
    b"host",
    b"idempotency-key",
    b"last-event-id",
    b"transfer-encoding",
    b"x-request-id",
)
"""Headers that stand in a request once at most."""


def check_head(version: str, target: bytes, headers: Sequence[tuple[bytes, bytes]]) -> None:
    """Check a head that has its form.

    Args:
        version: of HTTP, such as `1.1`.
        target: of the request, as it came.
        headers: names in lower case, and values.

    Raises:
        RequestInvalidError: it can be read in two ways, or asks for what a node does not do; the message says what.
    """
    # API-018
    if version not in _VERSIONS:
        raise RequestInvalidError(f"this node speaks HTTP/1.1, not HTTP/{version}")
    if b"#" in target:
        raise RequestInvalidError("the path of a request ends before `#`; leave that part out")
    names = [name for name, _ in headers]
    for name in _ONCE:
        if names.count(name) > 1:
            raise RequestInvalidError(f"the header {name.decode()} stands in the request {names.count(name)} times; send it once")
    values = dict(headers)
    host = values.get(b"host", b"" if version == "1.0" else None)
    if host is None or not _HOST.fullmatch(host):
        raise RequestInvalidError("a request of HTTP/1.1 has a header `Host` that names the node")
    if b"upgrade" in values:
        raise RequestInvalidError("this node does not change protocols; send the request without the header `Upgrade`")
    if values.get(b"transfer-encoding", b"chunked").lower() != b"chunked":
        raise RequestInvalidError("a body is sent with its length or in chunks (`Transfer-Encoding: chunked`), not encoded otherwise")
    if values.get(b"content-encoding", b"identity").lower() != b"identity":
        raise RequestInvalidError("a body is sent as it is, without the header `Content-Encoding`")
