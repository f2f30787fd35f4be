"""API-012: room for few simulations at once."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import cast

import pytest

from tests.unit.node.open_node import ADMIN, DEADLINE_S, SUITE, make_folder
from yunhe.contracts.worker.executor import WorkerExecutor
from yunhe.errors import InvalidInputError, OverloadedError
from yunhe.ledger.interfaces import BlockContext, Execution, Outcome, StateReader
from yunhe.ledger.simulation import unsigned_transaction
from yunhe.ledger.transaction import Call, Transaction
from yunhe.limits import SIMULATIONS_MAX
from yunhe.node.node import log_progress
from yunhe.node.simulation import Simulator

SIGNERS = [("port", "admin")]
CALLS = [Call("registry", "none", {})]


class SlowWorker:
    """Says that it was asked, and answers when it is let go."""

    def __init__(self) -> None:
        self.asked = threading.Semaphore(0)
        self.go = threading.Event()

    def try_out(self, context: BlockContext, transaction: Transaction, state: StateReader) -> tuple[Execution, str]:
        assert (context.height, context.time_ms) == (1, transaction.body.valid_until_ms - 600_000)
        self.asked.release()
        assert self.go.wait(DEADLINE_S)
        return Execution((Outcome("OK", -1, 1),), ()), ""


def test_room_is_for_so_many_and_is_given_back_however_a_simulation_ends(tmp_path: Path) -> None:
    """API-012: so many are taken, one more is refused."""
    folder = make_folder(tmp_path / "node")
    worker = SlowWorker()
    with folder.open_store(log_progress) as store, ThreadPoolExecutor(SIMULATIONS_MAX) as pool:
        # The clock stands below the genesis, as after a restart with a wrong clock: time goes on all the same.
        simulator = Simulator(store, folder.genesis, cast(WorkerExecutor, worker), lambda: 5)
        for _ in range(2 * SIMULATIONS_MAX):
            with pytest.raises(InvalidInputError):
                simulator.simulate(SIGNERS, CALLS, 0)
        running = [pool.submit(simulator.simulate, SIGNERS, CALLS, 1000) for _ in range(SIMULATIONS_MAX)]
        for _ in running:
            assert worker.asked.acquire(timeout=DEADLINE_S)
        with pytest.raises(OverloadedError):
            simulator.simulate(SIGNERS, CALLS, 1000)
        worker.go.set()
        assert {one.result(DEADLINE_S).outcome.code for one in running} == {"OK"}
        assert simulator.simulate(SIGNERS, CALLS, 1000).height == 0


def test_unsigned_transaction_has_the_members_active_key_and_the_length_of_a_signed_one(tmp_path: Path) -> None:
    folder = make_folder(tmp_path / "node")
    with folder.open_store(log_progress) as store:
        made = unsigned_transaction(
            store.reader(),
            folder.genesis.network_id,
            [*SIGNERS, ("port", "nobody")],
            CALLS,
            valid_until_ms=7,
            gas_limit=1000,
            chain_hash=folder.genesis.chain_hash,
        )
    admin, nobody = made.body.signers
    assert (admin.suite, admin.public_key) == (SUITE, ADMIN.public_key.raw)
    assert nobody.public_key != admin.public_key
    assert [len(signature) for signature in made.signatures] == [len(ADMIN.sign(b"x"))] * 2
