"""What can be compared, be a key, and be ordered: CON-123, CON-127, CON-128, CON-131."""

import pytest

from tests.unit.contracts.metered.loaded import Metered
from yunhe.contracts.faults import Fault, IntegerOutOfRange, OutOfGas
from yunhe.limits import INTEGER_MAX, INTEGER_MIN, VALUE_DEPTH_MAX


def nested(depth: int, inner: str = "1", opening: str = "[", closing: str = "]") -> str:
    return opening * depth + inner + closing * depth


def run(body: str):
    return Metered(body)()


# --- Comparison -----------------------------------------------------------------------------------------------------

COMPARISONS = {
    "equality": "x == y",
    "inequality": "x != y",
    "order": "x < y",
    "order, or equal": "x >= y",
    "membership": "x in [y]",
    "the index": "[y, x].index(x)",
    "the count": "[y].count(x)",
    "a value of a dict": "x in d.values()",
}


def compared(comparison: str, depth: int) -> str:
    return f"x = {nested(depth)}\ny = {nested(depth)}\nd = {{1: y}}\nflag = {comparison}\nreturn 1"


@pytest.mark.parametrize("comparison", COMPARISONS.values(), ids=COMPARISONS)
def test_con_123_values_as_deep_as_allowed_are_compared(comparison) -> None:
    assert run(compared(comparison, VALUE_DEPTH_MAX)) == 1


@pytest.mark.parametrize("comparison", COMPARISONS.values(), ids=COMPARISONS)
def test_con_123_deeper_values_are_not_compared(comparison) -> None:
    with pytest.raises(Fault, match="nests more than"):
        run(compared(comparison, VALUE_DEPTH_MAX + 1))


def test_con_123_each_part_that_is_walked_is_paid() -> None:
    def gas(parts: int) -> int:
        metered = Metered("return 1 if xs == ys else 0", parameters=", xs: list[list[int]], ys: list[list[int]]")
        assert metered([[1, 2]] * parts, [[1, 2]] * parts) == 1
        return metered.gas

    assert gas(200) - gas(100) == gas(300) - gas(200) > 100 * 100


def test_con_123_shared_parts_are_paid_each_time_that_they_are_walked() -> None:
    # Seven doublings make 128 parts of eight small lists: what is walked is paid, not what is stored.
    doubled = "x = [1]\ny = [1]\nfor i in range(n):\n    x = [x, x]\n    y = [y, y]\n"
    made = Metered(f"{doubled}return 1", parameters=", n: int = 0")
    walked = Metered(f"{doubled}return 1 if x == y else 0", parameters=", n: int = 0")
    assert made(7) == walked(7) == 1
    assert walked.gas - made.gas > 128 * 100
    with pytest.raises(OutOfGas):
        walked(7, gas=walked.gas - 1)


@pytest.mark.parametrize("value", ["enumerate([1])", "zip([1])", "reversed([1])", "d.items()"])
def test_con_123_what_is_only_walked_once_is_not_compared(value) -> None:
    with pytest.raises(Fault, match="cannot be compared"):
        run(f"d = {{1: 1}}\nx = {value}\nflag = x == x\nreturn 1")


# --- Keys of dicts --------------------------------------------------------------------------------------------------

KEYED = {
    "a display": "d = {KEY: 1}\nreturn d[KEY]",
    "an element set": "d = {}\nd[KEY] = 1\nreturn d[KEY]",
    "a comprehension": "d = {key: 1 for key in [KEY]}\nreturn d[KEY]",
    "pairs": "d = dict([(KEY, 1)])\nreturn d[KEY]",
    "setdefault": "d = {}\nreturn d.setdefault(KEY, 1)",
    "get": "d = {0: 0}\nreturn d.get(KEY, 1)",
    "pop": "d = {0: 0}\nreturn d.pop(KEY, 1)",
    "membership": "d = {0: 0}\nreturn 1 if KEY not in d else 0",
    "membership of the keys": "d = {0: 0}\nreturn 1 if KEY not in d.keys() else 0",
    "membership of the entries": "d = {0: 0}\nreturn 1 if (KEY, 1) not in d.items() else 0",
    "an element in place": "d = {}\nd[KEY] = 0\nd[KEY] += 1\nreturn d[KEY]",
    "an element deleted": "d = {}\nd[KEY] = 1\ndel d[KEY]\nreturn 1 - len(d)",
}
KEYS = {
    "text": '"a"',
    "bytes": 'b"a"',
    "the largest integer": str(INTEGER_MAX),
    "the smallest integer": f"({INTEGER_MIN})",
    "a truth value": "True",
    "nothing": "None",
    "an organisation": 'Org("carrier")',
    "a tuple of eight": '(1, "a", b"a", True, None, 2, 3, 4)',
}


@pytest.mark.parametrize("key", KEYS.values(), ids=KEYS)
@pytest.mark.parametrize("body", KEYED.values(), ids=KEYED)
def test_con_127_scalars_and_flat_tuples_are_keys(body, key) -> None:
    assert run(body.replace("KEY", key)) == 1


NO_KEYS = {
    "a list": ("[1]", Fault),
    "a dict": ("{1: 1}", Fault),
    "a tuple within a tuple": ("((1, 2), 3)", Fault),
    "a list within a tuple": ("([1], 2)", Fault),
    "a tuple of nine": ("(1, 2, 3, 4, 5, 6, 7, 8, 9)", Fault),
    "an integer of 65 bits": (str(INTEGER_MAX + 1), IntegerOutOfRange),
    "a negative integer of 65 bits": (f"({INTEGER_MIN - 1})", IntegerOutOfRange),
    "an integer of 65 bits in a tuple": (f"({INTEGER_MAX + 1}, 1)", IntegerOutOfRange),
}


@pytest.mark.parametrize(("key", "error"), NO_KEYS.values(), ids=NO_KEYS)
@pytest.mark.parametrize("body", KEYED.values(), ids=KEYED)
def test_con_127_anything_else_is_no_key(body, key, error) -> None:
    with pytest.raises(error):
        run(body.replace("KEY", key))


def test_con_127_integer_pays_for_the_entries_that_it_could_collide_with() -> None:
    def gas(entries: int, key: object) -> int:
        metered = Metered("return 1 if key in d else 0", parameters=", d: dict[int, int], key: int")
        assert metered({n: n for n in range(entries)}, key) == 0
        return metered.gas

    assert gas(10_000, -5) - gas(100, -5) >= 4_000
    assert gas(10_000, "text") == gas(100, "text")
    assert gas(60, -5) == gas(1, -5)


def test_con_127_colliding_integers_spend_the_gas_that_their_search_takes() -> None:
    # All multiples of 2^61 - 1 have the hash of zero.
    metered = Metered("d = {}\nfor i in range(2000):\n    d[(i % 4 * (2**61 - 1), i)] = i\nreturn len(d)")
    assert metered() == 2000
    assert metered.gas > 2000 * 1000 // 2


# --- Order ----------------------------------------------------------------------------------------------------------

ORDERINGS = {
    "sorted": "return sorted(xs)[0]",
    "the list itself sorted": "xs.sort()\nreturn xs[0]",
    "the smallest": "return min(xs)",
    "the smaller of two": "return min(xs[0], xs[1])",
    "the largest": "return max(xs)",
}
ORDERED = {
    "integers": [3, 1],
    "texts": ["b", "a"],
    "bytes": [b"b", b"a"],
    "truth values": [True, False],
    "flat tuples": [(1, "b"), (1, "a")],
    "tuples of sixteen": [(1,) * 15 + (2,), (1,) * 16],
}
UNORDERED = {
    "lists": [[1], [2]],
    "dicts": [{1: 1}, {2: 2}],
    "nothing": [None, None],
    "tuples within tuples": [((1,), 2), ((1,), 3)],
    "lists within tuples": [([1], 2), ([1], 3)],
    "tuples of seventeen": [(1,) * 17, (2,) * 17],
}


@pytest.mark.parametrize("values", ORDERED.values(), ids=ORDERED)
@pytest.mark.parametrize("body", ORDERINGS.values(), ids=ORDERINGS)
def test_con_128_scalars_and_flat_tuples_are_ordered(body, values) -> None:
    ordered = Metered(body, parameters=", xs: list[int]")
    assert ordered(list(values)) == ordered.plainly(list(values))


@pytest.mark.parametrize("values", UNORDERED.values(), ids=UNORDERED)
@pytest.mark.parametrize("body", ORDERINGS.values(), ids=ORDERINGS)
def test_con_128_nothing_else_is_ordered(body, values) -> None:
    with pytest.raises(Fault, match=r"ordered"):
        Metered(body, parameters=", xs: list[int]")(list(values))


# --- Rows of zip and enumerate --------------------------------------------------------------------------------------


def rows_of_rows(made: str, depth: int) -> str:
    return f"z = enumerate([1])\nfor i in range({depth - 1}):\n    z = {made}\nn = 0\nfor x in z:\n    n += 1\nreturn n"


@pytest.mark.parametrize("made", ["enumerate(z)", "zip(z)", "zip([1, 2], z)"])
def test_con_131_rows_of_rows_are_made_as_deep_as_allowed(made) -> None:
    body = rows_of_rows(made, VALUE_DEPTH_MAX)
    assert run(body) == Metered(body).plainly() == 1


@pytest.mark.parametrize("made", ["enumerate(z)", "zip(z)", "zip([1, 2], z)"])
def test_con_131_rows_of_rows_are_made_no_deeper(made) -> None:
    with pytest.raises(Fault, match="nest more than"):
        run(rows_of_rows(made, VALUE_DEPTH_MAX + 1))


def test_con_131_rows_are_walked_once() -> None:
    body = "z = zip([1, 2], [3, 4])\nxs = list(z)\nfor row in z:\n    xs.append(row)\nreturn len(xs)"
    assert run(body) == Metered(body).plainly() == 2
