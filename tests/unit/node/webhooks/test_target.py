"""Where webhooks may go."""

import asyncio

import pytest

from yunhe.errors import WebhookTargetError
from yunhe.node.webhooks.target import Target


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/x",
        "https://10.1.2.3/x",
        "https://192.168.0.1/x",
        "https://169.254.169.254/latest",
        "https://[::1]/x",
        "https://[fe80::1]/x",
        "https://[::ffff:127.0.0.1]/x",
        "https://0.0.0.0/x",
        "https://224.0.0.1/x",
        "https://localhost/x",
        "http://example.org/x",
        "ftp://example.org/x",
        "https://user:pass@example.org/",
        "https:///x",
        "https://example.org:99999/",
        "https://example.org/ x",
        "https://example.org/#part",
        "https://[::1/x",
        "https://example.org/" + "x" * 2048,
        "https://例.org/",
        "",
    ],
)
def test_target_that_is_not_public_is_refused(url: str) -> None:
    """EVT-014 refused: by what it says, or by what its host stands for."""
    with pytest.raises(WebhookTargetError):
        asyncio.run(Target.parse(url, allow_private=False).resolve())


@pytest.mark.parametrize("url", ["https://8.8.8.8/events", "https://[2606:4700::1111]:8443/events?a=b"])
def test_public_target_is_taken(url: str) -> None:
    """EVT-014 accepted."""
    assert asyncio.run(Target.parse(url, allow_private=False).resolve()) in url


def test_private_target_is_taken_where_the_node_allows_it() -> None:
    """EVT-014 accepted."""
    assert asyncio.run(Target.parse("http://127.0.0.1:8000/events", allow_private=True).resolve()) == "127.0.0.1"
