"""Finds the record that an action loaded, changed and forgot to save: the mistake that no type checker sees."""

import sys
from pathlib import Path

from yunhe.contracts import Record
from yunhe.contracts.records import RecordType
from yunhe.contracts.value_types import Room
from yunhe.ledger.codec import encode
from yunhe.limits import RECORD_BYTES_MAX
from yunhe.testing.places import Place, PlacedError, caller_place


class UnsavedChangeError(PlacedError):
    """An action changed a record that it had loaded, and neither saved nor discarded it; `place` is where it was loaded."""


class UnsavedChanges:
    """Follows the records that one transaction loads. Implements `yunhe.contracts.machine.Watch`."""

    def __init__(self) -> None:
        self._loaded: list[tuple[str, RecordType, Record, Place | None]] = []
        self._stored: dict[int, bytes] = {}
        """Encoding of each loaded record as it was loaded or last stored, by the object's identity."""

    def loaded(self, table: str, kind: RecordType, record: Record, data: bytes) -> None:
        """Follow a record that was loaded."""
        self._loaded.append((table, kind, record, caller_place(sys._getframe())))
        self._stored[id(record)] = data

    def stored(self, record: Record, data: bytes) -> None:
        """Take note that a record was saved."""
        if id(record) in self._stored:
            self._stored[id(record)] = data

    def discarded(self, record: Record) -> None:
        """Stop following a record."""
        self._loaded = [entry for entry in self._loaded if entry[2] is not record]

    def check(self) -> None:
        """Compare each loaded record with what is stored of it.

        Raises:
            UnsavedChangeError: one was changed since.
        """
        __tracebackhide__ = True
        for table, kind, record, place in self._loaded:
            if encode(kind.to_plain(record, Room(RECORD_BYTES_MAX))) != self._stored[id(record)]:
                where = "" if place is None else f" (loaded in {Path(place.file).name}, line {place.line})"
                raise UnsavedChangeError(
                    f"a {kind.name} loaded from {table} was changed and not saved: {record!r}{where}; "
                    f"call {table}.save(...), or {table}.discard(...) if the change is not to be stored",
                    place,
                )
