"""Attacks on what CPython 3.11 does behind a plain line: texts of errors, copies, gaps in dicts, folded constants, warnings, hashes."""

# ruff: noqa: E501  # a table of cases: one a line reads best

from tests.hostile.frame import Case

WIDE = "s = chr(0x10FFFF) * 1000000\n"
DEEP = "x = [1]\nfor i in range(20000):\n    x = [x]\n"
FAT = "class Fat(Record):\n" + "\n".join(f"    field_{index}: list[int] = [{'0, ' * 200}]" for index in range(60))
MANY_FIELDS = "\n".join(f"    field_{index}: int = 0" for index in range(60))
NESTED_FIELDS = "\n".join(f"    field_{index}: Inner" for index in range(60))
NESTED = (
    f"class Inner(Record):\n{MANY_FIELDS}\n\n\nclass Outer(Record):\n{NESTED_FIELDS}\n\n\n"
    'class Most(Record):\n    key: str\n    outers: list[Outer] = []\n\n\nmosts: Table[Most] = Table(key="key")'
)
NEST = "i = Inner()\no = Outer(" + ", ".join(f"field_{index}=i" for index in range(60)) + ")\n"
FORGED = "class Seal(Record):\n    organisation: Org\n    roles: list[str] = []\n\n\nclass Forged(Record):\n    sender: Org\n    signers: list[Seal]"
FORGE = 'w = Seal(organisation=Org("nobody"))\nf = Forged(sender=ctx.sender, signers=[w] * 200000 + [Seal(organisation=ctx.sender, roles=["admin"])])\n'
COLLIDING = """\
d = {}
i = 0
while True:
    i += 1
    t = (2870177450012600261 + i * 14029467366897019727) % 2**64
    t = (t % 2**33 * 2**31 + t // 2**33) * 11400714785074694791 % 2**64
    j = (1 - t) * 839798700976720815 % 2**64
    if j < 2**61 - 1:
        d[(i, j)] = i
"""

CONTAINED = {
    "crash: a role that is a deep list": Case(DEEP + "require_role(ctx, x)", "CONTRACT_FAULT"),
    "crash: an organisation that is a deep list": Case(DEEP + "require_signer(ctx, x)", "CONTRACT_FAULT"),
    "crash: a role of an organisation that is a deep list": Case(DEEP + 'require_role(ctx, "admin", x)', "CONTRACT_FAULT"),
    "crash: what is not in a list, written out": Case(WIDE + "x = [s] * 280\nn = [].index(x)", "CONTRACT_FAULT"),
    "crash: what is not in a tuple, written out": Case(WIDE + "x = [s] * 90\nn = PAIR.index(x)", "CONTRACT_FAULT"),
    "crash: what is not in a list to remove, written out": Case(WIDE + "x = [s] * 90\ny = [1]\ny.remove(x)", "CONTRACT_FAULT"),
    "crash: a missing key, written out": Case(WIDE + "s = s * 15\nd = {}\nn = d[(s, s, s, s, s, s, s, s)]", "CONTRACT_FAULT"),
    "crash: a key that is not there to pop, written out": Case(
        WIDE + "s = s * 15\nd = {}\nn = d.pop((s, s, s, s, s, s, s, s))", "CONTRACT_FAULT"
    ),
    "crash: a key that is not there to delete, written out": Case(WIDE + "d = {}\ndel d[(s, s, s, s, s, s, s, s)]", "CONTRACT_FAULT"),
    "crash: half a character as an action": Case('call("neutral", chr(0xD800))', "ACTION_NOT_FOUND"),
    "crash: half a character as a contract": Case('call(chr(0xD800), "take")', "CONTRACT_NOT_FOUND"),
    "crash: half a character as an argument": Case('call("neutral", "take", numbers=chr(0xD800))', "ARGUMENTS_INVALID"),
    "crash: half a character encoded": Case("b = chr(0xDFFF).encode()", "CONTRACT_FAULT"),
    "crash: half a character as a key": Case("d = {}\nn = d[chr(0xD800)]", "CONTRACT_FAULT"),
    "crash: an action of a very long name": Case('call("neutral", "a" * 10000000)', "ACTION_NOT_FOUND"),
    "crash: a contract of a very long name": Case('call("a" * 10000000, "go")', "CONTRACT_NOT_FOUND"),
    "crash: more values than names for them": Case('a, b = "a" * 1000000', "CONTRACT_FAULT"),
    "crash: fewer values than names for them": Case("a, b, c = PAIR", "CONTRACT_FAULT"),
    "crash: bytes that are no text": Case("s = bytes([255] * 1000000).decode()", "CONTRACT_FAULT"),
    "memory: defaults copied for each instance": Case("xs = []\nwhile True:\n    xs.append(Fat())", "OUT_OF_MEMORY", FAT),
    "memory: instances of many fields that are not given": Case(
        "xs = []\nwhile True:\n    xs.append(Inner())", "OUT_OF_GAS", f"class Inner(Record):\n{MANY_FIELDS}"
    ),
    "memory: records of records of records stored": Case(NEST + 'mosts.add(Most(key="a", outers=[o] * 250000))', "VALUE_TOO_LARGE", NESTED),
    "memory: records of records of records handed over": Case(
        NEST + 'call("neutral", "take", numbers=[o] * 30000)', "VALUE_TOO_LARGE", NESTED
    ),
    "memory: records of records of records returned": Case(NEST + "return [o] * 250000", "VALUE_TOO_LARGE", NESTED, "list[Outer]"),
    "memory: texts of one character, each its own": Case("xs = []\nfor i in range(10**6):\n    xs.append(chr(i))", "OUT_OF_GAS"),
    "memory: rows of rows, kept": Case("xs = list(range(100000))\nys = [z for i in range(100) for z in zip(xs, xs, xs, xs)]", "OUT_OF_GAS"),
    "memory: views of a dict, kept": Case("d = {1: 1}\nxs = []\nwhile True:\n    xs.append(d.items())", "OUT_OF_GAS"),
    "memory: a slice with bounds beyond any index": Case(
        's = "a" * 1000000\nxs = []\nwhile True:\n    xs.append(s[-(2**200):2**200 - 1:2])', "OUT_OF_MEMORY"
    ),
    "gas: gaps in a dict walked over": Case(
        'd = {f"k{i}": i for i in range(8000)}\nfor i in range(7999):\n    del d[f"k{i}"]\nwhile True:\n    for k in d:\n        break',
        "OUT_OF_GAS",
    ),
    "gas: gaps in a dict that were popped": Case(
        'd = {f"k{i}": i for i in range(8000)}\nfor i in range(7999):\n    n = d.pop(f"k{i}")\nwhile True:\n    for k in d.values():\n        break',
        "OUT_OF_GAS",
    ),
    "gas: gaps in a dict walked over backwards": Case(
        'd = {f"k{i}": i for i in range(8000)}\nfor i in range(7999):\n    del d[f"k{7999 - i}"]\nwhile True:\n    for k in reversed(d):\n        break',
        "OUT_OF_GAS",
    ),
    "gas: comparing with a long literal": Case(
        f's = "ab" * 20000\nn = 0\nwhile True:\n    if s == "{"ab" * 20000}":\n        n = 1', "OUT_OF_GAS"
    ),
    "gas: looking for a long literal": Case(
        f's = "ab" * 20000\nn = 0\nwhile True:\n    if s in ("a", "{"ab" * 20000}"):\n        n = 1', "OUT_OF_GAS"
    ),
    "gas: texts of two widths ordered": Case('s = "a" * 1000000\nt = s + chr(0x4E00)\nwhile True:\n    flag = s < t', "OUT_OF_GAS"),
    "gas: signers of a forged context": Case(FORGE + "while True:\n    require_signer(f, ctx.sender)", "CONTRACT_FAULT", FORGED),
    "gas: roles of a forged context": Case(FORGE + 'while True:\n    require_role(f, "admin")', "CONTRACT_FAULT", FORGED),
    "gas: tuples as keys whose hashes meet": Case(COLLIDING, "OUT_OF_GAS"),
    "gas: a table of names that grows and shrinks": Case(
        'd = {}\nn = 0\nwhile True:\n    d[f"{n}"] = n\n    n += 1\n    if len(d) > 4096:\n        for i in range(n - 4097, n):\n            del d[f"{i}"]',
        "OUT_OF_GAS",
    ),
    "gas: a generator that is given up at once": Case(
        "xs = list(range(10000))\nwhile True:\n    flag = any(True for x in xs)", "OUT_OF_GAS"
    ),
    "gas: sorting what is sorted": Case("xs = list(range(100000))\nwhile True:\n    xs.sort(reverse=True)\n    xs.sort()", "OUT_OF_GAS"),
    "gas: sorting texts that begin alike": Case(
        'xs = ["a" * 1000 + f"{i}" for i in range(2000)]\nwhile True:\n    ys = sorted(xs)', "OUT_OF_GAS"
    ),
    "gas: the smallest of long texts": Case('xs = ["a" * 100000] * 100\nwhile True:\n    s = min(xs)', "OUT_OF_GAS"),
    "gas: shortening a list from the front": Case(
        "xs = list(range(100000))\nwhile True:\n    n = xs.pop(0)\n    xs.append(n)", "OUT_OF_GAS"
    ),
    "gas: stripping what is not there": Case(
        's = "a" * 100000\nt = "bcdefghijklmnopqrstuvwxyz" * 100\nwhile True:\n    u = s.strip(t)', "OUT_OF_GAS"
    ),
    "gas: nothing replaced by nothing": Case('s = "a" * 100000\nwhile True:\n    t = s.replace("", "")', "OUT_OF_GAS"),
    "gas: an equal prefix made anew": Case('s = "a" * 100000\nwhile True:\n    flag = s.startswith(s[:-1] + "b")', "OUT_OF_GAS"),
    "gas: a power of a power of a power": Case("n = 1\nwhile True:\n    n = (n + 2) ** 2 % 2**127", "OUT_OF_GAS"),
    "gas: division of long integers": Case("n = 2**254\nwhile True:\n    m = n // 3 % 2**100", "OUT_OF_GAS"),
    "gas: a list compared with itself but for its end": Case(
        "xs = [1] * 100000\nys = [1] * 99999 + [2]\nwhile True:\n    flag = xs == ys", "OUT_OF_GAS"
    ),
    "gas: dicts compared": Case("d = {i: i for i in range(1000)}\ne = d.copy()\nwhile True:\n    flag = d == e", "OUT_OF_GAS"),
    "numbers: counting up from the top": Case(
        "n = 0\nfor i, x in enumerate(PAIR, 2**254 + (2**254 - 1)):\n    n = i", "INTEGER_OUT_OF_RANGE"
    ),
    "numbers: counting up from what is no integer": Case('for i, x in enumerate(PAIR, "a"):\n    pass', "INTEGER_OUT_OF_RANGE"),
    "numbers: below the bottom": Case("n = -(2**254 + (2**254 - 1)) - 1", "INTEGER_OUT_OF_RANGE"),
    "numbers: a range longer than a length": Case("n = len(range(2**70))", "CONTRACT_FAULT"),
    "numbers: an element beyond any index": Case("n = PAIR[2**70]", "CONTRACT_FAULT"),
    "numbers: a character beyond any": Case("s = chr(2**70)", "CONTRACT_FAULT"),
    "numbers: a place beyond any to insert": Case("xs = []\nxs.insert(2**70, 1)", "CONTRACT_FAULT"),
    "numbers: replacements beyond any number": Case('s = "aa".replace("a", "b", 2**70)', "CONTRACT_FAULT"),
    "numbers: pieces beyond any number": Case('xs = "a,a".split(",", 2**70)', "CONTRACT_FAULT"),
    "numbers: a byte beyond any": Case("b = bytes([256])", "CONTRACT_FAULT"),
    "numbers: a negative number of bytes": Case("b = bytes(-1)", "CONTRACT_FAULT"),
    "numbers: a step of zero": Case("ys = [1, 2]\nxs = ys[::0]", "CONTRACT_FAULT"),
    "numbers: a range with a step of zero": Case("xs = list(range(1, 2, 0))", "CONTRACT_FAULT"),
    "numbers: nothing to choose from": Case("n = max([])", "CONTRACT_FAULT"),
    "numbers: a default for what is there": Case("n = max(1, 2, default=3)", "CONTRACT_FAULT"),
    "numbers: a share of more than there is": Case("n = mul_div(2**254, 4, 1, Rounding.FLOOR)", "INTEGER_OUT_OF_RANGE"),
    "numbers: a share of nothing": Case("n = mul_div(1, 1, 0, Rounding.FLOOR)", "CONTRACT_FAULT"),
    "numbers: rounding by a text": Case('n = mul_div(1, 1, 3, "floor")', "CONTRACT_FAULT"),
    "numbers: weights below zero": Case("xs = pro_rata(10, [1, -1])", "CONTRACT_FAULT"),
    "numbers: weights of nothing": Case("xs = pro_rata(10, [0, 0])", "CONTRACT_FAULT"),
    "numbers: weights that are truth values": Case("xs = pro_rata(10, [True, True])", "CONTRACT_FAULT"),
    "numbers: underscores and signs of no number": Case('n = int("1__0")', "CONTRACT_FAULT"),
    "types: text cut at nothing": Case('xs = "a".split("")', "CONTRACT_FAULT"),
    "types: text filled with two characters": Case('s = "a".ljust(5, "bc")', "CONTRACT_FAULT"),
    "types: a method that the other type has": Case('s = "a"\ns.append("b")', "CONTRACT_FAULT"),
    "types: integers ordered with nothing": Case("flag = 1 < None", "CONTRACT_FAULT"),
    "types: lists ordered with tuples": Case("flag = [1] < PAIR", "CONTRACT_FAULT"),
    "types: records ordered": Case("flag = Line() < Line()", "CONTRACT_FAULT"),
    "types: numbers and texts sorted": Case('xs = sorted([1, "a"])', "CONTRACT_FAULT"),
    "types: nothing among tuples that are sorted": Case("xs = sorted([(1, None), (1, 2)])", "CONTRACT_FAULT"),
    "types: signers as keys": Case("d = {s: 1 for s in ctx.signers}", "CONTRACT_FAULT"),
    "types: a tuple of tuples as a key": Case("d = {}\nd[(PAIR, 1)] = 1", "CONTRACT_FAULT"),
    "types: a tuple of many as a key": Case("d = {}\nd[(1, 2, 3, 4, 5, 6, 7, 8, 9)] = 1", "CONTRACT_FAULT"),
    "types: a part of a signer changed": Case("for s in ctx.signers:\n    s.number = 1", "CONTRACT_FAULT"),
    "types: reversed twice": Case("xs = list(reversed(reversed([1])))", "CONTRACT_FAULT"),
    "types: an iterator stored": Case('things.save(Thing(key="spoils", numbers=reversed([1])))', "CONTRACT_FAULT"),
    "types: a view of a dict stored": Case('d = {"a": 1}\nthings.save(Thing(key="spoils", notes=d.items()))', "CONTRACT_FAULT"),
    "types: rows in a text": Case('s = f"{zip(PAIR)}"', "CONTRACT_FAULT"),
    "types: members of a range by text": Case('flag = "a" in range(10)\nrequire(flag, "NO")', "NO"),
    "types: no pair to make a dict of": Case("d = dict([(1, 2, 3)])", "CONTRACT_FAULT"),
    "types: a sum of texts": Case('s = sum(["a"])', "CONTRACT_FAULT"),
    "types: a field that the record was never given": Case("n = Line().number + Line().text", "CONTRACT_FAULT"),
    "escape: a bound method taken for a field": Case("xs = [ctx.contract]\nt = xs[0].format", "CONTRACT_FAULT"),
    "escape: the machine's slots through rows": Case("z = zip(PAIR)\nx = z.number", "CONTRACT_FAULT"),
    "escape: the dict behind a view": Case(
        "d = {1: 1}\nv = d.items()\nx = v.mapping", "CONTRACT_FAULT", "class Mapped(Record):\n    mapping: int = 0"
    ),
    "escape: parts of a number": Case("n = ctx.height\nx = n.real", "CONTRACT_FAULT", "class Complex(Record):\n    real: int = 0"),
}
"""Accepted by the checker."""

BODIES = {
    "crash: a folded constant that Python warns of": ("x = -1 is None", "CON-030"),
    "crash: a folded tuple that Python warns of": ("x = (1, 2) is None", "CON-030"),
    "crash: a folded sum that Python warns of": ("x = 1 + 1 is not None", "CON-030"),
    "crash: a folded text that Python warns of": ('x = "a" "b" is None', "CON-030"),
    "escape: a table in the middle of a chain": ('x = "a" in things == 1', "CON-043"),
    "escape: a constant dict in the middle of a chain": ('x = "a" in RATES in [RATES]', "CON-043"),
    "escape: the context where a number is expected": ("helper(ctx)", "CON-043"),
    "escape: the context where a number is expected, by name": ("helper(number=ctx)", "CON-043"),
    "escape: a class subscripted": ("x = Thing[int]", "CON-043"),
    "escape: a generic type in an expression": ("x = list[int]", "CON-043"),
    "escape: a choice called": ('x = Colour("red")', "CON-044"),
    "escape: a choice subscripted": ('x = Colour["RED"]', "CON-043"),
    "escape: the members of a choice": ("x = [c for c in Colour]", "CON-043"),
    "escape: the inside of a member": ("x = Colour.RED.value", "CON-047"),
    "escape: the map of members": ("x = Colour.__members__", "CON-007"),
    "escape: a method as a value": ("x = [].append", "CON-047"),
    "escape: a function of the SDK as a value": ("x = emit", "CON-043"),
    "escape: the machine behind a function of the SDK": ("x = emit.__self__", "CON-007"),
    "escape: an iterator by hand": ("x = iter(PAIR)", "CON-041"),
    "escape: the next of an iterator": ("x = next(reversed(PAIR))", "CON-041"),
    "escape: super": ("x = super()", "CON-041"),
    "escape: a bare object": ("x = object()", "CON-041"),
    "escape: memory seen through": ('x = memoryview(b"a")', "CON-041"),
    "escape: the names around": ("x = vars()", "CON-041"),
    "escape: an exception's chain": ("try:\n    x = 1\nexcept* ValueError as e:\n    y = e.__context__", "CON-020"),
    "escape: a coroutine": ("async def f():\n    pass", "CON-021"),
    "escape: a result subscripted as a type": ("x = Map[str, int]", "CON-043"),
    "escape: a condition inside an f-string's format": ('x = f"{1:{2}}"', "CON-010"),
    "escape: an f-string in an f-string": ("x = f\"{f'{1}'}\"", "CON-010"),
    "escape: an f-string that shows itself": ('n = 1\nx = f"{n=}"', "CON-010"),
    "escape: a conversion in an f-string": ('n = 1\nx = f"{n!a}"', "CON-010"),
    "escape: a star in an f-string": ('x = f"{*PAIR,}"', "CON-026"),
    "escape: yield in an f-string": ('x = f"{(yield)}"', "CON-022"),
    "escape: a comment in an f-string": ('x = f"{1 #}"\n}"', "CON-010"),
    "escape: a backslash in an f-string": ('x = f"{1 \\\\ 1}"', "CON-010"),
    "hidden state: a table as the variable of a loop": ("for things in PAIR:\n    pass", "CON-042"),
    "hidden state: a table as the variable of a comprehension": ("x = [1 for things in PAIR]", "CON-042"),
    "hidden state: a table as the variable of a nested comprehension": ("x = [[1 for counts in PAIR] for i in PAIR]", "CON-042"),
    "hidden state: a constant changed in place": ("PAIR += (3,)", "CON-042"),
    "hidden state: a constant as one of several targets": ("x, PAIR = 1, 2", "CON-042"),
    "hidden state: a field of a class through a result": ("helper(1).number = 1\nThing.number = 1", "CON-043"),
    "hidden state: the result of a function changed": ("attack.result = 1", "CON-043"),
    "hidden state: a generator kept in a list": ("x = [(i for i in PAIR)]", "CON-031"),
    "hidden state: a generator kept in a field": ("x = Thing(key=(i for i in PAIR))", "CON-031"),
    "hidden state: a generator for two consumers": ("x = max((i for i in PAIR), 1)", "CON-031"),
    "nondeterminism: the text of an object": ("x = ascii(things)", "CON-041"),
    "nondeterminism: identity of folded constants": ("x = (1, 2) is (1, 2)", "CON-030"),
    "nondeterminism: a complex number": ("x = 1j", "CON-008"),
    "nondeterminism: an exponent": ("x = 1e3", "CON-008"),
    "nondeterminism: ellipsis": ("x = ...", "CON-037"),
    "nondeterminism: what Python warns of at a number's end": ("x = 0x1for i in PAIR", "CON-008"),
    "nondeterminism: an octal escape": ('x = "\\101"', "CON-009"),
    "nondeterminism: an environment variable": ('x = environ["HOME"]', "CON-041"),
    "gas: a starred copy": ("x = [*PAIR, *PAIR]", "CON-026"),
    "gas: keywords without end": ("helper(**RATES)", "CON-026"),
    "gas: a dict of dicts merged": ("x = {**RATES, **RATES}", "CON-026"),
    "gas: a union of dicts": ("x = RATES | RATES", "CON-029"),
    "gas: a slice assigned": ("x = [1]\nx[:] = PAIR", "CON-033"),
    "gas: a slice deleted": ("x = [1]\ndel x[:]", "CON-033"),
    "gas: a call in the middle of a chain": ("x = 1 < helper(1) < 3", "CON-035"),
    "gas: a table sliced": ('x = things["a":"b"]', "CON-059"),
    "reentrancy: a view of its own called as an action": ("attack(ctx)", "CON-045"),
}
"""What stands in an action, and the rule that refuses it."""

MODULES = {
    "crash: a parameter that hides a table": ("def f(things: str) -> str:\n    return things.replace('a', things)", "CON-042"),
    "crash: a parameter that hides a map": ("def f(counts: str) -> str:\n    return counts.join([counts])", "CON-042"),
    "crash: a parameter that hides a choice": ("def f(Colour: str) -> int:\n    x = Colour.format\n    return 1", "CON-042"),
    "crash: a parameter that hides a record": ("def f(Thing: int) -> int:\n    return Thing", "CON-042"),
    "escape: a list as an annotation": ("def f(a: [int]) -> int:\n    return 1", "CON-054"),
    "escape: a generic record": ("class A(Record):\n    a: Thing[int]", "CON-054"),
    "escape: a call in a list's annotation": ("class A(Record):\n    a: list[Org('a')]", "CON-054"),
    "escape: a comprehension as an annotation": ("def f(a: [x for x in (1,)]) -> int:\n    return 1", "CON-054"),
    "escape: a lambda as an annotation": ("def f(a: (lambda: 1)) -> int:\n    return 1", "CON-054"),
    "escape: a walrus as an annotation": ("def f(a: (x := int)) -> int:\n    return 1", "CON-054"),
    "escape: a result's annotation that runs": ("def f(a: int) -> print(1):\n    return 1", "CON-054"),
    "escape: an attribute as an annotation": ("class A(Record):\n    a: Thing.key", "CON-054"),
    "escape: an annotation without end": ("def f(a: " + "list[" * 20 + "int" + "]" * 20 + ") -> int:\n    return 1", "CON-054"),
    "escape: unions without end": ("def f(a: " + "int | " * 100 + "None) -> int:\n    return 1", "CON-054"),
    "escape: a class in a class": ("class A(Record):\n    class B(Record):\n        a: int", "CON-052"),
    "escape: a decorated class": ("@action\nclass A(Record):\n    a: int", "CON-052"),
    "escape: a loop in a class": ("class A(Record):\n    for a in (1, 2):\n        pass", "CON-052"),
    "escape: a choice with behaviour": ("class A(Choice):\n    ONE = 'a'\n\n    def f(self) -> int:\n        return 1", "CON-052"),
    "escape: a choice's own missing": ("class A(Choice):\n    ONE = 'a'\n    _ignore_ = 'x'", "CON-007"),
    "escape: a choice whose member is computed": ("class A(Choice):\n    ONE = 'a' + 'b'", "CON-052"),
    "escape: a decorator called": ("@action()\ndef f(ctx: Context) -> None:\n    pass", "CON-057"),
    "escape: an action that is a view": (
        "from yunhe.contracts import view\n\n\n@action\n@view\ndef f(ctx: Context) -> int:\n    return 1",
        "CON-057",
    ),
    "escape: a parameter named after a frame": ("def f(f_back: int) -> int:\n    return f_back", "CON-053"),
    "escape: a function named after a frame": ("def tb_frame(a: int) -> int:\n    return a", "CON-053"),
    "escape: a field named mro": ("class A(Record):\n    mro: int", "CON-053"),
    "escape: keywords only": ("def f(*, a: int) -> int:\n    return a", "CON-056"),
    "escape: everything that is given": ("def f(*a: int) -> int:\n    return 1", "CON-056"),
    "hidden state: a default of the context": ("def f(a: int = ctx) -> int:\n    return a", "CON-055"),
    "hidden state: a default that is a member's field": ("def f(a: str = Colour.RED.title) -> str:\n    return a", "CON-055"),
    "hidden state: a default that is a dict": ("def f(a: dict[str, int] = {}) -> int:\n    return 1", "CON-055"),
    "hidden state: a default field of records": ("class A(Record):\n    a: list[Line] = [Line()]", "CON-055"),
    "hidden state: a default field that is a comprehension": ("class A(Record):\n    a: list[int] = [i for i in (1, 2)]", "CON-055"),
    "hidden state: a constant list in a tuple": ("CACHE = ([], {})", "CON-051"),
    "hidden state: a constant dict of lists": ("CACHE = {'a': []}", "CON-051"),
    "hidden state: a constant that is a table": ("MINE = things", "CON-051"),
    "hidden state: two names for a table": ("mine: Table[Thing] = things", "CON-058"),
    "nondeterminism: a constant of true division": ("HALF = 1 / 2", "CON-029"),
    "nondeterminism: keys of a constant that are one": ("TWICE = {'a': 1, 'a': 2}", "CON-051"),
    "gas: a constant that divides by zero": ("NONE = 1 // 0", "CON-051"),
    "gas: a constant power of a power": ("BIG = 2 ** 254 ** 2", "CON-051"),
    "gas: a constant text repeated": ("LONG = 'a' * 100", "CON-051"),
}
"""What stands at module level, and the rule that refuses it."""
