"""What a check of the doctor found."""

from dataclasses import dataclass
from typing import Final

OK: Final = "ok"
WARNING: Final = "warning"
"""What an operator should know."""
FAULT: Final = "fault"
"""What keeps the node from running, or lets others act as it."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found."""

    check: str
    """What was looked at."""
    verdict: str
    """`ok`, `warning` or `fault`."""
    found: str
    advice: str = ""
    """What to do; empty when nothing is."""
