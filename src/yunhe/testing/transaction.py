"""A transaction of a test, and the machine that runs it: once on modules as pytest imported them, once on metered ones."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Concatenate, NoReturn, ParamSpec

from yunhe.contracts import Context, Signer, prices
from yunhe.contracts.codes import CONTRACT_FAULT, OK
from yunhe.contracts.faults import ContractStop
from yunhe.contracts.machine import Machine
from yunhe.contracts.meter import UNLIMITED
from yunhe.contracts.module import ContractModule, Entry
from yunhe.contracts.overlay import CommittedState
from yunhe.contracts.value_types import Room
from yunhe.crypto import ED25519_SHA256
from yunhe.ledger.codec import Value, encode
from yunhe.ledger.interfaces import BlockContext, Event, Write
from yunhe.ledger.transaction import Call as LedgerCall
from yunhe.ledger.transaction import Signer as SignerKey
from yunhe.ledger.transaction import TransactionBody
from yunhe.limits import HASH_BYTES, RECORD_BYTES_MAX, SALT_BYTES

P = ParamSpec("P")


class MeteredDifferenceError(AssertionError):
    """A call did something else when it was metered as on a node."""


class Call:
    """An action with its arguments, for a transaction of several calls."""

    def __init__(self, action: Callable[Concatenate[Context, P], object], /, *args: P.args, **kwargs: P.kwargs) -> None:
        self.action: Callable[..., Any] = action
        self.args: tuple[Any, ...] = args
        self.kwargs: dict[str, Any] = kwargs


@dataclass(frozen=True, slots=True)
class PlainCall:
    """A call as a transaction holds it."""

    contract: str
    entry: Entry
    arguments: dict[str, Value]

    def __str__(self) -> str:
        return f"{self.contract}.{self.entry.name}"


@dataclass(frozen=True, slots=True)
class Request:
    """A transaction, or the question of a view."""

    block: BlockContext
    state: CommittedState
    """As it was before."""
    signers: tuple[Signer, ...]
    calls: tuple[PlainCall, ...]
    is_view: bool

    def signed_bytes(self, gas_limit: int) -> int:
        """Return how many bytes the transaction has when Ed25519 keys have signed it; they are a part of its gas."""
        signers = tuple(SignerKey(signer.organisation, signer.member, ED25519_SHA256.name, bytes(32)) for signer in self.signers)
        calls = tuple(LedgerCall(call.contract, call.entry.name, call.arguments) for call in self.calls)
        body = TransactionBody(bytes(HASH_BYTES), signers, calls, self.block.time_ms, gas_limit, bytes(SALT_BYTES))
        return len(encode([body.encode(), [bytes(64)] * len(signers)]))

    def __str__(self) -> str:
        return ", ".join(map(str, self.calls))


@dataclass(frozen=True, slots=True)
class Ran:
    """What a transaction did, or a view answered."""

    code: str
    """OK, or what it ended with."""
    failure: Exception | None = None
    """What stopped it, where that is known."""
    results: tuple[Value, ...] = ()
    """One for each call, if the code is OK."""
    events: tuple[Event, ...] = ()
    writes: tuple[Write, ...] = ()


class Side:
    """A machine with what it needs to run single transactions: plain or metered."""

    def __init__(self, modules: Callable[[str, bool], ContractModule]) -> None:
        self.machine = Machine(modules, _no_code)

    def run(self, request: Request, gas_limit: int) -> Ran:
        """Run the calls in order; the first that is refused or fails ends it."""
        __tracebackhide__ = True
        machine = self.machine
        machine.begin_block(request.block, request.state)
        machine.begin_transaction(gas_limit, request.signers, read_only=request.is_view)
        results: list[Value] = []
        try:
            if gas_limit != UNLIMITED and not request.is_view:
                self._pay_for_bytes(request.signed_bytes(gas_limit))
            for call in request.calls:
                results.append(machine.run(call.contract, call.entry.name, call.arguments, view=request.is_view))
        except Exception as error:  # noqa: BLE001  # whatever a contract raises is what came of it
            if len(request.calls) > 1:
                error.add_note(f"in call {len(results) + 1} of {len(request.calls)} of the transaction: {request.calls[len(results)]}")
            return Ran(error.code if isinstance(error, ContractStop) else CONTRACT_FAULT, error)
        return Ran(OK, None, tuple(results), tuple(machine.events), self.writes())

    def _pay_for_bytes(self, size: int) -> None:
        """Charge for the transaction itself, as `yunhe.contracts.runner` does."""
        self.machine.meter.charge(prices.TRANSACTION + size * prices.TRANSACTION_BYTE)
        self.machine.meter.hold(size * prices.TRANSACTION_BYTE_MEMORY)

    def writes(self) -> tuple[Write, ...]:
        """Return what the last transaction changed."""
        return self.machine.writes.net_writes()


def plain_arguments(entry: Entry, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Value]:
    """Turn a test's arguments into those of a transaction, as a client would."""
    bound = inspect.signature(entry.function).bind(None, *args, **kwargs)
    room, plain = Room(RECORD_BYTES_MAX), {}
    for name, value in bound.arguments.items():
        if name in entry.parameters:
            try:
                plain[name] = entry.parameters[name].to_plain(value, room)
            except ContractStop as stop:
                stop.add_note(f"in the argument {name} of {entry.name}")
                raise
    return plain


def _no_code(name: str, code_hash: bytes) -> NoReturn:  # noqa: ARG001  # the shape that a machine asks for
    raise ContractStop("CONTRACT_NOT_FOUND", f"a chain knows no code of {name} by its hash; call chain.deploy to upgrade it")
