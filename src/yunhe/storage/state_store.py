"""The seam to the store of the derived state: records with their authenticated tree, and the index of transactions.

The native core implements it (`yunhe_native.StateStore`, over fjall); nothing else in Yunhe knows that. Everything in it follows from the
block log, so it is on no path of acknowledgement and may be thrown away. Specification: docs/spec/storage.md, "State store".
"""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol, TypeAlias

from yunhe.errors import PlatformError
from yunhe.ledger.interfaces import Write
from yunhe.limits import STATE_CACHE_BYTES


class StateSnapshot(Protocol):
    """Records of one applied block."""

    def height(self) -> int:
        """Return the height of the block; -1 before the first."""
        ...

    def get(self, key: bytes) -> bytes | None:
        """Return a record."""
        ...

    def scan(self, start: bytes, end: bytes, limit: int, reverse: bool) -> list[tuple[bytes, bytes]]:
        """Return up to `limit` records with start <= key < end, in key order (descending when `reverse`)."""
        ...


class StateStore(Protocol):
    """Records at the head, staged blocks above it, proofs for past heights, and small tables."""

    def head(self) -> tuple[int, bytes]:
        """Return height and root of the last applied block; (-1, 32 zero bytes) before the first."""
        ...

    def get(self, key: bytes) -> bytes | None:
        """Return a record, staged writes included."""
        ...

    def get_many(self, keys: list[bytes]) -> list[bytes | None]:
        """Return several records, staged writes included."""
        ...

    def scan(self, start: bytes, end: bytes, limit: int, reverse: bool) -> list[tuple[bytes, bytes]]:
        """Return up to `limit` records with start <= key < end, staged writes included."""
        ...

    def snapshot(self) -> StateSnapshot:
        """Return the records as the last `apply` left them, without what is staged."""
        ...

    def stage(self, height: int, writes: list[Write]) -> bytes:
        """Return the root after `writes` on what is staged below `height`, and keep them; replaces what was staged from there on."""
        ...

    def apply(self, index: list[tuple[bytes, bytes]], sync: bool) -> None:
        """Write the lowest staged block, with entries of the small tables, as one atomic batch."""
        ...

    def discard(self) -> None:
        """Forget everything that is staged."""
        ...

    def index_get_many(self, keys: list[bytes]) -> list[bytes | None]:
        """Return entries of the small tables."""
        ...

    def prove(self, height: int, key: bytes) -> tuple[bytes | None, bytes, list[bytes], tuple[bytes, bytes] | None]:
        """Return (record, bitmap, siblings root first, other leaf) for a key at a height; raises `HistoryGoneError`."""
        ...

    def prune(self, keep_from_height: int) -> int:
        """Drop what only heights below `keep_from_height` need."""
        ...

    def sync(self) -> None:
        """Make everything applied so far durable."""
        ...

    def verify(self) -> bytes:
        """Recompute the root from every record and return it; raises `CorruptionError` when the tree differs."""
        ...

    def close(self) -> None:
        """Close the store."""
        ...


StateStoreOpener: TypeAlias = Callable[[Path, str], StateStore]
"""Opens or creates the store in a folder, for a chain hash by name; raises `CorruptionError` when the folder is damaged."""


def open_native_store(path: Path, hash_name: str) -> StateStore:
    """Open or create the native store.

    Raises:
        PlatformError: the native core is not installed.
        ConfigurationError: the folder is of another version or chain hash.
        CorruptionError: the folder is damaged.
    """
    try:
        import yunhe_native  # noqa: PLC0415  # the SDK and the checker run without it; only a node needs it
    except ImportError as error:
        raise PlatformError("a node needs the native core, yunhe-native, which exists for Linux on x86-64; install it") from error
    return yunhe_native.StateStore.open(str(path), hash_name, STATE_CACHE_BYTES)
