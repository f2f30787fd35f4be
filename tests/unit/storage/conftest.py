"""Stores in temporary folders, on the native state store and on the tests' own."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.unit.storage.state_on_file import FileStateStore
from tests.unit.storage.stored_chain import GENESIS, genesis_writes
from yunhe.storage import LedgerStore
from yunhe.storage.state_store import StateStoreOpener, open_native_store


@pytest.fixture(params=["on_file", "native"])
def opener(request: pytest.FixtureRequest) -> StateStoreOpener:
    return FileStateStore.open if request.param == "on_file" else open_native_store


@pytest.fixture
def folder(tmp_path: Path, opener: StateStoreOpener) -> Path:
    """A folder with a store that holds the genesis; nobody has it open."""
    LedgerStore.create(tmp_path / "store", GENESIS, genesis_writes(), opener).close()
    return tmp_path / "store"


@pytest.fixture
def open_store(folder: Path, opener: StateStoreOpener) -> Iterator[Callable[[], LedgerStore]]:
    """Opens the folder's store; what is still open at the end is closed."""
    stores: list[LedgerStore] = []

    def opened() -> LedgerStore:
        stores.append(LedgerStore.open(folder, GENESIS, opener=opener))
        return stores[-1]

    yield opened
    for store in stores:
        store.close()
