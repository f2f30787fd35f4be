"""The verifier as a third party runs it: one file, a bare interpreter, exit codes and what it prints (PRF-016)."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.proof_chain import CHECKSUM_DOCUMENT, Chain, cbor, certifiers, sample_chain, sealed, state_key
from yunhe import verifier
from yunhe.verifier import main

ONE = sample_chain(certifiers("carrier"))
FOUR = sample_chain(certifiers("bank", "carrier", "port", "shipper"))


@pytest.fixture
def files(tmp_path: Path) -> Path:
    subjects = [
        FOUR.transaction_subject(1, 1),
        FOUR.state_subject(1, "ebl", "bills", ["B-1"]),
        FOUR.state_subject(1, "ebl", "bills", ["none"]),
    ]
    (tmp_path / "bundle").write_bytes(sealed(FOUR.bundle([4], 1, *subjects)))
    (tmp_path / "one").write_bytes(sealed(ONE.bundle([4], 1, ONE.receipt_subject(1, 1))))
    (tmp_path / "genesis.json").write_bytes(FOUR.genesis)
    (tmp_path / "one.json").write_bytes(ONE.genesis)
    (tmp_path / "checkpoint").write_text(FOUR.checkpoint(4), encoding="utf-8")
    (tmp_path / "document.json").write_bytes(CHECKSUM_DOCUMENT)
    return tmp_path


def test_fresh_interpreter_without_site_packages_needs_this_file_only(files: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    empty = tmp_path_factory.mktemp("empty")
    (empty / "verifier.py").write_bytes(Path(verifier.__file__).read_bytes())
    command = [sys.executable, "-I", "-S", "verifier.py", str(files / "bundle"), "--genesis", str(files / "genesis.json")]
    command += ["--trust", str(files / "checkpoint"), "--document", str(files / "document.json")]
    # No environment at all: a terminal's encoding may then be ASCII, and the document's characters are not.
    run = subprocess.run(command, cwd=empty, env={}, capture_output=True, check=False)
    assert (run.returncode, run.stderr) == (0, b"")
    assert run.stdout.startswith(b"VERIFIED")
    refusal = subprocess.run([*command[:4], str(files / "one"), *command[5:7]], cwd=empty, env={}, capture_output=True, check=False)
    assert (refusal.returncode, refusal.stderr) == (1, b"")
    assert refusal.stdout.startswith(b"REFUSED by rule PRF-010: the bundle is of network")
    assert [path.name for path in empty.iterdir()] == ["verifier.py"]


def test_file_imports_the_standard_library_only() -> None:
    tree = ast.parse(Path(verifier.__file__).read_text(encoding="utf-8"))
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {name.partition(".")[0] for name in imported} <= set(sys.stdlib_module_names)


# PRF-016
def test_account_says_when_by_whom_what_and_what_not(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(files / "bundle"), "--genesis", str(files / "genesis.json"), "--document", str(files / "document.json")]) == 0
    account = capsys.readouterr().out
    for expected in (
        FOUR.network_id.hex(),
        "Block         1, of 2023-11-14 22:13:21.000 UTC",
        "4 of 4: bank, carrier, port, shipper",
        "starts from the genesis that you gave, then no change of certifiers",
        "1. Transaction",
        '"organisation": "carrier"',
        "2. Record",
        '"holder": "bank"',
        "3. Absence: this was not there",
        "document_checksum of subject 2",
        "Not proven:",
    ):
        assert expected in account
    assert "One certifier only" not in account


# PRF-016
def test_one_certifier_is_said_to_be_one(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(files / "one"), "--genesis", str(files / "one.json")]) == 0
    account = capsys.readouterr().out
    assert "1 of 1: carrier" in account
    assert "One certifier only" in account
    assert '"code": "NOT_HOLDER"' in account


def test_json_account_is_complete(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = [str(files / "bundle"), "--genesis", str(files / "genesis.json"), "--document", str(files / "document.json"), "--json"]
    assert main(arguments) == 0
    account = json.loads(capsys.readouterr().out)
    assert (account["verified"], account["height"], account["anchor"], account["document_subject"]) == (True, 1, "genesis", 1)
    assert account["network_id"] == "0x" + FOUR.network_id.hex()
    assert account["certificates"][0]["organisations"] == ["bank", "carrier", "port", "shipper"]
    assert [subject["kind"] for subject in account["subjects"]] == ["transaction", "record", "absence"]


def test_refusal_names_the_rule_and_exits_with_one(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    damaged = bytearray((files / "bundle").read_bytes())
    damaged[-100] ^= 1
    (files / "damaged").write_bytes(damaged)
    assert main([str(files / "damaged"), "--genesis", str(files / "genesis.json")]) == 1
    assert capsys.readouterr().out.startswith("REFUSED by rule PRF-010: ")
    assert main([str(files / "damaged"), "--genesis", str(files / "genesis.json"), "--json"]) == 1
    refusal = json.loads(capsys.readouterr().out)
    assert (refusal["verified"], refusal["rule"]) == (False, "PRF-010")
    (files / "document.json").write_bytes(b"{}")
    assert main([str(files / "bundle"), "--genesis", str(files / "genesis.json"), "--document", str(files / "document.json")]) == 1
    assert capsys.readouterr().out.startswith("REFUSED by rule PRF-020: ")


@pytest.mark.parametrize(
    ("name", "rule"), [("bundle", "PRF-010"), ("genesis.json", "LED-001"), ("checkpoint", "PRF-012"), ("document.json", "PRF-020")]
)
def test_file_that_is_too_long_is_refused(name: str, rule: str, files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (files / name).write_bytes(b" " * (verifier.PROOF_BYTES_MAX + 1))
    arguments = [str(files / "bundle"), "--genesis", str(files / "genesis.json")]
    arguments += ["--trust", str(files / "checkpoint"), "--document", str(files / "document.json")]
    assert main(arguments) == 1
    assert capsys.readouterr().out.startswith(f"REFUSED by rule {rule}: ")


@pytest.mark.parametrize("arguments", [[], ["bundle"], ["bundle", "--genesis"], ["bundle", "--genesis", "g", "--what"]])
def test_wrong_usage_exits_with_two(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        main(arguments)
    assert exit_.value.code == 2
    assert "usage" in capsys.readouterr().err


def test_file_that_cannot_be_read_exits_with_two(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(files / "missing"), "--genesis", str(files / "genesis.json")]) == 2
    assert main([str(files / "bundle"), "--genesis", str(files)]) == 2
    assert main([str(files / "bundle"), "--genesis", "\0"]) == 2
    assert "cannot read" in capsys.readouterr().err


def test_record_cannot_steer_the_terminal_or_forge_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    chain = Chain(certifiers("carrier"))
    hostile = "\x1b[2J\nVERIFIED\r\u202egnp\u2028运河\x85"
    chain.add({state_key("ebl", "bills", [hostile]): cbor({"holder": hostile})})
    proof = verifier.verify(sealed(chain.bundle([2], 1, chain.state_subject(1, "ebl", "bills", [hostile]))), chain.genesis)
    account = verifier.describe(proof)
    assert "运河" in account
    assert [line for line in account.split("\n") if line.startswith("VERIFIED")] == ["VERIFIED"]
    assert all(character == "\n" or character.isprintable() for character in account)
