"""What the checker knows of a module: its names, each with what it stands for.

Filled from top to bottom by `declarations`, then read by the checks of functions. Specification: docs/spec/contracts.md, "The subset".
"""

import ast
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from yunhe.contracts.vocabulary import BUILTINS, CONTEXT_FIELDS, SDK_NAMES, SIGNER_FIELDS


class Kind(Enum):
    """What a name of the module stands for; the text is how findings call it."""

    IMPORT = "a name of the SDK"
    CONSTANT = "a constant"
    LOOKUP = "a constant dict"
    RECORD = "a record class"
    EVENT = "an event class"
    CHOICE = "a choice class"
    TABLE = "a table"
    MAP = "a map"
    INDEX = "an index"
    UNIQUE = "a uniqueness constraint"
    LOG = "a log"
    FUNCTION = "a function"


@dataclass(slots=True)
class Function:
    """A function of the module."""

    node: ast.FunctionDef
    entry: str | None
    """`action`, `view` or None."""
    parameters: list[str] = field(default_factory=list)
    required: int = 0
    """Parameters without a default."""
    contexts: set[str] = field(default_factory=set)
    """Parameters of type Context."""
    calls: list[tuple[str, int, ast.AST]] = field(default_factory=list)
    """Functions of the module that it calls: name, comprehensions around the call, place."""
    comprehensions: int = 0
    """Comprehensions nested in it."""
    reads: set[str] = field(default_factory=set)
    """Tables, maps and logs that it reads itself."""
    writes: set[str] = field(default_factory=set)
    """Tables, maps and logs that it writes itself."""
    effects: list[tuple[str, ast.AST]] = field(default_factory=list)
    """What a view cannot do: how it is written, and where."""


@dataclass(slots=True)
class TableDeclaration:
    """A table of the module."""

    record: str
    key: tuple[str, ...]
    indexes: list[tuple[str, ...]] = field(default_factory=list)
    """Fields of each index over it."""


@dataclass(slots=True)
class Module:
    """Names of one module."""

    kinds: dict[str, Kind] = field(default_factory=dict)
    fields: dict[str, dict[str, bool]] = field(default_factory=dict)
    """Fields of each record and event class; True where there is a default."""
    types: dict[str, dict[str, ast.expr]] = field(default_factory=dict)
    """Annotations of the fields of each record and event class."""
    tables: dict[str, TableDeclaration] = field(default_factory=dict)
    table_of: dict[str, str] = field(default_factory=dict)
    """Index to the table that it is of."""
    integer_maps: set[str] = field(default_factory=set)
    """Maps whose values are integers."""
    members: dict[str, list[str]] = field(default_factory=dict)
    """Members of each choice class."""
    functions: dict[str, Function] = field(default_factory=dict)

    def field_names(self) -> frozenset[str]:
        """Return every name that can stand behind a dot and is no method."""
        declared = {name for fields in self.fields.values() for name in fields}
        return CONTEXT_FIELDS | SIGNER_FIELDS | declared

    def state_of(self, name: str) -> str:
        """Return the state that a handle reads: of an index its table."""
        return self.table_of.get(name, name)

    def settable_names(self) -> frozenset[str]:
        """Return every name of a field that can be assigned to."""
        return frozenset(name for cls, fields in self.fields.items() if self.kinds.get(cls) is Kind.RECORD for name in fields)


SDK_CHOICES: Final = {"Rounding": ("FLOOR", "CEILING", "DOWN", "UP", "HALF_UP", "HALF_EVEN")}
"""Choice classes of the SDK with their members."""
TAKEN_NAMES: Final = SDK_NAMES | BUILTINS.keys()
"""Names that a contract cannot give to anything of its own (CON-042)."""
