"""The account that the demo gives of itself: steps, what was seen in each, how long it took.

For people it is printed line by line, as things happen; for programs it is one JSON object at the end. Times are what a caller sees, on the
clock of the machine, and decide nothing.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import perf_counter
from typing import Final

from rich.console import Console
from rich.markup import escape

_MILLISECONDS: Final = 1000


@dataclass(slots=True)
class Line:
    """One thing that happened."""

    text: str
    milliseconds: int | None
    """How long it took; None for an explanation."""


@dataclass(slots=True)
class Step:
    """One part of the demo."""

    title: str
    lines: list[Line] = field(default_factory=list)
    milliseconds: int = 0


class Account:
    """Prints and collects what happens."""

    def __init__(self, console: Console | None) -> None:
        """Begin an account.

        Args:
            console: where to print; None prints nothing until `to_json`.
        """
        self._console = console
        self._steps: list[Step] = []
        self._results: dict[str, str] = {}
        self._began = perf_counter()
        self._last = self._began

    def opening(self, *lines: str) -> None:
        """Tell people beforehand what it is about."""
        for line in lines:
            self._print(escape(line))

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """Begin a step; it ends with the block."""
        step = Step(title)
        self._steps.append(step)
        self._print(f"\n[bold]{len(self._steps)}. {escape(title)}[/bold]")
        began = self._last = perf_counter()
        try:
            yield
        finally:
            step.milliseconds = round((perf_counter() - began) * _MILLISECONDS)

    def done(self, text: str) -> None:
        """Tell what has just been done, with the time since the last line of the step."""
        milliseconds = self._lap()
        self._steps[-1].lines.append(Line(text, milliseconds))
        self._print(f"[dim]{milliseconds:>7} ms[/dim]  {escape(text)}")

    def refused(self, text: str, code: str, reason: str) -> None:
        """Tell what has just been refused, as it had to be, and why."""
        milliseconds = self._lap()
        self._steps[-1].lines.append(Line(f"{text}: refused, {code}", milliseconds))
        self._print(f"[dim]{milliseconds:>7} ms[/dim]  {escape(text)}: [bold red]refused, {escape(code)}[/bold red]")
        self.note(f"{reason}; nothing changed")

    def note(self, text: str) -> None:
        """Explain something."""
        self._steps[-1].lines.append(Line(text, None))
        self._print(f"            [dim]{escape(text)}[/dim]")

    def result(self, name: str, value: str, explanation: str) -> None:
        """Keep a result by name, for programs, and show it to people."""
        self._results[name] = value
        self._print(f"  {escape(explanation)}: [bold]{escape(value)}[/bold]")

    def heading(self, text: str) -> None:
        """Begin the closing part."""
        self._print(f"\n[bold]{escape(text)}[/bold]")

    def advice(self, explanation: str, command: str) -> None:
        """Show people something that they can do next."""
        self._print(f"  [dim]{escape(explanation)}[/dim]\n    {escape(command)}")

    def times(self) -> None:
        """Show people how long each step took."""
        for number, step in enumerate(self._steps, 1):
            self._print(f"[dim]{step.milliseconds:>7} ms[/dim]  {number}. {escape(step.title)}")

    @property
    def milliseconds(self) -> int:
        """Time since the account began."""
        return round((perf_counter() - self._began) * _MILLISECONDS)

    def to_json(self) -> str:
        """Return the whole account as one JSON object."""
        steps = [
            {
                "title": step.title,
                "milliseconds": step.milliseconds,
                "lines": [{"text": line.text, "milliseconds": line.milliseconds} for line in step.lines],
            }
            for step in self._steps
        ]
        return json.dumps({"milliseconds": self.milliseconds, "steps": steps, **self._results}, ensure_ascii=False, indent=2)

    def _lap(self) -> int:
        """Return the milliseconds since the last line of the step, and begin the next."""
        now = perf_counter()
        milliseconds = round((now - self._last) * _MILLISECONDS)
        self._last = now
        return milliseconds

    def _print(self, text: str) -> None:
        if self._console is not None:
            self._console.print(_visible(text), highlight=False, soft_wrap=True)


def _visible(text: str) -> str:
    """Return a text that cannot steer the terminal: what it tells about is a document that somebody else may have written."""
    return "".join(character if character.isprintable() or character == "\n" else f"\\u{ord(character):04x}" for character in text)
