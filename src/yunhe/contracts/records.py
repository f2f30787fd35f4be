"""Records and events: typed classes without behaviour, stored as maps from field name to value (COD-005, CON-100, CON-101).

A class body of annotated fields is all that an author writes. The class gets slots, a keyword constructor, equality and two generated
functions that check and convert values; they are written out as Python for each class, because half of a simple transaction's time is spent
there. Nothing of a class can be changed after it is made, and instances have exactly the declared fields.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, Final, NoReturn, cast, dataclass_transform

from yunhe.contracts import prices
from yunhe.contracts.codes import VALUE_TOO_LARGE
from yunhe.contracts.faults import ContractStop, Fault, IntegerOutOfRange
from yunhe.contracts.scalars import Choice, Org
from yunhe.contracts.value_types import (
    BOOL,
    BYTES,
    INT,
    ORG,
    STR,
    ChoiceType,
    Room,
    TypeData,
    ValueType,
    ill_typed,
    org,
    value_type,
)
from yunhe.limits import INTEGER_MAX, INTEGER_MIN, NAME_CHARS_MAX, RECORD_FIELDS_MAX

MISSING: Final = object()
"""The default of a field that has none."""


class RecordType(ValueType):
    """The type of one record or event class."""

    # The two conversions are functions of the instance, generated for its class: half of a simple transaction's time is spent in them.
    __slots__ = (
        "cls",
        "completion_gas",
        "defaults",
        "depth",
        "fields",
        "from_plain",
        "load_base",
        "load_rate",
        "memory_base",
        "memory_rate",
        "name",
        "to_plain",
    )

    to_plain: Callable[[Any, Room], Any]  # type: ignore[assignment]
    from_plain: Callable[[Any], Any]  # type: ignore[assignment]

    def __init__(self, name: str, fields: dict[str, ValueType], defaults: dict[str, Any]) -> None:
        self.name = name
        self.fields = fields
        """Type of each field, in the order of the class body."""
        self.defaults = defaults
        """Default of each field that has one; a list or dict is copied for each instance."""
        self.depth = 1 + max((field.depth for field in fields.values()), default=0)
        copied = [default for default in defaults.values() if type(default) in (list, dict)]
        self.memory_base = 64 + sum(field.memory_base for field in fields.values()) + sum(map(_copied_memory, copied))
        self.memory_rate = max((field.memory_rate for field in fields.values()), default=0)
        self.load_base = prices.LOAD_FIELD * len(fields)
        self.load_rate = prices.LOAD_NESTED_BYTE if self.depth > 1 else 0
        """Making an instance of an encoding costs `load_base + length * load_rate` gas."""
        self.completion_gas = prices.COMPLETION * len(defaults) + prices.COMPLETION_ELEMENT * sum(map(len, copied))
        """Gas to complete a stored record that lacks fields."""

    def bind(self, cls: type) -> None:
        """Generate the conversions for the class that was made of this type."""
        self.cls = cls
        namespace = _namespace(self)
        # S102: the text is made of field names, which are checked identifiers, and of nothing that an author writes.
        exec(compile(_to_plain_source(self) + _from_plain_source(self), f"<record {self.name}>", "exec"), namespace)  # noqa: S102
        self.to_plain = namespace["to_plain"]
        self.from_plain = namespace["from_plain"]

    def complete(self, plain: dict[str, Any]) -> dict[str, Any]:
        """Add the defaults of fields that a stored record lacks, because the contract was upgraded since (CON-101).

        Raises:
            Fault: a field without a default is missing, or a field is unknown.
        """
        # CON-101
        unknown = [key for key in plain if key not in self.fields]
        if unknown:
            raise Fault(f"{self.name} has no field {unknown[0]!r}")
        completed = dict(plain)
        for name, field in self.fields.items():
            if name not in completed:
                if name not in self.defaults:
                    raise Fault(f"{self.name}.{name} is missing")
                completed[name] = field.to_plain(self.defaults[name], Room(INTEGER_MAX))
        return completed

    def data(self) -> TypeData:
        return {"record": self.name}


def _copied_memory(default: list[Any] | dict[Any, Any]) -> int:
    """Return the memory of the elements of a default that an instance gets a copy of, beyond that of an empty one."""
    return len(default) * (8 if type(default) is list else 200)


def _namespace(record_type: RecordType) -> dict[str, Any]:
    """Return the names that the generated functions use; those of fields are `t<index>`."""
    namespace: dict[str, Any] = {
        "__builtins__": {
            "type": type,
            "isinstance": isinstance,
            "len": len,
            "str": str,
            "int": int,
            "bytes": bytes,
            "bool": bool,
            "dict": dict,
        },
        "KeyError": KeyError,
        "cls": record_type.cls,
        "new": record_type.cls.__new__,
        "Org": Org,
        "org": org,
        "bad": _bad_field,
        "ill_typed": ill_typed,
        "too_large": _too_large,
        "out_of_range": _out_of_range,
        "complete": record_type.complete,
    }
    for index, field in enumerate(record_type.fields.values()):
        namespace[f"t{index}"] = field
        namespace[f"to{index}"] = field.to_plain
        namespace[f"from{index}"] = field.from_plain
        if isinstance(field, ChoiceType):
            namespace[f"choice{index}"] = field.choice
            namespace[f"member{index}"] = field.members.get
    return namespace


def _to_plain_source(record_type: RecordType) -> str:
    name = record_type.name
    lines = ["def to_plain(record, room):", "    if type(record) is not cls:", f"        ill_typed({name!r}, record)"]
    sized = []
    for index, (field, kind) in enumerate(record_type.fields.items()):
        value = f"v{index}"
        lines.append(f"    {value} = record.{field}")
        test = _exact_test(kind, index, value)
        if test is None:
            lines.append(f"    {value} = to{index}({value}, room)")
            continue
        lines += [f"    if not {test}:", f"        bad({name!r}, {field!r}, t{index}, {value})"]
        if kind is INT:
            lines += [f"    if not {INTEGER_MIN} <= {value} <= {INTEGER_MAX}:", f"        out_of_range({name!r}, {field!r})"]
        if kind in (STR, BYTES):
            sized.append(f"len({value})")
    # CON-100: at the least each field takes its name, that name's head and a byte.
    sized.append(str(sum(len(field) + 2 for field in record_type.fields)))
    lines += [f"    room.left -= {' + '.join(sized)}", "    if room.left < 0:", f"        too_large({name!r})"]
    # In the order of the canonical encoding, so that the codec has nothing left to sort.
    order = sorted(enumerate(record_type.fields.items()), key=lambda item: (len(item[1][0]), item[1][0]))
    lines.append("    return {" + ", ".join(f"{field!r}: {_plain_scalar(kind, index)}" for index, (field, kind) in order) + "}")
    return "\n".join(lines) + "\n"


def _exact_test(kind: ValueType, index: int, value: str) -> str | None:
    """Return the expression that accepts a scalar of a contract, or None for other types."""
    if kind is STR:
        return f"isinstance({value}, str)"
    if kind is ORG:
        return f"type({value}) is Org"
    if kind in (INT, BYTES, BOOL):
        return f"type({value}) is {kind.name}"
    return f"type({value}) is choice{index}" if isinstance(kind, ChoiceType) else None


def _plain_scalar(kind: ValueType, index: int) -> str:
    """Return the expression of a converted field: an Org or Choice becomes the text that it is."""
    if kind is ORG:
        return f"str(v{index})"
    if kind is STR:
        return f"(v{index} if type(v{index}) is str else str(v{index}))"
    return f"v{index}._value_" if isinstance(kind, ChoiceType) else f"v{index}"


def _from_plain_source(record_type: RecordType) -> str:
    name, count = record_type.name, len(record_type.fields)
    lines = [
        "def from_plain(plain):",
        "    if type(plain) is not dict:",
        f"        ill_typed({name!r}, plain)",
        f"    if len(plain) != {count}:",
        "        plain = complete(plain)",
        "    record = new(cls)",
        "    try:",
    ]
    for index, (field, kind) in enumerate(record_type.fields.items()):
        value = f"plain[{field!r}]"
        if kind in (INT, STR, BYTES, BOOL):
            lines += [
                f"        v = {value}",
                f"        if type(v) is not {kind.name}:",
                f"            bad({name!r}, {field!r}, t{index}, v)",
                f"        record.{field} = v",
            ]
        elif isinstance(kind, ChoiceType):
            lines += [
                f"        v = {value}",
                f"        m = member{index}(v) if type(v) is str else None",
                "        if m is None:",
                f"            bad({name!r}, {field!r}, t{index}, v)",
                f"        record.{field} = m",
            ]
        else:
            lines.append(f"        record.{field} = from{index}({value})")
    # As many fields as declared and one of them missing: another one is unknown, and `complete` names it.
    lines += ["        return record", "    except KeyError:", "        complete(plain)", "        raise"]
    return "\n".join(lines) + "\n"


def _bad_field(record: str, field: str, expected: ValueType, found: object) -> NoReturn:
    ill_typed(expected.name, found, f"{record}.{field}: ")


def _too_large(record: str) -> NoReturn:
    raise ContractStop(VALUE_TOO_LARGE, f"{record} has too much content")


def _out_of_range(record: str, field: str) -> NoReturn:
    raise IntegerOutOfRange(f"{record}.{field} has 64 bits")


class _RecordMeta(type):
    """Makes a record class of annotated fields, and closes it."""

    _record_type: RecordType | None

    def __new__(mcs, name: str, bases: tuple[type, ...], namespace: dict[str, Any]) -> "_RecordMeta":
        if not bases or namespace.pop("_abstract", False):
            namespace.setdefault("__slots__", ())
            return super().__new__(mcs, name, bases, namespace)
        if len(bases) != 1 or not bases[0].__dict__.get("_is_base"):
            raise TypeError(f"{name} must extend Record or Event directly")
        annotations = namespace.get("__annotations__", {})
        fields = {field: _field_type(name, field, annotation) for field, annotation in annotations.items()}
        if not 1 <= len(fields) <= RECORD_FIELDS_MAX:
            raise TypeError(f"{name} must have 1 to {RECORD_FIELDS_MAX} fields")
        defaults = {field: _checked_default(name, field, fields[field], namespace[field]) for field in fields if field in namespace}
        for field in defaults:
            del namespace[field]
        record_type = RecordType(name, fields, defaults)
        namespace |= {
            "__slots__": tuple(fields),
            "__init__": _make_init(name, record_type),
            "__eq__": _make_equality(name, record_type),
            "_record_type": record_type,
        }
        cls = super().__new__(mcs, name, bases, namespace)
        record_type.bind(cls)
        return cls

    def __setattr__(cls, name: str, value: Any) -> None:
        # `dataclass_transform` and the interpreter mark classes so; a contract has no name that begins with an underscore.
        if not name.startswith("__"):
            raise AttributeError(f"{cls.__name__} is closed: {name} cannot be set")
        super().__setattr__(name, value)

    def __delattr__(cls, name: str) -> None:
        raise AttributeError(f"{cls.__name__} is closed: {name} cannot be deleted")


def _field_type(record: str, field: str, annotation: object) -> ValueType:
    if len(field) > NAME_CHARS_MAX or not (field.isascii() and field.isidentifier() and field.islower()) or field.startswith("_"):
        raise TypeError(f"{record}.{field}: a field's name is a-z, 0-9 and _, at most {NAME_CHARS_MAX} characters")
    try:
        return value_type(annotation)
    except TypeError as error:
        raise TypeError(f"{record}.{field}: {error}") from error


def _checked_default(record: str, field: str, kind: ValueType, default: Any) -> Any:
    """Return a default that is of its field's type; a list or dict may hold scalars only, so that one copy is deep enough."""
    # CON-106
    elements = default if type(default) is list else list(default.values()) if type(default) is dict else []
    if any(not isinstance(element, (int, str, bytes, Choice, type(None))) for element in elements):
        raise TypeError(f"{record}.{field}: a default list or dict holds scalars only")
    try:
        kind.to_plain(default, Room(INTEGER_MAX))
    except ContractStop as error:
        raise TypeError(f"{record}.{field}: the default does not fit: {error}") from error
    return default


def _make_init(name: str, record_type: RecordType) -> Any:
    """Write the constructor: keywords only, required ones checked by the interpreter, mutable defaults copied (CON-106)."""
    parameters, lines = [], []
    namespace: dict[str, Any] = {"__builtins__": {}, "MISSING": MISSING}
    for index, field in enumerate(record_type.fields):
        default = record_type.defaults.get(field, MISSING)
        if default is MISSING:
            parameters.append(field)
        elif type(default) in (list, dict):
            namespace[f"_d{index}"] = default.copy
            parameters.append(f"{field}=MISSING")
            lines.append(f"    if {field} is MISSING:\n        {field} = _d{index}()")
        else:
            namespace[f"_d{index}"] = default
            parameters.append(f"{field}=_d{index}")
        lines.append(f"    _self.{field} = {field}")
    source = f"def __init__(_self, *, {', '.join(parameters)}):\n" + "\n".join(lines)
    exec(compile(source, f"<record {name}>", "exec"), namespace)  # noqa: S102  # as in RecordType.bind
    return namespace["__init__"]


def _make_equality(name: str, record_type: RecordType) -> Any:
    """Write the comparison of all fields, in their order."""
    fields = " and ".join(f"_self.{field} == _other.{field}" for field in record_type.fields)
    source = f"def __eq__(_self, _other):\n    return type(_self) is type(_other) and {fields}"
    namespace: dict[str, Any] = {"__builtins__": {"type": type}}
    exec(compile(source, f"<record {name}>", "exec"), namespace)  # noqa: S102  # as in RecordType.bind
    return namespace["__eq__"]


class _Fields(metaclass=_RecordMeta):
    """What records and events share besides the equality that is written for each: a text for people."""

    __slots__ = ()
    _abstract = True

    if TYPE_CHECKING:
        _record_type: ClassVar[RecordType]

    # Records change, so they are no keys.
    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        fields = ", ".join(f"{field}={getattr(self, field, MISSING)!r}" for field in self._record_type.fields)
        return f"{type(self).__name__}({fields})"


@dataclass_transform(kw_only_default=True, eq_default=True)
class Record(_Fields):
    """Base of a type that tables store and values nest.

    ```python
    class Bill(Record):
        bill_id: str
        holder: Org
        endorsements: list[Endorsement] = []
    ```
    """

    __slots__ = ()
    _abstract = True
    _is_base = True


@dataclass_transform(kw_only_default=True, eq_default=True)
class Event(_Fields):
    """Base of a type that `emit` announces."""

    __slots__ = ()
    _abstract = True
    _is_base = True


def record_type(cls: type[Record] | type[Event]) -> RecordType:
    """Return the type of a record or event class."""
    return cast(RecordType, cls.__dict__["_record_type"])
