"""Contracts that the checker accepts and that misbehave when they run, with the code that each must end with.

Each writes something first, which must not last.
"""

# ruff: noqa: E501  # a table of cases: one a line reads best

from tests.hostile.frame import Case

DEEP_LIST = "x = [1]\ny = [1]\nfor i in range(20000):\n    x = [x]\n    y = [y]\n"
DEEP_TUPLE = "x = (1, 2)\ny = (1, 2)\nfor i in range(20000):\n    x = (x, 1)\n    y = (y, 1)\n"
SHARED = "x = [1]\ny = [1]\nfor i in range(60):\n    x = [x, x]\n    y = [y, y]\n"
LONG = 's = "ab" * 200000\n'

GAS = {
    "gas: a loop without end": Case("while True:\n    pass", "OUT_OF_GAS"),
    "gas: a loop without end whose else never comes": Case("n = 0\nwhile n >= 0:\n    n = 0\nelse:\n    n = 1", "OUT_OF_GAS"),
    "gas: loops in loops": Case("for i in range(10**9):\n    for j in range(10**9):\n        pass", "OUT_OF_GAS"),
    "gas: a list that grows while it is walked": Case("xs = [1]\nfor x in xs:\n    xs.append(x)", "OUT_OF_GAS"),
    "gas: a generator without end": Case("n = sum(1 for i in range(10**12))", "OUT_OF_GAS"),
    "gas: any that never is": Case("flag = any(i < 0 for i in range(10**12))", "OUT_OF_GAS"),
    "gas: a long text searched again and again": Case(LONG + "for i in range(10**6):\n    n = s.find('ac')", "OUT_OF_GAS"),
    "gas: a slow search": Case("s = 'a' * 100000\nt = 'a' * 50000 + 'b'\nfor i in range(1000):\n    flag = t in s", "OUT_OF_GAS"),
    "gas: a slow search from the end": Case(
        "s = 'a' * 100000\nt = 'ab' + 'a' * 50000\nfor i in range(1000):\n    n = s.rfind(t)", "OUT_OF_GAS"
    ),
    "gas: a slow split from the end": Case("s = 'a' * 100000\nxs = s.rsplit('ab' + 'a' * 50000)", "OUT_OF_GAS"),
    "gas: a long text compared again and again": Case(LONG + 't = "ab" * 200000\nfor i in range(10**6):\n    flag = s == t', "OUT_OF_GAS"),
    "gas: a long list searched again and again": Case("xs = list(range(5000))\nfor i in range(10**6):\n    flag = -1 in xs", "OUT_OF_GAS"),
    "gas: a long range searched for what is no integer": Case("for i in range(10**6):\n    flag = 'a' in range(10**9)", "OUT_OF_GAS"),
    "gas: integers of one hash as keys": Case("d = {}\nfor i in range(4000):\n    d[i * (2**61 - 1)] = i", "INTEGER_OUT_OF_RANGE"),
    "gas: sorting without end": Case("xs = [i * 7919 % 10007 for i in range(10000)]\nwhile True:\n    ys = sorted(xs)", "OUT_OF_GAS"),
    "gas: elements inserted in front": Case("xs = []\nfor i in range(10**7):\n    xs.insert(0, i)", "OUT_OF_GAS"),
    "gas: records read without end": Case('while True:\n    thing = things.get("spoils")', "OUT_OF_GAS"),
    "gas: writes without end": Case('n = 0\nwhile True:\n    n += 1\n    counts[f"{n}"] = n', "OUT_OF_GAS"),
    "gas: deleted rows scanned again and again": Case(
        'for i in range(200):\n    counts[f"k{i}"] = i\nfor i in range(200):\n    del counts[f"k{i}"]\nwhile True:\n    rows = counts.scan(limit=1, prefix="k")',
        "OUT_OF_GAS",
    ),
    "gas: shares without end": Case("while True:\n    xs = pro_rata(100, list(range(1, 1000)))", "OUT_OF_GAS"),
}
MEMORY = {
    "memory: text that doubles": Case('s = "a"\nwhile True:\n    s = s + s', "OUT_OF_MEMORY"),
    "memory: text that doubles in place": Case('s = "a"\nwhile True:\n    s += s', "OUT_OF_MEMORY"),
    "memory: text that is multiplied": Case('s = "a" * 10**10', "OUT_OF_GAS"),
    "memory: a list that is multiplied": Case("xs = [0] * 10**10", "OUT_OF_GAS"),
    "memory: a tuple that is multiplied": Case("xs = PAIR * 10**10", "OUT_OF_GAS"),
    "memory: a list that doubles": Case("xs = [0]\nwhile True:\n    xs.extend(xs)", "OUT_OF_MEMORY"),
    "memory: a list that is added to itself": Case("xs = [0]\nwhile True:\n    xs += xs", "OUT_OF_MEMORY"),
    "memory: a range made a list": Case("xs = list(range(10**12))", "OUT_OF_GAS"),
    "memory: a wide text": Case('s = "a".ljust(10**10)', "OUT_OF_GAS"),
    "memory: a number with zeros": Case('s = "1".zfill(10**10)', "OUT_OF_GAS"),
    "memory: a replacement that grows": Case('s = "a" * 100000\nt = s.replace("a", s)', "OUT_OF_GAS"),
    "memory: text between characters": Case('s = "a" * 100000\nt = s.join(["b"] * 100000)', "OUT_OF_GAS"),
    "memory: a text split into characters": Case('s = "a," * 1000000\nxs = s.split(",")\nys = s.split(",")', "OUT_OF_MEMORY"),
    "memory: bytes of a length": Case("b = bytes(10**12)", "OUT_OF_GAS"),
    "memory: entries of a dict": Case("d = {i: i for i in range(10**7)}", "OUT_OF_GAS"),
    "memory: copies of a list": Case("xs = [0] * 100000\nys = []\nfor i in range(1000):\n    ys.append(xs.copy())", "OUT_OF_GAS"),
    "memory: slices of a text": Case('s = "a" * 1000000\nxs = []\nfor i in range(1000):\n    xs.append(s[1:])', "OUT_OF_MEMORY"),
    "memory: text in an f-string": Case('s = "a"\nwhile True:\n    s = f"{s}{s}{s}{s}"', "OUT_OF_GAS"),
}
NUMBERS = {
    "numbers: squaring": Case("n = 3\nwhile True:\n    n = n * n", "INTEGER_OUT_OF_RANGE"),
    "numbers: a power without end": Case("n = 7 ** 10**9", "INTEGER_OUT_OF_RANGE"),
    "numbers: a negative power, which is a float": Case("n = 2 ** -1", "CONTRACT_FAULT"),
    "numbers: more digits than an interpreter reads": Case('n = int("9" * 5000)', "CONTRACT_FAULT"),
    "numbers: digits of another script": Case('n = int("\\u0661")', "CONTRACT_FAULT"),
    "numbers: division by zero": Case("n = 1 // (ctx.height - ctx.height)", "CONTRACT_FAULT"),
    "numbers: a sum out of range": Case("n = sum([2**254, 2**254, 2**254])", "INTEGER_OUT_OF_RANGE"),
    "numbers: a stored integer of 65 bits": Case('counts["a"] = 2**63', "INTEGER_OUT_OF_RANGE"),
    "numbers: text formatted with a remainder": Case('s = "%1000000000d"\nt = s % 5', "CONTRACT_FAULT"),
}
CRASHES = {
    "crash: deep lists compared": Case(DEEP_LIST + "flag = x == y", "CONTRACT_FAULT"),
    "crash: deep tuples compared": Case(DEEP_TUPLE + "flag = x == y", "CONTRACT_FAULT"),
    "crash: deep tuples ordered": Case(DEEP_TUPLE + "flag = x < y", "CONTRACT_FAULT"),
    "crash: the larger of deep tuples": Case(DEEP_TUPLE + "z = max(x, y)", "CONTRACT_FAULT"),
    "crash: deep tuples sorted": Case(DEEP_TUPLE + "z = sorted([x, y])", "CONTRACT_FAULT"),
    "crash: a deep tuple as a key": Case(DEEP_TUPLE + "d = {x: 1}", "CONTRACT_FAULT"),
    "crash: a deep tuple looked up": Case(DEEP_TUPLE + "d = {1: 1}\nz = d.get(x)", "CONTRACT_FAULT"),
    "crash: a deep list searched for": Case(DEEP_LIST + "flag = x in [y]", "CONTRACT_FAULT"),
    "crash: the index of a deep list": Case(DEEP_LIST + "n = [y].index(x)", "CONTRACT_FAULT"),
    "crash: deep lists counted": Case(DEEP_LIST + "n = [y].count(x)", "CONTRACT_FAULT"),
    "crash: a deep list removed": Case(DEEP_LIST + "z = [y]\nz.remove(x)", "CONTRACT_FAULT"),
    "crash: a deep list printed": Case(DEEP_LIST + "s = str(x)", "CONTRACT_FAULT"),
    "crash: a deep list in an f-string": Case(DEEP_LIST + 's = f"{x}"', "CONTRACT_FAULT"),
    "crash: a deep list stored": Case(DEEP_LIST + 'thing = things["spoils"]\nthing.numbers = x\nthings.save(thing)', "CONTRACT_FAULT"),
    "crash: a deep list returned": Case(DEEP_LIST + "return x", "CONTRACT_FAULT", result="list[list[int]]"),
    "crash: a deep list handed to another contract": Case(DEEP_LIST + 'call("neutral", "take", numbers=x)', "CONTRACT_FAULT"),
    "crash: a list within itself compared": Case("x = []\nx.append(x)\ny = []\ny.append(y)\nflag = x == y", "CONTRACT_FAULT"),
    "crash: a list within itself stored": Case('x = []\nx.append(x)\nthings.save(Thing(key="spoils", numbers=x))', "CONTRACT_FAULT"),
    "crash: a record within itself": Case('thing = things["spoils"]\nthing.lines.append(thing)\nthings.save(thing)', "CONTRACT_FAULT"),
    "crash: parts that are shared without end": Case(SHARED + "flag = x == y", "CONTRACT_FAULT"),
    "crash: numbers of numbers without end": Case(
        "z = enumerate([1])\nfor i in range(80000):\n    z = enumerate(z)\nfor x in z:\n    pass", "CONTRACT_FAULT"
    ),
    "crash: rows of rows without end": Case("z = zip([1])\nfor i in range(50000):\n    z = zip(z, [1])\nxs = list(z)", "CONTRACT_FAULT"),
    "crash: a dict that changes while it is walked": Case("d = {1: 1}\nfor key in d:\n    d[key + 1] = 1", "CONTRACT_FAULT"),
}
TYPES = {
    "types: text in a field of integers": Case('thing = things["spoils"]\nthing.number = "1"\nthings.save(thing)', "CONTRACT_FAULT"),
    "types: a truth value in a field of integers": Case('things.save(Thing(key="spoils", number=True))', "CONTRACT_FAULT"),
    "types: an integer in a field of truth values": Case('things.save(Thing(key="spoils", flag=1))', "CONTRACT_FAULT"),
    "types: text for an organisation": Case('things.save(Thing(key="spoils", owner="carrier"))', "CONTRACT_FAULT"),
    "types: an organisation that is no name": Case('things.save(Thing(key="spoils", owner=Org("Not A Name")))', "CONTRACT_FAULT"),
    "types: a member of another choice": Case('things.save(Thing(key="spoils", colour=Other.RED))', "CONTRACT_FAULT"),
    "types: nothing in a field that needs something": Case('things.save(Thing(key="spoils", title=None))', "CONTRACT_FAULT"),
    "types: a record of another class": Case("things.save(Line())", "CONTRACT_FAULT"),
    "types: text in a list of integers": Case('things.save(Thing(key="spoils", numbers=["1"]))', "CONTRACT_FAULT"),
    "types: a tuple for a list": Case('things.save(Thing(key="spoils", numbers=PAIR))', "CONTRACT_FAULT"),
    "types: keys of integers where text is declared": Case('things.save(Thing(key="spoils", notes={1: 1}))', "CONTRACT_FAULT"),
    "types: text for bytes": Case('things.save(Thing(key="spoils", data="a"))', "CONTRACT_FAULT"),
    "types: half a character stored": Case('things.save(Thing(key="spoils", title=chr(0xD800)))', "CONTRACT_FAULT"),
    "types: a character out of range": Case("s = chr(-1)", "CONTRACT_FAULT"),
    "types: a key of another type": Case("thing = things[1]", "CONTRACT_FAULT"),
    "types: a list as a key": Case("d = {}\nd[[1]] = 1", "CONTRACT_FAULT"),
    "types: a map of integers given text": Case('counts["a"] = "1"', "CONTRACT_FAULT"),
    "types: a record announced": Case("emit(Line())", "CONTRACT_FAULT"),
    "types: an ill-typed event": Case('emit(Happened(key="a", number="b"))', "CONTRACT_FAULT"),
    "types: an ill-typed result": Case("return 1", "CONTRACT_FAULT", result="str"),
    "types: nothing returned where something is declared": Case("n = 1", "CONTRACT_FAULT", result="int"),
    "types: a record printed": Case('s = str(things["spoils"])', "CONTRACT_FAULT"),
    "types: signers printed": Case('s = f"{ctx.signers}"', "CONTRACT_FAULT"),
    "types: text and integers ordered": Case('flag = "a" < 1', "CONTRACT_FAULT"),
    "types: text called by a field that is a method": Case('s = "a"\nt = s.title', "CONTRACT_FAULT"),
    "types: a format taken from a text": Case('s = "{0.__class__}"\nt = s.format', "CONTRACT_FAULT"),
    "types: a field set on the context through a list": Case("xs = [s for s in ctx.signers]\nxs[0].number = 1", "CONTRACT_FAULT"),
    "types: a field set on a member of a choice": Case("c = Colour.RED\nc.number = 1", "CONTRACT_FAULT"),
    "types: an undeclared field of another record": Case("line = Line()\nline.owner = None", "CONTRACT_FAULT"),
    "types: a variable before its value": Case("if ctx.height < 0:\n    n = 1\nm = n", "CONTRACT_FAULT"),
}
SIZES = {
    "size: a record that is too large": Case('things.save(Thing(key="spoils", title="a" * 300000))', "VALUE_TOO_LARGE"),
    "size: a record of too many lines": Case('things.save(Thing(key="spoils", numbers=[1] * 300000))', "VALUE_TOO_LARGE"),
    "size: a key that is too long": Case('counts["a" * 1000] = 1', "VALUE_TOO_LARGE"),
    "size: too many events": Case('for i in range(1000):\n    emit(Happened(key="a"))', "VALUE_TOO_LARGE"),
    "size: events that are too large": Case('s = "a" * 200000\nfor i in range(5):\n    emit(Happened(key=s))', "VALUE_TOO_LARGE"),
    "size: a result that is too large": Case('return "a" * 300000', "VALUE_TOO_LARGE", result="str"),
    "size: a scan of more than there may be": Case("rows = counts.scan(limit=10**9)", "CONTRACT_FAULT"),
}
REENTRANCY = {
    "reentrancy: a contract that calls itself": Case('call("SELF", "attack")', "REENTRANT_CALL"),
    "reentrancy: a contract called back": Case('call("neutral", "call_back", contract="SELF", name="attack")', "REENTRANT_CALL"),
    "reentrancy: a contract called back for a view": Case('n = call_view("SELF", "attack")', "REENTRANT_CALL"),
    "reentrancy: contracts without end": Case('call("link_1", "go")', "CALL_DEPTH"),
    "reentrancy: a refusal that cannot be caught": Case('call("neutral", "refuse_it")', "NO"),
    "reentrancy: an action asked as a view": Case('call_view("neutral", "refuse_it")', "ACTION_NOT_FOUND"),
    "reentrancy: no such contract": Case('call("nobody", "go")', "CONTRACT_NOT_FOUND"),
    "reentrancy: a name that is none": Case('call("a\\x00b", "go")', "CONTRACT_NOT_FOUND"),
    "reentrancy: arguments that do not fit": Case('call("neutral", "take", number=1)', "ARGUMENTS_INVALID"),
    "reentrancy: gas spent inside another contract": Case('call("neutral", "spin")', "OUT_OF_GAS"),
    "reentrancy: memory spent inside another contract": Case('call("neutral", "swell")', "OUT_OF_MEMORY"),
    "reentrancy: writes and a refusal": Case('counts["a"] = 5\nrefuse("CHANGED_MY_MIND")', "CHANGED_MY_MIND"),
}
CONTAINED = {**GAS, **MEMORY, **NUMBERS, **CRASHES, **TYPES, **SIZES, **REENTRANCY}

NEUTRAL = """\
from yunhe.contracts import Context, Map, action, call, refuse

sums: Map[str, int] = Map(default=0)


@action
def take(ctx: Context, numbers: list[int]) -> int:
    sums["all"] += sum(numbers)
    return sums["all"]


@action
def call_back(ctx: Context, contract: str, name: str) -> None:
    call(contract, name)


@action
def refuse_it(ctx: Context) -> None:
    sums["all"] = 7
    refuse("NO")


@action
def spin(ctx: Context) -> None:
    while True:
        pass


@action
def swell(ctx: Context) -> None:
    text = "a"
    while True:
        text += text
"""
"""A contract that attacks can use; also what must go on working."""


def link(number: int) -> str:
    """Return a contract that calls the next one."""
    return f'from yunhe.contracts import Context, action, call\n\n\n@action\ndef go(ctx: Context) -> None:\n    call("link_{number + 1}", "go")\n'
