"""STO-006: the marker beside the block log."""

import errno
import os
from dataclasses import replace

import pytest

from yunhe.errors import DiskFullError, MarkerDamagedError
from yunhe.storage.marker import SLOT_BYTES, Mark, Marker, read_mark

FIRST = Mark(bytes(32), 1, bytes([1]) * 32, bytes([2]) * 32, 0)
SECOND = replace(FIRST, size=2, root=bytes([3]) * 32, engine_height=5)
THIRD = replace(SECOND, engine_height=2**62)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "marker"


def write(path, *marks):
    marker = Marker.create(path, marks[0])
    for mark in marks[1:]:
        marker.write(mark)
    marker.close()


def overwrite(path, data):
    """Write over a file of this length; cutting it first would make some systems wait for the disk."""
    with path.open("r+b") as file:
        file.write(data)


@pytest.mark.parametrize("count", [1, 2, 3, 4, 9])
def test_last_mark_is_read_back(path, count):
    """STO-006 accepted."""
    marks = [replace(FIRST, engine_height=number) for number in range(count)]
    write(path, *marks)
    assert read_mark(path) == (marks[-1], True)
    marker = Marker.open(path)
    assert marker.mark == marks[-1]
    marker.write(SECOND)
    marker.close()
    assert read_mark(path) == (SECOND, True)
    assert path.stat().st_size == 2 * SLOT_BYTES


def test_write_that_a_crash_cuts_off_anywhere_leaves_the_old_or_the_new_mark(path):
    """STO-006: the other slot is whole, so a mark is never lost; the next write mends the torn slot."""
    write(path, FIRST, SECOND)
    before = path.read_bytes()
    marker = Marker.open(path)
    marker.write(THIRD)
    marker.close()
    after = path.read_bytes()
    changed = [offset for offset in range(len(before)) if before[offset] != after[offset]]
    for offset in range(changed[0], changed[-1] + 2):
        overwrite(path, after[:offset] + before[offset:])
        mark, whole = read_mark(path)
        assert mark == (THIRD if offset > changed[-1] else SECOND)
        assert whole == (offset in (changed[0], changed[-1] + 1))
        # A write waits for the disk, so not every torn slot is mended here.
        if offset % 64:
            continue
        marker = Marker.open(path)
        marker.write(FIRST)
        marker.close()
        assert read_mark(path) == (FIRST, True)


@pytest.mark.parametrize("marks", [(FIRST,), (FIRST, SECOND), (FIRST, SECOND, THIRD)], ids=["one write", "two", "three"])
def test_any_altered_byte_is_noticed_and_gives_no_wrong_mark(path, marks):
    """STO-006 refused: the altered slot does not count; what is read is a mark that was written."""
    write(path, *marks)
    data = path.read_bytes()
    for offset in range(0, len(data), 7):
        overwrite(path, data[:offset] + bytes([data[offset] ^ 0x10]) + data[offset + 1 :])
        try:
            mark, whole = read_mark(path)
        except MarkerDamagedError:
            assert len(marks) == 1
        else:
            assert mark in marks[-2:]
            assert not whole


DAMAGED = {
    "missing": None,
    "empty": b"",
    "blank": bytes(2 * SLOT_BYTES),
    "noise": bytes(range(256)) * (2 * SLOT_BYTES // 256),
    "one slot": bytes(SLOT_BYTES),
}


@pytest.mark.parametrize("content", DAMAGED.values(), ids=DAMAGED)
def test_marker_without_a_readable_slot_is_refused(path, content):
    """STO-006 refused."""
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(MarkerDamagedError):
        read_mark(path)
    with pytest.raises(MarkerDamagedError):
        Marker.open(path)


@pytest.mark.parametrize("size", [SLOT_BYTES, 2 * SLOT_BYTES - 1, 2 * SLOT_BYTES + 1])
def test_marker_of_another_length_is_refused(path, size):
    """STO-006 refused."""
    write(path, FIRST, SECOND, THIRD)
    path.write_bytes(path.read_bytes()[:size].ljust(size, b"\x00"))
    with pytest.raises(MarkerDamagedError):
        read_mark(path)


def test_slot_in_the_other_place_does_not_count(path):
    """STO-006 refused: an old mark cannot be brought back by exchanging the slots."""
    write(path, FIRST, SECOND, THIRD)
    data = path.read_bytes()
    path.write_bytes(data[SLOT_BYTES:] + data[:SLOT_BYTES])
    with pytest.raises(MarkerDamagedError):
        read_mark(path)


def test_refused_write_leaves_the_mark(path, monkeypatch):
    """STO-009."""
    write(path, FIRST)
    marker = Marker.open(path)
    with monkeypatch.context() as patched:

        def refuse(*arguments):
            raise OSError(errno.ENOSPC, "full")

        patched.setattr(os, "pwrite", refuse)
        with pytest.raises(DiskFullError):
            marker.write(SECOND)
    assert marker.mark == FIRST
    marker.close()
    assert read_mark(path)[0] == FIRST
