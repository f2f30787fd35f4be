"""The guide to replacing a lost node, followed to the letter on a network of four (docs/guides/replace-a-node.md)."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.documents.fences import fences
from tests.e2e.network_load import await_connected, require_everywhere_once
from tests.e2e.network_process import LocalNetwork
from tests.e2e.node_process import wait_until, yunhe, yunhe_json
from tools.tidy.checkout import ROOT
from yunhe.network.ports import free_ports

GUIDE = ROOT / "docs/guides/replace-a-node.md"
PORT = "26690"
"""Of the new engine, in the guide."""


@pytest.mark.long
@pytest.mark.timeout(300)
def test_guide_to_replacing_a_lost_node_followed_on_a_network_of_four(tmp_path: Path) -> None:
    network = LocalNetwork(tmp_path)
    network.folder.rename(tmp_path / "consortium")
    network.folder = tmp_path / "consortium"
    try:
        network.start()
        placed = [network.transact("bank"), network.transact("carrier")]
        yunhe_json("node", "stop", str(network.node("bank")))
        placed.append(network.transact("port"))
        follow(network, str(free_ports("127.0.0.1", 0, 1)[0]))
        # The bank counts again: without the customs its vote is needed.
        placed.append(network.transact("bank"))
        require_everywhere_once(network, placed)
        yunhe_json("node", "stop", str(network.node("customs")))
        placed.append(network.transact("carrier"))
        yunhe_json("node", "start", str(network.node("customs")), "--background")
        await_connected(network, "customs")
        require_everywhere_once(network, placed)
    finally:
        for organisation in network.organisations:
            yunhe("node", "stop", str(network.node(organisation)))
        network.close()


def follow(network: LocalNetwork, port: str) -> None:
    """Type what the guide says, beside the network's folder."""
    environment = os.environ | {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        "YUNHE_KEY_PASSPHRASE": (network.folder / "secrets/passphrase").read_text().strip(),
        "NETWORK_ID": json.loads((network.folder / "network.json").read_text())["network_id"],
    }
    for fence in fences(GUIDE.read_text(encoding="utf-8")):
        if "renew-node" in fence.text:
            wait_until(lambda: len({height for height, _ in network.heads().values()}) == 1, "the new node at the head")
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", fence.text.replace(PORT, port)],
            cwd=network.folder.parent,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{fence.text}\n{done.stdout}{done.stderr}"
