"""Declarations of state: tables, maps, indexes, uniqueness constraints and logs.

Rules enforced: CON-058, CON-060 (codes of constraints), CON-063 and CON-064. Specification: docs/spec/contracts.md, "The subset".
"""

import ast
import re
from typing import Final

from yunhe.contracts.checker.annotations import Annotations
from yunhe.contracts.checker.constants import Constants, NotConstantError
from yunhe.contracts.checker.findings import Findings
from yunhe.contracts.checker.model import Kind, Module, TableDeclaration
from yunhe.contracts.checker.refusal_codes import check_code
from yunhe.limits import KEY_COMPONENTS_MAX, TABLE_INDEXES_MAX

_STATE_NAME: Final = re.compile(r"[a-z][a-z0-9_]*", re.ASCII)
_KINDS: Final = {"Table": Kind.TABLE, "Map": Kind.MAP, "Index": Kind.INDEX, "Unique": Kind.UNIQUE, "Log": Kind.LOG}
_RULES: Final = {Kind.INDEX: "CON-063", Kind.UNIQUE: "CON-063", Kind.LOG: "CON-064"}
_FORMS: Final = {
    Kind.TABLE: 'write `name: Table[Record] = Table(key="field")`, with a tuple of field names for a key of several',
    Kind.MAP: "write `name: Map[K, V] = Map(default=value)`, with a key of one scalar or tuple[...] of several, and a scalar value",
    Kind.INDEX: 'write `name: Index[Record] = Index(table, by="field")`, with a tuple of field names for an order by several',
    Kind.UNIQUE: 'write `name: Unique[Record] = Unique(table, by="field", code="TAKEN")`, with a tuple of field names for several',
    Kind.LOG: "write `name: Log[K, Record] = Log()`, with a key of one scalar or tuple[...] of several",
}


class StateDeclarations:
    """Checks what a contract keeps in the state."""

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
        """Check a declaration of state."""
        # CON-058
        if not _STATE_NAME.fullmatch(target.id):
            self._findings.on("CON-058", target, f"{target.id} cannot be the name of state", "use a-z, 0-9 and _")
        call = node.value
        if (
            not isinstance(call, ast.Call)
            or not isinstance(call.func, ast.Name)
            or _KINDS.get(call.func.id) is not kind
            or not isinstance(node.annotation, ast.Subscript)
            or len(call.args) != (kind in (Kind.INDEX, Kind.UNIQUE))
        ):
            self._refuse(node, kind)
            return
        parameters = node.annotation.slice
        if kind is Kind.TABLE:
            self._table(node, call, target.id, parameters)
        elif kind is Kind.MAP:
            self._map(node, call, target.id, parameters)
        elif kind is Kind.LOG:
            self._log(node, call, parameters)
        else:
            self._index(node, call, target.id, parameters, kind)

    def _refuse(self, node: ast.AST, kind: Kind) -> None:
        # CON-058, CON-063, CON-064
        self._findings.on(_RULES.get(kind, "CON-058"), node, f"this is no declaration of {kind.value}", _FORMS[kind])

    def _is_record(self, node: ast.expr) -> bool:
        return isinstance(node, ast.Name) and self._module.kinds.get(node.id) is Kind.RECORD

    def _table(self, node: ast.AnnAssign, call: ast.Call, name: str, record: ast.expr) -> None:
        if not (isinstance(record, ast.Name) and self._is_record(record)):
            self._refuse(node, Kind.TABLE)
            return
        names = _field_names(call.keywords[0].value) if [keyword.arg for keyword in call.keywords] == ["key"] else None
        if names is None:
            self._refuse(node, Kind.TABLE)
        elif not set(names) <= self._module.fields[record.id].keys():
            self._findings.on("CON-058", call, f"the key is not made of fields of {record.id}", "name fields of the record, each once")
        else:
            self._module.tables[name] = TableDeclaration(record.id, names)

    def _map(self, node: ast.AnnAssign, call: ast.Call, name: str, parameters: ast.expr) -> None:
        parts = parameters.elts if isinstance(parameters, ast.Tuple) else []
        keywords = [keyword.arg for keyword in call.keywords]
        typed = len(parts) == 2 and self._annotations.is_state_key(parts[0]) and self._annotations.is_scalar(parts[1])
        if not typed or keywords not in ([], ["default"]):
            self._refuse(node, Kind.MAP)
            return
        if isinstance(parts[1], ast.Name) and parts[1].id == "int":
            self._module.integer_maps.add(name)
        try:
            for keyword in call.keywords:
                self._constants.scalar(keyword.value)
        except NotConstantError:
            self._findings.on("CON-055", call, "this default is not a constant", "use a literal or a member of a choice")

    def _log(self, node: ast.AnnAssign, call: ast.Call, parameters: ast.expr) -> None:
        # CON-064
        parts = parameters.elts if isinstance(parameters, ast.Tuple) else []
        typed = len(parts) == 2 and self._annotations.is_state_key(parts[0]) and self._is_record(parts[1])
        if not typed or call.keywords or self._annotations.key_parts(parts[0]) >= KEY_COMPONENTS_MAX:
            self._refuse(node, Kind.LOG)

    # --- Indexes ----------------------------------------------------------------------------------------------------

    def _index(self, node: ast.AnnAssign, call: ast.Call, name: str, record: ast.expr, kind: Kind) -> None:
        # CON-063
        options = {keyword.arg: keyword.value for keyword in call.keywords}
        known = {"by", "code"} if kind is Kind.UNIQUE else {"by"}
        by = _field_names(options["by"]) if "by" in options else None
        if by is None or not options.keys() <= known or len(options) != len(call.keywords) or not self._is_record(record):
            self._refuse(node, kind)
            return
        of = call.args[0]
        table = self._module.tables.get(of.id) if isinstance(of, ast.Name) and self._module.kinds.get(of.id) is Kind.TABLE else None
        if not isinstance(of, ast.Name) or table is None or not isinstance(record, ast.Name) or table.record != record.id:
            self._findings.on("CON-063", of, "the index is of no table of this record that stands above it", "declare the table first")
            return
        self._module.table_of[name] = of.id
        self._check_fields(call, of.id, table, by)
        table.indexes.append(by)
        if "code" in options:
            check_code(options["code"], self._findings)

    def _check_fields(self, call: ast.Call, name: str, table: TableDeclaration, by: tuple[str, ...]) -> None:
        types = self._module.types[table.record]
        # CON-063
        wrong = [field for field in by if field not in types or not self._annotations.is_indexable(types[field])]
        if wrong:
            known = "fields of int, str, bytes, Org or a Choice, or of one of these or None"
            self._findings.on("CON-063", call, f"{wrong[0]} is no field of {table.record} that can be indexed", f"name {known}")
        elif by == table.key:
            self._findings.on("CON-063", call, f"{name} is in this order, and unique, by its key", "leave the index out")
        elif by in table.indexes:
            self._findings.on("CON-063", call, f"{name} has an index by these fields already", "declare it once")
        elif len(by) + len(table.key) > KEY_COMPONENTS_MAX:
            self._findings.on(
                "CON-063", call, "the index has too many fields", f"its fields and those of the key are at most {KEY_COMPONENTS_MAX}"
            )
        elif len(table.indexes) == TABLE_INDEXES_MAX:
            self._findings.on("CON-063", call, f"{name} has too many indexes", f"declare at most {TABLE_INDEXES_MAX} a table")


def _field_names(node: ast.expr) -> tuple[str, ...] | None:
    """Return the fields that a literal names, each once; None where it is none."""
    parts = node.elts if isinstance(node, ast.Tuple) else [node]
    names = tuple(part.value for part in parts if isinstance(part, ast.Constant) and isinstance(part.value, str))
    is_whole = len(names) == len(parts) and 1 <= len(names) <= KEY_COMPONENTS_MAX and len(set(names)) == len(names)
    return names if is_whole else None
