"""An order to pass over a transaction, from its signatures to the receipt, on the command line and a running node."""

import json
from pathlib import Path

from tests.e2e.node_process import PASSPHRASE, NodeProcess, yunhe, yunhe_json
from yunhe.sdk import Call


# LED-060 to LED-063
def test_order_is_signed_kept_obeyed_and_found_again(tmp_path: Path) -> None:
    """The node is well; what it would do with a transaction that it cannot run is in the tests of its parts."""
    node = NodeProcess(tmp_path).start()
    order, fetched = tmp_path / "order.json", tmp_path / "fetched.json"
    environment = {"YUNHE_FOLDER": str(node.folder), "YUNHE_KEY": str(node.founder_file.path), "YUNHE_KEY_PASSPHRASE": PASSPHRASE}
    try:
        with node.client() as client:
            height = client.status()["height"]
            roles = {"member": "admin", "roles": ["admin"], "status": "active"}
            sent = client.build([node.founder], [Call("registry", "set_member", roles)])
        wrong = yunhe("--json", "org", "sign-skip", str(height + 2), sent.id.hex(), "--out", str(order), environment=environment)
        assert (wrong.returncode, json.loads(wrong.stderr)["code"]) == (2, "USAGE")
        made = yunhe("--json", "org", "sign-skip", str(height + 1), sent.id.hex(), "--out", str(order), environment=environment)
        assert json.loads(made.stdout)["signed_by"] == ["port/admin"], made.stderr
        other = yunhe("--json", "org", "sign-skip", str(height + 1), "00" * 32, "--out", str(order), environment=environment)
        assert (other.returncode, json.loads(other.stderr)["code"]) == (2, "USAGE")
        node.stop()
        altered = tmp_path / "altered.json"
        altered.write_text(order.read_text().replace(sent.id.hex(), "00" * 32))
        refused = yunhe("--json", "node", "skip", str(node.folder), "--order", str(altered))
        assert (refused.returncode, json.loads(refused.stderr)["code"]) == (1, "SKIP_ORDER_INVALID")
        kept = yunhe_json("node", "skip", str(node.folder), "--order", str(order))
        assert (kept["height"], kept["counts"]) == (height + 1, "yes")
        node.start()
        with node.client() as client:
            assert client.submit(sent).code == "SKIPPED_BY_ORDER"
        written = yunhe("--json", "org", "skip-order", str(height + 1), sent.id.hex(), "--out", str(fetched), "--folder", str(node.folder))
        assert written.returncode == 0, written.stderr
        assert fetched.read_text() == order.read_text()
        node.stop()
        assert yunhe_json("node", "check", str(node.folder), "--replay")["height"] == height + 1
    finally:
        node.close()
