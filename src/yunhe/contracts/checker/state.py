"""Declarations of state: `bills: Table[Bill] = Table(key="bill_id")` and `balances: Map[Org, int] = Map(default=0)`.

Rule enforced: CON-058. Specification: docs/spec/contracts.md, "The subset".
"""

import ast
import re
from typing import Final

from yunhe.contracts.checker.annotations import Annotations
from yunhe.contracts.checker.constants import Constants, NotConstantError
from yunhe.contracts.checker.findings import Findings
from yunhe.contracts.checker.model import Kind, Module
from yunhe.limits import KEY_COMPONENTS_MAX

_STATE_NAME: Final = re.compile(r"[a-z][a-z0-9_]*", re.ASCII)
_KINDS: Final = {"Table": Kind.TABLE, "Map": Kind.MAP}
_FORMS: Final = {
    Kind.TABLE: 'write `name: Table[Record] = Table(key="field")`, with a tuple of field names for a key of several',
    Kind.MAP: "write `name: Map[K, V] = Map(default=value)`, with a key of scalars and a scalar value",
}


class StateDeclarations:
    """Checks tables and maps."""

    def __init__(self, module: Module, constants: Constants, annotations: Annotations, findings: Findings) -> None:
        self._module = module
        self._constants = constants
        self._annotations = annotations
        self._findings = findings

    def kind(self, node: ast.AnnAssign) -> Kind | None:
        """Return what a declaration is of, or None when it is not of state."""
        annotation = node.annotation
        base = annotation.value if isinstance(annotation, ast.Subscript) else annotation
        if isinstance(base, ast.Name) and self._module.kinds.get(base.id) is Kind.IMPORT:
            return _KINDS.get(base.id)
        return None

    def check(self, node: ast.AnnAssign, target: ast.Name, kind: Kind) -> None:
        """Check the declaration of a table or map."""
        # CON-058
        if not _STATE_NAME.fullmatch(target.id):
            self._findings.on("CON-058", target, f"{target.id} cannot be the name of state", "use a-z, 0-9 and _")
        call = node.value
        if (
            not isinstance(call, ast.Call)
            or not isinstance(call.func, ast.Name)
            or _KINDS.get(call.func.id) is not kind
            or call.args
            or not isinstance(node.annotation, ast.Subscript)
        ):
            self._refuse(node, kind)
            return
        parameters = node.annotation.slice
        if kind is Kind.TABLE:
            self._table(node, call, parameters)
        else:
            self._map(node, call, parameters)

    def _refuse(self, node: ast.AST, kind: Kind) -> None:
        self._findings.on("CON-058", node, f"this is no declaration of {kind.value}", _FORMS[kind])

    def _table(self, node: ast.AnnAssign, call: ast.Call, record: ast.expr) -> None:
        if not (isinstance(record, ast.Name) and self._module.kinds.get(record.id) is Kind.RECORD):
            self._refuse(node, Kind.TABLE)
            return
        key = call.keywords[0].value if [keyword.arg for keyword in call.keywords] == ["key"] else None
        parts = key.elts if isinstance(key, ast.Tuple) else [key]
        names = [part.value for part in parts if isinstance(part, ast.Constant) and isinstance(part.value, str)]
        if len(names) != len(parts) or not 1 <= len(names) <= KEY_COMPONENTS_MAX or len(set(names)) != len(names):
            self._refuse(node, Kind.TABLE)
        elif not set(names) <= self._module.fields[record.id].keys():
            self._findings.on("CON-058", call, f"the key is not made of fields of {record.id}", "name fields of the record, each once")

    def _map(self, node: ast.AnnAssign, call: ast.Call, parameters: ast.expr) -> None:
        parts = parameters.elts if isinstance(parameters, ast.Tuple) else []
        keywords = [keyword.arg for keyword in call.keywords]
        typed = len(parts) == 2 and self._annotations.is_key(parts[0]) and self._annotations.is_scalar(parts[1])
        if not typed or keywords not in ([], ["default"]):
            self._refuse(node, Kind.MAP)
            return
        try:
            for keyword in call.keywords:
                self._constants.scalar(keyword.value)
        except NotConstantError:
            self._findings.on("CON-055", call, "this default is not a constant", "use a literal or a member of a choice")
