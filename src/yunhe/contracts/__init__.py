"""The contract API: what a contract imports, and nothing else.

A contract is one typed Python module of `@action` and `@view` functions over `Record` types that it stores. It is plain Python: imported by
pytest it runs, steps and types like any module; a node checks it against the subset, meters it and runs the same code. Specification:
docs/spec/contracts.md.
"""

from yunhe.contracts.arithmetic import Rounding, mul_div, pro_rata
from yunhe.contracts.calls import action, call, call_view, emit, refuse, require, view
from yunhe.contracts.context import Context, Signer, require_role, require_signer
from yunhe.contracts.indexes import Index, Unique
from yunhe.contracts.logs import Log
from yunhe.contracts.maps import Map
from yunhe.contracts.records import Event, Record
from yunhe.contracts.scalars import Choice, Org
from yunhe.contracts.tables import Table

__all__ = [
    "Choice",
    "Context",
    "Event",
    "Index",
    "Log",
    "Map",
    "Org",
    "Record",
    "Rounding",
    "Signer",
    "Table",
    "Unique",
    "action",
    "call",
    "call_view",
    "emit",
    "mul_div",
    "pro_rata",
    "refuse",
    "require",
    "require_role",
    "require_signer",
    "view",
]
