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
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from yunhe.errors import ConfigurationError, CorruptionError, OverloadedError, UnavailableError, YunheError

EXIT_REFUSED: Final = 1
EXIT_UNAVAILABLE: Final = 3
EXIT_CONFIGURATION: Final = 4

_out = Console(highlight=False, soft_wrap=True)
_err = Console(stderr=True, highlight=False, soft_wrap=True)


class Output:
    """Where and how a command prints."""

    def __init__(self) -> None:
        self.json = False

    def result(self, value: Mapping[str, Any] | Sequence[Any], human: str | Table) -> None:
        """Print a command's result."""
        if self.json:
            sys.stdout.write(json.dumps(value, ensure_ascii=False) + "\n")
        else:
            _out.print(human, markup=False) if isinstance(human, str) else _out.print(human)

    def fields(self, value: Mapping[str, Any]) -> None:
        """Print a map as lines of name and value."""
        width = max((len(name) for name in value), default=0)
        self.result(value, "\n".join(f"{name:<{width}}  {_plain(item)}" for name, item in value.items()))

    def progress(self, text: str) -> None:
        """Say on standard error what long work is at."""
        if not self.json:
            _err.print(text, markup=False, style="dim")

    def error(self, error: YunheError) -> None:
        """Print an error."""
        if self.json:
            sys.stderr.write(json.dumps({"code": error.code, "message": error.message}, ensure_ascii=False) + "\n")
        else:
            _err.print(f"{error.code}: {error.message}", markup=False, style="red")


def exit_code(error: YunheError) -> int:
    """Return the exit code of an error."""
    if isinstance(error, UnavailableError | OverloadedError):
        return EXIT_UNAVAILABLE
    if isinstance(error, ConfigurationError | CorruptionError):
        return EXIT_CONFIGURATION
    return EXIT_REFUSED


def table(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> Table:
    """Return rows as a table for people."""
    shown = Table(*columns, box=None, pad_edge=False, header_style="bold")
    for row in rows:
        shown.add_row(*(_plain(cell) for cell in row))
    return shown


def _plain(value: object) -> str:
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)


output = Output()
"""The one output of the process."""
