"""`yunhe node config` and the flags of settings."""

import json
from pathlib import Path

import pytest

from tests.unit.cli.test_main import run
from tests.unit.node.open_node import make_folder
from yunhe.cli.output import output
from yunhe.cli.settings import Flags, as_arguments, with_setting_flags
from yunhe.node.config import SETTINGS, flag


@pytest.fixture(autouse=True)
def _text_again() -> None:
    yield
    output.json = False


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_folder(tmp_path / "node").path


def test_settings_are_shown_with_their_origins_and_without_the_passphrase(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("YUNHE_LOG_LEVEL", "debug")
    monkeypatch.setenv("YUNHE_PORT", "1")
    monkeypatch.setenv("YUNHE_PASSPHRASE", "hunter2")
    (folder / "node.toml").write_text('organisation = "port"\nnode = "node1"\nhost = "::1"\n')
    assert run(monkeypatch, "node", "config", str(folder), "--port", "0", "--json") == 0
    shown = capsys.readouterr().out
    rows = {row["setting"]: (row["value"], row["origin"]) for row in json.loads(shown)}
    assert rows["port"] == (0, "flag --port")
    assert rows["log_level"] == ("debug", "environment YUNHE_LOG_LEVEL")
    assert rows["host"] == ("::1", "file")
    assert rows["collect_ms"][1] == "default"
    assert rows["passphrase"] == ("(hidden)", "environment YUNHE_PASSPHRASE")
    assert "hunter2" not in shown
    assert rows.keys() == {*SETTINGS, "passphrase"}


@pytest.mark.parametrize("command", ["config", "start"])
def test_unknown_variable_is_refused_with_what_was_meant(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    monkeypatch.setenv("YUNHE_LOGLEVEL", "debug")
    assert run(monkeypatch, "node", command, str(folder)) == 4
    assert capsys.readouterr().err == (
        "CONFIGURATION_INVALID: the environment's YUNHE_LOGLEVEL is unknown; did you mean 'YUNHE_LOG_LEVEL'?\n"
    )


@pytest.mark.parametrize(
    "flags",
    [{"port": 0, "host": "::1"}, {"webhook_private_targets": True}, {"webhook_private_targets": False}, {}],
    ids=str,
)
def test_flags_that_are_passed_on_arrive_as_they_were_given(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], flags: Flags
) -> None:
    assert run(monkeypatch, "node", "config", str(folder), "--json", *as_arguments(flags)) == 0
    given = [row for row in json.loads(capsys.readouterr().out) if row["origin"].startswith("flag")]
    assert {row["setting"]: row["value"] for row in given} == flags


def test_command_with_setting_flags_has_one_for_every_setting_that_can_have_one() -> None:
    @with_setting_flags
    def command(folder: Path, flags: Flags) -> None:
        pass

    names = set(command.__signature__.parameters)
    assert names == {"folder", *(name for name in SETTINGS if flag(name))}
