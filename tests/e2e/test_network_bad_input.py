"""What people get wrong with networks, typed at real processes: each is refused by name, says what to do, and changes nothing.

More of each kind is in the unit tests: of folders in tests/unit/network, of invitations in tests/unit/node/test_joining.py, of the engine's
program in tests/unit/consensus/cometbft/test_program.py. What is refused while a network runs is in test_network.py.
"""

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.network_process import LocalNetwork
from tests.e2e.node_process import yunhe, yunhe_json
from yunhe.network import NetworkPlan, make_network
from yunhe.node import NewNetwork, NodeFolder
from yunhe.node.joining import JoinRequest, invite

NOW_MS = 1_790_000_000_000
DAY_MS = 86_400_000


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> LocalNetwork:
    """A network that never runs, of an organisation that bears nobody's loss."""
    return LocalNetwork(tmp_path_factory.mktemp("kept"), ("bank",))


@pytest.fixture
def network(kept: LocalNetwork, tmp_path: Path) -> LocalNetwork:
    """A copy of it to do harm to."""
    shutil.copytree(kept.folder, tmp_path / "network", symlinks=True)
    network = LocalNetwork.__new__(LocalNetwork)
    network.folder, network.organisations = tmp_path / "network", kept.organisations
    return network


def refused(code: str, advice: str, *arguments: str | Path, **environment: str) -> None:
    """Run a command that must be refused with a code and an advice."""
    done = yunhe("--json", *map(str, arguments), environment=environment)
    assert done.returncode != 0
    error = json.loads(done.stderr.splitlines()[-1])
    assert (error["code"], advice in error["message"]) == (code, True), error


def other_genesis(network: LocalNetwork, home: Path, **changes: Any) -> dict[str, Any]:
    """Return the genesis of a network of the same organisation that differs."""
    new = NewNetwork("other", NOW_MS, NodeFolder.load(network.node("bank")).genesis.python)
    made = make_network(home / "other", NetworkPlan(("bank",), replace(new, **changes), 0, 0))
    return dict(json.loads((made.path / "genesis.json").read_text()))


def test_genesis_of_another_network_is_refused(network: LocalNetwork, tmp_path: Path) -> None:
    (network.node("bank") / "genesis.json").write_text(json.dumps(other_genesis(network, tmp_path)))
    refused("NETWORK_FOLDER", "copy genesis.json of the network there", "network", "start", network.folder)
    refused("WRONG_GENESIS", "belong together", "node", "start", network.node("bank"))


def test_network_of_another_python_is_refused(tmp_path: Path) -> None:
    made = make_network(tmp_path / "network", NetworkPlan(("bank",), NewNetwork("old", NOW_MS, "3.9"), 0, 0))
    refused("PYTHON_WRONG", "install Yunhe on that one", "node", "start", made.node("bank").folder)
    refused("NODE_NOT_STARTED", "CPython 3.9", "network", "start", made.path)


def test_network_of_another_protocol_version_is_refused(network: LocalNetwork) -> None:
    for file in (network.folder / "genesis.json", network.node("bank") / "genesis.json"):
        file.write_text(json.dumps(json.loads(file.read_text()) | {"protocol_version": 99}))
    refused("NETWORK_FOLDER", "version", "network", "start", network.folder)
    refused("GENESIS_INVALID", "version", "node", "start", network.node("bank"))


HALVES: dict[str, Callable[[Path], object]] = {
    "without its description": lambda folder: (folder / "network.json").unlink(),
    "without a node": lambda folder: shutil.rmtree(folder / "nodes" / "bank"),
    "without the engine's home": lambda folder: shutil.rmtree(folder / "nodes" / "bank" / "engine"),
    "without a signing state": lambda folder: (folder / "nodes/bank/engine/data/priv_validator_state.json").unlink(),
    "without keys": lambda folder: shutil.rmtree(folder / "nodes" / "bank" / "keys"),
}


@pytest.mark.parametrize("harm", HALVES.values(), ids=HALVES)
def test_half_made_folder_is_refused(network: LocalNetwork, harm: Callable[[Path], object]) -> None:
    # NET-010
    harm(network.folder)
    refused("NETWORK_FOLDER", "", "network", "start", network.folder)


def test_engine_of_another_version_is_refused(network: LocalNetwork, tmp_path: Path) -> None:
    # NET-004
    program = tmp_path / "cometbft"
    program.write_text("#!/bin/sh\necho 0.38.0\n")
    program.chmod(0o755)
    for command in (("network", "start", network.folder), ("node", "start", network.node("bank"))):
        refused("ENGINE_VERSION", "make engine", *command, YUNHE_COMETBFT=str(program))
        refused("ENGINE_MISSING", "make engine", *command, YUNHE_COMETBFT=str(tmp_path / "nowhere"))


@pytest.fixture
def asked(tmp_path: Path) -> Iterator[Path]:
    """Folder of a node that asked to join."""
    yunhe_json("node", "request", str(tmp_path / "shipper"), "--org", "shipper", "--port", "0")
    yield tmp_path / "shipper"
    # Whatever was refused, the node is none yet, and can be joined with a proper invitation.
    assert not (tmp_path / "shipper" / "genesis.json").exists()


def test_invitation_that_is_altered_expired_or_for_another_is_refused(network: LocalNetwork, asked: Path, tmp_path: Path) -> None:
    # NET-021, NET-022, NET-023
    bank = NodeFolder.load(network.node("bank"))
    request = JoinRequest.read(asked / "join-request.json")
    invitation, network_id = tmp_path / "invitation.json", bank.genesis.network_id.hex()
    join = ("node", "join", asked, "--invitation", invitation, "--network-id")
    invitation.write_text(invite(bank, request, "127.0.0.1:26656", NOW_MS - 3 * DAY_MS, 1))
    refused("INVITATION_EXPIRED", "ask bank/node1 for a new one", *join, network_id)
    refused("INVITATION_OTHER", "ask its sender", *join, "00" * 32)
    invitation.write_text(invitation.read_text().replace("127.0.0.1:26656", "127.0.0.2:26656"))
    refused("INVITATION_INVALID", "ask for it again", *join, network_id)
    refused("GENESIS_INVALID", "yunhe node join", "node", "start", asked)
