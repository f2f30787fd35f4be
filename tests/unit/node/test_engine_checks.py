"""The doctor looks at the engine of a network's node too: its program, its home, its address and its peers."""

import shutil
import socket
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.kvstore_chain import program
from tests.unit.node.test_founding import NETWORK, founder, make_node
from yunhe.consensus.cometbft.configuration import GENESIS_FILE, VALIDATOR_KEY_FILE
from yunhe.errors import EngineUnreachableError
from yunhe.node import NodeFolder, engine_checks
from yunhe.node.engine_checks import engine_findings
from yunhe.node.engine_home import ENGINE_FOLDER
from yunhe.node.finding import FAULT, OK, WARNING
from yunhe.node.founding import found_network

PEER_ID = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    founders = [founder(name) for name in ("port", "bank")]
    return make_node(tmp_path_factory.mktemp("made") / "node", found_network(NETWORK, founders), founders[0]).path


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> NodeFolder:
    return NodeFolder.load(Path(shutil.copytree(made, tmp_path / "node")))


def look(
    folder: NodeFolder, *, is_running: bool = False, environment: dict[str, str] | None = None, **settings: str
) -> list[tuple[str, str]]:
    given = {"engine_listen": "127.0.0.1:0"} | settings
    found = replace(folder, config=replace(folder.config, **given))
    findings = list(
        engine_findings(found, {"YUNHE_COMETBFT": str(program())} if environment is None else environment, is_running=is_running)
    )
    assert all(finding.check == "engine" and bool(finding.advice) == (finding.verdict != OK) for finding in findings)
    return [(finding.verdict, finding.found) for finding in findings]


def bad(found: list[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(verdict, text) for verdict, text in found if verdict != OK]


def test_engine_whose_peers_are_reached_is_well(folder: NodeFolder) -> None:
    with socket.create_server(("127.0.0.1", 0)) as peer:
        found = look(folder, engine_peers=f"{PEER_ID}@127.0.0.1:{peer.getsockname()[1]}")
    assert bad(found) == []
    assert [text for _, text in found][2:] == ["all 1 peers are reached"]


BREAKING: dict[str, tuple[Callable[[Path], object], str]] = {
    "a key for everyone": (lambda home: (home / VALIDATOR_KEY_FILE).chmod(0o644), "chmod go="),
    "a lost key": (lambda home: (home / VALIDATOR_KEY_FILE).unlink(), "is missing"),
    "another genesis": (lambda home: (home / GENESIS_FILE).write_text("{}"), "is not what the network's genesis says"),
}


@pytest.mark.parametrize(("break_it", "named"), BREAKING.values(), ids=BREAKING)
def test_home_that_is_broken_is_a_fault(folder: NodeFolder, break_it: Callable[[Path], object], named: str) -> None:
    """NET-003."""
    break_it(folder.path / ENGINE_FOLDER)
    ((verdict, text),) = bad(look(folder))
    assert verdict == FAULT
    assert named in text


def test_program_that_is_not_there_or_another_one_is_a_fault(folder: NodeFolder, tmp_path: Path) -> None:
    """NET-004."""
    other = tmp_path / "cometbft"
    other.write_text("#!/bin/sh\necho 0.38.0\n")
    other.chmod(0o755)
    for path, named in ((tmp_path / "none", "no such file"), (other, "is not CometBFT")):
        found = bad(look(folder, environment={"YUNHE_COMETBFT": str(path)}))
        assert [verdict for verdict, text in found if named in text] == [FAULT]


def test_peer_that_is_not_reached_is_a_warning_and_one_that_is_not_named_a_fault(folder: NodeFolder) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{closed.getsockname()[1]}"
        ((verdict, text),) = bad(look(folder, engine_peers=f"{PEER_ID}@{address}"))
        assert (verdict, address in text) == (WARNING, True)
    assert [verdict for verdict, _ in bad(look(folder, engine_peers=""))] == [FAULT]
    ((verdict, text),) = bad(look(folder, engine_peers="nobody@127.0.0.1:1"))
    assert (verdict, "names no peer" in text) == (FAULT, True)


def test_address_of_another_program_is_a_fault(folder: NodeFolder) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        address = f"127.0.0.1:{other.getsockname()[1]}"
        ((verdict, text),) = bad(look(folder, engine_listen=address, engine_peers=f"{PEER_ID}@{address}"))
    assert (verdict, text.startswith(f"{address} cannot be listened on")) == (FAULT, True)


def test_engine_of_a_running_node_is_asked_for_its_peers(folder: NodeFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    peers = f"{PEER_ID}@127.0.0.1:1,{PEER_ID}@127.0.0.1:2"
    for count, verdicts in (("2", []), ("1", [WARNING])):
        monkeypatch.setattr(engine_checks, "ask_engine", lambda _home, _route, _timeout_s, count=count: {"n_peers": count})
        assert [verdict for verdict, _ in bad(look(folder, is_running=True, engine_peers=peers))] == verdicts

    def refuse(home: Path, _route: str, _timeout_s: float) -> dict[str, str]:
        raise EngineUnreachableError(f"the engine in {home} does not answer")

    monkeypatch.setattr(engine_checks, "ask_engine", refuse)
    ((verdict, text),) = bad(look(folder, is_running=True, engine_peers=peers))
    assert (verdict, "does not answer" in text) == (FAULT, True)
