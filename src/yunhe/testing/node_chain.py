"""A chain on a real node: the same tests, with votes, keys, signatures, HTTP, the jailed contract worker and the store.

Each transaction runs twice: as plain Python on the node's own state, so that an exception points at the contract's line and a forgotten
`save` is found, and on the node; the receipt and the block's writes have to be the same. What a node cannot do ends the test as skipped:
going back, and writing records without a transaction.
"""

import unittest
from pathlib import Path
from types import ModuleType, TracebackType
from typing import NoReturn

from yunhe.contracts import Signer
from yunhe.contracts.faults import ContractStop
from yunhe.contracts.interface import interface_of
from yunhe.contracts.json_values import value_from_json
from yunhe.contracts.loader import inspect_source
from yunhe.contracts.system_contracts import governance, lifecycle, registry
from yunhe.errors import ViewRefusedError
from yunhe.ledger.interfaces import BlockContext, StateReader, Write
from yunhe.ledger.layouts import GOVERNANCE, LIFECYCLE, SYSTEM_CONTRACTS
from yunhe.ledger.receipt import OK
from yunhe.ledger.transaction import Call as LedgerCall
from yunhe.testing.chain import BEGINNING_MS, Chain, Snapshot
from yunhe.testing.members import check_contract_name
from yunhe.testing.memory import MemoryState
from yunhe.testing.modules import module_source
from yunhe.testing.scratch_node import ScratchNode
from yunhe.testing.transaction import MeteredDifferenceError, Ran, Request

_HOUR_MS = 3_600_000


class NodeChain(Chain):
    """A chain on a node of its own. Use as a context manager."""

    def __init__(self, folder: Path) -> None:
        """Make a network and start its node.

        Args:
            folder: where the node's folder is made; must not exist.

        Raises:
            YunheError: a node cannot run here; the message says why.
        """
        super().__init__(metered=False)
        # What is voted on before the test's first transaction happens in the hour before the time of a new chain.
        self._node = ScratchNode(folder, BEGINNING_MS - _HOUR_MS)
        self._modules |= {GOVERNANCE: governance, LIFECYCLE: lifecycle}
        self._sources: dict[str, str] = {}
        self._look()

    def __enter__(self) -> "NodeChain":
        """Return the chain."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Stop the node."""
        self._node.close()

    def deploy(self, contract: ModuleType, name: str | None = None, *, is_system: bool = False) -> None:
        """Deploy a contract, or upgrade it, by vote; as `Chain.deploy`. The system contracts are there already."""
        deployed_as = name or contract.__name__.rpartition(".")[2]
        if contract in (governance, lifecycle, registry):
            return
        check_contract_name(deployed_as)
        if deployed_as in SYSTEM_CONTRACTS:
            raise ContractStop("SYSTEM_CONTRACT", f"{deployed_as} is a system contract: deploy yours under another name")
        if is_system:
            _cannot("deploy a contract that may import from yunhe.contracts.system")
        source = module_source(contract)
        inspect_source(source, is_system=False)
        if self._sources.get(deployed_as) != source:
            self._node.deploy(deployed_as, source, upgrade=deployed_as in self._sources)
            self._sources[deployed_as] = source
            self._look()
        self._modules[deployed_as] = contract

    def snapshot(self) -> Snapshot:
        """End the test as skipped: a node cannot go back."""
        _cannot("go back to a snapshot")

    def rewind(self, snapshot: Snapshot) -> None:  # noqa: ARG002  # as Chain has it
        """End the test as skipped: a node cannot go back."""
        _cannot("go back to a snapshot")

    @property
    def state(self) -> MemoryState:
        """End the test as skipped: transactions alone write on a node, and `rows` reads."""
        _cannot("hand its records out to be written")

    # --- Where it runs ----------------------------------------------------------------------------------------------

    def _enrol(self, signer: Signer) -> None:
        self._node.enrol(signer.organisation, signer.member, signer.roles)
        self._look()

    def _committed(self) -> StateReader:
        return self._node.reader()

    def _apply(self, writes: tuple[Write, ...]) -> None:
        """Do nothing: the node has applied them."""

    def _repeat(self, request: Request) -> Ran:
        return self._ask(request) if request.is_view else self._submit(request)

    def _look(self) -> None:
        """See up to where the node has decided."""
        head = self._node.head
        self._last = BlockContext(head.height, head.time_ms)

    def _submit(self, request: Request) -> Ran:
        signers = [(signer.organisation, signer.member) for signer in request.signers]
        calls = [LedgerCall(call.contract, call.entry.name, call.arguments) for call in request.calls]
        placed = self._node.transact(signers, calls, request.block.time_ms)
        self._look()
        if (placed.height, placed.time_ms) != (request.block.height, request.block.time_ms):
            raise MeteredDifferenceError(f"{request} is in another block on a node: {placed.height}, at {placed.time_ms} ms")
        outcome = placed.receipt.outcome
        self.gas_used = outcome.gas_used
        return Ran(outcome.code, None, outcome.results, outcome.events, self._node.writes(placed.height))

    def _ask(self, request: Request) -> Ran:
        (call,) = request.calls
        try:
            result = self._node.view(call.contract, call.entry.name, call.arguments)
        except ViewRefusedError as error:
            return Ran(error.refusal, error)
        interface = interface_of(module_source(self._modules[call.contract]))
        return Ran(OK, None, (value_from_json(interface, call.entry.result.data(), result, "the result"),))


def _cannot(what: str) -> NoReturn:
    raise unittest.SkipTest(f"a node cannot {what}; this test runs with --chain plain or metered")
