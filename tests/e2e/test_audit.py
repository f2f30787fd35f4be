"""What an operator does to a real node is in its audit log: from the command line and over HTTP, with outcome and without secrets."""

import json

import httpx
import pytest

from tests.e2e.node_process import NodeProcess, yunhe, yunhe_json

pytestmark = pytest.mark.parametrize("own_node", ["SM2 and SM3"], indirect=True)
"""What is recorded is the same whatever the ledger's suites are; those of most other tests are Ed25519 and SHA-256."""


def test_actions_of_an_operator_are_recorded_with_who_what_and_outcome(own_node: NodeProcess) -> None:
    """STO-030."""
    folder = str(own_node.folder)
    made = [
        yunhe_json("token", "create", folder, name, "--scope", scope)["token"] for name, scope in (("hooks", "operate"), ("app", "read"))
    ]
    assert yunhe("token", "create", folder, "app", "--scope", "read").returncode == 1
    authorised = {"Authorization": f"Bearer {made[0]}"}
    hooks = f"{own_node.address}/v1/webhooks"
    added = httpx.post(hooks, headers=authorised, json={"url": "https://192.0.2.1/s3cret-path"})
    assert httpx.get(hooks, headers=authorised).status_code == 200
    assert httpx.post(hooks, headers={"Authorization": f"Bearer {made[1]}"}, json={}).status_code == 403
    assert httpx.delete(f"{hooks}/{'0' * 16}", headers=authorised).status_code == 404
    yunhe_json("node", "backup", folder, str(own_node.home / "backup"))
    assert yunhe("node", "restore", str(own_node.home / "backup"), folder).returncode == 4
    assert yunhe("node", "restore", str(own_node.home / "none"), str(own_node.home / "restored")).returncode == 1
    assert not (own_node.home / "restored").exists()
    yunhe_json("token", "revoke", folder, "app")
    assert yunhe("node", "prune", folder, "--keep-days", "1").returncode == 1
    own_node.stop()
    assert yunhe("node", "prune", folder).returncode == 2
    assert yunhe_json("node", "prune", folder, "--keep-days", "1", "--dry-run")["segments"] == 0
    assert yunhe_json("node", "prune", folder, "--keep-bytes", "0")["oldest"] == 0
    own_node.start()
    entries = yunhe_json_list("node", "audit", folder)
    assert [(e["action"], e["outcome"]) for e in entries] == [
        ("init", "done"),
        ("start", "done"),
        ("token create", "done"),
        ("token create", "done"),
        ("token create", "TOKEN_EXISTS"),
        ("http POST", "done" if added.status_code == 201 else f"HTTP {added.status_code}"),
        ("http DELETE", "HTTP 404"),
        ("backup", "done"),
        ("restore", "FOLDER_NOT_EMPTY"),
        ("token revoke", "done"),
        ("prune", "FOLDER_IN_USE"),
        ("end", "done"),
        ("prune", "done"),
        ("start", "done"),
    ]
    assert {e["actor"] for e in entries if str(e["action"]).startswith("http")} == {"token hooks"}
    assert {str(e["actor"]).split()[0] for e in entries if not str(e["action"]).startswith("http")} == {"user"}
    text = (own_node.folder / "audit.jsonl").read_text()
    assert not any(secret.partition(".")[2] in text for secret in made)
    assert "s3cret" not in text
    (created,) = (e for e in yunhe_json_list("node", "audit", folder, "--action", "token revoke"))
    assert created["subject"] == {"name": "app"}


def test_audit_log_that_was_altered_is_refused(own_node: NodeProcess) -> None:
    """STO-030 refused."""
    yunhe_json("token", "create", str(own_node.folder), "a", "--scope", "read")
    file = own_node.folder / "audit.jsonl"
    file.write_text(file.read_text().replace('"action":"start"', '"action":"stop"'))
    done = yunhe("node", "audit", str(own_node.folder))
    assert (done.returncode, done.stderr.split(":")[0]) == (4, "AUDIT_DAMAGED")


def yunhe_json_list(*arguments: str) -> list[dict[str, object]]:
    done = yunhe("--json", *arguments)
    assert done.returncode == 0, done.stderr
    return list(json.loads(done.stdout))
