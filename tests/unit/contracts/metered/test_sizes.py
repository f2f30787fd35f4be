"""What depends on a size is charged by it (CON-121), and what is allocated is counted (CON-124), for each operation of contracts."""

import tracemalloc
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from tests.unit.contracts.metered.loaded import Metered, meter_with
from yunhe.contracts.faults import OutOfGas, OutOfMemory
from yunhe.contracts.meter import HELD_SHIFT
from yunhe.contracts.metered.builtin_functions import builtin_functions
from yunhe.contracts.metered.methods import methods
from yunhe.contracts.metered.operations import operations
from yunhe.contracts.vocabulary import BUILTINS, METHODS
from yunhe.limits import LIVE_MEMORY_BYTES_MAX

Arguments = Callable[[int], tuple[Any, ...]]


def text(n: int) -> str:
    return "a" * n


def numbers(n: int) -> list[int]:
    return list(range(n))


def entries(n: int) -> dict[str, int]:
    return {str(i): i for i in range(n)}


def alike(n: int) -> list[str]:
    """Texts that differ at their end only, so that ordering them walks them."""
    return [text(n) + str(i) for i in range(4)]


OPERATIONS: dict[str, tuple[str, Arguments]] = {
    "text joined": ("_add", lambda n: (text(n), "b")),
    "bytes joined": ("_add", lambda n: (bytes(n), b"b")),
    "lists joined": ("_add", lambda n: (numbers(n), [1])),
    "tuples joined": ("_add", lambda n: (tuple(numbers(n)), (1,))),
    "a list extended in place": ("_iadd", lambda n: ([], numbers(n))),
    "text repeated": ("_mul", lambda n: ("a", n)),
    "text repeated, the number first": ("_mul", lambda n: (n, "a")),
    "a list repeated": ("_mul", lambda n: ([0], n)),
    "texts compared": ("_eq", lambda n: (text(n), text(n))),
    "texts that differ compared": ("_ne", lambda n: (text(n), text(n) + "b")),
    "texts ordered": ("_lt", lambda n: (text(n), text(n) + "b")),
    "bytes ordered": ("_ge", lambda n: (bytes(n), bytes(n))),
    "lists compared": ("_eq", lambda n: (numbers(n), numbers(n))),
    "lists ordered": ("_le", lambda n: (numbers(n), numbers(n))),
    "dicts compared": ("_eq", lambda n: (entries(n), entries(n))),
    "text searched": ("_in", lambda n: ("ab", text(n))),
    "bytes searched": ("_not_in", lambda n: (b"ab", bytes(n))),
    "a list searched": ("_in", lambda n: (-1, numbers(n))),
    "a long text searched for in a list": ("_in", lambda n: (text(n), ["b"] * 3)),
    "values of a dict searched": ("_in", lambda n: (-1, entries(n).values())),
    "a slice of text": ("_cut", lambda n: (text(n), 1, None, None)),
    "a slice of a list": ("_cut", lambda n: (numbers(n), 1, None, None)),
    "an element deleted": ("_delete_item", lambda n: (numbers(n), 0)),
    "a long key looked up": ("_item", lambda n: ({text(n): 1}, text(n))),
    "a long key set": ("_set_item", lambda n: (1, {}, text(n))),
    "an f-string": ("_text", lambda n: (text(n), 5)),
    "shares": ("pro_rata", lambda n: (100, [1] * (n + 1))),
}
FUNCTIONS: dict[str, Arguments] = {
    "all": lambda n: ([1] * n,),
    "any": lambda n: ([0] * n,),
    "bytes": lambda n: (n,),
    "dict": lambda n: (entries(n),),
    "list": lambda n: (text(n),),
    "max": lambda n: (numbers(n + 1),),
    "min": lambda n: (alike(n),),
    "sorted": lambda n: (numbers(n),),
    "sum": lambda n: (numbers(n),),
    "tuple": lambda n: (numbers(n),),
}
TEXT_METHODS: dict[str, Arguments] = {
    **dict.fromkeys(
        ("encode", "isalnum", "isalpha", "isdigit", "islower", "isupper", "lower", "lstrip", "rsplit", "rstrip", "split", "strip", "upper"),
        lambda n: (text(n),),
    ),
    **dict.fromkeys(("count", "find", "partition", "rfind", "rpartition"), lambda n: (text(n), "ab")),
    **dict.fromkeys(("endswith", "startswith"), lambda n: ("b", text(n))),
    **dict.fromkeys(("removeprefix", "removesuffix"), lambda n: (text(n), "a")),
    **dict.fromkeys(("ljust", "rjust", "zfill"), lambda n: ("a", n)),
    "join": lambda n: (",", ["a"] * n),
    "replace": lambda n: (text(n), "a", "bb"),
}
BYTES_METHODS: dict[str, Arguments] = {
    "decode": lambda n: (text(n).encode(),),
    "endswith": lambda n: (b"b", bytes(n)),
    "find": lambda n: (bytes(n), b"ab"),
    "hex": lambda n: (bytes(n),),
    "join": lambda n: (b",", [b"a"] * n),
    "startswith": lambda n: (b"b", bytes(n)),
}
LIST_METHODS: dict[str, Arguments] = {
    **dict.fromkeys(("clear", "copy", "reverse", "sort"), lambda n: (numbers(n),)),
    "count": lambda n: (numbers(n), -1),
    "extend": lambda n: ([], numbers(n)),
    "index": lambda n: (numbers(n), 0),
    "insert": lambda n: (numbers(n), 0, 1),
    "pop": lambda n: (numbers(n + 1), 0),
    "remove": lambda n: (numbers(n), 0),
}
TUPLE_METHODS: dict[str, Arguments] = {"count": lambda n: (tuple(numbers(n)), -1), "index": lambda n: (tuple(numbers(n)), 0)}
DICT_METHODS: dict[str, Arguments] = {
    "clear": lambda n: (entries(n),),
    "copy": lambda n: (entries(n),),
    "update": lambda n: ({}, entries(n)),
    "get": lambda n: ({}, text(n)),
    "pop": lambda n: ({}, text(n), None),
    "setdefault": lambda n: ({}, text(n), 1),
}
KEYED = {"get", "pop", "setdefault"}
"""Methods of dicts whose size is that of the key."""
METHOD_CASES = {"str": TEXT_METHODS, "bytes": BYTES_METHODS, "list": LIST_METHODS, "tuple": TUPLE_METHODS, "dict": DICT_METHODS}
CASES: dict[str, tuple[str, Arguments]] = {
    **OPERATIONS,
    **{f"{name}()": (f"_b_{name}", arguments) for name, arguments in FUNCTIONS.items()},
    "dict() of pairs": ("_b_dict", lambda n: ([(i, i) for i in range(n)],)),
    "int() of text": ("_b_int", lambda n: ("0" * (n // 100),)),
    **{f"{kind}.{name}()": (f"_m_{name}", arguments) for kind, cases in METHOD_CASES.items() for name, arguments in cases.items()},
}


def test_con_121_each_word_with_a_price_by_size_is_among_the_cases() -> None:
    assert {name for name, word in BUILTINS.items() if word.rate} == FUNCTIONS.keys() | {"int", "str"}
    for kind, words in METHODS.items():
        assert {name for name, word in words.items() if word.rate} == METHOD_CASES[kind].keys() - (KEYED if kind == "dict" else set())


def operation(name: str, gas: int = 10**12) -> tuple[Callable[..., Any], Any]:
    meter = meter_with(gas)
    made = operations(meter)
    made |= {f"_b_{word}": function for word, function in builtin_functions(meter).items()}
    made |= {f"_m_{word}": method for word, method in methods(meter).items()}
    return made[name], meter


def gas_for(name: str, arguments: Arguments, n: int) -> int:
    function, meter = operation(name)
    function(*arguments(n))
    return int(meter.used)


@pytest.mark.parametrize(("name", "arguments"), CASES.values(), ids=CASES)
def test_con_121_cost_grows_with_the_size(name, arguments) -> None:
    small, large = gas_for(name, arguments, 1_000), gas_for(name, arguments, 10_000)
    assert large > 5 * small or large - small >= 500


@pytest.mark.parametrize(("name", "arguments"), CASES.values(), ids=CASES)
def test_con_121_size_that_cannot_be_paid_ends_out_of_gas(name, arguments) -> None:
    price = gas_for(name, arguments, 1_000)
    function, meter = operation(name, price)
    function(*arguments(1_000))
    assert meter.left == 0
    function, meter = operation(name, price - 1)
    # Where the price is that of a comparison, the run that it stands in notices, at the latest when the call ends.
    with suppress(OutOfGas):
        function(*arguments(1_000))
    assert meter.left < 0


@pytest.mark.parametrize(
    ("name", "arguments"),
    {
        "text": ("_mul", ("ab", 10**14)),
        "bytes": ("_mul", (b"ab", 10**14)),
        "a list": ("_mul", ([1, 2], 10**14)),
        "a tuple": ("_mul", ((1, 2), 10**14)),
        "bytes()": ("_b_bytes", (10**14,)),
        "list() of a range": ("_b_list", (range(10**14),)),
        "sorted() of a range": ("_b_sorted", (range(10**14),)),
        "sum() of a range": ("_b_sum", (range(10**14),)),
        "max() of a range": ("_b_max", (range(10**14),)),
        "ljust()": ("_m_ljust", ("a", 10**14)),
        "rjust()": ("_m_rjust", ("a", 10**14, "b")),
        "zfill()": ("_m_zfill", ("1", 10**14)),
        "join()": ("_m_join", ("a" * 10**6, ["b"] * 10**6)),
        "replace()": ("_m_replace", ("a" * 10**6, "a", "b" * 10**6)),
    }.values(),
)
def test_con_121_large_work_is_charged_before_it_is_done(name, arguments) -> None:
    # The work itself would take hours and terabytes.
    function, _ = operation(name, 10**9)
    with pytest.raises(OutOfGas):
        function(*arguments)


@pytest.mark.parametrize(
    "body",
    {
        "a text that doubles": 's = "ab" * n\nreturn len(s + s)',
        "a slice of a text": 's = "ab" * n\nreturn len(s[1:])',
        "a text in upper case": 's = "ab" * n\nreturn len(s.upper())',
        "a list of a range": "return len(list(range(n)))",
    }.values(),
)
def test_con_121_what_is_allocated_at_once_is_charged_by_its_size(body) -> None:
    metered = Metered(body, parameters=", n: int = 0")
    gas, memory = [], []
    for n in (1_000, 100_000):
        metered(n)
        gas.append(metered.gas)
        memory.append(metered.memory)
    assert memory[1] > 2 * memory[0]
    assert gas[1] - gas[0] >= (memory[1] - memory[0]) >> HELD_SHIFT


@pytest.mark.parametrize("name", ["_eq", "_add", "_in"])
def test_con_121_integers_cost_the_same_whatever_their_size(name) -> None:
    right = [5] if name == "_in" else 5
    assert gas_for(name, lambda n: (2**n, right), 10) == gas_for(name, lambda n: (2**n, right), 200)


HOARDS = {
    "texts of integers": "xs = [str(2**254 + i) for i in range(n)]",
    "texts appended": "xs = []\nfor i in range(n):\n    xs.append(str(2**254 + i))",
    "characters": "xs = [chr(20000 + i % 1000) for i in range(n)]",
    "quotients and rests": "xs = [divmod(2**254 + i, 2**120) for i in range(n)]",
    "numbered elements": "xs = list(enumerate(range(n)))",
    "rows of eight": "r = range(n)\nxs = list(zip(r, r, r, r, r, r, r, r))",
    "rows of eight, kept one by one": "r = range(n)\nxs = [p for p in zip(r, r, r, r, r, r, r, r)]",
    "rows appended": "xs = []\nfor p in zip(range(n), range(n), range(n)):\n    xs.append(p)",
    "rows not yet walked": "xs = [zip([1], [1], [1]) for i in range(n)]",
    "numbers not yet walked": "xs = [enumerate([1]) for i in range(n)]",
    "ranges": "xs = [range(2**60 + i, 2**61) for i in range(n)]",
    "what is reversed": "xs = [reversed([i]) for i in range(n)]",
    "characters of a text": 'xs = list("运" * n)',
    "characters of a text, kept one by one": 's = "运" * n\nxs = [c for c in s]',
    "pieces of a text": 'xs = ("运 " * n).split(" ")',
    "pieces of a text between white space": 'xs = ("运 " * n).split()',
    "integers": "xs = [2**254 + i for i in range(n)]",
    "lists": "xs = [[] for i in range(n)]",
    "dicts": "xs = [{i: i} for i in range(n)]",
    "tuples": "xs = [(i, i) for i in range(n)]",
    "entries of a dict": "d = {2**62 - i: 2**200 + i for i in range(n)}",
    "entries set": "d = {}\nfor i in range(n):\n    d[str(i)] = (i, i)",
    "entries of a dict, sorted": "d = {i: i for i in range(n)}\nxs = sorted(d.items())",
    "entries of a dict, copied": 'd = {"a" + str(i): i for i in range(n)}\ne = d.copy()',
    "f-strings": 'xs = [f"运{i}" for i in range(n)]',
    "parts of a text": 'xs = ["ab".partition("a") for i in range(n)]',
    "bytes of a text": 'xs = ["运".encode() for i in range(n)]',
    "hexadecimal digits": 'xs = [b"ab".hex() for i in range(n)]',
    "organisations": 'xs = [Org("carrier") for i in range(n)]',
    "a text that grows": 's = "运"\nfor i in range(14):\n    s += s',
    "a list that grows": "xs = [1]\nfor i in range(14):\n    xs = xs + xs",
    "a list that grows in place": "xs = [1]\nfor i in range(14):\n    xs.extend(xs)",
    "a text joined": 's = ("a" * n).join(["b"] * 50)',
    "a text replaced": 's = ("a" * n).replace("a", "bcd")',
    "shares": "xs = pro_rata(10**18, [1] * n)",
    "products": "xs = [mul_div(2**200 + i, 3, 2, Rounding.HALF_UP) for i in range(n)]",
}  # fmt: skip


@pytest.mark.parametrize("body", HOARDS.values(), ids=HOARDS)
def test_con_124_memory_is_at_most_what_gas_counts_of_it(body) -> None:
    metered = Metered(f"{body}\nreturn 1", parameters=", n: int = 0")
    metered(100)
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        metered(20_000)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak - before <= metered.memory


@pytest.mark.parametrize("body", HOARDS.values(), ids=HOARDS)
def test_con_124_memory_beyond_the_limit_ends_the_call(body) -> None:
    metered = Metered(f"{body}\nreturn 1", parameters=", n: int = 0")
    metered(2_000)
    needed = metered.memory
    loop = "\n".join("        " + line for line in body.split("\n"))
    repeated = Metered(f"for round in range(times):\n    if n > 0:\n{loop}\nreturn 1", parameters=", n: int = 0, times: int = 0")
    fitting = LIVE_MEMORY_BYTES_MAX // (needed + 1_000)
    assert repeated(2_000, fitting - 1) == 1
    with pytest.raises(OutOfMemory):
        repeated(2_000, fitting + fitting // 10 + 2)
