"""Runs one transaction un-metered, with contracts as the plain Python that they are: for debuggers, never to decide anything.

Contracts are loaded from the state as on a node, but compiled as they were written, under the name of a file that has their source; so a
debugger stops in their lines and shows them. What ends a call is kept with its traceback. Nothing counts gas, and integers, text and the
like are Python's own: a transaction that was refused for what only metering sees goes on here. There is no jail: a contract runs with the
rights of this process.
"""

import ast
import builtins
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from yunhe.contracts import codes
from yunhe.contracts.calls import running_machine
from yunhe.contracts.checker import check
from yunhe.contracts.faults import ContractStop
from yunhe.contracts.machine import Machine
from yunhe.contracts.meter import UNLIMITED
from yunhe.contracts.module import ContractModule
from yunhe.contracts.overlay import CommittedState
from yunhe.contracts.runner import BlockRunner
from yunhe.contracts.system import system_functions
from yunhe.contracts.vocabulary import SDK_MODULE
from yunhe.crypto import ChainHash
from yunhe.errors import ContractRefusedError, Finding, NotPermittedError, YunheError
from yunhe.ledger.codec import Value
from yunhe.ledger.interfaces import BlockContext, Event, StateReader, Write
from yunhe.ledger.transaction import Transaction

PlaceSource: TypeAlias = Callable[[str, str], str]
"""Given a contract's name and source, puts the source into a file and returns its absolute path."""


@dataclass(frozen=True, slots=True)
class PlainOutcome:
    """What a transaction did, un-metered."""

    code: str
    call_index: int
    """Call that ended it; -1 when none did or the end was before the calls."""
    results: tuple[Value, ...] = ()
    events: tuple[Event, ...] = ()
    writes: tuple[Write, ...] = ()
    """Net writes, ascending by key."""
    error: Exception | None = field(default=None, repr=False, compare=False)
    """What ended a call, with its traceback."""


class PlainLoader:
    """Loads contracts as plain modules for one machine."""

    def __init__(self, machine: Machine, chain_hash: ChainHash, place: PlaceSource) -> None:
        self._machine = machine
        self._chain_hash = chain_hash
        self._place = place

    def load(self, name: str, source: str, *, is_system: bool) -> ContractModule:
        """Load a contract.

        Raises:
            ContractRefusedError: the source is outside the subset, or its module level does not run.
        """
        tree = check(source, system=is_system).tree
        namespace: dict[str, Any] = {"__builtins__": vars(builtins), "__name__": name}
        code = compile(source, self._place(name, source), "exec", dont_inherit=True, optimize=0)
        try:
            exec(code, namespace)  # noqa: S102  # the whole point; the source was checked
            namespace |= self._bound(tree)
            module = ContractModule(name, namespace)
        except (ContractStop, ArithmeticError, LookupError, NameError, TypeError, ValueError, AttributeError) as error:
            refusal = Finding("CON-129", 0, 0, f"the module level does not run: {type(error).__name__}", "see `yunhe contract check`")
            raise ContractRefusedError([refusal]) from error
        module.attach(self._machine)
        return module

    def _bound(self, tree: ast.Module) -> dict[str, Any]:
        """Return what of a contract's imports depends on the ledger: functions of system contracts (CON-146)."""
        imports = [node for node in tree.body if isinstance(node, ast.ImportFrom) and node.module != SDK_MODULE]
        if not imports:
            return {}
        bound = system_functions(self._machine, self._chain_hash)
        return {alias.name: bound[alias.name] for node in imports for alias in node.names}


class PlainRunner(BlockRunner):
    """Runs single transactions."""

    def __init__(self, chain_hash: ChainHash, place: PlaceSource) -> None:
        """Make a runner.

        Args:
            chain_hash: the ledger's.
            place: puts each source that is loaded into a file.
        """
        super().__init__(chain_hash, lambda machine, own_hash: PlainLoader(machine, own_hash, place))

    def run(self, context: BlockContext, transaction: Transaction, state: StateReader, entering: Callable[[int], None]) -> PlainOutcome:
        """Run a transaction.

        Args:
            context: of its block.
            transaction: with any signatures; its signers count as they are enrolled in the state.
            state: that it finds.
            entering: is told of each call before it runs.

        Raises:
            YunheError: the state cannot be read.
        """
        machine = self._machine
        machine.begin_block(context, CommittedState(state))
        self._authorised.clear()
        try:
            signers = self._authorise(transaction.body.signers)
        except NotPermittedError as error:
            return PlainOutcome(error.code, -1)
        machine.begin_transaction(UNLIMITED, signers)
        results: list[Value] = []
        token = running_machine.set(machine)
        try:
            for index, call in enumerate(transaction.body.calls):
                entering(index)
                results.append(machine.run(call.contract, call.action, call.arguments, view=False))
        except ContractStop as stop:
            return PlainOutcome(stop.code, len(results), error=stop)
        except YunheError:
            raise
        except Exception as error:  # noqa: BLE001  # a contract can raise whatever Python raises, as in a metered run
            return PlainOutcome(codes.CONTRACT_FAULT, len(results), error=error)
        finally:
            running_machine.reset(token)
        return PlainOutcome(codes.OK, -1, tuple(results), tuple(machine.events), machine.writes.net_writes())
