"""Parts of the demo that need no node: what the parties are called, keys, the account, and what bad input gets before anything starts."""

import copy
import io
import json
import shlex
import stat
import sys
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import typer
from rich.console import Console
from typer.testing import CliRunner

from yunhe.sdk import Client, YunheError, read_key_file
from yunhe_maritime.demo import _checked_document, command, this_program
from yunhe_maritime.demo_account import Account
from yunhe_maritime.demo_node import running_node
from yunhe_maritime.demo_parties import ORGANISATIONS, Ledger, endorsee_organisation, make_parties, titles_from
from yunhe_maritime.errors import DemoFailedError, DemoFolderError, DocumentNotReadableError, InvalidDocumentError
from yunhe_maritime.transport_document import TransportDocument

SAMPLE: dict[str, Any] = json.loads(files("yunhe_maritime").joinpath("sample_document.json").read_bytes())
CONSIGNEE = {"partyName": "Zuiderlicht Tableware Import B.V.", "identifyingCodes": [{"codeListProvider": "ZZZ", "partyCode": "consignee"}]}


def _document(parties: dict[str, Any]) -> TransportDocument:
    document = copy.deepcopy(SAMPLE)
    for name, value in parties.items():
        if value is None:
            del document["documentParties"][name]
        else:
            document["documentParties"][name] = value
    return TransportDocument.model_validate(document)


def test_organisations_are_called_as_in_the_document() -> None:
    titles = titles_from(_document({}))
    assert set(titles) == set(ORGANISATIONS)
    assert titles["carrier"] == SAMPLE["documentParties"]["issuingParty"]["partyName"]
    assert titles["shipper"] == SAMPLE["documentParties"]["shipper"]["partyName"]
    assert titles["consignee"] == SAMPLE["documentParties"]["notifyParties"][0]["partyName"]
    assert titles_from(_document({"endorsee": None, "consignee": CONSIGNEE}))["consignee"] == CONSIGNEE["partyName"]
    assert titles_from(_document({"notifyParties": None}))["consignee"]


def test_endorsee_of_another_name_than_the_shipper_is_played_by_the_bank() -> None:
    endorsee = SAMPLE["documentParties"]["endorsee"]
    bank = endorsee | {"partyName": "Bank of the Nine Bridges"}
    assert endorsee_organisation(_document({})) == "shipper"
    assert endorsee_organisation(_document({"endorsee": bank})) == "bank"
    assert titles_from(_document({"endorsee": bank}))["bank"] == "Bank of the Nine Bridges"
    assert endorsee_organisation(_document({"endorsee": None})) is None


def test_each_party_has_an_encrypted_key_file_in_its_own_folder(tmp_path: Path) -> None:
    parties = make_parties(tmp_path, dict.fromkeys(ORGANISATIONS, "title"))
    keys = set()
    for organisation, party in parties.items():
        home = tmp_path / organisation
        assert party.file.path.parent == home
        assert stat.S_IMODE(home.stat().st_mode) == 0o700
        assert stat.S_IMODE((home / "passphrase").stat().st_mode) == 0o600
        assert b"ENCRYPTED PRIVATE KEY" in party.file.path.read_bytes()
        opened = read_key_file(party.file.path).open((home / "passphrase").read_text().strip())
        keys.add(opened.signer.public_key)
        assert opened.member.organisation == organisation
    assert len(keys) == len(ORGANISATIONS)


def test_account_prints_for_people_and_dumps_for_programs() -> None:
    screen = io.StringIO()
    account = Account(Console(file=screen, width=200))
    with account.step("First"):
        account.done("a thing [not markup]")
        account.note("an explanation")
        account.refused("another thing", "NOT_HOLDER", "only the holder can")
    account.times()
    account.result("folder", "/somewhere", "all files")
    text = screen.getvalue()
    assert "1. First" in text
    assert "ms  a thing [not markup]" in text
    assert "ms  another thing: refused, NOT_HOLDER\n            only the holder can; nothing changed\n" in text
    assert text.count("1. First") == 2
    value = json.loads(account.to_json())
    assert value["folder"] == "/somewhere"
    assert [line["text"] for line in value["steps"][0]["lines"]] == [
        "a thing [not markup]",
        "an explanation",
        "another thing: refused, NOT_HOLDER",
        "only the holder can; nothing changed",
    ]
    assert value["steps"][0]["lines"][1]["milliseconds"] is None
    assert value["milliseconds"] >= value["steps"][0]["milliseconds"] >= 0


def test_account_of_a_hostile_document_cannot_steer_the_terminal() -> None:
    screen = io.StringIO()
    account = Account(Console(file=screen, width=200))
    with account.step("First"):
        account.done("bill A\x1b[2J\u202eB\n")
    account.result("bill_id", "\x07", "bill")
    text = screen.getvalue()
    assert "bill A\\u001b[2J\\u202eB" in text
    assert not {"\x1b", "\u202e", "\x07"} & set(text)


def test_account_for_programs_prints_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    account = Account(None)
    with account.step("First"):
        account.done("a thing")
    assert capsys.readouterr() == ("", "")


def _run_demo(*arguments: str) -> BaseException | None:
    app = typer.Typer()
    app.command()(command)
    return CliRunner().invoke(app, list(arguments)).exception


def test_demo_with_an_invalid_document_is_refused_with_the_failing_fields(tmp_path: Path) -> None:
    document = copy.deepcopy(SAMPLE)
    del document["carrierCode"]
    document["charges"][1]["currencyCode"] = "eur"
    path = tmp_path / "document.json"
    path.write_text(json.dumps(document))
    error = _run_demo("--document", str(path), "--keep", str(tmp_path / "keep"))
    assert isinstance(error, InvalidDocumentError)
    assert {fault.path for fault in error.faults} == {"carrierCode", "charges[1].currencyCode"}
    assert not (tmp_path / "keep").exists()


def test_demo_with_a_sea_waybill_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "document.json"
    path.write_text(json.dumps(SAMPLE | {"transportDocumentTypeCode": "SWB", "isToOrder": False}))
    assert isinstance(_run_demo("--document", str(path)), InvalidDocumentError)


def test_demo_says_how_many_unknown_fields_it_does_not_list(tmp_path: Path) -> None:
    screen = io.StringIO()
    account = Account(Console(file=screen, width=200))
    path = tmp_path / "document.json"
    path.write_text(json.dumps(SAMPLE | {f"x{number}": 1 for number in range(7)}))
    with account.step("First"):
        _checked_document(account, path)
    assert "left as they are: x0, x1, x2, x3, x4, and 2 more" in screen.getvalue()


def test_demo_with_a_missing_document_is_refused(tmp_path: Path) -> None:
    assert isinstance(_run_demo("--document", str(tmp_path / "none.json")), DocumentNotReadableError)


def test_demo_into_a_folder_that_is_not_empty_is_refused_and_nothing_changed(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine")
    assert isinstance(_run_demo("--keep", str(tmp_path)), DemoFolderError)
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]
    assert isinstance(_run_demo("--keep", str(tmp_path / "mine" / "below")), DemoFolderError)


def test_node_that_does_not_start_is_reported_with_its_reason(tmp_path: Path) -> None:
    with pytest.raises(DemoFailedError, match=r"did not start: .*node\.toml"), running_node(tmp_path / "no-node"):
        pytest.fail("the block must not be entered")


def test_party_whose_node_does_not_answer_gets_a_named_error(tmp_path: Path) -> None:
    parties = make_parties(tmp_path, dict.fromkeys(ORGANISATIONS, "title"))
    with Client("http://127.0.0.1:9", network_id=bytes(32), timeout_s=0.2) as client, pytest.raises(YunheError, match="does not answer"):
        Ledger(client, parties).admit("carrier")


@pytest.mark.parametrize(
    ("called", "found", "told"),
    [
        ("/venv/bin/yunhe", "/venv/bin/yunhe", "yunhe"),
        (".venv/bin/yunhe", None, ".venv/bin/yunhe"),
        ("/venv/bin/yunhe", "/other/bin/yunhe", "/venv/bin/yunhe"),
        ("/venv/lib/yunhe/cli/__main__.py", None, f"{sys.executable} -m yunhe.cli"),
    ],
)
def test_advice_calls_the_program_as_it_was_called(monkeypatch: pytest.MonkeyPatch, called: str, found: str | None, told: str) -> None:
    monkeypatch.setattr(sys, "argv", [called])
    monkeypatch.setattr("shutil.which", lambda name: found)
    assert shlex.join(this_program()) == told
