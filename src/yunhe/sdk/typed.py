"""What generated clients are made of: values of a contract from and to what a node takes and answers, and readers of its state.

`yunhe contract interface NAME --client FILE.py` writes a module of dataclasses, enumerations and classes that use these. A reader trusts
what the node says, as `Client` does.
"""

import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, Generic, TypeAlias, TypeVar, TypeVarTuple

from yunhe.errors import BadAnswerError, MalformedError, RecordNotFoundError
from yunhe.ledger.codec import Value
from yunhe.ledger.transaction import Call
from yunhe.sdk.answers import Submitted
from yunhe.sdk.client import Client
from yunhe.sdk.key_files import MemberKey

T = TypeVar("T")
K = TypeVar("K", int, str)
S = TypeVar("S", bound=StrEnum)
E = TypeVar("E")
Ks = TypeVarTuple("Ks")

Signers: TypeAlias = MemberKey | Sequence[MemberKey]
"""The keys of all signers; the first is the sender."""

GAS_LIMIT: Final = 20_000_000


# --- Values ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Kind(Generic[T]):
    """A type of a contract: how its values are sent, and how an answer is read."""

    name: str
    send: Callable[[T], Value]
    read: Callable[[Any], T]
    """Raises `BadAnswerError` where a node's answer is not of this type."""


def _bad(name: str, answer: object) -> BadAnswerError:
    return BadAnswerError(f"the node answered {answer!r} where the contract has {name}; make the client again from what is deployed")


def _same(name: str, python_type: type[T]) -> Kind[T]:
    def send(value: T) -> Value:
        # Texts may be members of an enumeration; a bool is no integer.
        if not isinstance(value, python_type) or (python_type is int and isinstance(value, bool)):
            raise MalformedError(f"{name} was expected, not {type(value).__name__}")
        return str(value) if isinstance(value, str) else typing.cast("Value", value)

    def read(answer: Any) -> T:  # noqa: ANN401  # an answer can be anything
        if type(answer) is not python_type:
            raise _bad(name, answer)
        return answer

    return Kind(name, send, read)


def _read_bytes(answer: Any) -> bytes:  # noqa: ANN401  # an answer can be anything
    try:
        if isinstance(answer, str) and answer.startswith("0x"):
            return bytes.fromhex(answer[2:])
    except ValueError as error:
        raise _bad("bytes", answer) from error
    raise _bad("bytes", answer)


def _read_none(answer: Any) -> None:  # noqa: ANN401  # an answer can be anything
    if answer is not None:
        raise _bad("None", answer)


BOOL: Final = _same("bool", bool)
BYTES: Final[Kind[bytes]] = Kind("bytes", _same("bytes", bytes).send, _read_bytes)
INT: Final = _same("int", int)
NONE: Final[Kind[None]] = Kind("None", lambda _: None, _read_none)
STR: Final = _same("str", str)
ORG: Final = STR
"""An organisation, by its name."""


def list_of(item: Kind[T]) -> Kind[list[T]]:
    """Return the kind of lists of one kind."""
    name = f"list[{item.name}]"

    def read(answer: Any) -> list[T]:  # noqa: ANN401  # an answer can be anything
        if not isinstance(answer, list):
            raise _bad(name, answer)
        return [item.read(element) for element in answer]

    return Kind(name, lambda value: [item.send(element) for element in value], read)


def dict_of(key: Kind[K], value: Kind[T]) -> Kind[dict[K, T]]:
    """Return the kind of maps from integers or text to values of one kind; JSON has keys of text alone."""
    name = f"dict[{key.name}, {value.name}]"

    def read(answer: Any) -> dict[K, T]:  # noqa: ANN401  # an answer can be anything
        if not isinstance(answer, dict):
            raise _bad(name, answer)
        try:
            return {key.read(int(k) if key.name == "int" else k): value.read(element) for k, element in answer.items()}
        except ValueError as error:
            raise _bad(name, answer) from error

    return Kind(name, lambda sent: {k: value.send(element) for k, element in sent.items()}, read)


def optional(item: Kind[T]) -> Kind[T | None]:
    """Return the kind of a value or None."""
    return Kind(
        f"{item.name} | None",
        lambda value: None if value is None else item.send(value),
        lambda answer: None if answer is None else item.read(answer),
    )


def choice(choices: type[S]) -> Kind[S]:
    """Return the kind of a choice."""

    def read(answer: Any) -> S:  # noqa: ANN401  # an answer can be anything
        try:
            return choices(answer)
        except ValueError as error:
            raise _bad(choices.__name__, answer) from error

    return Kind(choices.__name__, str, read)


def record(made: type[T], fields: Mapping[str, Kind[Any]], defaults: Mapping[str, Callable[[], Any]] | None = None) -> Kind[T]:
    """Return the kind of a record or event.

    Args:
        made: its dataclass.
        fields: the kind of each field.
        defaults: makes the value of a field that a row lacks, because it was stored before an upgrade added the field.
    """
    name = made.__name__
    absent = defaults or {}

    def read(answer: Any) -> T:  # noqa: ANN401  # an answer can be anything
        if not isinstance(answer, dict) or not answer.keys() <= fields.keys():
            raise _bad(name, answer)
        missing = fields.keys() - answer.keys()
        if not missing <= absent.keys():
            raise _bad(name, answer)
        values = {field: kind.read(answer[field]) for field, kind in fields.items() if field in answer}
        return made(**values, **{field: absent[field]() for field in missing})

    return Kind(name, lambda value: {field: kind.send(getattr(value, field)) for field, kind in fields.items()}, read)


# --- What is called and asked -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OtherEvent:
    """An event of another contract, or one that the client was not made for."""

    contract: str
    name: str
    fields: dict[str, Any]
    """As JSON shows them."""


@dataclass(frozen=True, slots=True)
class Committed(Generic[T, E]):
    """An action that took effect."""

    result: T
    events: tuple[E | OtherEvent, ...]
    """In the order in which they were announced."""
    transaction_id: bytes
    height: int
    """Of its block."""
    time_ms: int
    """Of its block."""
    gas_used: int


@dataclass(frozen=True, slots=True)
class Placed(Generic[E]):
    """An event with its place in the ledger."""

    id: str
    """What `after` takes, to go on from here."""
    height: int
    time_ms: int
    transaction_id: bytes
    event: E | OtherEvent


@dataclass(frozen=True, slots=True)
class Deployed(Generic[E]):
    """A deployed contract, through a client of a node."""

    client: Client
    contract: str
    events: Mapping[str, Kind[Any]]
    """Its events by name."""
    gas_limit: int = GAS_LIMIT
    """Bound of work and memory of each action."""

    def act(self, signers: Signers, action: str, arguments: Mapping[str, Value], result: Kind[T]) -> Committed[T, E]:
        """Call an action in a transaction of its own, and wait until it is committed.

        Raises:
            TransactionRefusedError: the contract refused it; the error has the code as `receipt_code`.
            YunheError: it was refused before it had a receipt.
        """
        keys = [signers] if isinstance(signers, MemberKey) else list(signers)
        transaction = self.client.build(keys, [Call(self.contract, action, dict(arguments))], gas_limit=self.gas_limit)
        submitted = self.client.require_ok(self.client.submit(transaction), self.contract, action)
        return self._committed(submitted, result)

    def ask(self, view: str, arguments: Mapping[str, Value], result: Kind[T]) -> T:
        """Ask a view.

        Raises:
            ViewRefusedError: the contract refused it; the error has the code as `refusal`.
        """
        return result.read(self.client.view(self.contract, view, **arguments))

    def announced(self, *, from_height: int = 0, after: str | None = None, limit: int | None = None) -> Iterator[Placed[E]]:
        """Yield the events that are in the ledger, in its order; the arguments are those of `Client.events`."""
        for row in self.client.events(self.contract, from_height=from_height, after=after, limit=limit):
            yield self._placed(row)

    def follow(self, *, from_height: int | None = None, after: str | None = None) -> Iterator[Placed[E]]:
        """Yield events for ever, those to come included; the arguments are those of `Client.follow`."""
        for row in self.client.follow(self.contract, from_height=from_height, after=after):
            yield self._placed(row)

    def _committed(self, submitted: Submitted, result: Kind[T]) -> Committed[T, E]:
        receipt = submitted.receipt
        if receipt is None or submitted.height is None or submitted.time_ms is None:
            raise BadAnswerError("the node answered a committed transaction without its place and receipt")
        return Committed(
            result.read(receipt["results"][0]),
            tuple(self._event(event) for event in receipt["events"]),
            submitted.transaction_id,
            submitted.height,
            submitted.time_ms,
            receipt["gas_used"],
        )

    def _placed(self, row: Mapping[str, Any]) -> Placed[E]:
        return Placed(row["id"], row["height"], row["time_ms"], bytes.fromhex(row["transaction_id"]), self._event(row))

    def _event(self, row: Mapping[str, Any]) -> E | OtherEvent:
        kind = self.events.get(row["name"]) if row["contract"] == self.contract else None
        if kind is not None:
            try:
                return typing.cast("E", kind.read(row["fields"]))
            except BadAnswerError:
                # The contract announced it before or after the client was made; what was announced is handed on as it is.
                pass
        return OtherEvent(row["contract"], row["name"], dict(row["fields"]))


# --- What is stored -------------------------------------------------------------------------------------------------


class Rows(Generic[T, *Ks]):
    """Rows of a table, or values of a map, by key."""

    def __init__(self, deployed: Deployed[Any], name: str, value: Kind[T], key: Sequence[Kind[Any]], field: str | None = None) -> None:
        """Make a reader.

        Args:
            deployed: the contract.
            name: of the table.
            value: kind of the rows.
            key: kind of each part of the key.
            field: the field that a row's value is in; None where the row is the value.
        """
        self._deployed, self._name, self._value, self._key, self._field = deployed, name, value, key, field

    def get(self, *key: *Ks) -> T | None:
        """Return the row of a key as of the last block, or None."""
        try:
            row = self._deployed.client.record(self._deployed.contract, self._name, self._sent(key))
        except RecordNotFoundError:
            return None
        return self._read(row)

    def scan(self, *prefix: Any, limit: int = 1000, reverse: bool = False) -> Iterator[T]:  # noqa: ANN401  # the first parts of a key
        """Yield rows in the order of their keys.

        Args:
            *prefix: the first parts of the keys, in their order.
            limit: how many at most.
            reverse: whether the last comes first.
        """
        rows = self._deployed.client.records(self._deployed.contract, self._name, self._sent(prefix), limit=limit, reverse=reverse)
        for row in rows:
            yield self._read(row)

    def _sent(self, key: tuple[Any, ...]) -> list[str | int | bytes]:
        if len(key) > len(self._key):
            raise MalformedError(f"a key of {self._name} has {len(self._key)} parts, not {len(key)}")
        return [typing.cast("str | int | bytes", kind.send(part)) for kind, part in zip(self._key, key, strict=False)]

    def _read(self, row: Mapping[str, Any]) -> T:
        fields = row["fields"]
        return self._value.read(fields if self._field is None else fields[self._field])
