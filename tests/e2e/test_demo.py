"""`yunhe demo` as a user runs it: the whole story over HTTP, the proof for a stranger, and a node that never outlives the command."""

import copy
import json
import os
import signal
import subprocess
import sys
import threading
import time
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from tests.kvstore_chain import program
from yunhe import verifier

SAMPLE: dict[str, Any] = json.loads(files("yunhe_maritime").joinpath("sample_document.json").read_bytes())
CONSIGNEE = {"partyName": "Zuiderlicht Tableware Import B.V.", "identifyingCodes": [{"codeListProvider": "ZZZ", "partyCode": "consignee"}]}
DEADLINE_S = 100.0


def _demo(*arguments: str, engine: str = "") -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "yunhe.cli", "demo", *arguments]
    environment = os.environ | ({"YUNHE_COMETBFT": engine} if engine else {})
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)


def _account(*arguments: str) -> dict[str, Any]:
    process = _demo("--json", "--act", "first", *arguments)
    output, errors = process.communicate(timeout=DEADLINE_S)
    assert process.returncode == 0, errors
    return dict(json.loads(output))


def _told(account: dict[str, Any]) -> str:
    return "\n".join(line["text"] for step in account["steps"] for line in step["lines"])


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return _account("--keep", str(tmp_path_factory.mktemp("demo") / "run"))


def test_demo_tells_the_whole_story(account: dict[str, Any]) -> None:
    told = _told(account)
    for part in (
        "node's folder moved away",
        "refused, ALREADY_ISSUED",
        "shipper endorses it to the order of the bank",
        "wrong party: port, which does not hold it, transfers it to itself: refused, NOT_HOLDER",
        "bank endorses it to the consignee",
        "double transfer: bank transfers it once more, to the port: refused, NOT_HOLDER",
        "consignee surrenders the bill to the carrier",
        "refused, SURRENDERED",
        "VERIFIED",
        "status delivered, held by carrier, 7 steps in its chain",
        "endorse to order        shipper to bank",
        "surrender accepted      carrier to consignee",
        "a document that has one letter more: refused",
        "PRF-020",
    ):
        assert part in told
    assert account["bill_id"] == SAMPLE["transportDocumentReference"]
    assert int(account["transactions"].partition(",")[0]) > 15


def test_demo_has_a_second_act_on_four_nodes(tmp_path: Path) -> None:
    program()
    process = _demo("--json", "--keep", str(tmp_path / "run"))
    output, errors = process.communicate(timeout=DEADLINE_S)
    assert process.returncode == 0, errors
    told = _told(json.loads(output))
    for part in (
        "network of carrier, bank, port, customs made; it bears 1 that fails",
        "all have the first block",
        "each organisation hands a transaction to its own node: blocks 1 to 4",
        "all four have block 4 with one state, ",
        "the port's node is killed; the other three commit block 5",
        "caught up: one state again",
        "network stopped",
    ):
        assert part in told
    assert not list((tmp_path / "run" / "network").glob("nodes/*/run/node.json"))


def test_demo_without_the_engine_says_what_to_install_and_ends_well(tmp_path: Path) -> None:
    process = _demo("--json", "--keep", str(tmp_path / "run"), engine=str(tmp_path / "none"))
    output, errors = process.communicate(timeout=DEADLINE_S)
    assert process.returncode == 0, errors
    assert "left out: " in _told(json.loads(output))
    assert "make engine" in _told(json.loads(output))


def test_demo_leaves_a_proof_that_a_bare_interpreter_verifies(account: dict[str, Any]) -> None:
    proof = Path(account["proof"])
    files_of_proof = [str(proof / "proof.yunhe"), "--genesis", str(proof / "genesis.json"), "--document", str(proof / "document.json")]
    command = [sys.executable, "-I", "-S", str(proof / "verifier.py"), *files_of_proof, "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={}, timeout=DEADLINE_S)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["subjects"][0]["fields"]["record"]["status"] == "delivered"


def test_demo_bundle_with_any_byte_changed_is_refused(account: dict[str, Any]) -> None:
    proof = Path(account["proof"])
    bundle, genesis = (proof / "proof.yunhe").read_bytes(), (proof / "genesis.json").read_bytes()
    verifier.verify(bundle, genesis)
    for position in range(len(bundle)):
        for change in (0x01, 0x80, 0xFF):
            altered = bytearray(bundle)
            altered[position] ^= change
            with pytest.raises(verifier.VerificationError):
                verifier.verify(bytes(altered), genesis)


def test_demo_keeps_each_party_to_its_own_folder(account: dict[str, Any]) -> None:
    parties = Path(account["folder"]) / "parties"
    assert {path.name for path in parties.iterdir()} == {"port", "carrier", "shipper", "bank", "consignee"}
    for home in parties.iterdir():
        assert {path.name for path in home.iterdir()} == {f"{home.name}.desk.pem", "passphrase"}


@pytest.mark.parametrize(
    ("changes", "parties", "told"),
    [
        ({"isToOrder": False}, {"endorsee": None, "consignee": CONSIGNEE}, "refused, NOT_NEGOTIABLE"),
        ({}, {"endorsee": CONSIGNEE | {"partyName": "Bank of the Nine Bridges"}}, "to whose order it is made out"),
        ({}, {"endorsee": None}, "made out in blank"),
    ],
    ids=["straight", "to the order of a bank", "in blank"],
)
def test_demo_with_a_document_of_ones_own_follows_how_it_is_made_out(
    tmp_path: Path, changes: dict[str, Any], parties: dict[str, Any], told: str
) -> None:
    document = copy.deepcopy(SAMPLE) | changes | {"transportDocumentReference": "OWN-0001"}
    document["documentParties"] = {k: v for k, v in (document["documentParties"] | parties).items() if v is not None}
    (tmp_path / "own.json").write_text(json.dumps(document), encoding="utf-8")
    account = _account("--document", str(tmp_path / "own.json"), "--keep", str(tmp_path / "run"))
    assert told in _told(account)
    assert account["bill_id"] == "OWN-0001"
    assert (tmp_path / "run" / "proof" / "document.json").read_bytes() == (tmp_path / "own.json").read_bytes()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_demo_that_is_interrupted_takes_its_node_along(tmp_path: Path, number: signal.Signals) -> None:
    process = _demo("--keep", str(tmp_path / "run"))
    run_file = tmp_path / "run" / "node" / "run" / "node.json"
    deadline = time.monotonic() + DEADLINE_S
    node = 0
    while not node:
        assert time.monotonic() < deadline
        assert process.poll() is None, process.stderr.read() if process.stderr else ""
        try:
            node = json.loads(run_file.read_text(encoding="utf-8"))["pid"]
        except (OSError, ValueError):
            threading.Event().wait(0.01)
    process.send_signal(number)
    process.communicate(timeout=DEADLINE_S)
    assert process.returncode == 128 + number
    assert not _is_alive(node)


def test_demo_with_an_invalid_document_names_the_failing_fields_and_makes_nothing(tmp_path: Path) -> None:
    document = copy.deepcopy(SAMPLE)
    del document["transports"]["portOfLoading"]
    document["consignmentItems"][0]["HSCodes"] = ["69"]
    (tmp_path / "own.json").write_text(json.dumps(document), encoding="utf-8")
    process = _demo("--document", str(tmp_path / "own.json"), "--keep", str(tmp_path / "run"))
    _, errors = process.communicate(timeout=DEADLINE_S)
    assert process.returncode == 1
    for text in ("DOCUMENT_INVALID", "transports.portOfLoading: is required", "consignmentItems[0].HSCodes[0]: should be 6 to 10 digits"):
        assert text in errors
    assert not (tmp_path / "run").exists()
