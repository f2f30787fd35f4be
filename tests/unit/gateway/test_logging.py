"""A log that cannot be written does not stop what is logged."""

import errno
import os
from pathlib import Path

import pytest

from yunhe.errors import DiskFullError
from yunhe.gateway.logging import LogStream
from yunhe.gateway.server import _write_run_file


def test_line_that_the_disk_does_not_take_goes_to_standard_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stream = LogStream(os.open(tmp_path / "log", os.O_WRONLY | os.O_CREAT | os.O_APPEND))
    stream.write("first\n")
    with monkeypatch.context() as patched:

        def refuse(descriptor: int, data: bytes) -> int:
            raise OSError(errno.ENOSPC, "full")

        patched.setattr(os, "write", refuse)
        stream.write("second\n")
    stream.write("third\n")
    assert (tmp_path / "log").read_text() == "first\nthird\n"
    assert capsys.readouterr().err == "second\n"


def test_run_file_without_room_is_refused_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """STO-009 refused: by a name and what to do, where a start on a full disk ends."""

    def refuse(path: Path, text: str, encoding: str) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_text", refuse)
    with pytest.raises(DiskFullError, match="make room"):
        _write_run_file(tmp_path / "run" / "node.json", "http://127.0.0.1:1")
