"""The jail, tried from inside by workers that were opened for it (CON-080 to CON-083)."""

from pathlib import Path

import pytest

from tests.unit.contracts.worker.attempts import ENDED, come_of
from tests.unit.contracts.worker.escapes import ATTEMPTS
from yunhe.contracts.worker.executor import WorkerExecutor
from yunhe.contracts.worker.jail import Protections, check_memory, require_protections
from yunhe.contracts.worker.jail_filter import filter_program
from yunhe.crypto import SHA256
from yunhe.errors import ConfigurationError, JailIncompleteError
from yunhe.limits import LIVE_MEMORY_BYTES_MAX


@pytest.mark.parametrize("name", ATTEMPTS)
def test_jail_any_way_out_ends_the_worker(name) -> None:
    # CON-082
    assert come_of(name, filtered=True).endswith(ENDED)


HELD_WITHOUT_FILTER = (
    "read a file",
    "write a file",
    "list a folder",
    "read the node's memory",
    "open a socket",
    "open a unix socket",
    "open a pipe",
    "duplicate the socket",
    "fork",
    "start a thread",
    "execute",
    "start a process",
    "signal the node",
    "trace the node",
    "load a module",
    "write to standard error",
)


@pytest.mark.parametrize("name", HELD_WITHOUT_FILTER)
def test_jail_without_its_filter_still_refuses(name) -> None:
    # CON-081: each layer holds if another fails.
    assert "refused: " in come_of(name, filtered=False)


def test_jail_environment_is_empty() -> None:
    assert come_of("environment", filtered=True).endswith("{}")


def test_jail_files_are_closed_but_the_socket() -> None:
    # CON-081
    (descriptor,) = eval(come_of("files", filtered=False).rpartition(": ")[2])
    assert descriptor > 2


def test_jail_memory_ends_at_its_limit() -> None:
    # CON-081
    allowed = int(come_of("memory", filtered=True).rpartition("after ")[2].split()[0])
    assert 256 <= allowed <= 2048


def test_jail_of_a_running_worker_has_every_required_protection() -> None:
    # CON-083
    executor = WorkerExecutor(SHA256)
    (pid,) = executor.worker_pids
    status = dict(line.split(":\t", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines() if ":\t" in line)
    assert Protections.missing(executor.protections) == []
    assert (status["Seccomp"], status["NoNewPrivs"]) == ("2", "1")
    assert set(status["CapEff"] + status["CapPrm"] + status["CapBnd"]) == {"0"}
    assert Path(f"/proc/{pid}/environ").read_bytes().strip(b"\0") == b""
    executor.close()


@pytest.mark.parametrize("lacking", ["files_closed", "limits", "no_new_privileges", "system_calls"])
def test_protections_without_a_required_one_are_refused(lacking) -> None:
    # CON-083
    protections = dict.fromkeys(Protections.__dataclass_fields__, True) | {lacking: False}
    with pytest.raises(JailIncompleteError, match=lacking):
        require_protections(protections)


def test_protections_that_an_ordinary_user_lacks_are_accepted() -> None:
    # CON-083
    require_protections({name: name not in ("namespaces", "landlock") for name in Protections.__dataclass_fields__})


def test_memory_of_four_times_what_gas_allows_is_accepted() -> None:
    # CON-080
    check_memory(4 * LIVE_MEMORY_BYTES_MAX)


def test_memory_below_four_times_what_gas_allows_is_refused() -> None:
    # CON-080
    with pytest.raises(ConfigurationError, match="LIVE_MEMORY_BYTES_MAX"):
        check_memory(4 * LIVE_MEMORY_BYTES_MAX - 1)


@pytest.mark.parametrize("number", [2, 41, 56, 57, 59, 62, 101, 257, 308, 319, 425, 435, 0x40000000 + 1])
def test_filter_program_ends_at_what_is_not_listed(number) -> None:
    # CON-082
    assert verdict(number=number) == "kill"


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"number": 0, "first": 3}, "allow"),
        ({"number": 0, "first": 4}, "kill"),
        ({"number": 9, "third": 3}, "allow"),
        ({"number": 9, "third": 5}, "kill"),
        ({"number": 10, "third": 7}, "kill"),
        ({"number": 202}, "allow"),
        ({"number": 202, "architecture": 0x40000003}, "kill"),
    ],
)
def test_filter_program_looks_at_arguments(fields, expected) -> None:
    # CON-082
    assert verdict(**fields) == expected


def verdict(number: int, first: int = 0, third: int = 0, architecture: int = 0xC000003E) -> str:
    """Run the filter program for a socket of descriptor 3, as the kernel does."""
    data = {0: number, 4: architecture, 16: first, 32: third}
    accumulator = position = 0
    program = filter_program(3)
    while True:
        code, if_true, if_false, operand = program[position]
        position += 1
        if code == 0x20:
            accumulator = data[operand]
        elif code == 0x15:
            position += if_true if accumulator == operand else if_false
        elif code == 0x45:
            position += if_true if accumulator & operand else if_false
        else:
            return {0x7FFF0000: "allow", 0x80000000: "kill"}[operand]
