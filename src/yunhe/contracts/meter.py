"""Gas and memory of one transaction.

Metered code subtracts from `left` and `memory` in line and calls `stop` when one is below zero; built-ins and tables use `charge` and
`hold`. Both are upper bounds that need no knowledge of the interpreter: memory counts what is allocated and is given back when the
transaction ends, not before (CON-124). Specification: docs/spec/contracts.md, "Gas".
"""

from typing import Final, NoReturn

from yunhe.contracts.faults import OutOfGas, OutOfMemory
from yunhe.limits import LIVE_MEMORY_BYTES_MAX

HELD_SHIFT: Final = 3
"""One gas for each 8 bytes that are allocated at once."""
UNLIMITED: Final = 2**62
"""Gas of a run that nothing bounds: a contract under pytest or a debugger."""


class Meter:
    """What a transaction may still spend."""

    __slots__ = ("left", "limit", "memory")

    def __init__(self) -> None:
        self.limit = 0
        """Gas that the transaction may use."""
        self.left = 0
        """Gas left; below zero once it is spent, and never raised again within the transaction (CON-125)."""
        self.memory = 0
        """Bytes that may still be allocated."""

    def start(self, limit: int) -> None:
        """Begin a transaction."""
        self.limit = self.left = limit
        self.memory = LIVE_MEMORY_BYTES_MAX

    @property
    def used(self) -> int:
        """Gas used so far; the whole limit once it is exceeded."""
        return self.limit - max(self.left, 0)

    def charge(self, gas: int) -> None:
        """Use gas before the work that costs it."""
        self.left -= gas
        if self.left < 0:
            raise OutOfGas

    def hold(self, size: int) -> None:
        """Count `size` bytes as allocated; making them costs gas, because the system hands memory out page by page."""
        # CON-124
        self.memory -= size
        if self.memory < 0:
            raise OutOfMemory
        self.left -= size >> HELD_SHIFT
        if self.left < 0:
            raise OutOfGas

    def stop(self) -> NoReturn:
        """End the call, because `left` or `memory` is below zero."""
        # CON-125
        if self.left < 0:
            raise OutOfGas
        raise OutOfMemory
