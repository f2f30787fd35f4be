"""`chain.deploy` of another module under a name that is taken: an upgrade as a vote makes it (SYS-024 to SYS-026)."""

import sys
from pathlib import Path
from types import ModuleType

import pytest

from tests.contract_ledger import contract
from tests.unit.contracts.system_contracts.test_migrations import FIRST, MOVED, RENAMED
from yunhe.contracts.faults import ContractStop
from yunhe.testing import Chain, UnsavedChangeError
from yunhe.testing.node_chain import NodeChain

FORGETFUL = FIRST + "\n@action\ndef migrate(ctx: Context) -> None:\n    for box in boxes.scan():\n        box.weight = 1\n"


@pytest.fixture
def modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, ModuleType]:
    monkeypatch.syspath_prepend(tmp_path)
    found = {}
    for name, source in {"shelf_v1": FIRST, "shelf_moved": MOVED, "shelf_renamed": RENAMED, "shelf_forgetful": FORGETFUL}.items():
        (tmp_path / f"{name}.py").write_text(contract(source))
        found[name.removeprefix("shelf_")] = __import__(name)
        monkeypatch.delitem(sys.modules, name)
    return found


@pytest.fixture
def filled(modules: dict[str, ModuleType]) -> Chain:
    chain = Chain()
    chain.deploy(modules["v1"], "shelf")
    chain.member("port").call(modules["v1"].put, "a", 3)
    return chain


def test_upgrade_migrates_the_records(filled: Chain, modules: dict[str, ModuleType]) -> None:
    moved = modules["moved"]
    filled.deploy(moved, "shelf")
    assert filled.rows(moved.boxes) == {}
    assert filled.rows(moved.crates)["a"] == moved.Crate(name="a", grams=3000, moved_by="lifecycle")
    assert filled.view(moved.heaviest) == ["a"]


# SYS-025
def test_upgrade_that_would_lose_records_is_refused_and_names_the_field(filled: Chain, modules: dict[str, ModuleType]) -> None:
    with pytest.raises(ContractStop, match=r"UPGRADE_LOSES_DATA: Box\.weight: the field was removed"):
        filled.deploy(modules["renamed"], "shelf")
    assert filled.view(modules["v1"].weight, "a") == 3
    with filled.refuses("UPGRADE_LOSES_DATA"):
        filled.deploy(modules["renamed"], "shelf")


def test_migration_that_forgets_to_save_fails_the_test(filled: Chain, modules: dict[str, ModuleType]) -> None:
    with pytest.raises(UnsavedChangeError, match=r"boxes\.save"):
        filled.deploy(modules["forgetful"], "shelf")


# SYS-025, SYS-026
def test_upgrade_on_a_node_is_refused_and_made_as_in_memory(modules: dict[str, ModuleType], tmp_path: Path) -> None:
    with NodeChain(tmp_path / "node") as chain:
        chain.deploy(modules["v1"], "shelf")
        chain.member("port").call(modules["v1"].put, "a", 3)
        with chain.refuses("UPGRADE_LOSES_DATA"):
            chain.deploy(modules["renamed"], "shelf")
        assert chain.view(modules["v1"].weight, "a") == 3
        chain.deploy(modules["moved"], "shelf")
        assert chain.view(modules["moved"].grams, "a") == 3000
