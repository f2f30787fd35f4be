"""Processes of this machine, as a client on it sees them."""

import signal
import subprocess
import sys

import pytest

from yunhe.errors import WaitTimeoutError
from yunhe.sdk.local_node import process_start, wait_until_ended


@pytest.fixture
def child():
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        yield process
        process.kill()


def test_process_that_runs_has_a_start_and_is_waited_for(child):
    assert process_start(child.pid) is not None
    with pytest.raises(WaitTimeoutError, match=f"process {child.pid} did not end within 0 s"):
        wait_until_ended(child.pid, 0)


def test_process_that_ended_has_no_start_even_before_its_parent_took_note(child):
    child.send_signal(signal.SIGKILL)
    wait_until_ended(child.pid, 60)
    assert process_start(child.pid) is None
    assert child.returncode is None
    child.wait()
    wait_until_ended(child.pid, 0)
