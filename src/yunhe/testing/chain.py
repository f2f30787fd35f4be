"""A chain in memory that runs contracts as they were imported: pytest sees their exceptions, a debugger stops in their lines.

Each call is one transaction. It first runs plainly; then, unless told otherwise, the same call runs checked and metered as on a node, and
anything that differs fails the test: so what a test shows holds on a node. A record that an action loaded, changed and forgot to save fails
the test as well. Time stands still until the test moves it.
"""

import inspect
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Concatenate, ParamSpec, TypeVar, cast, overload

from yunhe.contracts import Context, Event, Log, Map, Org, Record, Signer, Table
from yunhe.contracts.calls import running_machine
from yunhe.contracts.codes import CONTRACT_FAULT, OK
from yunhe.contracts.faults import ContractStop
from yunhe.contracts.index_building import rebuild_indexes
from yunhe.contracts.loader import Loader
from yunhe.contracts.meter import UNLIMITED
from yunhe.contracts.module import ContractModule
from yunhe.contracts.overlay import CommittedState
from yunhe.crypto import SHA256
from yunhe.ledger.codec import Value
from yunhe.ledger.interfaces import BlockContext
from yunhe.ledger.interfaces import Event as PlainEvent
from yunhe.ledger.layouts import DEFAULT_PARAMETERS, GAS_LIMIT_MAX
from yunhe.testing.invariants import Invariant, InvariantError
from yunhe.testing.memory import MemoryState
from yunhe.testing.modules import read_module
from yunhe.testing.rows import Change, changes, contract_of, table_rows
from yunhe.testing.transaction import Call, PlainCall, Request, Side, plain_arguments
from yunhe.testing.unsaved import UnsavedChanges

P = ParamSpec("P")
R = TypeVar("R")
E = TypeVar("E", bound=Event)
T = TypeVar("T", bound=Record)
K = TypeVar("K", bound=str | int | bytes | tuple[Any, ...])
V = TypeVar("V", bound=str | int | bytes | bool)

_BEGINNING_MS = 1_767_225_600_000
"""Time of a new chain: 2026-01-01 00:00 UTC."""


class NotRefusedError(AssertionError):
    """A call was expected to be refused with a code, and was not, or with another one."""


class MeteredDifferenceError(AssertionError):
    """A call did something else when it was metered as on a node."""


class Chain:
    """Organisations, members, contracts and their state, in memory."""

    def __init__(self, *, metered: bool = True) -> None:
        """Make an empty chain.

        Args:
            metered: whether each call is repeated as a node runs it, and compared.
        """
        self.state = MemoryState()
        self.time_ms = _BEGINNING_MS
        """Time of the next block; set it, or move it with `advance`."""
        self.height = 1
        """Height of the next block."""
        self.gas_used = 0
        """Gas of the last call, if calls are repeated metered."""
        self.events: list[Event] = []
        """Events of the last call that succeeded."""
        self._modules: dict[str, ModuleType] = {}
        self.changes: list[Change] = []
        """What the last call that succeeded changed: each row of a table, map or log before and after."""
        self._plain = Side(self._plain_module)
        self._metered = Side(self._metered_module) if metered else None
        self._invariants: list[Invariant] = []
        self._loaded: dict[str, ContractModule] = {}
        self._members: dict[tuple[str, str], Member] = {}

    # --- Setting up -------------------------------------------------------------------------------------------------

    def deploy(self, contract: ModuleType, name: str | None = None, *, is_system: bool = False) -> None:
        """Deploy an imported contract module, under the last part of its module name unless another one is given.

        A name that is taken already is upgraded, its indexes included, as an accepted vote would do it (SYS-024).

        Args:
            contract: the module.
            name: under which it is deployed.
            is_system: whether it may import from `yunhe.contracts.system`.

        Raises:
            ContractRefusedError: a node would not accept its source.
            ContractStop: indexes of the new module cannot be built over the records that are there.
        """
        deployed_as = name or contract.__name__.rpartition(".")[2]
        if self._metered is not None:
            loader = Loader(self._metered.machine, SHA256)
            self._loaded[deployed_as] = loader.load(deployed_as, inspect.getsource(contract), is_system=is_system)
        before = self._modules.get(deployed_as)
        if before is not None:
            self._rebuild_indexes(read_module(deployed_as, before), read_module(deployed_as, contract))
        self._modules[deployed_as] = contract

    def _rebuild_indexes(self, old: ContractModule, new: ContractModule) -> None:
        machine = self._plain.machine
        machine.begin_block(BlockContext(self.height, self.time_ms), CommittedState(self.state))
        machine.begin_transaction(UNLIMITED, ())
        rebuild_indexes(machine, old, new)
        self.state.apply(self._plain.writes())

    def member(self, organisation: str, member: str = "operator", *, roles: Sequence[str] = ()) -> "Member":
        """Return a member of an organisation, who can call actions; the same one each time. Roles given replace earlier ones."""
        known = self._members.setdefault((organisation, member), Member(self, Signer(Org(organisation), member, ())))
        if roles:
            known.signer = Signer(Org(organisation), member, tuple(roles))
        return known

    def together(self, *members: "Member") -> "Signers":
        """Return members who sign one transaction together; the first is the sender."""
        return Signers(self, members)

    def advance(self, milliseconds: int) -> None:
        """Move the time of the next block ahead."""
        self.time_ms += milliseconds

    def keep(self, *invariants: Invariant) -> None:
        """Check invariants after each transaction from now on, and once now.

        Raises:
            InvariantError: one does not hold.
        """
        self._invariants += invariants
        self._check_invariants("before any call")

    # --- Going back -------------------------------------------------------------------------------------------------

    def snapshot(self) -> "Snapshot":
        """Return what `rewind` needs to come back to this moment: state, time, height and the contracts deployed."""
        return Snapshot(self.state.records(), self.time_ms, self.height, dict(self._modules), dict(self._loaded))

    def rewind(self, snapshot: "Snapshot") -> None:
        """Go back to a snapshot of this chain, as often as needed; the last call's events and changes are forgotten."""
        self.state.replace(snapshot.records)
        self.time_ms, self.height = snapshot.time_ms, snapshot.height
        self._modules, self._loaded = dict(snapshot.modules), dict(snapshot.loaded)
        self.events, self.changes = [], []

    @property
    def contracts(self) -> dict[str, ModuleType]:
        """Contracts that are deployed, by name."""
        return dict(self._modules)

    # --- Asking -----------------------------------------------------------------------------------------------------

    def view(self, view: Callable[Concatenate[Context, P], R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Ask a view of a deployed contract."""
        return cast("R", self._run((), [Call(view, *args, **kwargs)], is_view=True)[0])

    @overload
    def rows(self, table: Table[T]) -> dict[Any, T]: ...
    @overload
    def rows(self, table: Map[K, V]) -> dict[K, V]: ...
    @overload
    def rows(self, table: Log[K, T]) -> dict[K, list[T]]: ...
    def rows(self, table: Table[Any] | Map[Any, Any] | Log[Any, Any]) -> dict[Any, Any]:
        """Return all rows of a table of a deployed contract by key, in the order of the keys; of a log, the entries of each key.

        They are copies: changing them changes nothing. A key of several fields is a tuple.
        """
        for name, module in self._modules.items():
            if any(value is table for value in vars(module).values()):
                self._plain_module(name, True)
                return table_rows(table, self.state)
        raise LookupError(f"{table.name or 'the table'} belongs to no contract deployed on this chain: call chain.deploy first")

    @contextmanager
    def refuses(self, code: str) -> Iterator[None]:
        """Expect what is inside to be refused with `code`; `CONTRACT_FAULT` stands for any exception that is no refusal.

        Raises:
            NotRefusedError: it was not.
        """
        try:
            yield
        except (AssertionError, GeneratorExit):
            raise
        except ContractStop as stop:
            if stop.code != code:
                raise NotRefusedError(f"refused with {stop.code}, not with {code}") from stop
            return
        except Exception as error:
            if code != CONTRACT_FAULT:
                raise NotRefusedError(f"failed with {type(error).__name__}, not refused with {code}") from error
            return
        raise NotRefusedError(f"not refused with {code}: it succeeded")

    def emitted(self, event: type[E]) -> list[E]:
        """Return the events of one type that the last successful call announced."""
        return [found for found in self.events if type(found) is event]

    # --- Running ----------------------------------------------------------------------------------------------------

    def _run(self, signers: Sequence[Signer], calls: Sequence[Call], *, is_view: bool) -> list[Any]:
        request = Request(
            BlockContext(self.height, self.time_ms),
            CommittedState(self.state),
            tuple(signers),
            tuple(self._plain_call(call, is_view=is_view) for call in calls),
            is_view,
        )
        unsaved = UnsavedChanges()
        self._plain.machine.watch = None if is_view else unsaved
        token = running_machine.set(self._plain.machine)
        failure: Exception | None = None
        results: list[Value] = []
        try:
            results = self._plain.run(request, UNLIMITED)
        except Exception as error:  # noqa: BLE001  # compared below, then raised as it was
            failure = error
        finally:
            running_machine.reset(token)
        if self._metered is not None:
            self._compare(self._metered, request, results, failure)
        if failure is not None:
            raise failure
        unsaved.check()
        if not is_view:
            self._commit()
            self._check_invariants(f"after {request}")
        return [call.entry.result.from_plain(result) for call, result in zip(request.calls, results, strict=True)]

    def _plain_call(self, call: Call, *, is_view: bool) -> PlainCall:
        contract = self._contract_of(call.action)
        entry = self._plain_module(contract, is_view).entry(call.action.__name__, view=is_view)
        return PlainCall(contract, entry, plain_arguments(entry, call.args, call.kwargs))

    def _commit(self) -> None:
        writes = self._plain.writes()
        touched = {event.contract for event in self._plain.machine.events} | {contract_of(state_key) for state_key, _ in writes}
        modules = {name: self._plain_module(name, False) for name in sorted(touched)}
        self.events = [self._typed_event(event, modules[event.contract]) for event in self._plain.machine.events]
        self.changes = changes(writes, self.state, modules.values())
        self.state.apply(writes)
        self.height += 1

    def _check_invariants(self, moment: str) -> None:
        for check in self._invariants:
            try:
                check(self)
            except AssertionError as error:
                changed = "".join(f"\n  {change}" for change in self.changes)
                raise InvariantError(f"{check.__name__} does not hold {moment}: {error}{changed}") from error

    def _typed_event(self, event: PlainEvent, owner: ContractModule) -> Event:
        return cast("Event", owner.events[event.name].from_plain(event.fields))

    def _compare(self, side: Side, request: Request, results: list[Value], failure: Exception | None) -> None:
        """Run the transaction as a node would and compare; leaves no trace but the gas."""
        metered_results: list[Value] = []
        metered_failure: Exception | None = None
        try:
            metered_results = side.run(request, DEFAULT_PARAMETERS[GAS_LIMIT_MAX])
        except Exception as error:  # noqa: BLE001  # compared here
            metered_failure = error
        self.gas_used = side.machine.meter.used
        plain_code, metered_code = _code(failure), _code(metered_failure)
        if plain_code != metered_code:
            raise MeteredDifferenceError(
                f"{request} ends with {plain_code} as plain Python and with {metered_code} on a node: {metered_failure}"
            ) from (metered_failure or failure)
        if failure is not None:
            return
        same = results == metered_results and self._plain.writes() == side.writes()
        if not same or self._plain.machine.events != side.machine.events:
            raise MeteredDifferenceError(f"{request} has another result, other writes or other events on a node")

    # --- Contracts --------------------------------------------------------------------------------------------------

    def _contract_of(self, function: Callable[..., Any]) -> str:
        for name, module in self._modules.items():
            if vars(module).get(function.__name__) is function:
                return name
        raise LookupError(f"{function.__module__} is not deployed on this chain: call chain.deploy first")

    def _plain_module(self, name: str, _view: bool) -> ContractModule:
        module = self._modules.get(name)
        if module is None:
            raise ContractStop("CONTRACT_NOT_FOUND", f"no contract {name} is deployed on this chain")
        # The module's tables are shared by all chains that deployed it: each binds them to itself before it runs.
        declared = read_module(name, module)
        declared.attach(self._plain.machine)
        return declared

    def _metered_module(self, name: str, _view: bool) -> ContractModule:
        loaded = self._loaded.get(name)
        if loaded is None:
            raise ContractStop("CONTRACT_NOT_FOUND", f"no contract {name} is deployed on this chain")
        return loaded


class Signers:
    """Members who sign one transaction."""

    def __init__(self, chain: Chain, members: "Sequence[Member]") -> None:
        self._chain = chain
        self._members = tuple(members)

    def call(self, action: Callable[Concatenate[Context, P], R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Call an action of a deployed contract in a transaction of its own, and return its result.

        Raises:
            UnsavedChangeError: it forgot to save a record.
            MeteredDifferenceError: it does something else on a node.
            InvariantError: it breaks an invariant that the chain keeps.
        """
        return cast("R", self.transact(Call(action, *args, **kwargs))[0])

    def transact(self, *calls: Call) -> list[Any]:
        """Make several calls in one transaction, all of which take effect or none, and return their results.

        Raises:
            UnsavedChangeError: one forgot to save a record.
            MeteredDifferenceError: the transaction does something else on a node.
            InvariantError: it breaks an invariant that the chain keeps.
        """
        return self._chain._run([member.signer for member in self._members], calls, is_view=False)


class Member(Signers):
    """A member of an organisation."""

    def __init__(self, chain: Chain, signer: Signer) -> None:
        super().__init__(chain, (self,))
        self.signer = signer

    @property
    def organisation(self) -> Org:
        """The member's organisation."""
        return self.signer.organisation

    def __str__(self) -> str:
        """Return organisation, member and roles in a few words."""
        roles = f" ({', '.join(self.signer.roles)})" if self.signer.roles else ""
        return f"{self.signer.organisation}/{self.signer.member}{roles}"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A moment of a chain, to go back to."""

    records: dict[bytes, bytes]
    """The whole state, by state key."""
    time_ms: int
    height: int
    modules: dict[str, ModuleType]
    """Contracts as they were imported, by name."""
    loaded: dict[str, ContractModule]
    """Contracts as a node loads them, by name; empty where calls are not repeated metered."""


def _code(failure: Exception | None) -> str:
    if failure is None:
        return OK
    return failure.code if isinstance(failure, ContractStop) else CONTRACT_FAULT
