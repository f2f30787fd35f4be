"""Rules that are behind the others: the lists may only become shorter, and a rule that has caught up must leave its list."""

UNDEFINED = frozenset([])
"""Cited in code or tests; the text in docs/spec is still to be written."""

UNCITED = frozenset([])
"""Defined; no check cites them yet."""

UNDERTESTED = frozenset([])
"""Defined; fewer tests cite them than an accepting and a refusing one."""
