"""`yunhe bench`, in little: that each workload runs and what the figures are."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.node_process import DEADLINE_S, yunhe, yunhe_json
from tests.kvstore_chain import program
from yunhe.bench.workloads import WORKLOADS

LITTLE = ("--records", "20", "--seconds", "0.5", "--batch", "5", "--connections", "1")


@pytest.mark.parametrize("workload", WORKLOADS)
def test_workload_runs(workload: str) -> None:
    figures = yunhe_json("bench", workload, *LITTLE)
    assert figures["committed"] > 0
    assert figures["refused"] == {}
    assert figures["p50_ms"] <= figures["p95_ms"] <= figures["p99_ms"]
    assert figures["committed_per_s"] == round(figures["committed"] / 0.5)
    assert {"node", "load"} <= figures["cores_used"].keys()


def test_open_loop_idle_time_and_restart_are_reported() -> None:
    done = yunhe("bench", "transfer", *LITTLE, "--rate", "20", "--hot", "2", "--idle", "0.2", "--restart", "--suite", "sm2-sm3")
    assert done.returncode == 0, done.stderr
    for word in ("20 tx/s offered", "2 hot", "sm2-sm3", "without load", "start "):
        assert word in done.stdout


def test_workload_runs_on_a_network_by_the_votes_of_all() -> None:
    program()
    figures = yunhe_json("bench", "transfer", *LITTLE, "--network", "2", "--idle", "0.2")
    assert figures["committed"] > 0
    assert figures["refused"] == {}
    assert figures["organisations"] == 2
    assert {"org1 node", "org1 engine", "org2 node", "org2 engine", "load"} <= figures["cores_used"].keys()
    assert "org2 engine" in figures["idle_cores"]


@pytest.mark.parametrize(
    "arguments",
    [("nothing",), ("transfer", "--batch", "2000"), ("transfer", "--suite", "rsa"), ("transfer", "--records", "5", "--hot", "6")],
)
def test_options_that_cannot_be_are_refused_before_a_node_is_made(arguments: tuple[str, ...]) -> None:
    done = yunhe("bench", *arguments)
    assert done.returncode in (1, 2)
    assert done.stdout == ""


def test_benchmark_that_is_ended_takes_its_node_along(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "yunhe.cli", "bench", "transfer", "--records", "1000", "--seconds", "60"]
    environment = os.environ | {"TMPDIR": str(tmp_path)}
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=environment) as bench:
        assert bench.stderr is not None
        while "transfer: 60 s" not in (line := bench.stderr.readline()):
            assert line
        bench.send_signal(signal.SIGTERM)
        assert bench.wait(DEADLINE_S) == 128 + signal.SIGTERM
    assert list(tmp_path.iterdir()) == []
    commands = [path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if path.exists()]
    assert not [command for command in commands if str(tmp_path).encode() in command]
