"""Networks of several organisations are founded with one genesis, and each node's engine begins from it."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.kvstore_chain import program
from tests.unit.node.open_node import ADMIN
from yunhe.consensus.cometbft.configuration import CONFIG_FILE, GENESIS_FILE, PEER_KEY_FILE, check_home, read_keys, read_peers
from yunhe.errors import EngineFilesError, InvalidGenesisError, MalformedError
from yunhe.ledger.genesis import FoundingMember, Genesis
from yunhe.node import NewNetwork, NodeConfig, NodeFolder
from yunhe.node.engine_home import ENGINE_FOLDER, engine_genesis, prepare_engine
from yunhe.node.founding import Founder, NodeKeys, fill_node_folder, folder_in_the_making, found_network

NETWORK = NewNetwork("test", 1_790_000_000_000, "3.11")
PEER = "0123456789abcdef0123456789abcdef01234567@127.0.0.1:26657"


def founder(organisation: str, *, with_engine: bool = True) -> Founder:
    admin = FoundingMember("admin", ("admin",), (ADMIN.public_key,))
    return Founder(organisation, organisation, (admin,), "node1", NodeKeys.generate("ed25519-sha256", with_engine=with_engine))


def make_node(path: Path, genesis: Genesis, one: Founder) -> NodeFolder:
    config = NodeConfig(one.organisation, one.node, engine="cometbft", engine_peers=PEER)
    with folder_in_the_making(path) as partial:
        fill_node_folder(partial, config, genesis, one.keys)
    return NodeFolder.load(path)


def test_genesis_of_several_has_each_with_its_keys_and_one_vote() -> None:
    # LED-004
    founders = [founder(name) for name in ("port", "bank", "carrier")]
    genesis = found_network(NETWORK, founders)
    assert [validator.organisation for validator in genesis.validators] == ["bank", "carrier", "port"]
    assert {validator.power for validator in genesis.validators} == {1}
    port = founders[0].keys
    assert port.engine is not None
    assert genesis.validators[2].public_key == port.engine.validator.public_key.raw
    assert genesis.certifiers.members[2].public_key == port.ledger.public_key.raw
    assert [organisation.organisation for organisation in genesis.organisations] == ["port", "bank", "carrier"]


@pytest.mark.parametrize("names", [["port", "port"], ["port", "bank", "port"]])
def test_organisation_that_founds_twice_is_refused(names: list[str]) -> None:
    with pytest.raises((InvalidGenesisError, MalformedError)):
        found_network(NETWORK, [founder(name) for name in names])


def test_founder_without_an_engine_among_others_is_refused() -> None:
    # LED-004
    with pytest.raises(InvalidGenesisError):
        found_network(NETWORK, [founder("port"), founder("bank", with_engine=False)])


def test_node_has_the_home_of_its_engine(tmp_path: Path) -> None:
    one, other = founder("port"), founder("bank")
    genesis = found_network(NETWORK, [one, other])
    node = make_node(tmp_path / "node", genesis, one)
    home = node.path / ENGINE_FOLDER
    check_home(home)
    engine = json.loads((home / GENESIS_FILE).read_text())
    assert engine["chain_id"] == f"yunhe-{genesis.network_id.hex()[:40]}"
    assert [validator["name"] for validator in engine["validators"]] == ["bank", "port"]
    validator, peer = read_keys(home)
    assert validator.raw == genesis.validators[1].public_key
    assert len(peer) == 40
    assert [str(peer) for peer in read_peers(home)] == [PEER]


def test_engine_is_prepared_with_what_the_node_s_settings_say_now(tmp_path: Path) -> None:
    one = founder("port")
    node = make_node(tmp_path / "node", found_network(NETWORK, [one]), one)
    changed = replace(node, config=replace(node.config, engine_peers=f"{PEER}, {PEER.replace('26657', '26658')}", engine_listen="[::1]:7"))
    prepare_engine(changed, {"YUNHE_COMETBFT": str(program())}, pytest.fail)
    assert len(read_peers(node.path / ENGINE_FOLDER)) == 2
    assert 'laddr = "tcp://[::1]:7"' in (node.path / ENGINE_FOLDER / CONFIG_FILE).read_text()


@pytest.mark.parametrize("change", ["another network's genesis", "a peer that is none", "a key that others may read"])
def test_engine_that_cannot_be_right_is_refused_before_it_runs(tmp_path: Path, change: str) -> None:
    # NET-003
    one = founder("port")
    genesis = found_network(NETWORK, [one])
    node = make_node(tmp_path / "node", genesis, one)
    home = node.path / ENGINE_FOLDER
    if change == "another network's genesis":
        (home / GENESIS_FILE).write_text(engine_genesis(replace(genesis, time_ms=1)))
    elif change == "a peer that is none":
        node = replace(node, config=replace(node.config, engine_peers="127.0.0.1:26656"))
    else:
        (home / PEER_KEY_FILE).chmod(0o644)
    with pytest.raises(EngineFilesError):
        prepare_engine(node, {"YUNHE_COMETBFT": str(program())}, pytest.fail)
