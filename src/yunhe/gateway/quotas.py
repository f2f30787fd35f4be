"""Quotas: how many transactions a second one caller, or one member, may hand in on average (API-020)."""

import time
from collections.abc import Callable
from typing import Final

from yunhe.errors import QuotaExceededError
from yunhe.limits import QUOTA_BURST_S

_NAMES_MAX: Final = 10_000
"""Names that are remembered before those are forgotten that owe nothing."""


class Quota:
    """Transactions a second of each name. What was used up is paid back by time; whoever owes `QUOTA_BURST_S` or more is refused."""

    def __init__(self, what: str, rate: int, clock_s: Callable[[], float] = time.monotonic) -> None:
        """Begin to count.

        Args:
            what: who has the quota, for refusals.
            rate: transactions a second; 0 for no quota.
            clock_s: seconds that never go back.
        """
        self._what = what
        self._rate = rate
        self._clock_s = clock_s
        self._paid_at: dict[str, float] = {}
        """When each name will have paid for all that it used."""

    @property
    def is_set(self) -> bool:
        """Whether anything is counted."""
        return self._rate > 0

    def take(self, name: str, count: int = 1) -> None:
        """Use up some of a name's quota.

        Raises:
            QuotaExceededError: it owes too much, so nothing is used.
        """
        if not self.is_set:
            return
        now = self._clock_s()
        paid_at = max(now, self._paid_at.get(name, now))
        if paid_at - now >= QUOTA_BURST_S:
            raise QuotaExceededError(f"{self._what} {name} hands in more than {self._rate} transactions a second; try again in a second")
        self._paid_at[name] = paid_at + count / self._rate
        if len(self._paid_at) > _NAMES_MAX:
            self._paid_at = {name: at for name, at in self._paid_at.items() if at > now}
