"""Bodies of functions: statements, targets, and the names that are local to a function.

Rules enforced: CON-023 (nesting), CON-032 to CON-034, CON-042 (locals) and CON-059; expressions are checked by `expressions`.
Specification: docs/spec/contracts.md, "The subset".
"""

import ast
from collections.abc import Callable
from typing import Final

from yunhe.contracts.checker.annotations import LOCAL, Annotations
from yunhe.contracts.checker.expressions import ExpressionChecker
from yunhe.contracts.checker.findings import Findings
from yunhe.contracts.checker.model import TAKEN_NAMES, Function, Kind, Module

_STATE: Final = (Kind.TABLE, Kind.MAP)


class FunctionChecker:
    """Checks the body of one function."""

    def __init__(self, module: Module, function: Function, annotations: Annotations, findings: Findings) -> None:
        self._module = module
        self._function = function
        self._annotations = annotations
        self._findings = findings
        self._settable = module.settable_names()
        self._expressions = ExpressionChecker(module, function, findings)
        self._loops = 0
        self._checks: dict[type[ast.stmt], Callable[[ast.stmt], None]] = {
            ast.Return: self._return,
            ast.Delete: self._delete,
            ast.Assign: self._assign,
            ast.AugAssign: self._augmented,
            ast.AnnAssign: self._annotated,
            ast.For: self._for,
            ast.While: self._while,
            ast.If: self._if,
            ast.Expr: self._expression_statement,
            ast.Break: self._jump,
            ast.Continue: self._jump,
            ast.FunctionDef: self._nested,
            ast.ClassDef: self._nested,
            ast.ImportFrom: self._nested,
        }

    def check(self) -> None:
        """Check every statement of the body."""
        body = self._function.node.body
        # A name that is assigned anywhere in a function is local in all of it.
        self._expressions.locals = set(self._function.parameters)
        arguments = self._function.node.args
        for parameter in arguments.posonlyargs + arguments.args:
            self._expressions.check_shadowing(parameter.arg, parameter)
        self._collect(body)
        for index, statement in enumerate(body):
            if index > 0 or not _is_text(statement):
                self._statement(statement)

    def _collect(self, body: list[ast.stmt]) -> None:
        for statement in body:
            targets: list[ast.expr] = []
            if isinstance(statement, ast.Assign):
                targets = statement.targets
            elif isinstance(statement, ast.AugAssign | ast.AnnAssign | ast.For):
                targets = [statement.target]
            for target in targets:
                self._collect_target(target)
            for inner in ("body", "orelse"):
                if isinstance(statement, ast.For | ast.While | ast.If):
                    self._collect(getattr(statement, inner))

    def _collect_target(self, target: ast.expr) -> None:
        if isinstance(target, ast.Tuple | ast.List):
            for element in target.elts:
                self._collect_target(element)
        elif isinstance(target, ast.Name):
            self._expressions.locals.add(target.id)

    def _statement(self, node: ast.stmt) -> None:
        # What is not in the table was refused by `syntax`, or needs no check.
        check = self._checks.get(type(node))
        if check is not None:
            check(node)

    def _block(self, body: list[ast.stmt]) -> None:
        for statement in body:
            self._statement(statement)

    def _nested(self, node: ast.stmt) -> None:
        # CON-023
        what = {ast.FunctionDef: "a function", ast.ClassDef: "a class"}.get(type(node), "an import")
        self._findings.on("CON-023", node, f"{what} inside a function", "move it to module level")

    # --- Flow -------------------------------------------------------------------------------------------------------

    def _return(self, node: ast.stmt) -> None:
        assert isinstance(node, ast.Return)
        if node.value is not None:
            self._expressions.value(node.value)

    def _if(self, node: ast.stmt) -> None:
        assert isinstance(node, ast.If)
        self._expressions.value(node.test)
        self._block(node.body)
        self._block(node.orelse)

    def _while(self, node: ast.stmt) -> None:
        assert isinstance(node, ast.While)
        self._expressions.value(node.test)
        self._loop(node.body, node.orelse)

    def _for(self, node: ast.stmt) -> None:
        assert isinstance(node, ast.For)
        self._expressions.iterable(node.iter)
        self._target(node.target, loop=True)
        self._loop(node.body, node.orelse)

    def _loop(self, body: list[ast.stmt], orelse: list[ast.stmt]) -> None:
        self._loops += 1
        self._block(body)
        self._loops -= 1
        self._block(orelse)

    def _jump(self, node: ast.stmt) -> None:
        # CON-011
        if not self._loops:
            self._findings.on("CON-011", node, f"line {node.lineno} is not valid Python 3.11", "break and continue stand in loops only")

    # --- Statements that do something -------------------------------------------------------------------------------

    def _expression_statement(self, node: ast.stmt) -> None:
        assert isinstance(node, ast.Expr)
        # CON-034
        if not isinstance(node.value, ast.Call):
            self._findings.on(
                "CON-034",
                node,
                "a value that nothing is done with",
                'assign it, return it, or write require(..., "CODE"); write a comment with #',
            )
        self._expressions.value(node.value)

    def _assign(self, node: ast.stmt) -> None:
        assert isinstance(node, ast.Assign)
        self._expressions.value(node.value)
        for target in node.targets:
            self._target(target)

    def _annotated(self, node: ast.stmt) -> None:
        assert isinstance(node, ast.AnnAssign)
        # CON-033
        if not isinstance(node.target, ast.Name) or node.value is None:
            self._findings.on("CON-033", node, "an annotation without a name and a value", "write `name: type = value`, or `name = value`")
            return
        self._annotations.check(node.annotation, LOCAL)
        self._expressions.value(node.value)
        self._target(node.target)

    def _augmented(self, node: ast.stmt) -> None:
        assert isinstance(node, ast.AugAssign)
        self._expressions.check_operator(node.op, node.target, node)
        self._target(node.target)
        self._expressions.value(node.value)
        if isinstance(node.target, ast.Subscript):
            self._note_state(node.target, reads=True)

    def _delete(self, node: ast.stmt) -> None:
        assert isinstance(node, ast.Delete)
        for target in node.targets:
            # CON-032
            if not isinstance(target, ast.Subscript):
                self._findings.on("CON-032", target, "`del` of something that is no element", "delete elements: `del name[key]`")
            else:
                self._element(target, deleted=True)

    # --- Targets ----------------------------------------------------------------------------------------------------

    def _target(self, target: ast.expr, *, loop: bool = False) -> None:
        if isinstance(target, ast.Name):
            self._local(target)
        elif isinstance(target, ast.Tuple):
            for element in target.elts:
                self._target(element, loop=loop)
        elif isinstance(target, ast.Attribute) and not loop:
            self._field(target)
        elif isinstance(target, ast.Subscript) and not loop:
            self._element(target, deleted=False)
        elif not isinstance(target, ast.Starred):
            # CON-033
            self._findings.on(
                "CON-033", target, "this cannot be assigned to here", "assign to a name, names with commas between, a field or an element"
            )

    def _local(self, target: ast.Name) -> None:
        name = target.id
        # CON-042
        if name in TAKEN_NAMES:
            self._findings.on("CON-042", target, f"{name} is a name of the contract language", "choose another name")
        elif name in self._function.contexts:
            self._findings.on("CON-042", target, f"{name} is the context", "choose another name")
        else:
            self._expressions.check_shadowing(name, target)

    def _field(self, target: ast.Attribute) -> None:
        # CON-033, CON-047
        self._expressions.holder(target)
        if target.attr not in self._settable:
            self._findings.on(
                "CON-047", target, f"{target.attr} is no field of a record of this contract", "assign to declared fields of records only"
            )
        elif isinstance(target.value, ast.Attribute) and self._expressions.kind_of(target.value.value) is Kind.CHOICE:
            self._findings.on("CON-047", target, "a member of a choice cannot be changed", "keep what you need in a record")
        elif isinstance(target.value, ast.Name) and target.value.id in self._function.contexts:
            self._findings.on("CON-047", target, "the context cannot be changed", "keep what you need in a variable")

    def _element(self, target: ast.Subscript, *, deleted: bool) -> None:
        # CON-033
        if isinstance(target.slice, ast.Slice):
            self._findings.on("CON-033", target, "a slice is assigned to or deleted", "build a new list")
            return
        self._expressions.element(target, stored=True)
        kind = self._expressions.state_kind(target.value)
        # CON-059
        if kind in (Kind.TABLE, Kind.UNIQUE):
            instead = "table.delete(key)" if deleted else "table.add(record) or table.save(record)"
            self._findings.on("CON-059", target, "records of a table are not assigned or deleted by subscript", f"write {instead}")
        elif kind is Kind.LOOKUP:
            self._findings.on("CON-059", target, "a constant cannot be changed", "keep state in a Table or Map")
        self._note_state(target, reads=False)

    def _note_state(self, target: ast.Subscript, *, reads: bool) -> None:
        if not isinstance(target.value, ast.Name) or self._expressions.state_kind(target.value) not in _STATE:
            return
        if reads:
            self._function.reads.add(target.value.id)
        else:
            self._expressions.note_effect(f"a change of {target.value.id}", target)
            self._function.writes.add(target.value.id)


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
