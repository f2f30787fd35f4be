"""The nodes of a network's folder are kept running by one process; with real nodes, which order their own envelopes here."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.node_process import wait_until
from yunhe.errors import NetworkRunningError, NodeNotRunningError, PortTakenError
from yunhe.network import NetworkFolder, NetworkPlan, make_network
from yunhe.network.look import NodeLook, look_at
from yunhe.network.starting import check_ports, check_stopped, give_new_ports, is_kept, stop_network
from yunhe.network.supervision import RUN_FILE, read_register
from yunhe.node import NewNetwork, NodeFolder
from yunhe.node.engine_home import engine_settings
from yunhe.node.node import clock_ms
from yunhe.sdk.local_node import process_start, read_run_file

KEEP = """
import os, sys
from pathlib import Path
from yunhe.network import NetworkFolder
from yunhe.network.supervision import keep_network

def command(folder):
    return [sys.executable, "-m", "yunhe.cli", "node", "start", str(folder)]

keep_network(NetworkFolder.load(Path(sys.argv[1])), command, os.environ, lambda text: print(text, flush=True))
"""


@pytest.fixture
def network(tmp_path: Path) -> NetworkFolder:
    """Two organisations."""
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    return make_network(tmp_path / "network", NetworkPlan(("bank", "port"), NewNetwork("test", clock_ms(), python), 0, 0))


def keep(network: NetworkFolder) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", KEEP, str(network.path)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A setting for one node would be one for all.
        env=os.environ | {"YUNHE_PORT": "1"},
    )


@pytest.fixture
def kept(network: NetworkFolder) -> Iterator["subprocess.Popen[str]"]:
    """The process that keeps it; all nodes answer."""
    process = keep(network)
    assert process.stdout is not None
    while process.stdout.readline().strip() != "all nodes answer":
        assert process.poll() is None, process.communicate()[1]
    yield process
    process.kill()
    process.communicate()
    for node in network.nodes:
        try:
            os.kill(read_run_file(node.folder)[0], signal.SIGKILL)
        except NodeNotRunningError:
            continue


def pid(network: NetworkFolder, organisation: str) -> int:
    return read_run_file(network.node(organisation).folder)[0]


def looks(network: NetworkFolder) -> dict[str, NodeLook]:
    return {look.organisation: look for look in look_at(network, clock_ms())}


def test_node_that_is_killed_runs_again_and_one_that_is_stopped_stays_so(network: NetworkFolder, kept: "subprocess.Popen[str]") -> None:
    # NET-011
    assert is_kept(network.path)
    assert read_register(network.path)[0] == kept.pid
    assert {look.state for look in looks(network).values()} == {"running"}
    killed = pid(network, "bank")
    os.kill(killed, signal.SIGKILL)
    wait_until(lambda: looks(network)["bank"].restarts == 1 and looks(network)["bank"].state == "running", "the node again")
    assert pid(network, "bank") != killed
    assert looks(network)["bank"].reason == "signal SIGKILL"
    os.kill(pid(network, "port"), signal.SIGTERM)
    wait_until(lambda: read_register(network.path)[1]["port"].state == "stopped", "a node that was stopped")
    assert (looks(network)["port"].state, looks(network)["port"].restarts) == ("stopped", 0)


def test_network_that_runs_is_neither_started_nor_kept_a_second_time(network: NetworkFolder, kept: "subprocess.Popen[str]") -> None:
    # NET-012
    with pytest.raises(NetworkRunningError):
        check_stopped(network)
    second = keep(network)
    _, error = second.communicate(timeout=60)
    assert second.returncode != 0
    assert "NetworkRunningError" in error
    assert kept.poll() is None


def test_network_is_stopped_with_all_its_nodes(network: NetworkFolder, kept: "subprocess.Popen[str]") -> None:
    nodes = [pid(network, "bank"), pid(network, "port")]
    assert stop_network(network) == ["bank", "port"]
    assert kept.wait(timeout=60) == 0
    assert [process_start(number) for number in nodes] == [None, None]
    assert not (network.path / RUN_FILE).exists()
    check_stopped(network)
    with pytest.raises(NodeNotRunningError):
        stop_network(network)
    assert {look.state for look in looks(network).values()} == {"stopped"}


def test_nodes_that_lost_their_keeper_are_found_and_stopped(network: NetworkFolder, kept: "subprocess.Popen[str]") -> None:
    kept.kill()
    kept.wait()
    assert not is_kept(network.path)
    with pytest.raises(NetworkRunningError) as refusal:
        check_stopped(network)
    assert "bank, port" in refusal.value.message
    assert stop_network(network) == ["bank", "port"]
    check_stopped(network)


def test_network_with_a_node_that_does_not_start_runs_none(network: NetworkFolder) -> None:
    # NET-011
    key = network.node("port").folder / "keys" / "node.pem"
    text = key.read_text()
    key.write_text(text.replace("PRIVATE KEY", "SECRET KEY"))
    process = keep(network)
    _, error = process.communicate(timeout=60)
    assert process.returncode != 0
    assert "NodeStartError: the node of port did not start: " in error
    check_stopped(network)


def test_ports_that_are_taken_are_named_and_others_can_be_had(network: NetworkFolder, kept: "subprocess.Popen[str]") -> None:
    # NET-012
    with pytest.raises(PortTakenError) as refusal:
        check_ports(network)
    for organisation in ("bank", "port"):
        port = NodeFolder.load(network.node(organisation).folder).config.port
        assert f"127.0.0.1:{port} (HTTP API of {organisation})" in refusal.value.message
    assert "--new-ports" in refusal.value.message
    # Even while the old ones are in use.
    give_new_ports(network)
    check_ports(NetworkFolder.load(network.path))
    bank, port = (engine_settings(NodeFolder.load(node.folder).config) for node in network.nodes)
    assert [peer.address for peer in bank.peers] == [port.listen]
    assert [peer.address for peer in port.peers] == [bank.listen]


@pytest.mark.parametrize(
    "text", ["", "[]", "{", '{"pid": 1, "start": 1, "nodes": {}}', '{"pid": "x"}', '{"pid": 1, "start": 1, "nodes": []}']
)
def test_register_that_is_none_is_no_running_network(tmp_path: Path, text: str) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / RUN_FILE).write_text(text)
    with pytest.raises(NodeNotRunningError):
        read_register(tmp_path)


def test_register_of_a_process_that_another_has_the_number_of_is_no_running_network(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / RUN_FILE).write_text(json.dumps({"pid": os.getpid(), "start": 1, "nodes": {}}))
    with pytest.raises(NodeNotRunningError):
        read_register(tmp_path)
