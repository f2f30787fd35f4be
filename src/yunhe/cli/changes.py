"""How changes of rows are shown to people: each field before and after, and what a transaction did, in a few lines."""

import json
from collections.abc import Iterable, Sequence

from yunhe.ledger.changes import RowChange
from yunhe.ledger.codec import Value
from yunhe.ledger.rendering import value_to_json


def changes_text(changes: Iterable[RowChange]) -> str:
    """Return changes as a line for each row, with a line for each of its fields that differs."""
    return "\n".join(line for change in changes for line in _lines(change)) or "  nothing"


def _lines(change: RowChange) -> list[str]:
    key = ", ".join(shown(component) for component in change.key)
    what = " added" if change.before is None else " deleted" if change.after is None else ""
    fields = change.fields()
    width = max((len(name) for name in fields), default=0)
    lines = [f"  {change.contract}.{change.table}[{key}]{what}"]
    for name, (before, after) in fields.items():
        sides = [shown(side) for side, row in ((before, change.before), (after, change.after)) if row is not None]
        lines.append(f"    {name:<{width}}  {' -> '.join(sides)}")
    return lines


def calls_text(calls: Sequence[tuple[str, str, dict[str, Value]]]) -> list[str]:
    """Return calls in order, each with its place in the transaction."""
    return [
        f"{index}  {contract}.{action}({', '.join(f'{name}={shown(value)}' for name, value in arguments.items())})"
        for index, (contract, action, arguments) in enumerate(calls)
    ]


def shown(value: Value) -> str:
    """Return a value in one line."""
    return json.dumps(value_to_json(value), ensure_ascii=False)
