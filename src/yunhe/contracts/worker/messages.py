"""Private messages between a node and its contract worker, over a socket that only the two have.

A message is four bytes of length and msgpack of one of the shapes below, checked on arrival: plain data, so nothing that a worker sends can
make the node do more than refuse it (CON-084). Values of contracts travel as canonical CBOR. Both ends are of one installation, so the
format has no versions; the worker's first message says so. Specification: docs/spec/contracts.md, "Worker".
"""

import socket
from typing import Final, TypeAlias, cast

import msgspec

from yunhe.errors import UnavailableError
from yunhe.limits import WORKER_MESSAGE_BYTES_MAX

_LENGTH_BYTES: Final = 4
_SMALL_BYTES: Final = 4096
"""Asked for at first."""


class MessageError(UnavailableError):
    """What arrived is no message of these, or the other end is gone; between node and worker only."""


class Hello(msgspec.Struct, tag="hello", array_like=True, frozen=True):
    """From the worker, once: it is in its jail and ready."""

    python: str
    """Version of CPython, major and minor."""
    version: str
    """Version of Yunhe."""
    protections: dict[str, bool]


class Execute(msgspec.Struct, tag="execute", array_like=True, frozen=True):
    """To the worker: run a block."""

    height: int
    time_ms: int
    follows: bool
    """Whether the block stands on the one that this worker executed last."""
    transactions: list[bytes]


class AskView(msgspec.Struct, tag="view", array_like=True, frozen=True):
    """To the worker: run a view."""

    height: int
    time_ms: int
    follows: bool
    """Whether the state is the one that this worker saw last."""
    contract: str
    view: str
    arguments: bytes
    """Canonical map."""


class Get(msgspec.Struct, tag="get", array_like=True, frozen=True):
    """From the worker: records by key. The answer may be shorter than the list, never empty."""

    keys: list[bytes]


class Records(msgspec.Struct, tag="records", array_like=True, frozen=True):
    """To the worker: the first records that were asked for."""

    records: list[bytes | None]


class Scan(msgspec.Struct, tag="scan", array_like=True, frozen=True):
    """From the worker: records of a range."""

    start: bytes
    end: bytes
    limit: int
    reverse: bool


class Rows(msgspec.Struct, tag="rows", array_like=True, frozen=True):
    """To the worker: keys and records of a range, in order."""

    rows: list[tuple[bytes, bytes]]


class Result(msgspec.Struct, array_like=True, frozen=True):
    """What one transaction did."""

    code: str
    call_index: int
    gas_used: int
    content: bytes
    """Canonical [results, events]; empty when there are none of either."""


class Done(msgspec.Struct, tag="done", array_like=True, frozen=True):
    """From the worker: the block was run."""

    results: list[Result]
    writes: list[tuple[bytes, bytes | None]]
    faults: dict[int, str]
    """For people: what lay behind faults of contracts, by the transaction's index."""


class Viewed(msgspec.Struct, tag="viewed", array_like=True, frozen=True):
    """From the worker: a view's result, canonical."""

    result: bytes


class Refused(msgspec.Struct, tag="refused", array_like=True, frozen=True):
    """From the worker: the contract refused a view, or could not run it."""

    code: str
    message: str


class Failed(msgspec.Struct, tag="failed", array_like=True, frozen=True):
    """From the worker, as its last message: it cannot go on, for a local reason."""

    reason: str
    corrupt: bool
    """Whether the state that it was given is not one that a ledger can have."""


ToWorker: TypeAlias = Execute | AskView | Records | Rows
FromWorker: TypeAlias = Hello | Get | Scan | Done | Viewed | Refused | Failed

_ENCODER: Final = msgspec.msgpack.Encoder()
_TO_WORKER: Final = msgspec.msgpack.Decoder(ToWorker)
_FROM_WORKER: Final = msgspec.msgpack.Decoder(FromWorker)


def send(end: socket.socket, message: ToWorker | FromWorker) -> None:
    """Send a message.

    Raises:
        UnavailableError: the message is larger than one may be.
        MessageError: the other end is gone.
        TimeoutError: the socket's time-out passed.
    """
    body = _ENCODER.encode(message)
    # CON-084
    if len(body) > WORKER_MESSAGE_BYTES_MAX:
        raise UnavailableError(f"a message of {len(body)} bytes between node and contract worker is over WORKER_MESSAGE_BYTES_MAX")
    try:
        end.sendall(len(body).to_bytes(_LENGTH_BYTES, "big") + body)
    except TimeoutError:
        raise
    except OSError as error:
        raise MessageError("the other end is gone") from error


def receive_from_worker(end: socket.socket) -> FromWorker:
    """Wait for a message of the worker.

    Raises:
        MessageError: it is none, or the worker is gone.
        TimeoutError: the socket's time-out passed.
    """
    try:
        return cast(FromWorker, _FROM_WORKER.decode(_receive(end)))
    except (msgspec.DecodeError, RecursionError) as error:
        raise MessageError("the worker sent something that is no message") from error


def receive_from_node(end: socket.socket) -> ToWorker:
    """Wait for a message of the node.

    Raises:
        MessageError: it is none, or the node is gone.
    """
    try:
        return cast(ToWorker, _TO_WORKER.decode(_receive(end)))
    except msgspec.DecodeError as error:
        raise MessageError("the node sent something that is no message") from error


def _receive(end: socket.socket) -> bytes | bytearray:
    # Most messages are small and come whole, in one call; nobody sends a second before the first was answered.
    data = _part(end, _SMALL_BYTES)
    while len(data) < _LENGTH_BYTES:
        data += _part(end, _LENGTH_BYTES - len(data))
    length = int.from_bytes(data[:_LENGTH_BYTES], "big")
    # CON-084
    if length > WORKER_MESSAGE_BYTES_MAX:
        raise MessageError(f"a message of {length} bytes is announced, over WORKER_MESSAGE_BYTES_MAX")
    missing = length + _LENGTH_BYTES - len(data)
    if missing < 0:
        raise MessageError("a message came before the last one was answered")
    if missing == 0:
        return data[_LENGTH_BYTES:]
    # Room is made for what arrives, not for what is announced.
    body = bytearray(data[_LENGTH_BYTES:])
    while len(body) < length:
        body += _part(end, min(length - len(body), 1 << 20))
    return body


def _part(end: socket.socket, bytes_max: int) -> bytes:
    try:
        part = end.recv(bytes_max)
    except TimeoutError:
        raise
    except OSError as error:
        raise MessageError("the other end is gone") from error
    if not part:
        raise MessageError("the other end is gone")
    return part
