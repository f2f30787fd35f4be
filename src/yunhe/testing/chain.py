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
from typing import Any, Concatenate, NoReturn, ParamSpec, TypeVar, cast

from yunhe.contracts import Context, Event, Org, Record, Signer
from yunhe.contracts.calls import running_machine
from yunhe.contracts.codes import CONTRACT_FAULT, OK
from yunhe.contracts.faults import ContractStop
from yunhe.contracts.index_building import rebuild_indexes
from yunhe.contracts.loader import Loader
from yunhe.contracts.machine import Machine
from yunhe.contracts.meter import UNLIMITED
from yunhe.contracts.module import ContractModule, Entry
from yunhe.contracts.overlay import CommittedState
from yunhe.contracts.records import RecordType
from yunhe.contracts.value_types import Room
from yunhe.crypto import SHA256
from yunhe.ledger.codec import Value, encode
from yunhe.ledger.interfaces import BlockContext, Write
from yunhe.ledger.interfaces import Event as PlainEvent
from yunhe.ledger.layouts import DEFAULT_PARAMETERS, GAS_LIMIT_MAX
from yunhe.limits import RECORD_BYTES_MAX
from yunhe.testing.memory import MemoryState

P = ParamSpec("P")
R = TypeVar("R")
E = TypeVar("E", bound=Event)

_BEGINNING_MS = 1_767_225_600_000
"""Time of a new chain: 2026-01-01 00:00 UTC."""


class UnsavedChangeError(AssertionError):
    """An action changed a record that it had loaded, and neither saved nor discarded it."""


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
        self._plain = _Side(self._plain_module)
        self._metered = _Side(self._metered_module) if metered else None
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
            self._rebuild_indexes(ContractModule(deployed_as, vars(before)), ContractModule(deployed_as, vars(contract)))
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

    # --- Asking -----------------------------------------------------------------------------------------------------

    def view(self, view: Callable[Concatenate[Context, P], R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Ask a view of a deployed contract."""
        return cast("R", self._run((), view, args, kwargs, is_view=True))

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

    def _run(
        self, signers: Sequence[Signer], function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], *, is_view: bool
    ) -> Any:
        contract = self._contract_of(function)
        module = self._plain_module(contract, is_view)
        entry = module.entry(function.__name__, view=is_view)
        request = _Request(
            BlockContext(self.height, self.time_ms),
            CommittedState(self.state),
            tuple(signers),
            contract,
            entry.name,
            _plain_arguments(entry, args, kwargs),
            is_view,
        )
        unsaved = _Unsaved()
        self._plain.machine.watch = None if is_view else unsaved
        token = running_machine.set(self._plain.machine)
        failure: Exception | None = None
        result: Value = None
        try:
            result = self._plain.run(request, UNLIMITED)
        except Exception as error:  # noqa: BLE001  # compared below, then raised as it was
            failure = error
        finally:
            running_machine.reset(token)
        if self._metered is not None:
            self._compare(self._metered, request, result, failure)
        if failure is not None:
            raise failure
        unsaved.check()
        if not is_view:
            self._commit(module)
        return entry.result.from_plain(result)

    def _commit(self, module: ContractModule) -> None:
        machine = self._plain.machine
        self.events = [self._typed_event(event, module) for event in machine.events]
        self.state.apply(self._plain.writes())
        self.height += 1

    def _typed_event(self, event: PlainEvent, module: ContractModule) -> Event:
        owner = module if event.contract == module.name else self._plain_module(event.contract, False)
        return cast("Event", owner.events[event.name].from_plain(event.fields))

    def _compare(self, side: "_Side", request: "_Request", result: Value, failure: Exception | None) -> None:
        """Run the call as a node would and compare; leaves no trace but the gas."""
        metered_result: Value = None
        metered_failure: Exception | None = None
        try:
            metered_result = side.run(request, DEFAULT_PARAMETERS[GAS_LIMIT_MAX])
        except Exception as error:  # noqa: BLE001  # compared here
            metered_failure = error
        self.gas_used = side.machine.meter.used
        call = f"{request.contract}.{request.name}"
        plain_code, metered_code = _code(failure), _code(metered_failure)
        if plain_code != metered_code:
            raise MeteredDifferenceError(
                f"{call} ends with {plain_code} as plain Python and with {metered_code} on a node: {metered_failure}"
            ) from (metered_failure or failure)
        if failure is not None:
            return
        same = result == metered_result and self._plain.writes() == side.writes()
        if not same or self._plain.machine.events != side.machine.events:
            raise MeteredDifferenceError(f"{call} has another result, other writes or other events on a node")

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
        declared = ContractModule(name, vars(module))
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
        """
        signers = [member.signer for member in self._members]
        return cast("R", self._chain._run(signers, action, args, kwargs, is_view=False))


class Member(Signers):
    """A member of an organisation."""

    def __init__(self, chain: Chain, signer: Signer) -> None:
        super().__init__(chain, (self,))
        self.signer = signer

    @property
    def organisation(self) -> Org:
        """The member's organisation."""
        return self.signer.organisation


@dataclass(frozen=True, slots=True)
class _Request:
    """One call."""

    block: BlockContext
    state: CommittedState
    """As it was before the call."""
    signers: tuple[Signer, ...]
    contract: str
    name: str
    arguments: dict[str, Value]
    is_view: bool


class _Side:
    """A machine with what it needs to run single calls: plain or metered."""

    def __init__(self, modules: Callable[[str, bool], ContractModule]) -> None:
        self.machine = Machine(modules, _no_code)

    def run(self, request: _Request, gas_limit: int) -> Value:
        machine = self.machine
        machine.begin_block(request.block, request.state)
        machine.begin_transaction(gas_limit, request.signers, read_only=request.is_view)
        return machine.run(request.contract, request.name, request.arguments, view=request.is_view)

    def writes(self) -> tuple[Write, ...]:
        return self.machine.writes.net_writes()


class _Unsaved:
    """Follows loaded records, to find one that was changed and not saved."""

    def __init__(self) -> None:
        self._loaded: list[tuple[str, RecordType, Record]] = []
        self._stored: dict[int, bytes] = {}
        """Encoding of each loaded record as it was loaded or last stored, by the object's identity."""

    def loaded(self, table: str, kind: RecordType, record: Record, data: bytes) -> None:
        self._loaded.append((table, kind, record))
        self._stored[id(record)] = data

    def stored(self, record: Record, data: bytes) -> None:
        if id(record) in self._stored:
            self._stored[id(record)] = data

    def discarded(self, record: Record) -> None:
        self._loaded = [entry for entry in self._loaded if entry[2] is not record]

    def check(self) -> None:
        """Compare each loaded record with what is stored of it.

        Raises:
            UnsavedChangeError: one was changed since.
        """
        for table, kind, record in self._loaded:
            if encode(kind.to_plain(record, Room(RECORD_BYTES_MAX))) != self._stored[id(record)]:
                raise UnsavedChangeError(
                    f"a {kind.name} loaded from {table} was changed and not saved: {record!r}; "
                    f"call {table}.save(...), or {table}.discard(...) if the change is not to be stored"
                )


def _plain_arguments(entry: Entry, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Value]:
    """Turn a test's arguments into those of a transaction, as a client would."""
    bound = inspect.signature(entry.function).bind(None, *args, **kwargs)
    room = Room(RECORD_BYTES_MAX)
    return {name: entry.parameters[name].to_plain(value, room) for name, value in bound.arguments.items() if name in entry.parameters}


def _no_code(name: str, code_hash: bytes) -> NoReturn:  # noqa: ARG001  # the shape that a machine asks for
    raise ContractStop("CONTRACT_NOT_FOUND", f"a chain knows no code of {name} by its hash; call chain.deploy to upgrade it")


def _code(failure: Exception | None) -> str:
    if failure is None:
        return OK
    return failure.code if isinstance(failure, ContractStop) else CONTRACT_FAULT
