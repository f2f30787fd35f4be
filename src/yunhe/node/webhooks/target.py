"""Where a webhook may go, and how it is sent there.

A node stands inside an organisation's network and sends to addresses that callers name, so it must not be a way to what only it can reach:
the address is resolved once, every address that it stands for must be public, and the connection goes to the one that was looked at.
Redirects are not followed.
"""

import asyncio
import ipaddress
import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import SplitResult, urlsplit

import httpx

from yunhe.errors import WebhookTargetError
from yunhe.limits import WEBHOOK_TIMEOUT_S, WEBHOOK_URL_CHARS_MAX

_SCHEMES: Final = {"https": 443, "http": 80}


_LABEL: Final = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)", re.ASCII)
_NUMBER: Final = re.compile(r"[0-9]+|0x[0-9a-f]*", re.ASCII)
_HOST_CHARS_MAX: Final = 253
_UNICAST: Final = ipaddress.IPv6Network("2000::/3")
"""What of IPv6 is given to networks of the internet; all else is local, reserved, or stands for an address of IPv4."""
_SPECIAL: Final = tuple(
    ipaddress.ip_network(network) for network in ("192.88.99.0/24", "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")
)
"""Relays and tunnels of 6to4 and Teredo, which lead to any address, and what documents use."""
_NAT64: Final = ipaddress.IPv6Network("64:ff9b::/96")
"""Addresses of IPv4 as a network has them that is of IPv6 alone (RFC 6052); the last four bytes are the address."""


class UndeliveredError(Exception):
    """A webhook did not arrive; the message says why, and begins with a code that does not change (EVT-013)."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code


@dataclass(frozen=True, slots=True)
class Target:
    """An address that webhooks are sent to, by the node's rules."""

    url: str
    host: str
    port: int
    allow_private: bool
    """Whether it may be an address that is not public, and plain HTTP."""

    @classmethod
    def parse(cls, url: str, *, allow_private: bool) -> "Target":
        """Read an address.

        Raises:
            WebhookTargetError: it can never be sent to under the node's rules.
        """
        # EVT-014
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as error:
            raise WebhookTargetError(f"the address of a webhook is a URL such as https://example.org/events: {error}") from error
        if len(url) > WEBHOOK_URL_CHARS_MAX or not url.isascii() or not url.isprintable() or " " in url:
            raise WebhookTargetError(
                f"the address of a webhook is printable ASCII without spaces, at most {WEBHOOK_URL_CHARS_MAX} characters"
            )
        if not parts.hostname or parts.scheme not in _SCHEMES or _names_a_user(parts) or parts.fragment:
            raise WebhookTargetError("the address of a webhook is an https URL with a host, without user, password and fragment")
        if parts.scheme == "http" and not allow_private:
            raise WebhookTargetError("this node sends webhooks by https only; `webhook_private_targets = true` in node.toml allows http")
        if port == 0 or not _is_host(parts.hostname) or not _is_readable(url):
            raise WebhookTargetError(
                f"{parts.netloc} is no host that a webhook can be sent to: give a name, or an address in its usual form, and a port above 0"
            )
        target = cls(url, parts.hostname, port or _SCHEMES[parts.scheme], allow_private)
        literal = _literal(parts.hostname)
        if literal is not None:
            target.check_public(literal)
        return target

    def check_public(self, address: str) -> None:
        """Check an address that the host stands for.

        Raises:
            WebhookTargetError: it is not public, and the node sends to public ones only.
        """
        # EVT-014
        if not self.allow_private and not _is_public(ipaddress.ip_address(address)):
            raise WebhookTargetError(
                f"{self.host} is {address}, which is not public; `webhook_private_targets = true` in node.toml allows such targets"
            )

    async def resolve(self) -> str:
        """Return the address to connect to.

        Raises:
            WebhookTargetError: one of those that the host stands for is not public.
            UndeliveredError: the host is unknown.
        """
        try:
            found = await asyncio.get_running_loop().getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise UndeliveredError(
                "HOST_UNKNOWN", f"the host {self.host} is unknown: {getattr(error, 'strerror', None) or error}"
            ) from error
        addresses = [str(entry[4][0]).partition("%")[0] for entry in found]
        for address in addresses:
            self.check_public(address)
        return addresses[0]

    async def send(self, http: httpx.AsyncClient, body: bytes, headers: Mapping[str, str]) -> None:
        """Send a body and wait until the receiver has said that it has it.

        Raises:
            UndeliveredError: it did not.
        """
        # EVT-013
        try:
            async with asyncio.timeout(WEBHOOK_TIMEOUT_S):
                address = await self.resolve()
                url = httpx.URL(self.url)
                pinned = url.copy_with(host=address)
                named = {"Host": url.netloc.decode("ascii")} | dict(headers)
                request = http.build_request("POST", pinned, content=body, headers=named, extensions={"sni_hostname": self.host})
                answer = await http.send(request, stream=True)
                await answer.aclose()
        except TimeoutError as error:
            raise UndeliveredError("TIMED_OUT", f"no answer within {WEBHOOK_TIMEOUT_S} s") from error
        except WebhookTargetError as error:
            raise UndeliveredError(error.code, error.message) from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise UndeliveredError("CONNECTION_FAILED", str(error) or type(error).__name__) from error
        if answer.is_redirect:
            raise UndeliveredError(
                "REDIRECTED", f"answer {answer.status_code}: redirects are not followed; register the address that it points to"
            )
        if not answer.is_success:
            raise UndeliveredError("ANSWER_NOT_OK", f"answer {answer.status_code}")


def _names_a_user(parts: SplitResult) -> bool:
    return parts.username is not None or parts.password is not None


def _is_host(host: str) -> bool:
    """Tell whether a host is an address in its usual form, or a name that can be looked up and is not read as an address."""
    if _literal(host) is not None:
        # A zone is of this machine alone, and an address of IPv4 has one form.
        return "%" not in host
    labels = host.split(".")
    return len(host) <= _HOST_CHARS_MAX and all(map(_LABEL.fullmatch, labels)) and not _NUMBER.fullmatch(labels[-1])


def _is_readable(url: str) -> bool:
    try:
        httpx.URL(url)
    except httpx.InvalidURL:
        return False
    return True


def _is_public(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    if isinstance(address, ipaddress.IPv6Address):
        carried = address.ipv4_mapped or (ipaddress.IPv4Address(address.packed[-4:]) if address in _NAT64 else None)
        if carried is not None:
            return _is_public(carried)
        if address not in _UNICAST:
            return False
    return address.is_global and not address.is_multicast and not any(address in network for network in _SPECIAL)


def _literal(host: str) -> str | None:
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        return None
