"""A ready test that throws random calls at any contract and fails with the shortest sequence that shows a finding.

```python
TestPoints = stateful_test(points, members={"alpha": ["issuer"], "beta": []}, invariants=[nothing_is_lost]).TestCase
```

Random members, with and without roles, alone or two together, call random actions with existing and unknown keys, with what rows hold and
values beside it, with small and extreme ones; time moves. A finding is a fault of the contract, a code that is not declared, a broken
invariant, a forgotten `save`, a call that does something else metered, or a refused call that changed the state. Views are asked too.
"""

import sys
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import ModuleType
from typing import Any, ClassVar, Final

from yunhe.contracts import codes
from yunhe.contracts.interface import interface_of
from yunhe.contracts.module import ContractModule, Entry
from yunhe.errors import ExtraMissingError, StatefulTestInvalidError
from yunhe.testing.chain import BLOCK_MS, Chain
from yunhe.testing.findings import Finding, Step, Trial, fail_with
from yunhe.testing.invariants import Invariant
from yunhe.testing.members import Member, Signers
from yunhe.testing.modules import module_source, read_module
from yunhe.testing.places import caller_place
from yunhe.testing.rows import AddressedRow, addressed_rows, held_values
from yunhe.testing.strategies import TIMES, strategy_for

try:
    from hypothesis import Phase, Verbosity, settings
    from hypothesis import strategies as st
    from hypothesis.stateful import RuleBasedStateMachine, rule
except ModuleNotFoundError as error:
    raise ExtraMissingError("testing", "hypothesis") from error

_RUNTIME_CODES = frozenset(
    {
        codes.ALREADY_EXISTS,
        codes.INTEGER_OUT_OF_RANGE,
        codes.NOT_FOUND,
        codes.ROLE_REQUIRED,
        codes.SCAN_TOO_LONG,
        codes.SIGNER_REQUIRED,
        codes.VALUE_TOO_LARGE,
    }
)
"""Refusals by the SDK that random calls may meet in a contract without a mistake."""

_ACTION_WEIGHT: Final = 4
"""How much more often an action is called than a view is asked."""
_PAUSES_MS: Final = (*(0,) * 10, 1, 86_400_000)
"""Time before a call: mostly none, else a moment, a day, or what is missing to a time that a row holds."""
_LATER_MS: Final = (0, 1_000, 86_400_000, 30 * 86_400_000, 366 * 86_400_000)
"""How much later than now the times are that actions are given."""
_PAUSE_MS_MAX: Final = 10 * 366 * 86_400_000
"""A number in a row that is a later time than this from now is taken for something else than a time."""


@dataclass(frozen=True, slots=True)
class _Subject:
    """A contract under test."""

    trial: Trial
    module: ContractModule
    entries: tuple[str, ...]
    """Names of what is called, each as often as its weight says."""
    members: tuple[Member, ...]


class ContractMachine(RuleBasedStateMachine):
    """Random calls of one contract; `stateful_test` makes the class for it."""

    subject: ClassVar[_Subject]

    def __init__(self) -> None:
        super().__init__()
        self.subject.trial.begin()
        self._steps: list[Step] = []
        """Calls that took effect."""
        self._time_ms = self.subject.trial.chain.time_ms
        """Time of the last of them."""

    # One rule for all actions: Hypothesis leaves rules out of a run by chance, and most findings need several actions.
    @rule(data=st.data())
    def call(self, data: st.DataObject) -> None:
        """Let members call one action, after some time or none, or ask a view; most often it is about a record that is there."""
        __tracebackhide__ = True
        subject, chain = self.subject, self.subject.trial.chain
        name = data.draw(st.sampled_from(subject.entries), label="action")
        action = subject.module.actions.get(name)
        entry = action or subject.module.views[name]
        known = held_values(subject.module, chain.state)
        pause_ms = 0 if action is None else self._pause(known, data)
        rows = addressed_rows(subject.module, chain.state, entry.parameters)
        row = data.draw(st.sampled_from([*[None] * (1 + len(rows) // 4), *rows]), label="row")
        signers = None if action is None else self._signers(row, data)
        if row is not None and data.draw(st.booleans(), label="with values of the row"):
            known = row.values
        now_ms = chain.time_ms + pause_ms
        known.setdefault("int", []).append(now_ms)
        known[TIMES] = [now_ms + later_ms for later_ms in _LATER_MS] + [value for value in known["int"] if value > now_ms]
        known.setdefault("Org", []).extend(dict.fromkeys(signer.organisation for signer in ([] if signers is None else signers.signers)))
        organisations = sorted({member.organisation for member in subject.members})
        drawn = data.draw(strategy_for(entry.function, organisations=organisations, known=known), label="arguments")
        given = drawn if row is None else drawn | row.key
        arguments = {name: given[name] for name in entry.parameters}
        self._make(Step(signers, entry.function, arguments, pause_ms))

    def _pause(self, known: Mapping[str, Sequence[Any]], data: st.DataObject) -> int:
        now_ms = self.subject.trial.chain.time_ms
        times = [value for value in known.get("int", ()) if 0 < value - now_ms <= _PAUSE_MS_MAX]
        pause_ms = data.draw(st.sampled_from([*_PAUSES_MS, *([None] if times else [])]), label="pause")
        return data.draw(st.sampled_from(times), label="until") - now_ms if pause_ms is None else pause_ms

    def _signers(self, row: AddressedRow | None, data: st.DataObject) -> Signers:
        """Return a member, most often one of an organisation that the record names; every third time with a second signer."""
        subject = self.subject
        named = [] if row is None else [member for member in subject.members if member.organisation in row.values.get("Org", ())]
        first = data.draw(st.sampled_from([*subject.members, *named * 3]), label="member")
        second = data.draw(st.sampled_from([*[None] * (2 * len(subject.members)), *subject.members]), label="second signer")
        return first if second is None or second is first else subject.trial.chain.together(first, second)

    def _make(self, step: Step) -> None:
        __tracebackhide__ = True
        chain = self.subject.trial.chain
        # Calls that were refused since changed nothing but the time, so the sequence is shorter without them.
        since_ms = chain.time_ms + max(step.pause_ms, BLOCK_MS) - self._time_ms
        told = replace(step, pause_ms=0 if since_ms == BLOCK_MS else since_ms)
        found = self.subject.trial.make(step)
        if isinstance(found, Finding):
            fail_with(self.subject.trial, [*self._steps, told], found)
        if found:
            self._steps.append(told)
            self._time_ms = chain.time_ms


def stateful_test(
    contract: ModuleType,
    *,
    members: Mapping[str, Sequence[str]],
    invariants: Iterable[Invariant] = (),
    actions: Collection[Callable[..., Any]] | None = None,
    refusals: Collection[str] | None = None,
    prepare: Callable[[Chain], None] | None = None,
    metered: bool = True,
) -> type[ContractMachine]:
    """Return a state machine for a contract; its `TestCase` is what pytest collects.

    How long it searches is for Hypothesis' settings to say: those of the profile that is loaded, or of `TestCase.settings`.

    Args:
        contract: the imported module.
        members: organisations that call, with the roles of their member; one more member without any role calls for each that has some.
        invariants: checked after each call.
        actions: that are called, and views that are asked; all by default.
        refusals: codes that calls may be refused with. By default those that the texts of all deployed contracts declare and those of
            tables and signers.
        prepare: called with the chain after the deployment: to deploy what the contract calls, and for calls that random ones build on.
        metered: whether each call is repeated as on a node, and compared.

    Raises:
        StatefulTestInvalidError: nobody calls, or there is nothing to call.
        ContractRefusedError: a node would not accept the contract.
        InvariantError: an invariant does not hold at the beginning.
    """
    if not members:
        raise StatefulTestInvalidError(
            "members is empty, so nobody calls: name an organisation and its roles, such as members={'alpha': []}"
        )
    chain = Chain(metered=metered)
    chain.deploy(contract)
    # Members with roles call twice as often as those without: most actions refuse the latter.
    callers = [chain.member(organisation, roles=roles) for organisation, roles in members.items()] * 2
    callers += [chain.member(organisation, "trainee") for organisation, roles in members.items() if roles]
    if prepare is not None:
        prepare(chain)
    chain.keep(*invariants)
    module = read_module(contract.__name__.rpartition(".")[2], contract)
    declared = {code for deployed in chain.contracts.values() for code in interface_of(module_source(deployed)).refusals}
    allowed = _RUNTIME_CODES | declared if refusals is None else frozenset(refusals)
    subject = _Subject(Trial(chain, allowed), module, _entries(module, actions), tuple(callers))
    machine: type[ContractMachine] = type(f"{module.name.title().replace('_', '')}Machine", (ContractMachine,), {"subject": subject})
    # A finding is made short by making its calls again, which is quicker than Hypothesis' way, and is all that a reader needs.
    phases = [phase for phase in machine.TestCase.settings.phases if phase not in (Phase.shrink, Phase.explain)]
    machine.TestCase.settings = settings(machine.TestCase.settings, phases=phases, report_multiple_bugs=False, verbosity=Verbosity.quiet)
    # Its class is Hypothesis' own, so the report of a test (`yunhe.pytest_plugin`) asks here where it stands.
    machine.TestCase.yunhe_place = caller_place(sys._getframe())  # type: ignore[attr-defined]
    return machine


def _entries(module: ContractModule, chosen: Collection[Callable[..., Any]] | None) -> tuple[str, ...]:
    """Return the names of what is called, each as often as its weight says.

    Raises:
        StatefulTestInvalidError: there is nothing, or one is no action or view of the contract.
    """
    there: dict[str, Entry] = {**module.actions, **module.views}
    if chosen is None:
        names = (*tuple(module.actions) * _ACTION_WEIGHT, *module.views)
    else:
        names = tuple(function.__name__ for function in chosen)
        foreign = [function.__name__ for function in chosen if getattr(there.get(function.__name__), "function", None) is not function]
        if foreign:
            raise StatefulTestInvalidError(f"{', '.join(foreign)}: no action or view of {module.name}; it has {', '.join(there) or 'none'}")
    if not names:
        raise StatefulTestInvalidError(f"{module.name} has nothing to call: no action and no view{'' if chosen is None else ' is named'}")
    return names
