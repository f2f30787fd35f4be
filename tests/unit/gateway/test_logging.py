"""What a node that runs writes of itself."""

import errno
from pathlib import Path

import pytest

from yunhe.errors import DiskFullError
from yunhe.gateway.server import _write_run_file


def test_run_file_without_room_is_refused_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """STO-009 refused: by a name and what to do, where a start on a full disk ends."""

    def refuse(path: Path, text: str, encoding: str) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_text", refuse)
    with pytest.raises(DiskFullError, match="make room"):
        _write_run_file(tmp_path / "run" / "node.json", "http://127.0.0.1:1", None)
