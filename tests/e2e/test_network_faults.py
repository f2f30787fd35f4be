"""A network of four goes on while processes of one node are killed under load, and halts and resumes when two are gone.

What was acknowledged is on every node exactly once, and all have one state.
"""

import random
import threading

import pytest

from tests.e2e.network_load import Load, await_connected, require_everywhere_once
from tests.e2e.network_process import ORGANISATIONS, LocalNetwork
from tests.e2e.node_process import wait_until, yunhe, yunhe_json
from yunhe.sdk import Submitted


def kill(network: LocalNetwork, organisation: str, what: str) -> None:
    if what == "node":
        network.kill(network.pid(organisation))
    elif what == "engine":
        network.kill(network.engine_pid(organisation))
    else:
        network.kill(network.worker_pids(organisation)[0])


@pytest.mark.parametrize("what", ["node", "engine", "worker"])
def test_process_of_another_node_that_is_killed_under_load_costs_nothing_and_comes_back(network: LocalNetwork, what: str) -> None:
    # NET-011, NET-005
    load = Load(network, "carrier")
    wait_until(lambda: len(load.placed) >= 4, "a load")
    kill(network, "bank", what)
    placed = load.finish()
    wait_until(lambda: network.status()["bank"]["state"] == "running", "the node again")
    require_everywhere_once(network, placed)
    assert network.transact("bank").code == "OK"


@pytest.mark.parametrize("what", ["engine", "worker"])
def test_process_of_the_node_that_takes_the_load_is_killed_and_no_transaction_is_lost(network: LocalNetwork, what: str) -> None:
    # NET-034
    load = Load(network, "port")
    wait_until(lambda: len(load.placed) >= 4, "a load")
    kill(network, "port", what)
    require_everywhere_once(network, load.finish())


def test_two_of_four_that_are_gone_halt_the_ledger_and_it_resumes_when_one_is_back(network: LocalNetwork) -> None:
    # NET-034: what was accepted meanwhile waits.
    before = network.transact("carrier")
    assert before.height is not None
    network.await_agreement(before.height)
    for organisation in ("bank", "customs"):
        assert yunhe("node", "stop", str(network.node(organisation))).returncode == 0
    waiting = threading.Thread(target=lambda: placed.append(network.transact("carrier")), daemon=True)
    placed: list[Submitted] = []
    waiting.start()
    # What must not happen is given the time of many blocks.
    waiting.join(2)
    assert placed == []
    assert {network.status()[organisation]["height"] for organisation in ("carrier", "port")} == {before.height}
    yunhe_json("node", "start", str(network.node("bank")), "--background")
    waiting.join(60)
    assert [one.code for one in placed] == ["OK"]
    yunhe_json("node", "start", str(network.node("customs")), "--background")
    require_everywhere_once(network, [before, *placed])


@pytest.mark.long
@pytest.mark.timeout(300)
@pytest.mark.parametrize("seed", range(20))
def test_processes_that_are_killed_at_random_under_load_lose_nothing(network: LocalNetwork, seed: int) -> None:
    """One process of one node at a time, of which the others are enough; the seed says which and when."""
    chosen = random.Random(seed)
    load = Load(network, chosen.choice(ORGANISATIONS))
    while len(load.placed) < load.count - 4 and load.is_alive():
        load.await_more(chosen.randint(1, 6))
        # The node that answers the load is spared, or its callers would have to ask again; its engine and worker are not.
        victim = chosen.choice(ORGANISATIONS)
        kill(network, victim, chosen.choice(["engine", "worker"] if victim == load.organisation else ["node", "engine", "worker"]))
        await_connected(network, victim)
    require_everywhere_once(network, load.finish())
