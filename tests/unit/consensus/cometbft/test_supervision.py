"""The engine's process is kept running, whatever ends it, and stands still only where a new start changes nothing; with the real one."""

import json
import os
import signal
import socket
import threading
import tomllib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from tests.e2e.node_process import wait_until
from tests.kvstore_chain import ask, height, make_homes, peers, program
from yunhe.consensus.cometbft.configuration import CONFIG_FILE, GENESIS_FILE, SIGNING_STATE_FILE, write_genesis
from yunhe.consensus.cometbft.supervision import EngineSupervisor, SupervisionTimes
from yunhe.errors import EngineFailedError, EngineFilesError

IMPATIENT = SupervisionTimes(pause_first=0.05, probe=0.2, silent=1.0, isolated=2.0, stop=1.0)


def use_application(home: Path, name: str) -> None:
    """Let a process run an application that is compiled into the program."""
    path = home / CONFIG_FILE
    path.write_text(path.read_text().replace("unix://abci.sock", name))


@contextmanager
def supervised(
    home: Path, application: str = "kvstore", on_halted: Callable[[EngineFailedError], None] | None = None
) -> Iterator[EngineSupervisor]:
    use_application(home, application)
    supervisor = EngineSupervisor(program(), home, home.with_suffix(".log"), on_halted or pytest.fail, IMPATIENT)
    supervisor.start()
    try:
        yield supervisor
    finally:
        supervisor.stop()


def running_pid(supervisor: EngineSupervisor) -> int:
    """Wait until the process answers and return its number."""
    wait_until(lambda: supervisor.health().state == "running", "an engine that runs")
    pid = supervisor.health().pid
    assert pid is not None
    return pid


@pytest.mark.parametrize(
    ("number", "reason"),
    [(signal.SIGKILL, "signal SIGKILL"), (signal.SIGTERM, "exit code 0"), (signal.SIGSTOP, "signal SIGKILL")],
    ids=["killed", "ended with exit code 0", "hung"],
)
def test_process_that_ends_or_hangs_is_started_again_and_goes_on(tmp_path: Path, number: signal.Signals, reason: str) -> None:
    # NET-005
    (home,) = make_homes(tmp_path, 1)
    with supervised(home) as supervisor:
        pid = running_pid(supervisor)
        wait_until(lambda: height(home) == 1, "the first block")
        os.kill(pid, number)
        wait_until(lambda: supervisor.health().restarts == 1, "a new start")
        assert running_pid(supervisor) != pid
        assert supervisor.health().reason.startswith(reason)
        assert ask(home, 'broadcast_tx_commit?tx="a=1"')
        wait_until(lambda: height(home) == 3, "more blocks")


def test_process_that_finds_its_port_taken_is_started_until_it_is_free(tmp_path: Path) -> None:
    # NET-005
    (home,) = make_homes(tmp_path, 1)
    port = int(tomllib.loads((home / CONFIG_FILE).read_text())["p2p"]["laddr"].rpartition(":")[2])
    with socket.create_server(("127.0.0.1", port)), ExitStack() as running:
        supervisor = running.enter_context(supervised(home))
        wait_until(lambda: supervisor.health().restarts >= 2, "new starts")
        assert "address already in use" in supervisor.health().reason
        kept = running.pop_all()
    with kept:
        running_pid(supervisor)


def test_process_without_its_peers_is_started_again(tmp_path: Path) -> None:
    # NET-005
    home, _ = make_homes(tmp_path, 2)
    with supervised(home) as supervisor:
        wait_until(lambda: supervisor.health().restarts == 1, "a new start")
        assert not (home.with_suffix(".log")).read_text().count("panic")


def test_process_whose_state_differs_from_what_the_others_agreed_on_stands_still_and_says_so(tmp_path: Path) -> None:
    # NET-006: the application of the fourth has another hash, as a ledger has that was altered.
    *homes, other = make_homes(tmp_path, 4)
    halted: list[EngineFailedError] = []
    said = threading.Event()

    def note(error: EngineFailedError) -> None:
        halted.append(error)
        said.set()

    with ExitStack() as running:
        for home in homes:
            running.enter_context(supervised(home))
        supervisor = running.enter_context(supervised(other, "noop", note))
        wait_until(lambda: all(height(home) >= 1 for home in homes), "the first block")
        assert ask(homes[0], 'broadcast_tx_commit?tx="a=1"')
        assert said.wait(60)
        health = supervisor.health()
        assert (health.state, health.pid) == ("halted", None)
        assert "does not follow from this node's ledger" in health.reason
        assert health.reason in halted[0].message
        # The others do not need it.
        assert ask(homes[0], 'broadcast_tx_commit?tx="b=2"')


def test_process_of_another_network_is_refused_and_named_at_both(tmp_path: Path) -> None:
    # NET-044, NET-001
    homes = make_homes(tmp_path, 2)
    genesis = json.loads((homes[1] / GENESIS_FILE).read_text())
    write_genesis(homes[1], json.dumps(genesis | {"chain_id": "yunhe-other"}))
    with capture_logs() as told, ExitStack() as running:
        for home in homes:
            running.enter_context(supervised(home))
        wait_until(lambda: [one.get("code") for one in told].count("ENGINE_OTHER_NETWORK") >= 2, "the error's name at both")
        assert [peers(home) for home in homes] == [set(), set()]


def test_process_that_is_stopped_stays_ended(tmp_path: Path) -> None:
    (home,) = make_homes(tmp_path, 1)
    with supervised(home) as supervisor:
        pid = running_pid(supervisor)
    health = supervisor.health()
    assert (health.state, health.pid, health.restarts) == ("stopped", None, 0)
    assert not Path(f"/proc/{pid}").exists()


def test_process_that_is_stopped_between_two_starts_stays_ended(tmp_path: Path) -> None:
    (home,) = make_homes(tmp_path, 1)
    use_application(home, "unix:///nowhere/abci.sock")
    slow = SupervisionTimes(pause_first=3600, probe=0.2)
    supervisor = EngineSupervisor(program(), home, tmp_path / "log", pytest.fail, slow)
    supervisor.start()
    pid = supervisor.health().pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: supervisor.health().state == "restarting", "the pause before a new start")
    supervisor.stop()
    assert supervisor.health().state == "stopped"


def test_process_gets_no_secret_of_the_node_and_its_log_is_the_owners(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("YUNHE_PASSPHRASE", "open sesame")
    (home,) = make_homes(tmp_path, 1)
    with supervised(home) as supervisor:
        pid = running_pid(supervisor)
        assert b"YUNHE" not in Path(f"/proc/{pid}/environ").read_bytes()
        log = home.with_suffix(".log")
        assert log.stat().st_mode & 0o777 == 0o600
        assert "Started node" in log.read_text()
        for path in (home, *home.rglob("*")):
            assert path.stat().st_mode & 0o077 == 0 or path.is_socket(), path


def test_home_that_cannot_be_used_is_refused_before_anything_runs(tmp_path: Path) -> None:
    # NET-003
    (home,) = make_homes(tmp_path, 1)
    (home / SIGNING_STATE_FILE).unlink()
    with pytest.raises(EngineFilesError), supervised(home):
        pass


def test_program_that_cannot_be_run_is_refused_by_name(tmp_path: Path) -> None:
    (home,) = make_homes(tmp_path, 1)
    with pytest.raises(EngineFailedError) as refusal:
        EngineSupervisor(tmp_path / "none", home, tmp_path / "log", pytest.fail).start()
    assert str(tmp_path / "none") in refusal.value.message


def saying(path: Path, error: str) -> Path:
    """Make a program that says that it gave up, and stays."""
    record = json.dumps({"level": "error", "module": "consensus", "_msg": "CONSENSUS FAILURE!!!", "err": error})
    path.write_text(f"#!/bin/sh\ncat <<'END'\n{record}\nEND\nexec sleep 600\n")
    path.chmod(0o700)
    return path


EARLY = "+2/3 committed an invalid block: block time 2 is too far in the future (wall clock 1 + tolerance 1m0s)"


def test_process_of_a_machine_whose_clock_is_behind_is_started_again_for_as_long_as_it_takes(tmp_path: Path) -> None:
    # NET-036 accepted: six times, and any other failure ends it after four.
    (home,) = make_homes(tmp_path, 1)
    hasty = SupervisionTimes(pause_first=0.01, pause_longest=0.01, probe=0.2)
    supervisor = EngineSupervisor(saying(tmp_path / "program", EARLY), home, tmp_path / "log", pytest.fail, hasty)
    supervisor.start()
    try:
        wait_until(lambda: supervisor.health().restarts > 5, "new starts")
        reason = supervisor.health().reason
        assert "clock is behind" in reason
        assert "block_time_tolerance" in reason
    finally:
        supervisor.stop()


def test_process_that_gives_up_for_another_reason_is_not_started_for_ever(tmp_path: Path) -> None:
    # NET-036 and NET-006 refused
    (home,) = make_homes(tmp_path, 1)
    halted: list[EngineFailedError] = []
    hasty = SupervisionTimes(pause_first=0.01, pause_longest=0.01, probe=0.2)
    supervisor = EngineSupervisor(saying(tmp_path / "program", "runtime error"), home, tmp_path / "log", halted.append, hasty)
    supervisor.start()
    try:
        wait_until(lambda: bool(halted), "the end")
        assert "clock" not in supervisor.health().reason
    finally:
        supervisor.stop()


def test_process_is_prepared_before_each_start_and_begins_anew_when_it_is_told_to(tmp_path: Path) -> None:
    # NET-037 accepted
    (home,) = make_homes(tmp_path, 1)
    use_application(home, "kvstore")
    seen: list[int | None] = []

    def before_start() -> None:
        seen.append(supervisor.health().pid)

    supervisor = EngineSupervisor(program(), home, home.with_suffix(".log"), pytest.fail, IMPATIENT, before_start)
    supervisor.start()
    try:
        pid = running_pid(supervisor)
        supervisor.renew("a test")
        wait_until(lambda: supervisor.health().restarts == 1, "a new start")
        assert running_pid(supervisor) != pid
        # None ran then.
        assert seen == [None, None]
    finally:
        supervisor.stop()


def test_process_that_cannot_be_prepared_stands_still_and_says_so(tmp_path: Path) -> None:
    # NET-037 refused
    (home,) = make_homes(tmp_path, 1)
    use_application(home, "kvstore")
    halted: list[EngineFailedError] = []
    said = threading.Event()
    refusals = iter([None, EngineFailedError("the engine cannot change to its next key: no room")])

    def before_start() -> None:
        refusal = next(refusals)
        if refusal is not None:
            raise refusal

    def note(error: EngineFailedError) -> None:
        halted.append(error)
        said.set()

    supervisor = EngineSupervisor(program(), home, home.with_suffix(".log"), note, IMPATIENT, before_start)
    supervisor.start()
    try:
        running_pid(supervisor)
        supervisor.renew("a test")
        assert said.wait(60)
        assert "next key: no room" in halted[0].message
    finally:
        supervisor.stop()
