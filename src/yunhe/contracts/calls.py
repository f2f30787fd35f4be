"""Functions and decorators of the contract API: entries, refusals, events, calls to other contracts.

They work on the machine of the contract that runs. A module that a node loads gets `emit`, `call` and `call_view` bound to its machine; a
module that is imported plainly finds the machine of the test that runs it here.
"""

import re
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final, NoReturn, TypeVar

from yunhe.contracts.faults import Fault, Refusal
from yunhe.contracts.module import mark
from yunhe.contracts.records import Event
from yunhe.contracts.vocabulary import REFUSAL_CODE_PATTERN, RESERVED_CODES

if TYPE_CHECKING:
    from collections.abc import Callable

    from yunhe.contracts.machine import Machine

F = TypeVar("F", bound="Callable[..., Any]")

_CODE: Final = re.compile(REFUSAL_CODE_PATTERN, re.ASCII)

running_machine: "ContextVar[Machine]" = ContextVar("running_machine")
"""Machine of the plainly imported contract that runs."""


def action(function: F) -> F:
    """Make a function of the module an action: what transactions call."""
    mark(function, "action")
    return function


def view(function: F) -> F:
    """Make a function of the module a view: what queries call; it cannot write (CON-111)."""
    mark(function, "view")
    return function


def require(condition: object, code: str) -> None:
    """Refuse the transaction with `code` unless the condition holds (CON-108).

    Args:
        condition: anything; its truth counts.
        code: a literal of upper-case letters, digits and underscores, at most 40 characters.
    """
    if not condition:
        refuse(code)


def refuse(code: str) -> NoReturn:
    """Refuse the transaction with `code` (CON-108); nothing that it did takes effect."""
    # CON-108
    if type(code) is not str or not _CODE.fullmatch(code) or code in RESERVED_CODES:
        raise Fault("a refusal code is A-Z, 0-9 and _, at most 40 characters, and none of the runtime's own")
    raise Refusal(code)


def emit(event: Event) -> None:
    """Announce an event; it goes into the receipt if the transaction succeeds (CON-107)."""
    _machine().emit(event)


def call(contract: str, action: str, /, **arguments: Any) -> Any:
    """Call an action of another contract (CON-112).

    The other contract sees this one as `ctx.caller` and the same `ctx.sender`. Arguments and result are copied; records come back as maps.
    If it refuses, the whole transaction is refused with its code.
    """
    return _machine().call(contract, action, arguments, view=False)


def call_view(contract: str, view: str, /, **arguments: Any) -> Any:
    """Ask a view of another contract (CON-112); as `call`, but nothing can be written."""
    return _machine().call(contract, view, arguments, view=True)


def _machine() -> "Machine":
    machine = running_machine.get(None)
    if machine is None:
        raise RuntimeError("no contract is running: call actions through a `yunhe.testing.Chain`")
    return machine
