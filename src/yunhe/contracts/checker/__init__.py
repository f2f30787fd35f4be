"""The contract checker: says whether a source is within the subset, and if not, everything that is wrong with it.

`check` reads a source in four passes, each of which stops before the next one could do harm: characters (CON-001 to CON-003), tokens
(CON-004 to CON-011), syntax (CON-020 to CON-037), meaning (CON-040 to CON-062). It never runs the source. Its verdict and its findings
are a function of the source alone, so they are the same on every node. It does not decide what a contract costs, nor whether it does what
it should.

Specification: docs/spec/contracts.md, "The subset".
"""

import ast
import sys
from dataclasses import dataclass

from yunhe.contracts.checker.annotations import Annotations
from yunhe.contracts.checker.declarations import Declarations
from yunhe.contracts.checker.findings import Findings
from yunhe.contracts.checker.functions import FunctionChecker
from yunhe.contracts.checker.model import Function, Module
from yunhe.contracts.checker.reachable import check_recursion, check_views, reached
from yunhe.contracts.checker.source_text import read_source
from yunhe.contracts.checker.syntax import check_syntax
from yunhe.contracts.checker.token_scan import scan_tokens
from yunhe.errors import ConfigurationError, ContractRefusedError, Finding

__all__ = ["CheckedModule", "Finding", "check"]

_PYTHON: int = 0x030B
"""The CPython version that contracts are checked and run with: 3.11, as `sys.hexversion` begins."""


@dataclass(frozen=True, slots=True)
class CheckedModule:
    """A source that is within the subset."""

    source: str
    tree: ast.Module
    """Its syntax tree, for this caller alone."""
    calls: dict[str, frozenset[str]]
    """Function to the functions of the module that it calls itself."""
    reads: dict[str, frozenset[str]]
    """Action or view to the tables and maps that it can read."""
    writes: dict[str, frozenset[str]]
    """Action or view to the tables and maps that it can write."""


def check(source: str | bytes, *, system: bool = False) -> CheckedModule:
    """Check a contract's source.

    Args:
        source: the module, as text or as the bytes of its file.
        system: whether it is a system contract, which may import from `yunhe.contracts.system`.

    Raises:
        ContractRefusedError: it is outside the subset; the error lists up to `CONTRACT_FINDINGS_MAX` findings in the order of the source.
        ConfigurationError: this interpreter is not the one that contracts are written for.
    """
    if sys.hexversion >> 16 != _PYTHON:
        raise ConfigurationError("contracts are checked and run with CPython 3.11; run Yunhe with it")
    findings = Findings()
    text = read_source(source, findings)
    tree = None if text is None else _parse(text, findings)
    if text is None or tree is None:
        raise ContractRefusedError(findings.all())
    module = _examine(tree, findings, system=system)
    if not findings:
        _compile(tree, findings)
    if findings:
        raise ContractRefusedError(findings.all())
    return _checked(text, tree, module)


def _parse(text: str, findings: Findings) -> ast.Module | None:
    scan_tokens(text, findings)
    if findings.stop:
        return None
    try:
        tree = ast.parse(text, "<contract>")
    except SyntaxError as error:
        _invalid(error, findings)
        return None
    return tree if check_syntax(tree, findings) else None


def _examine(tree: ast.Module, findings: Findings, *, system: bool) -> Module:
    declarations = Declarations(findings, system=system)
    declarations.read(tree)
    module = declarations.module
    annotations = Annotations(module, findings)
    for function in module.functions.values():
        FunctionChecker(module, function, annotations, findings).check()
    check_recursion(module.functions, findings)
    check_views(module.functions, findings)
    return module


def _compile(tree: ast.Module, findings: Findings) -> None:
    """Let the compiler say what only it knows; nothing is run."""
    try:
        compile(tree, "<contract>", "exec", dont_inherit=True, optimize=0)
    except SyntaxError as error:
        _invalid(error, findings)


def _invalid(error: SyntaxError, findings: Findings) -> None:
    # CON-011; the interpreter's own words differ between its releases.
    line = error.lineno or 0
    findings.at("CON-011", (line, 1), f"line {line} is not valid Python 3.11", "correct it; an editor that knows Python shows where")


def _checked(text: str, tree: ast.Module, module: Module) -> CheckedModule:
    functions = module.functions
    entries = {name: [functions[other] for other in {name} | reached(name, functions)] for name in functions if functions[name].entry}
    return CheckedModule(
        text,
        tree,
        {name: frozenset(callee for callee, _, _ in function.calls) for name, function in functions.items()},
        {name: _union(found, "reads") for name, found in entries.items()},
        {name: _union(found, "writes") for name, found in entries.items()},
    )


def _union(functions: list[Function], what: str) -> frozenset[str]:
    return frozenset().union(*(getattr(function, what) for function in functions))
