"""A node joins a network of four that has blocks already, catches up block by block, and takes part.

It needs no rights of root; in `make test` the guide to joining is followed to the letter, which does (test_join_guide.py).
"""

import json
from pathlib import Path

import pytest

from tests.e2e.network_process import ROLES, LocalNetwork
from tests.e2e.node_process import wait_until, yunhe, yunhe_json
from tests.kvstore_chain import free_ports
from yunhe.sdk import Call, Client, Member, create_key_file
from yunhe.sdk.local_node import read_run_file


@pytest.mark.long
@pytest.mark.timeout(240)
def test_node_that_is_invited_catches_up_and_hands_in_what_all_have(tmp_path: Path) -> None:
    # NET-020 to NET-024 accepted; the fifth is no validator, so nobody waits for it.
    network = LocalNetwork(tmp_path)
    newcomer, invitation = tmp_path / "shipper", tmp_path / "invitation.json"
    try:
        network.start()
        for _ in range(3):
            placed = network.transact("carrier")
        assert placed.height is not None
        (port,) = free_ports(1)
        asked = yunhe_json("node", "request", str(newcomer), "--org", "shipper", "--engine-listen", f"127.0.0.1:{port}", "--port", "0")
        bank = str(network.node("bank"))
        invited = yunhe_json("node", "invite", bank, "--request", asked["request"], "--out", str(invitation))
        _be_refused(newcomer, invitation, "00" * 32, "INVITATION_OTHER", 1)
        joined = yunhe_json("node", "join", str(newcomer), "--invitation", str(invitation), "--network-id", invited["network_id"])
        assert joined["invited_by"] == "bank/node1"
        # The bank's engine lets it in from its next start on.
        yunhe_json("node", "stop", bank)
        yunhe_json("node", "start", bank, "--background")
        yunhe_json("node", "start", str(newcomer), "--background")
        with _client(newcomer) as client:
            wait_until(lambda: client.status()["height"] >= placed.height, "the newcomer at the head")
            heads = {client.block(placed.height)["header"]["state_root"], network.heads()["port"][1]}
            assert len(heads) == 1
            assert client.receipt(placed.transaction_id)["height"] == placed.height
            # What it takes from its users goes to all, once its organisation is admitted and has enrolled it.
            _admit(network, tmp_path, Path(asked["request"]))
            wait_until(lambda: client.status()["height"] >= network.status()["port"]["height"], "the newcomer at the head")
            mine = client.submit(client.build([network.key("bank")], [Call("registry", "set_member", ROLES)]))
            assert mine.code == "OK"
        network.await_agreement(mine.height or 0)
    finally:
        yunhe("node", "stop", str(newcomer))
        yunhe("node", "stop", str(network.node("bank")))
        network.close()


def test_node_that_was_not_let_in_stays_where_it_is_and_says_why(tmp_path: Path) -> None:
    network = LocalNetwork(tmp_path, ("bank",))
    newcomer = tmp_path / "shipper"
    asked = yunhe_json("node", "request", str(newcomer), "--org", "shipper", "--port", "0")
    done = yunhe("--json", "node", "start", str(newcomer))
    assert done.returncode == 4
    assert "yunhe node join" in json.loads(done.stderr)["message"]
    request = Path(asked["request"])
    request.write_text(request.read_text().replace("shipper", "shopper"))
    done = yunhe("--json", "node", "invite", str(network.node("bank")), "--request", str(request), "--out", str(tmp_path / "i.json"))
    assert (done.returncode, json.loads(done.stderr)["code"]) == (1, "INVITATION_INVALID")
    assert not (tmp_path / "i.json").exists()


def _admit(network: LocalNetwork, home: Path, request: Path) -> None:
    """Let three of four vote for the newcomer's organisation, and its admin enrol its node, through the port's node."""
    admin = create_key_file(home / "shipper.admin.pem", Member("shipper", "admin"), "pass")
    environment = {
        "YUNHE_FOLDER": str(network.node("port")),
        "YUNHE_KEY_PASSPHRASE": (network.folder / "secrets/passphrase").read_text().strip(),
    }

    def org(*arguments: str, key: Path, **more: str) -> None:
        done = yunhe("--json", "org", *arguments, "--key", str(key), environment=environment | more)
        assert done.returncode == 0, done.stderr

    keys = {name: network.folder / "keys" / f"{name}.admin.pem" for name in ("carrier", "bank", "customs")}
    org("admit", str(admin.path), "--title", "Shipper Ltd", key=keys["carrier"])
    for name in ("bank", "customs"):
        org("vote", "1", key=keys[name])
    org("enrol-node", str(request), key=admin.path, YUNHE_KEY_PASSPHRASE="pass")


def _be_refused(folder: Path, invitation: Path, network_id: str, code: str, exit_code: int) -> None:
    done = yunhe("--json", "node", "join", str(folder), "--invitation", str(invitation), "--network-id", network_id)
    assert (done.returncode, json.loads(done.stderr)["code"]) == (exit_code, code)


def _client(folder: Path) -> Client:
    return Client(read_run_file(folder)[1], (folder / "secrets" / "api-token").read_text().strip(), timeout_s=60)
