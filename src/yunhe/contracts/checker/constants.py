"""Constant expressions: what stands at module level, as a default, as a key of a lookup.

Rule enforced: CON-051. The checker computes a constant itself, step by step within the bounds of contract arithmetic, so nothing large is
made when a module is loaded; names stand for scalars only, so nothing is shared and grown. Specification: docs/spec/contracts.md.
"""

import ast
from collections.abc import Callable
from typing import Final, TypeAlias

from yunhe.contracts.checker.model import SDK_CHOICES, Kind, Module
from yunhe.limits import CONTRACT_INTEGER_BITS_MAX, VALUE_DEPTH_MAX

Scalar: TypeAlias = int | str | bytes | None
INTEGER_LIMIT: Final = 2**CONTRACT_INTEGER_BITS_MAX
_TEXT_MAX: Final = 16 * 1024
"""Length of text or bytes that are put together; a literal may be as long as a source."""
_INTEGERS: Final[dict[type[ast.operator], Callable[[int, int], int]]] = {
    ast.Add: lambda a, b: a + b,
    ast.Sub: lambda a, b: a - b,
    ast.Mult: lambda a, b: a * b,
    ast.FloorDiv: lambda a, b: a // b,
    ast.Mod: lambda a, b: a % b,
    ast.Pow: lambda a, b: a**b,
}


class NotConstantError(Exception):
    """An expression is not a constant one; for use inside the checker."""


class Constants:
    """Constant expressions of one module, and the values of its constants."""

    def __init__(self, module: Module) -> None:
        self._module = module
        self.values: dict[str, Scalar] = {}
        """Value of each constant that is a scalar."""

    def scalar(self, node: ast.expr) -> Scalar:
        """Return the value of a constant scalar; a member of a choice counts as its name.

        Raises:
            NotConstantError: it is none, or out of range.
        """
        if isinstance(node, ast.Constant):
            return _literal(node.value)
        if isinstance(node, ast.Name) and node.id in self.values:
            return self.values[node.id]
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and self._is_member(node.value.id, node.attr):
            return node.attr
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
            value = self.scalar(node.operand)
            if type(value) is int:
                return -value if isinstance(node.op, ast.USub) else value
        if isinstance(node, ast.BinOp):
            return operate(type(node.op), self.scalar(node.left), self.scalar(node.right))
        raise NotConstantError

    def check_value(self, node: ast.expr, depth: int = VALUE_DEPTH_MAX) -> None:
        """Check that an expression is a scalar or a tuple of constant values.

        Raises:
            NotConstantError: it is something else.
        """
        if isinstance(node, ast.Tuple) and depth > 0:
            for element in node.elts:
                self.check_value(element, depth - 1)
        else:
            self.scalar(node)

    def check_lookup(self, node: ast.Dict) -> None:
        """Check that a dict display has distinct constant keys and constant values.

        Raises:
            NotConstantError: it is something else.
        """
        keys = []
        for key, value in zip(node.keys, node.values, strict=True):
            if key is None:
                raise NotConstantError
            keys.append(tuple(self.scalar(part) for part in key.elts) if isinstance(key, ast.Tuple) else (self.scalar(key),))
            self.check_value(value)
        # A member of a choice is known here by its name only; two of them are told apart by how they are written.
        if len({(key, ast.dump(node)) for key, node in zip(keys, node.keys, strict=True) if node is not None}) != len(keys):
            raise NotConstantError

    def check_display(self, node: ast.expr) -> bool:
        """Tell whether an expression is a list or dict display of constant scalars, as a field's default may be."""
        elements = node.elts if isinstance(node, ast.List) else [*node.keys, *node.values] if isinstance(node, ast.Dict) else [None]
        try:
            for element in elements:
                if element is None:
                    return False
                self.scalar(element)
        except NotConstantError:
            return False
        return True

    def _is_member(self, choice: str, member: str) -> bool:
        if choice in SDK_CHOICES:
            return self._module.kinds.get(choice) is Kind.IMPORT and member in SDK_CHOICES[choice]
        return member in self._module.members.get(choice, [])


def _literal(value: object) -> Scalar:
    if isinstance(value, int) and -INTEGER_LIMIT < value < INTEGER_LIMIT:
        return value
    if value is None or isinstance(value, str | bytes):
        return value
    raise NotConstantError


def operate(operator: type[ast.operator], a: Scalar, b: Scalar) -> Scalar:
    """Return the result of an operation on constants.

    Raises:
        NotConstantError: constants have no such operation, or it is out of range.
    """
    if type(a) is int and type(b) is int:
        result = _integer_operation(operator, a, b)
        if -INTEGER_LIMIT < result < INTEGER_LIMIT:
            return result
    elif operator is ast.Add:
        return _joined(a, b)
    raise NotConstantError


def _joined(a: Scalar, b: Scalar) -> Scalar:
    if isinstance(a, str) and isinstance(b, str) and len(a) + len(b) <= _TEXT_MAX:
        return a + b
    if isinstance(a, bytes) and isinstance(b, bytes) and len(a) + len(b) <= _TEXT_MAX:
        return a + b
    raise NotConstantError


def _integer_operation(operator: type[ast.operator], a: int, b: int) -> int:
    compute = _INTEGERS.get(operator)
    if compute is None or (operator in (ast.FloorDiv, ast.Mod) and b == 0):
        raise NotConstantError
    if operator is ast.Pow and not 0 <= b < CONTRACT_INTEGER_BITS_MAX:
        raise NotConstantError
    return compute(a, b)
