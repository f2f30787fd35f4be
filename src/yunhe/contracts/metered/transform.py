"""Rewrites the syntax tree of a checked contract so that it pays for what it does (CON-120).

Each straight run of statements (a function's body, a branch, a loop's body) begins by subtracting its price, which is the sum of the
prices of its parts; operators, subscripts, built-ins and methods, whose cost depends on sizes, become calls of operations that charge for
that. Lines and columns stay those of the source, so tracebacks and coverage fit it. What a run computes does not change: the order of
evaluation is Python's.

The transformation knows exactly the nodes that the checker lets through and refuses every other one, so it does not rely on being called
with a checked tree. It gives names that begin with an underscore, which no contract has. Specification: docs/spec/contracts.md, "Gas".
"""

import ast
from typing import TypeGuard

from yunhe.contracts.metered.expressions import ExpressionWriter
from yunhe.contracts.metered.syntax import (
    ATTRIBUTE,
    BINARY,
    BINARY_OPERATION,
    BRANCH,
    LOOP_ROUND,
    NAME,
    SDK_CALL,
    STATEMENT,
    SUBSCRIPT,
    ModuleNames,
    again,
    call_of,
    has_places,
    is_text,
    refuse_node,
)
from yunhe.contracts.vocabulary import SDK_DECORATORS


def transform(tree: ast.Module) -> ast.Module:
    """Return the metered tree of a contract; `tree` is used up.

    Raises:
        NotMeterableError: the tree has a construct that the subset does not have, or its calls nest too deeply (CON-130).
    """
    names = ModuleNames.of(tree)
    writer = _StatementWriter(names)
    body = writer.block(tree.body, is_checked=True)
    writer.calls.check()
    return ast.fix_missing_locations(ast.Module(body=body, type_ignores=[]))


class _StatementWriter(ExpressionWriter):
    """Rewrites statements."""

    # --- Runs of statements -----------------------------------------------------------------------------------------

    def block(self, statements: list[ast.stmt], *, is_checked: bool, gas: int = 0, memory: int = 0) -> list[ast.stmt]:
        """Rewrite a straight run; `is_checked` ends it early where spent gas is not noticed soon anyway."""
        outer = self._gas, self._memory
        self._gas, self._memory = gas, memory
        written = [new for statement in statements for new in self._statement(statement)]
        # A docstring stays first, where the interpreter looks for it, and does nothing that a profile could show.
        position = 1 if is_text(statements[0]) else 0
        price = self._price(self._gas, self._memory, statements[min(position, len(statements) - 1)], is_checked=is_checked)
        self._gas, self._memory = outer
        return written[:position] + price + written[position:]

    def _price(self, gas: int, memory: int, where: ast.stmt, *, is_checked: bool) -> list[ast.stmt]:
        """Return the statements that subtract a price in line, which is several times faster than a call."""
        checks = ["_meter.left < 0"]
        lines = [f"_meter.left -= {gas}"]
        if memory:
            lines.append(f"_meter.memory -= {memory}")
            checks.append("_meter.memory < 0")
        if is_checked or memory:
            lines.append(f"if {' or '.join(checks)}: _meter.stop()")
        made = ast.parse("\n".join(lines)).body
        for statement in made:
            for node in ast.walk(statement):
                if hasattr(node, "lineno"):
                    ast.copy_location(node, where)
        return made

    def _statement(self, node: ast.stmt) -> list[ast.stmt]:  # noqa: C901, PLR0912  # one branch for each kind of statement
        self._gas += STATEMENT
        match node:
            case ast.ImportFrom():
                # The loader puts the imported names in place.
                return [ast.copy_location(ast.Pass(), node)]
            case ast.FunctionDef():
                return [self._function(node)]
            case ast.ClassDef():
                return [self._class(node)]
            case ast.Return():
                node.value = None if node.value is None else self._expression(node.value)
            case ast.Expr():
                node.value = self._expression(node.value)
            case ast.Assign():
                return self._assign(node)
            case ast.AnnAssign():
                return self._annotated(node)
            case ast.AugAssign():
                return self._augmented(node)
            case ast.Delete():
                return [self._delete(target, node) for target in node.targets]
            case ast.If():
                self._gas += BRANCH
                node.test = self._expression(node.test)
                node.body = self.block(node.body, is_checked=False)
                node.orelse = self.block(node.orelse, is_checked=False) if node.orelse else []
            case ast.While():
                self._while(node)
            case ast.For():
                self._for(node)
            case ast.Pass() | ast.Break() | ast.Continue():
                pass
            case _:
                refuse_node(node)
        return [node]

    def _function(self, node: ast.FunctionDef) -> ast.stmt:
        for decorator in node.decorator_list:
            if not isinstance(decorator, ast.Name) or decorator.id not in SDK_DECORATORS:
                refuse_node(decorator)
        if node.args.vararg or node.args.kwarg:
            refuse_node(node)
        # What is done with the state and the classes of a module is known by their names, so nothing else has these.
        bound = {part.arg if isinstance(part, ast.arg) else part.id for part in ast.walk(node) if _is_binding(part)}
        if bound & (self._names.handles | self._names.classes):
            refuse_node(node)
        node.args.defaults = [self._expression(default) for default in node.args.defaults]
        node.args.kw_defaults = [None if default is None else self._expression(default) for default in node.args.kw_defaults]
        self.calls.enter(node.name)
        node.body = self.block(node.body, is_checked=True)
        self.calls.leave()
        return node

    def _class(self, node: ast.ClassDef) -> ast.stmt:
        for statement in node.body:
            match statement:
                case ast.AnnAssign(value=value) if value is not None:
                    statement.value = self._expression(value)
                case ast.Assign(value=value):
                    statement.value = self._expression(value)
                case ast.AnnAssign() | ast.Expr() | ast.Pass():
                    pass
                case _:
                    refuse_node(statement)
        return node

    def _while(self, node: ast.While) -> None:
        before = self._gas, self._memory
        node.test = self._expression(node.test)
        # The test is paid once by the run that the loop stands in, and again by each round.
        gas, memory = self._gas - before[0], self._memory - before[1]
        node.body = self.block(node.body, is_checked=True, gas=gas + LOOP_ROUND, memory=memory)
        node.orelse = self.block(node.orelse, is_checked=False) if node.orelse else []

    def _for(self, node: ast.For) -> None:
        node.iter = self._expression(node.iter)
        unpacked, gas, memory = self._loop_target(node.target)
        node.target = unpacked
        node.body = self.block(node.body, is_checked=True, gas=gas + LOOP_ROUND, memory=memory)
        node.orelse = self.block(node.orelse, is_checked=False) if node.orelse else []

    def _loop_target(self, target: ast.expr) -> tuple[ast.expr, int, int]:
        outer = self._gas, self._memory
        self._gas = self._memory = 0
        self._plain_target(target)
        gas, memory = self._gas, self._memory
        self._gas, self._memory = outer
        return target, gas, memory

    # --- Assignment -------------------------------------------------------------------------------------------------

    def _assign(self, node: ast.Assign) -> list[ast.stmt]:
        value = self._expression(node.value)
        if len(node.targets) == 1 and not has_places(node.targets[0]):
            return [self._store(node.targets[0], value, node)]
        if len(node.targets) == 1 and isinstance(node.targets[0], ast.Subscript):
            return [self._store(node.targets[0], value, node)]
        # Several targets, or places inside a tuple: each is set in Python's order, from names that keep the value.
        keep = ast.copy_location(ast.Name("_value", ast.Store()), node)
        made: list[ast.stmt] = [ast.copy_location(ast.Assign([keep], value), node)]
        for target in node.targets:
            kept = ast.copy_location(ast.Name("_value", ast.Load()), node)
            if has_places(target) and isinstance(target, ast.Tuple | ast.List):
                made += self._unpack(target, kept, node)
            else:
                made.append(self._store(target, kept, node))
        return made

    def _unpack(self, target: ast.Tuple | ast.List, value: ast.expr, node: ast.stmt) -> list[ast.stmt]:
        names = [f"_part{index}" for index in range(len(target.elts))]
        parts: list[ast.expr] = [ast.Name(name, ast.Store()) for name in names]
        made: list[ast.stmt] = [ast.copy_location(ast.Assign([ast.Tuple(parts, ast.Store())], value), node)]
        for name, element in zip(names, target.elts, strict=True):
            if isinstance(element, ast.Tuple | ast.List) and has_places(element):
                refuse_node(element)
            made.append(self._store(element, ast.Name(name, ast.Load()), node))
        return made

    def _store(self, target: ast.expr, value: ast.expr, node: ast.stmt) -> ast.stmt:
        """Return the statement that sets one target."""
        match target:
            case ast.Subscript(value=ast.Name(id=name)) if name in self._names.handles:
                self._gas += SDK_CALL
                target.slice = self._expression(target.slice)
            case ast.Subscript():
                self._gas += SUBSCRIPT
                container, key = self._expression(target.value), self._key(target.slice)
                return ast.copy_location(ast.Expr(call_of("_set_item", [value, container, key], node)), node)
            case ast.Attribute():
                self._attribute_target(target)
            case _:
                self._plain_target(target)
        return ast.copy_location(ast.Assign([target], value), node)

    def _attribute_target(self, target: ast.Attribute) -> None:
        self._gas += ATTRIBUTE
        if target.attr.startswith("_") or (isinstance(target.value, ast.Name) and target.value.id in self._names.classes):
            refuse_node(target)
        target.value = self._expression(target.value)

    def _annotated(self, node: ast.AnnAssign) -> list[ast.stmt]:
        if node.value is None or not isinstance(node.target, ast.Name):
            refuse_node(node)
        self._gas += NAME
        node.value = self._expression(node.value)
        return [node]

    def _augmented(self, node: ast.AugAssign) -> list[ast.stmt]:
        operation = "_iadd" if isinstance(node.op, ast.Add) else BINARY.get(type(node.op)) or refuse_node(node)
        self._gas += BINARY_OPERATION
        made: list[ast.stmt] = []
        target = node.target
        if isinstance(target, ast.Name):
            old: ast.expr = ast.copy_location(ast.Name(target.id, ast.Load()), node)
            value = self._expression(node.value)
            return [ast.copy_location(ast.Assign([target], call_of(operation, [old, value], node)), node)]
        if isinstance(target, ast.Attribute):
            self._attribute_target(target)
            target.value = self._kept(target.value, "_holder", made, node)
            old = self._attribute(ast.copy_location(ast.Attribute(again(target.value), target.attr, ast.Load()), node))
            value = self._expression(node.value)
            return [*made, ast.copy_location(ast.Assign([target], call_of(operation, [old, value], node)), node)]
        is_handle = isinstance(target.value, ast.Name) and target.value.id in self._names.handles
        self._gas += 2 * (SDK_CALL if is_handle else SUBSCRIPT)
        if not is_handle:
            target.value = self._kept(self._expression(target.value), "_holder", made, node)
        target.slice = self._kept(self._key(target.slice), "_key", made, node)
        if is_handle:
            old = ast.copy_location(ast.Subscript(again(target.value), again(target.slice), ast.Load()), node)
        else:
            old = call_of("_item", [again(target.value), again(target.slice)], node)
        new = call_of(operation, [old, self._expression(node.value)], node)
        if is_handle:
            return [*made, ast.copy_location(ast.Assign([target], new), node)]
        return [*made, ast.copy_location(ast.Expr(call_of("_set_item", [new, target.value, target.slice], node)), node)]

    def _kept(self, value: ast.expr, name: str, made: list[ast.stmt], node: ast.stmt) -> ast.expr:
        """Return an expression that can stand twice: a name or constant as it is, others through a name that keeps the value."""
        if isinstance(value, ast.Name | ast.Constant):
            return value
        made.append(ast.copy_location(ast.Assign([ast.Name(name, ast.Store())], value), node))
        return ast.copy_location(ast.Name(name, ast.Load()), node)

    def _delete(self, target: ast.expr, node: ast.stmt) -> ast.stmt:
        if not isinstance(target, ast.Subscript):
            refuse_node(target)
        if isinstance(target.value, ast.Name) and target.value.id in self._names.handles:
            self._gas += SDK_CALL
            target.slice = self._expression(target.slice)
            return ast.copy_location(ast.Delete([target]), node)
        self._gas += SUBSCRIPT
        return ast.copy_location(ast.Expr(call_of("_delete_item", [self._expression(target.value), self._key(target.slice)], node)), node)


def _is_binding(node: ast.AST) -> TypeGuard[ast.arg | ast.Name]:
    """Tell whether a node gives a value to a name of its function."""
    return isinstance(node, ast.arg) or (isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store))
