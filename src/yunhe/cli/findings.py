"""What the checker found, as people read it: each finding with its line of the source and a mark below the place."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from rich.cells import cell_len

from yunhe.errors import Finding

_LINE_CELLS_MAX: Final = 160
"""A longer line is shown from near the place on."""
_CELLS_BEFORE: Final = 60


def listed(path: Path, source: bytes, findings: Sequence[Finding]) -> str:
    """Return findings in the order of the source, and the verdict."""
    lines = source.decode(errors="replace").split("\n")
    shown = [line for finding in findings for line in _finding(path, lines, finding)]
    count = "1 finding" if len(findings) == 1 else f"{len(findings)} findings"
    return "\n".join([*shown, f"{path}: refused, {count}"])


def _finding(path: Path, lines: Sequence[str], finding: Finding) -> list[str]:
    place = f"{path}:{finding.line}:{finding.column}" if finding.line > 0 else str(path)
    shown = [f"{place}: {finding.reason} ({finding.rule})"]
    if 1 <= finding.line <= len(lines):
        shown += _marked(lines[finding.line - 1], finding.column - 1)
    return [*shown, f"    instead: {finding.instead}"]


def _marked(line: str, column: int) -> list[str]:
    """Return a line of the source with a mark below a column, counted from 0; both are cut to what a terminal shows."""
    start = 0 if cell_len(line) <= _LINE_CELLS_MAX else max(0, column - _CELLS_BEFORE)
    shown = "".join(c if c.isprintable() else "\ufffd" for c in line[start : start + _LINE_CELLS_MAX])
    return [f"    {shown.rstrip()}", f"    {' ' * cell_len(shown[: column - start])}^"]
