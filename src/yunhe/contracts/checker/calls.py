"""Calls: of the module's functions and classes, of the SDK, of built-ins, and of methods.

Rules enforced: CON-031 (where generator expressions are allowed), CON-044 to CON-046, CON-048 and CON-065. Everything that can be called is
known by name, so the call graph and the state that a function touches are known too. Specification: docs/spec/contracts.md, "The subset".
"""

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from yunhe.contracts.checker.findings import Findings
from yunhe.contracts.checker.model import Function, Kind, Module
from yunhe.contracts.checker.refusal_codes import check_code
from yunhe.contracts.vocabulary import (
    BUILTINS,
    DICT_METHODS,
    INDEX_METHODS,
    LOG_METHODS,
    MAP_METHODS,
    METHODS,
    REFUSAL_FUNCTIONS,
    TABLE_METHODS,
    UNIQUE_METHODS,
)

if TYPE_CHECKING:
    from yunhe.contracts.checker.expressions import ExpressionChecker


@dataclass(frozen=True, slots=True)
class _Form:
    """How something may be called."""

    arguments_min: int
    arguments_max: int
    keywords: frozenset[str] = frozenset()
    any_keywords: bool = False
    takes_context: bool = False
    effect: bool = False
    """Whether a view cannot call it."""


_SCAN: Final = _Form(0, 0, frozenset({"start", "end", "prefix", "after", "limit", "reverse"}))
_COUNT: Final = _Form(0, 0, frozenset({"start", "end", "prefix"}))
_TABLE: Final = {
    "add": _Form(1, 1, effect=True),
    "count": _COUNT,
    "delete": _Form(1, 1, effect=True),
    "discard": _Form(1, 1),
    "get": _Form(1, 1),
    "save": _Form(1, 1, effect=True),
    "scan": _SCAN,
}
_MAP: Final = {"add": _Form(2, 2, effect=True), "count": _COUNT, "scan": _SCAN}
_INDEX: Final = {"count": _COUNT, "scan": _SCAN}
_UNIQUE: Final = _INDEX | {"get": _Form(1, 1)}
_LOG: Final = {
    "append": _Form(2, 2, effect=True),
    "count": _Form(1, 1),
    "last": _Form(1, 1),
    "scan": _Form(1, 1, frozenset({"start", "end", "limit", "reverse"})),
}
_STATE: Final = {Kind.TABLE: _TABLE, Kind.MAP: _MAP, Kind.INDEX: _INDEX, Kind.UNIQUE: _UNIQUE, Kind.LOG: _LOG}
_SDK: Final = {
    "Org": _Form(1, 1),
    "call": _Form(2, 2, any_keywords=True, effect=True),
    "call_view": _Form(2, 2, any_keywords=True),
    "check_source": _Form(1, 1),
    "code_hash": _Form(1, 1),
    "emit": _Form(1, 1, effect=True),
    "is_public_key": _Form(2, 2),
    "is_suite": _Form(1, 1),
    "migrate": _Form(2, 2, effect=True),
    "mul_div": _Form(3, 4, frozenset({"rounding"})),
    "pro_rata": _Form(2, 2),
    "rebuild_indexes": _Form(3, 3),
    "refuse": _Form(1, 1),
    "require": _Form(2, 2),
    "require_readable": _Form(3, 3),
    "require_role": _Form(2, 3, takes_context=True),
    "require_signer": _Form(2, 2, takes_context=True),
}
_LOOKUP_METHODS: Final = frozenset({"copy", "get", "items", "keys", "values"})
_LOOKUP_BUILTINS: Final = frozenset({"all", "any", "dict", "enumerate", "len", "list", "sorted", "sum", "tuple"})
"""Built-ins that a constant dict may be the sole argument of: none of them keeps or returns it."""

assert _TABLE.keys() == TABLE_METHODS
assert _MAP.keys() == MAP_METHODS
assert _INDEX.keys() == INDEX_METHODS
assert _UNIQUE.keys() == UNIQUE_METHODS
assert _LOG.keys() == LOG_METHODS


class CallChecker:
    """Checks the calls of one function."""

    def __init__(self, module: Module, function: Function, findings: Findings, expressions: "ExpressionChecker") -> None:
        self._module = module
        self._function = function
        self._findings = findings
        self._expressions = expressions

    def check(self, node: ast.expr) -> None:
        """Check a call."""
        assert isinstance(node, ast.Call)
        callee = node.func
        if isinstance(callee, ast.Attribute):
            self._method(node, callee)
        elif isinstance(callee, ast.Name) and not self._expressions.is_local(callee.id):
            self._named(node, callee)
        else:
            # CON-044
            self._findings.on("CON-044", callee, "a value is called", "call functions, classes and methods by their names")
            self._expressions.value(callee)
            self._arguments(node)

    def _named(self, node: ast.Call, callee: ast.Name) -> None:
        name, kind = callee.id, self._module.kinds.get(callee.id)
        if kind is Kind.FUNCTION:
            self._function_call(node, name)
        elif kind in (Kind.RECORD, Kind.EVENT):
            self._instance(node, name)
        elif kind is Kind.IMPORT:
            self._sdk(node, name)
        elif kind is not None:
            # CON-044
            self._findings.on("CON-044", callee, f"{name} is {kind.value} and cannot be called", _INSTEAD.get(kind, "use it as a value"))
            self._arguments(node)
        elif name in BUILTINS:
            self._builtin(node, name)
        else:
            self._expressions.unknown(callee)
            self._arguments(node)

    # --- Arguments --------------------------------------------------------------------------------------------------

    def _arguments(self, node: ast.Call, *, takes_context: bool = False) -> None:
        for argument in [*node.args, *[keyword.value for keyword in node.keywords]]:
            if not (takes_context and self._expressions.is_context(argument)):
                self._expressions.value(argument)
        # CON-046
        names = [keyword.arg for keyword in node.keywords if keyword.arg is not None]
        for keyword in node.keywords:
            if keyword.arg is not None and names.count(keyword.arg) > 1:
                self._findings.on("CON-046", keyword, f"the argument {keyword.arg} is there twice", "give it once")

    def _check_form(self, node: ast.Call, name: str, form: _Form) -> None:
        # CON-046
        if not form.arguments_min <= len(node.args) <= form.arguments_max:
            expected = (
                f"{form.arguments_min}" if form.arguments_min == form.arguments_max else f"{form.arguments_min} to {form.arguments_max}"
            )
            self._findings.on("CON-046", node, f"{name} has {len(node.args)} positional arguments", f"it takes {expected}")
        for keyword in node.keywords:
            if keyword.arg is not None and keyword.arg not in form.keywords and not form.any_keywords:
                known = ", ".join(sorted(form.keywords)) or "none"
                self._findings.on("CON-046", keyword, f"{name} has no keyword {keyword.arg}", f"its keywords: {known}")

    def _consumed(self, node: ast.Call, *, consumes: bool) -> None:
        """Check arguments where a generator expression, or a constant dict, may be the sole one."""
        # CON-031
        if consumes and len(node.args) == 1 and not node.keywords and isinstance(node.args[0], ast.GeneratorExp):
            self._expressions.generator(node.args[0])
        else:
            self._arguments(node)

    # --- Functions and classes of the module ------------------------------------------------------------------------

    def _function_call(self, node: ast.Call, name: str) -> None:
        self._check_contexts(node, self._module.functions.get(name))
        self._arguments(node, takes_context=True)
        # CON-045
        self._function.calls.append((name, self._expressions.comprehensions, node))
        callee = self._module.functions.get(name)
        if callee is None:
            return
        # CON-046
        given = callee.parameters[: len(node.args)] + [keyword.arg for keyword in node.keywords if keyword.arg is not None]
        missing = [parameter for parameter in callee.parameters[: callee.required] if parameter not in given]
        unknown = [parameter for parameter in given if parameter not in callee.parameters]
        if missing or unknown or len(node.args) > len(callee.parameters) or len(set(given)) != len(given):
            self._findings.on("CON-046", node, f"the arguments do not fit {name}", f"it takes ({', '.join(callee.parameters)})")

    def _check_contexts(self, node: ast.Call, callee: Function | None) -> None:
        """Refuse the context as an argument where no context is expected: it would be a value there."""
        if callee is None:
            return
        given = [*zip(callee.parameters, node.args, strict=False), *((keyword.arg, keyword.value) for keyword in node.keywords)]
        for parameter, argument in given:
            # CON-043
            if self._expressions.is_context(argument) and parameter not in callee.contexts:
                self._findings.on(
                    "CON-043", argument, f"the context is given for {parameter}", "declare the parameter as `Context`, or hand on a field"
                )

    def _instance(self, node: ast.Call, name: str) -> None:
        self._arguments(node)
        # CON-046
        fields = self._module.fields.get(name, {})
        given = [keyword.arg for keyword in node.keywords if keyword.arg is not None]
        missing = [field for field, has_default in fields.items() if not has_default and field not in given]
        if node.args or missing or any(field not in fields for field in given):
            self._findings.on(
                "CON-046", node, f"the arguments do not fit {name}", f"name each field: {', '.join(f'{field}=...' for field in fields)}"
            )

    # --- SDK and built-ins ------------------------------------------------------------------------------------------

    def _sdk(self, node: ast.Call, name: str) -> None:
        form = _SDK.get(name)
        # CON-044
        if form is None:
            self._findings.on("CON-044", node, f"{name} cannot be called here", "use it as docs/spec/contracts.md shows")
            self._arguments(node)
            return
        self._check_form(node, name, form)
        self._arguments(node, takes_context=form.takes_context)
        if form.effect:
            self._expressions.note_effect(f"`{name}`", node)
        if name in REFUSAL_FUNCTIONS and REFUSAL_FUNCTIONS[name] < len(node.args):
            check_code(node.args[REFUSAL_FUNCTIONS[name]], self._findings)

    def _builtin(self, node: ast.Call, name: str) -> None:
        word = BUILTINS[name]
        self._check_form(node, name, _Form(word.arguments_min, word.arguments_max, word.keywords))
        sole = node.args[0] if len(node.args) == 1 and not node.keywords else None
        if sole is not None and name in _LOOKUP_BUILTINS and self._expressions.state_kind(sole) is Kind.LOOKUP:
            return
        self._consumed(node, consumes=word.consumes)

    # --- Methods ----------------------------------------------------------------------------------------------------

    def _method(self, node: ast.Call, callee: ast.Attribute) -> None:
        kind = self._expressions.kind_of(callee.value)
        if kind in _STATE:
            self._state_method(node, callee, _STATE[kind])
            return
        # CON-048
        words = [methods[callee.attr] for methods in METHODS.values() if callee.attr in methods]
        if kind is Kind.LOOKUP:
            words = [DICT_METHODS[callee.attr]] if callee.attr in _LOOKUP_METHODS else []
        else:
            self._expressions.value(callee.value)
        if not words:
            self._findings.on(
                "CON-048", callee, f"there is no method {callee.attr} here", "use the methods that docs/spec/contracts.md lists"
            )
        elif not any(_fits(node, word.arguments_min, word.arguments_max, word.keywords) for word in words):
            # CON-046
            self._findings.on("CON-046", node, f"the arguments do not fit {callee.attr}", "see the methods in docs/spec/contracts.md")
        self._consumed(node, consumes=any(word.consumes for word in words))

    def _state_method(self, node: ast.Call, callee: ast.Attribute, methods: dict[str, _Form]) -> None:
        assert isinstance(callee.value, ast.Name)
        state = callee.value.id
        form = methods.get(callee.attr)
        self._arguments(node)
        # CON-048
        if form is None:
            self._findings.on("CON-048", callee, f"{state} has no method {callee.attr}", _instead(state, callee.attr, methods))
            return
        self._check_form(node, f"{state}.{callee.attr}", form)
        # CON-065
        if methods is _MAP and callee.attr == "add" and state not in self._module.integer_maps:
            self._findings.on("CON-065", callee, f"{state} holds no integers", "add to a Map of int, or set the value by its key")
        if form.effect:
            self._function.writes.add(state)
            self._expressions.note_effect(f"`{state}.{callee.attr}`", node)
        elif callee.attr != "discard":
            self._function.reads.add(self._module.state_of(state))


_INSTEAD: Final = {
    Kind.CHOICE: "declare the parameter or field with this type, and it is converted",
    Kind.TABLE: "write table[key], table.get(key) or table.scan()",
    Kind.MAP: "write map[key] or map.scan()",
    Kind.INDEX: "write index.scan() or index.count()",
    Kind.UNIQUE: "write unique[key], unique.get(key) or unique.scan()",
    Kind.LOG: "write log.append(key, entry), log.scan(key) or log.last(key)",
}


def _fits(node: ast.Call, arguments_min: int, arguments_max: int, keywords: frozenset[str]) -> bool:
    return arguments_min <= len(node.args) <= arguments_max and all(keyword.arg in keywords for keyword in node.keywords)


def _instead(state: str, method: str, methods: dict[str, _Form]) -> str:
    """Return what to write instead of a method that a table or map has not."""
    element = f"write {state}[key], which gives the default where nothing is set; " if methods is _MAP and method == "get" else ""
    return f"{element}it has {', '.join(sorted(methods))}"
