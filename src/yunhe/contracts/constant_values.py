"""Values of constant expressions, read from the syntax tree of a source that the checker has let through.

A default is written as a literal, a constant, a member of a choice, or a list or dict of these (CON-055). Whoever reads an interface gets
it as a plain value: members of choices as their text. Nothing is run.
"""

import ast
from collections.abc import Mapping
from typing import Final, cast

from yunhe.contracts.arithmetic import Rounding
from yunhe.contracts.checker.constants import NotConstantError, operate
from yunhe.ledger.codec import Value

_SDK_CHOICES: Final = {"Rounding": {member.name: str(member) for member in Rounding}}


class ConstantValues:
    """Constants and choices of one module, as they are met from top to bottom."""

    def __init__(self, choices: Mapping[str, Mapping[str, str]]) -> None:
        """Make a reader that knows no constants.

        Args:
            choices: choice to its members, name to text; looked up when a member is met.
        """
        self._choices = choices
        self._constants: dict[str, Value] = {}
        self._members: dict[str, ast.Attribute] = {}

    def define(self, node: ast.Assign) -> None:
        """Take note of a constant of the module, if it is a scalar; other ones are no defaults."""
        if len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            try:
                self._constants[node.targets[0].id] = self.scalar(node.value)
            except ValueError:
                return
            if isinstance(written := self._named(node.value), ast.Attribute):
                self._members[node.targets[0].id] = written

    def value(self, node: ast.expr) -> Value:
        """Return the value of a default.

        Raises:
            ValueError: it is not a constant expression.
        """
        if isinstance(node, ast.List):
            return [self.scalar(element) for element in node.elts]
        if isinstance(node, ast.Dict):
            keys = [self.scalar(key) for key in node.keys if key is not None]
            values = [self.scalar(element) for element in node.values]
            return cast("Value", dict(zip(keys, values, strict=True)))  # the type of its field says which keys it has
        return self.scalar(node)

    def text(self, node: ast.expr) -> str:
        """Return a default as it is written, with what constants are in place of their names."""
        return ast.unparse(self._named(node))

    def _named(self, node: ast.expr) -> ast.expr:
        match node:
            case ast.Name(id=name) if name in self._members:
                return self._members[name]
            case ast.Name(id=name) if name in self._constants:
                return ast.parse(repr(self._constants[name]), mode="eval").body
            case ast.List(elts=elements):
                return ast.List(elts=[self._named(element) for element in elements], ctx=ast.Load())
            case ast.Dict(keys=keys, values=values):
                return ast.Dict(keys=[key and self._named(key) for key in keys], values=[self._named(value) for value in values])
            case ast.UnaryOp(op=operator, operand=operand):
                return ast.UnaryOp(op=operator, operand=self._named(operand))
            case ast.BinOp(left=left, op=operation, right=right):
                return ast.BinOp(left=self._named(left), op=operation, right=self._named(right))
        return node

    def scalar(self, node: ast.expr) -> Value:
        """Return the value of a constant scalar.

        Raises:
            ValueError: it is not one.
        """
        match node:
            case ast.Constant(value=int() | str() | bytes() | None as value):
                return value
            case ast.Name(id=name) if name in self._constants:
                return self._constants[name]
            case ast.Attribute(value=ast.Name(id=choice), attr=member):
                return self._member(choice, member)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return self._computed(ast.Sub, 0, self.scalar(operand))
            case ast.UnaryOp(op=ast.UAdd(), operand=operand):
                return self.scalar(operand)
            case ast.BinOp(left=left, op=operator, right=right):
                return self._computed(type(operator), self.scalar(left), self.scalar(right))
        raise ValueError("a constant was expected")

    def _member(self, choice: str, member: str) -> str:
        members = self._choices.get(choice) or _SDK_CHOICES.get(choice, {})
        if member not in members:
            raise ValueError(f"{choice} has no member {member}")
        return members[member]

    @staticmethod
    def _computed(operator: type[ast.operator], a: Value, b: Value) -> Value:
        if not isinstance(a, int | str | bytes) or not isinstance(b, int | str | bytes):
            raise ValueError("an operation on what is neither integer, text nor bytes")
        try:
            return operate(operator, a, b)
        except NotConstantError as error:
            raise ValueError("an operation whose result is no constant") from error
