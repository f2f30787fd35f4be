"""A node asks to join and is invited; what was altered, has expired, or is for someone else is refused by name (NET-020 to NET-024)."""

import json
import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from yunhe.consensus.cometbft.configuration import EnginePeer, check_home, read_keys
from yunhe.crypto import PrivateKey
from yunhe.crypto.hashes import TAG_INVITATION
from yunhe.errors import (
    FolderNotEmptyError,
    InvalidConfigurationError,
    InvalidGenesisError,
    InvitationExpiredError,
    InvitationInvalidError,
    InvitationOtherError,
    ProtocolWrongError,
    WrongPythonError,
    YunheError,
)
from yunhe.ledger.envelope import NodeIdentity
from yunhe.network import NetworkFolder, NetworkPlan, make_network
from yunhe.node import NewNetwork, NodeConfig, NodeFolder
from yunhe.node.engine_home import ENGINE_FOLDER, engine_settings
from yunhe.node.folder import REQUEST_FILE
from yunhe.node.joining import Invitation, JoinRequest, invite, join, let_in, request_to_join
from yunhe.node.signed_document import identity_value, sign_document

PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
NOW_MS = 1_790_000_000_000
DAY_MS = 86_400_000
ADDRESS = "10.0.0.5:26656"
NEWCOMER = NodeConfig("shipper", "node1", engine="cometbft", engine_listen="0.0.0.0:26656")


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> NetworkFolder:
    plan = NetworkPlan(("bank", "port"), NewNetwork("test", NOW_MS, PYTHON), 0, 0)
    return make_network(tmp_path_factory.mktemp("joining") / "network", plan)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Folder of a node that asked."""
    request_to_join(tmp_path / "shipper", NEWCOMER, "ed25519-sha256", ADDRESS)
    return tmp_path / "shipper"


def bank(network: NetworkFolder) -> NodeFolder:
    return NodeFolder.load(network.node("bank").folder)


def invited(network: NetworkFolder, folder: Path) -> Path:
    """Return the file of the bank's invitation."""
    text = invite(bank(network), JoinRequest.read(folder / REQUEST_FILE), "10.0.0.1:26656", NOW_MS, 7)
    file = folder.parent / "invitation.json"
    file.write_text(text)
    return file


def read(network: NetworkFolder, file: Path, now_ms: int = NOW_MS) -> Invitation:
    return Invitation.read(file, network.genesis.network_id, now_ms)


def test_node_that_asked_and_was_invited_is_whole(network: NetworkFolder, folder: Path) -> None:
    """NET-020 to NET-024 accepted."""
    made = join(folder, read(network, invited(network, folder)))
    assert made.genesis == network.genesis
    assert made.load_keys()
    check_home(folder / ENGINE_FOLDER)
    addresses = [peer.address for peer in engine_settings(made.config).peers]
    assert addresses == ["10.0.0.1:26656", NodeFolder.load(network.node("port").folder).config.engine_listen]
    assert made.open_store(lambda done, total: None).head().height == 0
    with pytest.raises(FolderNotEmptyError):
        join(folder, read(network, invited(network, folder)))


def test_joining_that_was_interrupted_is_done_again(network: NetworkFolder, folder: Path) -> None:
    invitation = read(network, invited(network, folder))
    join(folder, invitation)
    # What is there before the last step, and part of what came first.
    (folder / "genesis.json").unlink()
    shutil.rmtree(folder / "store" / "state")
    assert join(folder, invitation).genesis == network.genesis


def test_node_that_did_not_join_yet_is_told_what_to_do(folder: Path) -> None:
    with pytest.raises(InvalidGenesisError) as refusal:
        NodeFolder.load(folder)
    assert "yunhe node join" in refusal.value.message


def test_request_names_the_keys_that_were_made_and_no_secret(folder: Path) -> None:
    request = JoinRequest.read(folder / REQUEST_FILE)
    validator, peer_id = read_keys(folder / ENGINE_FOLDER)
    assert (request.validator_key, request.peer) == (validator, EnginePeer(peer_id, ADDRESS))
    assert request.node.name == "shipper/node1"
    secret = json.loads((folder / ENGINE_FOLDER / "config" / "node_key.json").read_text())["priv_key"]["value"]
    assert secret not in (folder / REQUEST_FILE).read_text()


def test_invitation_holds_no_secret_and_says_for_whom_it_is(network: NetworkFolder, folder: Path) -> None:
    invitation = read(network, invited(network, folder))
    assert invitation.newcomer == JoinRequest.read(folder / REQUEST_FILE).node
    assert invitation.issued_by.name == "bank/node1"
    assert invitation.expires_ms == NOW_MS + 7 * DAY_MS


def altered(change: Callable[[dict[str, Any]], object]) -> Callable[[Path], None]:
    def alter(file: Path) -> None:
        value = json.loads(file.read_text())
        change(value)
        file.write_text(json.dumps(value))

    return alter


def _turn(text: str) -> str:
    return text[:-1] + ("0" if text[-1] != "0" else "1")


ALTERED: dict[str, Callable[[dict[str, Any]], object]] = {
    "another peer": lambda value: value.update(peers=["00" * 20 + "@10.6.6.6:1"]),
    "a later end": lambda value: value.update(expires_ms=value["expires_ms"] + 1),
    "another genesis": lambda value: value["genesis"].update(time_ms=1),
    "another newcomer": lambda value: value["newcomer"].update(public_key="00" * 32),
    "another node that invites": lambda value: value["issued_by"].update(public_key="00" * 32),
    "another name of it": lambda value: value["issued_by"].update(organisation="port"),
    "another signature": lambda value: value.update(signature=_turn(value["signature"])),
    "no signature": lambda value: value.pop("signature"),
    "a number for the signature": lambda value: value.update(signature=7),
    "a field more": lambda value: value.update(colour="blue"),
    "a field less": lambda value: value.pop("python"),
    "a float": lambda value: value.update(expires_ms=1.5),
    "another version": lambda value: value.update(version=2),
    "another kind": lambda value: value.update(format="yunhe-join-request"),
    "no node that invites": lambda value: value.pop("issued_by"),
}


@pytest.mark.parametrize("change", ALTERED.values(), ids=ALTERED)
def test_invitation_that_was_altered_is_refused(network: NetworkFolder, folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """NET-021 refused."""
    file = invited(network, folder)
    altered(change)(file)
    with pytest.raises(InvitationInvalidError) as refusal:
        read(network, file)
    assert str(file) in refusal.value.message


REQUEST_ALTERED: dict[str, Callable[[dict[str, Any]], object]] = {
    "another engine": lambda value: value.update(peer="00" * 20 + "@10.6.6.6:1"),
    "another name": lambda value: value["node"].update(organisation="bank"),
    "another key": lambda value: value["node"].update(public_key="00" * 32),
    "another ledger key": lambda value: value.update(ledger_key="00" * 32),
    "a field more": lambda value: value.update(colour="blue"),
}


@pytest.mark.parametrize("change", REQUEST_ALTERED.values(), ids=REQUEST_ALTERED)
def test_request_that_was_altered_is_refused(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """NET-020 refused."""
    altered(change)(folder / REQUEST_FILE)
    with pytest.raises(InvitationInvalidError):
        JoinRequest.read(folder / REQUEST_FILE)


@pytest.mark.parametrize("text", ["", "[]", "7", "{", "[" * 100_000, "\x00", '{"format": "yunhe-invitation", "version": 1}', " " * 2**21])
def test_file_that_is_no_invitation_is_refused(network: NetworkFolder, tmp_path: Path, text: str) -> None:
    """NET-021 refused."""
    file = tmp_path / "invitation.json"
    file.write_text(text)
    with pytest.raises(InvitationInvalidError):
        read(network, file)


def forged(network: NetworkFolder, folder: Path, **changes: Any) -> Path:
    """Return an invitation that a stranger's key signs as it is, with other contents."""
    file = invited(network, folder)
    value = json.loads(file.read_text()) | changes
    key = PrivateKey.generate()
    value.pop("signature")
    value["issued_by"] = identity_value(NodeIdentity("bank", "node1", key.suite, key.public_key.raw))
    file.write_text(sign_document(value, TAG_INVITATION, key))
    return file


def test_invitation_for_another_network_is_refused(network: NetworkFolder, folder: Path, tmp_path: Path) -> None:
    """NET-022 refused, whoever signed it: the network id is what counts."""
    other = make_network(tmp_path / "other", NetworkPlan(("bank",), NewNetwork("test", NOW_MS, PYTHON), 0, 0)).genesis
    value = {"genesis": json.loads(other.to_json()), "network_id": other.network_id.hex()}
    with pytest.raises(InvitationOtherError) as refusal:
        read(network, forged(network, folder, **value))
    assert network.genesis.network_id.hex() in refusal.value.message
    with pytest.raises(InvitationInvalidError):
        read(network, forged(network, folder, network_id=other.network_id.hex()))


def test_invitation_for_another_node_is_refused(network: NetworkFolder, folder: Path, tmp_path: Path) -> None:
    """NET-022 refused."""
    invitation = read(network, invited(network, folder))
    request_to_join(tmp_path / "again", NEWCOMER, "ed25519-sha256", ADDRESS)
    with pytest.raises(InvitationOtherError) as refusal:
        join(tmp_path / "again", invitation)
    assert REQUEST_FILE in refusal.value.message
    assert not (tmp_path / "again" / "genesis.json").exists()


def test_invitation_counts_until_its_time(network: NetworkFolder, folder: Path) -> None:
    """NET-023."""
    file = invited(network, folder)
    assert read(network, file, NOW_MS + 7 * DAY_MS - 1)
    with pytest.raises(InvitationExpiredError):
        read(network, file, NOW_MS + 7 * DAY_MS)


@pytest.mark.parametrize(
    ("change", "kind"), [({"protocol_version": 2}, ProtocolWrongError), ({"python": "3.99"}, WrongPythonError)], ids=["rules", "Python"]
)
def test_network_of_another_version_is_refused(
    network: NetworkFolder, folder: Path, change: dict[str, Any], kind: type[YunheError]
) -> None:
    """NET-024 refused."""
    genesis = json.loads(network.genesis.to_json()) | change
    with pytest.raises(kind):
        read(network, forged(network, folder, genesis=genesis, **change))
    # One that says so of itself and not of its genesis is none.
    with pytest.raises(InvitationInvalidError):
        read(network, forged(network, folder, genesis=genesis))


@pytest.mark.parametrize("peers", [[], ["nobody"], [7], [None]])
def test_invitation_without_an_engine_to_connect_to_is_refused(network: NetworkFolder, folder: Path, peers: list[Any]) -> None:
    """NET-021 refused."""
    with pytest.raises(InvitationInvalidError):
        read(network, forged(network, folder, peers=peers))


@pytest.mark.parametrize("address", ["0.0.0.0:26656", "[::]:26656", "nowhere", "host:0", "host:port", "a b:1"])
def test_address_that_nobody_could_reach_is_refused(network: NetworkFolder, folder: Path, tmp_path: Path, address: str) -> None:
    with pytest.raises(InvalidConfigurationError):
        request_to_join(tmp_path / "again", NEWCOMER, "ed25519-sha256", address)
    assert not (tmp_path / "again").exists()
    with pytest.raises(InvalidConfigurationError):
        invite(bank(network), JoinRequest.read(folder / REQUEST_FILE), address, NOW_MS, 7)


def test_invitation_is_not_given_for_too_long_or_to_keys_of_a_suite_that_the_network_lacks(
    network: NetworkFolder, folder: Path, tmp_path: Path
) -> None:
    """NET-023 refused."""
    request = JoinRequest.read(folder / REQUEST_FILE)
    for days in (0, 91):
        with pytest.raises(InvalidConfigurationError):
            invite(bank(network), request, ADDRESS, NOW_MS, days)
    national = request_to_join(tmp_path / "national", NEWCOMER, "sm2-sm3", ADDRESS)
    with pytest.raises(InvitationOtherError):
        invite(bank(network), national, ADDRESS, NOW_MS, 7)


def test_newcomer_is_let_in_once_and_at_its_newest_address(network: NetworkFolder, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(network.node("bank").folder, tmp_path / "bank"))
    peer = EnginePeer("ab" * 20, "10.0.0.5:26656")
    let_in(folder, peer)
    let_in(folder, replace(peer, address="10.0.0.6:26656"))
    addresses = [peer.address for peer in engine_settings(NodeFolder.load(folder).config).peers]
    assert len(addresses) == 2
    assert addresses[1] == "10.0.0.6:26656"
