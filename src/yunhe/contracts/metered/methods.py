"""Methods of built-in types in metered code, dispatched by exact type and paid for by size.

Transformed code calls `_m_<name>(value, ...)`. Which names exist for which types is said in `yunhe.contracts.vocabulary.METHODS`; the base
price of a call is charged by the block that it stands in. Text methods that consult Unicode tables work on text whose answer is the same in
every version of those tables (CON-126).
"""

import re
from collections.abc import Callable
from typing import Any, Final

from yunhe.contracts.faults import Fault
from yunhe.contracts.meter import HELD_SHIFT, Meter
from yunhe.contracts.metered.builtin_functions import charge_sort
from yunhe.contracts.metered.operations import Operations, operations, search_gas
from yunhe.contracts.metered.walking import ENTRY_MEMORY, SLOT_MEMORY, Walker, text_memory
from yunhe.contracts.prices import OBJECT_MEMORY
from yunhe.contracts.vocabulary import BYTES_METHODS, DICT_METHODS, LIST_METHODS, METHODS, STR_METHODS

WHITESPACE: Final = "".join(
    map(chr, [*range(0x09, 0x0E), *range(0x1C, 0x21), 0x85, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x2028, 0x2029, 0x202F, 0x205F, 0x3000])
)
"""What `strip` strips: the white space of Unicode, written out."""
_CASELESS: Final = re.compile(r"[\x00-\x7f\u3000-\u9fff]*")
"""ASCII and the blocks of Chinese and Japanese text, none of whose characters has case or is a decimal digit."""
_BACKWARDS: Final = frozenset({"rfind", "rpartition", "rsplit"})
"""Methods that search from the end."""
_PIECE_MEMORY: Final = 80
"""Memory of a piece of a text, besides its characters, and of the place that it takes in a list."""

Method = Callable[..., Any]


def methods(meter: Meter) -> Operations:
    """Return the methods of metered code by name, bound to `meter`."""
    walker = Walker(meter)
    texts = _cases(meter) | _strips(meter) | _searches(meter) | _splits(meter) | _builders(meter, walker)
    elements = operations(meter)["_elements"]
    by_type: dict[str, dict[str, Method]] = {
        "str": texts,
        "bytes": _bytes_methods(meter, walker),
        "list": _list_changes(meter, walker) | _list_searches(elements),
        "tuple": _list_searches(elements, only=("count", "index")),
        "dict": _dict_methods(meter, walker),
    }
    for type_name, words in METHODS.items():
        assert by_type[type_name].keys() == words.keys(), type_name
    names = {name for made in by_type.values() for name in made}
    return {name: _dispatch(name, {kind: made[name] for kind, made in by_type.items() if name in made}) for name in names}


def _dispatch(name: str, by_type: dict[str, Method]) -> Method:
    """Return the method of a name, for whatever type its object has."""
    of_text = by_type.pop("str", None)
    classes: dict[type, Method] = {{"bytes": bytes, "list": list, "tuple": tuple, "dict": dict}[kind]: m for kind, m in by_type.items()}

    def call_method(holder: Any, *arguments: Any, **keywords: Any) -> Any:
        method = classes.get(type(holder))
        if method is None:
            if of_text is None or not isinstance(holder, str):
                raise Fault(f"{type(holder).__name__} has no method {name}")
            method = of_text
        return method(holder, *arguments, **keywords)

    return call_method


def _held(meter: Meter, text: str) -> str:
    size = text_memory(text)
    meter.memory -= size
    meter.left -= size >> HELD_SHIFT
    if meter.left < 0 or meter.memory < 0:
        meter.stop()
    return text


# --- Text -----------------------------------------------------------------------------------------------------------


def _cases(meter: Meter) -> Operations:
    def caseless(text: str, name: str) -> None:
        # CON-126
        if not text.isascii() and not _CASELESS.fullmatch(text):
            raise Fault(f"{name}() is for ASCII and Chinese text: the case and digits of other scripts vary with the interpreter")
        meter.charge(len(text) * STR_METHODS[name].rate >> 3)

    def ascii_only(text: str, name: str) -> None:
        # CON-126
        if not text.isascii():
            raise Fault(f"{name}() is for ASCII text: what is a letter elsewhere varies with the interpreter")
        meter.charge(len(text) * STR_METHODS[name].rate >> 3)

    def upper(text: str) -> str:
        caseless(text, "upper")
        return _held(meter, text.upper())

    def lower(text: str) -> str:
        caseless(text, "lower")
        return _held(meter, text.lower())

    def test(name: str, check: Callable[[str, str], None]) -> Method:
        native: Callable[[str], bool] = getattr(str, name)

        def tell(text: str) -> bool:
            check(text, name)
            return native(text)

        return tell

    tests = {name: test(name, caseless) for name in ("isdigit", "islower", "isupper")}
    return tests | {
        "upper": upper,
        "lower": lower,
        "isalpha": test("isalpha", ascii_only),
        "isalnum": test("isalnum", ascii_only),
        "isascii": str.isascii,
    }


def _strips(meter: Meter) -> Operations:
    def stripping(name: str) -> Method:
        native: Callable[[str, str], str] = getattr(str, name)

        def strip(text: str, characters: str = WHITESPACE) -> str:
            if not isinstance(characters, str):
                raise Fault(f"{name}() takes the characters to strip as text")
            meter.charge(len(text) * (1 + len(characters)) >> 3)
            return _held(meter, native(text, characters))

        return strip

    def remove_prefix(text: str, prefix: str) -> str:
        meter.charge(len(text) >> 3)
        return _held(meter, text.removeprefix(prefix))

    def remove_suffix(text: str, suffix: str) -> str:
        meter.charge(len(text) >> 3)
        return _held(meter, text.removesuffix(suffix))

    made = {name: stripping(name) for name in ("strip", "lstrip", "rstrip")}
    return made | {"removeprefix": remove_prefix, "removesuffix": remove_suffix}


def _as_text(value: Any, name: str) -> str:
    if not isinstance(value, str):
        raise Fault(f"{name}() takes text")
    return value


def _searches(meter: Meter) -> Operations:
    def search(name: str) -> Method:
        native: Callable[[str, str], int] = getattr(str, name)

        def find(text: str, wanted: Any) -> int:
            meter.charge(search_gas(len(text), len(_as_text(wanted, name)), backwards=name in _BACKWARDS))
            return native(text, wanted)

        return find

    def edge(name: str) -> Method:
        native: Callable[[str, str], bool] = getattr(str, name)

        def tell(text: str, wanted: Any) -> bool:
            meter.left -= len(_as_text(wanted, name)) >> 3
            return native(text, wanted)

        return tell

    return {name: search(name) for name in ("find", "rfind", "count")} | {name: edge(name) for name in ("startswith", "endswith")}


def _splits(meter: Meter) -> Operations:
    def splitting(name: str) -> Method:
        native: Callable[..., list[str]] = getattr(str, name)

        def split(text: str, separator: Any = None, times: Any = -1) -> list[str]:
            if separator is None:
                # At most every second character begins a piece.
                pieces = len(text) // 2 + 1
            else:
                meter.charge(2 * search_gas(len(text), len(_as_text(separator, name)), backwards=name in _BACKWARDS))
                pieces = text.count(separator) + 1 if separator else 1
            bound = OBJECT_MEMORY + _PIECE_MEMORY * pieces + text_memory(text)
            meter.hold(bound)
            made = native(text, separator, times)
            # What the bound was too high is given back: every node counts the same.
            meter.memory += _PIECE_MEMORY * (pieces - len(made))
            meter.charge((len(text) >> 2) + (len(made) * STR_METHODS[name].rate >> 3))
            return made

        return split

    def parting(name: str) -> Method:
        native: Callable[[str, str], tuple[str, str, str]] = getattr(str, name)

        def part(text: str, separator: Any) -> tuple[str, str, str]:
            meter.charge(search_gas(len(text), len(_as_text(separator, name)), backwards=name in _BACKWARDS))
            meter.hold(3 * OBJECT_MEMORY + text_memory(text))
            return native(text, separator)

        return part

    return {name: splitting(name) for name in ("split", "rsplit")} | {name: parting(name) for name in ("partition", "rpartition")}


def _builders(meter: Meter, walker: Walker) -> Operations:
    def join(separator: str, source: Any) -> str:
        items = walker.take(source)
        meter.charge(len(items) * STR_METHODS["join"].rate >> 3)
        length = len(separator) * len(items)
        narrow = separator.isascii()
        for item in items:
            length += len(_as_text(item, "join"))
            narrow = narrow and item.isascii()
        # CON-121
        meter.charge(length >> 3)
        meter.hold(OBJECT_MEMORY + (length if narrow else 4 * length))
        return separator.join(items)

    def replace(text: str, old: Any, new: Any, times: Any = -1) -> str:
        meter.charge(2 * search_gas(len(text), len(_as_text(old, "replace"))))
        found = text.count(old) if old else len(text) + 1
        length = len(text) + found * len(_as_text(new, "replace"))
        # CON-121
        meter.charge(length >> 2)
        meter.hold(OBJECT_MEMORY + (length if text.isascii() and new.isascii() else 4 * length))
        return text.replace(old, new, times)

    def filling(name: str) -> Method:
        native: Callable[..., str] = getattr(str, name)

        def fill(text: str, width: Any, character: Any = " ") -> str:
            if not isinstance(width, int):
                raise Fault(f"{name}() takes a width")
            length = max(width, len(text))
            meter.charge(length >> 2)
            meter.hold(OBJECT_MEMORY + (length if text.isascii() and _as_text(character, name).isascii() else 4 * length))
            return native(text, width) if name == "zfill" else native(text, width, character)

        return fill

    def encode(text: str) -> bytes:
        meter.charge(len(text) * STR_METHODS["encode"].rate >> 3)
        meter.hold(text_memory(text))
        return text.encode()

    return {name: filling(name) for name in ("ljust", "rjust", "zfill")} | {"join": join, "replace": replace, "encode": encode}


# --- Bytes ----------------------------------------------------------------------------------------------------------


def _bytes_methods(meter: Meter, walker: Walker) -> Operations:
    def as_bytes(value: Any, name: str) -> bytes:
        if type(value) is not bytes:
            raise Fault(f"{name}() takes bytes")
        return value

    def decode(data: bytes) -> str:
        meter.charge(len(data) * BYTES_METHODS["decode"].rate >> 3)
        meter.hold(OBJECT_MEMORY + (len(data) if data.isascii() else 4 * len(data)))
        return data.decode()

    def hexadecimal(data: bytes) -> str:
        meter.charge(len(data) * BYTES_METHODS["hex"].rate >> 3)
        meter.hold(OBJECT_MEMORY + 2 * len(data))
        return data.hex()

    def find(data: bytes, wanted: Any) -> int:
        meter.charge(search_gas(len(data), len(as_bytes(wanted, "find"))))
        return data.find(wanted)

    def startswith(data: bytes, wanted: Any) -> bool:
        meter.left -= len(as_bytes(wanted, "startswith")) >> 3
        return data.startswith(wanted)

    def endswith(data: bytes, wanted: Any) -> bool:
        meter.left -= len(as_bytes(wanted, "endswith")) >> 3
        return data.endswith(wanted)

    def join(separator: bytes, source: Any) -> bytes:
        items = walker.take(source)
        length = len(separator) * len(items) + sum([len(as_bytes(item, "join")) for item in items])
        meter.charge((len(items) * BYTES_METHODS["join"].rate >> 3) + (length >> 3))
        meter.hold(OBJECT_MEMORY + length)
        return separator.join(items)

    return {"decode": decode, "hex": hexadecimal, "find": find, "startswith": startswith, "endswith": endswith, "join": join}


# --- Lists, tuples, dicts -------------------------------------------------------------------------------------------


def _list_searches(elements: Callable[[Any, int], None], only: tuple[str, ...] = ("count", "index", "remove")) -> Operations:
    def search(name: str) -> Method:
        def look(items: Any, value: Any) -> Any:
            elements(value, len(items))
            return getattr(items, name)(value)

        return look

    def index(items: Any, value: Any) -> int:
        elements(value, len(items))
        # CON-133: Python's own would write what it does not find out at full length.
        for position, item in enumerate(items):
            if item is value or item == value:
                return position
        raise Fault("index() of a value that is not among the elements")

    return {name: search(name) for name in only} | {"index": index}


def _list_changes(meter: Meter, walker: Walker) -> Operations:
    def append(items: list[Any], value: Any) -> None:
        meter.memory -= SLOT_MEMORY
        if meter.memory < 0:
            meter.stop()
        items.append(value)

    def extend(items: list[Any], source: Any) -> None:
        more = walker.take(source)
        meter.hold(8 * len(more))
        items.extend(more)

    def insert(items: list[Any], index: Any, value: Any) -> None:
        meter.left -= len(items) * LIST_METHODS["insert"].rate >> 6
        meter.hold(SLOT_MEMORY)
        items.insert(index, value)

    def pop(items: list[Any], index: Any = -1) -> Any:
        meter.left -= len(items) * LIST_METHODS["pop"].rate >> 6
        return items.pop(index)

    def copy(items: list[Any]) -> list[Any]:
        meter.charge(len(items) * LIST_METHODS["copy"].rate >> 3)
        meter.hold(OBJECT_MEMORY + 8 * len(items))
        return items.copy()

    def clear(items: list[Any]) -> None:
        meter.charge(len(items) * LIST_METHODS["clear"].rate >> 3)
        items.clear()

    def reverse(items: list[Any]) -> None:
        meter.charge(len(items) * LIST_METHODS["reverse"].rate >> 3)
        items.reverse()

    def sort(items: list[Any], *, reverse: Any = False) -> None:
        charge_sort(meter, walker, items)
        items.sort(reverse=bool(reverse))

    return {
        "append": append,
        "extend": extend,
        "insert": insert,
        "pop": pop,
        "copy": copy,
        "clear": clear,
        "reverse": reverse,
        "sort": sort,
    }


def _dict_methods(meter: Meter, walker: Walker) -> Operations:
    def get(items: dict[Any, Any], key: Any, default: Any = None) -> Any:
        walker.key(key, len(items))
        return items.get(key, default)

    def pop(items: dict[Any, Any], key: Any, *default: Any) -> Any:
        walker.key(key, len(items))
        count = len(items)
        value = items.pop(key, *default)
        if len(items) != count:
            walker.close_gaps(items)
        return value

    def setdefault(items: dict[Any, Any], key: Any, default: Any) -> Any:
        walker.key(key, len(items))
        meter.hold(ENTRY_MEMORY)
        return items.setdefault(key, default)

    def update(items: dict[Any, Any], other: Any) -> None:
        if type(other) is not dict:
            raise Fault("update() takes a dict")
        meter.charge(len(other) * DICT_METHODS["update"].rate >> 3)
        meter.hold(ENTRY_MEMORY * len(other))
        for key in other:
            walker.key(key, len(items))
        items.update(other)

    def copy(items: dict[Any, Any]) -> dict[Any, Any]:
        meter.charge(len(items) * DICT_METHODS["copy"].rate >> 3)
        meter.hold(OBJECT_MEMORY + ENTRY_MEMORY * len(items))
        return items.copy()

    def clear(items: dict[Any, Any]) -> None:
        meter.charge(len(items) * DICT_METHODS["clear"].rate >> 3)
        items.clear()

    return {
        "get": get,
        "pop": pop,
        "setdefault": setdefault,
        "update": update,
        "copy": copy,
        "clear": clear,
        "keys": dict.keys,
        "values": dict.values,
        "items": dict.items,
    }
