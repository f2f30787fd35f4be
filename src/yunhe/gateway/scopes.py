"""Which scope a request needs (API-031), told from its method and path alone, so that it is decided before the body is read.

What changes anything and is not named here needs `operate`, so that a route that nobody thought of is not open to everyone.
"""

from typing import Final

from yunhe.node.tokens import AUDIT, OPERATE, READ, SUBMIT

RELAY_PATH: Final = "/v1/relay"
"""Where members hand in transactions without a token."""
OPEN_PATHS: Final = frozenset({"/v1/health", "/v1/ready", "/v1/version", RELAY_PATH, "/openapi.json", "/docs"})
"""Paths that need no token."""
METRICS_PATH: Final = "/metrics"
"""Where Prometheus looks for metrics by itself."""
_SUBMITTING: Final = frozenset({"/v1/transactions", "/v1/transactions/batch"})
_COMPUTING: Final = frozenset({"/v1/proofs", "/v1/transactions/simulate"})
_CONTRACTS: Final = "/v1/contracts/"
_WEBHOOKS: Final = "/v1/webhooks"
SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
"""Methods that change nothing."""


def needed_scope(method: str, path: str) -> str | None:
    """Return the scope that a request needs; None where none is needed."""
    # API-031
    if path in OPEN_PATHS:
        return None
    if path == METRICS_PATH:
        return AUDIT
    if path.startswith(_WEBHOOKS):
        return OPERATE
    if method in SAFE_METHODS:
        return READ
    if method == "POST" and path in _SUBMITTING:
        return SUBMIT
    # What these take is a question that does not fit into a path.
    if method == "POST" and (path in _COMPUTING or path.startswith(_CONTRACTS)):
        return READ
    return OPERATE
