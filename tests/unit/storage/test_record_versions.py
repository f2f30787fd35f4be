"""API-026: what blocks wrote at a key, a removal and a key beside it included."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.unit.storage.state_on_file import FileStateStore
from tests.unit.storage.stored_chain import GENESIS, genesis_writes
from yunhe.errors import BlockPrunedError
from yunhe.storage import LedgerStore, read_versions
from yunhe.storage.block_record import BlockRecord

WRITTEN: list[list[tuple[bytes, bytes | None]]] = [
    [],
    [(b"a", b"1"), (b"k", b"1"), (b"k0", b"9")],
    [(b"a", b"2"), (b"k0", b"9"), (b"z", b"1")],
    [(b"k", None)],
    [(b"k", b"2")],
]


class Blocks:
    """Stands for a store; block 0 was pruned."""

    def __init__(self, one: BlockRecord) -> None:
        self._one = one

    def record(self, height: int) -> BlockRecord:
        if height == 0:
            raise BlockPrunedError("gone")
        return replace(self._one, writes=tuple(WRITTEN[height]))


@pytest.fixture
def blocks(tmp_path: Path) -> Blocks:
    with LedgerStore.create(tmp_path / "store", GENESIS, genesis_writes(), FileStateStore.open) as store:
        return Blocks(store.record(0))


def versions(blocks: Blocks, key: bytes, lowest: int = 1, limit: int = 10) -> list[tuple[int, bytes | None]]:
    read = read_versions(blocks, key, lowest, 4, limit)  # type: ignore[arg-type]  # it asks for blocks and nothing else
    assert (read.next is None) == (limit == 10)
    assert {version.time_ms for version in read.versions} == {GENESIS.time_ms}
    return [(version.height, version.record) for version in read.versions]


def test_versions_are_of_the_key_alone_and_a_removal_is_one(blocks: Blocks) -> None:
    assert versions(blocks, b"k") == [(4, b"2"), (3, None), (1, b"1")]
    assert versions(blocks, b"k0") == [(2, b"9"), (1, b"9")]
    assert versions(blocks, b"a", lowest=2) == [(2, b"2")]
    assert versions(blocks, b"k", limit=2) == [(4, b"2"), (3, None)]


def test_block_that_was_pruned_meanwhile_is_refused_by_name(blocks: Blocks) -> None:
    with pytest.raises(BlockPrunedError):
        versions(blocks, b"k", lowest=0)
