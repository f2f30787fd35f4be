"""The systemd unit: verified by systemd where it is installed, and harmless whatever the folder's name."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.unit.cli.test_main import run
from tests.unit.node.open_node import make_folder


@pytest.fixture
def unit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> str:
    folder = make_folder(tmp_path / "node").path
    assert run(monkeypatch, "node", "unit", str(folder)) == 0
    return capsys.readouterr().out


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
def test_unit_is_one_that_systemd_accepts_without_a_word(unit: str, tmp_path: Path) -> None:
    (tmp_path / "yunhe.service").write_text(unit)
    done = subprocess.run(["systemd-analyze", "verify", str(tmp_path / "yunhe.service")], capture_output=True, text=True, check=False)
    assert (done.returncode, [line for line in done.stderr.splitlines() if "yunhe.service" in line]) == (0, [])


def test_unit_starts_this_folder_writes_nowhere_else_and_lets_the_worker_close_its_jail(unit: str, tmp_path: Path) -> None:
    lines = unit.splitlines()
    (start,) = (line for line in lines if line.startswith("ExecStart="))
    assert start.endswith(f"/yunhe node start {tmp_path}/node")
    assert Path(start.removeprefix("ExecStart=").split()[0]).is_file()
    assert f"ReadWritePaths={tmp_path}/node" in lines
    assert {"ProtectSystem=strict", "NoNewPrivileges=yes", "CapabilityBoundingSet="} <= set(lines)
    assert "RestrictNamespaces=user mnt net ipc uts" in lines
    assert "RestartPreventExitStatus=2 4" in lines


@pytest.mark.parametrize("name", ["a b", "a%n", "a$HOME", 'a"b', "a;b", "a\nExecStartPre=x"])
def test_folder_whose_name_means_something_to_systemd_is_refused(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = make_folder(tmp_path / name).path
    assert run(monkeypatch, "node", "unit", str(folder)) == 2
    assert "cannot stand in a systemd unit" in capsys.readouterr().err
