"""What one organisation's node can send to the others, on a real network: they refuse it, name it, go on, and stay as they are.

The node of `port` is run by the test: it hands on envelopes whose transactions nobody signed, garbled ones, the same transactions again and
again and what is too large, proposes all that too, and keeps its own member's transactions back.
"""

import random
from collections.abc import Iterator

import pytest

from tests.e2e.hostile_node import HostileNode
from tests.e2e.network_process import ROLES, LocalNetwork
from tests.e2e.node_process import wait_until, yunhe
from yunhe.ledger.codec import encode
from yunhe.limits import ENVELOPE_BYTES_MAX, ENVELOPE_TRANSACTIONS_MAX
from yunhe.sdk import Call, Client, Submitted
from yunhe.sdk.local_node import read_run_file

HONEST = ("carrier", "bank", "customs")


@pytest.fixture(scope="module")
def hostile(network: LocalNetwork) -> Iterator[HostileNode]:
    # One that ends well is not started again.
    assert yunhe("node", "stop", str(network.node("port"))).returncode == 0
    node = HostileNode(network.node("port"), network.key("port")).start()
    yield node
    node.stop()


@pytest.fixture(autouse=True)
def _as_others_do(hostile: HostileNode) -> Iterator[None]:
    yield
    hostile.proposes = lambda envelopes: envelopes


def require_unharmed(network: LocalNetwork) -> list[Submitted]:
    """Require that the others run, commit what their members send, and have one state."""
    placed = [network.transact(organisation) for organisation in HONEST]
    assert [one.code for one in placed] == ["OK"] * 3
    height = max(one.height or 0 for one in placed)
    wait_until(lambda: min(at for at, _ in heads(network).values()) >= height, "all at a height")
    wait_until(lambda: len(set(heads(network).values())) == 1, "one state")
    status = network.status()
    assert {status[organisation]["state"] for organisation in HONEST} == {"running"}
    for organisation in HONEST:
        with network.client(organisation) as client:
            assert [client.receipt(one.transaction_id)["height"] for one in placed] == [one.height for one in placed]
    return placed


def heads(network: LocalNetwork) -> dict[str, tuple[int, str]]:
    """Return height and state root of the honest nodes."""
    found = {}
    for organisation in HONEST:
        with network.client(organisation) as client:
            height = client.status()["height"]
            found[organisation] = (height, str(client.block(height)["header"]["state_root"]))
    return found


def places(client: Client, transaction_id: bytes) -> int:
    """Return how many places a transaction has in the ledger."""
    return sum(client.block(height)["transaction_ids"].count(transaction_id.hex()) for height in range(1, client.status()["height"] + 1))


def test_signatures_that_do_not_verify_are_refused_and_named(network: LocalNetwork, hostile: HostileNode) -> None:
    """COD-041, ABC-022: and what is garbled, or in the name of another."""
    before = heads(network)
    real = hostile.envelope(hostile.transaction())
    for at in random.Random(1).sample(range(len(real)), 20):
        hostile.send(real[:at] + bytes([real[at] ^ 1]) + real[at + 1 :])
    unsigned = hostile.unsigned()
    for _ in range(6):
        hostile.send(hostile.envelope(*[unsigned] * (ENVELOPE_TRANSACTIONS_MAX // 4)))
    for organisation in HONEST:
        log = network.node(organisation) / "log" / "node.log"
        wait_until(lambda log=log: "what does not verify" in log.read_text() and "port/node1" in log.read_text(), "the sender's name")
    assert {state for _, state in heads(network).values()} == {state for _, state in before.values()}
    require_unharmed(network)


def test_transactions_that_come_again_and_again_have_one_place(network: LocalNetwork, hostile: HostileNode) -> None:
    """LED-011, LED-016"""
    sent = hostile.transaction()
    same = hostile.envelope(sent)
    for _ in range(20):
        hostile.send(same)
        hostile.send(hostile.envelope(sent, sent))
    with network.client("carrier") as client:
        wait_until(lambda: places(client, sent.id) == 1, "the one place")
        hostile.proposes = lambda envelopes: [same, *envelopes]
        require_unharmed(network)
        assert places(client, sent.id) == 1


def test_envelope_that_is_too_large_is_not_handed_on(network: LocalNetwork, hostile: HostileNode) -> None:
    """COD-040: the others part with whom it comes from, until it comes again."""
    large = encode([bytes(ENVELOPE_BYTES_MAX + 1024), bytes(64)])
    # Its own engine takes it, and would hand it on.
    assert hostile.send(large) == ""
    require_unharmed(network)
    wait_until(lambda: hostile.peers() == 3, "a node that has come again")


PROPOSALS = {
    "what nobody signed": lambda hostile: [hostile.envelope(hostile.unsigned())],
    "what is no envelope": lambda hostile: [b"no envelope"],
    "what is over": lambda hostile: [hostile.envelope(hostile.transaction(valid_ms=-60_000))],
    "one twice": lambda hostile: [hostile.envelope(hostile.transaction())] * 2,
    "too many": lambda hostile: [hostile.envelope(hostile.transaction()) for _ in range(65)],
}


@pytest.mark.parametrize("made", PROPOSALS.values(), ids=PROPOSALS)
def test_proposal_that_breaks_the_rules_costs_a_round_and_no_more(network: LocalNetwork, hostile: HostileNode, made) -> None:
    """ABC-004, ABC-005"""
    hostile.proposes = lambda _: made(hostile)
    before = hostile.proposed
    while hostile.proposed == before:
        require_unharmed(network)


def test_member_whose_gateway_keeps_its_transactions_back_relays_them_through_another(network: LocalNetwork, hostile: HostileNode) -> None:
    """API-021: its own node takes no transaction, and proposes no block with one."""
    hostile.proposes = lambda _: []
    with Client(read_run_file(network.node("carrier"))[1]) as stranger:
        for _ in range(3):
            relayed = stranger.relay(stranger.build([network.key("port")], [Call("registry", "set_member", ROLES)]))
            assert relayed.code == "OK"
    require_unharmed(network)
