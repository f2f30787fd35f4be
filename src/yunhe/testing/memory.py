"""A state in memory: records by state key, in order. Implements `yunhe.ledger.interfaces.StateReader`."""

from bisect import bisect_left, insort
from collections.abc import Iterable, Mapping

from yunhe.ledger.interfaces import Write


class MemoryState:
    """Records of one state, readable like a store's and writable by a test."""

    def __init__(self, records: Mapping[bytes, bytes] | None = None) -> None:
        self._records = dict(records or {})
        self._keys = sorted(self._records)

    def get(self, key: bytes) -> bytes | None:
        """Return the record at a state key, or None."""
        return self._records.get(key)

    def get_many(self, keys: list[bytes]) -> list[bytes | None]:
        """Return the record at each state key."""
        return [self._records.get(key) for key in keys]

    def scan(self, start: bytes, end: bytes, limit: int, *, reverse: bool = False) -> list[tuple[bytes, bytes]]:
        """Return up to `limit` records with start <= key < end, ascending, or descending when `reverse`."""
        low, high = bisect_left(self._keys, start), bisect_left(self._keys, end)
        if reverse:
            keys = self._keys[max(low, high - limit) : max(low, high)]
            keys.reverse()
        else:
            keys = self._keys[low : min(high, low + limit)]
        return [(key, self._records[key]) for key in keys]

    def apply(self, writes: Iterable[Write]) -> None:
        """Write records; None deletes."""
        for key, record in writes:
            if record is not None:
                if key not in self._records:
                    insort(self._keys, key)
                self._records[key] = record
            elif self._records.pop(key, None) is not None:
                del self._keys[bisect_left(self._keys, key)]

    def records(self) -> dict[bytes, bytes]:
        """Return a copy of all records."""
        return dict(self._records)

    def replace(self, records: Mapping[bytes, bytes]) -> None:
        """Forget everything and hold these records."""
        self._records = dict(records)
        self._keys = sorted(self._records)
