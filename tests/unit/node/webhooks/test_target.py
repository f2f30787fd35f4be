"""Where webhooks may go."""

import asyncio
import ipaddress

import httpx
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
        "https://a..b/",
        "https://.example.org/",
        "https://example.org./",
        "https://-a.example.org/",
        "https://a-.example.org/",
        "https://exa%6dple.org/",
        "https://exa\\mple.org/",
        "https://" + "a" * 64 + ".org/",
        "https://" + "a." * 127 + "org/",
        "https://example.org:0/",
        "https://example.org:-1/",
        "https://127.1/",
        "https://2130706433/",
        "https://0177.0.0.1/",
        "https://0x7f.0.0.1/",
        "https://0x7f000001/",
        "https://[fe80::1%25lo]/",
        "https://[::]/",
        "https://[::7f00:1]/",
        "https://[::8.8.8.8]/",
        "https://[::ffff:10.0.0.1]/",
        "https://[::ffff:0:8.8.8.8]/",
        "https://[64:ff9b::10.0.0.1]/",
        "https://[64:ff9b::169.254.169.254]/",
        "https://[64:ff9b:1::8.8.8.8]/",
        "https://[2002:7f00:1::1]/",
        "https://[2002:808:808::1]/",
        "https://[2001:0:4136:e378:8000:63bf:3fff:fdd2]/",
        "https://[2001:db8::1]/",
        "https://[3fff::1]/",
        "https://[fec0::1]/",
        "https://[fc00::1]/",
        "https://[fd12:3456::1]/",
        "https://[ff0e::1]/",
        "https://[5f00::1]/",
        "https://[100::1]/",
        "https://192.88.99.1/",
        "https://100.64.0.1/",
        "https://198.18.0.1/",
        "https://203.0.113.1/",
        "https://240.0.0.1/",
        "https://255.255.255.255/",
        "https://example.org/" + "x" * 2048,
        "https://例.org/",
        "",
    ],
)
def test_target_that_is_not_public_is_refused(url: str) -> None:
    """EVT-014 refused: by what it says, or by what its host stands for."""
    with pytest.raises(WebhookTargetError):
        asyncio.run(Target.parse(url, allow_private=False).resolve())


@pytest.mark.parametrize(
    "url",
    [
        "https://8.8.8.8/events",
        "https://[2606:4700::1111]:8443/events?a=b",
        "https://[64:ff9b::808:808]/",
        "https://[::ffff:8.8.8.8]/",
        "https://[2a00:1450::1]:1/",
    ],
)
def test_public_target_is_taken(url: str) -> None:
    """EVT-014 accepted."""
    found = ipaddress.ip_address(asyncio.run(Target.parse(url, allow_private=False).resolve()))
    assert found in (ipaddress.ip_address(httpx.URL(url).host), getattr(ipaddress.ip_address(httpx.URL(url).host), "ipv4_mapped", None))


def test_private_target_is_taken_where_the_node_allows_it() -> None:
    """EVT-014 accepted."""
    assert asyncio.run(Target.parse("http://127.0.0.1:8000/events", allow_private=True).resolve()) == "127.0.0.1"


@pytest.mark.parametrize("host", ["example.org", "EXAMPLE.org", "a_b.internal", "xn--fsq.org", "1and1.com", "x", "a" * 63 + ".org"])
def test_name_is_taken_as_a_host(host: str) -> None:
    """EVT-014 accepted: what it stands for is looked at when it is resolved."""
    assert Target.parse(f"https://{host}/", allow_private=False).host == host.lower()
