"""The engine's log is bounded, and what it says of a failure is told from what anyone could make it say."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from yunhe.consensus.cometbft import output
from yunhe.consensus.cometbft.output import EngineFailure, EngineLog

HASH = "wrong Block.Header.AppHash. Expected 00, got 01"
EARLY = "block time 2026-11-28 10:00:00 +0000 UTC is too far in the future (wall clock 2026-11-28 09:58:00 +0000 UTC + tolerance 1m0s)"
GAVE_UP: dict[str, Any] = {"level": "error", "module": "consensus", "_msg": "CONSENSUS FAILURE!!!", "err": "runtime error"}
FAILURES = {
    "a panic while agreeing": (GAVE_UP, False),
    "a block that two thirds committed": (GAVE_UP | {"err": f"+2/3 committed an invalid block: {HASH}"}, True),
    "a block that two thirds prevoted": (GAVE_UP | {"err": f"precommit step; +2/3 prevoted for an invalid block: {HASH}"}, True),
    "a block of the past": ({"level": "error", "module": "blocksync", "_msg": "Error in validation", "err": HASH}, True),
}
CLOCKS = {
    "a block that two thirds committed": GAVE_UP | {"err": f"+2/3 committed an invalid block: {EARLY}"},
    "a block that two thirds prevoted": GAVE_UP | {"err": f"precommit step; +2/3 prevoted for an invalid block: {EARLY}"},
    "a block of the past": {"level": "error", "module": "blocksync", "_msg": "Error in validation", "err": EARLY},
}
OTHERS = {
    "a block that this node alone finds early": {
        "level": "error",
        "module": "consensus",
        "_msg": "prevote step: ProposalBlock is invalid",
        "err": EARLY,
    },
    "a block that one proposes": {"level": "error", "module": "consensus", "_msg": "prevote step: ProposalBlock is invalid", "err": HASH},
    "a block of the past without its votes": {
        "level": "error",
        "module": "blocksync",
        "_msg": "Error in validation",
        "err": "wrong signature",
    },
    "a peer's name": {"level": "info", "module": "p2p", "_msg": "Added peer", "peer": "CONSENSUS FAILURE"},
    "no message": {"level": "error"},
}


def read(path: Path, text: bytes) -> tuple[list[EngineFailure], EngineLog]:
    """Let a log read what a process wrote, and return the failures that it told of."""
    failures: list[EngineFailure] = []
    log = EngineLog(path, failures.append)
    log.read(io.BytesIO(text))
    log.close()
    return failures, log


@pytest.mark.parametrize(("record", "diverges"), FAILURES.values(), ids=FAILURES)
def test_failure_is_told_with_whether_a_new_start_helps(tmp_path: Path, record: dict[str, Any], diverges: bool) -> None:
    # NET-006
    failures, _ = read(tmp_path / "log", json.dumps(record).encode() + b"\n")
    assert [bool(failure.verdict) for failure in failures] == [diverges]
    assert record["err"] in failures[0].reason


@pytest.mark.parametrize("record", CLOCKS.values(), ids=CLOCKS)
def test_clock_that_is_behind_is_no_divergence(tmp_path: Path, record: dict[str, Any]) -> None:
    # NET-036
    failures, log = read(tmp_path / "log", json.dumps(record).encode() + b"\n")
    assert [(failure.verdict, failure.is_clock_behind) for failure in failures] == [("", True)]
    assert (log.last_error().verdict, log.last_error().is_clock_behind) == ("", True)


@pytest.mark.parametrize("record", OTHERS.values(), ids=OTHERS)
def test_what_one_organisation_alone_can_cause_is_no_failure(tmp_path: Path, record: dict[str, Any]) -> None:
    # NET-006
    assert read(tmp_path / "log", json.dumps(record).encode() + b"\n")[0] == []


@pytest.mark.parametrize("text", [b"\xff\xfe\n", b"{\n", b"{}", b"[" * 100_000, b'{"level": "error", "err": 1', b"\n\n"])
def test_what_is_no_record_is_kept_and_no_failure(tmp_path: Path, text: bytes) -> None:
    failures, log = read(tmp_path / "log", text)
    assert failures == []
    assert log.last_error().reason == ""
    assert (tmp_path / "log").stat().st_size > 0


def test_last_error_is_why_the_program_could_not_start(tmp_path: Path) -> None:
    _, log = read(tmp_path / "log", b'{"level": "error", "_msg": "first"}\nERROR: failed to start node\nUsage:\n  cometbft start\n')
    assert log.last_error() == EngineFailure("failed to start node", verdict="")


@pytest.mark.parametrize(
    ("said", "verdict"),
    [
        (b"panic: state.AppHash does not match AppHash after replay. Got\n", "yunhe node restore"),
        (b"ERROR: failed to create node: error during handshake: error on replay: app block height (7) is higher than core (0)\n", "older"),
    ],
)
def test_last_error_of_a_home_and_a_ledger_that_do_not_fit_says_what_to_do(tmp_path: Path, said: bytes, verdict: str) -> None:
    # NET-006
    assert verdict in read(tmp_path / "log", said)[1].last_error().verdict


def test_log_is_turned_over_and_older_files_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(output, "ENGINE_LOG_BYTES_MAX", 1000)
    monkeypatch.setattr(output, "ENGINE_LOG_FILES_MAX", 2)
    read(tmp_path / "log", b"".join(b"%d %s\n" % (number, b"x" * 90) for number in range(100)))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["log", "log.1", "log.2"]
    assert all(path.stat().st_size <= 1000 and path.stat().st_mode & 0o777 == 0o600 for path in tmp_path.iterdir())
    assert (tmp_path / "log").read_text().splitlines()[-1].startswith("99 ")


def test_log_that_the_disk_does_not_take_does_not_stop_the_reader(tmp_path: Path) -> None:
    full = tmp_path / "log"
    full.symlink_to("/dev/full")
    failures, _ = read(full, json.dumps(GAVE_UP).encode() + b"\n" + b"more\n" * 10)
    assert len(failures) == 1


def test_peer_of_another_network_is_named_once_for_each_start(tmp_path: Path) -> None:
    # NET-044
    refused = {
        "level": "info",
        "module": "p2p",
        "_msg": "Inbound Peer rejected",
        "err": "incompatible: peer is on a different network. Got a",
    }
    with capture_logs() as told:
        failures, _ = read(tmp_path / "log", 3 * (json.dumps(refused).encode() + b"\n"))
    assert failures == []
    assert [(one["code"], "engine_peers" in one["reason"]) for one in told] == [("ENGINE_OTHER_NETWORK", True)]


def test_peer_that_is_refused_for_something_else_is_not_of_another_network(tmp_path: Path) -> None:
    # NET-044
    refused = {"level": "info", "module": "p2p", "_msg": "Inbound Peer rejected", "err": "auth failure: secret conn failed: EOF"}
    with capture_logs() as told:
        read(tmp_path / "log", json.dumps(refused).encode() + b"\n")
    assert told == []
