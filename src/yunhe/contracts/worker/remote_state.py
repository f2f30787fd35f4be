"""The worker's side of the state: asks the node for records and keeps what it has seen.

The worker makes every write of a block, so after a block its cache is as the state is; it stays so only as long as each block stands on the
one before, which the node says with each message (CON-086). Absence is remembered too. Memory is bounded by `WORKER_CACHE_BYTES_MAX`;
what came in first goes first.
"""

import socket
from collections.abc import Iterable, Sequence
from typing import Final

from yunhe.contracts.worker.messages import Get, MessageError, Records, Rows, Scan, receive_from_node, send
from yunhe.ledger.interfaces import Write
from yunhe.limits import WORKER_ASKED_KEYS_MAX, WORKER_CACHE_BYTES_MAX

_ENTRY_BYTES: Final = 200
"""Memory of an entry besides key and record."""


class RemoteState:
    """Reads records of one state through the socket; implements `yunhe.ledger.interfaces.StateReader`."""

    def __init__(self, end: socket.socket, bytes_max: int = WORKER_CACHE_BYTES_MAX) -> None:
        self._end = end
        self._bytes_max = bytes_max
        self._records: dict[bytes, bytes | None] = {}
        self._bytes = 0
        self.read: set[bytes] = set()
        """Keys that were read since the last `prefetch`."""

    def forget(self) -> None:
        """Drop everything: the next state does not follow from what was seen."""
        self._records.clear()
        self._bytes = 0

    def get(self, key: bytes) -> bytes | None:
        """Return the record at a state key, or None."""
        self.read.add(key)
        if key in self._records:
            return self._records[key]
        return self._ask([key])[0]

    def get_many(self, keys: list[bytes]) -> list[bytes | None]:
        """Return the record at each of some state keys, asking for those that are missing in as few messages as they need."""
        self.read.update(keys)
        found = {key: self._records[key] for key in keys if key in self._records}
        missing = [key for key in dict.fromkeys(keys) if key not in found]
        while missing:
            records = self._ask(missing[:WORKER_ASKED_KEYS_MAX])
            found |= zip(missing, records, strict=False)
            missing = missing[len(records) :]
        return [found[key] for key in keys]

    def prefetch(self, keys: Iterable[bytes]) -> None:
        """Ask in one message for what will probably be read."""
        self.read.clear()
        missing = [key for key in dict.fromkeys(keys) if key not in self._records]
        for start in range(0, len(missing), WORKER_ASKED_KEYS_MAX):
            self._ask(missing[start : start + WORKER_ASKED_KEYS_MAX])

    def scan(self, start: bytes, end: bytes, limit: int, *, reverse: bool = False) -> list[tuple[bytes, bytes]]:
        """Return up to `limit` records with start <= key < end, ascending, or descending when `reverse`."""
        send(self._end, Scan(start, end, limit, reverse))
        answer = receive_from_node(self._end)
        if not isinstance(answer, Rows):
            raise MessageError("rows were asked for")
        # What was seen in passing is often saved or looked up next.
        for key, record in answer.rows:
            self._keep(key, record)
        return answer.rows

    def follow(self, writes: Iterable[Write]) -> None:
        """Take over the writes of a block that was executed on this state."""
        for key, record in writes:
            self._keep(key, record)

    def _ask(self, keys: Sequence[bytes]) -> list[bytes | None]:
        send(self._end, Get(list(keys)))
        answer = receive_from_node(self._end)
        if not isinstance(answer, Records) or not 1 <= len(answer.records) <= len(keys):
            raise MessageError("records were asked for")
        # The node answers with as much as fits into a message; what is not there is asked for when it is needed.
        for key, record in zip(keys, answer.records, strict=False):
            self._keep(key, record)
        return answer.records

    def _keep(self, key: bytes, record: bytes | None) -> None:
        if key in self._records:
            self._drop(key)
        self._records[key] = record
        self._bytes += _size(key, record)
        while self._bytes > self._bytes_max:
            self._drop(next(iter(self._records)))

    def _drop(self, key: bytes) -> None:
        self._bytes -= _size(key, self._records.pop(key))


def _size(key: bytes, record: bytes | None) -> int:
    return _ENTRY_BYTES + len(key) + (0 if record is None else len(record))
