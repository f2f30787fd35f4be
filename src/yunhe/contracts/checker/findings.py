"""What the checker collects: findings in the order of the source, bounded, the same on every machine.

No text of an interpreter gets into a finding: reasons are ours, positions are characters of the source. Specification:
docs/spec/contracts.md, "The subset".
"""

import ast
from typing import TYPE_CHECKING

from yunhe.errors import Finding
from yunhe.limits import CONTRACT_FINDINGS_MAX

if TYPE_CHECKING:
    from collections.abc import Sequence


class Findings:
    """Findings of one source."""

    def __init__(self) -> None:
        self._found: dict[tuple[int, int, str, str], Finding] = {}
        self._lines: Sequence[str] = ()
        self.stop = False
        """Whether the source must not be handed to the parser."""

    def read(self, text: str) -> None:
        """Take note of the source, to count columns in characters."""
        self._lines = text.split("\n")

    def __bool__(self) -> bool:
        return bool(self._found)

    def at(self, rule: str, position: tuple[int, int], reason: str, instead: str) -> None:
        """Add a finding at a line and a column, both counted from 1."""
        line, column = position
        if len(self._found) < CONTRACT_FINDINGS_MAX:
            self._found.setdefault((line, column, rule, reason), Finding(rule, line, column, reason, instead))

    def fatal(self, rule: str, position: tuple[int, int], reason: str, instead: str) -> None:
        """Add a finding that makes it unsafe to parse the source."""
        self.stop = True
        self.at(rule, position, reason, instead)

    def on(self, rule: str, node: ast.AST, reason: str, instead: str) -> None:
        """Add a finding at a node of the syntax tree."""
        line: int = getattr(node, "lineno", 0)
        offset: int = getattr(node, "col_offset", -1)
        column = offset + 1
        if 1 <= line <= len(self._lines):
            # The parser counts bytes of UTF-8.
            column = len(self._lines[line - 1].encode()[:offset].decode(errors="ignore")) + 1
        self.at(rule, (line, column), reason, instead)

    def all(self) -> tuple[Finding, ...]:
        """Return the findings in the order of the source."""
        return tuple(self._found[key] for key in sorted(self._found))
