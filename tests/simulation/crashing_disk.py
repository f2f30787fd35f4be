"""Disks that end their process at a chosen operation, and what is found on them afterwards.

Every operation of `yunhe.storage.files` is counted for the disk that it is on. When a disk's count is used up, `CrashedError` is raised
in the middle of whatever the store was doing, and the disk keeps one of the images that a kill or a power failure could leave.
"""

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.unit.storage.disk_in_steps import Image, WatchedDisk
from yunhe.storage import files

OPERATIONS = ("create", "write_at", "sync", "cut", "remove", "rename", "sync_directory")


class CrashedError(BaseException):
    """The process of a node has ended; nothing in the node may catch this."""


class CrashingDisk(WatchedDisk):
    """A disk that can be told when its process ends."""

    def __init__(self, folder: Path, chance: random.Random) -> None:
        super().__init__(folder)
        self._chance = chance
        self.operations_left: int | None = None
        """Operations until the crash; None for no crash."""
        self.image: Image | None = None
        """What the crash left."""

    def step(self, operation: str) -> None:
        """Count an operation that is about to begin."""
        if self.operations_left is None:
            return
        self.operations_left -= 1
        if self.operations_left < 0:
            self.crash()
            raise CrashedError(operation)

    def crash(self) -> None:
        """Choose what is found after the process ended now: everything it wrote, or what a power failure leaves of it."""
        self.operations_left = None
        super().step("crash")
        self.image = self._chance.choice(self.steps.pop().images)


Disks = dict[Path, CrashingDisk]


@contextmanager
def watched(disks: Disks) -> Iterator[None]:
    """Send the store's operations by the disks, each known by its folder, while the block runs."""
    with pytest.MonkeyPatch.context() as patched:
        for name in OPERATIONS:
            patched.setattr(files, name, _by_disk(disks, name, getattr(files, name)))
        yield


def _by_disk(disks: Disks, name: str, operation: Callable[..., Any]) -> Callable[..., Any]:
    def run(*arguments: Any) -> Any:
        path = next(argument for argument in arguments if isinstance(argument, Path))
        disk = next((disk for folder, disk in disks.items() if path.is_relative_to(folder)), None)
        if disk is None:
            return operation(*arguments)
        disk.step(name)
        result = operation(*arguments)
        if name == "sync":
            disk.synced(path)
        elif name == "rename":
            disk.renamed(*arguments)
        elif name == "sync_directory":
            disk.synced_names(path)
        return result

    return run
