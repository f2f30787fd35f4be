"""What an action or view knows of its transaction and block: the typed `ctx` argument."""

from dataclasses import dataclass
from typing import Final, NamedTuple

from yunhe.contracts.codes import ROLE_REQUIRED, SIGNER_REQUIRED
from yunhe.contracts.faults import Fault, Refusal
from yunhe.contracts.scalars import Org

NOBODY: Final = str.__new__(Org, "")
"""The sender where nobody signed."""


@dataclass(frozen=True, slots=True)
class Signer:
    """A member who signed the transaction."""

    organisation: Org
    member: str
    roles: tuple[str, ...]
    """Roles of the member in its organisation: `admin`, `operator`, `auditor`, and those that contracts name."""


class Context(NamedTuple):
    """Who asks, and when. One is made for each call, which a named tuple does fastest."""

    sender: Org
    """Organisation of the first signer. In a view that a query asks for it is empty, which is no organisation's name."""
    signers: tuple[Signer, ...]
    """All signers in signing order; none in a view that a query asks for."""
    caller: str | None
    """Contract that called this one; None when a transaction or a query did."""
    contract: str
    """Name under which the running contract is deployed."""
    time_ms: int
    """Block time, milliseconds since 1970-01-01 UTC."""
    height: int
    """Height of the block being made; in a view, of the state that is asked."""


def require_signer(ctx: Context, organisation: Org) -> None:
    """Refuse with SIGNER_REQUIRED unless a member of `organisation` signed the transaction (CON-109)."""
    _check(ctx, organisation)
    # CON-109
    for signer in ctx.signers:
        if signer.organisation == organisation:
            return
    raise Refusal(SIGNER_REQUIRED, f"{organisation} did not sign")


def require_role(ctx: Context, role: str, organisation: Org | None = None) -> None:
    """Refuse with ROLE_REQUIRED unless a signer of `organisation`, by default of the sender's, has the role (CON-109)."""
    wanted = ctx.sender if organisation is None else organisation
    _check(ctx, role, wanted)
    # CON-109
    for signer in ctx.signers:
        if signer.organisation == wanted and role in signer.roles:
            return
    raise Refusal(ROLE_REQUIRED, f"no signer of {wanted} is {role}")


def _check(ctx: object, *texts: object) -> None:
    """Refuse a record of the contract that looks like a context, and what could be of any size in the text of a refusal."""
    # CON-109, CON-133
    if type(ctx) is not Context or not all(isinstance(text, str) for text in texts):
        raise Fault("require_signer and require_role take the context; organisations and roles are text")
