"""A network of four is governed under load: a fifth becomes validator by vote, keys change, a contract and a parameter too, one is removed.

One network, one load through two of its nodes from the first vote to the last: nothing that was acknowledged is lost, no node stands still,
and a bundle of each transaction verifies offline from the genesis across every change. The steps are those of docs/guides/vote.md.
"""

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.network_process import ROLES, LocalNetwork
from tests.e2e.node_process import wait_until, yunhe, yunhe_json
from tests.kvstore_chain import free_ports
from yunhe.cli.main import main
from yunhe.cli.output import output
from yunhe.errors import CertificatePendingError
from yunhe.sdk import Call, Client, Member, Submitted, create_key_file
from yunhe.sdk.local_node import read_run_file
from yunhe.sdk.proofs import prove_transaction
from yunhe.verifier import verify

PAUSE_S = 0.05
VOTERS = ("carrier", "bank", "port")
CONTRACT = '''from yunhe.contracts import Context, action


@action
def ping(ctx: Context) -> int:
    """Answer."""
    return 1
'''


class Load(threading.Thread):
    """Transactions of one organisation through its own node, one after the other, until it is told to end."""

    def __init__(self, network: LocalNetwork, organisation: str) -> None:
        super().__init__(daemon=True)
        self._network = network
        self._organisation = organisation
        self._ends = threading.Event()
        self.placed: list[Submitted] = []
        self.start()

    def run(self) -> None:
        key = self._network.key(self._organisation)
        with self._network.client(self._organisation, timeout_s=90) as client:
            # A pause between two, so that the commands beside have some of the machine.
            while not self._ends.wait(PAUSE_S):
                self.placed.append(client.submit(client.build([key], [Call("registry", "set_member", ROLES)])))

    def end(self) -> list[Submitted]:
        self._ends.set()
        self.join(100)
        assert {one.code for one in self.placed} == {"OK"}
        return self.placed


class Council:
    """The organisations of a network, as they propose and vote on the command line, in this process."""

    def __init__(self, network: LocalNetwork, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.network = network
        self.keys = {name: network.folder / "keys" / f"{name}.admin.pem" for name in network.organisations}
        self.secrets = dict.fromkeys(network.organisations, (network.folder / "secrets/passphrase").read_text().strip())
        self._monkeypatch, self._capsys = monkeypatch, capsys

    def run(self, *arguments: str | Path, by: str = "carrier") -> dict[str, Any]:
        through = by if by in self.network.organisations else "carrier"
        self._monkeypatch.setenv("YUNHE_FOLDER", str(self.network.node(through)))
        self._monkeypatch.setenv("YUNHE_KEY", str(self.keys[by]))
        self._monkeypatch.setenv("YUNHE_KEY_PASSPHRASE", self.secrets[by])
        self._monkeypatch.setattr("sys.argv", ["yunhe", "--json", *map(str, arguments)])
        self._capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        shown = self._capsys.readouterr()
        assert (ended.value.code or 0) == 0, shown
        return dict(json.loads(shown.out))

    def agree(self, *proposal: str | Path) -> None:
        """Let the first propose and others vote, until it is accepted."""
        shown = self.run(*proposal)
        for voter in VOTERS[1:]:
            if shown["status"] == "open":
                shown = self.run("org", "vote", str(shown["proposal"]), by=voter)
        assert shown["status"] == "accepted", shown


@pytest.fixture(autouse=True)
def _plain_output() -> Iterator[None]:
    """What commands in this process set stays set."""
    yield
    output.json = False


def validators(network: LocalNetwork) -> dict[str, str]:
    with network.client("customs") as client:
        rows = [row["fields"] for row in client.records("governance", "validators")]
    return {row["organisation"]: row["public_key"] for row in rows}


def join(network: LocalNetwork, council: Council, home: Path) -> Path:
    """Let the node of a fifth organisation join, and enrol it; return the request that it asked with."""
    newcomer, invitation = home / "shipper", home / "invitation.json"
    (port,) = free_ports(1)
    asked = yunhe_json("node", "request", str(newcomer), "--org", "shipper", "--engine-listen", f"127.0.0.1:{port}", "--port", "0")
    bank = str(network.node("bank"))
    invited = yunhe_json("node", "invite", bank, "--request", asked["request"], "--out", str(invitation))
    yunhe_json("node", "let-in", str(network.node("carrier")), "--request", asked["request"])
    yunhe_json("node", "join", str(newcomer), "--invitation", str(invitation), "--network-id", invited["network_id"])
    for name in ("bank", "carrier"):
        yunhe_json("node", "stop", str(network.node(name)))
        yunhe_json("node", "start", str(network.node(name)), "--background")
    yunhe_json("node", "start", str(newcomer), "--background")
    council.secrets["shipper"] = council.secrets["carrier"]
    council.keys["shipper"] = create_key_file(home / "shipper.admin.pem", Member("shipper", "admin"), council.secrets["shipper"]).path
    council.agree("org", "admit", str(council.keys["shipper"]), "--title", "Shipper Ltd")
    council.run("org", "enrol-node", asked["request"], by="shipper")
    return Path(asked["request"])


def change_keys(network: LocalNetwork, council: Council, home: Path) -> None:
    """Let the customs change the key of its admin, of a clerk, and all those of its node."""
    for member, name in (("customs/clerk", "clerk"), ("customs/clerk", "clerk-2"), ("customs/admin", "admin-2")):
        create_key_file(home / f"{name}.pem", Member.parse(member), council.secrets["customs"])
    council.run("org", "enrol", str(home / "clerk.pem"), by="customs")
    council.run("org", "rotate", str(home / "clerk.pem"), str(home / "clerk-2.pem"), by="customs")
    council.run("org", "rotate", str(council.keys["customs"]), str(home / "admin-2.pem"), by="customs")
    council.keys["customs"] = home / "admin-2.pem"
    made = council.run("node", "new-keys", network.node("customs"))
    council.run("org", "renew-node", made["request"], by="customs")
    council.agree("org", "validator", made["request"])
    wait_until(lambda: validators(network)["customs"] == "0x" + made["engine_key"], "the new key of the engine")
    wait_until(lambda: (network.status()["customs"]["peers"] or 0) >= 3, "the engine again")
    # Its node takes transactions, sealed with the new key, by the new key of its admin.
    assert council.run("org", "member", "customs/clerk", "--role", "clerk", by="customs")["height"] > 0


def change_contract(council: Council, home: Path) -> None:
    source = home / "pinger.py"
    source.write_text(CONTRACT)
    council.agree("contract", "deploy", "pinger", str(source))
    source.write_text(CONTRACT.replace("return 1", "return 2"))
    council.agree("contract", "upgrade", "pinger", str(source))
    council.agree("contract", "status", "pinger", "freeze")


@pytest.mark.timeout(400)
def test_network_is_governed_under_load_and_loses_nothing(
    network: LocalNetwork, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # SYS-031 to SYS-033 accepted, ABC-013, NET-035, NET-037, LED-041
    council = Council(network, monkeypatch, capsys)
    request = join(network, council, tmp_path)
    newcomer = tmp_path / "shipper"
    try:
        loads = [Load(network, "carrier"), Load(network, "port")]
        council.agree("org", "validator", str(request))
        assert sorted(validators(network)) == ["bank", "carrier", "customs", "port", "shipper"]
        change_keys(network, council, tmp_path)
        change_contract(council, tmp_path)
        council.agree("org", "parameter", "state_history_blocks", "900")
        council.agree("org", "remove-certifier", "bank")
        assert sorted(validators(network)) == ["carrier", "customs", "port", "shipper"]
        # Without the newcomer and the one with new keys the other two would not be enough.
        last = network.transact("port")
        placed = [*loads[0].end(), *loads[1].end(), last]
        assert len(placed) > 20
        network.await_agreement(max(one.height or 0 for one in placed))
        require_proofs(network, newcomer, placed)
        # The bank's node follows, and takes transactions.
        assert network.transact("bank").code == "OK"
    finally:
        yunhe("node", "stop", str(newcomer))
        for name in ("bank", "carrier"):
            yunhe("node", "stop", str(network.node(name)))


def require_proofs(network: LocalNetwork, newcomer: Path, placed: list[Submitted]) -> None:
    """Require that all nodes have what was acknowledged, and that proofs lead from the genesis across all changes, from any node."""
    genesis = (network.folder / "genesis.json").read_bytes()
    address, token = read_run_file(newcomer)[1], (newcomer / "secrets/api-token").read_text().strip()
    head = max(one.height or 0 for one in placed)
    with Client(address, token, timeout_s=60) as client:
        wait_until(lambda: client.status()["height"] >= head, "the newcomer at the head")
        for one in placed:
            assert client.receipt(one.transaction_id)["height"] == one.height
    for organisation in ("carrier", "customs", "bank"):
        with network.client(organisation) as client:
            wait_until(lambda client=client: is_certified(client, placed[-1]), f"a certificate at the node of {organisation}")  # type: ignore[misc]
            for one in (placed[0], placed[-1]):
                found = verify(client.prove([prove_transaction(one.transaction_id)]), genesis)
                powers = [certificate.total_power for certificate in found.certificates]
                assert (powers[0], powers[-1], set(powers)) == (4, 4, {4, 5})


def is_certified(client: Client, one: Submitted) -> bool:
    try:
        client.prove([prove_transaction(one.transaction_id)])
    except CertificatePendingError:
        return False
    return True
