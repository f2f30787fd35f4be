"""Which nodes of Python's syntax a contract may use, each refused one with its reason and what to write instead.

Rules enforced: CON-005 (depth of the tree) and CON-020 to CON-030, by one walk that does not recurse. A node that nobody thought of is
refused too (CON-037): the list is of what is allowed. Specification: docs/spec/contracts.md, "The subset".
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from yunhe.contracts.checker.findings import Findings
from yunhe.contracts.checker.unavailable import instead_of_import
from yunhe.contracts.vocabulary import (
    BINARY_OPERATORS,
    BOOLEAN_OPERATORS,
    COMPARISON_OPERATORS,
    EXPRESSION_NODES,
    PART_NODES,
    STATEMENT_NODES,
    UNARY_OPERATORS,
)
from yunhe.limits import CONTRACT_TREE_DEPTH_MAX

_ALLOWED: Final = frozenset(
    STATEMENT_NODES + EXPRESSION_NODES + PART_NODES + BINARY_OPERATORS + UNARY_OPERATORS + BOOLEAN_OPERATORS + COMPARISON_OPERATORS
)


@dataclass(frozen=True, slots=True)
class _Refused:
    rule: str
    reason: str
    instead: str


_REFUSED: Final[dict[type[ast.AST], _Refused]] = {
    ast.Try: _Refused("CON-020", "`try`", "test the condition first: a failed call cannot be caught"),
    ast.TryStar: _Refused("CON-020", "`try`", "test the condition first: a failed call cannot be caught"),
    ast.Raise: _Refused("CON-020", "`raise`", 'write `refuse("CODE")`'),
    ast.Assert: _Refused("CON-020", "`assert`", 'write `require(condition, "CODE")`'),
    ast.With: _Refused("CON-021", "`with`", "there is nothing to open or close in a contract"),
    ast.AsyncWith: _Refused("CON-021", "`async with`", "there is nothing to open or close in a contract"),
    ast.AsyncFor: _Refused("CON-021", "`async for`", "write `for`"),
    ast.AsyncFunctionDef: _Refused("CON-021", "`async def`", "write `def`"),
    ast.Await: _Refused("CON-021", "`await`", "call the function directly"),
    ast.Yield: _Refused("CON-022", "`yield`", "collect into a list and return it"),
    ast.YieldFrom: _Refused("CON-022", "`yield from`", "collect into a list and return it"),
    ast.Lambda: _Refused("CON-023", "`lambda`", "write a function at module level and call it"),
    ast.Match: _Refused("CON-024", "`match`", "write `if` and `elif`"),
    ast.Set: _Refused("CON-025", "a set", "use a list or a dict: a set has no order that is the same everywhere"),
    ast.SetComp: _Refused("CON-025", "a set comprehension", "use a list or a dict: a set has no order that is the same everywhere"),
    ast.Starred: _Refused("CON-026", "`*` before a value", "name the elements, or write `+` between lists"),
    ast.NamedExpr: _Refused("CON-027", "`:=`", "assign on the line before"),
    ast.Global: _Refused("CON-028", "`global`", "keep state in a Table or Map; return what changed"),
    ast.Nonlocal: _Refused("CON-028", "`nonlocal`", "return what changed"),
    ast.Div: _Refused(
        "CON-029", "`/`, which makes a float,", "write `//`, or mul_div(a, b, c, Rounding....) with a rounding that is named"
    ),
    ast.MatMult: _Refused("CON-029", "`@` between values", "there are no matrices in contracts"),
    ast.LShift: _Refused("CON-029", "`<<`", "write `* 2**n`"),
    ast.RShift: _Refused("CON-029", "`>>`", "write `// 2**n`"),
    ast.BitOr: _Refused("CON-029", "`|` between values", "write `or`, or `+`"),
    ast.BitXor: _Refused("CON-029", "`^`", "write `!=` between truth values, `**` for a power"),
    ast.BitAnd: _Refused("CON-029", "`&`", "write `and`, or `% 2**n`"),
    ast.Invert: _Refused("CON-029", "`~`", "write `not`, or `-n - 1`"),
}
_UNKNOWN: Final = _Refused("CON-037", "this part of Python", "use only what docs/spec/contracts.md lists")


def check_syntax(tree: ast.Module, findings: Findings) -> bool:
    """Check every node of the tree; return whether it is shallow enough to be walked any further."""
    deepest = 0
    for node, depth, place in _walk(tree):
        if depth > max(deepest, CONTRACT_TREE_DEPTH_MAX):
            # CON-005
            findings.on("CON-005", place, "an expression or statement is nested too deeply", "divide it into several statements")
        deepest = max(deepest, depth)
        refused = _refusal(node)
        if refused is not None:
            # CON-020, CON-021, CON-022, CON-023, CON-024, CON-025, CON-026, CON-027, CON-028, CON-029, CON-037
            findings.on(refused.rule, place, f"{refused.reason} is not allowed in contracts", refused.instead)
    return deepest <= CONTRACT_TREE_DEPTH_MAX


def _refusal(node: ast.AST) -> _Refused | None:
    if isinstance(node, ast.Import):
        hint = instead_of_import(*(alias.name.partition(".")[0] for alias in node.names))
        instead = "write `from yunhe.contracts import ...` with the names that you use"
        return _Refused("CON-040", "`import`", f"{hint}; {instead}" if hint else instead)
    if isinstance(node, ast.comprehension) and node.is_async:
        return _Refused("CON-021", "`async for`", "write `for`")
    if isinstance(node, ast.Dict) and None in node.keys:
        return _Refused("CON-026", "`**` in a dict", "write a loop, or dict.update")
    if isinstance(node, ast.keyword) and node.arg is None:
        return _Refused("CON-026", "`**` in a call", "name each argument")
    if type(node) in _ALLOWED:
        return None
    return _REFUSED.get(type(node), _UNKNOWN)


def _walk(tree: ast.Module) -> Iterator[tuple[ast.AST, int, ast.AST]]:
    """Yield each node with its depth and the nearest node around it that has a position."""
    waiting: list[tuple[ast.AST, int, ast.AST]] = [(tree, 0, tree)]
    while waiting:
        node, depth, around = waiting.pop()
        place = around if isinstance(around, ast.JoinedStr) or not hasattr(node, "lineno") else node
        yield node, depth, place
        # Annotations have a closed list of their own, with `|`: see `annotations`.
        annotation = getattr(node, "returns" if isinstance(node, ast.FunctionDef) else "annotation", None)
        waiting.extend((child, depth + 1, place) for child in ast.iter_child_nodes(node) if child is not annotation)
