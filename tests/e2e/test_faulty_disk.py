"""A node on a real disk that gets full, and one that the system makes read-only under it: named, answering, whole afterwards."""

import errno
import json
import os
import shutil
from pathlib import Path

from tests.e2e.node_process import NodeProcess, wait_until, yunhe, yunhe_json
from tests.small_disk import faulty_disk, memory_disk
from yunhe.sdk import Call, Client


def submit(node: NodeProcess, client: Client, acknowledged: set[bytes]) -> bool:
    """Submit a transaction; return whether it was committed, and remember it then."""
    built = client.build([node.founder], [Call("registry", "none", {})])
    # One at a time would be tried again, as a halted node may come back.
    (answer,) = client.submit_batch([built])
    if answer.status != "committed":
        return False
    acknowledged.add(built.id)
    return True


def halted(client: Client) -> str:
    """Return why the node is halted, or nothing."""
    status = client.status()
    return str(status["reason"]) if status["status"] == "halted" else ""


def fill(path: Path) -> None:
    """Write a file until the disk has no room left, the largest pieces that find room first."""
    with path.open("wb", buffering=0) as file:
        for size in (1 << 20, 1 << 12, 1):
            while has_room(file.fileno(), size):
                pass


def has_room(descriptor: int, size: int) -> bool:
    """Write so many bytes; return whether the disk took them."""
    try:
        os.write(descriptor, bytes(size))
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        return False
    return True


def halt(node: NodeProcess, client: Client, acknowledged: set[bytes]) -> str:
    """Submit until the node is halted; return why. It must answer on."""
    wait_until(lambda: not submit(node, client, acknowledged), "the refusal")
    reason = wait_until(lambda: halted(client), "the halt")
    assert all(client.receipt(one) for one in acknowledged)
    return str(reason)


def test_disk_that_gets_read_only_halts_by_name_and_loses_nothing(tmp_path: Path) -> None:
    """STO-009: whatever is asked of the node then has the disk's code; and what it holds goes on elsewhere."""
    acknowledged: set[bytes] = set()
    with faulty_disk(tmp_path / "disk", 24) as disk:
        node = NodeProcess(disk.place).start()
        try:
            with node.client() as client:
                assert submit(node, client, acknowledged)
                disk.fail()
                assert halt(node, client, acknowledged).startswith("DISK_READ_ONLY")
            node.stop()
            for command in ("start", "check"):
                done = yunhe("--json", "node", command, str(node.folder))
                assert (done.returncode, json.loads(done.stderr.splitlines()[-1])["code"]) == (3, "DISK_READ_ONLY")
            shutil.copytree(node.folder, tmp_path / "node")
        finally:
            node.close()
    node.folder = tmp_path / "node"
    go_on(node, acknowledged)


def test_disk_that_gets_full_halts_by_name_and_loses_nothing(tmp_path: Path) -> None:
    """STO-009: a real one, with room for nothing."""
    acknowledged: set[bytes] = set()
    with memory_disk(tmp_path / "disk", 24 << 10) as disk:
        node = NodeProcess(disk).start()
        try:
            with node.client() as client:
                assert submit(node, client, acknowledged)
                fill(disk / "ballast")
                assert halt(node, client, acknowledged).startswith("DISK_FULL")
            node.stop()
            # What a stop gives back would do for a start.
            fill(disk / "more ballast")
            done = yunhe("--json", "node", "start", str(node.folder))
            assert (done.returncode, json.loads(done.stderr.splitlines()[-1])["code"]) == (3, "DISK_FULL")
            for ballast in disk.glob("*ballast"):
                ballast.unlink()
            go_on(node, acknowledged)
        finally:
            node.close()


def go_on(node: NodeProcess, acknowledged: set[bytes]) -> None:
    """Start the node on a disk that is well; it has all that was acknowledged, and decides."""
    node.start()
    try:
        with node.client() as client:
            assert all(client.receipt(one) for one in acknowledged)
            assert submit(node, client, acknowledged)
        node.stop()
    finally:
        node.close()
    assert yunhe_json("node", "check", str(node.folder), "--replay")["replayed"]
