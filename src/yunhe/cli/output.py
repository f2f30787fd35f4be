"""What the command line prints: text for people, or one JSON value with `--json`; errors on standard error; exit codes.

| Exit code | Meaning |
|---|---|
| 0 | done |
| 1 | refused: the input, the rules or a proof |
| 2 | the command was used wrongly |
| 3 | not available now: no node answers, too much to do, or halted |
| 4 | the configuration or the stored data cannot be used |
"""

import json
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from rich.cells import cell_len
from rich.console import Console

from yunhe.errors import ConfigurationError, CorruptionError, OverloadedError, UnavailableError, YunheError

EXIT_REFUSED: Final = 1
EXIT_UNAVAILABLE: Final = 3
EXIT_CONFIGURATION: Final = 4

_TIME_FIELD: Final = "time_ms"

_out = Console(highlight=False, emoji=False, soft_wrap=True)
_err = Console(stderr=True, highlight=False, emoji=False, soft_wrap=True)


class Output:
    """Where and how a command prints."""

    def __init__(self) -> None:
        self.json = False

    def result(self, value: Mapping[str, Any] | Sequence[Any], human: str) -> None:
        """Print a command's result."""
        if self.json:
            sys.stdout.write(json.dumps(value, ensure_ascii=False) + "\n")
        else:
            _out.print(_printable(human), markup=False)

    def line(self, value: Mapping[str, Any], human: str) -> None:
        """Print one of many results as it comes; with `--json` one value on each line."""
        self.result(value, human)
        sys.stdout.flush()

    def fields(self, value: Mapping[str, Any]) -> None:
        """Print a map as lines of name and value; without `--json`, what is empty is left out."""
        self.result(value, fields(value))

    def progress(self, text: str) -> None:
        """Say on standard error what long work is at."""
        if not self.json:
            _err.print(_printable(text), markup=False, style="dim")

    def error(self, error: YunheError, meaning: str = "") -> None:
        """Print an error, and what it means if there is more to say of it."""
        if self.json:
            value = {"code": error.code, "message": error.message} | ({"meaning": meaning} if meaning else {})
            sys.stderr.write(json.dumps(value, ensure_ascii=False) + "\n")
        else:
            _err.print(_printable(f"{error.code}: {error.message}"), markup=False, style="red")
            if meaning:
                _err.print(_printable(meaning), markup=False)


def exit_code(error: YunheError) -> int:
    """Return the exit code of an error."""
    if isinstance(error, UnavailableError | OverloadedError):
        return EXIT_UNAVAILABLE
    if isinstance(error, ConfigurationError | CorruptionError):
        return EXIT_CONFIGURATION
    return EXIT_REFUSED


def fields(value: Mapping[str, Any]) -> str:
    """Return a map as lines of name and value, for people; what is empty is left out."""
    return "\n".join(_named_lines({name: item for name, item in value.items() if item not in (None, [], (), {})}))


def _named_lines(value: Mapping[str, Any]) -> list[str]:
    width = max((len(name) for name in value), default=0)
    lines = []
    for name, item in value.items():
        first, *more = _lines(item, name)
        lines += [f"{name:<{width}}  {first}".rstrip(), *(f"{'':<{width}}  {line}" for line in more)]
    return lines


def _lines(value: object, name: str) -> list[str]:
    """Return a value in one line or more: maps by their fields, lists of maps as tables, lists of texts one below the other."""
    if isinstance(value, Mapping) and value:
        return _named_lines(value)
    if isinstance(value, list) and value:
        if all(isinstance(item, str) for item in value):
            return [_plain(item, name) for item in value]
        if all(isinstance(item, Mapping) and item.keys() == value[0].keys() for item in value):
            return table(list(value[0]), [list(item.values()) for item in value]).split("\n")
    return [_plain(value, name)]


def table(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """Return rows as aligned columns, for people; nothing is cut off, so that what is shown can be copied."""
    cells = [list(columns), *([_plain(cell, name) for name, cell in zip(columns, row, strict=True)] for row in rows)]
    widths = [max(cell_len(row[column]) for row in cells) for column in range(len(columns))]
    return "\n".join(
        "  ".join(cell + " " * (width - cell_len(cell)) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells
    )


def _plain(value: object, name: str) -> str:
    if isinstance(value, str):
        return value.replace("\n", "\\n")
    if isinstance(value, list) and value and all(isinstance(item, str) for item in value):
        return ", ".join(value).replace("\n", "\\n")
    if name == _TIME_FIELD and isinstance(value, int):
        return f"{value} ({utc(value)})"
    return json.dumps(value, ensure_ascii=False)


def utc(time_ms: int) -> str:
    """Return a block's time as people write it."""
    try:
        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=time_ms)
    except OverflowError:
        return f"{time_ms} ms after 1970-01-01 UTC"
    return f"{moment:%Y-%m-%d %H:%M:%S}.{time_ms % 1000:03d} UTC"


def _printable(text: str) -> str:
    """Return a text with everything made visible that could steer a terminal: records may hold any character."""
    return "".join(c if c == "\n" or c.isprintable() else f"\\u{ord(c):04x}" for c in text)


output = Output()
"""The one output of the process."""
