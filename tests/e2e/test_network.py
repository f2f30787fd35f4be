"""A network of four organisations on this machine: made, started, used through every node, looked at, stopped and started again."""

import json
import socket
import time
from pathlib import Path

from tests.e2e.network_load import await_connected
from tests.e2e.network_process import ORGANISATIONS, LocalNetwork
from tests.e2e.node_process import yunhe, yunhe_json
from yunhe.node import NodeFolder


def test_start_returns_when_all_nodes_have_the_first_block(network: LocalNetwork) -> None:
    # Two thirds make the first block; the last ones may meet a moment later.
    for organisation in ORGANISATIONS:
        await_connected(network, organisation)
    nodes = {node["organisation"]: node for node in yunhe_json("network", "status", str(network.folder))["nodes"]}
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
    before = [(node["engine_height"], node["height"]) for node in network.status().values()]
    time.sleep(2)
    assert [(node["engine_height"], node["height"]) for node in network.status().values()] == before


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


def test_logs_of_nodes_and_engines_hold_no_secret(network: LocalNetwork) -> None:
    assert network.transact("bank").code == "OK"
    secrets = [network.folder / "secrets" / "passphrase"]
    for organisation in ORGANISATIONS:
        secrets += [network.node(organisation) / "secrets" / name for name in ("passphrase", "api-token")]
    texts = [path.read_text().strip() for path in secrets]
    for organisation in ORGANISATIONS:
        for name in ("node_key.json", "priv_validator_key.json"):
            texts.append(json.loads((network.node(organisation) / "engine" / "config" / name).read_text())["priv_key"]["value"])
    logs = [path for path in network.folder.rglob("log/*") if path.is_file()]
    assert len(logs) >= 2 * len(ORGANISATIONS)
    for log in logs:
        assert not [text for text in texts if text in log.read_text()], log


def test_folder_of_a_network_that_runs_is_its_owners(network: LocalNetwork) -> None:
    """NET-003: whatever the processes have made since."""
    for organisation in ORGANISATIONS:
        assert network.node(organisation).stat().st_mode & 0o077 == 0
        for path in (network.node(organisation) / "engine").rglob("*"):
            assert path.stat().st_mode & 0o077 == 0 or path.is_socket(), path


def test_engine_listens_for_its_peers_and_on_no_other_port(network: LocalNetwork) -> None:
    """NET-002: RPC and application have sockets in the home."""
    for organisation in ORGANISATIONS:
        listened = {int(port) for port in _listening(network.engine_pid(organisation))}
        own = NodeFolder.load(network.node(organisation)).config.engine_listen
        assert listened == {int(own.rpartition(":")[2])}


def _listening(pid: int) -> set[int]:
    """Return the TCP ports on which a process listens."""
    sockets = set()
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        target = str(descriptor.readlink())
        if target.startswith("socket:["):
            sockets.add(target.removeprefix("socket:[").removesuffix("]"))
    ports = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/{pid}/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            # State 0A is LISTEN (proc_net_tcp(5)).
            if fields[3] == "0A" and fields[9] in sockets:
                ports.add(int(fields[1].rpartition(":")[2], 16))
    return ports


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
