"""Programs of the contract language, written at random from its grammar with types: most pass the checker and do real work.

`program(seed)` is a function of its seed alone. Values stay small and loops short, so that what differs between two runs of a program is
what the runs do differently, not where they ran out. A few expressions may fail, as those of authors do.
"""

import random
from collections.abc import Callable
from typing import Final

FRAME: Final = '''\
"""A program written at random."""

from yunhe.contracts import (
    Choice, Context, Event, Index, Log, Map, Org, Record, Rounding, Table, Unique, action, emit, mul_div, pro_rata, require
)

STEP = 7
WORDS = ("a", "to", "\u8fd0\u6cb3")
RATES = {"a": 2, "b": 3, "to": 5}


class Tone(Choice):
    LOW = "low"
    HIGH = "high"


class Part(Record):
    size: int = 1
    label: str = ""


class Item(Record):
    key: str
    owner: Org
    size: int = 0
    tone: Tone = Tone.LOW
    seal: str | None = None
    parts: list[Part] = []
    notes: dict[str, int] = {"first": 1}


class Done(Event):
    key: str
    size: int = 0
    tone: Tone = Tone.LOW


items: Table[Item] = Table(key="key")
items_by_size: Index[Item] = Index(items, by=("tone", "size"))
item_of_seal: Unique[Item] = Unique(items, by="seal", code="SEAL_TAKEN")
sums: Map[str, int] = Map(default=0)
grid: Map[tuple[int, str], str] = Map(default="")
trail: Log[str, Part] = Log()


def short(s: str) -> str:
    return s[:24]
'''
_TEXTS: Final = ("", "a", "ab", "to", "x-y", "a,b", "Zed", "\u8fd0\u6cb3", "42", " 7 ", "aXbX")
_DEPTH: Final = 3
_STATEMENT_DEPTH: Final = 2


def program(seed: int) -> str:
    """Return the source that belongs to a seed."""
    return _Writer(seed).source()


class _Writer:
    """Writes one program."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._lines: list[str] = []
        self._scope: dict[str, list[str]] = {}
        self._count = 0
        self._helpers: list[str] = []

    def source(self) -> str:
        """Return the program."""
        for index in range(self._random.randint(1, 3)):
            self._helper(f"helper_{index}")
        self._lines += ["", "", "@action", "def act(ctx: Context, n: int, s: str) -> list[int]:"]
        self._scope = {"int": ["n", "ctx.height"], "str": ["s"], "ints": [], "texts": [], "counts": [], "item": [], "bool": []}
        for kind in ("ints", "texts", "counts", "int", "str"):
            self._assign(1, kind)
        self._block(1, 0, self._random.randint(5, 12))
        self._line(1, f"return [{self._int(1)}, {self._int(2)}, len({self._ints(1)})]")
        return FRAME + "\n".join(self._lines) + "\n"

    def _helper(self, name: str) -> None:
        self._lines += ["", "", f"def {name}(n: int, s: str, xs: list[int]) -> int:"]
        self._scope = {"int": ["n"], "str": ["s"], "ints": ["xs"], "texts": [], "counts": [], "item": [], "bool": []}
        self._block(1, 1, self._random.randint(1, 4))
        self._line(1, f"return {self._int(_DEPTH)}")
        self._helpers.append(name)

    # --- Statements -------------------------------------------------------------------------------------------------

    def _line(self, indent: int, text: str) -> None:
        self._lines.append("    " * indent + text)

    def _name(self) -> str:
        self._count += 1
        return f"v{self._count}"

    def _block(self, indent: int, depth: int, statements: int) -> None:
        outer = {kind: list(names) for kind, names in self._scope.items()}
        for _ in range(statements):
            self._statement(indent, depth)
        if indent > 1:
            self._scope = outer

    def _statement(self, indent: int, depth: int) -> None:
        choices: list[tuple[int, Callable[[], None]]] = [
            (5, lambda: self._assign(indent)),
            (3, lambda: self._change(indent)),
            (2, lambda: self._keep(indent)),
            (1, lambda: self._line(indent, f'require({self._bool(1)} or {self._bool(1)} or n != 3, "NO")')),
            (1, lambda: self._line(indent, f"emit(Done(key={self._str(1)}, size={self._int(1)} % 1000, tone={self._tone()}))")),
        ]
        if depth < _STATEMENT_DEPTH:
            choices += [
                (2, lambda: self._if(indent, depth)),
                (2, lambda: self._for(indent, depth)),
                (1, lambda: self._while(indent, depth)),
            ]
        if self._scope["item"] or indent == 1:
            choices.append((4, lambda: self._item(indent)))
        self._random.choices([choice for _, choice in choices], [weight for weight, _ in choices])[0]()

    def _assign(self, indent: int, kind: str | None = None) -> None:
        kind = kind or self._random.choice(("int", "int", "str", "ints", "texts", "counts", "bool"))
        name, value = self._name(), self._of(kind, _DEPTH)
        self._line(indent, f"{name} = {value}")
        self._scope[kind].append(name)

    def _change(self, indent: int) -> None:
        kinds = [kind for kind in ("ints", "texts", "counts", "int", "str") if self._local(kind)]
        if not kinds:
            self._assign(indent)
            return
        kind = self._random.choice(kinds)
        name = self._random.choice(self._local(kind))
        one, other = self._int(2), self._str(2)
        lines = {
            "ints": [
                f"{name}.append({one})",
                f"{name} += [{one}, {self._int(1)}]",
                f"{name}.sort(reverse={self._bool(1)})",
                f"{name}.insert({one}, 1)",
                f"{name}.extend(range({one} % 4))",
                f"{name}.reverse()",
                f"{name} = {name}[{one} % 3:]",
            ],
            "texts": [f"{name}.append({other})", f"{name} = sorted({name} + [{other}])", f"{name}.extend({other}.split('X'))"],
            "counts": [
                f"{name}[{other}] = {one}",
                f"{name}.update({{{other}: {one}}})",
                f"{name}[{other}] = {name}.get({other}, 1) + 1",
                f"{name}.setdefault({other}, {one})",
                f"{name}.pop({other}, 0)",
            ],
            "int": [f"{name} = ({name} * 3 + {one}) % 1009", f"{name} += {one}", f"{name} -= {one}", f"{name} //= {one} % 7 + 2"],
            "str": [f"{name} = short({name} + {other})", f"{name} += short({other})", f"{name} = {name}.replace({other}, 'z')[:30]"],
        }[kind]
        self._line(indent, self._random.choice(lines))

    def _local(self, kind: str) -> list[str]:
        return [name for name in self._scope[kind] if name.startswith("v")]

    def _if(self, indent: int, depth: int) -> None:
        self._line(indent, f"if {self._bool(_DEPTH)}:")
        self._block(indent + 1, depth + 1, self._random.randint(1, 3))
        if self._random.random() < 0.5:
            self._line(indent, "else:")
            self._block(indent + 1, depth + 1, self._random.randint(1, 2))

    def _for(self, indent: int, depth: int) -> None:
        outer = {kind: list(names) for kind, names in self._scope.items()}
        name, other = self._name(), self._name()
        heads = [
            (f"for {name} in range({self._int(1)} % 5):", {"int": [name]}),
            (f"for {name} in sorted({self._ints(2)}):", {"int": [name]}),
            (f"for {name}, {other} in enumerate(list({self._texts(1)})):", {"int": [name], "str": [other]}),
            (f"for {name}, {other} in sorted({self._counts(1)}.items()):", {"str": [name], "int": [other]}),
            (f"for {name}, {other} in zip(list({self._ints(1)}), WORDS):", {"int": [name], "str": [other]}),
            (f"for {name} in items.scan(limit=3, reverse={self._bool(1)}):", {"item": [name]}),
            (f"for {name} in items_by_size.scan(prefix={self._tone()}, limit=3):", {"item": [name]}),
            (f"for {name}, {other} in sums.scan(limit=4):", {"str": [name], "int": [other]}),
        ]
        head, bound = self._random.choice(heads)
        self._line(indent, head)
        for kind, names in bound.items():
            # Loop variables can be read; changing them is what `_local` picks names for.
            self._scope[kind] = self._scope[kind] + names
        self._block(indent + 1, depth + 1, self._random.randint(1, 3))
        self._scope = outer

    def _while(self, indent: int, depth: int) -> None:
        name = self._name()
        self._line(indent, f"{name} = {self._random.randint(1, 4)}")
        self._line(indent, f"while {name} > 0 and not ({self._bool(1)} and {name} == 2):")
        self._line(indent + 1, f"{name} -= 1")
        self._block(indent + 1, depth + 1, self._random.randint(1, 2))

    def _keep(self, indent: int) -> None:
        number, text = self._int(2), self._str(2)
        self._line(
            indent,
            self._random.choice(
                [
                    f"sums[{text}] += {number}",
                    f"sums.add({text}, {number})",
                    f"sums[{text}] = {number}",
                    f"grid[({number} % 3, {text})] = {self._str(1)}",
                    f"trail.append({text}, Part(size={number}, label={self._str(1)}))",
                ]
            ),
        )

    def _item(self, indent: int) -> None:
        if not self._scope["item"] or self._random.random() < 0.3:
            name, key = self._name(), self._str(1)
            seal = self._random.choice(("None", "None", "None", self._str(1)))
            self._line(indent, f"{name} = items.get({key})")
            self._line(indent, f"if {name} is None:")
            self._line(indent + 1, f"{name} = Item(key={key}, owner=Org('carrier'), size={self._int(2)}, tone={self._tone()}, seal={seal})")
            self._line(indent + 1, f"items.add({name})")
            self._scope["item"].append(name)
            return
        name = self._random.choice(self._scope["item"])
        changes = [
            f"{name}.size = {self._int(2)}",
            f"{name}.size += {self._int(1)}",
            f"{name}.tone = {self._tone()}",
            f"{name}.parts.append(Part(size={self._int(1)}, label={self._str(1)}))",
            f"{name}.parts = [p for p in {name}.parts if p.size > {self._int(1)}]",
            f"{name}.notes[{self._str(1)}] = {self._int(1)}",
            f"{name}.seal = None if {self._bool(1)} else {self._str(1)}",
        ]
        self._line(indent, self._random.choice(changes))
        self._line(indent, f"if {name}.key in items:")
        self._line(indent + 1, f"items.save({name})")
        if self._random.random() < 0.15:
            self._line(indent + 1, f"items.delete({name}.key)")

    # --- Expressions ------------------------------------------------------------------------------------------------

    def _of(self, kind: str, depth: int) -> str:
        makers = {"int": self._int, "str": self._str, "ints": self._ints, "texts": self._texts, "counts": self._counts, "bool": self._bool}
        return makers[kind](depth)

    def _variable(self, kind: str, otherwise: str) -> str:
        return self._random.choice(self._scope[kind]) if self._scope[kind] and self._random.random() < 0.8 else otherwise

    def _tone(self) -> str:
        return self._random.choice(("Tone.LOW", "Tone.HIGH"))

    def _literal(self) -> str:
        return repr(self._random.choice(_TEXTS))

    def _int(self, depth: int) -> str:
        plain = self._variable("int", str(self._random.randint(-9, 40)))
        if depth <= 0:
            return plain
        a, b, text, numbers = self._int(depth - 1), self._int(depth - 1), self._str(depth - 1), self._ints(depth - 1)
        forms = [
            plain,
            plain,
            f"({a} + {b})",
            f"({a} - {b})",
            f"({a} % 997 * {b} % 997)",
            f"({a} // ({b} % 5 + 6))",
            f"({a} % ({b} % 5 + 6))",
            f"(2 ** ({a} % 20))",
            f"abs({a})",
            f"min({a}, {b})",
            f"max({a}, {b})",
            f"sum({numbers})",
            f"len({text})",
            f"len({numbers})",
            f"({a} if {self._bool(depth - 1)} else {b})",
            f"{self._counts(depth - 1)}.get({text}, {a})",
            f"sums[{text}]",
            f"RATES.get({text}, STEP)",
            f"mul_div({a} % 1000, {b} % 1000, 7, Rounding.HALF_EVEN)",
            f"max([x % 10 for x in {numbers}], default={a})",
            f"sum(x * 2 for x in {numbers} if x > {a})",
            f"{text}.count({self._literal()})",
            f"{text}.find({self._literal()})",
            f"divmod({a}, 7)[1]",
            f"int({self._bool(depth - 1)})",
            f"trail.count({text})",
            f"pro_rata({a} % 100, [1, 2, 3])[1]",
        ]
        if self._helpers and self._random.random() < 0.3:
            return f"{self._random.choice(self._helpers)}({a} % 100, {text}, list({numbers}))"
        # One in many fails, where the value does not fit.
        forms.append(f"list({self._ints(0)})[{a} % 3]" if self._random.random() < 0.3 else plain)
        return self._random.choice(forms)

    def _str(self, depth: int) -> str:
        plain = self._variable("str", self._literal())
        if depth <= 0:
            return plain
        a, b, number, texts = self._str(depth - 1), self._str(depth - 1), self._int(depth - 1), self._texts(depth - 1)
        name = self._variable("int", "STEP")
        return self._random.choice(
            [
                plain,
                plain,
                f"short({a} + {b})",
                f"short({a})[{number} % 4:]",
                f"short({a})[::-1]",
                f"short({a} * ({number} % 3))",
                f"str({number})",
                f"{a}.upper()",
                f"{a}.lower()",
                f"{a}.strip()",
                f"{a}.replace({self._literal()}, 'q')[:24]",
                f"{a}.ljust({number} % 6, '-')",
                f"{a}.zfill({number} % 5)",
                f"','.join({texts})[:24]",
                f'f"{{{name}}}:{{{name}}}"',
                f"({a} if {self._bool(depth - 1)} else {b})",
                f"grid[({number} % 3, {a})]",
                f"min({texts}, default={a})",
                f"{a}.partition('X')[0]",
                f"{a}.encode().hex()[:8]",
            ]
        )

    def _ints(self, depth: int) -> str:
        plain = self._variable("ints", "[3, 1, 2]")
        if depth <= 0:
            return plain
        a, b, numbers = self._int(depth - 1), self._int(depth - 1), self._ints(depth - 1)
        return self._random.choice(
            [
                plain,
                f"[{a}, {b}]",
                f"({numbers} + [{a}])",
                f"[x + {self._int(0)} for x in {numbers}]",
                f"[x for x in {numbers} if x % 2 == {a} % 2]",
                f"sorted({numbers})",
                f"list(range({a} % 6))",
                f"[i * x for i, x in enumerate({numbers})]",
                f"[x - y for x, y in zip({numbers}, [1, 2, 3])]",
                f"list(reversed({numbers}))",
                f"[len(w) for w in {self._texts(depth - 1)}]",
                f"list({self._counts(depth - 1)}.values())",
                f"[i * j for i in range(3) for j in {numbers} if i != j]",
                f"pro_rata({a} % 50, [2, 3])",
                "[row.size for row in items.scan(limit=4)]",
            ]
        )

    def _texts(self, depth: int) -> str:
        plain = self._variable("texts", "['b', 'a']")
        if depth <= 0:
            return plain
        a, texts = self._str(depth - 1), self._texts(depth - 1)
        return self._random.choice(
            [
                plain,
                f"[{a}, {self._str(depth - 1)}]",
                f"{a}.split('X')",
                f"[w[:3] for w in {texts}]",
                f"sorted({texts}, reverse={self._bool(depth - 1)})",
                f"({texts} + [{a}])",
                f"list({self._counts(depth - 1)})",
                f"[str(x) for x in {self._ints(depth - 1)}]",
                "[row.key for row in items.scan(limit=4)]",
                f"[c for c in {a}]",
                f"[entry.label for entry in trail.scan({a})]",
            ]
        )

    def _counts(self, depth: int) -> str:
        plain = self._variable("counts", '{"a": 1}')
        if depth <= 0:
            return plain
        a, number = self._str(depth - 1), self._int(depth - 1)
        return self._random.choice(
            [
                plain,
                f"{{{a}: {number}}}",
                f"{{w: len(w) for w in {self._texts(depth - 1)}}}",
                f"{{str(x): x for x in {self._ints(depth - 1)} if x != {number}}}",
                f"dict({plain})",
                f"dict(zip({self._texts(depth - 1)}, {self._ints(depth - 1)}))",
                "dict(RATES)",
                f"{{k: v + 1 for k, v in {plain}.items()}}",
                "dict(sums.scan(limit=5))",
            ]
        )

    def _bool(self, depth: int) -> str:
        plain = self._variable("bool", self._random.choice(("True", "False")))
        if depth <= 0:
            return plain
        a, b, text, numbers = self._int(depth - 1), self._int(depth - 1), self._str(depth - 1), self._ints(depth - 1)
        name = self._variable("int", "STEP")
        return self._random.choice(
            [
                plain,
                f"({a} < {b})",
                f"({a} == {b})",
                f"({text} < {self._str(depth - 1)})",
                f"({text} in {self._texts(depth - 1)})",
                f"({a} in {numbers})",
                f"not {self._bool(depth - 1)}",
                f"({self._bool(depth - 1)} and {self._bool(depth - 1)})",
                f"({self._bool(depth - 1)} or {self._bool(depth - 1)})",
                f"any(x > {a} for x in {numbers})",
                f"all(x > 0 for x in {numbers})",
                f"{text}.startswith({self._literal()})",
                f"{text}.isdigit()",
                f"({text} in RATES)",
                f"({text} in items)",
                f"({text} in sums)",
                f"({a} < {name} <= {b})",
                f"({numbers} == {self._ints(depth - 1)})",
                f"({self._counts(depth - 1)} != {self._counts(depth - 1)})",
                f"(items.get({text}) is None)",
                f"(item_of_seal.get({text}) is not None)",
                f"(items.count() > {a})",
                f"bool({text})",
            ]
        )
