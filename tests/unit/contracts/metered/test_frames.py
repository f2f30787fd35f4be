"""How deeply functions nest: CON-130."""

import sys

import pytest

from tests.contract_ledger import Ledger, contract
from yunhe.contracts.loader import inspect_source
from yunhe.errors import ContractRefusedError
from yunhe.limits import CONTRACT_CALL_DEPTH_MAX, CONTRACT_FRAMES_MAX

COMPREHENSION_FRAMES = 2
"""A comprehension is a frame of its own, and one of whoever consumes it."""


def chain(functions: int, *, last: str = "1", action: str = "f1(n)") -> str:
    """Return a contract whose action calls f1, which calls f2, and so on."""
    written = [f"def f{i}(n: int) -> int:\n    return f{i + 1}(n) + 1" for i in range(1, functions)]
    written.append(f"def f{functions}(n: int) -> int:\n    return {last}")
    return contract("\n\n".join(written) + f"\n\n@action\ndef go(ctx: Context, n: int = 0) -> int:\n    return {action}\n")


def test_con_130_functions_nest_as_deep_as_allowed() -> None:
    # The action itself is one.
    functions = CONTRACT_FRAMES_MAX - 1
    assert Ledger(c=chain(functions)).call("bank", "c", "go").results == (functions,)


@pytest.mark.parametrize(
    "source",
    [
        chain(CONTRACT_FRAMES_MAX),
        chain(CONTRACT_FRAMES_MAX - COMPREHENSION_FRAMES, last="sum([x for x in range(n)])"),
        chain(CONTRACT_FRAMES_MAX - COMPREHENSION_FRAMES, action="sum([f1(x) for x in range(n)])"),
        chain(CONTRACT_FRAMES_MAX - 2 * COMPREHENSION_FRAMES, last="len([[y for y in range(x)] for x in range(n)])"),
    ],
    ids=["functions", "a comprehension at the end", "a comprehension on the way", "comprehensions in comprehensions"],
)
def test_con_130_functions_that_nest_deeper_are_refused(source) -> None:
    with pytest.raises(ContractRefusedError) as caught:
        inspect_source(source)
    assert [finding.rule for finding in caught.value.findings] == ["CON-130"]
    assert str(CONTRACT_FRAMES_MAX) in caught.value.findings[0].reason


@pytest.mark.parametrize(
    "source",
    [
        chain(CONTRACT_FRAMES_MAX - COMPREHENSION_FRAMES - 1, last="sum([x for x in range(n)])"),
        chain(CONTRACT_FRAMES_MAX - COMPREHENSION_FRAMES - 1, action="sum([f1(x) for x in range(n)])"),
        chain(CONTRACT_FRAMES_MAX - 2 * COMPREHENSION_FRAMES - 1, last="len([[y for y in range(x)] for x in range(n)])"),
    ],
    ids=["a comprehension at the end", "a comprehension on the way", "comprehensions in comprehensions"],
)
def test_con_130_comprehensions_count_for_as_much_as_they_nest(source) -> None:
    assert "go" in inspect_source(source).actions


def test_con_130_many_functions_side_by_side_are_no_depth() -> None:
    functions = "\n\n".join(f"def f{i}(n: int) -> int:\n    return n" for i in range(200))
    calls = "\n".join(f"    n = f{i}(n)" for i in range(200))
    source = contract(f"{functions}\n\n@action\ndef go(ctx: Context, n: int = 7) -> int:\n{calls}\n    return n\n")
    assert Ledger(c=source).call("bank", "c", "go").results == (7,)


def test_con_130_deepest_contracts_that_call_one_another_stay_far_below_the_limit_of_the_interpreter() -> None:
    deepest = CONTRACT_FRAMES_MAX - 1
    sources = {
        f"c{level}": chain(deepest, last=f'call("c{level + 1}", "go", n=n)' if level < CONTRACT_CALL_DEPTH_MAX else "1")
        for level in range(1, CONTRACT_CALL_DEPTH_MAX + 1)
    }
    ledger = Ledger(**sources)
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(limit // 2 + len(_stack()))
    try:
        outcome = ledger.call("bank", "c1", "go")
    finally:
        sys.setrecursionlimit(limit)
    assert outcome.results == (CONTRACT_CALL_DEPTH_MAX * (deepest - 1) + 1,)


def _stack() -> list[object]:
    frames: list[object] = []
    frame = sys._getframe()
    while frame is not None:
        frames.append(frame)
        frame = frame.f_back
    return frames
