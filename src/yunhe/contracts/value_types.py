"""Types of what a contract stores, takes and returns: checked on the way in and out, and turned into what the codec knows.

A value type is made once from an annotation of the closed list (CON-100) and then converts many values: `to_plain` for the codec,
`from_plain` for the contract. Both check exactly, so nothing ill-typed gets into state or past an argument. They hold no state, and know
nothing of gas: `to_plain` gets a `Room` that bounds the content it walks, before any byte is encoded.
"""

from __future__ import annotations

import types
import typing
from functools import lru_cache
from typing import Any, Final, NoReturn

from yunhe.contracts.codes import VALUE_TOO_LARGE
from yunhe.contracts.faults import ContractStop, Fault, IntegerOutOfRange
from yunhe.contracts.scalars import Choice, Org
from yunhe.limits import CODEC_INTEGER_KEYS_MAX, INTEGER_MAX, INTEGER_MIN, VALUE_DEPTH_MAX

TypeData: typing.TypeAlias = str | dict[str, Any]
"""A type as plain data, for interfaces: a scalar's name, {"list": T}, {"dict": [K, V]}, {"optional": T}, {"record": NAME} or
{"choice": NAME}."""

_CONTAINER_MEMORY_RATE: Final = 32
_SCALAR_MEMORY_RATE: Final = 4
_SCALAR_MEMORY: Final = 64


class Room:
    """Bytes of content that a value may still have."""

    __slots__ = ("left",)

    def __init__(self, left: int) -> None:
        self.left = left

    def take(self, size: int) -> None:
        """Count `size` bytes of content."""
        self.left -= size
        if self.left < 0:
            raise ContractStop(VALUE_TOO_LARGE, "a record, event, argument or result has too much content")


class ValueType:
    """A type of the closed list."""

    __slots__ = ()

    name: str
    """As written in an annotation."""
    depth: int
    """Containers nested in a value, itself included; 0 for scalars."""
    memory_base: int
    memory_rate: int
    """A decoded value is counted as `memory_base + length of its encoding * memory_rate` bytes of memory."""

    def to_plain(self, value: Any, room: Room) -> Any:
        """Check a contract's value and return it as the codec takes it.

        Raises:
            Fault: it is not of this type.
            IntegerOutOfRange: an integer has more than 64 bits.
            ContractStop: it does not fit into `room`.
        """
        raise NotImplementedError

    def from_plain(self, plain: Any) -> Any:
        """Return a decoded value as a contract sees it; all of it is new.

        Raises:
            Fault: it is not of this type.
        """
        raise NotImplementedError

    def data(self) -> TypeData:
        """Return the type as plain data."""
        return self.name


def ill_typed(expected: str, found: object, where: str = "") -> NoReturn:
    """Stop because a value is not of its declared type."""
    # What other contracts return are plain values, and a name looks like an organisation.
    advice = "; make it one with Org(...)" if expected == "Org" and type(found) is str else ""
    raise Fault(f"{where}expected {expected}, found {type(found).__name__}{advice}")


class ScalarType(ValueType):
    """`int`, `str`, `bytes` or `bool`, exactly; text may also be an Org or a Choice, which are text."""

    __slots__ = ("name", "python_type")

    depth = 0
    memory_base = _SCALAR_MEMORY
    memory_rate = _SCALAR_MEMORY_RATE

    def __init__(self, python_type: type[int | str | bytes]) -> None:
        self.python_type: type[Any] = python_type
        self.name = python_type.__name__

    def to_plain(self, value: Any, room: Room) -> Any:
        if self.python_type is str:
            if not isinstance(value, str):
                ill_typed(self.name, value)
            room.take(len(value))
            return str(value)
        if type(value) is not self.python_type:
            ill_typed(self.name, value)
        if self.python_type is bytes:
            room.take(len(value))
        elif self.python_type is int and not INTEGER_MIN <= value <= INTEGER_MAX:
            raise IntegerOutOfRange("a stored integer has 64 bits")
        return value

    def from_plain(self, plain: Any) -> Any:
        if type(plain) is not self.python_type:
            ill_typed(self.name, plain)
        return plain


@lru_cache(maxsize=4096)
def org(name: str) -> Org:
    """Return the organisation of a name; the form of each name is checked once."""
    return Org(name)


class OrgType(ValueType):
    """An organisation's name."""

    __slots__ = ()

    name = "Org"
    depth = 0
    memory_base = _SCALAR_MEMORY
    memory_rate = _SCALAR_MEMORY_RATE

    def to_plain(self, value: Any, room: Room) -> Any:  # noqa: ARG002  # a name is short
        if type(value) is not Org:
            ill_typed("Org", value)
        return str(value)

    def from_plain(self, plain: Any) -> Any:
        if type(plain) is not str:
            ill_typed("Org", plain)
        try:
            return org(plain)
        except ValueError as error:
            raise Fault(str(error)) from error


class ChoiceType(ValueType):
    """A member of a Choice class."""

    __slots__ = ("choice", "members", "name")

    depth = 0
    memory_base = 0
    memory_rate = 0

    def __init__(self, choice: type[Choice]) -> None:
        self.choice = choice
        self.name = choice.__name__
        self.members: dict[str, Choice] = {str(member): member for member in choice}
        """Members by text."""

    def to_plain(self, value: Any, room: Room) -> Any:  # noqa: ARG002  # its text is the source's
        if type(value) is not self.choice:
            ill_typed(self.name, value)
        return value._value_

    def from_plain(self, plain: Any) -> Any:
        member = self.members.get(plain) if type(plain) is str else None
        if member is None:
            ill_typed(self.name, plain)
        return member

    def data(self) -> TypeData:
        return {"choice": self.name}


class OptionalType(ValueType):
    """A value or None."""

    __slots__ = ("depth", "item", "memory_base", "memory_rate", "name")

    def __init__(self, item: ValueType) -> None:
        self.item = item
        self.name = f"{item.name} | None"
        self.depth, self.memory_base, self.memory_rate = item.depth, item.memory_base, item.memory_rate

    def to_plain(self, value: Any, room: Room) -> Any:
        return None if value is None else self.item.to_plain(value, room)

    def from_plain(self, plain: Any) -> Any:
        return None if plain is None else self.item.from_plain(plain)

    def data(self) -> TypeData:
        return {"optional": self.item.data()}


class ListType(ValueType):
    """A list of one type."""

    __slots__ = ("depth", "item", "memory_base", "memory_rate", "name")

    def __init__(self, item: ValueType) -> None:
        self.item = item
        self.name = f"list[{item.name}]"
        self.depth = item.depth + 1
        self.memory_base, self.memory_rate = _SCALAR_MEMORY, _CONTAINER_MEMORY_RATE

    def to_plain(self, value: Any, room: Room) -> Any:
        if type(value) is not list:
            ill_typed(self.name, value)
        room.take(len(value))
        item = self.item.to_plain
        return [item(element, room) for element in value]

    def from_plain(self, plain: Any) -> Any:
        if type(plain) is not list:
            ill_typed(self.name, plain)
        item = self.item.from_plain
        return [item(element) for element in plain]

    def data(self) -> TypeData:
        return {"list": self.item.data()}


class DictType(ValueType):
    """A map from text, integers or organisations to values of one type."""

    __slots__ = ("depth", "key", "memory_base", "memory_rate", "name", "value")

    def __init__(self, key: ValueType, value: ValueType) -> None:
        self.key = key
        self.value = value
        self.name = f"dict[{key.name}, {value.name}]"
        self.depth = value.depth + 1
        self.memory_base, self.memory_rate = _SCALAR_MEMORY, _CONTAINER_MEMORY_RATE

    def to_plain(self, value: Any, room: Room) -> Any:
        if type(value) is not dict:
            ill_typed(self.name, value)
        # CON-100, COD-006
        if self.key is INT and len(value) > CODEC_INTEGER_KEYS_MAX:
            raise ContractStop(
                VALUE_TOO_LARGE, f"a dict with integers as keys has at most {CODEC_INTEGER_KEYS_MAX} entries outside of a contract"
            )
        room.take(2 * len(value))
        key_to_plain, value_to_plain = self.key.to_plain, self.value.to_plain
        return {key_to_plain(key, room): value_to_plain(element, room) for key, element in value.items()}

    def from_plain(self, plain: Any) -> Any:
        if type(plain) is not dict:
            ill_typed(self.name, plain)
        key_from_plain, value_from_plain = self.key.from_plain, self.value.from_plain
        return {key_from_plain(key): value_from_plain(element) for key, element in plain.items()}

    def data(self) -> TypeData:
        return {"dict": [self.key.data(), self.value.data()]}


class NoneType(ValueType):
    """The result of an action that returns nothing."""

    __slots__ = ()

    name = "None"
    depth = 0
    memory_base = 0
    memory_rate = 0

    def to_plain(self, value: Any, room: Room) -> Any:  # noqa: ARG002  # it has no content
        if value is not None:
            ill_typed("None", value)
        return None

    def from_plain(self, plain: Any) -> Any:
        return self.to_plain(plain, Room(0))


INT: Final = ScalarType(int)
STR: Final = ScalarType(str)
BYTES: Final = ScalarType(bytes)
BOOL: Final = ScalarType(bool)
ORG: Final = OrgType()
NONE: Final = NoneType()
_SCALARS: Final[dict[object, ValueType]] = {int: INT, str: STR, bytes: BYTES, bool: BOOL, Org: ORG}
_DICT_KEYS: Final = frozenset({int, str, Org})


def value_type(annotation: object) -> ValueType:
    """Return the type of an annotation.

    Raises:
        TypeError: the annotation is not of the closed list, or nests more than `VALUE_DEPTH_MAX` containers.
    """
    # CON-100
    found = _value_type(annotation)
    if found.depth > VALUE_DEPTH_MAX:
        raise TypeError(f"{found.name} nests more than {VALUE_DEPTH_MAX} containers")
    return found


def result_type(annotation: object) -> ValueType:
    """Return the type of a result: as `value_type`, or None."""
    return NONE if annotation is None or annotation is type(None) else value_type(annotation)


def _value_type(annotation: object) -> ValueType:
    try:
        scalar = _SCALARS.get(annotation)
    except TypeError:  # an unhashable object is no annotation
        scalar = None
    if scalar is not None:
        return scalar
    if isinstance(annotation, type):
        of_record = annotation.__dict__.get("_record_type")
        if of_record is not None:
            return typing.cast(ValueType, of_record)
        if issubclass(annotation, Choice) and annotation is not Choice:
            return ChoiceType(annotation)
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is list and len(arguments) == 1:
        return ListType(_value_type(arguments[0]))
    if origin is dict and len(arguments) == 2 and arguments[0] in _DICT_KEYS:
        return DictType(_value_type(arguments[0]), _value_type(arguments[1]))
    if origin in (types.UnionType, typing.Union) and len(arguments) == 2 and type(None) in arguments:
        return OptionalType(_value_type(arguments[0] if arguments[1] is type(None) else arguments[1]))
    raise TypeError(
        f"{annotation!r} is not a type of contracts: use int, str, bytes, bool, Org, a Choice, a Record, list[T], dict[str, T] or T | None"
    )
