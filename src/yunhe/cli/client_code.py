"""The source of a typed client, written from the interface of a contract.

The text is a function of the interface and the contract's name. Whatever a contract calls its own, nothing clashes: its classes keep their
names, everything that the module needs besides is imported under names that begin with an underscore, which no name of a contract does
(CON-007), and actions, views and tables are each in a class that has no other public name.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from yunhe.contracts.arithmetic import Rounding
from yunhe.contracts.interface import EntryInterface, Field, Interface
from yunhe.contracts.value_types import TypeData
from yunhe.ledger.codec import Value

_INDENT: Final = "    "
_BUILTINS: Final = frozenset({"bool", "bytes", "dict", "int", "list", "str"})
_QUOTES: Final = re.compile(r'\\.|"', re.DOTALL)
_PYTHON: Final = {"Org": "str", "None": "None"}

_HEAD: Final = '''"""Typed client of the contract {name}, made by `yunhe contract interface {name} --client FILE.py`; do not edit.

```python
with Client(address, token) as node:
    contract = {client}(node)
```
"""

# ruff: noqa: E501, N805, RUF100

from __future__ import annotations

'''
_IMPORTS: Final = (
    ("_builtins", "import builtins as _builtins"),
    ("_dataclasses", "import dataclasses as _dataclasses"),
    ("_enum", "import enum as _enum"),
    ("_typing", "import typing as _typing"),
    ("", ""),
    ("_sdk", "import yunhe.sdk as _sdk"),
    ("_Rounding", "from yunhe.contracts import Rounding as _Rounding"),
    ("_t", "from yunhe.sdk import typed as _t"),
)
"""Name and statement of each import that a module may need, in their order."""


def client_source(name: str, interface: Interface) -> str:
    """Return the module of a typed client.

    Args:
        name: under which the contract is deployed.
        interface: what it offers.
    """
    return _Writer(name, interface).module()


def client_class(name: str, interface: Interface) -> str:
    """Return the name of the class that stands for the contract in its client."""
    return _Writer(name, interface).client


class _Writer:
    """Writes one module."""

    def __init__(self, name: str, interface: Interface) -> None:
        self._name = name
        self._interface = interface
        self._classes = {*interface.choices, *interface.records, *interface.events}
        stem = "".join(part.capitalize() for part in name.split("_"))
        self.client, self._event, self._refusal = (self._unused(stem + word) for word in ("Client", "Event", "Refusal"))
        self._actions, self._views, self._tables = (f"_{stem}{word}" for word in ("Actions", "Views", "Tables"))
        self._shadows = {f.name for fields in [*interface.records.values(), *interface.events.values()] for f in fields} & _BUILTINS
        """Types whose name is also that of a field, where a type checker takes it for the field."""

    def module(self) -> str:
        """Return the text."""
        interface = self._interface
        parts = [self._choice(name, members) for name, members in interface.choices.items()]
        parts += [self._record(name, fields) for name, fields in [*interface.records.items(), *interface.events.items()]]
        parts += [self._refusals(), self._kinds(), self._events()]
        parts += [
            self._entries(self._actions, "actions", interface.actions.values(), self._action),
            self._entries(self._views, "views", interface.views.values(), self._view),
            self._state(),
            self._face(),
        ]
        body = "\n\n".join(part.strip("\n") + "\n" for part in parts if part)
        imports = "\n".join(statement for name, statement in _IMPORTS if not name or f"{name}." in body or f"{name})" in body)
        return _HEAD.format(name=self._name, client=self.client) + imports + "\n\n\n" + body

    def _unused(self, name: str) -> str:
        """Return a name that no class of the contract has."""
        while name in self._classes:
            name += "2"
        return name

    # --- Types ------------------------------------------------------------------------------------------------------

    def _choice(self, name: str, members: dict[str, str]) -> str:
        lines = [f"{_INDENT}{member} = {_literal(text)}" for member, text in members.items()]
        return "\n".join([f"class {name}(_enum.StrEnum):", *_docstring("A choice of the contract."), "", *lines])

    def _record(self, name: str, fields: Sequence[Field]) -> str:
        lines = ["@_dataclasses.dataclass(frozen=True, slots=True, kw_only=True)", f"class {name}:"]
        lines += _docstring("An event of the contract." if name in self._interface.events else "A record of the contract.")
        lines.append("")
        for field in fields:
            default = "" if field.default is None else f" = {self._field_default(field)}"
            lines.append(f"{_INDENT}{field.name}: {self._type(field.type)}{default}")
        return "\n".join(lines)

    def _type(self, kind: TypeData) -> str:
        """Return a type as an annotation."""
        if isinstance(kind, str):
            return self._builtin(_PYTHON.get(kind, kind))
        ((shape, of),) = kind.items()
        match shape:
            case "list":
                return f"{self._builtin('list')}[{self._type(of)}]"
            case "dict":
                return f"{self._builtin('dict')}[{self._type(of[0])}, {self._type(of[1])}]"
            case "optional":
                return f"{self._type(of)} | None"
        return self._class(of)

    def _builtin(self, name: str) -> str:
        return f"_builtins.{name}" if name in self._shadows else name

    def _class(self, name: str) -> str:
        return name if name in self._classes else "_Rounding"

    def _kind(self, kind: TypeData) -> str:
        """Return the expression of a type's kind."""
        if isinstance(kind, str):
            return f"_t.{kind.upper()}"
        ((shape, of),) = kind.items()
        match shape:
            case "list":
                return f"_t.list_of({self._kind(of)})"
            case "dict":
                return f"_t.dict_of({self._kind(of[0])}, {self._kind(of[1])})"
            case "optional":
                return f"_t.optional({self._kind(of)})"
        return f"_KIND_OF_{of}" if of in self._classes else "_t.choice(_Rounding)"

    def _field_default(self, field: Field) -> str:
        if isinstance(field.default_value, list | dict):
            return f"_dataclasses.field(default_factory=lambda: {self._value(field.type, field.default_value)})"
        return self._value(field.type, field.default_value)

    def _value(self, kind: TypeData, value: Value) -> str:
        """Return the expression of a default."""
        if value is None or isinstance(kind, str):
            return _literal(value)
        ((shape, of),) = kind.items()
        match shape, value:
            case "optional", _:
                return self._value(of, value)
            case "list", list():
                return f"[{', '.join(self._value(of, item) for item in value)}]"
            case "dict", dict():
                return "{" + ", ".join(f"{_literal(key)}: {self._value(of[1], item)}" for key, item in value.items()) + "}"
            case "choice", str():
                members = self._interface.choices.get(of) or {member.name: str(member) for member in Rounding}
                return f"{self._class(of)}.{next(name for name, text in members.items() if text == value)}"
        return _literal(value)

    # --- Tables of kinds --------------------------------------------------------------------------------------------

    def _kinds(self) -> str:
        """Return the kinds of all classes; a record can hold only those that stand above it."""
        lines = [f"_KIND_OF_{name} = _t.choice({name})" for name in self._interface.choices]
        for name, fields in [*self._interface.records.items(), *self._interface.events.items()]:
            lines += [f"_KIND_OF_{name} = _t.record(", f"{_INDENT}{name},", f"{_INDENT}{{"]
            lines += [f"{_INDENT * 2}{_literal(field.name)}: {self._kind(field.type)}," for field in fields]
            lines.append(f"{_INDENT}}},")
            defaults = [field for field in fields if field.default is not None]
            if defaults and name in self._interface.records:
                lines.append(f"{_INDENT}{{")
                lines += [f"{_INDENT * 2}{_literal(f.name)}: lambda: {self._value(f.type, f.default_value)}," for f in defaults]
                lines.append(f"{_INDENT}}},")
            lines.append(")")
        return "\n".join(lines)

    def _refusals(self) -> str:
        lines = [f"{_INDENT}{code} = {_literal(code)}" for code in self._interface.refusals]
        summary = "Codes that the contract itself refuses with; `receipt_code` and `refusal` of errors compare with them."
        return "\n".join([f"class {self._refusal}(_enum.StrEnum):", *_docstring(summary), *([""] if lines else []), *lines])

    def _events(self) -> str:
        names = list(self._interface.events)
        union = " | ".join(names) or "_typing.Never"
        lines = [f"{self._event}: _typing.TypeAlias = {_literal(union)}", '"""Any event of the contract."""', ""]
        lines.append("_EVENTS: _typing.Final[dict[str, _t.Kind[_typing.Any]]] = {" + ("" if names else "}"))
        lines += [f"{_INDENT}{_literal(name)}: _KIND_OF_{name}," for name in names]
        return "\n".join(lines + (["}"] if names else []))

    # --- Entries ----------------------------------------------------------------------------------------------------

    def _entries(self, name: str, what: str, entries: Iterable[EntryInterface], write: Callable[[EntryInterface], list[str]]) -> str:
        lines = [f"class {name}:", *_docstring(f"The {what} of the contract."), ""]
        lines += [f"{_INDENT}def __init__(self, deployed: _t.Deployed[{self._event}]) -> None:", f"{_INDENT * 2}self._deployed = deployed"]
        for entry in entries:
            lines += ["", *(_INDENT + line if line else "" for line in write(entry))]
        return "\n".join(lines)

    def _action(self, entry: EntryInterface) -> list[str]:
        names = {parameter.name for parameter in entry.parameters}
        me, signers = _free("self", names), _free("signers", names)
        result = self._type(entry.result)
        lines = [f"def {entry.name}(", *self._parameters([f"{me},", f"{signers}: _t.Signers,"], entry.parameters)]
        lines += [f") -> _t.Committed[{result}, {self._event}]:", *_docstring(entry.summary or "An action of the contract.")]
        return lines + self._sent(f"{me}._deployed.act", [signers, _literal(entry.name)], entry)

    def _view(self, entry: EntryInterface) -> list[str]:
        me = _free("self", {parameter.name for parameter in entry.parameters})
        lines = [f"def {entry.name}(", *self._parameters([f"{me},"], entry.parameters), f") -> {self._type(entry.result)}:"]
        lines += _docstring(entry.summary or "A view of the contract.")
        return lines + self._sent(f"{me}._deployed.ask", [_literal(entry.name)], entry)

    def _parameters(self, positional: list[str], parameters: Sequence[Field]) -> list[str]:
        lines = [*positional, "/,"]
        if parameters:
            lines.append("*,")
        for parameter in parameters:
            default = "" if parameter.default is None else f" = {self._value(parameter.type, parameter.default_value)}"
            lines.append(f"{parameter.name}: {self._type(parameter.type)}{default},")
        return [_INDENT + line for line in lines]

    def _sent(self, function: str, first: list[str], entry: EntryInterface) -> list[str]:
        lines = [f"return {function}("] + [f"{_INDENT}{argument}," for argument in first]
        if entry.parameters:
            lines.append(f"{_INDENT}{{")
            lines += [f"{_INDENT * 2}{_literal(p.name)}: {self._kind(p.type)}.send({p.name})," for p in entry.parameters]
            lines.append(f"{_INDENT}}},")
        else:
            lines.append(f"{_INDENT}{{}},")
        return [_INDENT + line for line in [*lines, f"{_INDENT}{self._kind(entry.result)},", ")"]]

    # --- State ------------------------------------------------------------------------------------------------------

    def _state(self) -> str:
        rows = [*self._table_rows()]
        lines = [f"class {self._tables}:", *_docstring("What the contract stores: tables, values of maps, entries of logs."), ""]
        lines.append(f"{_INDENT}def __init__(self, deployed: _t.Deployed[{self._event}]) -> None:")
        lines.append(f"{_INDENT * 2}self._deployed = deployed")
        for name, value, keys, field in rows:
            kinds = ", ".join([self._type(value), *map(self._type, keys)])
            lines.append(f"{_INDENT * 2}self.{name}: _t.Rows[{kinds}] = _t.Rows(")
            arguments = ["deployed", _literal(name), self._kind(value), f"[{', '.join(map(self._kind, keys))}]"]
            if field:
                arguments.append(_literal(field))
            lines += [f"{_INDENT * 3}{argument}," for argument in arguments]
            lines.append(f"{_INDENT * 2})")
        return "\n".join(lines)

    def _table_rows(self) -> Iterable[tuple[str, TypeData, list[TypeData], str]]:
        interface = self._interface
        for table in interface.tables.values():
            types = {field.name: field.type for field in interface.records[table.record]}
            yield table.name, {"record": table.record}, [types[name] for name in table.key], ""
        for found in interface.maps.values():
            yield found.name, found.value, list(found.key), "value"
        for log in interface.logs.values():
            yield log.name, {"record": log.record}, [*log.key, "int"], ""

    def _face(self) -> str:
        lines = [f"class {self.client}:", *_docstring(self._interface.summary or f"The contract {self._name}."), ""]
        signature = ["self,", "client: _sdk.Client,", f"contract: str = {_literal(self._name)},", "gas_limit: int = _t.GAS_LIMIT,"]
        lines += [f"{_INDENT}def __init__(", *(f"{_INDENT * 2}{line}" for line in signature), f"{_INDENT}) -> None:"]
        deployed = "_t.Deployed(client, contract, _EVENTS, gas_limit)"
        body = [f"deployed: _t.Deployed[{self._event}] = {deployed}"]
        body += [
            f"self.actions = {self._actions}(deployed)",
            f"self.views = {self._views}(deployed)",
            f"self.tables = {self._tables}(deployed)",
        ]
        body += ["self.events = deployed.announced", "self.follow = deployed.follow"]
        return "\n".join([*lines, *(f"{_INDENT * 2}{line}" for line in body)])


def _docstring(text: str) -> list[str]:
    """Return a docstring of one line."""
    escaped = text.replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
    closed = f"{escaped} " if escaped.endswith('"') else escaped
    return [f'{_INDENT}"""{closed}"""']


def _literal(value: Value) -> str:
    """Return a scalar as Python writes it, in double quotes unless single ones need fewer escapes."""
    text = repr(value)
    start = text.find("'")
    if not isinstance(value, str | bytes) or not text.endswith("'") or text.count('"') > text.count("\\'"):
        return text
    inner = _QUOTES.sub(lambda found: {"\\'": "'", '"': '\\"'}.get(found.group(), found.group()), text[start + 1 : -1])
    return f'{text[:start]}"{inner}"'


def _free(name: str, taken: set[str]) -> str:
    return name if name not in taken else f"_{name}"
