"""Built-in functions of metered code: what Python's do, for the types that contracts have, paid for by size.

Transformed code calls `_b_<name>`. The base price of each (`yunhe.contracts.vocabulary.BUILTINS`) is charged by the block that it stands
in; here what depends on sizes is charged, at the rate that is named there.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from yunhe.contracts.arithmetic import INTEGER_LIMIT
from yunhe.contracts.faults import Fault, IntegerOutOfRange
from yunhe.contracts.meter import Meter
from yunhe.contracts.metered.operations import Operations
from yunhe.contracts.metered.walking import ENTRY_MEMORY, SLOT_MEMORY, Walker, text_memory
from yunhe.contracts.prices import OBJECT_MEMORY
from yunhe.contracts.vocabulary import BUILTINS
from yunhe.limits import INTEGER_MAX, INTEGER_MIN, VALUE_DEPTH_MAX

_INTEGER_TEXT_MAX: Final = 100
"""Characters of a text that `int` reads: more than any integer of a contract has."""
_PAIR: Final = 120
"""Gas to put a pair into a dict."""
_PART_MEMORY: Final = 40
"""Memory of one element of a row of `zip` or `enumerate`, an integer made for it included."""
_ROWS_MEMORY: Final = 512
"""Memory of a `zip` or `enumerate` before its first row, besides that of each source."""
_NONE: Final = object()


class Rows:
    """What `zip` and `enumerate` make: rows that come into being, and count as memory, while they are walked; once, as Python's do."""

    __slots__ = ("_depth", "_rows")

    _depth: int
    """Of rows made of rows, how many."""

    def __init__(self, meter: Meter, made: Iterable[tuple[Any, ...]], sources: tuple[Any, ...]) -> None:
        """Wrap what Python made of `sources`.

        Raises:
            Fault: rows of rows nest too deeply.
            OutOfMemory: there is no room for it.
        """
        self._depth = 1 + max([source._depth for source in sources if type(source) is Rows], default=0)
        # CON-131: each level recurses in the interpreter, whose stack is local.
        if self._depth > VALUE_DEPTH_MAX:
            raise Fault(f"zip and enumerate of one another nest more than {VALUE_DEPTH_MAX} deep")
        meter.hold(_ROWS_MEMORY + OBJECT_MEMORY * len(sources))
        self._rows = _counted(meter, made)

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        """Return the rows that are left."""
        return self._rows


def _counted(meter: Meter, made: Iterable[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
    for row in made:
        # CON-124
        meter.memory -= OBJECT_MEMORY + _PART_MEMORY * len(row)
        if meter.memory < 0:
            meter.stop()
        yield row


def builtin_functions(meter: Meter) -> Operations:
    """Return the built-in functions of metered code by name, bound to `meter`."""
    walker = Walker(meter)
    made = (
        _Scalars(meter).by_name()
        | _Numbers(meter, walker).by_name()
        | _selections(meter, walker)
        | _truths(meter, walker)
        | _collections(meter, walker)
    )
    assert made.keys() == BUILTINS.keys()
    return made


class _Scalars:
    """Conversions between scalars."""

    __slots__ = ("_meter",)

    def __init__(self, meter: Meter) -> None:
        self._meter = meter

    def by_name(self) -> Operations:
        """Return the operations by the names that transformed code uses."""
        return {
            "int": self.int_of,
            "str": self.str_of,
            "bytes": self.bytes_of,
            "bool": bool,
            "chr": self.character,
            "ord": ord,
            "len": len,
        }

    def int_of(self, value: Any = 0) -> int:
        if isinstance(value, str):
            # CON-126: other scripts have digits too, and interpreters disagree on which.
            if not value.isascii() or len(value) > _INTEGER_TEXT_MAX:
                raise Fault(f"int reads ASCII text of at most {_INTEGER_TEXT_MAX} characters")
            self._meter.left -= len(value) * BUILTINS["int"].rate >> 3
        elif not isinstance(value, int):
            raise Fault("int reads text, integers and truth values")
        result = int(value)
        if not -INTEGER_LIMIT < result < INTEGER_LIMIT:
            raise IntegerOutOfRange("int")
        return result

    def str_of(self, value: Any = "") -> str:
        if not isinstance(value, str | int):
            raise Fault("str shows text, integers, truth values and choices")
        text = str(value)
        if text is not value:
            self._meter.memory -= text_memory(text)
        return text

    def character(self, code: Any) -> str:
        made = chr(code)
        self._meter.memory -= text_memory(made)
        return made

    def bytes_of(self, source: Any = b"") -> bytes:
        if isinstance(source, int):
            self._meter.charge(max(source, 0) * BUILTINS["bytes"].rate >> 3)
            self._meter.hold(OBJECT_MEMORY + max(source, 0))
        elif type(source) in (bytes, list, tuple):
            self._meter.charge(len(source) * BUILTINS["bytes"].rate >> 3)
            self._meter.hold(OBJECT_MEMORY + len(source))
        else:
            raise Fault("bytes is made of a length, a list of integers or bytes; text has encode()")
        return bytes(source)


class _Numbers:
    """Functions of integers."""

    __slots__ = ("_meter", "_walker")

    def __init__(self, meter: Meter, walker: Walker) -> None:
        self._meter = meter
        self._walker = walker

    def by_name(self) -> Operations:
        """Return the operations by the names that transformed code uses."""
        return {"abs": self.absolute, "divmod": self.quotient_and_rest, "sum": self.total, "range": self.numbers}

    def absolute(self, value: Any) -> int:
        if not isinstance(value, int):
            raise Fault("abs is for integers")
        return abs(value)

    def quotient_and_rest(self, a: Any, b: Any) -> tuple[int, int]:
        if not (isinstance(a, int) and isinstance(b, int)):
            raise Fault("divmod is for integers")
        self._meter.memory -= 2 * SLOT_MEMORY
        return divmod(a, b)

    def total(self, source: Any, start: Any = 0) -> int:
        items = self._walker.take(source)
        self._meter.charge(len(items) * BUILTINS["sum"].rate >> 3)
        result = start
        for item in items:
            if not isinstance(item, int):
                raise Fault("sum is for integers")
            result += item
        if not isinstance(result, int):
            raise Fault("sum is for integers")
        if not -INTEGER_LIMIT < result < INTEGER_LIMIT:
            raise IntegerOutOfRange("sum")
        return result

    def numbers(self, *bounds: Any) -> range:
        made = range(*bounds)
        self._meter.memory -= 2 * OBJECT_MEMORY
        return made


def _selections(meter: Meter, walker: Walker) -> Operations:
    def selection(choose: Callable[..., Any], name: str) -> Callable[..., Any]:
        def choose_metered(*values: Any, default: Any = _NONE) -> Any:
            if len(values) > 1 and default is not _NONE:
                raise Fault(f"{name} has a default for what may be empty, not for values that are there")
            items = walker.take(values[0]) if len(values) == 1 else values
            once = walker.orderable(list(items))
            meter.charge(len(items) * once * BUILTINS[name].rate >> 4)
            return choose(items) if default is _NONE else choose(items, default=default)

        return choose_metered

    def in_order(source: Any, *, reverse: Any = False) -> list[Any]:
        items = list(walker.take(source))
        meter.hold(OBJECT_MEMORY + SLOT_MEMORY * len(items))
        charge_sort(meter, walker, items)
        items.sort(reverse=bool(reverse))
        return items

    return {"min": selection(min, "min"), "max": selection(max, "max"), "sorted": in_order}


def charge_sort(meter: Meter, walker: Walker, items: list[Any]) -> None:
    """Pay for sorting `items`.

    Raises:
        Fault: they cannot be ordered (CON-128).
    """
    once = walker.orderable(items)
    meter.charge(len(items) * len(items).bit_length() * once * BUILTINS["sorted"].rate >> 6)


def _truths(meter: Meter, walker: Walker) -> Operations:
    def every(source: Any) -> bool:
        if type(source) in (list, tuple):
            meter.charge(len(source) * BUILTINS["all"].rate >> 3)
            return all(source)
        # Stops at the first false one, as Python does: what comes after it is never asked for.
        for value in walker.iterate(source):  # noqa: SIM110  # each step pays
            if not value:
                return False
        return True

    def some(source: Any) -> bool:
        if type(source) in (list, tuple):
            meter.charge(len(source) * BUILTINS["any"].rate >> 3)
            return any(source)
        for value in walker.iterate(source):  # noqa: SIM110  # each step pays
            if value:
                return True
        return False

    return {"all": every, "any": some}


def _collections(meter: Meter, walker: Walker) -> Operations:
    def list_of(source: Any = ()) -> list[Any]:
        items = walker.take(source)
        meter.hold(OBJECT_MEMORY + 8 * len(items))
        return list(items)

    def tuple_of(source: Any = ()) -> tuple[Any, ...]:
        items = walker.take(source)
        meter.hold(OBJECT_MEMORY + 8 * len(items))
        return tuple(items)

    def dict_of(source: Any = ()) -> dict[Any, Any]:
        if type(source) is dict:
            meter.charge(len(source) * BUILTINS["dict"].rate >> 3)
            meter.hold(OBJECT_MEMORY + ENTRY_MEMORY * len(source))
            return dict(source)
        made: dict[Any, Any] = {}
        for pair in walker.iterate(source):
            if type(pair) not in (list, tuple) or len(pair) != 2:
                raise Fault("dict is made of a dict or of pairs")
            meter.left -= _PAIR
            walker.key(pair[0], len(made))
            meter.hold(ENTRY_MEMORY)
            made[pair[0]] = pair[1]
        return made

    def numbered(source: Any, start: Any = 0) -> Rows:
        # CON-122: what is counted up from here stays in range.
        if not isinstance(start, int) or not INTEGER_MIN <= start <= INTEGER_MAX:
            raise IntegerOutOfRange("enumerate starts at an integer of 64 bits")
        return Rows(meter, enumerate(source, start), (source,))

    def side_by_side(*sources: Any) -> Rows:
        return Rows(meter, zip(*sources, strict=False), sources)

    return {
        "list": list_of,
        "tuple": tuple_of,
        "dict": dict_of,
        "enumerate": numbered,
        "zip": side_by_side,
        "reversed": reversed,
    }
