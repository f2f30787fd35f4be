"""Testing for contract authors: a chain in memory, for plain pytest. Shipped to users; nothing in production imports it.

```python
def test_a_stranger_cannot_transfer():
    chain = Chain()
    chain.deploy(bill_of_lading)
    carrier, thief = chain.member("carrier"), chain.member("thief")
    carrier.call(bill_of_lading.issue, bill_id="B1")
    with chain.refuses("NOT_HOLDER"):
        thief.call(bill_of_lading.transfer, bill_id="B1", to=thief.organisation)
```
"""

from typing import TYPE_CHECKING, Any

from yunhe.testing.chain import Chain, NotRefusedError, Snapshot
from yunhe.testing.findings import FindingError
from yunhe.testing.invariants import Invariant, InvariantError, invariant, invariants_of
from yunhe.testing.members import Member, Signers
from yunhe.testing.memory import MemoryState
from yunhe.testing.rows import Change
from yunhe.testing.transaction import Call, MeteredDifferenceError
from yunhe.testing.unsaved import UnsavedChangeError

__all__ = [
    "Call",
    "Chain",
    "Change",
    "FindingError",
    "Invariant",
    "InvariantError",
    "Member",
    "MemoryState",
    "MeteredDifferenceError",
    "NotRefusedError",
    "Signers",
    "Snapshot",
    "UnsavedChangeError",
    "invariant",
    "invariants_of",
    "stateful_test",
    "strategy_for",
]

if TYPE_CHECKING:
    from yunhe.testing.stateful import stateful_test
    from yunhe.testing.strategies import strategy_for


def __getattr__(name: str) -> Any:
    """Import what needs Hypothesis when it is asked for, so that everything else works without."""
    if name == "stateful_test":
        from yunhe.testing.stateful import stateful_test  # noqa: PLC0415  # as said above

        return stateful_test
    if name == "strategy_for":
        from yunhe.testing.strategies import strategy_for  # noqa: PLC0415  # as said above

        return strategy_for
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
