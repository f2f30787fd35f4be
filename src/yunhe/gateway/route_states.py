"""How long a route stays as it is (API-050 to API-052): stable unless it is named here."""

from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import formatdate
from typing import Final, Literal, TypeAlias

RouteState: TypeAlias = Literal["stable", "provisional", "deprecated"]

_KEPT_S: Final = 365 * 24 * 3600
"""How long a deprecated route stays at least."""


@dataclass(frozen=True, slots=True)
class Deprecation:
    """A route that is to go."""

    since_s: int
    """When that was announced, seconds since 1970-01-01 UTC."""
    sunset_s: int
    """From when on it may be gone, seconds since 1970-01-01 UTC."""
    successor: str
    """Path of what takes its place."""

    def __post_init__(self) -> None:
        # API-052
        assert self.sunset_s - self.since_s >= _KEPT_S, "a deprecated route stays for a year"

    @property
    def headers(self) -> dict[str, str]:
        """Headers of its answers (RFC 9745, RFC 8594)."""
        return {
            "Deprecation": f"@{self.since_s}",
            "Sunset": formatdate(self.sunset_s, usegmt=True),
            "Link": f'<{self.successor}>; rel="successor-version"',
        }


PROVISIONAL: Final = frozenset({"GET /metrics", "POST /v1/relay", "POST /v1/transactions/simulate"})
"""Routes that may change with any version, which the changelog then says."""
DEPRECATED: Final[Mapping[str, Deprecation]] = {}
"""Routes that are to go; a test holds every entry to the rules."""


def route_state(route: str) -> RouteState:
    """Return the state of a route, such as `GET /v1/blocks`."""
    # API-050, API-051
    if route in DEPRECATED:
        return "deprecated"
    return "provisional" if route in PROVISIONAL else "stable"
