"""Operators, comparisons, subscripts and f-strings of metered code.

Each function does what the operator does in Python, for the types that contracts have; what Python would do with other types is a fault.
The static price of each is charged by the block that it stands in; here only what depends on sizes is charged (CON-121).
"""

from collections.abc import Callable
from typing import Any, Final, TypeAlias

from yunhe.contracts.arithmetic import INTEGER_LIMIT, mul_div, pro_rata
from yunhe.contracts.context import Context, Signer
from yunhe.contracts.faults import Fault, IntegerOutOfRange
from yunhe.contracts.meter import HELD_SHIFT, Meter
from yunhe.contracts.metered.walking import (
    ENTRY_MEMORY,
    SLOT_MEMORY,
    DictItems,
    DictKeys,
    DictValues,
    Walker,
    text_memory,
)
from yunhe.contracts.prices import OBJECT_MEMORY
from yunhe.contracts.records import Event, Record
from yunhe.limits import CONTRACT_INTEGER_BITS_MAX

Operations: TypeAlias = dict[str, Callable[..., Any]]

_ELEMENT: Final = 120
"""Gas to compare with one element of a container."""


def operations(meter: Meter) -> Operations:
    """Return the operations of metered code by the names that transformed code uses, bound to `meter`."""
    walker = Walker(meter)
    made = (
        _ticks(meter)
        | _Sums(meter).by_name()
        | _Products(meter).by_name()
        | _Comparisons(meter, walker).by_name()
        | _Membership(meter, walker).by_name()
    )
    return made | _Subscripts(meter, walker).by_name() | _texts(meter) | _sdk(meter)


def _ticks(meter: Meter) -> Operations:
    def tick(gas: int, memory: int) -> bool:
        """Pay for one round of a comprehension; stands among its conditions."""
        meter.left -= gas
        meter.memory -= memory
        if meter.left < 0 or meter.memory < 0:
            meter.stop()
        return True

    return {"_tick": tick}


class _Sums:
    """`+` and `-`."""

    __slots__ = ("_meter",)

    def __init__(self, meter: Meter) -> None:
        self._meter = meter

    def by_name(self) -> Operations:
        """Return the operations by the names that transformed code uses."""
        return {"_add": self.add, "_iadd": self.add_in_place, "_sub": self.subtract}

    def sized(self, result: Any) -> Any:
        """Pay for a concatenation: at most twice as large as what was there, so it may be done first."""
        # CON-121
        if isinstance(result, str):
            size = text_memory(result)
            self._meter.memory -= size
            self._meter.left -= (len(result) >> 3) + (size >> HELD_SHIFT)
        elif type(result) is bytes:
            self._meter.memory -= OBJECT_MEMORY + len(result)
            self._meter.left -= len(result) >> 2
        elif type(result) in (list, tuple):
            self._meter.memory -= OBJECT_MEMORY + 8 * len(result)
            self._meter.left -= 2 * len(result)
        else:
            raise Fault("+ is for integers, text, bytes, lists and tuples")
        if self._meter.left < 0 or self._meter.memory < 0:
            self._meter.stop()
        return result

    def add(self, a: Any, b: Any) -> Any:
        result = a + b
        if type(result) is int:
            # CON-122
            if -INTEGER_LIMIT < result < INTEGER_LIMIT:
                return result
            raise IntegerOutOfRange("+")
        return self.sized(result)

    def add_in_place(self, a: Any, b: Any) -> Any:
        if type(a) is not list:
            return self.add(a, b)
        if type(b) not in (list, tuple):
            raise Fault("a list is extended by a list or tuple")
        self._meter.charge(len(b))
        self._meter.hold(8 * len(b))
        a += b
        return a

    def subtract(self, a: Any, b: Any) -> Any:
        if not (isinstance(a, int) and isinstance(b, int)):
            raise Fault("- is for integers")
        result = a - b
        if -INTEGER_LIMIT < result < INTEGER_LIMIT:
            return result
        raise IntegerOutOfRange("-")


class _Products:
    """`*`, `//`, `%` and `**`."""

    __slots__ = ("_meter",)

    def __init__(self, meter: Meter) -> None:
        self._meter = meter

    def by_name(self) -> Operations:
        """Return the operations by the names that transformed code uses."""
        return {"_mul": self.multiply, "_floordiv": self.floor_divide, "_mod": self.modulo, "_pow": self.power}

    def multiply(self, a: Any, b: Any) -> Any:
        if isinstance(a, int) and isinstance(b, int):
            result = a * b
            if -INTEGER_LIMIT < result < INTEGER_LIMIT:
                return result
            raise IntegerOutOfRange("*")
        return self.repeat(a, b) if isinstance(b, int) else self.repeat(b, a)

    def repeat(self, sequence: Any, times: Any) -> Any:
        if not isinstance(times, int) or not isinstance(sequence, str | bytes | list | tuple):
            raise Fault("* is for integers, or repeats text, bytes, a list or a tuple")
        length = len(sequence) * max(times, 0)
        # CON-121
        self._meter.charge(length if type(sequence) in (list, tuple) else length >> 2)
        if isinstance(sequence, str):
            self._meter.hold(OBJECT_MEMORY + (length if sequence.isascii() else 4 * length))
        else:
            self._meter.hold(OBJECT_MEMORY + (length if type(sequence) is bytes else 8 * length))
        return sequence * times

    def floor_divide(self, a: Any, b: Any) -> Any:
        if isinstance(a, int) and isinstance(b, int):
            return a // b
        raise Fault("// is for integers")

    def modulo(self, a: Any, b: Any) -> Any:
        # Text has a % of its own, whose widths no length bounds.
        if isinstance(a, int) and isinstance(b, int):
            return a % b
        raise Fault("% is for integers")

    def power(self, a: Any, b: Any) -> Any:
        if not (isinstance(a, int) and isinstance(b, int)) or b < 0:
            raise Fault("** is for integers, the exponent zero or more")
        # The result has at least this many bits, and at most twice as many: it is small enough to be made.
        if (a.bit_length() - 1) * b >= CONTRACT_INTEGER_BITS_MAX:
            raise IntegerOutOfRange("**")
        if a.bit_length() <= 1:
            return (1 if b == 0 else int(a)) if a >= 0 or b % 2 else 1
        result = a**b
        if -INTEGER_LIMIT < result < INTEGER_LIMIT:
            return result
        raise IntegerOutOfRange("**")


class _Comparisons:
    """`==` to `>=`."""

    __slots__ = ("_meter", "_walker")

    def __init__(self, meter: Meter, walker: Walker) -> None:
        self._meter = meter
        self._walker = walker

    def by_name(self) -> Operations:
        """Return the operations by the names that transformed code uses."""
        return {
            "_eq": self.equal,
            "_ne": self.not_equal,
            "_lt": self.less,
            "_le": self.less_or_equal,
            "_gt": self.greater,
            "_ge": self.greater_or_equal,
        }

    def equal(self, a: Any, b: Any) -> bool:
        if isinstance(a, str) or type(a) is bytes:
            self._meter.left -= len(a) >> 4
        elif not (a is None or b is None or isinstance(a, int) or isinstance(b, int | str | bytes)):
            self._walker.walk(a)
        return bool(a == b)

    def not_equal(self, a: Any, b: Any) -> bool:
        return not self.equal(a, b)

    def ordered(self, a: Any, b: Any) -> None:
        if isinstance(a, str):
            # Texts of different widths are compared character by character.
            is_narrow = a.isascii() and isinstance(b, str) and b.isascii()
            self._meter.left -= len(a) >> 4 if is_narrow else len(a)
        elif type(a) is bytes:
            self._meter.left -= len(a) >> 4
        elif type(a) in (list, tuple):
            self._walker.walk(a)
            self._walker.walk(b)
        elif not isinstance(a, int):
            raise Fault(f"{type(a).__name__} has no order")

    def less(self, a: Any, b: Any) -> bool:
        if type(a) is not int:
            self.ordered(a, b)
        return bool(a < b)

    def less_or_equal(self, a: Any, b: Any) -> bool:
        if type(a) is not int:
            self.ordered(a, b)
        return bool(a <= b)

    def greater(self, a: Any, b: Any) -> bool:
        if type(a) is not int:
            self.ordered(a, b)
        return bool(a > b)

    def greater_or_equal(self, a: Any, b: Any) -> bool:
        if type(a) is not int:
            self.ordered(a, b)
        return bool(a >= b)


def search_gas(length: int, wanted: int, *, backwards: bool = False) -> int:
    """Return the gas to search `length` characters for `wanted` ones; short searches, and all backward ones, may be quadratic in Python."""
    if backwards or length < 2500 or wanted < 100:
        return length * (2 + wanted) >> 2
    return 2 * (length + wanted)


class _Membership:
    """`in`."""

    __slots__ = ("_meter", "_walker")

    def __init__(self, meter: Meter, walker: Walker) -> None:
        self._meter = meter
        self._walker = walker

    def by_name(self) -> Operations:
        """Return the operations by the names that transformed code uses."""
        return {"_in": self.contains, "_not_in": self.contains_not, "_elements": self.elements}

    def elements(self, value: Any, count: int) -> None:
        """Pay for comparing a value with `count` elements."""
        # CON-121
        if isinstance(value, str) or type(value) is bytes:
            self._meter.charge(count * (_ELEMENT + (len(value) >> 4)))
        elif value is None or isinstance(value, int):
            self._meter.charge(count * _ELEMENT)
        else:
            before = self._meter.left
            self._walker.walk(value)
            self._meter.charge(count * (_ELEMENT + before - self._meter.left))

    def contains(self, value: Any, container: Any) -> bool:
        kind = type(container)
        if kind is dict or kind is DictKeys:
            self._walker.key(value, len(container))
        elif isinstance(container, str):
            if isinstance(value, str):
                self._meter.charge(search_gas(len(container), len(value)))
        elif kind is bytes:
            self._meter.charge(search_gas(len(container), len(value) if type(value) is bytes else 1))
        elif kind in (list, tuple, DictValues):
            self.elements(value, len(container))
        elif kind is DictItems:
            if type(value) is not tuple or len(value) != 2:
                return False
            self._walker.key(value[0], len(container))
            self._walker.walk(value[1])
        elif kind is range:
            # Python walks the whole range for anything that is no integer.
            return isinstance(value, int) and value in container
        else:
            raise Fault(f"{kind.__name__} has no members")
        return value in container

    def contains_not(self, value: Any, container: Any) -> bool:
        return not self.contains(value, container)


class _Subscripts:
    """`container[key]` and dict displays."""

    __slots__ = ("_meter", "_walker")

    def __init__(self, meter: Meter, walker: Walker) -> None:
        self._meter = meter
        self._walker = walker

    def by_name(self) -> Operations:
        """Return the operations by the names that transformed code uses."""
        return {
            "_item": self.item,
            "_cut": self.cut,
            "_set_item": self.set_item,
            "_delete_item": self.delete_item,
            "_dict_of": self.dict_of,
            "_dict_from": self.dict_from,
            "_field": self.field,
        }

    def item(self, container: Any, key: Any) -> Any:
        kind = type(container)
        if kind is dict:
            self._walker.key(key, len(container))
        elif not isinstance(key, int) or not (kind in (list, tuple, bytes, range) or isinstance(container, str)):
            raise Fault(f"{kind.__name__} has no such elements")
        return container[key]

    def cut(self, container: Any, start: Any, stop: Any, step: Any) -> Any:
        kind = type(container)
        if isinstance(container, str) or kind is bytes:
            result = container[start:stop:step]
            self._meter.charge(len(result) >> 3)
            self._meter.hold(text_memory(result) if kind is not bytes else OBJECT_MEMORY + len(result))
            return result
        if kind is list or kind is tuple:
            result = container[start:stop:step]
            self._meter.charge(len(result))
            self._meter.hold(OBJECT_MEMORY + 8 * len(result))
            return result
        raise Fault(f"{kind.__name__} cannot be sliced")

    def set_item(self, value: Any, container: Any, key: Any) -> None:
        kind = type(container)
        if kind is dict:
            self._walker.key(key, len(container))
            before = len(container)
            container[key] = value
            if len(container) != before:
                self._meter.memory -= ENTRY_MEMORY
                if self._meter.memory < 0:
                    self._meter.stop()
        elif kind is list and isinstance(key, int):
            container[key] = value
        else:
            raise Fault(f"an element of {kind.__name__} cannot be set")

    def delete_item(self, container: Any, key: Any) -> None:
        kind = type(container)
        if kind is dict:
            self._walker.key(key, len(container))
            del container[key]
            self._walker.close_gaps(container)
        elif kind is list and isinstance(key, int):
            self._meter.charge(len(container) >> 3)
            del container[key]
        else:
            raise Fault(f"an element of {kind.__name__} cannot be deleted")

    def dict_of(self, *items: Any) -> dict[Any, Any]:
        made: dict[Any, Any] = {}
        for index in range(0, len(items), 2):
            self._walker.key(items[index], len(made))
            made[items[index]] = items[index + 1]
        return made

    def dict_from(self, pairs: Any) -> dict[Any, Any]:
        made: dict[Any, Any] = {}
        for key, value in pairs:
            self.set_item(value, made, key)
        return made

    def field(self, holder: Any, name: str) -> Any:
        """Read a field whose name is a method of some built-in type too: of other values it would be that method."""
        if not isinstance(holder, Record | Event | Context | Signer):
            raise Fault(f"{type(holder).__name__} has no field {name}")
        return getattr(holder, name)


def _texts(meter: Meter) -> Operations:
    def text(*parts: Any) -> str:
        made = []
        for part in parts:
            if type(part) is str:
                made.append(part)
            elif isinstance(part, str | int):
                made.append(str(part))
            else:
                raise Fault(f"an f-string shows text, integers and choices, not {type(part).__name__}")
        length = sum(map(len, made))
        meter.charge(length >> 2)
        meter.hold(OBJECT_MEMORY + (length if all(map(str.isascii, made)) else 4 * length))
        return "".join(made)

    return {"_text": text}


def _sdk(meter: Meter) -> Operations:
    def pro_rata_metered(total: Any, weights: Any) -> list[int]:
        if type(weights) is list:
            meter.charge(len(weights) * (800 + 40 * len(weights).bit_length()))
            meter.hold(4 * SLOT_MEMORY * len(weights))
        return pro_rata(total, weights)

    return {"pro_rata": pro_rata_metered, "mul_div": mul_div}
