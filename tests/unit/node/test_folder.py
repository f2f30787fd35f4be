"""A node's folder is whole on the disk, or not there."""

import os
from pathlib import Path

import pytest

from tests.unit.node.open_node import make_folder
from yunhe.node import NodeFolder


def test_every_file_is_synced_before_the_folder_has_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A key that is in the genesis, and not on the disk after a power cut, would be lost for ever."""
    synced: set[tuple[int, int]] = set()
    original, rename = os.fsync, Path.rename

    def note(descriptor: int) -> None:
        found = os.fstat(descriptor)
        synced.add((found.st_dev, found.st_ino))
        original(descriptor)

    def check(source: Path, target: Path) -> Path:
        if target == tmp_path / "node":
            for path in [source, *(path for path in source.rglob("*") if "store" not in path.parts)]:
                found = path.stat()
                assert (found.st_dev, found.st_ino) in synced, path
        return rename(source, target)

    monkeypatch.setattr(os, "fsync", note)
    monkeypatch.setattr(Path, "rename", check)
    made = make_folder(tmp_path / "node")
    assert NodeFolder.load(made.path) == made
    assert (made.path / "keys" / "ledger.pem").stat().st_mode & 0o777 == 0o600
