"""Built-in functions of metered code: what Python's do, for the types that contracts have, paid for by size.

Transformed code calls `_b_<name>`. The base price of each (`yunhe.contracts.vocabulary.BUILTINS`) is charged by the block that it stands
in; here what depends on sizes is charged, at the rate that is named there.
"""

from collections.abc import Callable
from typing import Any

from yunhe.contracts.arithmetic import INTEGER_LIMIT
from yunhe.contracts.faults import Fault, IntegerOutOfRange
from yunhe.contracts.meter import Meter
from yunhe.contracts.metered.operations import Operations
from yunhe.contracts.metered.walking import ENTRY_MEMORY, SLOT_MEMORY, Walker
from yunhe.contracts.prices import OBJECT_MEMORY
from yunhe.contracts.vocabulary import BUILTINS

_INTEGER_TEXT_MAX = 100
"""Characters of a text that `int` reads: more than any integer of a contract has."""
_NONE = object()


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
        return {"int": self.int_of, "str": self.str_of, "bytes": self.bytes_of, "bool": bool, "chr": chr, "ord": ord, "len": len}

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
        return str(value)

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
        return range(*bounds)


def _selections(meter: Meter, walker: Walker) -> Operations:
    def selection(choose: Callable[..., Any], name: str) -> Callable[..., Any]:
        def choose_metered(*values: Any, default: Any = _NONE) -> Any:
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
            walker.key(pair[0], len(made))
            meter.hold(ENTRY_MEMORY)
            made[pair[0]] = pair[1]
        return made

    def counted(source: Any, start: Any = 0) -> Any:
        return enumerate(source, start)

    def side_by_side(*sources: Any) -> Any:
        return zip(*sources, strict=False)

    return {
        "list": list_of,
        "tuple": tuple_of,
        "dict": dict_of,
        "enumerate": counted,
        "zip": side_by_side,
        "reversed": reversed,
    }
