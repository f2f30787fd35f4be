"""A folder's running node is found by its process, never by the number alone, which the system gives to another one later."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from yunhe.cli.main import app
from yunhe.errors import NodeNotRunningError
from yunhe.sdk.local_node import RUN_FILE, process_start, read_run_file


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / RUN_FILE).parent.mkdir()
    return tmp_path


def write(folder: Path, **value: object) -> None:
    (folder / RUN_FILE).write_text(json.dumps({"address": "http://127.0.0.1:1", **value}))


def test_run_file_of_a_running_process_is_believed(folder: Path) -> None:
    write(folder, pid=os.getpid(), start=process_start(os.getpid()))
    assert read_run_file(folder) == (os.getpid(), "http://127.0.0.1:1")


def test_stop_leaves_another_process_alone_that_got_the_number_of_a_killed_node(folder: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        start = process_start(other.pid)
        assert start is not None
        write(folder, pid=other.pid, start=start - 1)
        with pytest.raises(NodeNotRunningError, match="no node runs"):
            app(["node", "stop", str(folder)], standalone_mode=False)
        assert other.poll() is None
        other.communicate(b"\n", timeout=30)
        assert other.returncode == 0


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"pid": "x", "start": 1, "address": 1}', '{"pid": 1}', "[" * 100_000])
def test_run_file_that_says_nothing_is_of_no_node(folder: Path, text: str) -> None:
    (folder / RUN_FILE).write_text(text)
    with pytest.raises(NodeNotRunningError):
        read_run_file(folder)


@pytest.mark.parametrize("pid", [0, -1, 2**40, 2**70])
def test_number_of_no_process_has_no_start(folder: Path, pid: int) -> None:
    assert process_start(pid) is None
    write(folder, pid=pid, start=0)
    with pytest.raises(NodeNotRunningError):
        read_run_file(folder)


def test_command_that_is_offered_can_be_copied_whatever_the_folder_is_called(tmp_path: Path) -> None:
    with pytest.raises(NodeNotRunningError) as refusal:
        read_run_file(tmp_path / "a node")
    assert f"`yunhe node start '{tmp_path}/a node'`" in refusal.value.message
