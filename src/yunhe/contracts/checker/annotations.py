"""Annotations: a closed list, because they say what is stored and what crosses the contract's boundary.

Rule enforced: CON-054. Fields, parameters and results of entries have the types that the codec knows; plain functions may also pass
tuples, signers and the context. Classes must stand above, since Python evaluates annotations from top to bottom. Specification:
docs/spec/contracts.md.
"""

import ast
from dataclasses import dataclass
from typing import Final

from yunhe.contracts.checker.findings import Findings
from yunhe.contracts.checker.model import SDK_CHOICES, Kind, Module
from yunhe.contracts.checker.unavailable import instead_of_import
from yunhe.contracts.vocabulary import KEY_ANNOTATIONS, SCALAR_ANNOTATIONS
from yunhe.limits import KEY_COMPONENTS_MAX, VALUE_DEPTH_MAX

_VALUES: Final = "use int, str, bytes, bool, Org, a Choice, a Record, list[T], dict[str, T], dict[int, T], dict[Org, T] or T | None"
_DICT_KEYS: Final = frozenset({"int", "str", "Org"})
_TUPLE_PARTS_MAX: Final = 8


@dataclass(frozen=True, slots=True)
class Place:
    """Where an annotation stands, and what it may say there beyond values."""

    name: str
    passing: bool = False
    """Values are handed on inside the module: tuples and signers as well."""
    context: bool = False
    nothing: bool = False
    """None alone: a result of nothing."""


FIELD: Final = Place("a field")
ENTRY_PARAMETER: Final = Place("a parameter of an action or view")
ENTRY_RESULT: Final = Place("a result", nothing=True)
PARAMETER: Final = Place("a parameter", passing=True, context=True)
RESULT: Final = Place("a result", passing=True, nothing=True)
LOCAL: Final = Place("a variable", passing=True)


class Annotations:
    """Checks annotations against the names above them."""

    def __init__(self, module: Module, findings: Findings) -> None:
        self._module = module
        self._findings = findings

    def check(self, node: ast.expr, place: Place) -> None:
        """Check one annotation."""
        # CON-054
        if place.nothing and _is_none(node):
            return
        if place.context and isinstance(node, ast.Name) and node.id == "Context" and self._imported("Context"):
            return
        if not self._value(node, place, VALUE_DEPTH_MAX):
            hint = instead_of_import(node.id) if isinstance(node, ast.Name) else ""
            values = _VALUES + (", or tuple[...]" if place.passing else "")
            self._findings.on("CON-054", node, f"this is no type of {place.name}", f"{hint}; {values}" if hint else values)

    def is_scalar(self, node: ast.expr) -> bool:
        """Tell whether an annotation is of one scalar, as the values of a Map are."""
        return isinstance(node, ast.Name) and self._scalar(node.id, SCALAR_ANNOTATIONS)

    def is_indexable(self, node: ast.expr) -> bool:
        """Tell whether an annotation is of one scalar of a key, or of one or None."""
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
            values = [part for part in (node.left, node.right) if not _is_none(part)]
            return len(values) == 1 and self.is_indexable(values[0])
        return isinstance(node, ast.Name) and self._scalar(node.id, KEY_ANNOTATIONS)

    def key_parts(self, node: ast.expr) -> int:
        """Return how many parts a key of an annotation has."""
        return len(node.slice.elts) if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Tuple) else 1

    def is_key(self, node: ast.expr) -> bool:
        """Tell whether an annotation is of a key: one scalar, or a tuple of a few."""
        if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name) and node.value.id == "tuple":
            parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
            return len(parts) <= KEY_COMPONENTS_MAX and all(isinstance(part, ast.Name) and self.is_key(part) for part in parts)
        return isinstance(node, ast.Name) and self._scalar(node.id, KEY_ANNOTATIONS)

    def is_state_key(self, node: ast.expr) -> bool:
        """Tell whether an annotation is of a key of state: one scalar, or a tuple of two or more."""
        return self.is_key(node) and (isinstance(node, ast.Name) or self.key_parts(node) > 1)

    def _value(self, node: ast.expr, place: Place, depth: int) -> bool:
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
            parts = [node.left, node.right]
            values = [part for part in parts if not _is_none(part)]
            return len(values) == 1 and not isinstance(values[0], ast.BinOp) and self._value(values[0], place, depth)
        if isinstance(node, ast.Name):
            return self._named(node.id, place)
        if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name) and depth > 0:
            parts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
            return self._container(node.value.id, parts, place, depth - 1)
        return False

    def _container(self, name: str, parts: list[ast.expr], place: Place, depth: int) -> bool:
        if name == "list":
            return len(parts) == 1 and self._value(parts[0], place, depth)
        if name == "dict":
            return len(parts) == 2 and self._dict_key(parts[0], place) and self._value(parts[1], place, depth)
        if name == "tuple" and place.passing:
            return len(parts) <= _TUPLE_PARTS_MAX and all(self._value(part, place, depth) for part in parts)
        return False

    def _dict_key(self, node: ast.expr, place: Place) -> bool:
        if place.passing:
            return self.is_key(node)
        return isinstance(node, ast.Name) and self._scalar(node.id, _DICT_KEYS)

    def _named(self, name: str, place: Place) -> bool:
        if name == "Signer":
            return place.passing and self._imported("Signer")
        kind = self._module.kinds.get(name)
        return self._scalar(name, SCALAR_ANNOTATIONS) or kind is Kind.RECORD or (place.passing and kind is Kind.EVENT)

    def _scalar(self, name: str, scalars: frozenset[str]) -> bool:
        if name in scalars:
            return name != "Org" or self._imported("Org")
        if name in SDK_CHOICES:
            return self._imported(name)
        return self._module.kinds.get(name) is Kind.CHOICE

    def _imported(self, name: str) -> bool:
        return self._module.kinds.get(name) is Kind.IMPORT


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None
