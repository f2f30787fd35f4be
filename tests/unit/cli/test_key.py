"""`yunhe key`: keys of either suite, made and shown."""

import json
from pathlib import Path

import pytest

from yunhe.cli.connection import PASSPHRASE_VARIABLE
from yunhe.cli.main import app
from yunhe.errors import UnknownSuiteError, UsageError


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(PASSPHRASE_VARIABLE, "one")
    return tmp_path


def run(*arguments: str) -> None:
    app(list(arguments), standalone_mode=False)


# COD-023
def test_keys_of_both_suites_are_made_shown_and_listed(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run("key", "new", "carrier/clerk")
    run("key", "new", "carrier/officer", "--suite", "sm2-sm3")
    capsys.readouterr()
    run("--json", "key", "show", "carrier.officer.pem")
    shown = json.loads(capsys.readouterr().out)
    assert (shown["member"], shown["suite"], shown["signer_id"]) == ("carrier/officer", "sm2-sm3", "1234567812345678")
    assert len(bytes.fromhex(shown["public_key"])) == 65
    run("key", "list")
    header, first, second = capsys.readouterr().out.splitlines()
    assert header.split() == ["file", "member", "suite", "public_key"]
    assert first.split()[:3] == ["carrier.clerk.pem", "carrier/clerk", "ed25519-sha256"]
    assert second.split() == ["carrier.officer.pem", "carrier/officer", "sm2-sm3", shown["public_key"]]


def test_key_of_an_unknown_suite_is_not_made(folder: Path) -> None:
    with pytest.raises(UnknownSuiteError):
        run("key", "new", "carrier/clerk", "--suite", "rsa")
    assert list(folder.iterdir()) == []


def test_list_of_no_keys_says_so_and_of_no_folder_is_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run("key", "list")
    assert capsys.readouterr().out == "no key files in .; `yunhe key new` makes one\n"
    with pytest.raises(UsageError, match="no folder nowhere"):
        run("key", "list", "nowhere")
