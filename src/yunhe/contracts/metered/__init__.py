"""Metered contracts: the transformation of the syntax tree, and the operations that transformed code calls.

Plain Python and metered code do the same; metered code pays before or right after each step whose cost depends on a size, and refuses
what only an interpreter's limit would stop. `transform` rewrites the tree, `operations`, `builtin_functions` and `methods` make the
functions that it refers to, bound to one meter. Specification: docs/spec/contracts.md, "Gas".
"""
