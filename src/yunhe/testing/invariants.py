"""Invariants: what has to hold of a contract's state after every transaction, written beside the tests.

An invariant is never part of the contract's source, so neither the checker nor the code hash knows of it, and it never runs on a ledger. It
gets the chain and looks at tables with `chain.rows`, or asks views.

```python
@invariant
def nothing_is_lost(chain: Chain) -> None:
    assert sum(chain.rows(points.balances).values()) == chain.rows(points.issued)["all"]
```
"""

from collections.abc import Callable
from types import ModuleType
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from yunhe.testing.chain import Chain

Invariant: TypeAlias = "Callable[[Chain], None]"


class InvariantError(AssertionError):
    """A transaction left a state that breaks an invariant."""


def invariant(function: Invariant) -> Invariant:
    """Mark a function as an invariant, for `invariants_of` to find; it fails by an `assert`."""
    function._invariant = True  # type: ignore[attr-defined]
    return function


def invariants_of(module: ModuleType) -> list[Invariant]:
    """Return the invariants of a module, in the order in which they were written."""
    return [function for function in vars(module).values() if getattr(function, "_invariant", False)]
