"""A transaction of a test, and the machine that runs it: once on modules as pytest imported them, once on metered ones."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Concatenate, NoReturn, ParamSpec

from yunhe.contracts import Context, Signer
from yunhe.contracts.faults import ContractStop
from yunhe.contracts.machine import Machine
from yunhe.contracts.module import ContractModule, Entry
from yunhe.contracts.overlay import CommittedState
from yunhe.contracts.value_types import Room
from yunhe.ledger.codec import Value
from yunhe.ledger.interfaces import BlockContext, Write
from yunhe.limits import RECORD_BYTES_MAX

P = ParamSpec("P")


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

    def __str__(self) -> str:
        return ", ".join(map(str, self.calls))


class Side:
    """A machine with what it needs to run single transactions: plain or metered."""

    def __init__(self, modules: Callable[[str, bool], ContractModule]) -> None:
        self.machine = Machine(modules, _no_code)

    def run(self, request: Request, gas_limit: int) -> list[Value]:
        """Run the calls in order and return their results; the first that is refused or fails ends it."""
        machine = self.machine
        machine.begin_block(request.block, request.state)
        machine.begin_transaction(gas_limit, request.signers, read_only=request.is_view)
        results = []
        for index, call in enumerate(request.calls):
            try:
                results.append(machine.run(call.contract, call.entry.name, call.arguments, view=request.is_view))
            except Exception as error:
                if len(request.calls) > 1:
                    error.add_note(f"in call {index + 1} of {len(request.calls)} of the transaction: {call}")
                raise
        return results

    def writes(self) -> tuple[Write, ...]:
        """Return what the last transaction changed."""
        return self.machine.writes.net_writes()


def plain_arguments(entry: Entry, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Value]:
    """Turn a test's arguments into those of a transaction, as a client would."""
    bound = inspect.signature(entry.function).bind(None, *args, **kwargs)
    room = Room(RECORD_BYTES_MAX)
    return {name: entry.parameters[name].to_plain(value, room) for name, value in bound.arguments.items() if name in entry.parameters}


def _no_code(name: str, code_hash: bytes) -> NoReturn:  # noqa: ARG001  # the shape that a machine asks for
    raise ContractStop("CONTRACT_NOT_FOUND", f"a chain knows no code of {name} by its hash; call chain.deploy to upgrade it")
