"""Envelopes that this node has verified, and by whom it is made to verify for nothing.

Each envelope is verified once and its result remembered, keyed by the hash of all its bytes, so that a garbled copy is another envelope.
What is remembered covers all that an engine asks about again and again: what is in its memory, and one proposed block beside it. Both count
an envelope of very many very small transactions for more than its bytes.

Signatures are dear to verify and cheap to forge. Whose name an envelope bears is known before anything inside is verified (COD-041), so
who sends what does not verify pays by waiting. Thread-safe. Specification: docs/spec/cometbft.md, ABC-022.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Final

import structlog

from yunhe.crypto import ChainHash
from yunhe.errors import QuotaExceededError
from yunhe.ledger.admission import OpenedEnvelope
from yunhe.limits import ENVELOPE_SHARE_TRANSACTION_BYTES, OPENED_ENVELOPES_BYTES_MAX, WASTED_BURST, WASTED_RATE

_log = structlog.get_logger("yunhe.node")

_TOLD_S: Final = 10.0
"""Between two warnings about one organisation."""


def weight(opened: OpenedEnvelope) -> int:
    """Return what an envelope counts."""
    return max(len(opened.envelope.encoded), len(opened.verdicts) * ENVELOPE_SHARE_TRANSACTION_BYTES)


class OpenedEnvelopes:
    """The envelopes that were verified last."""

    def __init__(self, chain_hash: ChainHash) -> None:
        self._chain_hash = chain_hash
        self._lock = threading.Lock()
        self._opened: OrderedDict[bytes, OpenedEnvelope] = OrderedDict()
        self._weight = 0

    def find(self, envelope: bytes) -> OpenedEnvelope | None:
        """Return an envelope that was verified, if it is remembered."""
        key = self._chain_hash.digest(envelope)
        with self._lock:
            found = self._opened.get(key)
            if found is not None:
                self._opened.move_to_end(key)
            return found

    def remember(self, opened: OpenedEnvelope) -> None:
        """Keep an envelope that is verified, in the place of those that were not asked about for longest."""
        key = self._chain_hash.digest(opened.envelope.encoded)
        with self._lock:
            if key not in self._opened:
                self._opened[key] = opened
                self._weight += weight(opened)
            while self._weight > OPENED_ENVELOPES_BYTES_MAX:
                _, oldest = self._opened.popitem(last=False)
                self._weight -= weight(oldest)


class WastedWork:
    """How many transactions that did not verify came of each organisation lately."""

    def __init__(self, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._clock_s = clock_s
        self._lock = threading.Lock()
        self._paid_at: dict[str, float] = {}
        """When each organisation will have waited for all of them; organisations are enrolled by vote, so they are few."""
        self._told_at: dict[str, float] = {}

    def require_credit(self, organisation: str) -> None:
        """Check that an organisation need not wait.

        Raises:
            QuotaExceededError: it has to.
        """
        with self._lock:
            now_s = self._clock_s()
            owed = (self._paid_at.get(organisation, now_s) - now_s) * WASTED_RATE
        # ABC-022
        if owed >= WASTED_BURST:
            raise QuotaExceededError(
                f"envelopes of {organisation} held too many transactions that do not verify; they are taken again later"
            )

    def charge(self, organisation: str, node: str, count: int) -> None:
        """Take note of transactions that did not verify.

        Args:
            organisation: who pays.
            node: whose envelope it was; for the log.
            count: how many.
        """
        if not count:
            return
        with self._lock:
            now_s = self._clock_s()
            self._paid_at[organisation] = max(now_s, self._paid_at.get(organisation, now_s)) + count / WASTED_RATE
            is_told = now_s - self._told_at.get(organisation, -_TOLD_S) >= _TOLD_S
            if is_told:
                self._told_at[organisation] = now_s
        if is_told:
            _log.warning("an envelope holds what does not verify", node=node, transactions=count)
