"""Real disks of a few megabytes, for tests of what happens when one is full or becomes read-only. Only root can have them."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def memory_disk(place: Path, kibibytes: int, *, read_only: bool = False) -> Iterator[Path]:
    """Mount a disk in memory on a new folder while the block runs; skips the test where that is not possible."""
    place.mkdir()
    _mount(["-t", "tmpfs", "-o", f"size={kibibytes}k{',ro' if read_only else ''}", "tmpfs", str(place)])
    try:
        yield place
    finally:
        _unmount(place)


class FaultyDisk:
    """An ext4 disk in a file, which the system makes read-only as soon as it has a fault, whoever has files open there; for good."""

    def __init__(self, place: Path, device: str) -> None:
        self.place = place
        self._device = device

    def fail(self) -> None:
        """Have a fault."""
        Path(f"/sys/fs/ext4/{self._device}/trigger_fs_error").write_text("a test\n")


@contextmanager
def faulty_disk(place: Path, mebibytes: int) -> Iterator[FaultyDisk]:
    """Mount such a disk on a new folder while the block runs; skips the test where that is not possible."""
    image = place.with_name(place.name + ".image")
    with image.open("wb") as file:
        file.truncate(mebibytes << 20)
    place.mkdir()
    _prepare(["mkfs.ext4", "-q", str(image)])
    device = _prepare(["losetup", "--find", "--show", str(image)]).strip()
    try:
        _mount(["-o", "errors=remount-ro", device, str(place)])
        try:
            yield FaultyDisk(place, device.removeprefix("/dev/"))
        finally:
            _unmount(place)
    finally:
        subprocess.run(["losetup", "--detach", device], check=True, timeout=60)


def _mount(arguments: list[str]) -> None:
    _prepare(["mount", *arguments])


def _prepare(command: list[str]) -> str:
    if os.geteuid() != 0:
        pytest.skip("only root can mount a disk")
    try:
        done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    except FileNotFoundError:
        pytest.skip(f"there is no program {command[0]}")
    if done.returncode != 0:
        pytest.skip(f"this machine lets nobody mount a disk: {done.stderr.strip()}")
    return done.stdout


def _unmount(place: Path) -> None:
    subprocess.run(["umount", "--lazy", str(place)], check=True, timeout=60)
