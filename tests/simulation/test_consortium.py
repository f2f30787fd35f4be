"""The ledger under a simulated engine: whatever goes wrong, all nodes agree and no acknowledgement is broken; planted faults are found.

Cites LED-011, STO-008, STO-013, LED-042 from above: here they hold together, under one schedule after another.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tests.simulation.consortium import Consortium, DisagreementError, Told
from tests.simulation.crashing_disk import CrashingDisk
from yunhe.contracts.runner import BlockRunner
from yunhe.crypto import SHA256
from yunhe.errors import YunheError
from yunhe.ledger.interfaces import BlockContext, Execution, Executor, StateReader
from yunhe.ledger.transaction import Transaction
from yunhe.node import application

SEEDS = range(12)
"""Of all tests, so that what finds a planted fault finds none without it."""
LONG_SEEDS = range(100, 120)
LONG_ACTIONS = 3_000


def require_tried(told: Told) -> None:
    """A run in which nothing went wrong shows nothing."""
    assert told.blocks > 5
    assert told.acknowledged > 10
    assert told.refused > 10
    assert told.crashes > 3
    assert told.duplicates_agreed > 3
    assert told.groups > 0
    assert told.cosigned > 3


@pytest.mark.parametrize("seed", SEEDS)
def test_nodes_agree_and_keep_what_they_acknowledged(tmp_path: Path, seed: int) -> None:
    require_tried(Consortium(tmp_path, seed).run())


@pytest.mark.long
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("seed", LONG_SEEDS)
def test_nodes_agree_over_a_long_time(tmp_path: Path, seed: int) -> None:
    require_tried(Consortium(tmp_path, seed).run(LONG_ACTIONS))


def test_same_seed_is_the_same_history(tmp_path: Path) -> None:
    first, second = Consortium(tmp_path / "a", 1), Consortium(tmp_path / "b", 1)
    assert first.run() == second.run()
    assert [agreed.app_hash for agreed in first.agreed] == [agreed.app_hash for agreed in second.agreed]


class OwnRule(BlockRunner):
    """Pays one coin more, in one block of the ledger."""

    def execute(self, context: BlockContext, transactions: Sequence[Transaction], state: StateReader) -> Execution:
        done = super().execute(context, transactions, state)
        if context.height != 3:
            return done
        return Execution(
            done.outcomes, tuple((key, value if value is None else value[:-1] + bytes([value[-1] ^ 1])) for key, value in done.writes)
        )


def one_node_has_a_rule_of_its_own(number: int) -> Callable[[], Executor]:
    """Executors of the nodes, one of which differs."""
    return lambda: (OwnRule if number == 2 else BlockRunner)(SHA256)


def fault_found(root: Path, executor: Callable[[int], Callable[[], Executor]] | None = None) -> str:
    """Return what the first seed that finds something says."""
    for seed in SEEDS:
        consortium = Consortium(root / str(seed), seed, *([executor] if executor else []))
        try:
            consortium.run()
        except (DisagreementError, YunheError) as found:
            return f"{type(found).__name__}: {found}"
    return ""


def test_canary_node_with_a_rule_of_its_own_is_found(tmp_path: Path) -> None:
    assert "another app hash" in fault_found(tmp_path, one_node_has_a_rule_of_its_own)


def test_canary_ledger_that_forgets_what_it_executed_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(application._DeliveredState, "seen", lambda self, ids: set())
    assert "two outcomes" in fault_found(tmp_path)


def test_canary_ledger_that_looks_for_duplicates_among_committed_blocks_alone_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(application._DeliveredState, "seen", lambda self, ids: self._store.seen(ids))
    assert "two outcomes" in fault_found(tmp_path)


def test_canary_disk_that_syncs_nothing_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CrashingDisk, "synced", lambda self, path: None)
    assert fault_found(tmp_path)
