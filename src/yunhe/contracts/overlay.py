"""Uncommitted writes over a state: of a transaction over those of its block, of a block over the committed state.

Reading one record is a look-up; scanning merges the written keys, in order, with the rows below. The keys are kept in short ordered runs
and put in order only when something scans, so a block that never scans pays nothing, and no pattern of writes and scans costs more than its
gas says (CON-140).
"""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator
from itertools import islice
from typing import Final

from yunhe.ledger.interfaces import StateReader, Write
from yunhe.limits import WORKER_ASKED_ROWS_MAX

Row = tuple[bytes, bytes | None]
"""A state key and its record; None where an overlay deleted it."""

_RUN_MAX: Final = 512
"""Keys of an ordered run before it is cut in two."""
_PAGE_ROWS: Final = WORKER_ASKED_ROWS_MAX
"""Rows fetched from a state at once, after a first page of what the scan asks for."""


class OrderedKeys:
    """A set of byte strings that is only added to and can be walked in order from anywhere."""

    __slots__ = ("_pending", "_runs", "_starts")

    def __init__(self) -> None:
        self._runs: list[list[bytes]] = []
        self._starts: list[bytes] = []
        self._pending: list[bytes] = []

    def add_all(self, keys: list[bytes]) -> None:
        """Add keys that are not there yet."""
        self._pending += keys

    def walk(self, start: bytes, end: bytes, *, reverse: bool) -> Iterator[bytes]:
        """Yield the keys with start <= key < end; nothing may be added meanwhile."""
        if self._pending:
            self._settle()
        return self._walk_down(start, end) if reverse else self._walk_up(start, end)

    def _settle(self) -> None:
        pending, self._pending = self._pending, []
        if 4 * len(pending) >= len(self._runs) * _RUN_MAX:
            keys = sorted([key for run in self._runs for key in run] + pending)
            self._runs = [keys[index : index + _RUN_MAX // 2] for index in range(0, len(keys), _RUN_MAX // 2)]
            self._starts = [run[0] for run in self._runs]
            return
        for key in pending:
            index = max(bisect_right(self._starts, key) - 1, 0)
            run = self._runs[index]
            insort(run, key)
            self._starts[index] = run[0]
            if len(run) > _RUN_MAX:
                self._runs[index : index + 1] = [run[: _RUN_MAX // 2], run[_RUN_MAX // 2 :]]
                self._starts.insert(index + 1, run[_RUN_MAX // 2])

    def _walk_up(self, start: bytes, end: bytes) -> Iterator[bytes]:
        index = max(bisect_right(self._starts, start) - 1, 0)
        for run in self._runs[index : index + 1]:
            for position in range(bisect_left(run, start), len(run)):
                if run[position] >= end:
                    return
                yield run[position]
        for later in range(index + 1, len(self._runs)):
            for key in self._runs[later]:
                if key >= end:
                    return
                yield key

    def _walk_down(self, start: bytes, end: bytes) -> Iterator[bytes]:
        for index in range(bisect_left(self._starts, end) - 1, -1, -1):
            run = self._runs[index]
            for position in range(bisect_left(run, end) - 1, -1, -1):
                if run[position] < start:
                    return
                yield run[position]


class CommittedState:
    """A state reader as the lowest layer."""

    __slots__ = ("_reader", "get", "get_many")

    def __init__(self, reader: StateReader) -> None:
        self._reader = reader
        self.get = reader.get
        self.get_many = reader.get_many

    def rows(self, start: bytes, end: bytes, rows_hint: int, *, reverse: bool) -> Iterator[Row]:
        """Yield records in order, fetched page by page; the first page has about `rows_hint` of them."""
        page_rows = min(max(rows_hint, 1), _PAGE_ROWS)
        while True:
            page = self._reader.scan(start, end, page_rows, reverse=reverse)
            yield from page
            if len(page) < page_rows:
                return
            if reverse:
                end = page[-1][0]
            else:
                start = page[-1][0] + b"\x00"
            page_rows = _PAGE_ROWS


class Overlay:
    """Writes over a layer below."""

    __slots__ = ("_base", "_keys", "added", "values")

    def __init__(self, base: "Overlay | CommittedState") -> None:
        self._base = base
        self._keys: OrderedKeys | None = None
        self.values: dict[bytes, bytes | None] = {}
        """What was written here; None deletes."""
        self.added: list[bytes] = []
        """Keys of `values` that no scan has put in order yet. Who writes into `values` adds a new key here too."""

    def get(self, key: bytes) -> bytes | None:
        """Return the record as this layer shows it."""
        if key in self.values:
            return self.values[key]
        return self._base.get(key)

    def get_many(self, keys: list[bytes]) -> list[bytes | None]:
        """Return the records as this layer shows them."""
        return [self.get(key) for key in keys]

    def scan(self, start: bytes, end: bytes, limit: int, *, reverse: bool = False) -> list[tuple[bytes, bytes]]:
        """Return up to `limit` records, as every state reader does; it charges nobody."""
        rows = self.rows(start, end, limit, reverse=reverse)
        return list(islice(((key, record) for key, record in rows if record is not None), limit))

    def put(self, key: bytes, record: bytes | None) -> None:
        """Write a record, or delete it with None."""
        if key not in self.values:
            self.added.append(key)
        self.values[key] = record

    def rows(self, start: bytes, end: bytes, rows_hint: int, *, reverse: bool) -> Iterator[Row]:
        """Yield records in order, those deleted here as None, so that who scans can charge for stepping over them."""
        below = self._base.rows(start, end, rows_hint, reverse=reverse)
        if not self.values:
            return below
        if self._keys is None:
            self._keys = OrderedKeys()
        if self.added:
            self._keys.add_all(self.added)
            self.added = []
        return self._merge(self._keys.walk(start, end, reverse=reverse), below, reverse=reverse)

    def _merge(self, own: Iterator[bytes], below: Iterator[Row], *, reverse: bool) -> Iterator[Row]:
        own_key = next(own, None)
        for row in below:
            while own_key is not None and own_key != row[0] and (own_key > row[0]) == reverse:
                yield own_key, self.values[own_key]
                own_key = next(own, None)
            if own_key == row[0]:
                yield own_key, self.values[own_key]
                own_key = next(own, None)
            else:
                yield row
        while own_key is not None:
            yield own_key, self.values[own_key]
            own_key = next(own, None)

    def merge_down(self) -> None:
        """Put everything written here into the overlay below."""
        if not isinstance(self._base, Overlay):
            raise TypeError("the committed state is read only")  # our own mistake, never an input's
        below = self._base.values
        self._base.added += [key for key in self.values if key not in below]
        below.update(self.values)

    def net_writes(self) -> tuple[Write, ...]:
        """Return what was changed here, ascending by key; a record that was made and deleted here is no change."""
        deleted = [key for key, record in self.values.items() if record is None]
        # In one question: nobody has looked up the rows of an index that were deleted.
        absent = {key for key, record in zip(deleted, self._base.get_many(deleted), strict=True) if record is None} if deleted else ()
        return tuple(sorted((key, record) for key, record in self.values.items() if key not in absent))
