"""The machine that a contract runs on: state through overlays, events, gas, and the stack of contracts that called one another.

One machine serves one runner, transaction after transaction. Tables, `emit` and `call` do their work here, so a contract behaves the same
whether it was loaded metered by a node or imported plainly by pytest. It does no I/O of its own: what it reads comes from the state that it
was given. Specification: docs/spec/contracts.md, "API" and "Execution".
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, Protocol

from yunhe.contracts import prices
from yunhe.contracts.codes import BLOCK_SOURCES_USED_UP, CALL_DEPTH, REENTRANT_CALL, VALUE_TOO_LARGE, VIEW_WRITES
from yunhe.contracts.context import NOBODY, Context, Signer
from yunhe.contracts.faults import ContractStop, Fault, IntegerOutOfRange
from yunhe.contracts.meter import Meter
from yunhe.contracts.module import ContractModule
from yunhe.contracts.overlay import CommittedState, Overlay, Row
from yunhe.contracts.records import Event as EventBase
from yunhe.contracts.records import Record, RecordType, record_type
from yunhe.contracts.value_types import NONE, Room
from yunhe.errors import CorruptionError, ValueNotEncodableError
from yunhe.ledger.codec import Value, encode
from yunhe.ledger.interfaces import BlockContext, Event
from yunhe.ledger.state_keys import decode_state_key, prefix_end
from yunhe.limits import (
    BLOCK_SOURCE_BYTES_MAX,
    CONTRACT_CALL_DEPTH_MAX,
    EVENTS_MAX,
    INTEGER_MAX,
    INTEGER_MIN,
    RECEIPT_BYTES_MAX,
    RECORD_BYTES_MAX,
    VALUE_DEPTH_MAX,
)

_READ: Final = prices.READ
_READ_KNOWN: Final = prices.READ_KNOWN
_READ_BYTE: Final = prices.READ_BYTE
_WRITE: Final = prices.WRITE
_WRITE_BYTE: Final = prices.WRITE_BYTE
_WRITTEN_MEMORY: Final = prices.WRITTEN_MEMORY
_UNKNOWN: Final[Any] = object()
_FETCH_KEYS: Final = 256
"""Records asked for at once on the way from an index."""
_RECEIPT_HEAD_BYTES: Final = 1024
"""Room in a receipt for everything that is neither result nor event."""
_EVENT_HEAD_BYTES: Final = 128
"""Room in a receipt for an event's contract and name."""


class Watch(Protocol):
    """Someone who follows which records a contract loads and stores: the testing package, to find a forgotten `save`."""

    def loaded(self, table: str, kind: RecordType, record: Record, data: bytes) -> None:
        """A record was loaded from `data`."""
        ...

    def stored(self, record: Record, data: bytes) -> None:
        """A record was stored as `data`."""
        ...

    def discarded(self, record: Record) -> None:
        """Changes to a record are not meant to be stored."""
        ...


class Machine:
    """State, events and call stack of the transaction that runs."""

    __slots__ = (
        "_block_lengths",
        "_block_written",
        "_committed",
        "_committed_many",
        "_known",
        "_lengths",
        "_receipt_left",
        "_sources",
        "_sources_left",
        "_written",
        "block",
        "blocks",
        "codes",
        "contract",
        "events",
        "meter",
        "modules",
        "read_only",
        "room",
        "signers",
        "stack",
        "watch",
        "writes",
    )

    def __init__(self, modules: Callable[[str, bool], ContractModule], codes: Callable[[str, bytes], ContractModule]) -> None:
        """Make a machine.

        Args:
            modules: returns the contract of a name, to be run as an action or (True) only asked; raises `ContractStop` where it cannot be.
            codes: returns the contract of a name and a code hash, for the rebuilding of its indexes.
        """
        self.modules = modules
        self.codes = codes
        self.meter = Meter()
        self.room = Room(0)
        self.watch: Watch | None = None

    # --- Blocks and transactions ------------------------------------------------------------------------------------

    def begin_block(self, context: BlockContext, state: CommittedState) -> None:
        """Begin a block on top of a state."""
        self.block = context
        self.blocks = Overlay(state)
        """What the transactions of this block wrote."""
        self._block_written = self.blocks.values
        self._committed = state.get
        self._committed_many = state.get_many
        self._block_lengths: dict[bytes, int] = {}
        """Lengths of logs as the transactions of this block left them: what a scan would find, sooner."""
        self._sources_left = BLOCK_SOURCE_BYTES_MAX
        """Bytes of sources that the block can still check."""

    def begin_transaction(self, gas_limit: int, signers: tuple[Signer, ...], *, read_only: bool = False) -> None:
        """Begin a transaction, or a query."""
        self.meter.start(gas_limit)
        self.writes = Overlay(self.blocks)
        """What this transaction wrote."""
        self._written = self.writes.values
        self._known: dict[bytes, bool] = {}
        """State keys that were read, and whether they held a record."""
        self._lengths: dict[bytes, int] = {}
        self._sources: set[tuple[str, bytes]] = set()
        """Names and code hashes of the contracts whose code this transaction has looked into."""
        self.signers = signers
        self.events: list[Event] = []
        self.stack: list[str] = []
        self.contract = ""
        self.read_only = read_only
        self._receipt_left = RECEIPT_BYTES_MAX - _RECEIPT_HEAD_BYTES

    def merge_transaction(self) -> None:
        """Let the transaction's writes take effect for what follows in the block."""
        self.writes.merge_down()
        self._block_lengths |= self._lengths

    def take_source(self, size: int, code: tuple[str, bytes] | None = None) -> None:
        """Count a source that is going to be checked, or the code of a contract that a transaction looks into, by name and hash: that once.

        Checking takes far more time than its gas says, so that the largest source fits into the lowest gas limit: the block bounds it.

        Raises:
            ContractStop: the block has no room for it.
        """
        # CON-132
        if code in self._sources:
            return
        if size > self._sources_left:
            raise ContractStop(BLOCK_SOURCES_USED_UP, "the block has checked as much contract source as it can; send it again")
        self._sources_left -= size
        if code is not None:
            self._sources.add(code)

    # --- State ------------------------------------------------------------------------------------------------------
    # Half of a simple transaction's time is spent from here to `emit`, so these are written out rather than divided.

    def look(self, key: bytes) -> bytes | None:
        """Return a record as the transaction sees it; for the runtime itself, which pays nothing."""
        data: bytes | None = self._written.get(key, _UNKNOWN)
        if data is _UNKNOWN:
            data = self._block_written.get(key, _UNKNOWN)
            if data is _UNKNOWN:
                return self._committed(key)
        return data

    def read(self, key: bytes) -> bytes | None:
        """Return a record as the transaction sees it; the first look at a key costs more than the next ones."""
        meter = self.meter
        written, known = self._written, self._known
        meter.left -= _READ_KNOWN if key in known or key in written else _READ
        if meter.left < 0:
            meter.stop()
        data: bytes | None = written.get(key, _UNKNOWN)
        if data is _UNKNOWN:
            data = self._block_written.get(key, _UNKNOWN)
            if data is _UNKNOWN:
                data = self._committed(key)
            known[key] = data is not None
        if data is not None:
            meter.left -= len(data) * _READ_BYTE
        return data

    def exists(self, key: bytes) -> bool:
        """Tell whether there is a record; free where the transaction knows it already."""
        if key in self._written:
            return self._written[key] is not None
        known = self._known.get(key)
        return self.read(key) is not None if known is None else known

    def recall(self, key: bytes) -> bytes | None:
        """Return a record that the transaction knows to be there or not; its bytes are paid for, finding it was."""
        data = self.look(key) if self.exists(key) else None
        if data is not None:
            self.meter.charge(len(data) * prices.READ_BYTE)
        return data

    def fetch(self, keys: Sequence[bytes]) -> Iterator[bytes]:
        """Yield the records at keys that an index named; many are asked for at once, which costs less than one by one.

        Raises:
            CorruptionError: one is missing, so the index is not that of its table.
        """
        for start in range(0, len(keys), _FETCH_KEYS):
            page = keys[start : start + _FETCH_KEYS]
            self.meter.charge(prices.READ + len(page) * prices.FETCH)
            below = [key for key in page if key not in self._written and key not in self._block_written]
            committed = dict(zip(below, self._committed_many(below), strict=True))
            for key in page:
                data = committed[key] if key in committed else self.look(key)
                if data is None:
                    raise CorruptionError("a row of an index names a record that is not there; run `yunhe node check`")
                self.meter.charge(len(data) * prices.READ_BYTE)
                self._known[key] = True
                yield data

    def store(self, key: bytes, to_plain: Callable[[Any, Room], Any], value: Any) -> bytes:
        """Check, encode and write a value; return the encoding.

        Raises:
            ContractStop: it is ill-typed or too large, or a view may not write.
        """
        data = self.encoded(self.plain(to_plain, value))
        self.write(key, data)
        return data

    def write(self, key: bytes, data: bytes | None) -> None:
        """Write a record, or delete it with None."""
        # CON-111
        if self.read_only:
            raise ContractStop(VIEW_WRITES, "a view cannot write")
        # CON-121
        size = len(key) if data is None else len(key) + len(data)
        meter = self.meter
        meter.left -= _WRITE + size * _WRITE_BYTE
        meter.memory -= _WRITTEN_MEMORY + size
        if meter.left < 0 or meter.memory < 0:
            meter.stop()
        written = self._written
        if key not in written:
            self.writes.added.append(key)
        written[key] = data

    def scan(self, start: bytes, end: bytes, rows_hint: int, *, reverse: bool) -> Iterator[tuple[bytes, bytes]]:
        """Yield the records of a range, in order; each row met is paid for before it is used (CON-105, CON-121)."""
        self.meter.charge(prices.SCAN)
        key: bytes
        row: Row
        for row in self.writes.rows(start, end, rows_hint, reverse=reverse):
            key, data = row
            if data is None:
                self.meter.charge(prices.SCAN_ROW)
                continue
            self.meter.charge(prices.SCAN_ROW + len(data) * prices.READ_BYTE)
            self._known[key] = True
            yield key, data

    def log_length(self, prefix: bytes) -> int:
        """Return the length of the log whose state keys begin with `prefix`: one more than its last position (CON-117).

        It costs what the scan costs, whether it is known already or not.
        """
        self.meter.charge(prices.SCAN + prices.SCAN_ROW)
        length = self._lengths.get(prefix, self._block_lengths.get(prefix))
        if length is None:
            rows = self.writes.rows(prefix, prefix_end(prefix), 1, reverse=True)
            last = next((key for key, data in rows if data is not None), None)
            position = -1 if last is None else decode_state_key(last)[2][-1]
            if type(position) is not int or position < -1:
                raise Fault("what lies in the place of a log was another kind of state before")
            length = self._lengths[prefix] = position + 1
        return length

    def log_grew(self, prefix: bytes, length: int) -> None:
        """Take note of a log's new length."""
        self._lengths[prefix] = length

    def forget_lengths(self) -> None:
        """Forget lengths of logs, because a contract was changed and may have other state in their place."""
        self._lengths.clear()
        self._block_lengths.clear()

    # --- Values -----------------------------------------------------------------------------------------------------

    def plain(self, to_plain: Callable[[Any, Room], Any], value: Any) -> Any:
        """Check a value by its type's `to_plain` and return it as the codec takes it; bounded by the size of a record."""
        room = self.room
        room.left = RECORD_BYTES_MAX
        try:
            return to_plain(value, room)
        except ContractStop as stop:
            # Walking up to the bound is work: a value that was too large is paid for as if it had just fitted.
            if stop.code == VALUE_TOO_LARGE:
                self.meter.charge(RECORD_BYTES_MAX * prices.WRITE_BYTE)
            raise

    def encoded(self, plain: object) -> bytes:
        """Encode a plain value.

        Raises:
            Fault: text that is not Unicode.
            ContractStop: over `RECORD_BYTES_MAX`.
        """
        try:
            data = encode(plain)
        except ValueNotEncodableError as error:
            raise Fault(str(error)) from error
        if len(data) > RECORD_BYTES_MAX:
            self.meter.charge(len(data) * prices.WRITE_BYTE)
            raise ContractStop(VALUE_TOO_LARGE, f"{len(data)} bytes are over the limit of {RECORD_BYTES_MAX}")
        return data

    # --- Events -----------------------------------------------------------------------------------------------------

    def emit(self, event: object) -> None:
        """Announce an event (CON-107)."""
        # CON-111
        if self.read_only:
            raise ContractStop(VIEW_WRITES, "a view cannot emit")
        if not isinstance(event, EventBase):
            raise Fault("emit takes an Event")
        # CON-107
        if len(self.events) == EVENTS_MAX:
            raise ContractStop(VALUE_TOO_LARGE, f"a transaction has at most {EVENTS_MAX} events")
        plain = self.plain(record_type(type(event)).to_plain, event)
        size = len(self.encoded(plain))
        meter = self.meter
        meter.left -= prices.EVENT + size * prices.EVENT_BYTE
        meter.memory -= size + _WRITTEN_MEMORY
        if meter.left < 0 or meter.memory < 0:
            meter.stop()
        self._take_receipt(size + _EVENT_HEAD_BYTES)
        self.events.append(Event(self.contract, type(event).__name__, plain))

    def _take_receipt(self, size: int) -> None:
        self._receipt_left -= size
        if self._receipt_left < 0:
            raise ContractStop(VALUE_TOO_LARGE, "events and results are too large for a receipt")

    # --- Calls ------------------------------------------------------------------------------------------------------

    def run(self, contract: str, name: str, arguments: Mapping[str, Value], *, view: bool) -> Value:
        """Run an action, or a view, of a contract on top of the stack and return its result.

        Raises:
            ContractStop: it was refused or failed; the whole transaction ends.
        """
        meter = self.meter
        meter.charge(prices.CALL)
        stack = self.stack
        # CON-112
        if contract in stack:
            raise ContractStop(REENTRANT_CALL, f"{contract} is running already")
        if len(stack) == CONTRACT_CALL_DEPTH_MAX:
            raise ContractStop(CALL_DEPTH, f"contracts call contracts at most {CONTRACT_CALL_DEPTH_MAX} deep")
        # CON-111
        if self.read_only and not view:
            raise ContractStop(VIEW_WRITES, "a view cannot call an action")
        module = self.modules(contract, view)
        entry = module.entry(name, view=view)
        values = entry.take(arguments)
        caller, outer_read_only = self.contract, self.read_only
        stack.append(contract)
        self.contract = contract
        self.read_only = view or outer_read_only
        sender = self.signers[0].organisation if self.signers else NOBODY
        ctx = Context(sender, self.signers, caller or None, contract, self.block.time_ms, self.block.height)
        returned = entry.function(ctx, **values)
        # CON-125: nothing that ran can have hidden that gas or memory is spent.
        if meter.left < 0 or meter.memory < 0:
            meter.stop()
        result: Value = None
        if returned is not None or entry.result is not NONE:
            result = self.plain(entry.result.to_plain, returned)
            size = len(self.encoded(result))
            meter.charge(size * prices.RESULT_BYTE)
            if caller:
                # CON-124
                meter.hold(size * prices.RESULT_BYTE_MEMORY)
            elif not self.read_only:
                self._take_receipt(size)
        # After a failure nothing is put back: the transaction is over, and the next one begins afresh.
        stack.pop()
        self.contract, self.read_only = caller, outer_read_only
        return result

    def migrate(self, module: ContractModule) -> None:
        """Run the migration of a contract's new code, if it has one, for the contract that runs now (SYS-026).

        Raises:
            ContractStop: it was refused or failed; the whole transaction ends.
        """
        entry = module.migration
        if entry is None:
            return
        self.meter.charge(prices.CALL)
        # CON-112
        if module.name in self.stack:
            raise ContractStop(REENTRANT_CALL, f"{module.name} is running already")
        caller = self.contract
        self.stack.append(module.name)
        self.contract = module.name
        sender = self.signers[0].organisation if self.signers else NOBODY
        entry.function(Context(sender, self.signers, caller, module.name, self.block.time_ms, self.block.height))
        # CON-125
        if self.meter.left < 0 or self.meter.memory < 0:
            self.meter.stop()
        self.stack.pop()
        self.contract = caller

    def call(self, contract: object, name: object, arguments: Mapping[str, Any], *, view: bool) -> Any:
        """Run an action or view of another contract for the contract that runs now (CON-112)."""
        if not isinstance(contract, str) or not isinstance(name, str):
            raise Fault("call takes the names of a contract and of its action")
        plain = self.plain(_plain_arguments, arguments)
        handed = RECORD_BYTES_MAX - self.room.left
        self.meter.charge(handed * prices.PLAIN_BYTE)
        self.meter.hold(handed * prices.TRANSACTION_BYTE_MEMORY)
        return self.run(str(contract), str(name), plain, view=view)


def _plain_arguments(arguments: Mapping[str, Any], room: Room) -> dict[str, Any]:
    return {name: _plain_argument(value, room, VALUE_DEPTH_MAX) for name, value in arguments.items()}


def _plain_argument(value: Any, room: Room, depth: int) -> Any:
    """Return a new plain copy of any value, so that two contracts never share what can change."""
    kind = type(value)
    room.take(8)
    if value is None or kind is bool:
        return value
    if kind is int:
        if not INTEGER_MIN <= value <= INTEGER_MAX:
            raise IntegerOutOfRange("an integer that is handed over has 64 bits")
        return value
    if isinstance(value, str):
        room.take(len(value))
        return str(value)
    if kind is bytes:
        room.take(len(value))
        return value
    if depth == 0:
        raise Fault(f"an argument nests more than {VALUE_DEPTH_MAX} containers")
    if kind is list:
        return [_plain_argument(item, room, depth - 1) for item in value]
    if kind is dict:
        return {_plain_key(key, room): _plain_argument(item, room, depth - 1) for key, item in value.items()}
    if isinstance(value, Record):
        of_record = record_type(kind)
        room.take(8 * len(of_record.fields))
        return of_record.to_plain(value, room)
    raise Fault(f"{kind.__name__} cannot be handed to another contract")


def _plain_key(key: Any, room: Room) -> str | int:
    if isinstance(key, str):
        room.take(len(key))
        return str(key)
    if type(key) is not int:
        raise Fault("a key of a dict that is handed to another contract is text or an integer")
    return key
