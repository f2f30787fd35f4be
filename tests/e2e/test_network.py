"""A network of four organisations on this machine: made, started, used through every node, looked at, stopped and started again."""

import json
import socket
import time
from collections.abc import Iterator

import pytest

from tests.e2e.network_process import ORGANISATIONS, LocalNetwork
from tests.e2e.node_process import yunhe
from yunhe.node import NodeFolder


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalNetwork]:
    network = LocalNetwork(tmp_path_factory.mktemp("network"))
    network.start()
    yield network
    network.close()


def test_start_returns_when_all_nodes_have_the_first_block(network: LocalNetwork) -> None:
    nodes = network.status()
    assert tuple(nodes) == ORGANISATIONS
    for node in nodes.values():
        assert (node["state"], node["lag"], node["peers"], node["restarts"], node["reason"]) == ("running", 0, 3, 0, "")
        assert node["engine_height"] >= 1
        assert node["disk_bytes"] > 0


def test_what_one_node_takes_all_nodes_have_with_one_state(network: LocalNetwork) -> None:
    for organisation in ORGANISATIONS:
        assert network.transact(organisation).code == "OK"
    # A member may use the node of any organisation.
    placed = network.transact("bank", through="customs")
    assert placed.code == "OK"
    assert placed.height is not None
    network.await_agreement(placed.height)
    for organisation in ORGANISATIONS:
        with network.client(organisation) as client:
            assert client.receipt(placed.transaction_id)["height"] == placed.height


def test_network_without_work_makes_no_blocks(network: LocalNetwork) -> None:
    placed = network.transact("port")
    assert placed.height is not None
    network.await_agreement(placed.height)
    # The proof block of the last one comes at once; what must not happen is given the time of many blocks.
    time.sleep(1)
    before = [node["engine_height"] for node in network.status().values()]
    time.sleep(1)
    assert [node["engine_height"] for node in network.status().values()] == before


def test_network_that_runs_is_not_started_again(network: LocalNetwork) -> None:
    done = yunhe("--json", "network", "start", str(network.folder))
    assert done.returncode == 1
    error = json.loads(done.stderr)
    assert error["code"] == "NETWORK_RUNNING"
    assert "yunhe network stop" in error["message"]


def test_logs_are_shown_with_whose_they_are(network: LocalNetwork) -> None:
    shown = yunhe("network", "logs", str(network.folder), "--lines", "200").stdout
    assert {line.split()[0] for line in shown.splitlines()} == set(ORGANISATIONS)
    assert "node started" in shown
    engine = yunhe("network", "logs", str(network.folder), "bank", "--engine", "--lines", "500").stdout
    assert "Started node" in engine
    assert yunhe("network", "logs", str(network.folder), "shipper").returncode == 4


def test_network_that_was_stopped_goes_on_where_it_was(network: LocalNetwork) -> None:
    placed = network.transact("carrier")
    assert placed.height is not None
    network.await_agreement(placed.height)
    assert network.stop()["stopped"] == list(ORGANISATIONS)
    assert yunhe("network", "status", str(network.folder)).returncode == 3
    assert yunhe("network", "stop", str(network.folder)).returncode == 3
    network.start()
    assert {height for height, _ in network.heads().values()} == {placed.height}
    assert network.transact("bank").height == placed.height + 1


def test_port_that_is_taken_is_named_and_other_ones_are_given(network: LocalNetwork) -> None:
    network.stop()
    config = NodeFolder.load(network.node("port")).config
    with socket.create_server((config.host, config.port)):
        done = yunhe("--json", "network", "start", str(network.folder))
        assert json.loads(done.stderr)["code"] == "PORT_TAKEN"
        assert f"127.0.0.1:{config.port} (HTTP API of port)" in done.stderr
        assert yunhe("network", "start", str(network.folder), "--new-ports").returncode == 0
        assert network.transact("port").code == "OK"


def test_network_without_its_engine_is_refused_with_what_to_install(network: LocalNetwork) -> None:
    network.stop()
    done = yunhe("--json", "network", "start", str(network.folder), environment={"YUNHE_COMETBFT": "/nowhere/cometbft"})
    assert done.returncode == 4
    error = json.loads(done.stderr)
    assert error["code"] == "ENGINE_MISSING"
    assert "make engine" in error["message"]
