"""The log's file: bounded by size and number, moved by others, and no reason to stop."""

import errno
import os
import threading
from pathlib import Path

import pytest

from tests.small_disk import memory_disk
from yunhe.errors import DiskReadOnlyError, InvalidConfigurationError
from yunhe.gateway.log_file import LogFile


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_line_that_the_disk_does_not_take_goes_to_standard_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with LogFile(tmp_path / "log") as log:
        log.write("first\n")
        with monkeypatch.context() as patched:

            def refuse(_descriptor: int, _data: bytes) -> int:
                raise OSError(errno.ENOSPC, "full")

            patched.setattr(os, "write", refuse)
            log.write("second\n")
        log.write("third\n")
    assert (tmp_path / "log").read_text() == "first\nthird\n"
    assert capsys.readouterr().err == "second\n"


@pytest.mark.parametrize("kept", [0, 1, 3])
def test_file_is_rotated_before_it_is_too_large_and_the_oldest_goes(tmp_path: Path, kept: int) -> None:
    with LogFile(tmp_path / "log", 20, kept) as log:
        for number in range(20):
            log.write(f"line {number:03}\n")
    assert names(tmp_path) == ["log", *(f"log.{number}" for number in range(1, kept + 1))]
    texts = [(tmp_path / name).read_text() for name in reversed(names(tmp_path))]
    last = [f"line {number:03}\n" for number in range(20)][-2 * (kept + 1) :]
    assert "".join(texts) == "".join(last)
    assert all(len(text) <= 20 for text in texts)


def test_line_longer_than_a_file_may_be_is_written_whole(tmp_path: Path) -> None:
    with LogFile(tmp_path / "log", 10, 2) as log:
        for _ in range(3):
            log.write("x" * 30 + "\n")
    assert [(tmp_path / name).read_text() for name in names(tmp_path)] == ["x" * 30 + "\n"] * 3


def test_file_that_was_there_is_continued(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("before\n")
    with LogFile(tmp_path / "log", 1000, 1) as log:
        log.write("after\n")
    assert (tmp_path / "log").read_text() == "before\nafter\n"


def test_file_that_another_program_moved_is_left_when_it_says_so(tmp_path: Path) -> None:
    with LogFile(tmp_path / "log", 1000, 1) as log:
        log.write("first\n")
        (tmp_path / "log").rename(tmp_path / "log-1")
        log.write("second\n")
        log.reopen()
        log.write("third\n")
    assert ((tmp_path / "log-1").read_text(), (tmp_path / "log").read_text()) == ("first\nsecond\n", "third\n")


def test_rotation_that_the_disk_refuses_loses_no_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with LogFile(tmp_path / "log", 10, 1) as log:

        def refuse(_self: Path, _target: Path) -> None:
            raise OSError(errno.EROFS, "read-only")

        monkeypatch.setattr(Path, "replace", refuse)
        log.write("first\n")
        log.write("second\n")
    assert (tmp_path / "log").read_text() == "first\nsecond\n"


@pytest.mark.parametrize("step", ["shift", "open"])
def test_rotation_that_the_disk_refuses_half_way_shifts_no_old_log_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    """However often it is tried again."""
    for number in (1, 2, 3):
        (tmp_path / f"log.{number}").write_text(f"old {number}\n")
    with LogFile(tmp_path / "log", 10, 4) as log:
        log.write("first\n")
        with monkeypatch.context() as patched:
            real_replace, real_open = Path.replace, os.open

            def replace(path: Path, target: Path) -> Path:
                if path.name == "log":
                    raise OSError(errno.EIO, "refused")
                return real_replace(path, target)

            def refuse(path: Path, flags: int, mode: int = 0o777) -> int:
                if Path(path).name == "log":
                    raise OSError(errno.EMFILE, "refused")
                return real_open(path, flags, mode)

            patched.setattr(*((Path, "replace", replace) if step == "shift" else (os, "open", refuse)))
            for number in range(5):
                log.write(f"line {number}\n")
        log.write("last\n")
    assert {text for name in names(tmp_path) if (text := (tmp_path / name).read_text()).startswith("old")} == {
        "old 1\n",
        "old 2\n",
        "old 3\n",
    }
    assert (tmp_path / "log.1").read_text() == "first\n" + "".join(f"line {number}\n" for number in range(5))
    assert (tmp_path / "log").read_text() == "last\n"


def test_threads_that_write_while_it_is_rotated_lose_no_line(tmp_path: Path) -> None:
    with LogFile(tmp_path / "log", 100, 1000) as log:
        threads = [threading.Thread(target=lambda name=name: [log.write(f"{name}{n:03}\n") for n in range(200)]) for name in "ab"]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    lines = [line for path in tmp_path.iterdir() for line in path.read_text().splitlines()]
    assert sorted(lines) == [f"{name}{n:03}" for name in "ab" for n in range(200)]


def test_log_that_cannot_be_opened_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(InvalidConfigurationError, match="cannot be opened"):
        LogFile(tmp_path / "file" / "log")
    with memory_disk(tmp_path / "disk", 64, read_only=True) as disk, pytest.raises(DiskReadOnlyError):
        LogFile(disk / "log")
