"""Members of organisations, who sign the transactions of tests."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar, cast

from yunhe.contracts import Context, Org, Signer
from yunhe.contracts.faults import ContractStop
from yunhe.contracts.system_contracts import registry
from yunhe.limits import CALLS_MAX, NAME_CHARS_MAX, SIGNERS_MAX
from yunhe.testing.transaction import Call

if TYPE_CHECKING:
    from yunhe.testing.chain import Chain

P = ParamSpec("P")
R = TypeVar("R")


class Signers:
    """Members who sign one transaction."""

    def __init__(self, chain: "Chain", members: "Sequence[Member]") -> None:
        if not 1 <= len(members) <= SIGNERS_MAX or len(set(map(id, members))) < len(members):
            raise ValueError(f"a transaction has 1 to {SIGNERS_MAX} signers, each once")
        self._chain = chain
        self.members = tuple(members)

    def call(self, action: Callable[Concatenate[Context, P], R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Call an action of a deployed contract in a transaction of its own, and return its result.

        Raises:
            UnsavedChangeError: it forgot to save a record.
            MeteredDifferenceError: it does something else on a node.
            InvariantError: it breaks an invariant that the chain keeps.
        """
        __tracebackhide__ = True
        return cast("R", self.transact(Call(action, *args, **kwargs))[0])

    def transact(self, *calls: Call) -> list[Any]:
        """Make several calls in one transaction, all of which take effect or none, and return their results.

        Raises:
            UnsavedChangeError: one forgot to save a record.
            MeteredDifferenceError: the transaction does something else on a node.
            InvariantError: it breaks an invariant that the chain keeps.
        """
        __tracebackhide__ = True
        if not 1 <= len(calls) <= CALLS_MAX:
            raise ValueError(f"a transaction has 1 to {CALLS_MAX} calls, not {len(calls)}")
        return self._chain._run(self.signers, calls, is_view=False)

    @property
    def signers(self) -> list[Signer]:
        """The members as a contract sees them, the sender first."""
        return [member.signer for member in self.members]

    def __str__(self) -> str:
        """Return the members in a few words."""
        return ", ".join(map(str, self.members))


class Member(Signers):
    """A member of an organisation."""

    def __init__(self, chain: "Chain", signer: Signer) -> None:
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


def check_contract_name(name: str) -> None:
    """Refuse the name that the life cycle refuses to deploy a contract under.

    Raises:
        ContractStop: it is no name.
    """
    _check_name("contract's name", name)


def _check_name(what: str, name: str) -> None:
    if not registry.is_name(name):
        reason = f"the {what} {name!r} is no name: a-z, 0-9 and _, beginning with a letter, at most {NAME_CHARS_MAX} characters"
        raise ContractStop("NOT_A_NAME", reason)


def check_names(member: str, roles: Sequence[str]) -> None:
    """Refuse what the registry refuses when a member is enrolled.

    Raises:
        ContractStop: a name is none, or there are too many roles.
        TypeError: the roles are one text.
    """
    if isinstance(roles, str):
        raise TypeError(f"roles is a list of names, such as [{roles!r}], not a text")
    if len(roles) > registry.ROLES_MAX:
        raise ContractStop("TOO_MANY_ROLES", f"a member has at most {registry.ROLES_MAX} roles, not {len(roles)}")
    for what, name in (("member", member), *(("role", role) for role in roles)):
        _check_name(what, name)
