"""The hostile corpus: each contract is refused when it is checked, or contained when it runs, and which of the two is asserted.

What is contained runs in a real jailed worker. Its receipt has the code that is expected, it changes no state, the transaction after it is
not affected, and a worker with another hash seed comes to the same (CON-085, CON-125, LED-022).
"""

from collections.abc import Iterator

import pytest

from tests.hostile.contained import CASES, contract_name, deployed
from tests.hostile.refused import REFUSED
from tests.hostile.stage import state_with, transaction, written
from yunhe.contracts.checker import check
from yunhe.contracts.worker.executor import WorkerExecutor
from yunhe.contracts.worker.process import Launch
from yunhe.crypto import SHA256
from yunhe.errors import ContractRefusedError
from yunhe.ledger.interfaces import BlockContext
from yunhe.testing import MemoryState

CONTEXT = BlockContext(5, 1_767_225_600_000)


@pytest.fixture(scope="module")
def state() -> MemoryState:
    return state_with(deployed())


@pytest.fixture(scope="module")
def workers() -> Iterator[tuple[WorkerExecutor, WorkerExecutor]]:
    first = WorkerExecutor(SHA256, launch=Launch(environment=(("PYTHONHASHSEED", "1"),)))
    second = WorkerExecutor(SHA256, launch=Launch(environment=(("PYTHONHASHSEED", "20261"),)))
    yield first, second
    first.close()
    second.close()


@pytest.mark.parametrize(("source", "rule"), REFUSED.values(), ids=REFUSED)
def test_corpus_refused_contract_is_refused_by_its_rule(source, rule) -> None:
    with pytest.raises(ContractRefusedError) as caught:
        check(source)
    assert rule in [finding.rule for finding in caught.value.findings]


@pytest.mark.parametrize("index", range(len(CASES)), ids=list(CASES))
def test_corpus_contained_contract_ends_with_its_code_and_changes_nothing(index, state, workers) -> None:
    case = list(CASES.values())[index]
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
    families = {name.partition(":")[0] for name in [*REFUSED, *CASES]}
    assert families >= {"escape", "hidden state", "nondeterminism", "gas", "memory", "crash", "parser", "unicode", "types", "reentrancy"}
    assert len(REFUSED) + len(CASES) >= 200
