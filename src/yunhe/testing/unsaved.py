"""Finds the record that an action loaded, changed and forgot to save: the mistake that no type checker sees."""

from yunhe.contracts import Record
from yunhe.contracts.records import RecordType
from yunhe.contracts.value_types import Room
from yunhe.ledger.codec import encode
from yunhe.limits import RECORD_BYTES_MAX


class UnsavedChangeError(AssertionError):
    """An action changed a record that it had loaded, and neither saved nor discarded it."""


class UnsavedChanges:
    """Follows the records that one transaction loads. Implements `yunhe.contracts.machine.Watch`."""

    def __init__(self) -> None:
        self._loaded: list[tuple[str, RecordType, Record]] = []
        self._stored: dict[int, bytes] = {}
        """Encoding of each loaded record as it was loaded or last stored, by the object's identity."""

    def loaded(self, table: str, kind: RecordType, record: Record, data: bytes) -> None:
        """Follow a record that was loaded."""
        self._loaded.append((table, kind, record))
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
        for table, kind, record in self._loaded:
            if encode(kind.to_plain(record, Room(RECORD_BYTES_MAX))) != self._stored[id(record)]:
                raise UnsavedChangeError(
                    f"a {kind.name} loaded from {table} was changed and not saved: {record!r}; "
                    f"call {table}.save(...), or {table}.discard(...) if the change is not to be stored"
                )
