"""How long a file and a function may be: 800 and 70 lines.

The walls are ratchets. What is over a wall is recorded with its present length and a reason, may shrink and may not grow, and leaves
the record as soon as it is under the wall; the record is in `tests/tidy/test_tidy.py`. Clippy holds Rust functions (`too_many_lines`).
"""

import ast
from collections.abc import Iterable, Iterator, Mapping

from tools.tidy.checkout import Source

FILE_LINES_MAX = 800
FUNCTION_LINES_MAX = 70
_WALLED_SUFFIXES = (".py", ".pyi", ".rs")


def file_lengths(sources: Iterable[Source]) -> dict[str, int]:
    """Return the length of every file of code, by path."""
    return {source.path: len(source.lines) for source in sources if source.path.endswith(_WALLED_SUFFIXES)}


def function_lengths(sources: Iterable[Source]) -> dict[str, int]:
    """Return the length of every Python function, by `path::name`, from `def` to its last line."""
    lengths: dict[str, int] = {}
    for source in sources:
        if source.is_python():
            for name, node in _functions(source.tree, ""):
                lengths[f"{source.path}::{name}"] = (node.end_lineno or node.lineno) - node.lineno + 1
    return lengths


def over_the_wall(lengths: Mapping[str, int], wall: int, ratchet: Mapping[str, int]) -> list[str]:
    """Return what is longer than the wall and not recorded, longer than recorded, or recorded and no longer over the wall."""
    findings = []
    for name, length in sorted(lengths.items()):
        if length > wall and name not in ratchet:
            findings.append(f"{name}: {length} lines, the wall is {wall}")
        elif name in ratchet and length > ratchet[name]:
            findings.append(f"{name}: {length} lines, it had {ratchet[name]}: a ratchet only goes down")
    findings += [
        f"{name}: not over the wall of {wall} any more, take it out of the record" for name in ratchet if lengths.get(name, 0) <= wall
    ]
    return findings


def _functions(node: ast.AST, prefix: str) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            yield prefix + child.name, child
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield from _functions(child, f"{prefix}{child.name}.")
        else:
            yield from _functions(child, prefix)
