"""NET-010: the folder of a network is made whole or not at all, and used only when it is whole."""

import json
import shutil
import socket
from pathlib import Path

import pytest

from yunhe.consensus.cometbft.configuration import read_keys, read_peers
from yunhe.errors import FolderNotEmptyError, MalformedError, NetworkFolderError, PortTakenError, YunheError
from yunhe.limits import NETWORK_NODES_MAX
from yunhe.network import NetworkFolder, NetworkPlan, make_network
from yunhe.network.ports import free_ports, is_free
from yunhe.node import NewNetwork, NodeFolder
from yunhe.node.engine_home import ENGINE_FOLDER
from yunhe.sdk import read_key_file

ORGANISATIONS = ("carrier", "bank", "port", "customs")


def plan(organisations: tuple[str, ...] = ORGANISATIONS, api_port: int = 0, engine_port: int = 0) -> NetworkPlan:
    return NetworkPlan(organisations, NewNetwork("test", 1_790_000_000_000, "3.11"), api_port, engine_port)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> NetworkFolder:
    """A network's folder; tests that change it copy it."""
    return make_network(tmp_path_factory.mktemp("network") / "consortium", plan())


def test_folder_has_a_node_and_an_admin_of_each_organisation_and_one_genesis(made: NetworkFolder) -> None:
    # NET-010
    assert NetworkFolder.load(made.path) == made
    assert tuple(node.organisation for node in made.nodes) == ORGANISATIONS
    peers = {read_keys(node.folder / ENGINE_FOLDER)[1] for node in made.nodes}
    passphrase = made.passphrase.read_text().strip()
    for node in made.nodes:
        loaded = NodeFolder.load(node.folder)
        assert loaded.genesis == made.genesis
        assert (loaded.config.organisation, loaded.config.engine) == (node.organisation, "cometbft")
        assert loaded.load_keys()
        home = node.folder / ENGINE_FOLDER
        own = read_keys(home)[1]
        assert {peer.peer_id for peer in read_peers(home)} == peers - {own}
        key = read_key_file(made.admin_key(node.organisation)).open(passphrase)
        (organisation,) = (one for one in made.genesis.organisations if one.organisation == node.organisation)
        assert organisation.members[0].keys == (key.key.public_key,)
    ports = [NodeFolder.load(node.folder).config.port for node in made.nodes]
    ports += [int(NodeFolder.load(node.folder).config.engine_listen.rpartition(":")[2]) for node in made.nodes]
    assert len(set(ports)) == 8


def test_folder_holds_no_secret_that_others_may_read(made: NetworkFolder) -> None:
    for path in made.path.rglob("*"):
        if any(part in ("keys", "secrets", "engine") for part in path.relative_to(made.path).parts):
            assert path.stat().st_mode & 0o077 == 0, path
    for path in (made.path / "nodes").iterdir():
        assert path.stat().st_mode & 0o077 == 0, path


LACKING = {
    "what says what it is": ("network.json", "half"),
    "the genesis": ("genesis.json", "genesis.json"),
    "a node": ("nodes/bank", "bank"),
    "a node's settings": ("nodes/port/node.toml", "port"),
    "a node's genesis": ("nodes/port/genesis.json", "port"),
    "a node's key": ("nodes/customs/keys/node.pem", "lacks the node's keys"),
    "an engine": ("nodes/carrier/engine", "carrier"),
    "an engine's signing state": ("nodes/carrier/engine/data/priv_validator_state.json", "could sign twice"),
    "an admin's key": ("keys/bank.admin.pem", "bank.admin.pem"),
    "the passphrase": ("secrets/passphrase", "passphrase"),
}


@pytest.mark.parametrize(("path", "named"), LACKING.values(), ids=LACKING)
def test_folder_that_lacks_something_is_refused_by_name(made: NetworkFolder, tmp_path: Path, path: str, named: str) -> None:
    # NET-010
    copy = Path(shutil.copytree(made.path, tmp_path / "copy"))
    lacking = copy / path
    shutil.rmtree(lacking) if lacking.is_dir() else lacking.unlink()
    with pytest.raises(NetworkFolderError) as refusal:
        NetworkFolder.load(copy)
    assert named in refusal.value.message


WRONG = {
    "another version": {"version": 2},
    "another format": {"format": "yunhe-genesis"},
    "another network": {"network_id": "00" * 32},
    "no organisations": {"organisations": []},
    "an organisation that leads elsewhere": {"organisations": ["../bank"]},
    "an organisation twice": {"organisations": ["bank", "bank"]},
    "an organisation more": {"organisations": [*ORGANISATIONS, "stranger"]},
    "a number for the organisations": {"organisations": 4},
}


@pytest.mark.parametrize("change", WRONG.values(), ids=WRONG)
def test_folder_that_says_something_else_of_itself_is_refused(made: NetworkFolder, tmp_path: Path, change: dict[str, object]) -> None:
    # NET-010
    copy = Path(shutil.copytree(made.path, tmp_path / "copy"))
    file = copy / "network.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | change))
    with pytest.raises(NetworkFolderError):
        NetworkFolder.load(copy)


@pytest.mark.parametrize("text", ["", "[]", "7", "{", "[" * 100_000, "\x00"])
def test_file_that_is_no_description_of_a_network_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "network.json").write_text(text)
    with pytest.raises(NetworkFolderError):
        NetworkFolder.load(tmp_path)


@pytest.mark.parametrize("file", ["secrets/passphrase", "keys/port.admin.pem", "nodes/bank/engine/config/node_key.json"])
def test_folder_with_a_secret_that_others_may_read_is_refused_by_name(made: NetworkFolder, tmp_path: Path, file: str) -> None:
    # NET-010
    copy = Path(shutil.copytree(made.path, tmp_path / "copy"))
    (copy / file).chmod(0o640)
    with pytest.raises(NetworkFolderError) as refusal:
        NetworkFolder.load(copy)
    assert f"chmod go= {copy / file}" in refusal.value.message


def test_node_with_another_networks_genesis_is_refused(made: NetworkFolder, tmp_path: Path) -> None:
    # NET-010
    copy = Path(shutil.copytree(made.path, tmp_path / "copy"))
    other = make_network(tmp_path / "other", plan(("port",)))
    shutil.copy(other.path / "genesis.json", copy / "nodes/bank/genesis.json")
    with pytest.raises(NetworkFolderError) as refusal:
        NetworkFolder.load(copy)
    assert "another network" in refusal.value.message


@pytest.mark.parametrize(
    ("organisations", "kind"),
    [
        ((), NetworkFolderError),
        (("port", "port"), NetworkFolderError),
        (("Port",), MalformedError),
        (("../port",), MalformedError),
        (tuple(f"o{number}" for number in range(NETWORK_NODES_MAX + 1)), NetworkFolderError),
    ],
    ids=["none", "one twice", "a capital", "a path", "too many"],
)
def test_network_of_organisations_that_cannot_be_is_refused_and_leaves_nothing(
    tmp_path: Path, organisations: tuple[str, ...], kind: type[YunheError]
) -> None:
    with pytest.raises(kind):
        make_network(tmp_path / "consortium", plan(organisations))
    assert list(tmp_path.iterdir()) == []


def test_folder_with_something_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "letter").write_text("dear")
    with pytest.raises(FolderNotEmptyError):
        make_network(tmp_path, plan())
    assert [path.name for path in tmp_path.iterdir()] == ["letter"]


def test_network_that_has_no_node_of_an_organisation_says_which_it_has(made: NetworkFolder) -> None:
    assert made.node("bank").folder == made.path / "nodes" / "bank"
    with pytest.raises(NetworkFolderError) as refusal:
        made.node("customer")
    assert "carrier, bank, port, customs" in refusal.value.message


def test_ports_that_are_taken_are_passed_over() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        taken = server.getsockname()[1]
        assert not is_free("127.0.0.1", taken)
        found = free_ports("127.0.0.1", taken, 2)
        assert taken not in found
        assert len(set(found)) == 2
    assert is_free("127.0.0.1", taken)
    assert free_ports("127.0.0.1", taken, 1, besides=[taken]) != [taken]


def test_any_ports_are_none_that_the_system_gives_to_connections() -> None:
    dynamic = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    found = free_ports("127.0.0.1", 0, 4)
    assert len(set(found)) == 4
    assert all(10_000 <= port < dynamic for port in found)


def test_ports_beyond_the_last_are_refused() -> None:
    with pytest.raises(PortTakenError):
        free_ports("127.0.0.1", 65530, 10)
