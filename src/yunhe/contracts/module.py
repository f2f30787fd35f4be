"""A loaded contract: its entries and state, taken from the names of its module.

The same reading serves the module that a node loaded metered and the one that pytest imported plainly. What can be known only once the
module has run, because it depends on annotations, is checked here: parameters, results, keys (CON-100, CON-104).
"""

import inspect
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

from yunhe.contracts.codes import ACTION_NOT_FOUND, ARGUMENTS_INVALID
from yunhe.contracts.context import Context
from yunhe.contracts.faults import ContractStop, IntegerOutOfRange
from yunhe.contracts.indexes import Index, Unique
from yunhe.contracts.logs import Log
from yunhe.contracts.maps import Map
from yunhe.contracts.records import Event, Record, RecordType, record_type
from yunhe.contracts.scalars import Choice
from yunhe.contracts.tables import Table
from yunhe.contracts.value_types import Room, ValueType, result_type, value_type
from yunhe.contracts.vocabulary import MIGRATION
from yunhe.limits import INTEGER_MAX, NAME_CHARS_MAX, RECORD_FIELDS_MAX

Kind = Literal["action", "view"]
State: TypeAlias = Table[Any] | Map[Any, Any] | Index[Any] | Unique[Any] | Log[Any, Any]
_STATE: Final = (Table, Map, Index, Unique, Log)
_MARK: Final = "_contract_entry"


def mark(function: Callable[..., Any], kind: Kind) -> None:
    """Note on a function that it is an action or a view; the function stays what it is."""
    setattr(function, _MARK, kind)


@dataclass(frozen=True, slots=True)
class Entry:
    """An action or view."""

    name: str
    kind: Kind
    function: Callable[..., Any]
    parameters: dict[str, ValueType]
    """Without the context, in order."""
    defaults: dict[str, Any]
    """Defaults of the parameters that have one."""
    result: ValueType
    summary: str
    """First line of the docstring."""

    def take(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Turn plain arguments into the function's keyword arguments (CON-148).

        Raises:
            ContractStop: one is missing, unknown or ill-typed.
        """
        # CON-148
        values = {}
        name = ""
        try:
            for name, kind in self.parameters.items():
                if name in arguments:
                    values[name] = kind.from_plain(arguments[name])
                elif name not in self.defaults:
                    raise ContractStop(ARGUMENTS_INVALID, "is missing")
        except ContractStop as stop:
            raise ContractStop(ARGUMENTS_INVALID, f"{self.name}, argument {name}: {stop}") from stop
        if len(arguments) > len(values):
            unknown = sorted(set(arguments) - set(self.parameters))
            raise ContractStop(ARGUMENTS_INVALID, f"{self.name} has no argument {unknown[0]}")
        return values


class ContractModule:
    """Actions, views and state of one contract."""

    __slots__ = (
        "actions",
        "choices",
        "events",
        "indexes",
        "logs",
        "maps",
        "migration",
        "name",
        "records",
        "source",
        "summary",
        "tables",
        "views",
    )

    def __init__(self, name: str, namespace: Mapping[str, Any], source: str = "") -> None:
        """Read a module's names.

        Args:
            name: under which the contract is deployed.
            namespace: names of the module after it ran.
            source: what it was loaded from; empty where it was imported.

        Raises:
            TypeError: a declaration is not one of a contract.
        """
        self.name = name
        self.source = source
        self.migration: Entry | None = None
        """What an upgrade to this code runs (SYS-026)."""
        self.summary = (namespace.get("__doc__") or "").strip().partition("\n")[0]
        self.actions: dict[str, Entry] = {}
        self.views: dict[str, Entry] = {}
        self.tables: dict[str, Table[Any]] = {}
        self.maps: dict[str, Map[Any, Any]] = {}
        self.indexes: dict[str, Index[Any] | Unique[Any]] = {}
        self.logs: dict[str, Log[Any, Any]] = {}
        self.records: dict[str, RecordType] = {}
        self.events: dict[str, RecordType] = {}
        self.choices: dict[str, type[Choice]] = {}
        annotations = namespace.get("__annotations__", {})
        for item, value in namespace.items():
            if isinstance(value, _STATE):
                self._add_state(item, value, annotations.get(item))
            elif isinstance(value, type):
                self._add_class(item, value)
            elif getattr(value, _MARK, None) is not None:
                self._add_entry(item, value)

    def entry(self, name: str, *, view: bool) -> Entry:
        """Return an action or view.

        Raises:
            ContractStop: there is none of this name.
        """
        found = (self.views if view else self.actions).get(name)
        if found is None:
            kind, other = ("view", "action") if view else ("action", "view")
            hint = f"; it is an {other}" if view and name in self.actions else f"; it is a {other}" if name in self.views else ""
            raise ContractStop(ACTION_NOT_FOUND, f"{self.name} has no {kind} {name}{hint}")
        return found

    def attach(self, machine: Any) -> None:
        """Let the module's state work on a machine."""
        for state in (self.tables, self.maps, self.indexes, self.logs):
            for declared in state.values():
                declared.attach(machine)

    def _add_state(self, name: str, state: State, annotation: object) -> None:
        if name.startswith("_") or len(name) > NAME_CHARS_MAX or not (name.isascii() and name.islower()):
            raise TypeError(f"{name}: a table's name is a-z, 0-9 and _, at most {NAME_CHARS_MAX} characters")
        arguments = typing.get_args(annotation)
        if typing.get_origin(annotation) is not type(state):
            kind = type(state).__name__
            raise TypeError(f"{name} needs an annotation: `{name}: {kind}[...] = {kind}(...)`")
        if isinstance(state, Table):
            state.declare(self.name, name, arguments[0])
            self.tables[name] = state
        elif isinstance(state, Index | Unique):
            state.declare(self.name, name, arguments[0])
            self.indexes[name] = state
        elif isinstance(state, Map):
            state.declare(self.name, name, arguments[0], arguments[1])
            self.maps[name] = state
        else:
            state.declare(self.name, name, arguments[0], arguments[1])
            self.logs[name] = state

    def _add_class(self, name: str, cls: type) -> None:
        if issubclass(cls, Record) and cls is not Record:
            self.records[name] = record_type(cls)
        elif issubclass(cls, Event) and cls is not Event:
            self.events[name] = record_type(cls)
        elif issubclass(cls, Choice) and cls is not Choice:
            self.choices[name] = cls

    def _add_entry(self, name: str, function: Callable[..., Any]) -> None:
        signature = inspect.signature(function)
        parameters = list(signature.parameters.values())
        if not parameters or parameters[0].annotation is not Context:
            raise TypeError(f"{name}: the first parameter of an action or view is `ctx: Context`")
        if len(parameters) - 1 > RECORD_FIELDS_MAX or len(name) > NAME_CHARS_MAX:
            raise TypeError(f"{name}: at most {RECORD_FIELDS_MAX} parameters and {NAME_CHARS_MAX} characters of a name")
        types: dict[str, ValueType] = {}
        defaults: dict[str, Any] = {}
        for parameter in parameters[1:]:
            types[parameter.name] = value_type(parameter.annotation)
            if parameter.default is not inspect.Parameter.empty:
                defaults[parameter.name] = parameter.default
                _check_default(name, parameter.name, types[parameter.name], parameter.default)
        result = result_type(None if signature.return_annotation is inspect.Signature.empty else signature.return_annotation)
        summary = (function.__doc__ or "").strip().partition("\n")[0]
        kind: Kind = getattr(function, _MARK)
        entry = Entry(name, kind, function, types, defaults, result, summary)
        # SYS-026: it is in neither list, so that nothing but an upgrade finds it.
        if name == MIGRATION:
            self.migration = entry
            return
        (self.actions if kind == "action" else self.views)[name] = entry


def _check_default(function: str, parameter: str, kind: ValueType, default: Any) -> None:
    try:
        kind.to_plain(default, Room(INTEGER_MAX))
    except (ContractStop, IntegerOutOfRange) as error:
        raise TypeError(f"{function}: the default of {parameter} does not fit: {error}") from error
