"""What random calls find: how one call is judged, and how a long sequence that shows a finding is made short.

The sequence is of concrete calls, so a shorter one is tried by making it from the beginning again. Nothing here needs Hypothesis.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Final, NoReturn

from yunhe.contracts.codes import CONTRACT_FAULT
from yunhe.contracts.faults import ContractStop
from yunhe.testing.chain import Chain
from yunhe.testing.members import Signers
from yunhe.testing.places import Place, PlacedError, place_in, place_of

_ROUNDS_MAX: Final = 20
"""How often everything that may make a sequence simpler is tried; each round but the last made it simpler."""
_SIMPLE: Final[dict[type, tuple[Any, ...]]] = {
    bool: (False,),
    int: (0, 1, 2),
    str: ("", "a", "b"),
    bytes: (b"", b"a"),
    list: ([],),
    dict: ({},),
}
"""The values of a type that say least, the simplest first."""


class FindingError(PlacedError):
    """Random calls found what a contract must not do; the message lists them, and `place` is the contract's or the invariant's line."""


@dataclass(frozen=True, slots=True)
class Step:
    """One call of a sequence."""

    signers: Signers | None
    """None where a view is asked."""
    action: Callable[..., Any]
    arguments: dict[str, Any]
    pause_ms: int = 0
    """Time that passes before it."""

    def __str__(self) -> str:
        """Return the call as it is listed."""
        later = f"{self.pause_ms} ms later, " if self.pause_ms else ""
        who = "view" if self.signers is None else self.signers
        return f"{later}{who}: {self.action.__name__}({', '.join(f'{name}={value!r}' for name, value in self.arguments.items())})"


@dataclass(frozen=True, slots=True)
class Finding:
    """What a call did that no call must do."""

    kind: tuple[str, ...]
    """The same for what is one finding to a reader."""
    text: str
    cause: BaseException | None


class Trial:
    """A chain on which calls are made and judged, from one beginning as often as needed."""

    def __init__(self, chain: Chain, codes: frozenset[str]) -> None:
        """Let trials begin with the chain as it is now, and allow refusals with these codes."""
        self.chain = chain
        self._beginning = chain.snapshot()
        self._codes = codes

    def begin(self) -> None:
        """Go back to the beginning."""
        self.chain.rewind(self._beginning)

    def make(self, step: Step) -> Finding | bool:
        """Make a call; return whether it took effect, or what was found."""
        __tracebackhide__ = True
        before = self.chain.state.records()
        self.chain.advance(step.pause_ms)
        name = step.action.__name__
        try:
            if step.signers is None:
                self.chain.view(step.action, **step.arguments)
            else:
                step.signers.call(step.action, **step.arguments)
        except AssertionError as error:
            return Finding((type(error).__name__, name), str(error), error)
        except ContractStop as stop:
            if stop.code not in self._codes:
                return Finding((stop.code, name), f"the last of these calls ends with {stop}{_place(stop, step.action)}", stop)
        except Exception as error:  # noqa: BLE001  # what no contract must raise is what is looked for
            kind = type(error).__name__
            text = f"the last of these calls ends with {CONTRACT_FAULT}: {kind}: {error}{_place(error, step.action)}"
            return Finding((CONTRACT_FAULT, kind, name), text, error)
        else:
            return step.signers is not None
        if self.chain.state.records() != before:
            return Finding(("changed", name), "the last of these calls was refused and changed the state", None)
        return False

    def find(self, steps: list[Step]) -> Finding | None:
        """Make calls from the beginning and return what the last one shows, if those before it show nothing."""
        self.begin()
        for position, step in enumerate(steps, 1):
            found = self.make(step)
            if isinstance(found, Finding):
                return found if position == len(steps) else None
        return None


def fail_with(trial: Trial, steps: list[Step], finding: Finding) -> NoReturn:
    """Fail with the shortest and simplest sequence of calls that is found to show the finding.

    Raises:
        FindingError: always.
    """
    __tracebackhide__ = True
    search = _Reduction(trial, steps, finding)
    search.run()
    listed = "".join(f"\n  {number}. {step}" for number, step in enumerate(search.steps, 1))
    last, cause = search.steps[-1].action.__code__, search.finding.cause
    place = None if cause is None else place_of(cause)
    raise FindingError(search.finding.text + listed, place or Place(last.co_filename, last.co_firstlineno)) from cause


class _Reduction:
    """A sequence that shows a finding, and gets shorter and simpler."""

    def __init__(self, trial: Trial, steps: list[Step], finding: Finding) -> None:
        self.steps = steps
        self.finding = finding
        self._trial = trial

    def run(self) -> None:
        for _ in range(_ROUNDS_MAX):
            before = self.steps
            self._leave_out()
            self._hurry()
            self._sign_alone()
            self._simplify()
            if self.steps == before:
                break

    def _accept(self, steps: list[Step]) -> bool:
        """Go on with other steps if they show the same."""
        found = self._trial.find(steps)
        if found is None or found.kind != self.finding.kind:
            return False
        self.steps, self.finding = steps, found
        return True

    def _leave_out(self) -> None:
        for position in reversed(range(len(self.steps) - 1)):
            gone, following, *others = self.steps[position:]
            later = replace(following, pause_ms=gone.pause_ms + following.pause_ms)
            # If not with the time that passes before it, then without the call alone.
            if not self._accept([*self.steps[:position], following, *others]):
                self._accept([*self.steps[:position], later, *others])

    def _hurry(self) -> None:
        for position in range(len(self.steps)):
            while any(self._accept(steps) for steps in self._with_shorter_pause(position)):
                pass

    def _with_shorter_pause(self, position: int) -> Iterator[list[Step]]:
        step = self.steps[position]
        for pause_ms in _simpler(step.pause_ms):
            yield [*self.steps[:position], replace(step, pause_ms=pause_ms), *self.steps[position + 1 :]]

    def _sign_alone(self) -> None:
        for position, step in enumerate(self.steps):
            for member in step.signers.members if step.signers is not None and len(step.signers.members) > 1 else ():
                if self._accept([*self.steps[:position], replace(step, signers=member), *self.steps[position + 1 :]]):
                    break

    def _simplify(self) -> None:
        for position, step in enumerate(self.steps):
            for name in step.arguments:
                while self._simplify_value(position, name):
                    pass

    def _simplify_value(self, position: int, name: str) -> bool:
        """Put a simpler value in the place of one, if possible wherever it stands: a key has to stay one key."""
        old = self.steps[position].arguments[name]
        for new in _simpler(old):
            everywhere = [replace(step, arguments=_with(step.arguments, old, new)) for step in self.steps]
            here = replace(self.steps[position], arguments={**self.steps[position].arguments, name: new})
            if self._accept(everywhere) or self._accept([*self.steps[:position], here, *self.steps[position + 1 :]]):
                return True
        return False


def _with(arguments: dict[str, Any], old: object, new: object) -> dict[str, Any]:
    return {name: new if type(value) is type(old) and value == old else value for name, value in arguments.items()}


def _simpler(value: Any) -> Iterator[Any]:
    """Return values of the same type that are simpler, the simplest first; an integer also in ever smaller steps towards 0."""
    for simple in _SIMPLE.get(type(value), ()):
        if simple == value:
            return
        yield simple
    if type(value) is int:
        shift = 1
        while delta := abs(value) >> shift:
            yield value - delta if value > 0 else value + delta
            shift += 1


def _place(error: BaseException, action: Callable[..., Any]) -> str:
    """Return the contract's line that an error came from."""
    place = place_in(error, action.__code__.co_filename)
    return "" if place is None else f" ({place.file}, line {place.line})"
