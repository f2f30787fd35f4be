"""Rewritten trees: what they compute, what they cost, where their lines are, and what cannot be rewritten."""

import ast
import traceback

import pytest

from tests.contract_ledger import contract, function
from tests.unit.contracts.metered.loaded import Metered
from yunhe.contracts.faults import OutOfGas
from yunhe.contracts.metered.syntax import BINARY_OPERATION, LOOP_ROUND, NAME, STATEMENT, NotMeterableError
from yunhe.contracts.metered.transform import transform

# `note` writes down when each part is evaluated and returns it, so that an order that differs shows in the result.
NOTE = """
def note(seen: list[int], value: int) -> int:
    seen.append(value)
    return value

def row(seen: list[int], value: int) -> list[int]:
    seen.append(value)
    return [10, 20, 30]

class Pair(Record):
    left: int = 0
    right: int = 0

class Colour(Choice):
    RED = "red"
    BLUE = "blue"

def pair(seen: list[int], value: int) -> Pair:
    seen.append(value)
    return Pair(left=value)
"""
CASES = {
    "operands": "x = note(seen, 7) - note(seen, 2) * note(seen, 3) // note(seen, 4) % note(seen, 5) ** note(seen, 2)\nseen.append(x)",
    "a chain of comparisons that stops": "two = 2\nseen.append(1 if note(seen, 5) < two < note(seen, 9) else 0)",
    "a chain of comparisons to its end": "two = 2\nseen.append(1 if note(seen, 1) < two <= note(seen, 2) else 0)",
    "and, or, not": "seen.append(1 if note(seen, 0) and note(seen, 1) or not note(seen, 2) or note(seen, 3) else 0)",
    "a conditional expression": "seen.append(note(seen, 1) if note(seen, 0) else note(seen, 2))",
    "a display": "xs = [note(seen, 1), note(seen, 2)]\nseen.extend(xs)",
    "a dict display": "d = {note(seen, 1): note(seen, 2), note(seen, 3): note(seen, 4)}\nseen.extend(d.keys())",
    "a dict display of constants": 'd = {"a": note(seen, 1), "b": note(seen, 2), "a": note(seen, 3)}\nseen.extend(d.values())',
    "an element": "x = row(seen, 1)[note(seen, 2)]\nseen.append(x)",
    "an element set": "xs = row(seen, 0)\nxs[note(seen, 1)] = note(seen, 2)\nseen.extend(xs)",
    "an element changed in place": "xs = row(seen, 0)\nxs[note(seen, 1)] += note(seen, 2)\nseen.extend(xs)",
    "an element deleted": "xs = row(seen, 0)\ndel xs[note(seen, 1)]\nseen.extend(xs)",
    "a slice": "xs = row(seen, 0)[note(seen, 1):note(seen, 3):note(seen, 1)]\nseen.extend(xs)",
    "a field set": "p = pair(seen, 1)\np.right = note(seen, 2)\nseen.append(p.left + p.right)",
    "a field changed in place": "p = pair(seen, 1)\np.left *= note(seen, 2)\nseen.append(p.left)",
    "several targets": "xs = row(seen, 0)\nxs[note(seen, 1)] = xs[note(seen, 2)] = y = note(seen, 7)\nseen.extend(xs)\nseen.append(y)",
    "places exchanged": "xs = row(seen, 0)\nxs[note(seen, 0)], xs[note(seen, 2)] = xs[note(seen, 2)], xs[note(seen, 0)]\nseen.extend(xs)",
    "nested targets": "(a, (b, c)) = (note(seen, 1), (note(seen, 2), note(seen, 3)))\nseen.append(a * 100 + b * 10 + c)",
    "a name added to in place": "xs = row(seen, 0)\nys = xs\nys += [note(seen, 1)]\nseen.extend(xs)",
    "a record made": "p = Pair(right=note(seen, 1), left=note(seen, 2))\nseen.append(p.left)",
    "an f-string": 'seen.append(len(f"{note(seen, 1)}-{note(seen, 22)}"))',
    "a method": "row(seen, 0).insert(note(seen, 1), note(seen, 2))",
    "a built-in": "seen.append(max(note(seen, 1), note(seen, 3), note(seen, 2)))",
    "a list comprehension": "seen.extend([note(seen, x) for x in row(seen, 0) if note(seen, x + 1) > 11])",
    "nested comprehensions": "seen.extend([note(seen, x + y) for x in row(seen, 0) if x > 10 for y in row(seen, 1) if y < x])",
    "a dict comprehension": "d = {note(seen, x): note(seen, x + 1) for x in row(seen, 0)}\nseen.extend(d.values())",
    "a generator that stops early": "seen.append(1 if any(note(seen, x) > 10 for x in row(seen, 0)) else 0)",
    "a while loop with else": "n = 3\nwhile note(seen, n) > 0:\n    n -= 1\nelse:\n    seen.append(99)",
    "a while loop left": "n = 3\nwhile note(seen, n) > 0:\n    n -= 1\n    if n == 1:\n        break\nelse:\n    seen.append(99)",
    "a for loop with continue": "for x in row(seen, 0):\n    if x == 20:\n        continue\n    note(seen, x)\nelse:\n    seen.append(99)",
    "a for loop that unpacks": "for n, (x, y) in enumerate(zip(row(seen, 0), row(seen, 1))):\n    seen.append(n + x + y)",
    "branches": "if note(seen, 0):\n    note(seen, 1)\nelif note(seen, 2):\n    note(seen, 3)\nelse:\n    note(seen, 4)",
    "choices": "c = Colour.BLUE\nseen.append(1 if c == Colour.BLUE else 0)\nseen.append(1 if c in (Colour.RED, Colour.BLUE) else 0)",
    "nothing": "x = None\nseen.append(1 if x is None else 0)\nseen.append(1 if x is not None else 0)",
    "membership": "seen.append(1 if note(seen, 20) in row(seen, 0) else 0)\nseen.append(1 if note(seen, 21) not in row(seen, 1) else 0)",
    "an early return": "for x in row(seen, 0):\n    if x == 20:\n        return seen\n    note(seen, x)",
}  # fmt: skip


def noting(body: str) -> Metered:
    lines = "\n".join("    " + line for line in body.split("\n"))
    source = contract(f"{NOTE}\n@view\ndef f(ctx: Context) -> list[int]:\n    seen: list[int] = []\n{lines}\n    return seen\n")
    return Metered("", source=source)


@pytest.mark.parametrize("body", CASES.values(), ids=CASES)
def test_con_120_rewritten_code_evaluates_what_python_does_in_its_order(body) -> None:
    metered = noting(body)
    assert metered() == metered.plainly() != []


@pytest.mark.parametrize("body", CASES.values(), ids=CASES)
def test_con_120_rewritten_nodes_have_places_of_the_source(body) -> None:
    tree = ast.parse(noting(body).source)
    places = {(node.lineno, node.col_offset, node.end_lineno, node.end_col_offset) for node in ast.walk(tree) if hasattr(node, "lineno")}
    rewritten = [node for node in ast.walk(transform(tree)) if hasattr(node, "lineno")]
    assert {(node.lineno, node.col_offset, node.end_lineno, node.end_col_offset) for node in rewritten} <= places


def gas_of(body: str, *arguments: object, parameters: str = ", n: int = 0") -> int:
    metered = Metered(body, parameters=parameters)
    metered(*arguments)
    return metered.gas


def test_con_120_run_costs_the_sum_of_its_parts() -> None:
    extra = STATEMENT + BINARY_OPERATION + 3 * NAME
    assert gas_of("x = n\ny = n + x\nreturn y") - gas_of("x = n\nreturn x") == extra


def test_con_120_branch_is_paid_when_it_is_taken() -> None:
    body = "if n > 5:\n    x = n\n    y = n\nreturn n"
    assert gas_of(body, 6) - gas_of(body, 5) == 2 * (STATEMENT + 2 * NAME)


def test_con_120_loop_is_paid_round_by_round() -> None:
    body = "for i in range(n):\n    pass\nreturn n"
    assert [gas_of(body, n + 1) - gas_of(body, n) for n in (0, 1, 1000)] == [LOOP_ROUND + STATEMENT + NAME] * 3


def test_con_120_run_that_cannot_be_paid_does_not_begin() -> None:
    metered = Metered("xs.append(1)\nxs.append(2)\nreturn len(xs)", parameters=", xs: list[int]")
    touched: list[int] = []
    assert metered(touched) == 2
    price = metered.gas
    touched.clear()
    assert metered(touched, gas=price) == 2
    touched.clear()
    with pytest.raises(OutOfGas):
        metered(touched, gas=price - 1)
    assert touched == []


def test_con_120_fault_is_at_the_line_of_the_source() -> None:
    metered = Metered("xs = [1]\nfor i in range(3):\n    y = xs[i]\nreturn y")
    with pytest.raises(IndexError) as caught:
        metered()
    lines = [frame.lineno for frame in traceback.extract_tb(caught.value.__traceback__) if frame.filename == "<contract c>"]
    assert [metered.source.split("\n")[line - 1].strip() for line in lines if line] == ["y = xs[i]"]


REFUSED = {
    "try": "try:\n    pass\nexcept ValueError:\n    pass",
    "try without handler": "try:\n    pass\nfinally:\n    pass",
    "raise": "raise ValueError",
    "assert": "assert n",
    "with": "with n:\n    pass",
    "lambda": "x = lambda: 1",
    "yield": "yield 1",
    "match": "match n:\n    case 1:\n        pass",
    "a set": "x = {1, 2}",
    "a set comprehension": "x = {y for y in [1]}",
    "a starred element": "x = [*[1]]",
    "a starred target": "a, *b = [1, 2]",
    "a starred argument": "x = max(*[1, 2])",
    "a doubly starred argument": "x = dict(**{})",
    "a doubly starred dict": "x = {**{}}",
    "a walrus": "x = (y := 1)",
    "global": "global x",
    "nonlocal": "nonlocal x",
    "import": "import os",
    "division": "x = 1 / 2",
    "division in place": "x = 1\nx /= 2",
    "a shift": "x = 1 << 2",
    "bits": "x = 1 | 2",
    "an inverted integer": "x = ~1",
    "a matrix product": "x = 1 @ 2",
    "identity with a value": "x = n is 5",
    "a conversion": 'x = f"{n!r}"',
    "a format": 'x = f"{n:5}"',
    "a name with an underscore": "x = __builtins__",
    "an attribute with an underscore": "x = n.__class__",
    "an attribute with an underscore set": "n._x = 1",
    "an unknown function": "x = eval('1')",
    "an unknown method": "x = 'a'.format(1)",
    "a call of a result": "x = max(1, 2)(3)",
    "a generator that is kept": "x = (y for y in [1])",
    "a name deleted": "x = 1\ndel x",
    "a slice set": "x = [1]\nx[0:1] = [2]",
    "a declaration without value": "x: int",
    "a middle operand that is a call": "x = 1 < max(1, 2) < 3",
}


@pytest.mark.parametrize("body", REFUSED.values(), ids=REFUSED)
def test_con_120_tree_outside_the_subset_is_not_rewritten(body) -> None:
    """The checker refuses these as well; metering does not rely on it."""
    lines = "\n".join("    " + line for line in body.split("\n"))
    with pytest.raises(NotMeterableError, match="line "):
        transform(ast.parse(f"@view\ndef f(ctx: Context, n: int) -> int:\n{lines}\n    return 1\n"))


def test_con_120_tree_of_the_subset_is_rewritten() -> None:
    assert ast.unparse(transform(ast.parse(function("return 1 + 2")))).count("_meter.left -=") == 2
