"""The native state store equals the readable state tree at every kept height, whatever is written in whatever order."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yunhe.crypto import SHA256, SM3, ChainHash
from yunhe.errors import HistoryGoneError
from yunhe.ledger.state_tree import EMPTY, StateProof, prove, root_from_proof, state_root
from yunhe_native import StateStore

Records = dict[bytes, bytes]
Write = tuple[bytes, bytes | None]
Block = dict[bytes, bytes | None]

KEYS = st.integers(0, 99).map(lambda number: b"k%02d" % number) | st.binary(min_size=1, max_size=12)
VALUES = st.binary(max_size=40)
RECORDS = st.dictionaries(KEYS, VALUES, max_size=80)
BLOCKS = st.dictionaries(KEYS, st.none() | VALUES, max_size=60)


HASHES = pytest.mark.parametrize("chain_hash", [SHA256, SM3], ids=lambda chain_hash: chain_hash.name)


@contextmanager
def opened(path: Path, chain_hash: ChainHash = SHA256) -> Iterator[StateStore]:
    store = StateStore.open(str(path), chain_hash.name, 1024 * 1024)
    yield store
    store.close()


def after(records: Records, block: Block) -> Records:
    merged = {**records, **block}
    return {key: value for key, value in merged.items() if value is not None}


def native_proof(store: StateStore, height: int, key: bytes) -> tuple[bytes | None, StateProof]:
    value, bitmap, siblings, other = store.prove(height, key)
    return value, StateProof(bitmap, tuple(siblings), other)


@dataclass
class History:
    """What the store should hold after each height."""

    hash: ChainHash
    states: list[Records] = field(default_factory=list)
    oldest: int = 0

    def check(self, store: StateStore, keys: set[bytes]) -> None:
        for height, records in enumerate(self.states):
            for key in sorted(keys):
                if height < self.oldest:
                    with pytest.raises(HistoryGoneError):
                        store.prove(height, key)
                    continue
                value, proof = native_proof(store, height, key)
                assert value == records.get(key)
                assert proof == prove(records, key, self.hash)
                assert root_from_proof(key, value, proof, self.hash) == state_root(records, self.hash)


# LED-030, LED-031, STO-025, STO-026
@HASHES
@settings(max_examples=25)
@given(st.lists(BLOCKS, min_size=1, max_size=6), st.sets(KEYS, min_size=1, max_size=6), st.data())
def test_store_equals_the_reference_at_every_kept_height(
    chain_hash: ChainHash, blocks: list[Block], keys: set[bytes], data: st.DataObject
) -> None:
    history, records = History(chain_hash), Records()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        for height, block in enumerate(blocks):
            # A new process for each block: nothing may live in memory only.
            with opened(path, chain_hash) as store:
                assert store.head() == (height - 1, state_root(records, chain_hash) if height else EMPTY)
                writes = data.draw(st.permutations(list(block.items())))
                root = store.stage(height, writes)
                staged = after(records, block)
                assert root == state_root(staged, chain_hash)
                assert store.scan(b"", b"\xff" * 600, 1000, False) == sorted(staged.items())
                store.apply([], False)
                records = staged
                history.states.append(records)
                if data.draw(st.booleans()):
                    history.oldest = max(history.oldest, data.draw(st.integers(0, height)))
                    store.prune(history.oldest)
                history.check(store, keys)
                assert store.verify() == root


# LED-030
@HASHES
@settings(max_examples=25)
@given(
    st.dictionaries(KEYS, VALUES, max_size=80),
    st.dictionaries(KEYS, VALUES, max_size=80),
    st.integers(1, 90),
    st.randoms(use_true_random=False),
)
def test_root_depends_on_the_records_and_not_on_the_way_there(
    chain_hash: ChainHash, kept: Records, gone: Records, block_size: int, shuffle: Random
) -> None:
    writes: list[Write] = [*gone.items(), *kept.items()]
    shuffle.shuffle(writes)
    ending: list[Write] = [*((key, None) for key in gone if key not in kept), *kept.items()]
    shuffle.shuffle(ending)
    sequence = [*writes, *ending]
    with tempfile.TemporaryDirectory() as folder, opened(Path(folder), chain_hash) as store:
        for height, start in enumerate(range(0, len(sequence), block_size)):
            store.stage(height, list(dict(sequence[start : start + block_size]).items()))
            store.apply([], False)
        assert store.head()[1] == state_root(kept, chain_hash)


@settings(max_examples=60)
@given(BLOCKS, BLOCKS, st.lists(st.tuples(KEYS, KEYS, st.integers(0, 50), st.booleans()), max_size=8))
def test_scan_shows_records_in_order_with_the_staged_block_over_them(
    applied: Block, staged: Block, scans: list[tuple[bytes, bytes, int, bool]]
) -> None:
    below = after({}, applied)
    above = after(below, staged)
    with tempfile.TemporaryDirectory() as folder, opened(Path(folder)) as store:
        store.stage(0, list(applied.items()))
        store.apply([], False)
        store.stage(1, list(staged.items()))
        snapshot = store.snapshot()
        for start, end, limit, reverse in [*scans, (b"", b"\xff" * 20, 1000, True)]:
            for records, scan in ((above, store.scan), (below, snapshot.scan)):
                found = sorted((item for item in records.items() if start <= item[0] < end), reverse=reverse)
                assert scan(start, end, limit, reverse) == found[:limit]
