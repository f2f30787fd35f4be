"""The hostile corpus: each contract is refused when it is checked, or contained when it runs, and which of the two is asserted.

What is refused is refused by its rule, with the same findings by a process with another hash seed, from another depth of the stack. What is
contained runs in a real jailed worker. Its receipt has the code that is expected, it changes no state, the transaction after it is not
affected, and a worker with another hash seed and a deeper stack comes to the same (CON-085, CON-125, LED-022).
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hostile.corpus import CONTAINED, REFUSED, contract_name, deployed, table
from tests.hostile.stage import state_with, transaction, written
from yunhe.contracts.checker import check
from yunhe.contracts.worker.executor import WorkerExecutor
from yunhe.contracts.worker.process import Launch
from yunhe.crypto import SHA256
from yunhe.errors import ContractRefusedError
from yunhe.ledger.interfaces import BlockContext
from yunhe.testing import MemoryState

CONTEXT = BlockContext(5, 1_767_225_600_000)
ROOT = Path(__file__).parents[2]


def verdict(source: str | bytes) -> list[list[object]]:
    """Return the findings of a source as plain data."""
    try:
        check(source)
    except ContractRefusedError as error:
        return [[finding.rule, finding.line, finding.column, finding.reason, finding.instead] for finding in error.findings]
    return []


@pytest.fixture(scope="module")
def state() -> MemoryState:
    return state_with(deployed())


@pytest.fixture(scope="module")
def workers() -> Iterator[tuple[WorkerExecutor, WorkerExecutor]]:
    first = WorkerExecutor(SHA256, launch=Launch(environment=(("PYTHONHASHSEED", "1"),)))
    second = WorkerExecutor(
        SHA256, launch=Launch("tests.hostile.deeper:serve", folders=(str(ROOT),), environment=(("PYTHONHASHSEED", "20261"),))
    )
    yield first, second
    first.close()
    second.close()


@pytest.fixture(scope="module")
def elsewhere() -> dict[str, list[list[object]]]:
    """Return the findings of another process, with another hash seed and from another depth of the stack."""
    code = (
        "import json; from tests.hostile.deeper import FRAMES, below; from tests.hostile.test_corpus import REFUSED, verdict;"
        "print(json.dumps(below(FRAMES, lambda: {name: verdict(source) for name, (source, _) in REFUSED.items()})))"
    )
    environment = os.environ | {"PYTHONHASHSEED": "20261"}
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, check=True, capture_output=True, text=True)
    found: dict[str, list[list[object]]] = json.loads(run.stdout)
    return found


@pytest.mark.parametrize("name", REFUSED)
def test_corpus_refused_contract_is_refused_by_its_rule(name, elsewhere) -> None:
    source, rule = REFUSED[name]
    findings = verdict(source)
    assert rule in [finding[0] for finding in findings]
    assert findings == elsewhere[name]


@pytest.mark.parametrize("index", range(len(CONTAINED)), ids=list(CONTAINED))
def test_corpus_contained_contract_ends_with_its_code_and_changes_nothing(index, state, workers) -> None:
    case = list(CONTAINED.values())[index]
    check(deployed()[contract_name(index)])
    block = [transaction((contract_name(index), "attack", {})), transaction(("neutral", "take", {"numbers": [1, 2]}))]
    first, second = workers
    pids = first.worker_pids + second.worker_pids

    execution = first.execute(CONTEXT, block, state)
    attack, bystander = execution.outcomes
    assert attack.code == case.code
    assert (attack.call_index, attack.results, attack.events) == (0, (), ())
    # CON-125: gas is spent up to the limit and not beyond.
    assert 0 < attack.gas_used <= block[0].body.gas_limit
    # LED-022
    assert bystander.code == "OK"
    assert bystander.results == (3,)
    assert list(execution.writes) == written(execution.writes, "neutral")

    alone = first.execute(CONTEXT, block[1:], state)
    assert alone.writes == execution.writes
    assert alone.outcomes == (bystander,)
    assert second.execute(CONTEXT, block, state) == execution
    # CON-085: no worker died of it.
    assert first.worker_pids + second.worker_pids == pids


def test_corpus_covers_each_family() -> None:
    families = {name.partition(":")[0] for name in [*REFUSED, *CONTAINED]}
    assert families >= {"escape", "hidden state", "nondeterminism", "gas", "memory", "crash", "parser", "unicode", "types", "data access"}
    assert len(REFUSED) + len(CONTAINED) >= 400
    assert not REFUSED.keys() & CONTAINED.keys()


def test_corpus_table_of_the_report_is_that_of_the_corpus() -> None:
    assert table() in (ROOT / "docs/qa/0.1.0.md").read_text()
