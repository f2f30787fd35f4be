"""The page for authors of contracts: names, types, built-ins, refusals, prices and limits, from the code that decides them."""

import ast
import inspect
import itertools
import textwrap
from collections.abc import Callable, Iterable, Iterator
from types import ModuleType
from typing import Any

import yunhe.contracts
import yunhe.contracts.codes
import yunhe.contracts.prices
import yunhe.limits
from tools.reference.error_codes import described_constants
from tools.reference.markdown import page, table
from yunhe.contracts import Choice, Context, Index, Log, Map, Rounding, Signer, Table, Unique
from yunhe.contracts.vocabulary import (
    BUILTINS,
    INDEX_METHODS,
    KEY_ANNOTATIONS,
    LOG_METHODS,
    MAP_METHODS,
    METHODS,
    RESERVED_CODES,
    SCALAR_ANNOTATIONS,
    SDK_DECORATORS,
    SDK_FUNCTIONS,
    SDK_MODULE,
    TABLE_METHODS,
    UNIQUE_METHODS,
    Word,
)

_STATE: tuple[tuple[type[Any], frozenset[str]], ...] = (
    (Table, TABLE_METHODS),
    (Map, MAP_METHODS),
    (Index, INDEX_METHODS),
    (Unique, UNIQUE_METHODS),
    (Log, LOG_METHODS),
)
_OPERATORS = {
    "__getitem__": "state[key]",
    "__setitem__": "state[key] = value",
    "__delitem__": "del state[key]",
    "__contains__": "key in state",
}
_LIMITS_BEGIN, _LIMITS_END = "# --- Contracts", "# --- Local"


def contract_page() -> str:
    """Return docs/reference/contracts.md."""
    lines = [
        f"What a contract can import from `{SDK_MODULE}`, write, call and store, what it can be refused with, and what it costs.",
        "Why it is so: [What contracts allow](../guides/what-contracts-allow.md); the rules: [specification](../spec/contracts.md).",
        "",
        "## Names of the API",
        "",
        *table(["Name", "Meaning"], ((f"`{name}`", _meaning(getattr(yunhe.contracts, name))) for name in yunhe.contracts.__all__)),
        "### Functions",
        "",
        *table(["Call", "Meaning"], (_function(getattr(yunhe.contracts, name)) for name in sorted(SDK_FUNCTIONS - SDK_DECORATORS))),
        "### Context and signers",
        "",
    ]
    for holder, name in ((Context, "ctx"), (Signer, "signer")):
        lines += table(["Field", "Type", "Meaning"], ((f"`{name}.{field}`", f"`{kind}`", text) for field, kind, text in _fields(holder)))
    lines += ["### Rounding", "", *table(["Member", "Text"], ((f"`Rounding.{m.name}`", f"`{m}`") for m in Rounding)), "## State", ""]
    for state, methods in _STATE:
        lines += [f"### {state.__name__}", "", _meaning(state), "", *table(["Call", "Meaning"], _methods(state, methods))]
    lines += [
        "## Types of values",
        "",
        f"- Scalars: {_listed(SCALAR_ANNOTATIONS)}, and classes that extend `{Choice.__name__}`.",
        "- An `int` that is stored or handed over has 64 bits.",
        "- Of these: `list[T]`, `dict[K, T]` with `str`, `int` or `Org` as K, records, and `T | None`.",
        f"- Keys of tables and maps: {_listed(KEY_ANNOTATIONS)} and choices; several of them in a tuple.",
        "",
        "## Built-ins",
        "",
        "A price is a base, and a rate for each 8 characters, bytes or elements that are walked.",
        "",
        *_words("Built-in", BUILTINS),
    ]
    for kind, words in METHODS.items():
        lines += [f"### Methods of {kind}", "", *_words("Method", words)]
    return page("Contracts", lines + _refusals() + _prices_and_limits())


# --- Parts ----------------------------------------------------------------------------------------------------------


def _refusals() -> list[str]:
    described = described_constants(yunhe.contracts.codes)
    rows = ((f"`{code}`", "the runtime's" if code in RESERVED_CODES else "a contract may use it too", text) for code, text in described)
    return [
        "## Refusals",
        "",
        "Codes of receipts besides those that a contract names itself, in upper case, at most 40 characters.",
        "",
        *table(["Code", "Whose", "Meaning"], rows),
    ]


def _prices_and_limits() -> list[str]:
    prices = ((f"`{name}`", f"{value:,}", text) for name, value, text in _numbers(yunhe.contracts.prices))
    limits = ((f"`{name}`", f"{value:,}", text) for name, value, text in _numbers(yunhe.limits, _LIMITS_BEGIN, _LIMITS_END))
    return [
        "## Prices",
        "",
        "Gas of what a transaction does besides computing. One gas is about a nanosecond.",
        "",
        *table(["Price", "Gas", "For"], prices),
        "## Limits",
        "",
        *table(["Limit", "Value", "Of"], limits),
    ]


def _words(title: str, words: dict[str, Word]) -> list[str]:
    return table(
        [title, "Arguments", "Gas", "Rate"],
        (
            (
                f"`{name}`",
                _count(word) + "".join(f", `{keyword}=`" for keyword in sorted(word.keywords)),
                str(word.base),
                str(word.rate or ""),
            )
            for name, word in sorted(words.items())
        ),
    )


def _count(word: Word) -> str:
    return str(word.arguments_min) if word.arguments_min == word.arguments_max else f"{word.arguments_min} to {word.arguments_max}"


def _methods(state: type[Any], methods: frozenset[str]) -> Iterator[tuple[str, str]]:
    for name, shown in _OPERATORS.items():
        if name in vars(state):
            yield f"`{shown}`", _meaning(vars(state)[name])
    for name in sorted(methods):
        yield _function(getattr(state, name))


# --- Reading the code -----------------------------------------------------------------------------------------------


def _function(function: Callable[..., Any]) -> tuple[str, str]:
    """Return a function's head as it is written, without `self`, and what it does."""
    node = ast.parse(textwrap.dedent(inspect.getsource(function))).body[0]
    assert isinstance(node, ast.FunctionDef)
    node.args.args = [argument for argument in node.args.args if argument.arg != "self"]
    result = "None" if node.returns is None else ast.unparse(node.returns)
    return f"`{node.name}({ast.unparse(node.args)}) -> {result}`", _meaning(function)


def _meaning(item: object) -> str:
    """Return what a docstring says first."""
    return inspect.cleandoc(getattr(item, "__doc__", "") or "").split("\n\n")[0]


def _fields(holder: type[Any]) -> Iterator[tuple[str, str, str]]:
    """Yield the fields of a class with type and the string beneath each, if there is one."""
    node = ast.parse(textwrap.dedent(inspect.getsource(holder))).body[0]
    assert isinstance(node, ast.ClassDef)
    for statement, following in itertools.zip_longest(node.body, node.body[1:]):
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            yield statement.target.id, ast.unparse(statement.annotation), _beneath(following)


def _numbers(module: ModuleType, begin: str = "", end: str = "") -> Iterator[tuple[str, int, str]]:
    """Yield the integer constants of a module with the string beneath each, between two headings of its source."""
    source = inspect.getsource(module)
    lines = source.splitlines()
    first = next(number for number, line in enumerate(lines, 1) if line.startswith(begin))
    last = next((number for number, line in enumerate(lines, 1) if end and line.startswith(end)), len(lines))
    for statement, following in itertools.pairwise(ast.parse(source).body):
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name) and first <= statement.lineno <= last:
            value = getattr(module, statement.target.id)
            if isinstance(value, int):
                yield statement.target.id, value, _beneath(following)


def _beneath(node: ast.stmt | None) -> str:
    return str(node.value.value) if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) else ""


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in sorted(names))
