"""Programs whose time is compared with their gas: one for each thing that a contract can do, in sizes that show how the cost grows.

A program is the frame below with statements before a loop and statements in it. The families are those of the price lists: syntax,
built-ins and methods (`yunhe.contracts.vocabulary`, `metered/syntax.py`), and the state (`prices.py`). Those that were written to get more
than they pay for are called hostile.
"""

# ruff: noqa: E501  # tables of programs: one a line reads best

from dataclasses import dataclass
from typing import Final, TypeAlias

from yunhe.ledger.codec import Value

Text: TypeAlias = str | tuple[str, str]
"""A body, or a body and what stands before the loop."""

FRAME: Final = '''\
"""A program that is measured."""
from yunhe.contracts import Choice, Context, Event, Index, Log, Map, Org, Record, Rounding, Table, Unique
from yunhe.contracts import action, call, call_view, emit, mul_div, pro_rata, require, require_signer, view

RATES = {{"a": 1, "b": 2}}


class Colour(Choice):
    RED = "red"
    BLUE = "blue"


class Line(Record):
    number: int = 0
    text: str = ""


class Box(Record):
    key: int
    owner: str
    number: int = 0
    colour: Colour = Colour.RED
    text: str = ""
    lines: list[Line] = []
    seal: int | None = None


class Moved(Event):
    key: int
    text: str = ""


class Wide(Record):
{wide}

boxes: Table[Box] = Table(key="key")
crates: Table[Box] = Table(key="key")
crates_by_owner: Index[Box] = Index(crates, by="owner")
crates_by_state: Index[Box] = Index(crates, by=("owner", "colour", "number"))
crate_of_seal: Unique[Box] = Unique(crates, by="seal")
wides: Table[Wide] = Table(key="f0")
counts: Map[str, int] = Map(default=0)
steps: Log[str, Line] = Log()


def nothing(n: int) -> int:
    return n


def four(a: int, b: int, c: int, d: int) -> int:
    return a


@action
def fill(ctx: Context, first: int, count: int, owners: int, text: int) -> None:
    for key in range(first, first + count):
        boxes.add(Box(key=key, owner=f"o{{key % owners}}", text="x" * text))
        crates.add(Box(key=key, owner=f"o{{key % owners}}", number=key, text="x" * text, seal=key))


@action
def run(ctx: Context, rounds: int, seed: int) -> int:
    n = 0
{before}
    for i in range(rounds):
{body}
    return 0


@action
def take(ctx: Context, xs: list[int], s: str, lines: list[Line], results: int) -> list[int]:
    return list(range(results))


@view
def ask(ctx: Context, n: int) -> int:
    return n


@action
def act(ctx: Context, n: int) -> int:
    return n


@action
def hand(ctx: Context, xs: list[int], lines: list[Line]) -> list[int]:
    return xs
'''
WIDE_FIELDS: Final = 64


@dataclass(frozen=True, slots=True)
class Program:
    """A program of the corpus."""

    name: str
    body: str
    before: str = ""
    reads_state: bool = False
    """Whether it is measured with a worker and a store, not in this process."""
    rounds_max: int = 1_000_000
    """Rounds that it can make."""
    arguments: dict[str, Value] | None = None
    """Where a round is a whole transaction that calls `take` with these."""

    @property
    def source(self) -> str:
        """The contract."""
        wide = "\n".join(f"    f{index}: int = {index}" for index in range(WIDE_FIELDS)).replace("f0: int = 0", "f0: int")
        return FRAME.format(before=_indented(self.before or "pass", 1), body=_indented(self.body, 2), wide=wide)


def _indented(text: str, levels: int) -> str:
    return "\n".join("    " * levels + line for line in text.strip("\n").split("\n"))


ASCII_10K: Final = 's = "ab" * 5000'
WIDE_10K: Final = 's = "运河" * 5000'
LIST_1K: Final = "xs = [(j * 7919) % 1009 for j in range(1000)]"
TEXTS_1K: Final = 'xs = [f"text {(j * 7919) % 1009}" for j in range(1000)]'
DICT_1K: Final = 'd = {f"k{j}": j for j in range(1000)}'

COMPUTING: Final[dict[str, Text]] = {
    "an empty loop": "pass",
    "assignment": "n = i",
    "assignment to a tuple": "a, b = i, n",
    "a constant": "n = 5",
    "addition": "n = n + 1",
    "addition of 250 bits": ("n = big + i", "big = 2**250"),
    "multiplication": "n = i * 3",
    "multiplication to 250 bits": ("n = big * other", "big = 2**124\nother = 2**125 - 1"),
    "division of 250 bits": ("n = big // other", "big = 2**250 - 1\nother = 2**120 - 1"),
    "remainder": "n = i % 7",
    "power": "n = 3 ** 5",
    "power to 250 bits": "n = 7 ** 88",
    "divmod": "a, b = divmod(i, 7)",
    "comparison of integers": "flag = i < n",
    "comparison with a literal": "flag = i < 5",
    "a chain of comparisons": "flag = 0 <= i <= n",
    "and, or, not": "flag = i and not n or i",
    "a choice compared": ("flag = c == Colour.RED", "c = Colour.BLUE"),
    "if and else": "if i > 5:\n    n = 1\nelse:\n    n = 2",
    "a conditional expression": "n = 1 if i else 2",
    "while": "k = 3\nwhile k > 0:\n    k -= 1",
    "a call": "n = nothing(i)",
    "a call with four arguments": "n = four(i, 1, 2, 3)",
    "a field read": ("n = line.number", "line = Line()"),
    "a field set": ("line.number = i", "line = Line()"),
    "a context field": "n = ctx.time_ms",
    "a record": "line = Line(number=i, text='a')",
    "a record of 64 fields": "w = Wide(f0=i)",
    "a record with a list": "box = Box(key=i, owner='a')",
    "records compared": ("flag = a == b", "a = Box(key=1, owner='a')\nb = Box(key=1, owner='a')"),
    "lists of records compared": ("flag = a == b", "a = [Line(number=j) for j in range(100)]\nb = [Line(number=j) for j in range(100)]"),
    "a list": "xs = [i, 1, 2]",
    "a tuple": "t = (i, 1, 2)",
    "a dict": 'd = {"a": i, "b": 2}',
    "a dict with computed keys": "d = {i: 1, n: 2}",
    "a lookup": 'n = RATES["a"]',
    "an element of a list": ("n = xs[3]", "xs = [1, 2, 3, 4]"),
    "an element of a dict": ('n = d["k5"]', DICT_1K),
    "an element of a dict of integers": ("n = d[5]", "d = {j: j for j in range(1000)}"),
    "an element of a dict of tuples": ("n = d[(5, 'a')]", "d = {(j, 'a'): j for j in range(1000)}"),
    "an element set": ("xs[3] = i", "xs = [1, 2, 3, 4]"),
    "an element of a dict set": ('d["k5"] = i', DICT_1K),
    "a slice of a list": ("ys = xs[:500]", LIST_1K),
    "a slice of text": ("t = s[:5000]", ASCII_10K),
    "a slice of wide text": ("t = s[:5000]", WIDE_10K),
    "a slice with a step": ("t = s[::-1]", WIDE_10K),
    "membership of a list": ("flag = -1 in xs", LIST_1K),
    "membership of a list of texts": ("flag = 'text' in xs", TEXTS_1K),
    "membership of a list of records": ("flag = line in xs", "xs = [Line(number=j) for j in range(100)]\nline = Line(number=-1)"),
    "membership of a dict": ('flag = "k5" in d', DICT_1K),
    "membership of a text": ("flag = 'ac' in s", ASCII_10K),
    "membership of a tuple": "flag = i in (1, 2, 3)",
    "concatenation": "t = 'a' + 'b'",
    "concatenation of 10,000": ("t = s + s", ASCII_10K),
    "concatenation of wide 10,000": ("t = s + s", WIDE_10K),
    "concatenation of lists": ("ys = xs + xs", LIST_1K),
    "a list extended in place": ("ys = [1]\nys += xs", LIST_1K),
    "repetition of text": "s = 'ab' * 10000",
    "repetition of wide text": "s = '运' * 10000",
    "repetition of a list": "xs = [1] * 1000",
    "texts compared": ("flag = s == t", "s = 'ab' * 5000\nt = 'ab' * 5000"),
    "an f-string": 's = f"a{i}b"',
    "an f-string of long text": ('t = f"{s}{s}"', ASCII_10K),
    "an f-string of wide text": ('t = f"{s}{s}"', WIDE_10K),
    "an f-string of many parts": 's = f"{i}{i}{i}{i}{i}{i}{i}{i}{i}{i}"',
    "an f-string of 250 bits": ('s = f"{big}"', "big = 2**254 - 1"),
    "a list comprehension": "xs = [j for j in range(100)]",
    "a list comprehension with a condition": "xs = [j for j in range(100) if j > 50]",
    "a dict comprehension": "d = {j: j for j in range(50)}",
    "a generator summed": "n = sum(j for j in range(100))",
    "any of a generator": "flag = any(j > 98 for j in range(100))",
    "nested comprehensions": "xs = [j + k for j in range(10) for k in range(10)]",
    "abs": "n = abs(i)",
    "len": ("n = len(xs)", LIST_1K),
    "int of text": 'n = int("12345")',
    "int of 100 digits": ("k = int(s)", "s = '1' * 70"),
    "str of an integer": "s = str(i)",
    "str of 250 bits": ("s = str(big)", "big = 2**254 - 1"),
    "ord and chr": "s = chr(97 + i % 20)\nn = ord(s)",
    "bool": "flag = bool(i)",
    "bytes of a length": "b = bytes(1000)",
    "bytes of a list": ("b = bytes(xs)", "xs = [j % 256 for j in range(1000)]"),
    "list of a list": ("ys = list(xs)", LIST_1K),
    "list of a range": "ys = list(range(1000))",
    "list of text": ("ys = list(s)", "s = '运河' * 500"),
    "tuple of a list": ("ys = tuple(xs)", LIST_1K),
    "dict of a dict": ("e = dict(d)", DICT_1K),
    "dict of pairs": ("e = dict(pairs)", "pairs = [(j, j) for j in range(100)]"),
    "max of a list": ("n = max(xs)", LIST_1K),
    "max of texts": ("s = max(xs)", TEXTS_1K),
    "max of tuples": ("t = max(xs)", "xs = [(1, 2, 3, j) for j in range(1000)]"),
    "min of two": "n = min(i, 5)",
    "sum of a list": ("n = sum(xs)", LIST_1K),
    "sorted": ("ys = sorted(xs)", LIST_1K),
    "sorted texts": ("ys = sorted(xs)", TEXTS_1K),
    "sorted long texts": ("ys = sorted(xs)", "p = 'a' * 1000\nxs = [p + str((j * 7919) % 1009) for j in range(300)]"),
    "sorted tuples": ("ys = sorted(xs)", "xs = [(1, 2, 3, (j * 7919) % 1009) for j in range(1000)]"),
    "sorted large integers": ("ys = sorted(xs)", "xs = [2**250 + (j * 7919) % 1009 for j in range(1000)]"),
    "all of a list": ("flag = all(xs)", "xs = [1] * 1000"),
    "enumerate": "for a, b in enumerate(range(20)):\n    n = b",
    "zip": "for a, b in zip(range(20), range(20)):\n    n = b",
    "reversed": ("for j in reversed(xs):\n    n = j", "xs = [1, 2, 3, 4, 5]"),
    "str.find": ("k = s.find('ac')", ASCII_10K),
    "str.find of a long text": ("k = s.find(t)", "s = 'a' * 20000\nt = 'a' * 99 + 'b'"),
    "str.find of a longer text": ("k = s.find(t)", "s = 'ab' * 20000\nt = 'ab' * 5000 + 'aa'"),
    "str.rfind of a long text": ("k = s.rfind(t)", "s = 'a' * 2400\nt = 'b' + 'a' * 98"),
    "str.count": ("k = s.count('a')", ASCII_10K),
    "str.count of a long text": ("k = s.count(t)", "s = 'a' * 2400\nt = 'a' * 99 + 'b'"),
    "str.replace": ("t = s.replace('a', 'cd')", ASCII_10K),
    "str.replace of nothing": ("t = s.replace('', '-')", ASCII_10K),
    "str.replace in wide text": ("t = s.replace('河', '海洋')", WIDE_10K),
    "str.split": ("xs = s.split(',')", "s = 'ab,' * 1000"),
    "str.split at white space": ("xs = s.split()", "s = 'a ' * 1000"),
    "str.split at a long separator": ("xs = s.split(t)", "s = 'a' * 2400\nt = 'a' * 99 + 'b'"),
    "str.rsplit": ("xs = s.rsplit(',')", "s = 'ab,' * 1000"),
    "str.join": ("t = ','.join(xs)", TEXTS_1K),
    "str.join of wide text": ("t = '、'.join(xs)", "xs = ['运河'] * 1000"),
    "str.partition": ("a = s.partition('b')", ASCII_10K),
    "str.startswith": ("flag = s.startswith('ab')", ASCII_10K),
    "str.endswith of a long text": ("flag = s.endswith(s)", ASCII_10K),
    "str.upper": ("t = s.upper()", ASCII_10K),
    "str.lower of wide text": ("t = s.lower()", WIDE_10K),
    "str.isdigit": ("flag = s.isdigit()", "s = '1' * 10000"),
    "str.isdigit of wide text": ("flag = s.isupper()", WIDE_10K),
    "str.isalnum": ("flag = s.isalnum()", ASCII_10K),
    "str.strip": ("t = s.strip()", "s = ' ' * 5000 + 'a' + ' ' * 5000"),
    "str.strip of characters": ("t = s.strip(c)", "s = 'z' * 10000\nc = 'abcdefghijklmnopqrstuvwxyz'"),
    "str.encode": ("b = s.encode()", WIDE_10K),
    "str.zfill": ("t = s.zfill(10000)", "s = '1'"),
    "str.ljust": ("t = s.ljust(10000, '运')", "s = '1'"),
    "str.removeprefix": ("t = s.removeprefix('a')", WIDE_10K),
    "bytes.decode": ("t = b.decode()", "b = ('运河' * 5000).encode()"),
    "bytes.hex": ("t = b.hex()", "b = bytes(10000)"),
    "bytes.find": ("k = b.find(c)", "b = bytes(10000)\nc = 'ab'.encode()"),
    "bytes.join": ("c = b.join(xs)", "b = ','.encode()\nxs = [b] * 1000"),
    "list.append": ("xs.append(i)", "xs = [1]"),
    "list.pop": ("xs.append(i)\nxs.pop()", "xs = [1]"),
    "list.pop in front": ("xs.append(xs.pop(0))", "xs = [0] * 50000"),
    "list.insert in front": ("xs.insert(0, i)\nxs.pop()", "xs = [0] * 50000"),
    "list.remove": ("xs.remove(0)\nxs.append(0)", "xs = [1] * 1000 + [0]"),
    "list.index": ("k = xs.index(-1)", "xs = [1] * 1000 + [-1]"),
    "list.index of a tuple": ("k = xs.index((1, 2, 3, 5))", "xs = [(1, 2, 3, 4)] * 1000 + [(1, 2, 3, 5)]"),
    "list.count": ("k = xs.count(1)", LIST_1K),
    "list.reverse": ("xs.reverse()", LIST_1K),
    "list.sort": ("xs.sort()", LIST_1K),
    "list.copy": ("ys = xs.copy()", LIST_1K),
    "list.extend": ("ys = [1]\nys.extend(xs)", LIST_1K),
    "list.clear": ("ys = [1]\nys.clear()", ""),
    "dict.get": ("k = d.get('k5', 0)", DICT_1K),
    "dict.pop": ("d['x'] = 1\nk = d.pop('x')", DICT_1K),
    "dict.setdefault": ("k = d.setdefault('k5', 0)", DICT_1K),
    "dict.update": ("d.update(e)", DICT_1K + "\ne = {f'k{j}': j for j in range(100)}"),
    "dict.update of integers": ("d.update(e)", "d = {j: j for j in range(1000)}\ne = {j: j for j in range(100)}"),
    "dict.items": ("for k, v in d.items():\n    n = v", "d = {f'k{j}': j for j in range(20)}"),
    "dict.copy": ("e = d.copy()", DICT_1K),
    "hostile: a text of 8,000,000 characters": ("t = s + s", "s = 'ab' * 2000000"),
    "hostile: a wide text of 2,000,000 characters": ("t = s + s", "s = '运河' * 500000"),
    "hostile: a slice of 4,000,000 characters": ("t = s[1:]", "s = 'ab' * 2000000"),
    "hostile: a list of 1,000,000 elements": ("ys = xs + xs", "xs = [1] * 500000"),
    "hostile: deep lists": ("x = [1]\nfor j in range(100):\n    x = [x]", ""),
    "hostile: integers that collide": ("d[i * 2**32] = i\nk = d.get(2**32 * 3, 0)", "d = {j * 2**32: j for j in range(4000)}"),
    "hostile: negative integers that collide": ("flag = k in d", "d = {(j * 65536): j for j in range(4000)}\nk = 65536 * 5000"),
    "mul_div": "n = mul_div(i, 7, 3, Rounding.HALF_EVEN)",
    "pro_rata": ("ys = pro_rata(1000, xs)", "xs = list(range(1, 101))"),
    "Org": 'o = Org("carrier")',
    "Org of many names": 'o = Org(f"carrier{i}")',
    "an event": "emit(Moved(key=i))",
    "an event of 1,000 characters": ("emit(Moved(key=i, text=s))", 's = "x" * 1000'),
    "require": 'require(i >= 0, "NEGATIVE")',
}
"""Programs that compute, by name."""

_KNOWN: Final = "boxes.get(1)"
STATE: Final[dict[str, Text]] = {
    "a record read": "n += boxes[seed + i].number",
    "a record that is not there": "flag = (-1 - seed - i) in boxes",
    "a record read again": ("n += boxes[1].number", _KNOWN),
    "a record of 10,000 characters read again": ("n += boxes[-5].number", 'boxes.add(Box(key=-5, owner="a", text="x" * 10000))'),
    "a record of 1,000 lines read again": (
        "n += boxes[-6].number",
        'boxes.add(Box(key=-6, owner="a", lines=[Line(number=j) for j in range(1000)]))',
    ),
    "a record of 64 fields read again": ("n += wides[-1].f1", "wides.add(Wide(f0=-1))"),
    "a record added": 'boxes.add(Box(key=10**9 + seed + i, owner="a"))',
    "a record of 64 fields added": "wides.add(Wide(f0=seed + i))",
    "a record of 10,000 characters added": ('boxes.add(Box(key=10**9 + seed + i, owner="a", text=s))', ASCII_10K),
    "a record of 1,000 lines added": (
        'boxes.add(Box(key=10**9 + seed + i, owner="a", lines=xs))',
        "xs = [Line(number=j) for j in range(1000)]",
    ),
    "a record read and saved": "box = boxes[seed + i]\nbox.number += 1\nboxes.save(box)",
    "a record saved again": ("box.number += 1\nboxes.save(box)", "box = boxes[1]"),
    "a record deleted": "boxes.delete(seed + i)",
    "a record added and deleted": 'boxes.add(Box(key=-9, owner="a"))\nboxes.delete(-9)',
    "a record with three indexes added": 'crates.add(Box(key=10**9 + seed + i, owner="a", seal=-1 - seed - i))',
    "a record with three indexes saved, no row moved": 'crate = crates[seed + i]\ncrate.text = "moved"\ncrates.save(crate)',
    "a record with three indexes saved, one row moved": "crate = crates[seed + i]\ncrate.seal = -1 - seed - i\ncrates.save(crate)",
    "a record with three indexes saved, all rows moved": 'crate = crates[seed + i]\ncrate.owner = "z"\ncrate.seal = -1 - seed - i\ncrates.save(crate)',
    "a record with three indexes deleted": "crates.delete(seed + i)",
    "hostile: an indexed field changed in a loop": ("crate.number += 1\ncrates.save(crate)", "crate = crates[1]"),
    "hostile: an indexed record of 10,000 characters saved": ("crates.save(crate)", 'crate = crates[1]\ncrate.text = "x" * 10000'),
    "a scan of one row": "n += len(boxes.scan(start=seed + i, limit=1))",
    "a scan of one row backwards": "n += len(boxes.scan(end=seed + i, limit=1, reverse=True))",
    "a scan of 100 rows": "n += len(boxes.scan(start=seed + i * 100, limit=100))",
    "a scan of 10,000 rows": "n += len(boxes.scan(start=seed, limit=10000))",
    "a scan that finds nothing": "n += len(boxes.scan(prefix=-1 - i, limit=1))",
    "a count of 10,000 rows": "n += boxes.count(start=seed, end=seed + 10000)",
    "an index scanned, one row": 'n += len(crates_by_owner.scan(prefix=f"o{(seed + i) % 1000}", limit=1))',
    "an index scanned, 100 rows": 'n += len(crates_by_owner.scan(prefix=f"o{(seed + i) % 1000}", limit=100))',
    "an index counted": 'n += crates_by_owner.count(prefix=f"o{(seed + i) % 1000}")',
    "hostile: a page of an index of many rows again and again": "n += len(crates_by_state.scan(after=('o5', 'red', seed + i, seed + i), limit=1))",
    "hostile: a scan over rows that were deleted": (
        'n += len(counts.scan(prefix="gone", limit=1))',
        'for j in range(100):\n    counts[f"gone{j}"] = j\nfor j in range(100):\n    del counts[f"gone{j}"]',
    ),
    "hostile: writes and scans in turns": 'counts[f"w{seed}{(i * 7919) % 100003}"] = i\nn += len(counts.scan(limit=1))',
    "hostile: index rows moved and scanned in turns": (
        'crate.owner = f"w{i}"\ncrates.save(crate)\nn += len(crates_by_owner.scan(limit=1))',
        "crate = crates[1]",
    ),
    "a unique record found": "n += crate_of_seal[seed + i].number",
    "a unique record that is not there": "flag = (-1 - seed - i) in crate_of_seal",
    "a map read": 'n += counts[f"{seed + i}"]',
    "a map set": 'counts[f"{seed + i}"] = i',
    "a map added to": 'counts.add(f"{seed + i}", 1)',
    "a map added to again": 'counts.add("a", 1)',
    "a log appended to": ('n = steps.append("a", Line(number=i))', ""),
    "many logs appended to": 'n = steps.append(f"{seed + i}", Line(number=i))',
    "the last of a log": 'flag = steps.last(f"{seed + i}") is None',
    "a log of 100 entries scanned": ('n += len(steps.scan("b"))', 'for j in range(100):\n    steps.append("b", Line(number=j))'),
    "a call of a view": 'n = call_view("other", "ask", n=i)',
    "a call of an action": 'n = call("other", "act", n=i)',
    "a call that hands over and returns 1,000 integers": ('ys = call("other", "hand", xs=xs, lines=[])', "xs = [1] * 1000"),
    "a call that hands over 1,000 records": (
        'ys = call("other", "hand", xs=[], lines=lines)',
        "lines = [Line(number=j) for j in range(1000)]",
    ),
}
"""As `COMPUTING`, with a state of boxes and crates, each key of `seed` to `seed + 100,000` and fresh to the worker."""


_LINE: Final[dict[str, Value]] = {"number": 1, "text": "x"}
_NOTHING: Final[dict[str, Value]] = {"xs": [], "s": "", "lines": [], "results": 0}
TRANSACTIONS: Final[dict[str, dict[str, Value]]] = {
    "a transaction that does nothing": _NOTHING,
    "a transaction with 10,000 integers": _NOTHING | {"xs": [1] * 10_000},
    "a transaction with 100,000 characters": _NOTHING | {"s": "x" * 100_000},
    "a transaction with 1,000 records": _NOTHING | {"lines": [_LINE] * 1000},
    "a transaction that returns 10,000 integers": _NOTHING | {"results": 10_000},
}
"""Whole transactions, by what they hand over."""


def corpus() -> list[Program]:
    """Return all programs."""
    whole = [Program(name, "pass", reads_state=True, rounds_max=200, arguments=arguments) for name, arguments in TRANSACTIONS.items()]
    return (
        whole
        + [_program(name, text, reads_state=False) for name, text in COMPUTING.items()]
        + [_program(name, text, reads_state=True) for name, text in STATE.items()]
    )


def _program(name: str, text: Text, *, reads_state: bool) -> Program:
    body, before = (text, "") if isinstance(text, str) else text
    return Program(name, body, before, reads_state, _rounds_max(body, reads_state=reads_state))


def _rounds_max(body: str, *, reads_state: bool) -> int:
    """Return how often a program can do what it does: a transaction has so many events, the state so many records after a seed."""
    if "emit(" in body:
        return 200
    return 5000 if reads_state else 1_000_000
