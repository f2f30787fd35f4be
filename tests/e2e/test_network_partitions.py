"""A network of four whose links fail under load: who has more than two thirds goes on, who has less decides nothing, and all agree after.

Parts of three and one, of two and two, and one node whose links are slow. What was acknowledged is on every node exactly once, no two nodes
have other blocks at one height, and what was accepted where nothing could be decided is decided when the links are mended.
"""

import random
import threading
from collections.abc import Iterator

import pytest

from tests.e2e.network_links import LinkedNetwork
from tests.e2e.network_load import CALL, Load, await_connected, require_everywhere_once
from tests.e2e.network_process import ORGANISATIONS
from tests.e2e.node_process import wait_until
from yunhe.sdk import Submitted

SLOW_S, SLOW_BYTES_PER_S = 0.2, 50_000


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LinkedNetwork]:
    network = LinkedNetwork(tmp_path_factory.mktemp("network"))
    network.start()
    yield network
    network.close()


class Waiting(threading.Thread):
    """A transaction that is accepted by a node and decided some time."""

    def __init__(self, network: LinkedNetwork, organisation: str) -> None:
        super().__init__(daemon=True)
        self._network = network
        self.organisation = organisation
        self.placed: list[Submitted] = []
        with network.client(organisation) as client:
            self.transaction = client.build([network.key(organisation)], [CALL])
            assert client.submit(self.transaction, wait=False).status == "accepted"
        self.start()

    def run(self) -> None:
        # Handed in again it is the same one, and this waits for its outcome.
        with self._network.client(self.organisation, timeout_s=90) as client:
            self.placed.append(client.submit(self.transaction))

    def finish(self) -> list[Submitted]:
        """Wait until it is decided."""
        self.join(60)
        assert self.placed, f"what the node of {self.organisation} accepted was not decided"
        return self.placed


def height(network: LinkedNetwork, organisation: str) -> int:
    with network.client(organisation) as client:
        return int(client.status()["height"])


def part(network: LinkedNetwork, how: str, *groups: tuple[str, ...]) -> None:
    if how == "cut":
        network.links.cut(*groups)
    else:
        network.links.silence(*groups)


def mend(network: LinkedNetwork) -> None:
    network.links.mend()
    for organisation in ORGANISATIONS:
        # The last link has taken minutes to come back, now and then; meanwhile an engine hears of everything through the others.
        await_connected(network, organisation, peers=2)


@pytest.mark.parametrize("how", ["silent", "cut"])
def test_three_of_four_go_on_without_the_one_that_is_parted_and_it_follows_when_it_is_back(network: LinkedNetwork, how: str) -> None:
    alone, others = "customs", ("carrier", "bank", "port")
    load = Load(network, "carrier")
    load.await_more(4)
    part(network, how, others, (alone,))
    # A block may have been on its way.
    before = height(network, alone)
    waiting = Waiting(network, alone)
    load.await_more(8)
    assert waiting.placed == []
    assert height(network, alone) <= before + 1 < height(network, "carrier")
    mend(network)
    require_everywhere_once(network, [*load.finish(), *waiting.finish()])


def test_two_and_two_decide_nothing_until_they_meet_again(network: LinkedNetwork) -> None:
    load = Load(network, "carrier")
    load.await_more(4)
    part(network, "silent", ("carrier", "bank"), ("port", "customs"))
    waiting = Waiting(network, "port")
    # What must not happen is given the time of many blocks.
    waiting.join(0.5)
    at_rest = {organisation: height(network, organisation) for organisation in ORGANISATIONS}
    waiting.join(2)
    assert {organisation: height(network, organisation) for organisation in ORGANISATIONS} == at_rest
    assert waiting.placed == []
    mend(network)
    require_everywhere_once(network, [*load.finish(), *waiting.finish()])


def test_node_whose_links_are_slow_holds_up_nobody_and_follows(network: LinkedNetwork) -> None:
    network.links.slow("bank", SLOW_S, SLOW_BYTES_PER_S)
    load = Load(network, "carrier")
    placed = load.finish()
    waiting = Waiting(network, "bank")
    placed += waiting.finish()
    wait_until(lambda: height(network, "bank") >= (placed[-1].height or 0), "the slow node at the head")
    network.links.mend()
    require_everywhere_once(network, placed)


# --- by seeds --------------------------------------------------------------------------------------------------------------------------


def chosen_parts(chosen: random.Random, majority: bool) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return two groups, the larger one first."""
    shuffled = chosen.sample(ORGANISATIONS, len(ORGANISATIONS))
    at = 3 if majority else 2
    return tuple(shuffled[:at]), tuple(shuffled[at:])


@pytest.mark.long
@pytest.mark.timeout(300)
@pytest.mark.parametrize("seed", range(20))
def test_three_and_one_by_chance_again_and_again(network: LinkedNetwork, seed: int) -> None:
    chosen = random.Random(seed)
    load = Load(network, chosen.choice(ORGANISATIONS))
    waited: list[Submitted] = []
    for _ in range(3):
        load.await_more(chosen.randint(1, 4))
        most, alone = chosen_parts(chosen, majority=True)
        part(network, chosen.choice(["cut", "silent"]), most, alone)
        waiting = Waiting(network, alone[0])
        if load.organisation in most:
            load.await_more(chosen.randint(1, 4))
        mend(network)
        waited += waiting.finish()
    require_everywhere_once(network, [*load.finish(), *waited])


@pytest.mark.long
@pytest.mark.timeout(300)
@pytest.mark.parametrize("seed", range(20))
def test_two_and_two_by_chance_again_and_again(network: LinkedNetwork, seed: int) -> None:
    chosen = random.Random(seed)
    load = Load(network, chosen.choice(ORGANISATIONS))
    waited: list[Submitted] = []
    for _ in range(2):
        load.await_more(chosen.randint(1, 4))
        some, others = chosen_parts(chosen, majority=False)
        part(network, chosen.choice(["cut", "silent"]), some, others)
        waiting = [Waiting(network, some[0]), Waiting(network, others[0])]
        waiting[0].join(chosen.random() * 3)
        mend(network)
        waited += waiting[0].finish() + waiting[1].finish()
    require_everywhere_once(network, [*load.finish(), *waited])


@pytest.mark.long
@pytest.mark.timeout(300)
@pytest.mark.parametrize("seed", range(20))
def test_one_slow_node_by_chance(network: LinkedNetwork, seed: int) -> None:
    chosen = random.Random(seed)
    slow = chosen.choice(ORGANISATIONS)
    network.links.slow(slow, chosen.uniform(0.05, 0.4), chosen.randint(20_000, 200_000))
    placed = Load(network, chosen.choice([name for name in ORGANISATIONS if name != slow])).finish()
    placed += Waiting(network, slow).finish()
    network.links.mend()
    require_everywhere_once(network, placed)
