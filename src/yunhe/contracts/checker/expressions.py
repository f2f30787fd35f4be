"""Expressions in functions: every name resolved, every call to something that can be called, every attribute a declared field.

Rules enforced: CON-008 to CON-010 (as far as the tree tells), CON-030, CON-031, CON-035, CON-036, CON-041 to CON-043, CON-047 and CON-062;
calls are checked by `calls`. Functions, classes, built-ins, tables and the context are not values: they stand only where they are used, so
nothing can be hung on them, compared or printed. Specification: docs/spec/contracts.md, "The subset".
"""

import ast
from collections.abc import Callable
from typing import Final

from yunhe.contracts.checker.calls import CallChecker
from yunhe.contracts.checker.constants import INTEGER_LIMIT
from yunhe.contracts.checker.findings import Findings
from yunhe.contracts.checker.model import SDK_CHOICES, TAKEN_NAMES, Function, Kind, Module
from yunhe.contracts.checker.unavailable import instead_of
from yunhe.contracts.context import Context
from yunhe.contracts.vocabulary import BUILTINS, SDK_NAMES

_VALUES: Final = (Kind.CONSTANT, None)
_INSTEAD_OF_VALUE: Final = {
    Kind.TABLE: "write {name}.scan() for its records, {name}.count() for how many they are, {name}[key] for one",
    Kind.MAP: "write {name}.scan() for its keys and values, {name}.count() for how many they are, {name}[key] for one",
    Kind.INDEX: "write {name}.scan() for its records, {name}.count() for how many they are",
}
_NAMED: Final = (ast.Name, ast.Attribute, ast.Subscript, ast.Call)


class ExpressionChecker:
    """Checks the expressions of one function."""

    def __init__(self, module: Module, function: Function, findings: Findings) -> None:
        self._module = module
        self._function = function
        self._findings = findings
        self._fields = module.field_names()
        self._calls = CallChecker(module, function, findings, self)
        self._scopes: list[set[str]] = []
        """Names of the comprehensions around."""
        self.locals: set[str] = set()
        self._checks: dict[type[ast.expr], Callable[[ast.expr], None]] = {
            ast.BoolOp: self._parts,
            ast.BinOp: self._binary,
            ast.UnaryOp: self._parts,
            ast.IfExp: self._parts,
            ast.Dict: self._parts,
            ast.List: self._parts,
            ast.Tuple: self._parts,
            ast.ListComp: self._comprehension,
            ast.DictComp: self._comprehension,
            ast.GeneratorExp: self._stray_generator,
            ast.Compare: self._compare,
            ast.Call: self._calls.check,
            ast.JoinedStr: self._text,
            ast.Constant: self._constant,
            ast.Attribute: self._attribute,
            ast.Subscript: self._subscript,
            ast.Slice: self._stray_slice,
            ast.Name: self._name,
        }

    # --- For statements and calls -----------------------------------------------------------------------------------

    def value(self, node: ast.expr) -> None:
        """Check an expression that stands for a value."""
        # What is not in the table was refused by `syntax`.
        self._checks.get(type(node), self._parts)(node)

    def iterable(self, node: ast.expr) -> None:
        """Check what a loop goes over: a value, or a constant dict."""
        if self.state_kind(node) is not Kind.LOOKUP:
            self.value(node)

    def is_context(self, node: ast.expr) -> bool:
        """Tell whether an expression is the context."""
        return isinstance(node, ast.Name) and node.id in self._function.contexts and not any(node.id in scope for scope in self._scopes)

    def is_local(self, name: str) -> bool:
        """Tell whether a name stands for a value of this function."""
        return name in self.locals or any(name in scope for scope in self._scopes)

    def kind_of(self, node: ast.expr) -> Kind | None:
        """Return what a name of the module stands for; None for everything else."""
        if isinstance(node, ast.Name) and not self.is_local(node.id):
            return self._module.kinds.get(node.id)
        return None

    def state_kind(self, node: ast.expr) -> Kind | None:
        """Return whether a name stands for what has elements by key: a table, a map, a uniqueness constraint, a constant dict."""
        kind = self.kind_of(node)
        return kind if kind in (Kind.TABLE, Kind.MAP, Kind.UNIQUE, Kind.LOOKUP) else None

    def note_effect(self, what: str, node: ast.AST) -> None:
        """Take note of something that a view cannot do."""
        self._function.effects.append((what, node))

    @property
    def comprehensions(self) -> int:
        """Comprehensions around what is being checked."""
        return len(self._scopes)

    def check_shadowing(self, name: str, node: ast.AST) -> None:
        """Refuse a local name that hides a name of the module; those of actions and views are for outside."""
        # CON-042
        function = self._module.functions.get(name)
        if name in self._module.kinds and (function is None or function.entry is None):
            self._findings.on("CON-042", node, f"{name} hides {self._module.kinds[name].value} of this contract", "choose another name")

    def generator(self, node: ast.GeneratorExp) -> None:
        """Check a generator expression where one is allowed."""
        self._comprehension(node)

    # --- Names ------------------------------------------------------------------------------------------------------

    def _name(self, node: ast.expr) -> None:
        assert isinstance(node, ast.Name)
        name = node.id
        # CON-043
        if self.is_context(node):
            self._refuse_value(node, "the context", "use its fields, or hand it to a function of this contract")
            return
        if self.is_local(name):
            return
        kind = self._module.kinds.get(name)
        if kind is Kind.CONSTANT:
            return
        if kind is not None:
            self._refuse_value(node, kind.value, _INSTEAD_OF_VALUE.get(kind, "call it, or use its members or records").format(name=name))
        elif name in BUILTINS:
            self._refuse_value(node, "a built-in", "call it")
        else:
            self.unknown(node)

    def _refuse_value(self, node: ast.Name, what: str, instead: str) -> None:
        # CON-043
        self._findings.on("CON-043", node, f"{node.id} is {what} and is no value", instead)

    def unknown(self, node: ast.Name) -> None:
        """Refuse a name that stands for nothing."""
        # CON-041
        if node.id in SDK_NAMES:
            self._findings.on("CON-041", node, f"{node.id} is not imported", f"write `from yunhe.contracts import {node.id}`")
        else:
            self._findings.on("CON-041", node, f"there is no {node.id} in contracts", instead_of(node.id))

    # --- Attributes and elements ------------------------------------------------------------------------------------

    def _attribute(self, node: ast.expr) -> None:
        assert isinstance(node, ast.Attribute)
        # CON-047
        if isinstance(node.value, ast.Name) and not self.is_local(node.value.id):
            kind = self._module.kinds.get(node.value.id)
            members = self._module.members.get(node.value.id)
            if kind is Kind.IMPORT:
                members = list(SDK_CHOICES.get(node.value.id, ()))
            if kind is Kind.CHOICE or members:
                if node.attr not in (members or ()):
                    self._findings.on("CON-047", node, f"{node.value.id} has no member {node.attr}", "use a member that the class declares")
                return
        self.holder(node)
        if node.attr not in self._fields:
            context = f"the context has {', '.join(Context._fields)}"
            instead = context if self.is_context(node.value) else "use declared fields; a method is called where it is named"
            self._findings.on("CON-047", node, f"{node.attr} is no field of this contract", instead)

    def holder(self, node: ast.Attribute) -> None:
        """Check the value whose field is read or set."""
        if not self.is_context(node.value):
            self.value(node.value)

    def element(self, node: ast.Subscript, *, stored: bool) -> None:
        """Check container and key of a subscript."""
        kind = self.state_kind(node.value)
        if kind in (Kind.TABLE, Kind.MAP, Kind.UNIQUE):
            assert isinstance(node.value, ast.Name)
            if not stored:
                self._function.reads.add(self._module.state_of(node.value.id))
        elif kind is None:
            # CON-036
            if not isinstance(node.value, _NAMED):
                self._findings.on("CON-036", node, "an element of something that has no name", "give it a name on the line before")
            self.value(node.value)
        if isinstance(node.slice, ast.Slice):
            # CON-059
            if kind is not None:
                self._findings.on("CON-059", node, "a slice of state", "write table.scan(start=..., end=...)")
            for part in (node.slice.lower, node.slice.upper, node.slice.step):
                if part is not None:
                    self.value(part)
        else:
            self.value(node.slice)

    def _subscript(self, node: ast.expr) -> None:
        assert isinstance(node, ast.Subscript)
        self.element(node, stored=False)

    def _stray_slice(self, node: ast.expr) -> None:
        # CON-036
        self._findings.on("CON-036", node, "a slice that does not stand alone in brackets", "write name[start:stop]")

    # --- Operators --------------------------------------------------------------------------------------------------

    def _parts(self, node: ast.expr) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr):
                self.value(child)

    def _binary(self, node: ast.expr) -> None:
        assert isinstance(node, ast.BinOp)
        self.check_operator(node.op, node.left, node)
        self._parts(node)

    def check_operator(self, operator: ast.operator, left: ast.expr, node: ast.AST) -> None:
        """Refuse formatting with `%`."""
        # CON-062
        is_text = isinstance(left, ast.JoinedStr) or (isinstance(left, ast.Constant) and isinstance(left.value, str | bytes))
        if isinstance(operator, ast.Mod) and is_text:
            self._findings.on("CON-062", node, "`%` formats text", 'write f"{name}"')

    def _compare(self, node: ast.expr) -> None:
        assert isinstance(node, ast.Compare)
        operands = [node.left, *node.comparators]
        for index, operator in enumerate(node.ops):
            self._check_identity(operator, operands[index], operands[index + 1])
        # CON-035
        for middle in node.comparators[:-1]:
            if not _is_simple(middle):
                self._findings.on(
                    "CON-035",
                    middle,
                    "the middle of a chain is neither a plain name nor the length of one",
                    "give it a name on the line before",
                )
        self.value(node.left)
        for index, (operator, operand) in enumerate(zip(node.ops, node.comparators, strict=True), 1):
            # What stands in the middle of a chain is compared with what follows, too.
            kind = self.state_kind(operand) if index == len(node.ops) else None
            if kind is None or not isinstance(operator, ast.In | ast.NotIn):
                self.value(operand)
            elif kind is not Kind.LOOKUP and isinstance(operand, ast.Name):
                self._function.reads.add(self._module.state_of(operand.id))

    def _check_identity(self, operator: ast.cmpop, left: ast.expr, right: ast.expr) -> None:
        # CON-030
        if isinstance(operator, ast.Is | ast.IsNot):
            is_none = isinstance(right, ast.Constant) and right.value is None
            # A constant on the left, which the compiler makes of more than literals, is one that it warns of.
            if not is_none or not isinstance(left, _NAMED):
                self._findings.on("CON-030", right, "`is` compares places in memory", "write `==`; `is` and `is not` are for None")

    # --- Comprehensions ---------------------------------------------------------------------------------------------

    def _stray_generator(self, node: ast.expr) -> None:
        # CON-031
        self._findings.on(
            "CON-031",
            node,
            "a generator expression that nothing consumes at once",
            "write a list in square brackets, or hand it to sum or any",
        )
        self._comprehension(node)

    def _comprehension(self, node: ast.expr) -> None:
        assert isinstance(node, ast.ListComp | ast.DictComp | ast.GeneratorExp)
        self.iterable(node.generators[0].iter)
        scope: set[str] = set()
        self._scopes.append(scope)
        self._function.comprehensions = max(self._function.comprehensions, len(self._scopes))
        for index, generator in enumerate(node.generators):
            if index > 0:
                self.iterable(generator.iter)
            self._variables(generator.target, scope)
            for condition in generator.ifs:
                self.value(condition)
        for element in (node.key, node.value) if isinstance(node, ast.DictComp) else (node.elt,):
            self.value(element)
        self._scopes.pop()

    def _variables(self, target: ast.expr, scope: set[str]) -> None:
        if isinstance(target, ast.Tuple):
            for element in target.elts:
                self._variables(element, scope)
        elif not isinstance(target, ast.Name):
            # CON-033
            self._findings.on("CON-033", target, "this cannot be the variable of a loop", "use a name, or names with commas between")
        elif target.id in TAKEN_NAMES:
            # CON-042
            self._findings.on("CON-042", target, f"{target.id} is a name of the contract language", "choose another name")
        else:
            self.check_shadowing(target.id, target)
            scope.add(target.id)

    # --- Literals ---------------------------------------------------------------------------------------------------

    def _text(self, node: ast.expr) -> None:
        assert isinstance(node, ast.JoinedStr)
        for part in node.values:
            if not isinstance(part, ast.FormattedValue):
                self.value(part)
                continue
            # CON-010
            if part.conversion != -1 or part.format_spec is not None:
                self._findings.on(
                    "CON-010", node, "a replacement field with `!`, `=` or `:`", "write {name} alone; pad with rjust or zfill"
                )
            self.value(part.value)

    def _constant(self, node: ast.expr) -> None:
        assert isinstance(node, ast.Constant)
        check_constant(node, self._findings)


def check_constant(node: ast.Constant, findings: Findings) -> None:
    """Check a literal."""
    value = node.value
    # CON-008
    if isinstance(value, float | complex):
        findings.on("CON-008", node, "a number with a fraction", "count in the smallest unit, as an integer")
    elif isinstance(value, int) and not -INTEGER_LIMIT < value < INTEGER_LIMIT:
        findings.on("CON-008", node, "an integer of 2**255 or more", "integers of contracts are below 2**255")
    elif value is Ellipsis:
        # CON-037
        findings.on("CON-037", node, "`...` is not allowed in contracts", "write what is meant")
    elif isinstance(value, str) and not _encodable(value):
        # CON-009
        findings.on("CON-009", node, "half a character (a surrogate)", "write the character itself, or \\U........ with eight digits")


def _encodable(text: str) -> bool:
    return text.isascii() or not any("\ud800" <= character <= "\udfff" for character in text)


def _is_simple(node: ast.expr) -> bool:
    if isinstance(node, ast.Call):
        is_len = isinstance(node.func, ast.Name) and node.func.id == "len" and len(node.args) == 1 and not node.keywords
        return is_len and not isinstance(node.args[0], ast.Call) and _is_simple(node.args[0])
    if isinstance(node, ast.UnaryOp):
        return isinstance(node.op, ast.USub) and isinstance(node.operand, ast.Constant)
    return isinstance(node, ast.Name | ast.Constant) or (isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name))
