"""A disk that is watched: after every step of the store it says what a crash could leave behind.

`watch` wraps the operations of `yunhe.storage.files`. Before each of them it keeps **images** of the block log and the marker: how the
files look when the process is killed (all that was written is there), and how they can look when power fails (what was not synced is
missing, there in part, or there as zeros; names that were not synced are missing). The derived state is left out, because it can always
be made again.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from yunhe.storage import files

Image = dict[str, bytes]


@dataclass
class Step:
    """What could be found if everything stopped here."""

    before: str
    """The operation that would have come next."""
    acknowledged: object
    """What the test had been told when the step began."""
    images: list[Image] = field(default_factory=list)


class WatchedDisk:
    """Follows one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.acknowledged: object = None
        self.steps: list[Step] = []
        self._synced = self._now()
        """Name now to durable content; a rename takes it along."""
        self._names = {name: name for name in self._synced}
        """Durable name to name now."""
        self._replaced: dict[str, bytes] = {}
        """Durable name to durable content, of files that gave their name to another and not durably so."""

    def step(self, operation: str) -> None:
        """Keep what could be found now; equal images once."""
        images: list[Image] = []
        for image in (self._now(), *self._after_power_failure()):
            if image not in images:
                images.append(image)
        self.steps.append(Step(operation, self.acknowledged, images))

    def synced(self, path: Path) -> None:
        """The content of a file is durable."""
        name = self._name(path)
        if name is not None:
            self._synced[name] = path.read_bytes()

    def renamed(self, source: Path, target: Path) -> None:
        """A file or folder has another name, and durably still the old one."""
        old, new = str(source.relative_to(self.folder)), str(target.relative_to(self.folder))

        def moved(name: str) -> str:
            return new + name[len(old) :] if name == old or name.startswith(old + "/") else name

        if new in self._names and new in self._synced:
            self._replaced.setdefault(new, self._synced[new])
        self._synced = {moved(name): content for name, content in self._synced.items() if name != new}
        self._names = {durable: moved(name) for durable, name in self._names.items() if moved(name) != name or not name.startswith(new)}

    def synced_names(self, path: Path) -> None:
        """The names in a folder are durable, those of its sub-folders by themselves."""
        here = "" if path == self.folder else f"{path.relative_to(self.folder)}/"
        now = self._now()
        kept = {durable: name for durable, name in self._names.items() if not self._is_renamed_in(here, durable, name) and name in now}
        fresh = {name: name for name in now if "/" not in name.removeprefix(here) and name.startswith(here)}
        moved = {name: name for durable, name in self._names.items() if self._is_renamed_in(here, durable, name)}
        self._names = kept | fresh | moved
        self._replaced = {name: content for name, content in self._replaced.items() if name not in fresh}

    def _is_renamed_in(self, here: str, durable: str, name: str) -> bool:
        """Whether a file's durable name differs from its present one by an entry of the folder `here`."""
        return durable != name and durable.startswith(here) and name.startswith(here)

    def _after_power_failure(self) -> Iterator[Image]:
        now = self._now()
        for part in ("none", "half", "zeros"):
            contents = {name: _partly(self._synced.get(name, b""), content, part) for name, content in now.items()}
            yield {durable: contents.get(name, self._synced.get(name, b"")) for durable, name in self._names.items()} | self._replaced
            # All names may have become durable by themselves, although nobody waited for it.
            yield contents

    def _now(self) -> Image:
        found = sorted(path for path in self.folder.rglob("*") if path.is_file())
        return {name: path.read_bytes() for path in found if (name := self._name(path)) is not None}

    def _name(self, path: Path) -> str | None:
        """The name of a file that is followed."""
        parts = path.relative_to(self.folder).parts
        return None if "state" in parts or "LOCK" in parts else "/".join(parts)


def _partly(durable: bytes, written: bytes, part: str) -> bytes:
    """A file of which only `durable` was synced, and the rest is missing, half there, or there as zeros."""
    changed = [offset for offset in range(max(len(durable), len(written))) if durable[offset : offset + 1] != written[offset : offset + 1]]
    if not changed or part == "none":
        return durable
    middle = changed[len(changed) // 2]
    if part == "half":
        return written[:middle] + durable[middle:]
    first, last = changed[0], changed[-1] + 1
    return durable[:first] + bytes(last - first) + durable[last:]


@contextmanager
def watch(folder: Path) -> Iterator[WatchedDisk]:
    """Follow everything that the store does in a folder while the block runs."""
    disk = WatchedDisk(folder)
    with pytest.MonkeyPatch.context() as patched:
        for name in ("create", "write_at", "sync", "cut", "remove", "rename", "sync_directory"):
            patched.setattr(files, name, _watched(disk, name, getattr(files, name)))
        yield disk
    disk.step("the end")


def _watched(disk: WatchedDisk, name: str, operation):
    def run(*arguments):
        disk.step(name)
        result = operation(*arguments)
        if name == "sync":
            disk.synced(arguments[1])
        elif name == "rename":
            disk.renamed(*arguments)
        elif name == "sync_directory":
            disk.synced_names(arguments[0])
        return result

    return run
