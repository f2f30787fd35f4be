"""The page of error codes, from `yunhe.errors` and the codes that receipts can carry."""

import ast
import inspect
import itertools
from types import ModuleType

import yunhe.contracts.codes
import yunhe.errors
import yunhe.errors.kinds
from tools.reference.markdown import page, table
from yunhe.errors import YunheError

_HEAD = ("Code", "HTTP", "Class", "Meaning")


def error_page() -> str:
    """Return docs/reference/errors.md."""
    kinds = [kind for kind in _classes() if YunheError in kind.__bases__]
    lines = [
        "Every refusal has a code that never changes its meaning. Over HTTP it is the `code` of an `application/problem+json` body; the",
        "command line prints it with its message; in Python it is the attribute `code` of the exception, a class of `yunhe.errors`.",
        "",
    ]
    lines += ["## YunheError", "", meaning(YunheError), "", *table(_HEAD, [_row(YunheError)])]
    for kind in kinds:
        leaves = sorted((leaf for leaf in _classes() if issubclass(leaf, kind)), key=lambda leaf: (leaf is not kind, leaf.code))
        lines += [f"## {kind.__name__}", "", meaning(kind), ""]
        lines += table(_HEAD, [_row(leaf) for leaf in leaves])
    lines += [
        "## In receipts",
        "",
        "A transaction that took effect and failed has a receipt with one of these codes, with one of the codes above where a rule of the",
        "ledger refused it, or with a code of the contract's own.",
        "",
        *table(["Code", "Meaning"], [(f"`{code}`", text) for code, text in described_constants(yunhe.contracts.codes)]),
    ]
    return page("Error codes", lines)


def meaning(error: type[YunheError]) -> str:
    """Return what a class's own docstring says first."""
    return " ".join((inspect.cleandoc(error.__dict__["__doc__"] or "")).split("\n\n")[0].split())


def described_constants(module: ModuleType) -> list[tuple[str, str]]:
    """Return the text constants of a module, each with the string beneath it, in the order of the source."""
    body = ast.parse(inspect.getsource(module)).body
    found = []
    for statement, following in itertools.pairwise(body):
        if (
            isinstance(statement, ast.AnnAssign)
            and isinstance(statement.value, ast.Constant)
            and isinstance(statement.value.value, str)
            and isinstance(following, ast.Expr)
            and isinstance(following.value, ast.Constant)
        ):
            found.append((statement.value.value, str(following.value.value)))
    return found


def _classes() -> list[type[YunheError]]:
    """Return our error classes, the kinds first, in the order of their modules."""
    return [
        item for item in (vars(yunhe.errors.kinds) | vars(yunhe.errors)).values() if isinstance(item, type) and issubclass(item, YunheError)
    ]


def _row(leaf: type[YunheError]) -> tuple[str, str, str, str]:
    # Problem bodies link to `errors#CODE`.
    return f'<a id="{leaf.code}"></a>`{leaf.code}`', str(leaf.status), f"`{leaf.__name__}`", meaning(leaf)
