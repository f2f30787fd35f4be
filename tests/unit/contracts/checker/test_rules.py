"""Each rule of the subset with what it lets through and what it refuses: CON-001 to CON-065.

An accepted case is a whole contract; most are the same frame with one function in it. A refused case names its rule, and its line, which is
that of the comment or text MARK where there is one.
"""

# ruff: noqa: E501  # a table of cases: one a line reads best

import ast

import pytest

from yunhe.contracts.checker import check
from yunhe.errors import ContractRefusedError
from yunhe.limits import (
    CONTRACT_BLOCKS_MAX,
    CONTRACT_ELIF_MAX,
    CONTRACT_LINE_TOKENS_MAX,
    CONTRACT_NESTING_MAX,
    CONTRACT_SOURCE_BYTES_MAX,
    CONTRACT_TOKENS_MAX,
    RECORD_FIELDS_MAX,
)

HEAD = """\
from yunhe.contracts import Choice, Context, Event, Index, Log, Map, Org, Record, Rounding, Signer, Table, Unique
from yunhe.contracts import action, call, call_view, emit, mul_div, refuse, require, require_role, view

LIMIT = 10
RATES = {"a": 1, "b": 2}


class Status(Choice):
    OPEN = "open"
    SHUT = "shut"


class Part(Record):
    number: int
    text: str = ""


class Bill(Record):
    bill_id: str
    holder: Org
    status: Status = Status.OPEN
    parts: list[Part] = []
    notes: dict[str, int] = {}
    weight: int | None = None


class Moved(Event):
    bill_id: str


bills: Table[Bill] = Table(key="bill_id")
counts: Map[Org, int] = Map(default=0)
titles: Map[str, str] = Map(default="")
bills_by_holder: Index[Bill] = Index(bills, by="holder")
bill_of_weight: Unique[Bill] = Unique(bills, by="weight")
notes: Log[str, Part] = Log()

"""
TAIL = """

@action
def entry(ctx: Context) -> None:
    require(ctx.height > 0, "TOO_LOW")
"""


def module(text: str) -> str:
    """Put module-level text between the usual declarations."""
    return f"{HEAD}\n{text}\n{TAIL}"


def body(text: str) -> str:
    """Put statements into a function that has values of each kind."""
    lines = "\n".join("    " + line for line in text.split("\n"))
    return module(f"def inner(ctx: Context, bill: Bill, xs: list[int], d: dict[str, int], s: str, n: int, flag: bool) -> None:\n{lines}")


def nested(levels: int) -> str:
    return "\n".join("    " * level + "if flag:" for level in range(levels)) + "\n" + "    " * levels + "n = 1"


ACCEPTED = {
    "CON-001 text of the largest size": module("# " + "x" * (CONTRACT_SOURCE_BYTES_MAX - len(module("# ")))),
    "CON-002 letters of any script in comments and strings": body('s = "提单 é"  # 运河'),
    "CON-002 escapes of invisible characters": body('s = "\\u202e\\x00"'),
    "CON-003 a comment on the first line": "# A contract.\n" + module(""),
    "CON-004 a long statement": body("xs = [" + "1, " * (CONTRACT_LINE_TOKENS_MAX // 2 - 4) + "]"),
    "CON-005 blocks as deep as allowed": body(nested(CONTRACT_BLOCKS_MAX - 1)),
    "CON-005 as many branches as allowed": body("if n == 0:\n    n = 1\n" + "elif n == 2:\n    n = 1\n" * CONTRACT_ELIF_MAX + "else:\n    n = 3"),
    "CON-006 lines joined by brackets": body("n = (\n    1\n    + 2\n)"),
    "CON-007 names with underscores and digits": body("total_2 = n\nn = total_2"),
    "CON-008 integers below 2**255": body(f"n = {2**255 - 1}\nn = 0x1F + 0o17 + 0b11 + 1_000"),
    "CON-009 escapes": body(r"""s = "\n\t\\\"\'\x41\u4e91\U0001F600" + r'\d'"""),
    "CON-010 fields of names, attributes, calls and elements": body('s = f"{{{n}}} {bill.bill_id} {len(xs)} {xs[0]}"'),
    "CON-011 Python 3.11": body("while flag:\n    if n > 1:\n        break\n    continue"),
    "CON-020 refusals": body('require(n > 0, "TOO_SMALL")\nrefuse("NEVER")'),
    "CON-021 plain calls": body("n = len(xs)"),
    "CON-022 a list that is returned": module("def squares(n: int) -> list[int]:\n    return [i * i for i in range(n)]"),
    "CON-023 functions at module level": module("def double(n: int) -> int:\n    return 2 * n"),
    "CON-024 if and elif; match as a name": body("match = n\nif match == 1:\n    n = 2\nelif match == 2:\n    n = 3"),
    "CON-025 dicts and lists": body('d = {"a": 1}\nxs = [1, 2]'),
    "CON-026 lists that are joined": body("xs = [1] + xs"),
    "CON-027 assignment before the test": body("m = len(xs)\nif m > 1:\n    n = m"),
    "CON-028 values that are returned": body("n += 1"),
    "CON-029 operators": body("n = (n + 1 - 2) * 3 // 4 % 5 ** 2\nn = -n\nflag = not flag and n > 1 or flag"),
    "CON-030 is with None": body("flag = bill.weight is None\nflag = bill.weight is not None"),
    "CON-031 generator expressions that are consumed": body('n = sum(x for x in xs)\nflag = any(x > 1 for x in xs)\ns = ",".join(str(x) for x in xs)'),
    "CON-032 elements deleted": body('del d["a"]\ndel xs[0]\ndel counts[bill.holder]'),
    "CON-033 targets": body('a, b = 1, 2\nn, s = b, "x"\nbill.weight = a\nxs[0] = 1\nd["a"] += 1\nfor i, (k, v) in enumerate(d.items()):\n    n = v'),
    "CON-034 calls stand alone": body("xs.append(1)"),
    "CON-035 chains of plain names": body("flag = 0 < n <= LIMIT\nflag = 0 < len(s) < 5\nflag = 0 < bill.weight < 5"),
    "CON-036 elements of what has a name": body("n = xs[0] + xs[-1]\nxs = xs[1:2]\nn = sorted(xs)[0]"),
    "CON-037 the nodes that are listed": body("n = 1 if flag else 2"),
    "CON-040 names of the SDK": module("from yunhe.contracts import pro_rata"),
    "CON-041 defined names and built-ins": body("n = len(xs) + LIMIT + abs(n) + max(1, 2)"),
    "CON-042 the name of an entry; built-ins that contracts have not": module("def inner(entry: int, id: str, type: str) -> str:\n    return id"),
    "CON-043 the context where it is expected": module("def f(a: int, ctx: Context) -> int:\n    return ctx.height + a\n\n\ndef g(ctx: Context) -> int:\n    return f(1, ctx) + f(a=1, ctx=ctx)"),
    "CON-043 handles where they are used": body('flag = bill.bill_id in bills\nn = RATES["a"] + len(RATES)\nfor key in RATES:\n    n = RATES[key]'),
    "CON-044 functions called by name": module("def one() -> int:\n    return 1\n\n\ndef two() -> int:\n    return one() + one()"),
    "CON-045 a call graph without circles": module("def a() -> int:\n    return 1\n\n\ndef b() -> int:\n    return a()\n\n\ndef c() -> int:\n    return a() + b()"),
    "CON-046 arguments that fit": body('n = max(xs, default=0)\nxs = sorted(xs, reverse=True)\nn = mul_div(n, 2, 3, Rounding.FLOOR)\nbill = Bill(bill_id="a", holder=ctx.sender)'),
    "CON-047 declared fields and members": body("n = ctx.time_ms\nflag = bill.status == Status.SHUT\nfor signer in ctx.signers:\n    s = signer.member\nbill.parts[0].text = s"),
    "CON-048 methods": body('s = s.strip().upper()\nxs.append(1)\nn = d.get("a", 0)\nfor row in bills.scan(prefix="a", limit=5):\n    bills.save(row)'),
    "CON-050 declarations": module("# nothing more"),
    "CON-051 constants": module('DAY_MS = 24 * 60 * 60 * 1000\nNAME = "a" + "b"\nBOTH = (DAY_MS, -1, Status.OPEN)\nBY_STATUS = {"open": (1, 2), ("a", 1): None}\nSHORT: int = 5'),
    "CON-052 classes": module('class Extra(Record):\n    """Doc."""\n\n    number: int\n    """Its number."""\n\n\nclass Mode(Choice):\n    A = "a"\n    """The first."""'),
    "CON-053 fields with natural names": module("class Extra(Record):\n    title: str\n    items: list[str]\n    count: int\n    format: str"),
    "CON-054 annotations": module("class Extra(Record):\n    a: list[list[int]]\n    b: dict[Org, Part]\n    c: Status | None\n    d: bytes\n    e: bool\n\n\ndef f(ctx: Context, s: Signer, t: tuple[int, str]) -> tuple[int, Part | None]:\n    return 1, None"),
    "CON-055 defaults": module('class Extra(Record):\n    a: int = LIMIT\n    b: list[str] = ["x"]\n    c: dict[str, int] = {"a": 1}\n    d: Status = Status.OPEN\n    e: int | None = None\n\n\ndef f(a: int, b: int = 2 * LIMIT, c: Status = Status.SHUT) -> None:\n    pass'),
    "CON-056 typed parameters": module("def f(a: int, b: str) -> None:\n    pass"),
    "CON-057 entries": module("@action\ndef set_it(ctx: Context, n: int) -> int:\n    return n\n\n\n@view\ndef ask(ctx: Context) -> int:\n    return 1"),
    "CON-058 state": module('moves: Table[Bill] = Table(key=("bill_id", "holder"))\nseen: Map[tuple[Org, str], bool] = Map()\nstates: Map[str, Status] = Map(default=Status.OPEN)'),
    "CON-059 state by subscript": body("counts[ctx.sender] += 1\ncounts[ctx.sender] = 5\nbill = bills[s]"),
    "CON-060 literal codes": body('require(flag, "NOT_FOUND")\nrefuse("A1_B")'),
    "CON-061 views that read": module('@view\ndef ask(ctx: Context) -> int:\n    return counts[ctx.sender] + call_view("other", "ask", n=1)'),
    "CON-062 remainders": body("n = n % 7"),
    "CON-063 indexes": module('by_state: Index[Bill] = Index(bills, by=("holder", "status"))\nby_both: Unique[Bill] = Unique(bills, by=("holder", "weight"), code="TAKEN")'),
    "CON-063 indexes where they are used": body('for found in bills_by_holder.scan(prefix=bill.holder, after=(bill.holder, s), limit=5):\n    n += bills_by_holder.count()\nflag = n in bill_of_weight\nbill = bill_of_weight[n]'),
    "CON-064 logs": module("steps: Log[tuple[Org, int], Part] = Log()"),
    "CON-064 logs where they are used": body('n = notes.append(s, Part(number=n))\nparts = notes.scan(s, start=1, limit=5)\nflag = notes.last(s) is None'),
    "CON-065 numbers added": body("counts.add(ctx.sender, 1)"),
}  # fmt: skip

REFUSED = {
    "CON-001 bytes that are no UTF-8": b"\xff\xfe",
    "CON-001 text with half a character": "x = '\ud800'",
    "CON-001 a source that is too large": module("# " + "x" * CONTRACT_SOURCE_BYTES_MAX),
    "CON-002 a tab": body("n = 1\nif flag:\n\tn = 2  # MARK"),
    "CON-002 a carriage return": body("n = 1  # MARK\r"),
    "CON-002 a form feed": body("n = 1  # MARK\f"),
    "CON-002 a null byte": body("n = 1  # MARK\0"),
    "CON-002 a byte order mark": "\ufeff" + module(""),
    "CON-002 text that runs backwards": body('s = "\u202e"  # MARK'),
    "CON-002 a space of no width in a name": body("na\u200bme = 1  # MARK"),
    "CON-002 a no-break space": body("n =\u00a01  # MARK"),
    "CON-002 a line separator": body('s = "\u2028"  # MARK'),
    "CON-003 an encoding declaration": "# -*- coding: utf-7 -*-  MARK\n" + module(""),
    "CON-003 an encoding declaration on the second line": "\n# vim: set fileencoding=latin-1 : MARK\n" + module(""),
    "CON-004 a statement with too many tokens": body("n = 1" + " + 1" * CONTRACT_LINE_TOKENS_MAX + "  # MARK"),
    "CON-004 unary operators without end": body("n = " + "-" * 20_000 + "1  # MARK"),
    "CON-004 tokens inside an f-string": body('s = f"{' + "-" * 600 + '1}"  # MARK'),
    "CON-004 too many tokens": module("x = 1\n" * (CONTRACT_TOKENS_MAX // 3 + 1)),
    "CON-005 brackets too deep": body("n = " + "(" * CONTRACT_NESTING_MAX + "1" + ")" * CONTRACT_NESTING_MAX + "  # MARK"),
    "CON-005 blocks too deep": body(nested(CONTRACT_BLOCKS_MAX)),
    "CON-005 too many branches": body("if n == 0:\n    n = 1\n" + "elif n == 2:\n    n = 1\n" * (CONTRACT_ELIF_MAX + 1)),
    "CON-005 an operator nested in itself": body("flag = " + "not " * 300 + "flag  # MARK"),
    "CON-006 a backslash at the end of a line": body("n = 1 + \\\n    2"),
    "CON-006 a backslash on the first line": "\\\n" + module(""),
    "CON-007 a name that is not ASCII": body("é = 1  # MARK"),
    "CON-007 a letter that only looks like one": body("n = \uff4cen(xs)  # MARK"),
    "CON-007 an underscore first": body("_n = 1  # MARK"),
    "CON-007 a name of the interpreter": body("n = __debug__  # MARK"),
    "CON-007 a name that is too long": body("a" * 41 + " = 1  # MARK"),
    "CON-008 a float": body("n = 1.5  # MARK"),
    "CON-008 an exponent": body("n = 1e3  # MARK"),
    "CON-008 an imaginary number": body("n = 1j  # MARK"),
    "CON-008 2**255": body(f"n = {2**255}  # MARK"),
    "CON-008 more digits than an interpreter reads": body("n = " + "9" * 5000 + "  # MARK"),
    "CON-008 a number that runs into a word": body("n = 1if flag else 2  # MARK"),
    "CON-010 a number in a field that runs into a word": body('s = f"{1if flag else 2}"  # MARK'),
    "CON-008 an old octal number": body("n = 017  # MARK"),
    "CON-009 an unknown escape": body('s = "\\d"  # MARK'),
    "CON-009 a character by its name": body('s = "\\N{BULLET}"  # MARK'),
    "CON-009 an octal escape": body('s = "\\777"  # MARK'),
    "CON-009 an escape of text in bytes": body('s = b"\\u4e91"  # MARK'),
    "CON-009 half a character": body('s = "\\ud800"  # MARK'),
    "CON-010 a format specification": body('s = f"{n:>1000000000}"  # MARK'),
    "CON-010 a nested specification": body('s = f"{n:{n}}"  # MARK'),
    "CON-010 a conversion": body('s = f"{bill!r}"  # MARK'),
    "CON-010 a debugging field": body('s = f"{n=}"  # MARK'),
    "CON-010 quotes in a field": body("s = f\"{d['a']}\"  # MARK"),
    "CON-010 a string in a field": body("s = f\"{f'{n}'}\"  # MARK"),
    "CON-010 a field that does not end": body('s = f"{n"  # MARK'),
    "CON-011 what is no Python": body("n = = 1  # MARK"),
    "CON-011 a bracket that does not close": body("n = (1"),
    "CON-011 a bracket that closes another": body("n = (1]  # MARK"),
    "CON-011 break outside of a loop": body("break  # MARK"),
    "CON-011 an uneven indent": body("if flag:\n        n = 1\n   n = 2"),
    "CON-011 a dollar": body("n = $1  # MARK"),
    "CON-020 try": body("try:  # MARK\n    n = 1\nfinally:\n    n = 2"),
    "CON-020 try with a star": body("try:  # MARK\n    n = 1\nexcept* ValueError:\n    n = 2"),
    "CON-020 raise": body("raise ValueError  # MARK"),
    "CON-020 assert": body("assert flag  # MARK"),
    "CON-021 with": body("with s:  # MARK\n    n = 1"),
    "CON-021 an async function": module("async def f() -> None:  # MARK\n    pass"),
    "CON-021 await": body("await s  # MARK"),
    "CON-021 an async comprehension": body("xs = [x async for x in xs]  # MARK"),
    "CON-022 yield": body("yield 1  # MARK"),
    "CON-022 yield from": body("yield from xs  # MARK"),
    "CON-023 lambda": body("n = lambda: 1  # MARK"),
    "CON-023 a function in a function": body("def f() -> None:  # MARK\n    pass"),
    "CON-023 a class in a function": body("class F(Record):  # MARK\n    a: int"),
    "CON-023 an import in a function": body("from yunhe.contracts import view  # MARK"),
    "CON-024 match": body("match bill:  # MARK\n    case Bill(bill_id=x):\n        n = 1"),
    "CON-025 a set": body("n = {1, 2}  # MARK"),
    "CON-025 a set comprehension": body("n = {x for x in xs}  # MARK"),
    "CON-026 a starred argument": body("n = max(*xs)  # MARK"),
    "CON-026 a starred target": body("a, *b = xs  # MARK"),
    "CON-026 a starred element": body("xs = [*xs]  # MARK"),
    "CON-026 arguments from a dict": body("bill = Bill(**d)  # MARK"),
    "CON-026 a dict in a dict": body("d = {**d}  # MARK"),
    "CON-027 a walrus": body("if (m := 1) > 0:  # MARK\n    n = m"),
    "CON-028 global": body("global LIMIT  # MARK"),
    "CON-028 nonlocal": body("nonlocal n  # MARK"),
    "CON-029 division": body("n = n / 2  # MARK"),
    "CON-029 division in place": body("n /= 2  # MARK"),
    "CON-029 a shift": body("n = 1 << 1000000000  # MARK"),
    "CON-029 bits": body("n = n & 1 | 2 ^ 3  # MARK"),
    "CON-029 inversion": body("n = ~n  # MARK"),
    "CON-029 a matrix product": body("n = n @ n  # MARK"),
    "CON-030 is with a number": body("flag = n is 5  # MARK"),
    "CON-030 is with a name": body("flag = s is s  # MARK"),
    "CON-030 a literal that is None": body("flag = 1 is None  # MARK"),
    "CON-030 a folded constant, which Python warns of": body("flag = -1 is None  # MARK"),
    "CON-030 a folded tuple, which Python warns of": body("flag = (1, 2) is not None  # MARK"),
    "CON-031 a generator that is kept": body("n = (x for x in xs)  # MARK"),
    "CON-031 a generator beside another argument": body("n = max((x for x in xs), default=0)  # MARK"),
    "CON-031 a generator for a function": module("def f(a: list[int]) -> None:\n    pass\n\n\ndef g(xs: list[int]) -> None:\n    f(x for x in xs)  # MARK"),
    "CON-032 a name deleted": body("del n  # MARK"),
    "CON-032 a field deleted": body("del bill.holder  # MARK"),
    "CON-033 a slice assigned": body("xs[0:1] = [2]  # MARK"),
    "CON-033 a slice deleted": body("del xs[:]  # MARK"),
    "CON-033 an annotation alone": body("m: int  # MARK"),
    "CON-033 a list of targets": body("[a, b] = xs  # MARK"),
    "CON-033 a field as the variable of a loop": body("for bill.weight in xs:  # MARK\n    n = 1"),
    "CON-034 a comparison that nothing uses": body("bill.holder == ctx.sender  # MARK"),
    "CON-034 a text inside a function": body('n = 1\n"a note"  # MARK'),
    "CON-035 a call in the middle of a chain": body("flag = 0 < max(xs) < 5  # MARK"),
    "CON-036 an element of a literal": body("n = (1, 2)[0]  # MARK"),
    "CON-036 a slice among keys": body("n = d[1:2, 3]  # MARK"),
    "CON-037 an ellipsis": body("n = ...  # MARK"),
    "CON-040 a module": module("import os  # MARK"),
    "CON-040 another module": module("from os import system  # MARK"),
    "CON-040 a private part of the SDK": module("from yunhe.contracts import machine  # MARK"),
    "CON-040 the SDK inside the SDK": module("from yunhe.contracts.machine import Machine  # MARK"),
    "CON-040 everything": module("from yunhe.contracts import *  # MARK"),
    "CON-040 another name": module("from yunhe.contracts import pro_rata as share  # MARK"),
    "CON-040 a relative import": module("from . import action  # MARK"),
    "CON-040 the future": "from __future__ import annotations  # MARK\n" + module(""),
    "CON-040 what only system contracts may": module("from yunhe.contracts.system import code_hash  # MARK"),
    "CON-041 a built-in that contracts have not": body("n = open(s)  # MARK"),
    "CON-041 reflection": body('n = getattr(bill, "holder")  # MARK'),
    "CON-041 a name that nobody defined": body("n = nobody  # MARK"),
    "CON-041 a name of the SDK that is not imported": body("xs = pro_rata(n, xs)  # MARK"),
    "CON-042 a built-in hidden": body("len = 5  # MARK"),
    "CON-042 a function of the SDK hidden": module("def require_signer(a: int) -> None:  # MARK\n    pass"),
    "CON-042 a table hidden": body("bills = n  # MARK"),
    "CON-042 a parameter that hides a built-in": module("def f(sum: int) -> None:  # MARK\n    pass"),
    "CON-042 a parameter that hides a table": module("def f(bills: str) -> str:  # MARK\n    return bills"),
    "CON-042 a parameter that hides a choice": module("def f(Status: str) -> str:  # MARK\n    return Status"),
    "CON-042 the variable of a comprehension": body("xs = [len for len in xs]  # MARK"),
    "CON-042 a name defined twice": module("LIMIT = 11  # MARK"),
    "CON-042 the context replaced": body("ctx = n  # MARK"),
    "CON-043 a function as a value": module("def f() -> None:\n    pass\n\n\ndef g() -> None:\n    a = f  # MARK"),
    "CON-043 a built-in as a value": body("n = len  # MARK"),
    "CON-043 a class as a value": body("n = Bill  # MARK"),
    "CON-043 a table as a value": body("n = [bills]  # MARK"),
    "CON-043 a table printed": body('s = f"{bills}"  # MARK'),
    "CON-043 a constant dict as a value": body("d = RATES  # MARK"),
    "CON-043 a constant dict that another call could keep": body("d = max(xs, default=RATES)  # MARK"),
    "CON-043 the context kept": body("n = [ctx]  # MARK"),
    "CON-043 the context printed": body('s = f"{ctx}"  # MARK'),
    "CON-043 the context where no context is expected": module("def f(a: int) -> int:\n    return a\n\n\ndef g(ctx: Context) -> int:\n    return f(ctx)  # MARK"),
    "CON-043 the context where no context is expected, by name": module("def f(a: int) -> int:\n    return a\n\n\ndef g(ctx: Context) -> int:\n    return f(a=ctx)  # MARK"),
    "CON-043 a table in the middle of a chain": body("flag = bill.bill_id in bills == True  # MARK"),
    "CON-043 an attribute of a function": body("n = len.name  # MARK"),
    "CON-043 an attribute hung on a function": module("def f() -> None:\n    f.number = 1  # MARK"),
    "CON-044 a value called": body("n = s()  # MARK"),
    "CON-044 a result called": body("n = len(xs)()  # MARK"),
    "CON-044 a choice called": body('n = Status("open")  # MARK'),
    "CON-044 a table called": body("n = bills()  # MARK"),
    "CON-044 a decorator called": body("n = action(s)  # MARK"),
    "CON-044 a table made in a function": body('n = Table(key="a")  # MARK'),
    "CON-045 a function that calls itself": module("def f(n: int) -> int:\n    return f(n - 1)  # MARK"),
    "CON-045 functions that call one another": module("def f() -> int:\n    return g()\n\n\ndef g() -> int:\n    return f()"),
    "CON-046 too many arguments": body("n = len(xs, xs)  # MARK"),
    "CON-046 a keyword that is not there": body("xs = sorted(xs, key=n)  # MARK"),
    "CON-046 an argument that a function lacks": module("def f(a: int) -> None:\n    pass\n\n\ndef g() -> None:\n    f(b=1)  # MARK"),
    "CON-046 a field that a record lacks": body("bill = Part(number=1, extra=2)  # MARK"),
    "CON-046 a field that is missing": body("bill = Part()  # MARK"),
    "CON-046 a field without its name": body("bill = Part(1)  # MARK"),
    "CON-046 an argument twice": body("bill = Part(number=1, number=2)  # MARK"),
    "CON-047 the class of a value": body("n = bill.__class__  # MARK"),
    "CON-047 a class in a field of text": body('s = f"{bill.__class__}"  # MARK'),
    "CON-047 an undeclared field": body("n = bill.colour  # MARK"),
    "CON-047 a method as a value": body("n = xs.append  # MARK"),
    "CON-047 a member that a choice lacks": body("n = Status.LOST  # MARK"),
    "CON-047 an undeclared field set": body("bill.colour = 1  # MARK"),
    "CON-047 a field of the context set": body("ctx.sender = s  # MARK"),
    "CON-047 a member of a choice changed": module("def f() -> None:\n    Status.OPEN.number = 1  # MARK"),
    "CON-048 str.format": body('s = "{}".format(n)  # MARK'),
    "CON-048 a method of classes": body("n = s.mro()  # MARK"),
    "CON-048 another method of a table": body("n = bills.clear()  # MARK"),
    "CON-048 a constant dict changed": body('RATES.update(d)  # MARK'),
    "CON-050 a statement": module("require(True, 'X')  # MARK"),
    "CON-050 a loop": module("for i in (1, 2):  # MARK\n    LAST = i"),
    "CON-050 no entry": HEAD,
    "CON-050 nothing": "",
    "CON-051 a list that lasts": module("CACHE = []  # MARK"),
    "CON-051 a call": module("START = len('a')  # MARK"),
    "CON-051 a comprehension": module("ALL = [i for i in (1, 2)]  # MARK"),
    "CON-051 a power without end": module("BIG = 2 ** 10 ** 9  # MARK"),
    "CON-051 a division by zero": module("BAD = 1 // 0  # MARK"),
    "CON-051 text that is multiplied": module("BIG = 'a' * 1000000000  # MARK"),
    "CON-051 a dict of lists": module("CACHE = {'a': []}  # MARK"),
    "CON-051 a function": module("ALIAS = entry  # MARK"),
    "CON-052 a class of its own": module("class Own:  # MARK\n    a: int"),
    "CON-052 a metaclass": module("class Own(Record, metaclass=Record):  # MARK\n    a: int"),
    "CON-052 two bases": module("class Own(Record, Event):  # MARK\n    a: int"),
    "CON-052 a record of a record": module("class Own(Bill):  # MARK\n    a: int"),
    "CON-052 a method": module("class Own(Record):\n    a: int\n\n    def b(self) -> None:  # MARK\n        pass"),
    "CON-052 a counter on a class": module("class Own(Record):\n    a = 1  # MARK"),
    "CON-052 a decorated class": module("@action  # MARK\nclass Own(Record):\n    a: int").replace("@action  # MARK\nclass Own(Record):", "@action\nclass Own(Record):  # MARK"),
    "CON-052 a choice of numbers": module("class Own(Choice):\n    A = 1  # MARK"),
    "CON-052 a member twice": module('class Own(Choice):\n    A = "a"\n    B = "a"  # MARK'),
    "CON-052 an empty choice": module("class Own(Choice):  # MARK\n    pass"),
    "CON-052 too many fields": module("class Own(Record):  # MARK\n" + "".join(f"    a{i}: int\n" for i in range(RECORD_FIELDS_MAX + 1))),
    "CON-053 a frame": module("class Own(Record):\n    gi_frame: int  # MARK"),
    "CON-053 the order of resolution": module("class Own(Record):\n    mro: int  # MARK"),
    "CON-053 a field with capitals": module("class Own(Record):\n    Name: int  # MARK"),
    "CON-053 a parameter of a frame": module("def f(f_globals: int) -> None:  # MARK\n    pass"),
    "CON-054 an unknown type": module("class Own(Record):\n    a: float  # MARK"),
    "CON-054 a type in quotes": module("class Own(Record):\n    a: 'int'  # MARK"),
    "CON-054 a list of nothing": module("class Own(Record):\n    a: list  # MARK"),
    "CON-054 a tuple in a record": module("class Own(Record):\n    a: tuple[int, int]  # MARK"),
    "CON-054 a union": module("class Own(Record):\n    a: int | str  # MARK"),
    "CON-054 the context in a record": module("class Own(Record):\n    a: Context  # MARK"),
    "CON-054 a call": module("class Own(Record):\n    a: int if entry() else str  # MARK"),
    "CON-054 a class that stands below": module("class Own(Record):\n    a: Later  # MARK\n\n\nclass Later(Record):\n    a: int"),
    "CON-054 a record within itself": module("class Own(Record):\n    a: Own  # MARK"),
    "CON-054 a tuple across the boundary": module("@action\ndef f(ctx: Context, a: tuple[int, int]) -> None:  # MARK\n    pass"),
    "CON-054 containers too deep": module("class Own(Record):\n    a: " + "list[" * 9 + "int" + "]" * 9 + "  # MARK"),
    "CON-055 a default that is shared": module("def f(a: list[int] = []) -> None:  # MARK\n    pass"),
    "CON-055 a default that is computed": module("def f(a: int = len('x')) -> None:  # MARK\n    pass"),
    "CON-055 a record as a default": module("class Own(Record):\n    a: Part = Part(number=1)  # MARK"),
    "CON-055 a list of lists as a default": module("class Own(Record):\n    a: list[list[int]] = [[]]  # MARK"),
    "CON-056 a parameter without a type": module("def f(a) -> None:  # MARK\n    pass"),
    "CON-056 a result without a type": module("def f(a: int):  # MARK\n    pass"),
    "CON-056 any number of arguments": module("def f(*a: int) -> None:  # MARK\n    pass"),
    "CON-056 any keywords": module("def f(**a: int) -> None:  # MARK\n    pass"),
    "CON-056 positions only": module("def f(a: int, /) -> None:  # MARK\n    pass"),
    "CON-056 keywords only": module("def f(*, a: int) -> None:  # MARK\n    pass"),
    "CON-057 another decorator": module("@entry\ndef f(ctx: Context) -> None:  # MARK\n    pass"),
    "CON-057 a decorator that is called": module("@action()\ndef f(ctx: Context) -> None:  # MARK\n    pass"),
    "CON-057 two decorators": module("@action\n@view\ndef f(ctx: Context) -> int:  # MARK\n    return 1"),
    "CON-057 an entry without the context": module("@action\ndef f(a: int) -> None:  # MARK\n    pass"),
    "CON-057 a view of nothing": module("@view\ndef f(ctx: Context) -> None:  # MARK\n    pass"),
    "CON-058 a table of scalars": module('own: Table[int] = Table(key="a")  # MARK'),
    "CON-058 a key that is no field": module('own: Table[Bill] = Table(key="colour")  # MARK'),
    "CON-058 a key that is computed": module("own: Table[Bill] = Table(key='bill' + '_id')  # MARK"),
    "CON-058 a map of records": module("own: Map[str, Bill] = Map()  # MARK"),
    "CON-058 a map by a tuple of one": module("own: Map[tuple[str], int] = Map()  # MARK"),
    "CON-058 a map by a tuple of nothing": module("own: Map[tuple[()], int] = Map()  # MARK"),
    "CON-058 a table without its type": module('own: Table = Table(key="a")  # MARK'),
    "CON-058 state with capitals": module('Own: Table[Bill] = Table(key="bill_id")  # MARK'),
    "CON-059 a record assigned": body("bills[s] = bill  # MARK"),
    "CON-059 a record deleted by subscript": body("del bills[s]  # MARK"),
    "CON-059 a slice of a table": body("n = bills[s:]  # MARK"),
    "CON-059 a constant dict assigned": body('RATES["c"] = 3  # MARK'),
    "CON-060 a code that is computed": body("require(flag, s)  # MARK"),
    "CON-060 a code that depends on data": body('refuse(f"NOT_{n}")  # MARK'),
    "CON-060 a code of the runtime": body('refuse("OUT_OF_GAS")  # MARK'),
    "CON-060 success as a refusal": body('refuse("OK")  # MARK'),
    "CON-060 a code in small letters": body('refuse("not_found")  # MARK'),
    "CON-061 a view that saves": module("@view\ndef ask(ctx: Context) -> int:  # MARK\n    counts[ctx.sender] = 1\n    return 1"),
    "CON-061 a view that calls a writer": module('def deep(ctx: Context) -> None:\n    emit(Moved(bill_id="a"))\n\n\n@view\ndef ask(ctx: Context) -> int:  # MARK\n    deep(ctx)\n    return 1'),
    "CON-061 a view that calls an action": module('@view\ndef ask(ctx: Context) -> int:  # MARK\n    call("other", "act")\n    return 1'),
    "CON-062 text formatted with a remainder": body('s = "%1000000000d" % n  # MARK'),
    "CON-063 an index of a field that is not there": module('by_colour: Index[Bill] = Index(bills, by="colour")  # MARK'),
    "CON-063 an index of a list": module('by_parts: Index[Bill] = Index(bills, by="parts")  # MARK'),
    "CON-063 an index of truth": module('class Own(Record):\n    a: str\n    b: bool\n\n\nowns: Table[Own] = Table(key="a")\nby_b: Index[Own] = Index(owns, by="b")  # MARK'),
    "CON-063 an index of a field twice": module('by_two: Index[Bill] = Index(bills, by=("status", "status"))  # MARK'),
    "CON-063 an index of what is computed": module('by_two: Index[Bill] = Index(bills, by="sta" + "tus")  # MARK'),
    "CON-063 an index of nothing": module("by_none: Index[Bill] = Index(bills, by=())  # MARK"),
    "CON-063 an index of no table": module('by_holder: Index[Bill] = Index(counts, by="holder")  # MARK'),
    "CON-063 an index of a table below": module('by_text: Index[Part] = Index(parts, by="text")  # MARK\nparts: Table[Part] = Table(key="number")'),
    "CON-063 an index of another record": module('by_holder: Index[Part] = Index(bills, by="holder")  # MARK'),
    "CON-063 an index by the key": module('by_id: Index[Bill] = Index(bills, by="bill_id")  # MARK'),
    "CON-063 an index that is there already": module('again: Unique[Bill] = Unique(bills, by="holder")  # MARK'),
    "CON-063 an index with a code": module('by_status: Index[Bill] = Index(bills, by="status", code="TAKEN")  # MARK'),
    "CON-063 an index without fields": module("by_status: Index[Bill] = Index(bills)  # MARK"),
    "CON-063 an index of two tables": module('by_status: Index[Bill] = Index(bills, bills, by="status")  # MARK'),
    "CON-063 too many fields": module("class Own(Record):\n    a: str\n" + "".join(f"    f{i}: int\n" for i in range(8)) + f'\n\nowns: Table[Own] = Table(key="a")\nby_all: Index[Own] = Index(owns, by={tuple(f"f{i}" for i in range(8))})  # MARK'),
    "CON-063 too many indexes": module("class Own(Record):\n    a: str\n" + "".join(f"    f{i}: int\n" for i in range(9)) + '\n\nowns: Table[Own] = Table(key="a")\n' + "".join(f'i{i}: Index[Own] = Index(owns, by="f{i}")\n' for i in range(8)) + 'i8: Index[Own] = Index(owns, by="f8")  # MARK'),
    "CON-060 a code of a constraint that is a name": module('by_status: Unique[Bill] = Unique(bills, by="status", code=NAME)  # MARK'),
    "CON-060 a code of the runtime for a constraint": module('by_status: Unique[Bill] = Unique(bills, by="status", code="OUT_OF_GAS")  # MARK'),
    "CON-043 an index as a value": body("n = len(bills_by_holder)  # MARK"),
    "CON-043 an element of an index": body("n = bills_by_holder[bill.holder]  # MARK"),
    "CON-043 an element of a log": body("n = notes[s]  # MARK"),
    "CON-043 membership of an index": body("flag = bill.holder in bills_by_holder  # MARK"),
    "CON-044 an index made in a function": body('n = Index(bills, by="status")  # MARK'),
    "CON-048 a record added to an index": body("bills_by_holder.add(bill)  # MARK"),
    "CON-048 an entry of a log changed": body("notes.save(bill)  # MARK"),
    "CON-059 a row of a constraint assigned": body("bill_of_weight[n] = bill  # MARK"),
    "CON-059 a row of a constraint deleted": body("del bill_of_weight[n]  # MARK"),
    "CON-061 a view that appends": module("@view\ndef ask(ctx: Context) -> int:  # MARK\n    return notes.append('a', Part(number=1))"),
    "CON-061 a view that counts up": module("@view\ndef ask(ctx: Context) -> int:  # MARK\n    counts.add(ctx.sender, 1)\n    return 1"),
    "CON-064 a log of scalars": module("steps: Log[str, int] = Log()  # MARK"),
    "CON-064 a log by a tuple of one": module("steps: Log[tuple[str], Part] = Log()  # MARK"),
    "CON-064 a log without a key": module("steps: Log[Part] = Log()  # MARK"),
    "CON-064 a log by a record": module("steps: Log[Part, Part] = Log()  # MARK"),
    "CON-064 a log with options": module("steps: Log[str, Part] = Log(default=1)  # MARK"),
    "CON-064 a log by too many parts": module("steps: Log[tuple[int, int, int, int, int, int, int, int], Part] = Log()  # MARK"),
    "CON-065 text added": body('titles.add(s, 1)  # MARK'),
}  # fmt: skip


@pytest.mark.parametrize("source", ACCEPTED.values(), ids=ACCEPTED)
def test_check_accepted_source_returns_its_tree(source) -> None:
    checked = check(source)
    assert checked.source == source
    assert ast.dump(checked.tree) == ast.dump(ast.parse(source))


@pytest.mark.parametrize(("sentence", "source"), REFUSED.items(), ids=REFUSED)
def test_check_refused_source_names_rule_line_reason_and_remedy(sentence, source) -> None:
    with pytest.raises(ContractRefusedError) as caught:
        check(source)
    findings = caught.value.findings
    assert sentence[:7] in [finding.rule for finding in findings]
    text = source if isinstance(source, str) else ""
    marked = [index for index, line in enumerate(text.split("\n"), 1) if "MARK" in line]
    found = [finding for finding in findings if finding.rule == sentence[:7] and (not marked or [finding.line] == marked)]
    assert found, findings
    for finding in found:
        assert finding.reason
        assert finding.instead
        assert 0 <= finding.column <= len(text.split("\n")[max(finding.line - 1, 0)]) + 1


@pytest.mark.parametrize("rule", sorted({sentence[:7] for sentence in REFUSED}))
def test_rules_have_accepted_and_refused_cases(rule) -> None:
    assert any(sentence.startswith(rule) for sentence in ACCEPTED)


@pytest.mark.parametrize(
    ("line", "counterpart"),
    [
        ("import collections, Counter", "a Map[K, int] with default=0 and its `add`"),
        ("from collections import Counter", "a Map[K, int] with default=0 and its `add`"),
        ("from yunhe.contracts import Counter", "a Map[K, int] with default=0 and its `add`"),
        ("from decimal import Decimal as D", "mul_div rounds"),
        ("import datetime", "use ctx.time_ms"),
        ("from math.special import erf", "mul_div rounds"),
        ("from dataclasses import dataclass", "declare a Record"),
    ],
)
def test_import_of_what_has_a_counterpart_names_it(line: str, counterpart: str) -> None:
    """CON-040"""
    with pytest.raises(ContractRefusedError) as caught:
        check(module(line))
    (found,) = [finding for finding in caught.value.findings if finding.rule == "CON-040"]
    assert counterpart in found.instead
    assert "yunhe.contracts" in found.instead


@pytest.mark.parametrize(
    ("body", "rule", "counterpart"),
    [
        ("return len(rows)", "CON-043", "rows.count() for how many"),
        ("return ctx.time", "CON-047", "the context has sender, signers, caller, contract, time_ms, height"),
        ('return numbers.get("a", 0)', "CON-048", "write numbers[key], which gives the default"),
        ("share: float = 1\n    return 1", "CON-054", "count in the smallest unit"),
    ],
)
def test_habit_of_a_python_developer_is_answered_with_the_counterpart(body: str, rule: str, counterpart: str) -> None:
    source = (
        "from yunhe.contracts import Context, Map, Record, Table, view\n\n\n"
        "class Row(Record):\n    name: str\n\n\n"
        'rows: Table[Row] = Table(key="name")\nnumbers: Map[str, int] = Map(default=0)\n\n\n'
        f"@view\ndef f(ctx: Context) -> int:\n    {body}\n"
    )
    with pytest.raises(ContractRefusedError) as caught:
        check(source)
    (found,) = [finding for finding in caught.value.findings if finding.rule == rule]
    assert counterpart in found.instead
