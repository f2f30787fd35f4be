"""The guide to joining a network, followed to the letter on two machines, each a network namespace (docs/guides/join-a-network.md)."""

import json
import os
import shutil
import sys
from pathlib import Path

import pytest

from tests.documents.fences import fences
from tests.e2e.network_namespaces import Machine, require_namespaces
from tests.e2e.node_process import PASSPHRASE, wait_until
from tests.kvstore_chain import program
from tools.tidy.checkout import ROOT

GUIDE = ROOT / "docs/guides/join-a-network.md"
NAMES = {"bank.example": 1, "shipper.example": 2}
TRAVELS = ("join-request.json", "invitation.json", "shipper.admin.pem")
"""Files that people send one another."""


@pytest.mark.timeout(300)
def test_guide_to_joining_followed_on_two_machines(tmp_path: Path) -> None:
    # NET-020 to NET-024 accepted; CER-003: what a node that caught up proves is verified against the genesis alone.
    program()
    require_namespaces()
    machines = {}
    for name, number in NAMES.items():
        home = tmp_path / name
        home.mkdir()
        machines[name] = Machine(home, number, NAMES)
        machines[name].environment |= {
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
            "YUNHE_KEY_PASSPHRASE": PASSPHRASE,
        }
    bank, shipper = machines.values()
    try:
        bank.connect(shipper)
        bank.require("yunhe network new consortium --orgs carrier,bank,port,customs --api-port 0 --engine-port 0")
        passphrase = (bank.home / "consortium/secrets/passphrase").read_text().strip()
        # One passphrase for all key files, as who types would know them all.
        bank.environment["YUNHE_KEY_PASSPHRASE"] = shipper.environment["YUNHE_KEY_PASSPHRASE"] = passphrase
        shipper.environment["NETWORK_ID"] = json.loads((bank.home / "consortium/network.json").read_text())["network_id"]
        bank.require(
            "yunhe network start consortium; yunhe key new bank/clerk; "
            "yunhe org enrol bank.clerk.pem --key consortium/keys/bank.admin.pem --folder consortium/nodes/bank"
        )
        follow(bank, shipper)
        verified = json.loads(shipper.require("yunhe --json proof verify proof.yunhe --genesis shipper/genesis.json"))
        assert verified["verified"] is True
        # What it takes from its users all have.
        shipper.require("yunhe key new shipper/clerk; yunhe org enrol shipper.clerk.pem --key shipper.admin.pem --folder shipper")
        wait_until(lambda: "clerk" in bank.require("yunhe org show shipper --folder consortium/nodes/port"), "the clerk at the port")
    finally:
        shipper.require("yunhe node stop shipper || true")
        bank.require("yunhe network stop consortium || true")
        for machine in machines.values():
            machine.close()


def follow(bank: Machine, shipper: Machine) -> None:
    """Type what the guide says, at the machine where it says so, and carry the files over."""
    taken = 0
    for fence in fences(GUIDE.read_text(encoding="utf-8")):
        assert fence.mark[0] == "not run"
        here, there = (shipper, bank) if fence.mark[1].startswith("at the shipper's") else (bank, shipper)
        assert here is shipper or fence.mark[1].startswith("at the bank's")
        if "proof record" in fence.text:
            wait_until(lambda: "caught up" if is_at_head(bank, shipper) else "", "the newcomer at the head")
        here.require(fence.text)
        taken += 1
        for name in TRAVELS:
            for path in (here.home / name, here.home / "shipper" / name):
                if path.is_file() and not (there.home / name).exists():
                    shutil.copy(path, there.home / name)
    assert taken == 5


def is_at_head(bank: Machine, shipper: Machine) -> bool:
    heights = [
        json.loads(machine.require(f"yunhe --json node status --folder {folder}"))["height"]
        for machine, folder in ((bank, "consortium/nodes/bank"), (shipper, "shipper"))
    ]
    return heights[0] == heights[1]
