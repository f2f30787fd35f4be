"""Readers of a state store in the form that the ledger declares (`yunhe.ledger.interfaces.StateReader`)."""

from yunhe.storage.state_store import StateSnapshot, StateStore


class SnapshotReader:
    """Reads one committed state, for views and queries: what is staged, and blocks committed later, are not in it. Thread-safe."""

    def __init__(self, snapshot: StateSnapshot) -> None:
        self._snapshot = snapshot

    @property
    def height(self) -> int:
        """Height of the block after which the state is as it is here."""
        return self._snapshot.height()

    def get(self, key: bytes) -> bytes | None:
        """Return the record at a state key, or None."""
        return self._snapshot.get(key)

    def get_many(self, keys: list[bytes]) -> list[bytes | None]:
        """Return the record at each of some state keys."""
        return [self._snapshot.get(key) for key in keys]

    def scan(self, start: bytes, end: bytes, limit: int, *, reverse: bool = False) -> list[tuple[bytes, bytes]]:
        """Return up to `limit` records with start <= key < end, ascending, or descending when `reverse`."""
        return self._snapshot.scan(start, end, limit, reverse)


class HeadReader:
    """Reads the state that the next block is applied to: what is staged is in it."""

    def __init__(self, store: StateStore) -> None:
        self._store = store

    def get(self, key: bytes) -> bytes | None:
        """Return the record at a state key, or None."""
        return self._store.get(key)

    def get_many(self, keys: list[bytes]) -> list[bytes | None]:
        """Return the record at each of some state keys."""
        return self._store.get_many(keys)

    def scan(self, start: bytes, end: bytes, limit: int, *, reverse: bool = False) -> list[tuple[bytes, bytes]]:
        """Return up to `limit` records with start <= key < end, ascending, or descending when `reverse`."""
        return self._store.scan(start, end, limit, reverse)
