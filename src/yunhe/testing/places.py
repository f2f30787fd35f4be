"""The place in an author's own files where something happened: a line of a contract or a test, not of Yunhe or Hypothesis."""

import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FrameType, TracebackType
from typing import Final

_OURS: Final = str(Path(__file__).parents[1])
_NOT_OWN: Final = tuple({_OURS, *(sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib"))})
"""Folders whose files are nobody's contract and nobody's test: Yunhe, Python, and what is installed."""


@dataclass(frozen=True, slots=True)
class Place:
    """A line of a file."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


class PlacedError(AssertionError):
    """A failure that knows the author's line that it is about."""

    def __init__(self, message: str, place: Place | None = None) -> None:
        super().__init__(message)
        self.place = place


def place_of(error: BaseException) -> Place | None:
    """Return the author's line that an error is about: the one that it names, else the innermost that it came through, else its cause's."""
    cause: BaseException | None = error
    while cause is not None:
        place = cause.place if isinstance(cause, PlacedError) and cause.place is not None else own_place(cause)
        if place is not None:
            return place
        cause = cause.__cause__
    return None


def own_place(error: BaseException) -> Place | None:
    """Return the innermost line of an author that an error came through."""
    return next((Place(file, line) for file, line in reversed(list(_lines(error.__traceback__))) if _is_own(file)), None)


def place_in(error: BaseException, file: str) -> Place | None:
    """Return the innermost line of a file that an error came through."""
    return next((Place(found, line) for found, line in reversed(list(_lines(error.__traceback__))) if found == file), None)


def caller_place(frame: FrameType | None) -> Place | None:
    """Return the innermost line of an author in a stack of calls."""
    while frame is not None:
        if _is_own(frame.f_code.co_filename):
            return Place(frame.f_code.co_filename, frame.f_lineno)
        frame = frame.f_back
    return None


def _lines(trace: TracebackType | None) -> Iterator[tuple[str, int]]:
    while trace is not None:
        yield trace.tb_frame.f_code.co_filename, trace.tb_lineno
        trace = trace.tb_next


def _is_own(file: str) -> bool:
    return not file.startswith(("<", *_NOT_OWN))
