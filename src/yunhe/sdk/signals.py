"""For programs that start a node of their own: being ended by a signal, they still end it."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """Let the signals that end a process end it the orderly way while the block runs; call from the main thread.

    Raises:
        SystemExit: SIGTERM or SIGHUP came; the code is 128 and its number.
    """

    def end(number: int, _frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    before = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
