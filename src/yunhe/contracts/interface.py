"""The typed interface of a contract as plain data, read from its source without running it.

It is what `yunhe contract show` prints, what clients turn JSON into arguments by, and what typed proxies are generated from. Because it is
read from the syntax tree alone, a process outside the jail can make it of any source that the checker lets through. That it says the same
as the loaded module is held by a test. Specification: docs/spec/contracts.md, "API" (CON-149).
"""

import ast
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final

from yunhe.contracts.codes import NOT_UNIQUE
from yunhe.contracts.constant_values import ConstantValues
from yunhe.contracts.value_types import TypeData
from yunhe.contracts.vocabulary import MIGRATION, REFUSAL_FUNCTIONS
from yunhe.errors import MalformedError
from yunhe.ledger.codec import Value

_SCALARS: Final = frozenset({"int", "str", "bytes", "bool", "Org", "None"})


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a record or event, or a parameter."""

    name: str
    type: TypeData
    default: str | None = None
    """As written in the source, with the values of constants in place of their names; None if it must be given."""
    default_value: Value = None
    """What the default is, with members of choices as their text."""


@dataclass(frozen=True, slots=True)
class EntryInterface:
    """An action or view."""

    name: str
    parameters: tuple[Field, ...]
    """Without the context."""
    result: TypeData
    summary: str
    """First line of the docstring."""


@dataclass(frozen=True, slots=True)
class TableInterface:
    """A Table."""

    name: str
    record: str
    key: tuple[str, ...]
    """Names of the key fields."""
    indexes: tuple["IndexInterface", ...] = ()
    """In the order in which they are declared."""


@dataclass(frozen=True, slots=True)
class IndexInterface:
    """An Index or Unique."""

    name: str
    by: tuple[str, ...]
    """Names of the indexed fields."""
    unique: bool
    code: str | None = None
    """With which a second record is refused; None where the index is not unique."""


@dataclass(frozen=True, slots=True)
class MapInterface:
    """A Map."""

    name: str
    key: tuple[TypeData, ...]
    value: TypeData
    default: str | None = None
    """As written in the source; None where a key without a row is refused."""
    default_value: Value = None
    """What a key without a row reads as."""


@dataclass(frozen=True, slots=True)
class LogInterface:
    """A Log."""

    name: str
    key: tuple[TypeData, ...]
    """Without the position."""
    record: str


@dataclass(frozen=True, slots=True)
class Interface:
    """Everything that can be asked of a contract, and what it answers with; each part by name."""

    summary: str = ""
    """First line of the module's docstring."""
    actions: dict[str, EntryInterface] = field(default_factory=dict)
    views: dict[str, EntryInterface] = field(default_factory=dict)
    records: dict[str, tuple[Field, ...]] = field(default_factory=dict)
    events: dict[str, tuple[Field, ...]] = field(default_factory=dict)
    choices: dict[str, dict[str, str]] = field(default_factory=dict)
    """Choice to its members: name to text."""
    tables: dict[str, TableInterface] = field(default_factory=dict)
    maps: dict[str, MapInterface] = field(default_factory=dict)
    logs: dict[str, LogInterface] = field(default_factory=dict)
    migration: str | None = None
    """Text of the action that an upgrade to this source runs (SYS-026); None if there is none."""
    refusals: tuple[str, ...] = ()
    """Codes that the contract's own text refuses with, sorted."""

    def data(self) -> dict[str, Any]:
        """Return the interface as JSON takes it: byte strings as hexadecimal digits, keys of maps as text."""
        return dict(_json(asdict(self)))


def interface_of(source: str) -> Interface:
    """Read the interface of a contract source that the checker has let through.

    Raises:
        MalformedError: it is not the source of a contract.
    """
    # CON-149
    try:
        return _Reader(ast.parse(source)).read()
    except (SyntaxError, ValueError, LookupError, RecursionError, MemoryError) as error:
        raise MalformedError("this source is not a contract; `yunhe contract check` says why") from error


class _Reader:
    """Reads one module."""

    def __init__(self, tree: ast.Module) -> None:
        self._tree = tree
        self._interface = Interface(summary=_summary(tree))
        self._migration: str | None = None
        self._constants = ConstantValues(self._interface.choices)
        self._classes: dict[str, str] = {"Rounding": "choice"}
        for node in tree.body:
            if isinstance(node, ast.ClassDef) and len(node.bases) == 1 and isinstance(node.bases[0], ast.Name):
                self._classes[node.name] = {"Choice": "choice", "Record": "record", "Event": "event"}.get(node.bases[0].id, "")

    def read(self) -> Interface:
        for node in self._tree.body:
            if isinstance(node, ast.ClassDef):
                self._class(node)
            elif isinstance(node, ast.FunctionDef):
                self._entry(node)
            elif isinstance(node, ast.AnnAssign):
                self._state(node)
            elif isinstance(node, ast.Assign):
                self._constants.define(node)
        unique = [index.code for table in self._interface.tables.values() for index in table.indexes if index.code is not None]
        codes = sorted({*_refusals(self._tree), *unique})
        return replace(self._interface, refusals=tuple(codes), migration=self._migration)

    def _class(self, node: ast.ClassDef) -> None:
        kind = self._classes.get(node.name)
        if kind == "choice":
            members = [item for item in node.body if isinstance(item, ast.Assign)]
            self._interface.choices[node.name] = {_name(item.targets[0]): str(_constant(item.value)) for item in members}
            return
        fields = tuple(
            self._field(_name(item.target), item.annotation, item.value) for item in node.body if isinstance(item, ast.AnnAssign)
        )
        (self._interface.events if kind == "event" else self._interface.records)[node.name] = fields

    def _entry(self, node: ast.FunctionDef) -> None:
        decorators = [_name(decorator) for decorator in node.decorator_list]
        if not decorators:
            return
        arguments = node.args.args
        defaults: list[ast.expr | None] = [None] * (len(arguments) - len(node.args.defaults)) + list(node.args.defaults)
        pairs = [*zip(arguments, defaults, strict=True), *zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True)]
        parameters = tuple(self._field(argument.arg, argument.annotation, default) for argument, default in pairs[1:])
        result: TypeData = "None" if node.returns is None else self._type(node.returns)
        if node.name == MIGRATION:
            self._migration = ast.unparse(node)
            return
        entry = EntryInterface(node.name, parameters, result, _summary(node))
        (self._interface.actions if decorators == ["action"] else self._interface.views)[node.name] = entry

    def _field(self, name: str, annotation: ast.expr | None, default: ast.expr | None) -> Field:
        if default is None:
            return Field(name, self._type(annotation))
        return Field(name, self._type(annotation), self._constants.text(default), self._constants.value(default))

    def _state(self, node: ast.AnnAssign) -> None:
        if not isinstance(node.annotation, ast.Subscript) or not isinstance(node.value, ast.Call):
            return
        name, of = _name(node.target), node.annotation.slice
        options = {keyword.arg: keyword.value for keyword in node.value.keywords}
        match _name(node.annotation.value):
            case "Table":
                self._interface.tables[name] = TableInterface(name, _name(of), _field_names(options.get("key")))
            case "Index" | "Unique" as kind:
                self._index(name, _name(node.value.args[0]), _field_names(options.get("by")), options.get("code"), unique=kind == "Unique")
            case "Map" if isinstance(of, ast.Tuple):
                self._map(name, of, options.get("default"))
            case "Log" if isinstance(of, ast.Tuple):
                self._interface.logs[name] = LogInterface(name, self._key_types(of.elts[0]), _name(of.elts[1]))

    def _map(self, name: str, of: ast.Tuple, default: ast.expr | None) -> None:
        found = self._field(name, of.elts[1], default)
        self._interface.maps[name] = MapInterface(name, self._key_types(of.elts[0]), found.type, found.default, found.default_value)

    def _index(self, name: str, table: str, by: tuple[str, ...], code: ast.expr | None, *, unique: bool) -> None:
        refusal = (NOT_UNIQUE if code is None else str(_constant(code))) if unique else None
        found = self._interface.tables[table]
        self._interface.tables[table] = replace(found, indexes=(*found.indexes, IndexInterface(name, by, unique, refusal)))

    def _key_types(self, node: ast.expr) -> tuple[TypeData, ...]:
        is_tuple = isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Tuple)
        parts = node.slice.elts if is_tuple else [node]  # type: ignore[attr-defined]  # narrowed by is_tuple
        return tuple(self._type(part) for part in parts)

    def _type(self, node: ast.expr | None) -> TypeData:
        match node:
            case ast.Constant(value=None):
                return "None"
            case ast.Name(id=name) if name in _SCALARS:
                return name
            case ast.Name(id=name) if self._classes.get(name):
                return {"choice" if self._classes[name] == "choice" else "record": name}
            case ast.Subscript(value=ast.Name(id="list"), slice=item):
                return {"list": self._type(item)}
            case ast.Subscript(value=ast.Name(id="dict"), slice=ast.Tuple(elts=[key, value])):
                return {"dict": [self._type(key), self._type(value)]}
            case ast.BinOp(left=left, op=ast.BitOr(), right=ast.Constant(value=None)):
                return {"optional": self._type(left)}
            case ast.BinOp(left=ast.Constant(value=None), op=ast.BitOr(), right=right):
                return {"optional": self._type(right)}
        raise ValueError("an annotation is not of the closed list")


def _json(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, list | tuple):
        return type(value)(_json(item) for item in value)
    if isinstance(value, dict):
        return {str(key): _json(item) for key, item in value.items()}
    return value


def _summary(node: ast.Module | ast.FunctionDef) -> str:
    return (ast.get_docstring(node) or "").strip().partition("\n")[0]


def _name(node: ast.expr) -> str:
    if isinstance(node, ast.Name):
        return node.id
    raise ValueError("a name was expected")


def _field_names(node: ast.expr | None) -> tuple[str, ...]:
    parts = node.elts if isinstance(node, ast.Tuple) else [node]
    return tuple(str(_constant(part)) for part in parts)


def _constant(node: ast.expr | None) -> object:
    if isinstance(node, ast.Constant):
        return node.value
    raise ValueError("a literal was expected")


def _refusals(tree: ast.Module) -> list[str]:
    codes = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in REFUSAL_FUNCTIONS:
            position = REFUSAL_FUNCTIONS[node.func.id]
            if len(node.args) <= position:
                raise ValueError("a refusal without a code")
            codes.append(str(_constant(node.args[position])))
    return codes


def type_text(kind: TypeData) -> str:
    """Return a type as it is written in a contract."""
    if isinstance(kind, str):
        return kind
    ((shape, of),) = kind.items()
    match shape:
        case "list":
            return f"list[{type_text(of)}]"
        case "dict":
            return f"dict[{type_text(of[0])}, {type_text(of[1])}]"
        case "optional":
            return f"{type_text(of)} | None"
    return str(of)
