"""What stands at module level: imports, constants, state, classes and functions, from top to bottom.

Rules enforced: CON-040, CON-042, CON-050 to CON-053, CON-055 and CON-058; functions are handed to `functions` once every name of the
module is known. A module holds nothing that could change between transactions, because a worker keeps it loaded. Specification:
docs/spec/contracts.md.
"""

import ast
import re
from typing import Final

from yunhe.contracts.checker.annotations import FIELD, Annotations
from yunhe.contracts.checker.constants import Constants, NotConstantError
from yunhe.contracts.checker.findings import Findings
from yunhe.contracts.checker.model import TAKEN_NAMES, Function, Kind, Module
from yunhe.contracts.checker.signatures import Signatures
from yunhe.contracts.checker.state import StateDeclarations
from yunhe.contracts.checker.unavailable import instead_of_import
from yunhe.contracts.vocabulary import (
    FORBIDDEN_FIELD_NAMES,
    FORBIDDEN_FIELD_PREFIXES,
    SDK_MODULE,
    SDK_NAMES,
    SYSTEM_MODULE,
    SYSTEM_NAMES,
)
from yunhe.limits import RECORD_FIELDS_MAX

_BASES: Final = {"Record": Kind.RECORD, "Event": Kind.EVENT, "Choice": Kind.CHOICE}
_FIELD_NAME: Final = re.compile(r"[a-z][a-z0-9_]*", re.ASCII)
_MEMBER_NAME: Final = re.compile(r"[A-Z][A-Z0-9_]*", re.ASCII)
_CHOICE_TEXT_MAX: Final = 100


class Declarations:
    """Reads the module level of one source."""

    def __init__(self, findings: Findings, *, system: bool) -> None:
        self.module = Module()
        self.constants = Constants(self.module)
        self._findings = findings
        self._system = system
        self._annotations = Annotations(self.module, findings)
        self._signatures = Signatures(self.module, self.constants, self._annotations, findings)
        self._state = StateDeclarations(self.module, self.constants, self._annotations, findings)

    def read(self, tree: ast.Module) -> None:
        """Check every statement of the module level and take note of its names."""
        for index, statement in enumerate(tree.body):
            if index == 0 and is_docstring(statement):
                continue
            self._statement(statement)
        # CON-050
        if not any(function.entry for function in self.module.functions.values()):
            self._findings.at("CON-050", (1, 1), "the contract has no action and no view", "mark a function with @action or @view")

    def _statement(self, node: ast.stmt) -> None:
        if isinstance(node, ast.ImportFrom):
            self._import(node)
        elif isinstance(node, ast.ClassDef):
            self._class(node)
        elif isinstance(node, ast.FunctionDef):
            self._function(node)
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            self._annotated(node, node.target)
        elif isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            self._constant(node.targets[0], node.value)
        elif not isinstance(node, ast.Import):
            # CON-050
            self._findings.on(
                "CON-050",
                node,
                "a statement at module level that declares nothing",
                "keep imports, constants, tables, classes and functions there; move the rest into a function",
            )

    def _define(self, name: str, kind: Kind, node: ast.AST) -> bool:
        # CON-042
        if name in TAKEN_NAMES:
            self._findings.on("CON-042", node, f"{name} is a name of the contract language", "choose another name")
            return False
        if name in self.module.kinds:
            self._findings.on("CON-042", node, f"{name} is defined twice", "choose another name")
            return False
        self.module.kinds[name] = kind
        return True

    # --- Imports ----------------------------------------------------------------------------------------------------

    def _import(self, node: ast.ImportFrom) -> None:
        # CON-040, CON-146
        names = {SDK_MODULE: SDK_NAMES, SYSTEM_MODULE: SYSTEM_NAMES if self._system else frozenset()}.get(node.module or "", frozenset())
        for alias in node.names:
            if node.level or alias.name not in names:
                known = f"from {SDK_MODULE} only: {', '.join(sorted(SDK_NAMES))}"
                hint = instead_of_import(alias.name, (node.module or "").partition(".")[0])
                instead = f"{hint}; import {known}" if hint else f"import {known}"
                self._findings.on("CON-040", alias, "this cannot be imported by a contract", instead)
            elif alias.asname is not None:
                self._findings.on("CON-040", alias, f"{alias.name} is imported under another name", "leave `as` out")
            elif alias.name in self.module.kinds:
                self._findings.on("CON-042", alias, f"{alias.name} is defined twice", "import it once")
            else:
                self.module.kinds[alias.name] = Kind.IMPORT

    # --- Constants and state ----------------------------------------------------------------------------------------

    def _constant(self, target: ast.Name, value: ast.expr) -> None:
        name = target.id
        # CON-051
        try:
            if isinstance(value, ast.Dict):
                self.constants.check_lookup(value)
                self._define(name, Kind.LOOKUP, target)
                return
            self.constants.check_value(value)
        except NotConstantError:
            self._findings.on(
                "CON-051",
                value,
                f"the value of {name} is not a constant",
                "use literals, earlier constants, members of a choice, tuples of these, or a dict of these; keep state in a Table or Map",
            )
            self._define(name, Kind.CONSTANT, target)
            return
        if self._define(name, Kind.CONSTANT, target) and not isinstance(value, ast.Tuple):
            self.constants.values[name] = self.constants.scalar(value)

    def _annotated(self, node: ast.AnnAssign, target: ast.Name) -> None:
        kind = self._state.kind(node)
        if kind is not None:
            if self._define(target.id, kind, target):
                self._state.check(node, target, kind)
            return
        # CON-054
        if not self._annotations.is_scalar(node.annotation):
            self._findings.on(
                "CON-054", node.annotation, "this is no type of a constant", "leave the annotation out, or declare a Table or Map"
            )
        if node.value is None:
            self._findings.on("CON-051", node, f"{target.id} has no value", "give it a value")
            return
        self._constant(target, node.value)

    # --- Classes ----------------------------------------------------------------------------------------------------

    def _class(self, node: ast.ClassDef) -> None:
        base = node.bases[0] if len(node.bases) == 1 else None
        kind = _BASES.get(base.id) if isinstance(base, ast.Name) else None
        # CON-052
        if kind is None or node.keywords or node.decorator_list or self.module.kinds.get(base.id) is not Kind.IMPORT:  # type: ignore[union-attr]  # kind says that it is a name
            self._findings.on(
                "CON-052",
                node,
                f"{node.name} is no Record, Event or Choice",
                "write `class Name(Record):` with Record, Event or Choice as the only base",
            )
            return
        if not node.name[:1].isupper():
            self._findings.on("CON-052", node, f"the class name {node.name}", "begin it with a capital letter")
        body = node.body[1:] if is_docstring(node.body[0]) else node.body
        if kind is Kind.CHOICE:
            self._choice(node, body)
        else:
            self._fields(node, body)
        # A class is known below itself only, as to Python.
        self._define(node.name, kind, node)

    def _choice(self, node: ast.ClassDef, body: list[ast.stmt]) -> None:
        # CON-052
        members: dict[str, str] = {}
        texts: set[str] = set()
        for statement in body:
            if is_docstring(statement):
                continue
            target = statement.targets[0] if isinstance(statement, ast.Assign) and len(statement.targets) == 1 else None
            value = statement.value if isinstance(statement, ast.Assign) else None
            text = value.value if isinstance(value, ast.Constant) else None
            if not isinstance(target, ast.Name) or not isinstance(text, str) or not _MEMBER_NAME.fullmatch(target.id):
                self._findings.on("CON-052", statement, "this is no member of a choice", 'write members as NAME = "text"')
            elif target.id in members or text in texts:
                self._findings.on("CON-052", statement, f"the member {target.id} or its text is there twice", "make both different")
            elif not 1 <= len(text) <= _CHOICE_TEXT_MAX:
                self._findings.on("CON-052", statement, f"the text of {target.id}", f"use 1 to {_CHOICE_TEXT_MAX} characters")
            else:
                members[target.id] = text
                texts.add(text)
        if not members:
            self._findings.on("CON-052", node, f"{node.name} has no members", 'write members as NAME = "text"')
        self.module.members[node.name] = list(members)

    def _fields(self, node: ast.ClassDef, body: list[ast.stmt]) -> None:
        fields: dict[str, bool] = {}
        types: dict[str, ast.expr] = {}
        for statement in body:
            if is_docstring(statement):
                continue
            # CON-052
            if not (isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name)):
                self._findings.on("CON-052", statement, "this is no field", "write fields as `name: type`; put behaviour in functions")
                continue
            name = statement.target.id
            self._check_field_name(name, statement)
            if name in fields:
                self._findings.on("CON-052", statement, f"the field {name} is there twice", "choose another name")
            self._annotations.check(statement.annotation, FIELD)
            if statement.value is not None:
                self._check_default(statement.value)
            fields[name] = statement.value is not None
            types[name] = statement.annotation
        if not 1 <= len(fields) <= RECORD_FIELDS_MAX:
            self._findings.on("CON-052", node, f"{node.name} has {len(fields)} fields", f"declare 1 to {RECORD_FIELDS_MAX}")
        self.module.fields[node.name] = fields
        self.module.types[node.name] = types

    def _check_field_name(self, name: str, node: ast.AST) -> None:
        # CON-053
        if not _FIELD_NAME.fullmatch(name) or is_introspective(name):
            self._findings.on(
                "CON-053", node, f"{name} cannot be the name of a field", "use a-z, 0-9 and _; no name of the interpreter's own attributes"
            )

    def _check_default(self, value: ast.expr) -> None:
        # CON-055
        try:
            if not self.constants.check_display(value):
                self.constants.scalar(value)
        except NotConstantError:
            self._findings.on(
                "CON-055", value, "this default is not a constant", "use a literal, a member of a choice, or a list or dict of scalars"
            )

    # --- Functions --------------------------------------------------------------------------------------------------

    def _function(self, node: ast.FunctionDef) -> None:
        function = self._signatures.read(node)
        # CON-053
        if is_introspective(node.name):
            self._findings.on("CON-053", node, f"{node.name} cannot be the name of a function", "choose another name")
        if self._define(node.name, Kind.FUNCTION, node):
            self.module.functions[node.name] = function
        else:
            self.module.functions.setdefault(f"{node.name} (line {node.lineno})", function)


def is_docstring(node: ast.stmt) -> bool:
    """Tell whether a statement is a string that stands alone."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def is_introspective(name: str) -> bool:
    """Tell whether a name is, or could be, one of the interpreter's own attributes."""
    return name in FORBIDDEN_FIELD_NAMES or name.startswith(FORBIDDEN_FIELD_PREFIXES)


__all__ = ["Declarations", "Function", "is_docstring", "is_introspective"]
