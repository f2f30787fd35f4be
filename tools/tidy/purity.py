"""No floating point and no surroundings in what decides state: ledger, crypto, verifier and the contract runtime.

Two machines may round alike for years and then not; so there is no float literal, no `/`, and no call that makes a float. What is
excepted is excepted by the name of a function. `hash()` and `id()` differ from process to process, and files and the terminal are not
the same anywhere. Imports of clocks, files and sockets are import-linter's business.
"""

import ast
from collections.abc import Collection, Iterator

from tools.tidy.checkout import Source

_MAKERS = frozenset({"float", "complex", "round"})
_AMBIENT = frozenset({"hash", "id", "input", "open", "print"})


def floating_point(source: Source, excepted: Collection[str]) -> list[str]:
    """Return every use of floating point outside the functions named in `excepted`."""
    findings = []
    for node in _outside(source.tree, excepted):
        what = _floating(node)
        if what:
            findings.append(f"{source.path}:{getattr(node, 'lineno', 0)}: {what}")
    return findings


def ambient_calls(source: Source) -> list[str]:
    """Return every call of a built-in whose result depends on the process or the machine."""
    return [
        f"{source.path}:{node.lineno}: {node.func.id}() depends on where it runs"
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _AMBIENT
    ]


def foreign_imports(source: Source, allowed: Collection[str]) -> list[str]:
    """Return every import, anywhere in the file, of a top-level package that is not in `allowed`."""
    findings = []
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or "."]
        else:
            continue
        findings += [f"{source.path}:{node.lineno}: imports {name}" for name in names if name.partition(".")[0] not in allowed]
    return findings


def _floating(node: ast.AST) -> str | None:
    if isinstance(node, ast.Constant) and isinstance(node.value, float | complex):
        return f"float literal {node.value!r}"
    if isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ast.Div):
        return "`/` makes a float; `//` divides integers"
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _MAKERS:
        return f"{node.func.id}() makes a float"
    return None


def _outside(node: ast.AST, excepted: Collection[str]) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef) and child.name in excepted:
            continue
        yield child
        yield from _outside(child, excepted)
