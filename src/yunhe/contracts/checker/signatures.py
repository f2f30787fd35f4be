"""Heads of functions: parameters, defaults, annotations, decorators.

Rules enforced: CON-053, CON-055, CON-056, CON-057 and CON-066. Specification: docs/spec/contracts.md, "The subset".
"""

import ast

from yunhe.contracts.checker.annotations import ENTRY_PARAMETER, ENTRY_RESULT, PARAMETER, RESULT, Annotations
from yunhe.contracts.checker.constants import Constants, NotConstantError
from yunhe.contracts.checker.findings import Findings
from yunhe.contracts.checker.model import TAKEN_NAMES, Function, Kind, Module
from yunhe.contracts.vocabulary import FORBIDDEN_FIELD_NAMES, FORBIDDEN_FIELD_PREFIXES, MIGRATION, SDK_DECORATORS
from yunhe.limits import RECORD_FIELDS_MAX


class Signatures:
    """Checks the heads of functions."""

    def __init__(self, module: Module, constants: Constants, annotations: Annotations, findings: Findings) -> None:
        self._module = module
        self._constants = constants
        self._annotations = annotations
        self._findings = findings

    def read(self, node: ast.FunctionDef) -> Function:
        """Check a function's head and return what is known of it."""
        entry = self._entry(node)
        function = Function(node, entry)
        self._check_form(node)
        parameters = node.args.posonlyargs + node.args.args
        for index, parameter in enumerate(parameters):
            self._parameter(function, parameter, is_context=entry is not None and index == 0)
        function.required = max(0, len(parameters) - len(node.args.defaults))
        for default in node.args.defaults:
            self._check_default(default)
        # CON-057
        if entry is not None and (not parameters or not function.contexts):
            self._findings.on("CON-057", node, f"the first parameter of {node.name} is not the context", "write `ctx: Context` first")
        if len(parameters) > RECORD_FIELDS_MAX:
            self._findings.on("CON-056", node, f"{node.name} has {len(parameters)} parameters", f"use at most {RECORD_FIELDS_MAX}")
        self._check_result(node, entry)
        self._check_migration(node, entry)
        return function

    def _entry(self, node: ast.FunctionDef) -> str | None:
        # CON-057
        names = [decorator.id for decorator in node.decorator_list if isinstance(decorator, ast.Name)]
        marks = [name for name in names if name in SDK_DECORATORS and self._module.kinds.get(name) is Kind.IMPORT]
        if len(marks) != len(node.decorator_list) or len(marks) > 1:
            self._findings.on(
                "CON-057",
                node,
                f"{node.name} has other decorators than one mark",
                "use @action or @view, one of them, without brackets, and import it",
            )
        return marks[0] if marks else None

    def _check_form(self, node: ast.FunctionDef) -> None:
        # CON-056
        arguments = node.args
        if arguments.vararg or arguments.kwarg or arguments.kwonlyargs or arguments.posonlyargs:
            self._findings.on(
                "CON-056", node, f"{node.name} has `*`, `**` or `/` among its parameters", "name each parameter, without them"
            )

    def _parameter(self, function: Function, parameter: ast.arg, *, is_context: bool) -> None:
        name, annotation = parameter.arg, parameter.annotation
        # CON-042, CON-053
        if name in TAKEN_NAMES:
            self._findings.on("CON-042", parameter, f"{name} is a name of the contract language", "choose another name")
        if name in FORBIDDEN_FIELD_NAMES or name.startswith(FORBIDDEN_FIELD_PREFIXES):
            self._findings.on("CON-053", parameter, f"{name} cannot be the name of a parameter", "choose another name")
        if name in function.parameters:
            self._findings.on("CON-056", parameter, f"the parameter {name} is there twice", "choose another name")
        function.parameters.append(name)
        # CON-056
        if annotation is None:
            self._findings.on("CON-056", parameter, f"the parameter {name} has no type", "annotate it")
            return
        if isinstance(annotation, ast.Name) and annotation.id == "Context":
            function.contexts.add(name)
        # Of an action or view the first parameter is the context and no other one is.
        if is_context and name in function.contexts:
            self._annotations.check(annotation, PARAMETER)
        else:
            self._annotations.check(annotation, PARAMETER if function.entry is None else ENTRY_PARAMETER)

    def _check_default(self, default: ast.expr) -> None:
        # CON-055
        try:
            self._constants.scalar(default)
        except NotConstantError:
            self._findings.on("CON-055", default, "this default is not a constant", "use a literal or a member of a choice")

    def _check_migration(self, node: ast.FunctionDef, entry: str | None) -> None:
        # CON-066
        if node.name != MIGRATION:
            return
        returns_nothing = isinstance(node.returns, ast.Constant) and node.returns.value is None
        if entry != "action" or len(node.args.args) != 1 or not returns_nothing:
            self._findings.on(
                "CON-066",
                node,
                "migrate is what an upgrade runs, and has another form",
                "write `@action` and `def migrate(ctx: Context) -> None:`, or choose another name",
            )

    def _check_result(self, node: ast.FunctionDef, entry: str | None) -> None:
        # CON-056
        if node.returns is None:
            self._findings.on("CON-056", node, f"{node.name} does not say what it returns", "write `-> None` or the type of the result")
            return
        self._annotations.check(node.returns, RESULT if entry is None else ENTRY_RESULT)
        # CON-057
        if entry == "view" and isinstance(node.returns, ast.Constant) and node.returns.value is None:
            self._findings.on("CON-057", node, f"the view {node.name} returns nothing", "return what is asked, or make it an action")
