"""A state store for tests: dictionaries that are written to one file with every applied block, its root by the readable reference.

It needs no native core, opens in no time, and shows which calls the store makes of it (`calls`). What it says of roots and proofs is the
specification's word (`yunhe.ledger.state_tree`), so a store that works with it works with anything that keeps to the seam.
"""

from pathlib import Path

from yunhe.crypto import SHA256
from yunhe.errors import ConflictError, CorruptionError, HistoryGoneError, NotFoundError, YunheError
from yunhe.ledger import state_tree
from yunhe.ledger.codec import decode, encode
from yunhe.ledger.interfaces import Write
from yunhe.storage.state_store import StateStoreOpener

FILE = "state.cbor"
Records = dict[bytes, bytes]


class Snapshot:
    def __init__(self, height: int, records: Records) -> None:
        self._height = height
        self._records = records

    def height(self) -> int:
        return self._height

    def get(self, key: bytes) -> bytes | None:
        return self._records.get(key)

    def scan(self, start: bytes, end: bytes, limit: int, reverse: bool) -> list[tuple[bytes, bytes]]:
        rows = sorted((k, v) for k, v in self._records.items() if start <= k < end)
        return (rows[::-1] if reverse else rows)[:limit]


class FileStateStore:
    def __init__(self, path: Path) -> None:
        self._file = path / FILE
        self.records: Records = {}
        self.index: Records = {}
        self.height = -1
        self.past: dict[int, Records] = {}
        self._staged: list[tuple[int, Records]] = []
        self.calls: list[tuple[object, ...]] = []

    @classmethod
    def open(cls, path: Path, hash_name: str) -> "FileStateStore":
        assert hash_name == "sha256"
        path.mkdir(exist_ok=True)
        store = cls(path)
        if store._file.exists():
            try:
                height, records, index = decode(store._file.read_bytes(), 1 << 30)  # type: ignore[misc]  # checked by the except
                store.height = height  # type: ignore[assignment]
                store.records = dict(records)  # type: ignore[call-overload]
                store.index = dict(index)  # type: ignore[call-overload]
            except (YunheError, ValueError, TypeError) as error:
                raise CorruptionError("the state's file is damaged") from error
            store.past[store.height] = store.records
        return store

    def head(self) -> tuple[int, bytes]:
        return self.height, state_tree.state_root(self.records, SHA256)

    def get(self, key: bytes) -> bytes | None:
        return self._seen().get(key)

    def get_many(self, keys: list[bytes]) -> list[bytes | None]:
        return [self.get(key) for key in keys]

    def scan(self, start: bytes, end: bytes, limit: int, reverse: bool) -> list[tuple[bytes, bytes]]:
        return Snapshot(0, self._seen()).scan(start, end, limit, reverse)

    def snapshot(self) -> Snapshot:
        return Snapshot(self.height, self.records)

    def stage(self, height: int, writes: list[Write]) -> bytes:
        if height <= self.height:
            raise ConflictError("not above the head")
        self._staged = [block for block in self._staged if block[0] < height]
        records = dict(self._seen())
        for key, value in writes:
            if value is None:
                records.pop(key, None)
            else:
                records[key] = value
        self._staged.append((height, records))
        return state_tree.state_root(records, SHA256)

    def apply(self, index: list[tuple[bytes, bytes]], sync: bool) -> None:
        if not self._staged:
            raise ConflictError("nothing is staged")
        self.height, self.records = self._staged.pop(0)
        self.calls.append(("apply", self.height, sync))
        self.past[self.height] = self.records
        self.index.update(index)
        self._keep()

    def _keep(self) -> None:
        rows = [[list(row) for row in sorted(table.items())] for table in (self.records, self.index)]
        self._file.write_bytes(encode([self.height, *rows]))

    def discard(self) -> None:
        self._staged = []

    def index_get_many(self, keys: list[bytes]) -> list[bytes | None]:
        return [self.index.get(key) for key in keys]

    def prove(self, height: int, key: bytes) -> tuple[bytes | None, bytes, list[bytes], tuple[bytes, bytes] | None]:
        if height > self.height:
            raise NotFoundError("above the head")
        if height not in self.past:
            raise HistoryGoneError("pruned")
        records = self.past[height]
        proof = state_tree.prove(records, key, SHA256)
        return records.get(key), proof.bitmap, list(proof.siblings), proof.other

    def prune(self, keep_from_height: int) -> int:
        self.calls.append(("prune", keep_from_height))
        gone = [height for height in self.past if height < min(keep_from_height, self.height)]
        for height in gone:
            del self.past[height]
        return len(gone)

    def sync(self) -> None:
        self.calls.append(("sync",))

    def verify(self) -> bytes:
        return self.head()[1]

    def close(self) -> None:
        self.calls.append(("close",))

    def _seen(self) -> Records:
        return self._staged[-1][1] if self._staged else self.records


class MemoryStateStore(FileStateStore):
    """The same without the file: it is empty whenever it is opened, or as a prepared one is."""

    @classmethod
    def open(cls, path: Path, hash_name: str) -> "MemoryStateStore":
        assert hash_name == "sha256"
        return cls(path)

    def opener(self) -> StateStoreOpener:
        """Opens stores that begin as this one is now."""

        def opened(path: Path, hash_name: str) -> MemoryStateStore:
            store = MemoryStateStore.open(path, hash_name)
            store.height, store.records, store.index, store.past = self.height, dict(self.records), dict(self.index), dict(self.past)
            return store

        return opened

    def _keep(self) -> None:
        return
