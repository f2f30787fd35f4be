"""What metered operations share: walking nested values, keys of dicts, memory of texts and lists, and taking iterables.

Everything here charges by size before the interpreter does work that could be large. Values nest at most `VALUE_DEPTH_MAX` containers where
they are walked, so no comparison recurses deeply (CON-123).
"""

from collections.abc import Iterable
from typing import Any, Final

from yunhe.contracts.context import Signer
from yunhe.contracts.faults import Fault, IntegerOutOfRange
from yunhe.contracts.meter import Meter
from yunhe.contracts.prices import OBJECT_MEMORY
from yunhe.contracts.records import Event, Record
from yunhe.limits import INTEGER_MAX, INTEGER_MIN, VALUE_DEPTH_MAX

SLOT_MEMORY: Final = 96
"""Memory of one element of a list or tuple, the small object that it refers to included."""
ENTRY_MEMORY: Final = 200
"""Memory of one entry of a dict."""
_SCALAR: Final = 100
"""Gas to walk a scalar, besides its length."""
_CONTAINER: Final = 300
"""Gas to walk a container or record, besides its elements."""
_KEY_PARTS_MAX: Final = 8
"""Elements of a tuple that is a key of a dict."""
_ORDERED_PARTS_MAX: Final = 16
"""Elements of a tuple that is sorted."""
_SMALL_DICT: Final = 64
"""Entries of a dict up to which a key of integers costs what text costs."""
_COLLISION: Final = 16
"""Gas to compare a tuple of integers with another one of the same hash."""
_REBUILT_ENTRY: Final = 90
"""Gas to put an entry of a dict in its place anew."""

DictKeys: type = type({}.keys())
DictValues: type = type({}.values())
DictItems: type = type({}.items())


def text_memory(text: str) -> int:
    """Return the memory of a text: the interpreter uses up to four bytes a character."""
    return OBJECT_MEMORY + (len(text) if text.isascii() else 4 * len(text))


class Walker:
    """Walks values for one meter."""

    __slots__ = ("_meter",)

    def __init__(self, meter: Meter) -> None:
        self._meter = meter

    def walk(self, value: Any, depth: int = VALUE_DEPTH_MAX) -> None:
        """Charge for looking at every part of a value.

        Raises:
            Fault: it nests too deeply, or is nothing that can be compared.
        """
        # CON-123
        meter = self._meter
        kind = type(value)
        if value is None or kind is int or kind is bool:
            meter.left -= _SCALAR
            return
        if isinstance(value, str) or kind is bytes:
            meter.left -= _SCALAR + (len(value) >> 4)
            return
        if depth == 0:
            raise Fault(f"a value that is compared nests more than {VALUE_DEPTH_MAX} containers")
        meter.charge(_CONTAINER)
        for part in self._parts(value, kind):
            self.walk(part, depth - 1)

    def _parts(self, value: Any, kind: type) -> Iterable[Any]:
        if kind is list or kind is tuple:
            self._meter.charge(8 * len(value))
            return value  # type: ignore[no-any-return]
        if kind is dict:
            self._meter.charge(16 * len(value))
            return [part for item in value.items() for part in item]
        if isinstance(value, Record | Event):
            return [getattr(value, field) for field in value._record_type.fields]
        if kind is Signer:
            return (value.organisation, value.member, value.roles)
        if kind is range:
            return ()
        raise Fault(f"{kind.__name__} cannot be compared")

    def key(self, key: Any, entries: int) -> None:
        """Charge for hashing a key and finding its place among `entries`.

        Hashes of text and bytes cannot be foreseen, because each process has its own; those of integers can be made to collide, so an
        integer pays for the entries that it might meet.

        Raises:
            Fault: it is no key: scalars, and tuples of a few scalars, are.
            IntegerOutOfRange: an integer has more than 64 bits, so that many could have one hash.
        """
        # CON-127
        meter = self._meter
        if isinstance(key, str):
            meter.left -= len(key) >> 4
            return
        kind = type(key)
        if kind is int:
            if not INTEGER_MIN <= key <= INTEGER_MAX:
                raise IntegerOutOfRange("an integer that is a key has 64 bits")
        elif kind is bytes:
            meter.left -= len(key) >> 4
            return
        elif kind is tuple:
            self._tuple_key(key, entries)
        elif key is not None and kind is not bool:
            raise Fault(f"{kind.__name__} cannot be a key")
        if entries > _SMALL_DICT:
            meter.left -= entries >> 1
            if meter.left < 0:
                meter.stop()

    def _tuple_key(self, key: tuple[Any, ...], entries: int) -> None:
        if len(key) > _KEY_PARTS_MAX:
            raise Fault(f"a tuple that is a key has at most {_KEY_PARTS_MAX} elements")
        integers = 0
        for part in key:
            if type(part) is tuple:
                raise Fault("a tuple that is a key holds scalars")
            integers += type(part) is int
            self._meter.left -= _SCALAR
            self.key(part, 0)
        # For any first integer there is a second one with which the hash is what an attacker likes.
        if integers > 1 and entries > _SMALL_DICT:
            self._meter.left -= entries * _COLLISION

    def close_gaps(self, entries: dict[Any, Any]) -> None:
        """Put the entries of a dict together after a deletion, whenever their number has halved.

        Python leaves a gap where an entry was and walks over it ever after, unpaid; so there are never many more gaps than entries.
        """
        # CON-134
        count = len(entries)
        if count >= _SMALL_DICT and count & (count - 1) == 0:
            self._meter.charge(_REBUILT_ENTRY * count)
            kept = entries.copy()
            entries.clear()
            entries.update(kept)

    def orderable(self, items: list[Any]) -> int:
        """Charge for looking at what is to be ordered and return the gas of one comparison.

        Raises:
            Fault: an item is neither a scalar nor a flat tuple of scalars (CON-128).
        """
        # CON-128
        self._meter.charge(20 * len(items))
        longest = 0
        parts = 0
        for item in items:
            kind = type(item)
            if kind is int or kind is bool:
                continue
            if isinstance(item, str) or kind is bytes:
                longest = max(longest, len(item))
            elif kind is tuple and len(item) <= _ORDERED_PARTS_MAX:
                self._meter.charge(20 * len(item))
                parts = max(parts, len(item))
                longest = max(longest, self._longest_part(item))
            else:
                raise Fault(f"{kind.__name__} cannot be ordered: scalars and flat tuples of scalars can")
        return 1 + (longest >> 4) + parts

    def _longest_part(self, item: tuple[Any, ...]) -> int:
        longest = 0
        for part in item:
            kind = type(part)
            if isinstance(part, str) or kind is bytes:
                longest = max(longest, len(part))
            elif kind is not int and kind is not bool and part is not None:
                raise Fault("a tuple that is ordered holds scalars")
        return longest

    def take(self, source: Any) -> list[Any] | tuple[Any, ...]:
        """Return the elements of anything that can be iterated over; a list or tuple is returned as it is.

        Raises:
            Fault: it cannot be iterated over.
        """
        kind = type(source)
        meter = self._meter
        if kind is list or kind is tuple:
            meter.charge(len(source))
            return source  # type: ignore[no-any-return]
        if isinstance(source, str) or kind in (bytes, dict, range, DictKeys, DictValues, DictItems):
            meter.charge(8 * len(source))
            meter.hold(OBJECT_MEMORY + SLOT_MEMORY * len(source))
            return list(source)
        taken: list[Any] = []
        for element in self.iterate(source):
            meter.memory -= SLOT_MEMORY
            if meter.memory < 0:
                meter.stop()
            taken.append(element)
        return taken

    def iterate(self, source: Any) -> Iterable[Any]:
        """Yield the elements of anything that can be iterated over, paying for each.

        Raises:
            Fault: it cannot be iterated over.
        """
        meter = self._meter
        try:
            elements = iter(source)
        except TypeError as error:
            raise Fault(f"{type(source).__name__} cannot be iterated over") from error
        for element in elements:
            meter.left -= 30
            if meter.left < 0:
                meter.stop()
            yield element
