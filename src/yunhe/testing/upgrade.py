"""An upgrade of a contract in a test, as the life cycle contract makes it once a vote is accepted (SYS-024 to SYS-026)."""

from dataclasses import dataclass
from types import ModuleType

from yunhe.contracts.calls import running_machine
from yunhe.contracts.index_building import rebuild_indexes
from yunhe.contracts.meter import UNLIMITED
from yunhe.contracts.module import ContractModule
from yunhe.contracts.overlay import CommittedState
from yunhe.contracts.upgrading import require_readable
from yunhe.ledger.interfaces import BlockContext, Write
from yunhe.ledger.layouts import DEFAULT_PARAMETERS, GAS_LIMIT_MAX, LIFECYCLE
from yunhe.testing.modules import read_module
from yunhe.testing.transaction import MeteredDifferenceError, Side
from yunhe.testing.unsaved import UnsavedChanges


@dataclass(frozen=True, slots=True)
class Upgrade:
    """What replaces what, and on which state."""

    contract: str
    old: str
    """Source that the contract has."""
    new: str
    """Source that it is to have."""
    block: BlockContext
    state: CommittedState

    def run(self, side: Side, old: ModuleType, new: ModuleType) -> tuple[Write, ...]:
        """Make the upgrade plainly, on modules as they were imported, and return what it writes.

        Raises:
            ContractStop: it is refused.
            UnsavedChangeError: the migration forgot to save a record.
        """
        before, after = read_module(self.contract, old), read_module(self.contract, new)
        after.attach(side.machine)
        unsaved = UnsavedChanges()
        side.machine.watch = unsaved
        token = running_machine.set(side.machine)
        try:
            writes = self._writes(side, before, after, UNLIMITED)
        finally:
            running_machine.reset(token)
        unsaved.check()
        return writes

    def compare(self, side: Side, old: ContractModule, new: ContractModule, writes: tuple[Write, ...]) -> None:
        """Make the upgrade as a node does, for the highest gas limit, and compare.

        Raises:
            MeteredDifferenceError: it writes something else.
        """
        if self._writes(side, old, new, DEFAULT_PARAMETERS[GAS_LIMIT_MAX]) != writes:
            raise MeteredDifferenceError(f"the migration of {self.contract} has other writes on a node")

    def _writes(self, side: Side, old: ContractModule, new: ContractModule, gas_limit: int) -> tuple[Write, ...]:
        machine = side.machine
        machine.begin_block(self.block, self.state)
        machine.begin_transaction(gas_limit, ())
        machine.contract, machine.stack = LIFECYCLE, [LIFECYCLE]
        require_readable(machine, self.contract, self.old, self.new)
        rebuild_indexes(machine, old, new)
        machine.migrate(new)
        return side.writes()
