"""The words of the contract language: what a contract may import, call and write, as plain data, with gas prices.

One table, read by three parts that must agree: the checker refuses what is not here, the metering charges what is here, and the reference
page lists it. Nothing here executes anything. A word that is added here is consensus: it changes which contracts are accepted and what they
cost, so it changes the protocol version.

A price is `base + size * rate // 8` gas, where size is what the operation walks: characters, bytes or elements. One gas is about a
nanosecond of metered execution on the reference machine (docs/spec/contracts.md, "Gas").
"""

import ast
from dataclasses import dataclass
from typing import Final

# --- What can be imported -------------------------------------------------------------------------------------------

SDK_MODULE: Final = "yunhe.contracts"
"""The module that every contract imports from, by name."""
SYSTEM_MODULE: Final = "yunhe.contracts.system"
"""The second module, for system contracts only."""

STATE_CLASSES: Final = frozenset({"Index", "Log", "Map", "Table", "Unique"})
"""Importable classes that make module-level state."""
SDK_CLASSES: Final = STATE_CLASSES | {"Choice", "Context", "Event", "Org", "Record", "Rounding", "Signer"}
"""Importable classes. `Org` can be called; `Choice`, `Event` and `Record` are base classes; `Context` and `Signer` stand in annotations;
`Rounding` is a Choice of the SDK."""
SDK_FUNCTIONS: Final = frozenset(
    {"call", "call_view", "emit", "mul_div", "pro_rata", "refuse", "require", "require_role", "require_signer"}
)
"""Importable functions."""
SDK_DECORATORS: Final = frozenset({"action", "view"})
"""Importable decorators, written without arguments."""
SDK_NAMES: Final = SDK_CLASSES | SDK_FUNCTIONS | SDK_DECORATORS
SYSTEM_NAMES: Final = frozenset(
    {"check_source", "code_hash", "is_public_key", "is_suite", "migrate", "rebuild_indexes", "require_readable"}
)
"""Functions importable from `SYSTEM_MODULE`."""

REFUSAL_FUNCTIONS: Final = {"require": 1, "refuse": 0}
"""Functions that take a literal refusal code, and the position of the code among the arguments."""
REFUSAL_CODE_PATTERN: Final = r"[A-Z][A-Z0-9_]{0,39}"
"""Form of a refusal code."""
RESERVED_CODES: Final = frozenset(
    {
        "OK",
        "ACTION_NOT_FOUND",
        "ARGUMENTS_INVALID",
        "BLOCK_GAS_USED_UP",
        "BLOCK_SOURCES_USED_UP",
        "CALL_DEPTH",
        "CONTRACT_FAULT",
        "CONTRACT_FROZEN",
        "CONTRACT_NOT_FOUND",
        "CONTRACT_RETIRED",
        "GAS_LIMIT_TOO_HIGH",
        "INDEX_TOO_LARGE",
        "INTEGER_OUT_OF_RANGE",
        "KEY_REVOKED",
        "MEMBER_SUSPENDED",
        "MIGRATION_UNCHANGED",
        "NOT_ENROLLED",
        "ORGANISATION_SUSPENDED",
        "OUT_OF_GAS",
        "OUT_OF_MEMORY",
        "REENTRANT_CALL",
        "SCAN_TOO_LONG",
        "SKIPPED_BY_ORDER",
        "UPGRADE_LOSES_DATA",
        "VALUE_TOO_LARGE",
        "VIEW_WRITES",
    }
)
"""Codes of the runtime. A contract cannot refuse with them. `NOT_FOUND`, `ALREADY_EXISTS`, `NOT_UNIQUE`, `SIGNER_REQUIRED` and
`ROLE_REQUIRED` are used by the SDK and may be used by contracts as well."""

MIGRATION: Final = "migrate"
"""Name of the action that an upgrade runs; nobody else can (SYS-026)."""

# --- Types ----------------------------------------------------------------------------------------------------------

SCALAR_ANNOTATIONS: Final = frozenset({"int", "str", "bytes", "bool", "Org"})
"""Scalar types of fields, parameters and results, besides Choice classes."""
KEY_ANNOTATIONS: Final = frozenset({"int", "str", "bytes", "Org"})
"""Types of the key of a Map and of key fields of a Table, besides Choice classes. A Map's key may also be `tuple[...]` of these."""
CONTEXT_FIELDS: Final = frozenset({"sender", "signers", "caller", "contract", "time_ms", "height"})
"""Attributes of `Context`."""
SIGNER_FIELDS: Final = frozenset({"organisation", "member", "roles"})
"""Attributes of `Signer`."""
TABLE_METHODS: Final = frozenset({"add", "count", "delete", "discard", "get", "save", "scan"})
"""Methods of a module-level Table; also `table[key]` and `key in table`."""
MAP_METHODS: Final = frozenset({"add", "count", "scan"})
"""Methods of a module-level Map; also `map[key]`, `map[key] = value`, `map[key] += value`, `del map[key]` and `key in map`."""
INDEX_METHODS: Final = frozenset({"count", "scan"})
"""Methods of a module-level Index."""
UNIQUE_METHODS: Final = frozenset({"count", "get", "scan"})
"""Methods of a module-level Unique; also `unique[key]` and `key in unique`."""
LOG_METHODS: Final = frozenset({"append", "count", "last", "scan"})
"""Methods of a module-level Log."""
FORBIDDEN_FIELD_PREFIXES: Final = ("ag_", "co_", "cr_", "f_", "func_", "gi_", "im_", "tb_", "yunhe_")
"""Beginnings of introspection attributes of the interpreter; no field, parameter or function begins so."""
FORBIDDEN_FIELD_NAMES: Final = frozenset({"mro"})
"""Introspection attributes without such a beginning."""

# --- Syntax ---------------------------------------------------------------------------------------------------------

STATEMENT_NODES: Final[tuple[type[ast.AST], ...]] = (
    ast.FunctionDef,
    ast.ClassDef,
    ast.Return,
    ast.Delete,
    ast.Assign,
    ast.AugAssign,
    ast.AnnAssign,
    ast.For,
    ast.While,
    ast.If,
    ast.ImportFrom,
    ast.Expr,
    ast.Pass,
    ast.Break,
    ast.Continue,
)
EXPRESSION_NODES: Final[tuple[type[ast.AST], ...]] = (
    ast.BoolOp,
    ast.BinOp,
    ast.UnaryOp,
    ast.IfExp,
    ast.Dict,
    ast.List,
    ast.Tuple,
    ast.ListComp,
    ast.DictComp,
    ast.GeneratorExp,
    ast.Compare,
    ast.Call,
    ast.JoinedStr,
    ast.FormattedValue,
    ast.Constant,
    ast.Attribute,
    ast.Subscript,
    ast.Slice,
    ast.Name,
)
PART_NODES: Final[tuple[type[ast.AST], ...]] = (
    ast.Module,
    ast.arguments,
    ast.arg,
    ast.keyword,
    ast.alias,
    ast.comprehension,
    ast.Load,
    ast.Store,
    ast.Del,
)
BINARY_OPERATORS: Final[tuple[type[ast.operator], ...]] = (ast.Add, ast.Sub, ast.Mult, ast.FloorDiv, ast.Mod, ast.Pow)
"""`|` (ast.BitOr) besides, in annotations only."""
UNARY_OPERATORS: Final[tuple[type[ast.unaryop], ...]] = (ast.Not, ast.USub, ast.UAdd)
BOOLEAN_OPERATORS: Final[tuple[type[ast.boolop], ...]] = (ast.And, ast.Or)
COMPARISON_OPERATORS: Final[tuple[type[ast.cmpop], ...]] = (
    ast.Eq,
    ast.NotEq,
    ast.Lt,
    ast.LtE,
    ast.Gt,
    ast.GtE,
    ast.In,
    ast.NotIn,
    ast.Is,
    ast.IsNot,
)
"""`is` and `is not` with None only. In a chain (`0 < x <= limit`) each middle operand is a name, an attribute of a name, a constant, or
`len` of one of these."""

# --- Built-ins and methods ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Word:
    """How a built-in or method may be called, and its price."""

    arguments_min: int
    arguments_max: int
    """Positional arguments."""
    base: int
    """Gas of a call."""
    rate: int = 0
    """Gas for each 8 characters, bytes or elements walked."""
    keywords: frozenset[str] = frozenset()
    """Keyword arguments."""
    consumes: bool = False
    """Whether a generator expression can be its sole argument."""


BUILTINS: Final[dict[str, Word]] = {
    "abs": Word(1, 1, 80),
    "all": Word(1, 1, 80, 160, consumes=True),
    "any": Word(1, 1, 80, 160, consumes=True),
    "bool": Word(0, 1, 60),
    "bytes": Word(0, 1, 160, 80),
    "chr": Word(1, 1, 120),
    "dict": Word(0, 1, 200, 480, consumes=True),
    "divmod": Word(2, 2, 200),
    "enumerate": Word(1, 2, 160, keywords=frozenset({"start"})),
    "int": Word(0, 1, 120, 40),
    "len": Word(1, 1, 60),
    "list": Word(0, 1, 120, 80, consumes=True),
    "max": Word(1, 8, 160, 640, keywords=frozenset({"default"}), consumes=True),
    "min": Word(1, 8, 160, 640, keywords=frozenset({"default"}), consumes=True),
    "ord": Word(1, 1, 80),
    "range": Word(1, 3, 160),
    "reversed": Word(1, 1, 120),
    "sorted": Word(1, 1, 240, 1280, frozenset({"reverse"}), consumes=True),
    "str": Word(0, 1, 160, 16),
    "sum": Word(1, 2, 120, 480, consumes=True),
    "tuple": Word(0, 1, 120, 80, consumes=True),
    "zip": Word(1, 8, 240),
}
"""Built-in functions and types that a contract may call. They are not values: they stand only where they are called, and `int`, `str`,
`bytes`, `bool`, `list`, `dict` and `tuple` in annotations too. `sorted`, `min` and `max` order scalars and flat tuples of scalars."""

STR_METHODS: Final[dict[str, Word]] = {
    "count": Word(1, 1, 160, 16),
    "encode": Word(0, 0, 120, 16),
    "endswith": Word(1, 1, 200, 8),
    "find": Word(1, 1, 160, 16),
    "isalnum": Word(0, 0, 120, 24),
    "isalpha": Word(0, 0, 120, 24),
    "isascii": Word(0, 0, 80),
    "isdigit": Word(0, 0, 120, 24),
    "islower": Word(0, 0, 120, 24),
    "isupper": Word(0, 0, 120, 24),
    "join": Word(1, 1, 160, 320, consumes=True),
    "ljust": Word(1, 2, 160, 8),
    "lower": Word(0, 0, 120, 16),
    "lstrip": Word(0, 1, 160, 16),
    "partition": Word(1, 1, 200, 16),
    "removeprefix": Word(1, 1, 120, 8),
    "removesuffix": Word(1, 1, 120, 8),
    "replace": Word(2, 3, 200, 32),
    "rfind": Word(1, 1, 160, 16),
    "rjust": Word(1, 2, 160, 8),
    "rpartition": Word(1, 1, 200, 16),
    "rsplit": Word(0, 2, 200, 320),
    "rstrip": Word(0, 1, 160, 16),
    "split": Word(0, 2, 200, 320),
    "startswith": Word(1, 1, 200, 8),
    "strip": Word(0, 1, 160, 16),
    "upper": Word(0, 0, 120, 16),
    "zfill": Word(1, 1, 160, 8),
}
BYTES_METHODS: Final[dict[str, Word]] = {
    "decode": Word(0, 0, 160, 16),
    "endswith": Word(1, 1, 200, 8),
    "find": Word(1, 1, 160, 16),
    "hex": Word(0, 0, 120, 16),
    "join": Word(1, 1, 160, 320, consumes=True),
    "startswith": Word(1, 1, 200, 8),
}
LIST_METHODS: Final[dict[str, Word]] = {
    "append": Word(1, 1, 120),
    "clear": Word(0, 0, 120, 80),
    "copy": Word(0, 0, 120, 80),
    "count": Word(1, 1, 160, 480),
    "extend": Word(1, 1, 160, 80),
    "index": Word(1, 1, 160, 480),
    "insert": Word(2, 2, 160, 8),
    "pop": Word(0, 1, 120, 8),
    "remove": Word(1, 1, 160, 480),
    "reverse": Word(0, 0, 120, 16),
    "sort": Word(0, 0, 240, 1280, frozenset({"reverse"})),
}
TUPLE_METHODS: Final[dict[str, Word]] = {
    "count": Word(1, 1, 160, 480),
    "index": Word(1, 1, 160, 480),
}
DICT_METHODS: Final[dict[str, Word]] = {
    "clear": Word(0, 0, 120, 160),
    "copy": Word(0, 0, 200, 240),
    "get": Word(1, 2, 160),
    "items": Word(0, 0, 120),
    "keys": Word(0, 0, 120),
    "pop": Word(1, 2, 160),
    "setdefault": Word(2, 2, 200),
    "update": Word(1, 1, 200, 480),
    "values": Word(0, 0, 120),
}
METHODS: Final[dict[str, dict[str, Word]]] = {
    "str": STR_METHODS,
    "bytes": BYTES_METHODS,
    "list": LIST_METHODS,
    "tuple": TUPLE_METHODS,
    "dict": DICT_METHODS,
}
"""Methods by the exact type that they are dispatched on at run time. Arguments are positional unless named here."""

BUILTIN_ATTRIBUTES: Final = frozenset(
    """
    append as_integer_ratio bit_count bit_length capitalize casefold center clear conjugate copy count decode denominator encode
    endswith expandtabs extend find format format_map from_bytes fromhex fromkeys get hex imag index insert isalnum isalpha isascii
    isdecimal isdigit isdisjoint isidentifier islower isnumeric isprintable isspace istitle isupper items join keys ljust lower lstrip
    maketrans mapping numerator partition pop popitem real remove removeprefix removesuffix replace reverse rfind rindex rjust
    rpartition rsplit rstrip setdefault sort split splitlines start startswith step stop strip swapcase title to_bytes translate update
    upper values zfill
    """.split()  # noqa: SIM905  # one name a line would take two screens
)
"""Public attributes of the built-in types. A field may have such a name; reading it in metered code checks that its holder is a record."""
