"""What the rewriting of trees needs to know of syntax: prices of nodes, names of operations, and small tools to make nodes.

Prices are in gas, about nanoseconds of metered code; memory is in bytes (CON-121, CON-124).
"""

import ast
from dataclasses import dataclass, field
from typing import Final, NoReturn

from yunhe.contracts.vocabulary import BUILTINS, METHODS, STATE_CLASSES

# Prices of syntax, in gas.
STATEMENT: Final = 10
LOOP_ROUND: Final = 25
NAME: Final = 4
ATTRIBUTE: Final = 8
FIELD: Final = 150
BRANCH: Final = 8
BINARY_OPERATION: Final = 110
COMPARE: Final = 100
COMPARE_NATIVE: Final = 20
SUBSCRIPT: Final = 130
SLICE: Final = 300
DISPLAY: Final = 40
ELEMENT: Final = 10
DISPLAY_ENTRY: Final = 130
TEXT: Final = 300
TEXT_PART: Final = 90
CALL: Final = 90
ARGUMENT: Final = 12
INSTANCE: Final = 250
INSTANCE_FIELD: Final = 45
DEFAULT_COPY: Final = 60
DEFAULT_ELEMENT: Final = 2
DEFAULT_ENTRY: Final = 60
SDK_CALL: Final = 200
SCALAR_CALL: Final = 400
COMPREHENSION: Final = 250
COMPREHENSION_ROUND: Final = 130

SHORT_TEXT: Final = 64
"""Characters of a literal up to which a comparison with it has the same price."""

# Memory of syntax, in bytes.
DISPLAY_MEMORY: Final = 64
ELEMENT_MEMORY: Final = 96
ENTRY_MEMORY: Final = 200
SLOT_MEMORY: Final = 8

BINARY: Final[dict[type[ast.operator], str]] = {
    ast.Add: "_add",
    ast.Sub: "_sub",
    ast.Mult: "_mul",
    ast.FloorDiv: "_floordiv",
    ast.Mod: "_mod",
    ast.Pow: "_pow",
}
COMPARISON: Final[dict[type[ast.cmpop], str]] = {
    ast.Eq: "_eq",
    ast.NotEq: "_ne",
    ast.Lt: "_lt",
    ast.LtE: "_le",
    ast.Gt: "_gt",
    ast.GtE: "_ge",
    ast.In: "_in",
    ast.NotIn: "_not_in",
}
METHOD_BASE: Final = {
    name: max(words[name].base for words in METHODS.values() if name in words) for words in METHODS.values() for name in words
}


class NotMeterableError(Exception):
    """A tree has what the checker does not let through; names the line."""

    def __init__(self, node: ast.AST, what: str) -> None:
        super().__init__(f"line {getattr(node, 'lineno', 0)}: {what}")


@dataclass(frozen=True, slots=True)
class Price:
    """Gas and memory."""

    gas: int = 0
    memory: int = 0


@dataclass
class ModuleNames:
    """What the names at module level stand for."""

    handles: set[str] = field(default_factory=set)
    """Declared state: tables, maps, indexes, logs."""
    records: dict[str, int] = field(default_factory=dict)
    """Records and Events, with the number of their fields."""
    copies: dict[str, dict[str, Price]] = field(default_factory=dict)
    """Price of copying the default of each field of each record and event that is a list or dict."""
    choices: set[str] = field(default_factory=set)
    functions: set[str] = field(default_factory=set)
    imported: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, tree: ast.Module) -> "ModuleNames":
        names = cls()
        for node in tree.body:
            if isinstance(node, ast.ImportFrom):
                names.imported |= {alias.name for alias in node.names}
            elif isinstance(node, ast.FunctionDef):
                names.functions.add(node.name)
            elif isinstance(node, ast.ClassDef):
                bases = {base.id for base in node.bases if isinstance(base, ast.Name)}
                if bases == {"Choice"}:
                    names.choices.add(node.name)
                else:
                    names.records[node.name] = sum(isinstance(statement, ast.AnnAssign) for statement in node.body)
                    names.copies[node.name] = _copies(node)
            elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and _is_handle(node.annotation):
                names.handles.add(node.target.id)
        return names

    @property
    def classes(self) -> set[str]:
        return self.records.keys() | self.choices | self.imported


def _copies(node: ast.ClassDef) -> dict[str, Price]:
    """Return what an instance pays for the copy of a default (CON-121, CON-124)."""
    prices = {}
    for statement in node.body:
        match statement:
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.List(elts=elements)):
                prices[name] = Price(DEFAULT_COPY + DEFAULT_ELEMENT * len(elements), DISPLAY_MEMORY + SLOT_MEMORY * len(elements))
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.Dict(keys=keys)):
                prices[name] = Price(DEFAULT_COPY + DEFAULT_ENTRY * len(keys), DISPLAY_MEMORY + ENTRY_MEMORY * len(keys))
    return prices


def _is_handle(annotation: ast.expr) -> bool:
    return isinstance(annotation, ast.Subscript) and isinstance(annotation.value, ast.Name) and annotation.value.id in STATE_CLASSES


def call_of(name: str, arguments: list[ast.expr], where: ast.AST, keywords: list[ast.keyword] | None = None) -> ast.Call:
    """Return a call of an operation, with the position of the node that it replaces."""
    made = ast.Call(ast.Name(name, ast.Load()), arguments, keywords or [])
    for node in (made, made.func, *arguments):
        if not hasattr(node, "lineno"):
            ast.copy_location(node, where)
    return made


def again(node: ast.expr) -> ast.expr:
    """Return a copy of a name, a constant or an attribute of a name."""
    match node:
        case ast.Name(id=name):
            made: ast.expr = ast.Name(name, ast.Load())
        case ast.Attribute(value=value, attr=name):
            made = ast.Attribute(again(value), name, ast.Load())
        case ast.Constant(value=constant):
            made = ast.Constant(constant)
        case ast.Call(func=ast.Name(id="_field" | "_b_len" as name), args=arguments):
            made = call_of(name, [again(argument) for argument in arguments], node)
        case ast.UnaryOp(op=operator, operand=operand):
            made = ast.UnaryOp(operator, again(operand))
        case _:
            refuse_node(node)
    return ast.copy_location(made, node)


def is_simple(node: ast.expr) -> bool:
    """Tell whether evaluating an expression twice is the same as once: a name, an attribute of a name, a constant, the length of one."""
    if isinstance(node, ast.UnaryOp):
        return isinstance(node.op, ast.USub) and isinstance(node.operand, ast.Constant)
    if isinstance(node, ast.Call):
        is_len = isinstance(node.func, ast.Name) and node.func.id == "len" and len(node.args) == 1 and not node.keywords
        return is_len and not isinstance(node.args[0], ast.Call) and is_simple(node.args[0])
    return isinstance(node, ast.Name | ast.Constant) or (isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name))


def consumes(function: ast.expr) -> bool:
    """Tell whether a generator expression can be the sole argument of a function."""
    if isinstance(function, ast.Name):
        return function.id in BUILTINS and BUILTINS[function.id].consumes
    return isinstance(function, ast.Attribute) and any(
        words[function.attr].consumes for words in METHODS.values() if function.attr in words
    )


def is_text(node: ast.stmt) -> bool:
    """Tell whether a statement is a docstring."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def has_places(target: ast.expr) -> bool:
    """Tell whether a target is, or has among its parts, a subscript, or an attribute inside a tuple."""
    if isinstance(target, ast.Tuple | ast.List):
        return any(isinstance(element, ast.Subscript | ast.Attribute) for element in ast.walk(target))
    return isinstance(target, ast.Subscript)


def refuse_node(node: ast.AST) -> NoReturn:
    """Stop at a node that the subset does not have.

    Raises:
        NotMeterableError: always.
    """
    raise NotMeterableError(node, f"{type(node).__name__} is not part of the contract language here")
