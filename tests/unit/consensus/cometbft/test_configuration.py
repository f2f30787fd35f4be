"""The engine's home: what is in it, who may read it, and that the real program takes it as it is."""

import json
import subprocess
import time
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.e2e.node_process import wait_until
from tests.kvstore_chain import NETWORK_ID, ask, height, make_homes, peers, program
from yunhe.consensus.cometbft.configuration import (
    PEER_KEY_FILE,
    SIGNING_STATE_FILE,
    VALIDATOR_KEY_FILE,
    EnginePeer,
    EngineSettings,
    EngineValidator,
    chain_id,
    check_home,
    config_text,
    engine_genesis,
    read_keys,
    write_settings,
)
from yunhe.errors import EngineFilesError
from yunhe.limits import ENGINE_PEERS_MAX, ENVELOPE_BYTES_MAX

PEER = "0123456789abcdef0123456789abcdef01234567@port.example:26656"
STRANGE_PEERS = {
    "no id": "127.0.0.1:26656",
    "a short id": "0123@127.0.0.1:26656",
    "capitals in the id": PEER.replace("abc", "ABC"),
    "no port": PEER.removesuffix(":26656"),
    "port zero": PEER.replace(":26656", ":0"),
    "a port that is none": PEER.replace(":26656", ":65536"),
    "two peers in one": PEER + "," + PEER,
    "a second line": PEER + "\n",
    "quotes": PEER.replace("port.example", 'port"example'),
}


@contextmanager
def running(homes: list[Path]) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Run the processes of a chain."""
    command = [str(program()), "start", "--proxy_app=kvstore", "--home", "."]
    processes = [
        subprocess.Popen(command, cwd=home, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for home in homes
    ]
    try:
        yield processes
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(timeout=30)


@pytest.mark.parametrize("text", STRANGE_PEERS.values(), ids=STRANGE_PEERS)
def test_peer_that_is_not_id_host_and_port_is_refused(text: str) -> None:
    with pytest.raises(EngineFilesError) as refusal:
        EnginePeer.parse(text)
    assert "ID@HOST:PORT" in refusal.value.message


def test_peer_is_written_as_it_is_read() -> None:
    assert str(EnginePeer.parse(PEER)) == PEER


def test_settings_with_more_peers_than_the_limit_are_refused() -> None:
    peer = EnginePeer.parse(PEER)
    assert config_text(EngineSettings("n", "127.0.0.1:1", (peer,) * ENGINE_PEERS_MAX))
    with pytest.raises(EngineFilesError):
        config_text(EngineSettings("n", "127.0.0.1:1", (peer,) * (ENGINE_PEERS_MAX + 1)))


def test_settings_are_those_that_the_design_of_a_consortium_asks_for() -> None:
    settings = tomllib.loads(config_text(EngineSettings("port", "0.0.0.0:26656", (EnginePeer.parse(PEER),))))
    consensus, p2p, mempool = settings["consensus"], settings["p2p"], settings["mempool"]
    assert (consensus["create_empty_blocks"], consensus["skip_timeout_commit"]) == (False, True)
    assert (mempool["type"], mempool["recheck"], mempool["max_tx_bytes"]) == ("flood", True, ENVELOPE_BYTES_MAX)
    # NET-002: the RPC has no address that another machine or user could reach, and a submitted envelope fits into its body in base64.
    assert settings["rpc"]["laddr"] == "unix://rpc.sock"
    assert settings["rpc"]["grpc_laddr"] == settings["rpc"]["pprof_laddr"] == ""
    assert settings["rpc"]["max_body_bytes"] > ENVELOPE_BYTES_MAX * 4 // 3 + 1024
    # NET-001
    assert (p2p["pex"], p2p["max_num_inbound_peers"], p2p["max_num_outbound_peers"]) == (False, 0, 0)
    assert (p2p["persistent_peers"], p2p["unconditional_peer_ids"]) == (PEER, PEER.partition("@")[0])
    assert settings["tx_index"]["indexer"] == "null"


def test_genesis_names_the_network_its_time_and_its_validators() -> None:
    genesis = json.loads(engine_genesis(NETWORK_ID, 1_790_000_000_042, [EngineValidator("港口", bytes(32), 3)], 1))
    assert genesis["chain_id"] == chain_id(NETWORK_ID) == "yunhe-" + NETWORK_ID.hex()[:40]
    # The first block has this time, and it is above the ledger's genesis.
    assert genesis["genesis_time"] == "2026-09-21T14:13:20.043Z"
    assert genesis["consensus_params"]["abci"] == {"vote_extensions_enable_height": "1"}
    (validator,) = genesis["validators"]
    # Doubled, so that half of the sum, by which the median of the votes' times is found, is none of a single vote.
    assert (validator["name"], validator["power"], validator["pub_key"]["type"]) == ("港口", "6", "tendermint/PubKeyEd25519")


def test_home_is_for_its_owner_alone(tmp_path: Path) -> None:
    # NET-003
    (home,) = make_homes(tmp_path, 1)
    check_home(home)
    for path in (home, *home.rglob("*")):
        assert path.stat().st_mode & 0o077 == 0, path


@pytest.mark.parametrize("name", ["", "data", PEER_KEY_FILE, VALIDATOR_KEY_FILE, SIGNING_STATE_FILE])
def test_home_that_others_may_reach_is_refused_by_name(tmp_path: Path, name: str) -> None:
    # NET-003
    (home,) = make_homes(tmp_path, 1)
    (home / name).chmod((home / name).stat().st_mode | 0o040)
    with pytest.raises(EngineFilesError) as refusal:
        check_home(home)
    assert f"chmod go= {home / name}" in refusal.value.message


@pytest.mark.parametrize(("name", "advice"), [(VALIDATOR_KEY_FILE, "put back the file"), (SIGNING_STATE_FILE, "could sign twice")])
def test_home_that_lacks_a_file_is_refused_with_what_to_do(tmp_path: Path, name: str, advice: str) -> None:
    (home,) = make_homes(tmp_path, 1)
    (home / name).unlink()
    with pytest.raises(EngineFilesError) as refusal:
        check_home(home)
    assert str(home / name) in refusal.value.message
    assert advice in refusal.value.message


def test_home_is_never_made_over_another(tmp_path: Path) -> None:
    make_homes(tmp_path, 1)
    with pytest.raises(FileExistsError):
        make_homes(tmp_path, 1)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"priv_key": {"value": "AA=="}}', '{"priv_key": {"value": 7}}', "[" * 100_000])
def test_key_file_that_is_none_is_refused_by_name(tmp_path: Path, text: str) -> None:
    (home,) = make_homes(tmp_path, 1)
    (home / PEER_KEY_FILE).write_text(text)
    with pytest.raises(EngineFilesError) as refusal:
        read_keys(home)
    assert str(home / PEER_KEY_FILE) in refusal.value.message


def test_program_reads_the_keys_as_they_were_made(tmp_path: Path) -> None:
    (home,) = make_homes(tmp_path, 1)
    said = [
        subprocess.run([program(), command, "--home", home], capture_output=True, text=True, check=True).stdout.strip()
        for command in ("show-validator", "show-node-id")
    ]
    validator, peer = read_keys(home)
    assert json.loads(said[0])["value"] == json.loads((home / VALIDATOR_KEY_FILE).read_text())["pub_key"]["value"]
    assert said[1] == peer
    assert len(validator.raw) == 32


def test_four_processes_connect_agree_and_come_to_rest_and_a_stranger_is_kept_out(tmp_path: Path) -> None:
    # NET-001, NET-002
    *homes, strange = make_homes(tmp_path, 5, strangers=[4])
    with running([*homes, strange]):
        wait_until(lambda: all(len(peers(home)) == 3 for home in homes), "all connected")
        wait_until(lambda: all(height(home) >= 1 for home in homes), "the first block")
        # The key-value application changes its hash with each transaction, which asks for one more block, and then there is rest.
        assert ask(homes[0], 'broadcast_tx_commit?tx="a=1"')
        wait_until(lambda: all(height(home) == 3 for home in homes), "the block and its proof block")
        # What must not happen is given the time in which it would: blocks are 100 ms apart.
        time.sleep(0.5)
        assert [height(home) for home in homes] == [3] * 4
        assert all("node4" not in peers(home) for home in homes)
        assert height(strange) == 0
        # Once it is named, it is let in and catches up.
        stranger = ask(strange, "status")
        assert stranger is not None
        named = EnginePeer(stranger["node_info"]["id"], stranger["node_info"]["listen_addr"].removeprefix("tcp://"))
    others = tuple(
        EnginePeer.parse(peer) for peer in tomllib.loads((strange / "config/config.toml").read_text())["p2p"]["persistent_peers"].split(",")
    )
    own = tomllib.loads((homes[0] / "config/config.toml").read_text())["p2p"]["laddr"].removeprefix("tcp://")
    write_settings(homes[0], EngineSettings("node0", own, (*others[1:], named)))
    with running([*homes, strange]):
        wait_until(lambda: height(strange) == 3, "the newcomer at the head")
        assert peers(strange) == {"node0"}
