"""What every command has in common: the program's own errors, told once and with the help that fits, and exit codes."""

import json

import pytest

from yunhe.cli.main import main
from yunhe.cli.output import output


@pytest.fixture(autouse=True)
def _text_again() -> None:
    yield
    output.json = False


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    """Run the command line and return its exit code."""
    monkeypatch.setattr("sys.argv", ["yunhe", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["node", "start"], "USAGE: Missing argument 'folder'; `yunhe node start --help` shows how it is used"),
        (["proof", "verify", "x"], "USAGE: Missing option '--genesis'; `yunhe proof verify --help` shows how it is used"),
        (["nosuch"], "USAGE: No such command 'nosuch'; `yunhe --help` shows how it is used"),
        (["org", "nosuch"], "USAGE: No such command 'nosuch'; `yunhe org --help` shows how it is used"),
        (
            ["node", "check", "x", "--deep"],
            "USAGE: No such option: --deep (Possible options: --help); `yunhe node check --help` shows how it is used",
        ),
    ],
)
def test_wrong_use_is_told_with_the_help_that_fits(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    assert run(monkeypatch, *arguments) == 2
    assert capsys.readouterr().err == said + "\n"


def test_wrong_use_with_json_is_one_value(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(monkeypatch, "node", "start", "--json") == 2
    error = json.loads(capsys.readouterr().err)
    assert (error["code"], "Missing argument" in error["message"]) == ("USAGE", True)


@pytest.mark.parametrize("group", [[], ["node"], ["org"], ["contract"]])
def test_group_without_command_shows_its_commands(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], group: list[str]
) -> None:
    assert run(monkeypatch, *group) == 2
    shown = capsys.readouterr()
    assert "Commands" in shown.out + shown.err
    assert "USAGE" not in shown.err


def test_address_that_is_none_is_refused_at_once(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(monkeypatch, "query", "blocks", "--node", "localhost:8440") == 1
    assert capsys.readouterr().err.startswith("ADDRESS_INVALID: 'localhost:8440' is no address")


def test_argument_or_variable_that_is_no_text_is_refused(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """As the interpreter gives bytes that are no UTF-8: as lone surrogates, which nothing else here could encode."""
    assert run(monkeypatch, "node", "init", "x", "--title", "\udcff") == 2
    assert capsys.readouterr().err == "USAGE: argument 5 is not text in UTF-8\n"
    monkeypatch.setenv("YUNHE_KEY_PASSPHRASE", "\udcff")
    assert run(monkeypatch, "key", "new", "a/b") == 2
    assert capsys.readouterr().err == "USAGE: YUNHE_KEY_PASSPHRASE is not text in UTF-8\n"
