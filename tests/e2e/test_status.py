"""How a node is, as table and as JSON, once and watched."""

import json

import pytest

from tests.e2e.node_process import NodeProcess, wait_until, yunhe
from tests.e2e.test_full_disk import limit_files
from yunhe.errors import YunheError


def test_watch_shows_as_many_looks_as_asked_with_rates(own_node: NodeProcess) -> None:
    own_node.deploy("one", "from yunhe.contracts import Context, action\n\n\n@action\ndef do(ctx: Context) -> None:\n    pass\n")
    watch = ("node", "status", "--watch", "--every", "0.1", "--folder", str(own_node.folder))
    done = yunhe("--json", *watch, "--count", "2")
    first, second = (json.loads(line) for line in done.stdout.splitlines())
    assert (done.returncode, first["per_second"]) == (0, {})
    assert second["per_second"] == {"blocks": 0.0, "succeeded": 0.0, "failed": 0.0, "dropped": 0.0, "refused": 0.0}
    assert second["transactions"]["succeeded"] == second["height"] == 2
    assert (second["ready"], second["unready"], second["waiting"]) == (True, None, 0)
    text = yunhe(*watch, "--count", "1")
    assert (text.returncode, "status        running, ready\n" in text.stdout) == (0, True)
    assert "succeeded     2\n" in text.stdout
    misused = yunhe("node", "status", "--count", "1", "--folder", str(own_node.folder))
    assert (misused.returncode, "--count is for --watch" in misused.stderr) == (2, True)


def test_halted_node_is_shown_with_its_reason_and_is_not_ready(own_node: NodeProcess) -> None:
    """API-019 refused."""
    limit_files(own_node, 1)
    with own_node.client() as client:
        assert client.ready() == {"ready": True, "reason": None}
        with pytest.raises(YunheError, match="DISK_F"):
            client.call(own_node.founder, "registry", "set_member", member="admin", roles=["admin"], status="active")
        wait_until(lambda: not client.ready()["ready"], "the halt")
        assert "DISK_F" in client.ready()["reason"]
        assert client.health()["status"] == "halted"
    done = yunhe("node", "status", "--watch", "--count", "1", "--folder", str(own_node.folder))
    assert done.returncode == 3
    assert "status        halted, not ready\nreason        the node is halted: DISK_F" in done.stdout
