"""What an operator can get wrong, and what the command line says to it."""

import json
import shutil

import pytest

from tests.e2e.node_process import PASSPHRASE, NodeProcess, yunhe, yunhe_json
from yunhe.sdk import Member, create_key_file
from yunhe.sdk.local_node import process_start


@pytest.fixture
def stopped(tmp_path):
    node = NodeProcess(tmp_path)
    yield node
    node.close()


def refused(code: str, *arguments: str, exit_code: int = 4) -> str:
    done = yunhe("--json", *arguments)
    assert done.returncode == exit_code, (done.returncode, done.stdout, done.stderr)
    error = json.loads(done.stderr.splitlines()[-1])
    assert error["code"] == code
    assert "Traceback" not in done.stderr
    return str(error["message"])


def test_node_in_the_background_starts_answers_and_stops(stopped):
    started = yunhe_json("node", "start", str(stopped.folder), "--background")
    try:
        assert f"`yunhe node stop {stopped.folder}` stops it" in refused(
            "NODE_NOT_STARTED", "node", "start", str(stopped.folder), "--background"
        )
        status = yunhe_json("node", "status", "--folder", str(stopped.folder))
        assert (status["status"], status["height"], status["engine"]) == ("running", 0, "solo")
        assert status["protections"]["system_calls"]
    finally:
        assert yunhe_json("node", "stop", str(stopped.folder)) == {"stopped": started["pid"]}
        assert process_start(started["pid"]) is None
    refused("NODE_NOT_RUNNING", "node", "status", "--folder", str(stopped.folder), exit_code=3)
    refused("NODE_NOT_RUNNING", "node", "stop", str(stopped.folder), exit_code=3)


def test_second_node_on_one_folder_is_refused_and_harms_nothing(stopped):
    stopped.start()
    message = refused("FOLDER_IN_USE", "node", "start", str(stopped.folder), "--port", "0", exit_code=1)
    assert f"process {stopped.process.pid} has the data folder" in message
    assert "stop that node first" in message
    with stopped.client() as client:
        assert client.health()["status"] == "running"


def test_port_taken_is_refused_before_the_store_is_opened(stopped, tmp_path):
    stopped.start()
    port = stopped.address.rsplit(":", 1)[1]
    (tmp_path / "other").mkdir()
    other = NodeProcess(tmp_path / "other")
    lock = other.folder / "store" / "LOCK"
    held_last_by = lock.read_text()
    message = refused("PORT_TAKEN", "node", "start", str(other.folder), "--port", port)
    assert f":{port} is in use by another program; stop it, or set another `port`" in message
    assert lock.read_text() == held_last_by
    other.start()
    other.stop()


def test_wrong_genesis_is_refused(stopped, tmp_path):
    (tmp_path / "other").mkdir()
    other = NodeProcess(tmp_path / "other")
    shutil.copy(other.folder / "genesis.json", stopped.folder / "genesis.json")
    done = yunhe("--json", "node", "start", str(stopped.folder), "--port", "0")
    assert json.loads(done.stderr.splitlines()[-1])["code"] == "WRONG_GENESIS"
    done = yunhe("--json", "node", "check", str(stopped.folder))
    assert json.loads(done.stderr.splitlines()[-1])["code"] == "WRONG_GENESIS"


@pytest.mark.parametrize(("field", "value"), [("hash", "sm3"), ("suites", ["ed25519-sha256", "sm2-sm3"])])
def test_genesis_with_another_hash_or_suites_is_refused(stopped, field, value):
    """LED-001, COD-010: both are part of what the network id is the hash of."""
    path = stopped.folder / "genesis.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {field: value}))
    for arguments in (("node", "start", str(stopped.folder), "--port", "0"), ("node", "check", str(stopped.folder))):
        done = yunhe("--json", *arguments)
        assert json.loads(done.stderr.splitlines()[-1])["code"] == "WRONG_GENESIS"


def test_admin_key_of_a_suite_that_is_not_asked_for_is_refused(tmp_path):
    """LED-003"""
    key = create_key_file(tmp_path / "key.pem", Member("port", "admin"), PASSPHRASE, "sm2-sm3")
    init = ("node", "init", str(tmp_path / "node"), "--org", "port", "--admin", str(key.path))
    assert "sm2-sm3" in refused("GENESIS_INVALID", *init)
    assert not (tmp_path / "node").exists()
    assert yunhe_json(*init, "--suite", "ed25519-sha256", "--suite", "sm2-sm3")["suites"] == ["ed25519-sha256", "sm2-sm3"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "organisation = 5\n",
        "colour = 'blue'\n",
        "\x00\xff",
        "organisation = 'port'\nnode = 'n'\nengine = 'raft'\n",
        "organisation = 'port'\nnode='n'\nport = 70000\n",
    ],
)
def test_unreadable_configuration_is_refused(stopped, text):
    (stopped.folder / "node.toml").write_bytes(text.encode("latin-1"))
    refused("CONFIGURATION_INVALID", "node", "start", str(stopped.folder))


def test_folder_that_is_no_node_is_refused(tmp_path):
    refused("CONFIGURATION_INVALID", "node", "start", str(tmp_path / "nothing"))
    refused("CONFIGURATION_INVALID", "node", "check", str(tmp_path))


def test_init_into_a_folder_that_holds_something_is_refused_and_harms_nothing(stopped):
    before = sorted(path.name for path in stopped.folder.rglob("*"))
    refused("FOLDER_NOT_EMPTY", "node", "init", str(stopped.folder), "--org", "port", "--admin", str(stopped.founder_file.path))
    assert sorted(path.name for path in stopped.folder.rglob("*")) == before


def test_wrong_passphrase_and_lost_key_are_refused(stopped):
    passphrase = stopped.folder / "secrets" / "passphrase"
    kept = passphrase.read_text()
    passphrase.write_text("wrong\n")
    refused("PASSPHRASE_WRONG", "node", "start", str(stopped.folder), "--port", "0", exit_code=1)
    passphrase.write_text(kept)
    (stopped.folder / "keys" / "ledger.pem").unlink()
    refused("CONFIGURATION_INVALID", "node", "start", str(stopped.folder), "--port", "0")


def test_ledger_of_another_python_is_refused(stopped):
    genesis = stopped.folder / "genesis.json"
    genesis.write_text(genesis.read_text().replace('"python": "3.11"', '"python": "3.9"'))
    refused("PYTHON_WRONG", "node", "start", str(stopped.folder), "--port", "0")


def test_secrets_are_readable_by_the_owner_alone(stopped):
    for name in ("secrets/passphrase", "secrets/api-token", "keys/node.pem", "keys/ledger.pem"):
        assert (stopped.folder / name).stat().st_mode & 0o077 == 0


def test_log_holds_no_secret(stopped):
    stopped.start()
    with stopped.client() as client:
        client.call(stopped.founder, "registry", "set_member", member="admin", roles=["admin"], status="active")
    stopped.stop()
    log = (stopped.folder / "log" / "node.log").read_text()
    assert "node started" in log
    assert stopped.token not in log
    assert (stopped.folder / "secrets" / "passphrase").read_text().strip() not in log


def test_node_that_does_not_start_in_the_background_says_why(stopped):
    (stopped.folder / "secrets" / "passphrase").write_text("wrong\n")
    message = refused("NODE_NOT_STARTED", "node", "start", str(stopped.folder), "--background")
    assert message.startswith("the node did not start: PASSPHRASE_WRONG: ")


def test_state_that_is_behind_is_rolled_forward_with_progress(stopped):
    stopped.start()
    with stopped.client() as client:
        client.call(stopped.founder, "registry", "set_member", member="admin", roles=["admin"], status="active")
    stopped.stop()
    shutil.rmtree(stopped.folder / "store" / "state")
    started = yunhe("node", "start", str(stopped.folder), "--background")
    try:
        assert "rolled forward 2 of 2 blocks (100 %)" in started.stderr
        assert yunhe_json("node", "status", "--folder", str(stopped.folder))["height"] == 1
    finally:
        yunhe("node", "stop", str(stopped.folder))


def test_founder_sets_parameters_within_their_bounds_and_thresholds(tmp_path):
    """SYS-011, SYS-013: a ledger that could never run a vote is not made."""
    key = create_key_file(tmp_path / "key.pem", Member("port", "admin"), PASSPHRASE)
    init = ("node", "init", str(tmp_path / "node"), "--admin", str(key.path))
    assert "gas_limit_max" in refused("GENESIS_INVALID", *init, "--parameter", "gas_limit_max=1")
    assert "colour" in refused("GENESIS_INVALID", *init, "--parameter", "colour=1")
    assert "colour" in refused("GENESIS_INVALID", *init, "--threshold", "colour=all")
    refused("USAGE", *init, "--threshold", "contract", exit_code=2)
    yunhe_json(*init, "--parameter", "gas_limit_max=30000000", "--threshold", "contract=all")
    genesis = json.loads((tmp_path / "node" / "genesis.json").read_text())
    assert (genesis["parameters"]["gas_limit_max"], genesis["thresholds"]["contract"]) == (30_000_000, "all")


def test_version_and_wrong_use(tmp_path):
    assert yunhe_json("--version")["version"]
    assert yunhe("no-such-command").returncode == 2
    assert yunhe("tx", "call", "a", "b").returncode == 2
    missing = yunhe("--json", "key", "show", str(tmp_path / "none.pem"))
    assert (missing.returncode, json.loads(missing.stderr)["code"]) == (1, "KEY_FILE_NOT_FOUND")


def test_backup_and_restore_print_what_was_made_and_what_comes_next(stopped, tmp_path):
    """STO-018, STO-019: one JSON value each, and the codes and exit codes of what is refused."""
    made = yunhe_json("node", "backup", str(stopped.folder), str(tmp_path / "a.backup"))
    assert (made["height"], made["bytes"]) == (0, (tmp_path / "a.backup").stat().st_size)
    restored = yunhe_json("node", "restore", made["backup"], str(tmp_path / "restored"), "--complete")
    assert (restored["height"], restored["next"]) == (0, "the node goes on from the backup")
    assert "keys/" in restored["keys"]
    refused("BACKUP_EXISTS", "node", "backup", str(stopped.folder), made["backup"], exit_code=1)
    refused("FOLDER_NOT_EMPTY", "node", "restore", made["backup"], str(stopped.folder))
    refused("USAGE", "node", "restore", made["backup"], str(tmp_path / "x"), "--complete", "--roll-back", exit_code=2)
    refused("USAGE", "node", "restore", made["backup"], str(tmp_path / "x"), "--cosigner", made["backup"], exit_code=2)
    (tmp_path / "cut.backup").write_bytes((tmp_path / "a.backup").read_bytes()[:-1])
    refused("BACKUP_DAMAGED", "node", "restore", str(tmp_path / "cut.backup"), str(tmp_path / "x"))
    assert not (tmp_path / "x").exists()
