"""Hypothesis strategies made of a contract's types: values that an action accepts, small ones and extreme ones.

```python
@given(arguments=strategy_for(points.issue, organisations=["alpha", "beta"]))
def test_issue_never_faults(arguments): ...
```

What a type admits is generated, not what the contract makes of it: most actions refuse much of it, which is what they are tested for.
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any, Final

from yunhe.contracts import Org
from yunhe.contracts.faults import ContractStop
from yunhe.contracts.records import RecordType
from yunhe.contracts.value_types import (
    BOOL,
    BYTES,
    INT,
    ORG,
    STR,
    ChoiceType,
    DictType,
    ListType,
    OptionalType,
    Room,
    ValueType,
    value_type,
)
from yunhe.errors import ExtraMissingError
from yunhe.limits import INTEGER_MAX, INTEGER_MIN, STATE_KEY_BYTES_MAX

try:
    from hypothesis import strategies as st
    from hypothesis.strategies import SearchStrategy
except ModuleNotFoundError as error:
    raise ExtraMissingError("testing", "hypothesis") from error

_ELEMENTS_MAX: Final = 4
"""Elements of a generated list or dict."""
_TEXT_CHARS_MAX: Final = 40

TIMES: Final = "_ms"
"""Ending of the names of parameters that are times, by the convention that a name ends with its unit."""

Known = Mapping[str, Sequence[Any]]
"""Values to be met more often, such as keys that exist, by the name of a parameter or of a type; times by `TIMES`."""


def strategy_for(
    action: Callable[..., Any], *, organisations: Sequence[str] = ("alpha", "beta"), known: Known | None = None
) -> SearchStrategy[dict[str, Any]]:
    """Return a strategy of keyword arguments for an action or view, without the context.

    Args:
        action: a function of a contract.
        organisations: that exist; one in a few values of type Org is another one.
        known: values to be met more often. Those under a parameter's name come to this parameter, those under the name of a type to all
            of the type; of integers also the next smaller and the next larger one, and lists that add up to them.
    """
    # The annotations of a contract are the types themselves: it cannot import from __future__.
    kinds = {name: value_type(kind) for name, kind in action.__annotations__.items() if name not in ("ctx", "return")}
    return st.fixed_dictionaries({name: _parameter(name, kind, organisations, known or {}) for name, kind in kinds.items()})


def strategy_of(kind: ValueType, *, organisations: Sequence[str], known: Known | None = None) -> SearchStrategy[Any]:
    """Return a strategy of values of one type of the closed list (CON-100)."""
    scalar = _scalar(kind, organisations)
    values = _composed(kind, organisations, known or {}) if scalar is None else scalar
    of_type = _known_as(kind.name, kind, known or {})
    return _mixed([(1, st.sampled_from(of_type)), (3, values)]) if of_type else values


def _parameter(name: str, kind: ValueType, organisations: Sequence[str], known: Known) -> SearchStrategy[Any]:
    values = strategy_of(kind, organisations=organisations, known=known)
    of_name = _known_as(name, kind, known)
    return _mixed([(3, st.sampled_from(of_name)), (2, values)]) if of_name else values


@st.composite
def _mixed(draw: st.DrawFn, parts: list[tuple[int, SearchStrategy[Any]]]) -> Any:
    """Draw from one of several strategies, each as often as its weight says: `one_of` gives all leaves the same."""
    return draw(draw(st.sampled_from([strategy for weight, strategy in parts for _ in range(weight)])))


@st.composite
def _parts_of(draw: st.DrawFn, totals: list[int]) -> list[int]:
    """Draw integers, mostly positive, that add up to one that is known."""
    total = draw(st.sampled_from(totals))
    cuts = sorted(draw(st.sets(st.integers(0, total), min_size=1, max_size=_ELEMENTS_MAX - 1)))
    return [end - start for start, end in pairwise([0, *cuts, total])]


def _known_as(name: str, kind: ValueType, known: Known) -> list[Any]:
    """Return the values that are known under a name, as far as they are of the type."""
    item = kind.item if isinstance(kind, OptionalType) else kind
    times = known.get(TIMES, ()) if name.endswith(TIMES) else ()
    values = [value for value in (*known.get(name, ()), *times) if _fits(item, value)]
    if item is not INT:
        return values
    return [near for near in sorted({near for value in values for near in (value - 1, value, value + 1)}) if _fits(item, near)]


def _fits(kind: ValueType, value: object) -> bool:
    try:
        kind.to_plain(value, Room(INTEGER_MAX))
    except ContractStop:
        return False
    return True


def _scalar(kind: ValueType, organisations: Sequence[str]) -> SearchStrategy[Any] | None:
    if kind is INT:
        return (
            st.integers(1, 20)
            | st.integers(1, 1_000_000)
            | st.sampled_from([0, -1, 1, INTEGER_MAX, INTEGER_MIN])
            | st.integers(INTEGER_MIN, INTEGER_MAX)
        )
    if kind is STR:
        return st.sampled_from(["a", "b", "c"]) | st.text(max_size=_TEXT_CHARS_MAX) | st.sampled_from(["", "x" * (STATE_KEY_BYTES_MAX + 1)])
    if kind is BYTES:
        return st.binary(max_size=_TEXT_CHARS_MAX) | st.just(bytes(STATE_KEY_BYTES_MAX + 1))
    if kind is BOOL:
        return st.booleans()
    if kind is ORG:
        return st.sampled_from([Org(name) for name in (*organisations, *organisations, "nobody_knows_it")])
    return st.sampled_from(list(kind.choice)) if isinstance(kind, ChoiceType) else None


def _composed(kind: ValueType, organisations: Sequence[str], known: Known) -> SearchStrategy[Any]:
    def of(part: ValueType) -> SearchStrategy[Any]:
        return strategy_of(part, organisations=organisations, known=known)

    if isinstance(kind, OptionalType):
        return st.none() | of(kind.item)
    if isinstance(kind, ListType):
        items = st.lists(of(kind.item), max_size=_ELEMENTS_MAX)
        totals = [total for total in known.get(INT.name, ()) if total > 1] if kind.item is INT else []
        return _mixed([(1, items), (1, _parts_of(totals))]) if totals else items
    if isinstance(kind, DictType):
        return st.dictionaries(of(kind.key), of(kind.value), max_size=_ELEMENTS_MAX)
    if isinstance(kind, RecordType):
        return st.builds(kind.cls, **{name: of(field) for name, field in kind.fields.items()})
    raise TypeError(f"{kind.name} is no type of an argument")  # our own mistake: the list above is the closed one
