"""Rules of the specification and where they are enforced and tested.

A rule is defined once, in docs/spec, as a bold identifier (`**LED-012**`). It is cited where it is enforced: in a comment, in the
docstring of a function, or in a message, in src, apps or native; a class or module docstring only talks about it. It is cited by at
least two tests, one that accepts and one that refuses: in a test's name, docstring, comments or decorators, or in a table or case file
that tests read, where each line counts. What is cited but not defined is a slip of the pen.

Whether a test really tries the rule is for the reader to judge.
"""

import ast
import io
import re
import tokenize
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from pathlib import PurePosixPath
from typing import TypeGuard

from tools.tidy.checkout import Source

TESTS_MIN = 2
"""One that accepts, one that refuses."""
_DEFINED = re.compile(r"\*\*([A-Z]{3}-\d{3})\*\*")
_RUST_NAMES = re.compile(r"fn ([a-z]{3})_(\d{3})_")
_RUST_TESTS = re.compile(r"^\s*#\[cfg\(test\)\]", re.MULTILINE)


def definitions(specification: Iterable[Source]) -> Counter[str]:
    """Return how often each rule is defined."""
    return Counter(rule for source in specification for rule in _DEFINED.findall(source.text))


def cited(text: str, families: Collection[str]) -> set[str]:
    """Return the identifiers in a text that belong to one of the families, such as `LED`."""
    return set(_pattern(families).findall(text))


def enforced(source: Source, families: Collection[str]) -> set[str]:
    """Return the rules that a file of code cites where it enforces them."""
    if source.is_python():
        return cited("\n".join(_python_citations(source)), families)
    if source.is_rust():
        code = _RUST_TESTS.split(source.text)[0]
        return cited("\n".join(line for line in code.splitlines() if not line.lstrip().startswith("//!")), families)
    return set()


def tested(source: Source, families: Collection[str]) -> Counter[str]:
    """Return how many tests of a file cite each rule."""
    if source.is_rust():
        parts = _RUST_TESTS.split(source.text)
        own = source.text if "/tests/" in source.path or source.path.endswith("tests.rs") else "".join(parts[1:])
        return _per_line(_RUST_NAMES.sub(lambda name: f"fn {name[1].upper()}-{name[2]} ", own), families)
    if PurePosixPath(source.path).name.startswith("test_") and source.is_python():
        return _tested_python(source, families)
    return _per_line(source.text, families)


def _pattern(families: Collection[str]) -> re.Pattern[str]:
    return re.compile(rf"(?<![A-Z-])(?:{'|'.join(sorted(families))})-\d{{3}}(?!\d)")


def _per_line(text: str, families: Collection[str]) -> Counter[str]:
    return Counter(rule for line in text.splitlines() for rule in cited(line, families))


def _python_citations(source: Source) -> Iterator[str]:
    """Yield comments, docstrings of functions, and strings that are values."""
    talk = set()
    for node in ast.walk(source.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield ast.get_docstring(node, clean=False) or ""
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            talk.add(id(node.value))
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in talk:
            yield node.value
    for token in tokenize.generate_tokens(io.StringIO(source.text).readline):
        if token.type == tokenize.COMMENT:
            yield token.string


def _tested_python(source: Source, families: Collection[str]) -> Counter[str]:
    tables = _tables(source.tree)
    counts: Counter[str] = Counter()
    for function, owner in _test_functions(source.tree):
        decorators_end = function.lineno - 1
        begin = min([decorator.lineno for decorator in function.decorator_list], default=function.lineno) - 1
        while begin > 0 and source.lines[begin - 1].lstrip().startswith("#"):
            begin -= 1
        counts += _per_line("\n".join(source.lines[begin:decorators_end]), families)
        body = "\n".join(source.lines[decorators_end : function.end_lineno])
        name = re.sub(r"([A-Z]{3})_?(\d{3})", r" \1-\2 ", function.name.upper())
        counts.update(cited("\n".join([body, name, owner]), families))
    for name in {name for function, _ in _test_functions(source.tree) for name in _names(function)} & tables.keys():
        node = tables[name]
        counts += _per_line("\n".join(source.lines[node.lineno - 1 : node.end_lineno]), families)
    return counts


def _test_functions(tree: ast.Module) -> Iterator[tuple[ast.FunctionDef | ast.AsyncFunctionDef, str]]:
    for node in tree.body:
        if isinstance(node, ast.ClassDef):
            owner = ast.get_docstring(node) or ""
            yield from ((child, owner) for child in node.body if _is_test(child))
        elif _is_test(node):
            yield node, ""


def _is_test(node: ast.stmt) -> TypeGuard[ast.FunctionDef | ast.AsyncFunctionDef]:
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")


def _tables(tree: ast.Module) -> dict[str, ast.stmt]:
    """Return the statements of the module that give a name a value, by name."""
    found: dict[str, ast.stmt] = {}
    for node in tree.body:
        targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        found.update({target.id: node for target in targets if isinstance(target, ast.Name)})
    return found


def _names(node: ast.AST) -> set[str]:
    return {child.id for child in ast.walk(node) if isinstance(child, ast.Name)}
