"""The log of a whole run: every line an object, requests and transactions by their ids, and no secret."""

import base64
import json
import signal
from pathlib import Path

import httpx
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from tests.e2e.node_process import PASSPHRASE, NodeProcess, wait_until, yunhe, yunhe_json
from tests.e2e.test_events import LEDGER, note
from yunhe.errors import YunheError
from yunhe.ledger.transaction import Call
from yunhe.sdk import Client, Member, create_key_file

HOOK_PATH, HOOK_QUERY, URL_TOKEN, WRONG_TOKEN = "hook-path-s3cret", "hook-query-s3cret", "url-token-s3cret", "wrong-token-s3cret"

CLERKS_PASSPHRASE = "clerk-s3cret"


def lines(node: NodeProcess) -> list[dict[str, object]]:
    return [json.loads(line) for line in (node.folder / "log" / "node.log").read_text().splitlines()]


def private_parts(pem: bytes, passphrase: str) -> set[bytes]:
    """Return a private key as it could stand in a log, whatever its spelling."""
    der = load_pem_private_key(pem, passphrase.encode()).private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    body = b"".join(pem.splitlines()[1:-1])
    secret = der[-32:]
    return {secret.hex().encode(), base64.b64encode(secret), base64.b64encode(der), body[:60], repr(secret)[2:-1].encode(), secret}


def misuse(node: NodeProcess) -> None:
    """Send what carries secrets to places where they do not belong."""
    for headers in (
        {"Authorization": f"Bearer {WRONG_TOKEN}"},
        {"Authorization": f"Basic {WRONG_TOKEN}"},
        {"X-Request-Id": f"{WRONG_TOKEN} x"},
    ):
        httpx.get(f"{node.address}/v1/status", headers=headers)
    authorised = {"Authorization": f"Bearer {node.token}"}
    httpx.get(f"{node.address}/v1/blocks?token={URL_TOKEN}", headers=authorised)
    httpx.post(f"{node.address}/v1/transactions", headers=authorised, content=URL_TOKEN.encode())
    httpx.post(f"{node.address}/v1/webhooks", headers=authorised, json={"url": f"https://u:{URL_TOKEN}@example.org/"})
    httpx.post(f"{node.address}/v1/webhooks", headers=authorised, content=b"{" + URL_TOKEN.encode())


def test_log_of_a_whole_run_has_ids_and_no_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("YUNHE_LOG_LEVEL", "debug")
    monkeypatch.setenv("YUNHE_WEBHOOK_PRIVATE_TARGETS", "true")
    node = NodeProcess(tmp_path)
    node_passphrase = (node.folder / "secrets" / "passphrase").read_text().strip()
    node.start()
    try:
        token = str(yunhe_json("token", "create", str(node.folder), "app", "--scope", "read", "--scope", "submit")["token"])
        url = f"http://127.0.0.1:1/{HOOK_PATH}?key={HOOK_QUERY}"
        hook = yunhe_json("webhook", "add", url, "--folder", str(node.folder))
        member = create_key_file(tmp_path / "port.clerk.pem", Member("port", "clerk"), CLERKS_PASSPHRASE)
        with Client(node.address, token) as client:
            call = Call("registry", "set_member", {"member": "admin", "roles": ["admin"], "status": "active"})
            transaction = client.build([node.founder], [call])
            client.submit(transaction)
            with pytest.raises(YunheError):
                client.call(member.open(CLERKS_PASSPHRASE), "registry", "set_member", member="x", roles=[], status="active")
        misuse(node)
        node.deploy("notes", LEDGER)
        note(node, "x")
        wait_until(lambda: any(line["event"] == "webhook not delivered" for line in lines(node)), "a delivery that fails")
        yunhe("node", "backup", str(node.folder), str(tmp_path / "backup"))
        yunhe("token", "revoke", str(node.folder), "app")
        node.stop()
        node.start()
        node.stop()
    finally:
        node.close()
    found = lines(node)
    about = [line for line in found if line.get("transaction") == transaction.id.hex()]
    assert {str(line["event"]) for line in about} == {"transaction accepted", "transaction placed"}
    (accepted,) = (line for line in about if line["event"] == "transaction accepted")
    assert accepted["caller"] == "app"
    (answered,) = (line for line in found if line["event"] == "answered" and line["request_id"] == accepted["request_id"])
    assert (answered["path"], answered["status"]) == ("/v1/transactions", 200)
    assert all({"timestamp", "level", "event"} <= line.keys() for line in found)

    secrets = {HOOK_PATH, HOOK_QUERY, URL_TOKEN, WRONG_TOKEN, CLERKS_PASSPHRASE, node_passphrase, node.token, token, str(hook["secret"])}
    secrets |= {token.partition(".")[2], str(hook["secret"]).partition("_")[2]}
    parts = {secret.encode() for secret in secrets}
    for file, passphrase in (
        (node.folder / "keys" / "node.pem", node_passphrase),
        (node.folder / "keys" / "ledger.pem", node_passphrase),
        (node.founder_file.path, PASSPHRASE),
        (member.path, CLERKS_PASSPHRASE),
    ):
        parts |= private_parts(file.read_bytes(), passphrase)
    log = (node.folder / "log" / "node.log").read_bytes()
    assert len(log) > 1000
    assert [part for part in parts if part and part in log] == []


def test_log_as_text_is_one_line_a_message_and_goes_where_it_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("YUNHE_LOG_FORMAT", "text")
    monkeypatch.setenv("YUNHE_LOG_FILE", "log/other.log")
    node = NodeProcess(tmp_path)
    node.start()
    node.stop()
    text = (node.folder / "log" / "other.log").read_text()
    assert [line.split()[2].partition("=")[0] for line in text.splitlines()] == ["event"] * 2
    assert 'event="node started"' in text
    assert not (node.folder / "log" / "node.log").exists()


def test_log_on_standard_error_is_for_the_foreground_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    node = NodeProcess(tmp_path)
    refused = yunhe("node", "start", str(node.folder), "--log-file", "-", "--background")
    assert (refused.returncode, "set `log_file` to a file" in refused.stderr) == (4, True)
    monkeypatch.setenv("YUNHE_LOG_FILE", "-")
    node.start()
    process = node.process
    assert process is not None
    process.terminate()
    _, said = process.communicate(timeout=60)
    assert [json.loads(line)["event"] for line in said.splitlines()] == ["node started", "node stopped"]
    node.process = None


def test_log_is_rotated_by_size_and_opened_anew_on_sighup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("YUNHE_LOG_BYTES_MAX", "2000")
    monkeypatch.setenv("YUNHE_LOG_FILES_KEPT", "2")
    monkeypatch.setenv("YUNHE_LOG_LEVEL", "debug")
    node = NodeProcess(tmp_path).start()
    log = node.folder / "log"
    try:
        with node.client() as client:
            wait_until(lambda: client.status() and (log / "node.log.2").exists(), "the second rotation")
            assert all(path.stat().st_size <= 2000 for path in log.iterdir())
            (log / "node.log").rename(log / "moved")
            assert node.process is not None
            node.process.send_signal(signal.SIGHUP)
            wait_until(lambda: client.status() and (log / "node.log").exists(), "the new file")
        moved = (log / "moved").read_text()
        node.stop()
        assert (log / "moved").read_text() == moved
        assert sorted(path.name for path in log.iterdir()) == ["moved", "node.log", "node.log.1", "node.log.2"]
    finally:
        node.close()
