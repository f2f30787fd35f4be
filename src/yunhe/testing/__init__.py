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

from yunhe.testing.chain import Chain, MeteredDifferenceError, NotRefusedError, Snapshot
from yunhe.testing.invariants import Invariant, InvariantError, invariant, invariants_of
from yunhe.testing.members import Member, Signers
from yunhe.testing.memory import MemoryState
from yunhe.testing.rows import Change
from yunhe.testing.transaction import Call
from yunhe.testing.unsaved import UnsavedChangeError

__all__ = [
    "Call",
    "Chain",
    "Change",
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
]
