"""Progress of long work on blocks: at most a line each second, and one at the end."""

import time
from typing import Final

from yunhe.cli.output import output

_INTERVAL_S: Final = 1.0


class BlockProgress:
    """Says on standard error how many blocks are done; to be called after each."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._told_s = time.monotonic()

    def __call__(self, done: int, total: int) -> None:
        """Take note that so many of all blocks are done."""
        now = time.monotonic()
        if done == total or now - self._told_s >= _INTERVAL_S:
            self._told_s = now
            output.progress(f"{self._what} {done} of {total} blocks ({100 * done // total} %)")
