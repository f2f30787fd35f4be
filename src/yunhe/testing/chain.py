"""A chain in memory that runs contracts as they were imported: pytest sees their exceptions, a debugger stops in their lines.

Each call is one transaction. It first runs plainly; then, unless told otherwise, the same call runs checked and metered as on a node, and
anything that differs fails the test: so what a test shows holds on a node. A record that an action loaded, changed and forgot to save fails
the test as well. Time is for the test to move; by itself it moves a millisecond for each block, because no two blocks of a ledger have the
same time. As on a node, a refused transaction is in a block too, and a view sees height and time of the last block.

What runs a transaction besides plain Python, and where it is committed, is said by the methods below "Where it runs"; a chain on a real
node (`yunhe.testing.node_chain`) has others there.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Concatenate, ParamSpec, TypeVar, cast, overload

from yunhe.contracts import Context, Event, Log, Map, Org, Record, Signer, Table
from yunhe.contracts.calls import running_machine
from yunhe.contracts.codes import CONTRACT_FAULT
from yunhe.contracts.faults import ContractStop
from yunhe.contracts.loader import Loader
from yunhe.contracts.meter import UNLIMITED
from yunhe.contracts.module import ContractModule
from yunhe.contracts.overlay import CommittedState
from yunhe.contracts.system_contracts import registry
from yunhe.crypto import SHA256
from yunhe.ledger.interfaces import BlockContext, StateReader, Write
from yunhe.ledger.interfaces import Event as PlainEvent
from yunhe.ledger.layouts import ACTIVE, DEFAULT_PARAMETERS, GAS_LIMIT_MAX, REGISTRY, encode_record, member_key, organisation_key
from yunhe.testing.invariants import Invariant, InvariantError
from yunhe.testing.members import Member, Signers, check_contract_name, check_names
from yunhe.testing.memory import MemoryState
from yunhe.testing.modules import module_source, read_module
from yunhe.testing.rows import Change, changes, contract_of, table_rows
from yunhe.testing.transaction import Call, MeteredDifferenceError, PlainCall, Ran, Request, Side, plain_arguments
from yunhe.testing.unsaved import UnsavedChanges
from yunhe.testing.upgrade import Upgrade

P = ParamSpec("P")
R = TypeVar("R")
E = TypeVar("E", bound=Event)
T = TypeVar("T", bound=Record)
K = TypeVar("K", bound=str | int | bytes | tuple[Any, ...])
V = TypeVar("V", bound=str | int | bytes | bool)

BEGINNING_MS = 1_767_225_600_000
"""Time of a new chain: 2026-01-01 00:00 UTC."""


BLOCK_MS = 1
"""By how much the time of a block is later than that of the one before, if a test does not move it."""


class NotRefusedError(AssertionError):
    """A call was expected to be refused with a code, and was not, or with another one."""


class Chain:
    """Organisations, members, contracts and their state, in memory."""

    def __init__(self, *, metered: bool = True) -> None:
        """Make an empty chain.

        Args:
            metered: whether each call is repeated as a node runs it, and compared.
        """
        self._state = MemoryState()
        self.time_ms = BEGINNING_MS
        """Time of the next block, if later than that of the last; set it, or move it with `advance`. After a call it is its block's."""
        self._last = BlockContext(0, BEGINNING_MS - BLOCK_MS)
        """The last block."""
        self.gas_used = 0
        """Gas of the last call, if calls are repeated metered; that of a transaction is for signers with Ed25519 keys."""
        self.events: list[Event] = []
        """Events of the last call that succeeded."""
        # Every ledger has it: contracts ask it who is there.
        self._modules: dict[str, ModuleType] = {REGISTRY: registry}
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

        A name that is taken already is upgraded as an accepted vote would do it: what is stored must stay readable, indexes are built, and
        the action `migrate` runs, if there is one (SYS-024 to SYS-026). The registry is there already.

        Args:
            contract: the module, imported from a file.
            name: under which it is deployed.
            is_system: whether it may import from `yunhe.contracts.system`.

        Raises:
            ContractRefusedError: a node would not accept its source.
            ContractStop: the name is none or the registry's, or the upgrade would be refused: it would lose records, its indexes cannot be
                built over those that are there, or its migration refuses.
            ValueError: the module has no source file.
        """
        deployed_as = name or contract.__name__.rpartition(".")[2]
        if contract is registry:
            return
        check_contract_name(deployed_as)
        if deployed_as == REGISTRY:
            raise ContractStop("SYSTEM_CONTRACT", f"{REGISTRY} is a system contract: deploy yours under another name")
        source, loaded = module_source(contract), dict(self._loaded)
        if self._metered is not None:
            loaded[deployed_as] = Loader(self._metered.machine, SHA256).load(deployed_as, source, is_system=is_system)
        before = self._modules.get(deployed_as)
        if before is not None:
            upgrade = Upgrade(deployed_as, module_source(before), source, self._next(), CommittedState(self._state))
            writes = upgrade.run(self._plain, before, contract)
            if self._metered is not None:
                upgrade.compare(self._metered, self._loaded[deployed_as], loaded[deployed_as], writes)
            self._state.apply(writes)
        self._modules[deployed_as], self._loaded = contract, loaded

    def member(self, organisation: str, member: str = "operator", *, roles: Sequence[str] = ()) -> "Member":
        """Return a member of an organisation, who can call actions; the same one each time. Roles given replace earlier ones.

        Both are enrolled in the registry, which contracts may ask.

        Raises:
            ContractStop: a name is none, or there are too many roles, as the registry would refuse it.
            ValueError: the organisation's name is none.
        """
        check_names(member, roles)
        signer = Signer(Org(organisation), member, tuple(sorted(set(roles))))
        known = self._members.get((organisation, member))
        if known is None:
            known = self._members[organisation, member] = Member(self, signer)
            self._enrol(signer)
        elif roles and known.signer != signer:
            known.signer = signer
            self._enrol(signer)
        return known

    def together(self, *members: "Member") -> "Signers":
        """Return members who sign one transaction together; the first is the sender."""
        return Signers(self, members)

    def advance(self, milliseconds: int) -> None:
        """Move the time of the next block ahead by 0 or more milliseconds."""
        if type(milliseconds) is not int or milliseconds < 0:
            raise ValueError(f"time moves ahead by whole milliseconds, not by {milliseconds!r}")
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
        return Snapshot(self._state.records(), self.time_ms, self._last, dict(self._modules), dict(self._loaded))

    def rewind(self, snapshot: "Snapshot") -> None:
        """Go back to a snapshot of this chain, as often as needed; the last call's events and changes are forgotten."""
        self._state.replace(snapshot.records)
        self.time_ms, self._last = snapshot.time_ms, snapshot.last
        self._modules, self._loaded = dict(snapshot.modules), dict(snapshot.loaded)
        self.events, self.changes = [], []
        for known in self._members.values():
            self._enrol(known.signer)

    @property
    def contracts(self) -> dict[str, ModuleType]:
        """Contracts that are deployed, by name."""
        return dict(self._modules)

    @property
    def state(self) -> MemoryState:
        """All records, by state key."""
        return self._state

    @property
    def height(self) -> int:
        """Height of the next block."""
        return self._last.height + 1

    # --- Asking -----------------------------------------------------------------------------------------------------

    def view(self, view: Callable[Concatenate[Context, P], R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Ask a view of a deployed contract."""
        __tracebackhide__ = True
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
                return table_rows(table, self._committed())
        raise LookupError(f"{table.name or 'the table'} belongs to no contract deployed on this chain: call chain.deploy first")

    @contextmanager
    def refuses(self, code: str) -> Iterator[None]:
        """Expect what is inside to be refused with `code`; `CONTRACT_FAULT` stands for any exception that is no refusal.

        Raises:
            NotRefusedError: it was not.
        """
        __tracebackhide__ = True
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
        __tracebackhide__ = True
        request = Request(
            self._last if is_view else self._next(),
            CommittedState(self._committed()),
            tuple(signers),
            tuple(self._plain_call(call, is_view=is_view) for call in calls),
            is_view,
        )
        unsaved = UnsavedChanges()
        self._plain.machine.watch = None if is_view else unsaved
        token = running_machine.set(self._plain.machine)
        try:
            ran = self._plain.run(request, UNLIMITED)
        finally:
            running_machine.reset(token)
        again = self._repeat(request)
        if again is not None:
            _compare(request, ran, again)
        if not is_view:
            self._last, self.time_ms = request.block, request.block.time_ms
        if ran.failure is not None:
            raise ran.failure
        unsaved.check()
        if not is_view:
            self._commit(ran, request.state)
            self._check_invariants(f"after {request}")
        return [call.entry.result.from_plain(result) for call, result in zip(request.calls, ran.results, strict=True)]

    def _plain_call(self, call: Call, *, is_view: bool) -> PlainCall:
        contract = self._contract_of(call.action)
        entry = self._plain_module(contract, is_view).entry(call.action.__name__, view=is_view)
        return PlainCall(contract, entry, plain_arguments(entry, call.args, call.kwargs))

    def _next(self) -> BlockContext:
        """Return what contracts see of the next block."""
        return BlockContext(self._last.height + 1, max(self.time_ms, self._last.time_ms + BLOCK_MS))

    def _commit(self, ran: Ran, before: CommittedState) -> None:
        touched = {event.contract for event in ran.events} | {contract_of(state_key) for state_key, _ in ran.writes}
        modules = {name: self._plain_module(name, False) for name in sorted(touched)}
        self.events = [self._typed_event(event, modules[event.contract]) for event in ran.events]
        self.changes = changes(ran.writes, before, modules.values())
        self._apply(ran.writes)

    def _check_invariants(self, moment: str) -> None:
        __tracebackhide__ = True
        for check in self._invariants:
            try:
                check(self)
            except AssertionError as error:
                changed = "".join(f"\n  {change}" for change in self.changes)
                raise InvariantError(f"{check.__name__} does not hold {moment}: {error}{changed}") from error

    def _typed_event(self, event: PlainEvent, owner: ContractModule) -> Event:
        return cast("Event", owner.events[event.name].from_plain(event.fields))

    # --- Where it runs ----------------------------------------------------------------------------------------------

    def _enrol(self, signer: Signer) -> None:
        """Put a member on record."""
        organisation, member = signer.organisation, signer.member
        fields = {"organisation": organisation, "status": ACTIVE}
        self._state.apply(
            [
                (organisation_key(organisation), encode_record({**fields, "title": organisation})),
                (member_key(organisation, member), encode_record({**fields, "member": member, "roles": list(signer.roles)})),
            ]
        )

    def _committed(self) -> StateReader:
        """Return the state after the last block."""
        return self._state

    def _apply(self, writes: tuple[Write, ...]) -> None:
        """Take over what a transaction changed."""
        self._state.apply(writes)

    def _repeat(self, request: Request) -> Ran | None:
        """Run the transaction as a node would, if that is wanted; leaves no trace but the gas."""
        if self._metered is None:
            return None
        ran = self._metered.run(request, DEFAULT_PARAMETERS[GAS_LIMIT_MAX])
        self.gas_used = self._metered.machine.meter.used
        return ran

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
        if loaded is None and name == REGISTRY:
            assert self._metered is not None
            loader = Loader(self._metered.machine, SHA256)
            loaded = self._loaded[name] = loader.load(name, module_source(registry), is_system=True)
        if loaded is None:
            raise ContractStop("CONTRACT_NOT_FOUND", f"no contract {name} is deployed on this chain")
        return loaded


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A moment of a chain, to go back to."""

    records: dict[bytes, bytes]
    """The whole state, by state key."""
    time_ms: int
    last: BlockContext
    """The last block."""
    modules: dict[str, ModuleType]
    """Contracts as they were imported, by name."""
    loaded: dict[str, ContractModule]
    """Contracts as a node loads them, by name; empty where calls are not repeated metered."""


def _compare(request: Request, plain: Ran, node: Ran) -> None:
    """Fail if a transaction, or a view, does something else on a node.

    Raises:
        MeteredDifferenceError: it does.
    """
    __tracebackhide__ = True
    if plain.code != node.code:
        reason = "" if node.failure is None else f": {node.failure}"
        raise MeteredDifferenceError(f"{request} ends with {plain.code} as plain Python and with {node.code} on a node{reason}") from (
            node.failure or plain.failure
        )
    if (plain.results, plain.events, plain.writes) != (node.results, node.events, node.writes):
        raise MeteredDifferenceError(f"{request} has another result, other writes or other events on a node")
