"""Each finding of the doctor: there when its cause is, with what to do, and not there when it is not."""

import json
import os
import shutil
import socket
from collections import namedtuple
from collections.abc import Callable
from pathlib import Path

import pytest

import yunhe_native
from tests.unit.cli.test_main import run
from tests.unit.node.open_node import make_folder
from yunhe.cli.output import output
from yunhe.contracts.worker.executor import WorkerExecutor
from yunhe.errors import JailIncompleteError
from yunhe.limits import DISK_FREE_BYTES_MIN
from yunhe.node import doctor
from yunhe.node.doctor import clock_is_synchronised, diagnose
from yunhe.node.finding import FAULT, OK, WARNING, Finding
from yunhe.node.node import clock_ms

PROTECTIONS = {"landlock": True, "namespaces": True}
Usage = namedtuple("Usage", ["total", "used", "free"])


class Worker:
    """Stands for a worker whose start takes its time."""

    protections = PROTECTIONS

    def __init__(self, _chain_hash: object) -> None: ...

    def close(self) -> None: ...


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "WorkerExecutor", Worker)
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: Usage(2**40, 0, 2**40))


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = make_folder(tmp_path_factory.mktemp("made") / "node").path
    file = path / "node.toml"
    file.write_text(file.read_text().replace("port = 8440", "port = 0"))
    return path


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "node"))


def look(folder: Path, environment: dict[str, str] | None = None, *, is_running: bool = False, now_ms: int | None = None) -> list[Finding]:
    time = clock_ms if now_ms is None else lambda: now_ms
    return diagnose(folder, environment or {}, is_running=is_running, now_ms=time, is_synchronised=lambda: True)


def bad(findings: list[Finding]) -> list[tuple[str, str]]:
    assert all(bool(finding.advice) == (finding.verdict != OK) for finding in findings)
    return [(finding.check, finding.verdict) for finding in findings if finding.verdict != OK]


def test_node_that_is_well_has_a_verdict_on_everything_and_no_fault(folder: Path) -> None:
    findings = look(folder)
    assert bad(findings) == []
    assert [finding.check for finding in findings] == [
        "versions",
        "configuration",
        "keys",
        "tokens",
        "file modes",
        "ledger",
        "clock",
        "disk",
        "port",
        "worker",
    ]


BREAKING: dict[str, tuple[Callable[[Path], object], str, str]] = {
    "no configuration": (lambda p: (p / "node.toml").unlink(), "configuration", "cannot be read"),
    "an unknown setting": (lambda p: (p / "node.toml").write_text("prot = 1\n"), "configuration", "did you mean 'port'"),
    "no genesis": (lambda p: (p / "genesis.json").unlink(), "configuration", "genesis.json is missing"),
    "a lost key": (lambda p: (p / "keys" / "ledger.pem").unlink(), "keys", "ledger.pem cannot be read"),
    "a wrong passphrase": (lambda p: (p / "secrets" / "passphrase").write_text("x"), "keys", "passphrase"),
    "a damaged register": (lambda p: os.close(os.open(p / "secrets" / "tokens.json", os.O_CREAT, 0o600)), "tokens", "tokens.json"),
    "a key for everyone": (lambda p: (p / "keys" / "node.pem").chmod(0o644), "file modes", "node.pem can be read or written by others"),
    "a token for the group": (lambda p: (p / "secrets" / "api-token").chmod(0o640), "file modes", "api-token"),
    "a folder for everyone": (lambda p: p.chmod(0o777), "file modes", "can be written by others"),
    "no store": (lambda p: shutil.rmtree(p / "store"), "ledger", "store"),
    "a damaged marker": (lambda p: (p / "store" / "marker").write_bytes(b""), "ledger", "marker"),
}


@pytest.mark.parametrize(("break_it", "check", "named"), BREAKING.values(), ids=BREAKING)
def test_what_is_broken_is_a_fault_with_what_to_do(folder: Path, break_it: Callable[[Path], object], check: str, named: str) -> None:
    break_it(folder)
    found = [finding for finding in look(folder) if finding.verdict == FAULT]
    assert check in {finding.check for finding in found}
    assert any(named in finding.found for finding in found if finding.check == check)
    assert all(finding.advice for finding in found)


def test_environment_is_looked_at_as_a_start_would(folder: Path) -> None:
    assert bad(look(folder, {"YUNHE_PROT": "1"})) == [("configuration", FAULT)]
    (configuration,) = (finding for finding in look(folder, {"YUNHE_LOG_LEVEL": "debug"}) if finding.check == "configuration")
    assert configuration.found == "read; from the environment: log_level"


def test_clock_before_the_last_block_is_a_fault_and_one_that_nobody_keeps_a_warning(folder: Path) -> None:
    assert bad(look(folder, now_ms=1)) == [("clock", FAULT)]
    assert bad(diagnose(folder, {}, is_running=False, is_synchronised=lambda: False)) == [("clock", WARNING)]
    assert bad(diagnose(folder, {}, is_running=False, is_synchronised=lambda: None)) == [("clock", WARNING)]
    assert clock_is_synchronised() in (True, False, None)


@pytest.mark.parametrize(
    ("free", "verdict"),
    [(DISK_FREE_BYTES_MIN - 1, [("disk", FAULT)]), (DISK_FREE_BYTES_MIN, [("disk", WARNING)]), (5 * 2**30, [])],
)
def test_little_room_on_the_disk_is_told_in_time(
    folder: Path, monkeypatch: pytest.MonkeyPatch, free: int, verdict: list[tuple[str, str]]
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: Usage(2**40, 0, free))
    assert bad(look(folder)) == verdict


def test_store_that_cannot_be_written_is_a_fault(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda _path, _mode: False)
    assert bad(look(folder)) == [("disk", FAULT)]


def test_port_of_another_program_is_a_fault_and_that_of_the_node_itself_is_not(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        environment = {"YUNHE_PORT": str(other.getsockname()[1])}
        assert bad(look(folder, environment)) == [("port", FAULT)]
        assert bad(look(folder, environment, is_running=True)) == []
    assert bad(look(folder, {"YUNHE_HOST": "no such host"})) == [("port", FAULT)]


def test_address_that_other_machines_reach_is_a_warning(folder: Path) -> None:
    assert bad(look(folder, {"YUNHE_HOST": "0.0.0.0"})) == [("port", WARNING)]


def test_folder_of_another_user_is_a_warning(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: folder.stat().st_uid + 1)
    assert bad(look(folder)) == [("file modes", WARNING)]


def test_versions_that_differ_are_a_fault(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yunhe_native, "__version__", "0.0.1")
    assert ("versions", FAULT) in bad(look(folder))


def test_protection_that_is_off_is_a_warning_and_a_worker_that_cannot_start_a_fault(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Worker, "protections", PROTECTIONS | {"landlock": False})
    assert bad(look(folder)) == [("worker", WARNING)]

    def refuse(_chain_hash: object) -> None:
        raise JailIncompleteError("the contract worker's jail lacks system_calls")

    monkeypatch.setattr(doctor, "WorkerExecutor", refuse)
    assert bad(look(folder)) == [("worker", FAULT)]


def test_command_prints_all_findings_and_its_exit_code_tells_of_faults(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With a real worker."""
    monkeypatch.setattr(doctor, "WorkerExecutor", WorkerExecutor)
    monkeypatch.setattr(doctor, "clock_is_synchronised", lambda: False)
    assert run(monkeypatch, "doctor", str(folder)) == 0
    text = capsys.readouterr().out
    assert "ok       ledger         height 0" in text
    assert run(monkeypatch, "doctor", str(folder), "--strict") == 4
    (folder / "keys" / "node.pem").chmod(0o644)
    capsys.readouterr()
    assert run(monkeypatch, "doctor", str(folder), "--json") == 4
    output.json = False
    rows = json.loads(capsys.readouterr().out)
    assert {row["check"] for row in rows if row["verdict"] == "fault"} == {"file modes"}
