"""STO-003 to STO-005, STO-008, STO-009: the block log on disk."""

import errno
import os
import resource
from contextlib import contextmanager

import pytest

from tests.unit.storage.records import NETWORK, make_log, make_record, new_record, open_log, scan
from yunhe.crypto import SHA256
from yunhe.errors import (
    BlockLogAlteredError,
    BlockLogShortenedError,
    BlockNotFoundError,
    DiskFailedError,
    DiskFullError,
    DiskReadOnlyError,
    InvalidInputError,
    StoreFormatError,
    StoreHaltedError,
    TooLargeError,
)
from yunhe.storage import block_files as block_files_module
from yunhe.storage import files
from yunhe.storage.block_files import BlockFiles, NewRecord
from yunhe.storage.segment_format import CHECKSUM_BYTES, FRAME_HEAD_BYTES, SEGMENT_HEADER_BYTES, encode_frame, encode_segment_header


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "blocks"


def segments(folder):
    return sorted(path.name for path in folder.iterdir())


def contents(log):
    return [log.read(height) for height in range(log.size)]


@pytest.mark.parametrize("sizes", [[0], [0, 1, 5000, 70_000, 3], [100] * 50], ids=["one", "mixed", "many"])
@pytest.mark.parametrize("segment_bytes_max", [1, 1000, 1 << 20])
def test_records_are_read_back_after_reopening(folder, sizes, segment_bytes_max):
    """STO-003, STO-005 accepted, over any number of segments."""
    records = make_log(folder, sizes, segment_bytes_max)
    log = open_log(folder, len(sizes) - 1, segment_bytes_max)
    assert contents(log) == records
    assert [log.read_header(height) for height in range(log.size)] == [record.header for record in records]
    assert log.segment_count == len(segments(folder))
    log.close()


def test_segment_is_named_by_its_first_height_and_filled_to_its_limit(folder):
    """STO-004 accepted: at least one record each, and no more bytes than the limit unless one record alone is longer."""
    make_log(folder, [0, 0, 0, 5000, 0, 0], 1200)
    names = segments(folder)
    assert names[0] == "00000000000000000000.blk"
    log = scan(folder, 5)
    assert [segment.path.name for segment in log.segments] == names
    assert [segment.first_height for segment in log.segments] == [int(name[:20]) for name in names]
    assert all(segment.end <= 1200 or len(segment.offsets) == 1 for segment in log.segments)
    assert any(segment.end > 1200 for segment in log.segments)
    assert len(names) < 6


def test_group_is_made_durable_by_one_fsync(folder, monkeypatch):
    """Group commit: however many blocks, one fsync serves them."""
    make_log(folder, [0])
    log = open_log(folder, 0)
    synced = []
    monkeypatch.setattr(files, "sync", lambda descriptor, path: synced.append(path))
    log.append_many([new_record(make_record(height, 100)) for height in range(1, 40)])
    assert len(synced) == 1
    assert log.size == 40
    log.close()


def test_group_over_several_segments_is_whole(folder):
    make_log(folder, [0], 2000)
    log = open_log(folder, 0, 2000)
    records = [make_record(height, 300) for height in range(1, 30)]
    log.append_many([new_record(record) for record in records])
    assert contents(log)[1:] == records
    log.close()
    assert contents(open_log(folder, 29, 2000))[1:] == records
    assert len(segments(folder)) > 5


def test_appending_nothing_changes_nothing(folder):
    make_log(folder, [0])
    before = scan(folder, 0)
    log = open_log(folder, 0)
    log.append_many([])
    log.close()
    assert scan(folder, 0) == before


@pytest.mark.parametrize("height", [-1, 3, 2**70])
def test_missing_height_is_refused(folder, height):
    make_log(folder, [0, 0, 0])
    log = open_log(folder, 2)
    for read in (log.read, log.read_header, log.header_hash):
        with pytest.raises(BlockNotFoundError):
            read(height)
    log.close()


def test_record_over_the_limit_is_refused_and_the_log_goes_on(folder, monkeypatch):
    make_log(folder, [0])
    log = open_log(folder, 0)
    monkeypatch.setattr(block_files_module, "BLOCK_RECORD_BYTES_MAX", 1000)
    with pytest.raises(TooLargeError):
        log.append_many([new_record(make_record(1, 10)), new_record(make_record(2, 2000))])
    with pytest.raises(InvalidInputError):
        log.append_many([NewRecord(b"short", b"")])
    assert log.size == 1
    log.append_many([new_record(make_record(1))])
    assert log.size == 2
    log.close()


def test_any_altered_byte_of_a_read_frame_is_refused(folder):
    """STO-005 refused: in every byte of a record and its frame, when it is altered under a node that runs."""
    make_log(folder, [0, 20, 0])
    path = folder / segments(folder)[0]
    whole = path.read_bytes()
    log = open_log(folder, 2)
    start, end = scan(folder, 2).segments[0].offsets[1:3]
    for offset in range(start, end):
        path.write_bytes(whole[:offset] + bytes([whole[offset] ^ 0x40]) + whole[offset + 1 :])
        with pytest.raises(BlockLogAlteredError):
            log.read(1)
        log.read(0)
        log.read(2)
    path.write_bytes(whole)
    assert log.read(1) == make_record(1, 20)
    log.close()


def test_record_moved_to_another_height_is_refused(folder):
    """STO-005 refused: a whole frame in another place is not an answer."""
    make_log(folder, [7, 7, 7])
    found = scan(folder, 2).segments[0]
    whole = found.path.read_bytes()
    one, two, end = found.offsets[1], found.offsets[2], found.end
    found.path.write_bytes(whole[:one] + whole[two:end] + whole[one:two])
    with pytest.raises(BlockLogAlteredError):
        scan(folder, 2)


def test_whole_frame_with_another_header_is_refused(folder):
    """STO-005 refused: a frame made anew, checksum and all, does not have the header that the log has."""
    make_log(folder, [0, 0])
    log = open_log(folder, 1)
    make_log(folder.with_name("other"), [0])
    other = make_record(5)
    forged = BlockFiles.create(folder.with_name("forged"), NETWORK, SHA256)
    forged.append_many([new_record(make_record(0)), new_record(other)])
    forged.close()
    (folder / segments(folder)[0]).write_bytes((folder.with_name("forged") / segments(folder)[0]).read_bytes())
    with pytest.raises(BlockLogAlteredError, match="not the one in the block log"):
        log.read(1)
    with pytest.raises(BlockLogAlteredError, match="not the one in the block log"):
        log.read_header(1)
    log.close()


def test_torn_end_is_cut_at_every_byte(folder):
    """STO-008 accepted: what was not acknowledged may end anywhere; the whole blocks before it stay."""
    records = make_log(folder, [5, 5, 5, 5])
    found = scan(folder, 3).segments[0]
    whole = found.path.read_bytes()
    for length in range(found.offsets[2], len(whole)):
        found.path.write_bytes(whole[:length])
        log = open_log(folder, 1)
        kept = 3 if length >= found.offsets[3] else 2
        assert contents(log) == records[:kept]
        assert found.path.stat().st_size == found.offsets[kept]
        log.append_many([new_record(make_record(kept, 9))])
        assert log.read(kept) == make_record(kept, 9)
        log.close()


def test_altered_byte_beyond_what_was_acknowledged_is_cut(folder):
    """STO-008: no torn or altered block beyond the marker is ever kept."""
    records = make_log(folder, [5, 5, 5])
    found = scan(folder, 2).segments[0]
    whole = found.path.read_bytes()
    for offset in range(found.offsets[1], len(whole)):
        found.path.write_bytes(whole[:offset] + bytes([whole[offset] ^ 1]) + whole[offset + 1 :])
        kept = 2 if offset >= found.offsets[2] else 1
        log = open_log(folder, 0)
        assert contents(log) == records[:kept]
        log.close()


def test_log_cut_before_what_was_acknowledged_is_refused_and_left_alone(folder):
    """STO-007 refused, at every length."""
    make_log(folder, [5, 5, 5])
    found = scan(folder, 2).segments[0]
    whole = found.path.read_bytes()
    for length in range(len(whole)):
        found.path.write_bytes(whole[:length])
        with pytest.raises(BlockLogShortenedError):
            scan(folder, 2)
        assert found.path.read_bytes() == whole[:length]


@pytest.mark.parametrize("left", [SEGMENT_HEADER_BYTES, -1], ids=["no record", "part of its record"])
def test_segments_after_a_torn_one_are_refused_and_left_alone(folder, left):
    """STO-008 refused: a segment is made when all before it are durable, so no crash leaves a torn one before another."""
    make_log(folder, [5] * 6, 1)
    torn = folder / segments(folder)[3]
    torn.write_bytes(torn.read_bytes()[:left])
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    with pytest.raises((BlockLogAlteredError, BlockLogShortenedError)):
        scan(folder, 1)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


UNFINISHED = {
    "empty": b"",
    "one byte": encode_segment_header(NETWORK, 2)[:1],
    "all but one byte": encode_segment_header(NETWORK, 2)[:-1],
    "zeros": bytes(SEGMENT_HEADER_BYTES),
    "half zeros": encode_segment_header(NETWORK, 2)[:40].ljust(SEGMENT_HEADER_BYTES, b"\x00"),
}


@pytest.mark.parametrize("content", UNFINISHED.values(), ids=UNFINISHED)
def test_segment_that_was_never_finished_is_deleted(folder, content):
    """STO-004, STO-008: a crash while a segment is made."""
    records = make_log(folder, [5, 5], 1)
    torn = folder / f"{2:020}.blk"
    torn.write_bytes(content)
    log = open_log(folder, 1, 1)
    assert not torn.exists()
    log.append_many([new_record(make_record(2))])
    assert contents(log) == [*records, make_record(2)]
    log.close()


def test_new_segment_without_records_is_used(folder):
    """STO-008: a crash after a segment was made and before its first record."""
    make_log(folder, [5, 5], 1)
    (folder / f"{2:020}.blk").write_bytes(encode_segment_header(NETWORK, 2))
    log = open_log(folder, 1, 1)
    log.append_many([new_record(make_record(2))])
    log.close()
    assert contents(open_log(folder, 2, 1))[2] == make_record(2)
    assert len(segments(folder)) == 3


@pytest.mark.parametrize("gone", [0, 1, 2])
def test_missing_segment_is_refused(folder, gone):
    """STO-007 refused."""
    make_log(folder, [5, 5, 5], 1)
    (folder / segments(folder)[gone]).unlink()
    with pytest.raises(BlockLogShortenedError):
        scan(folder, 2)


def test_missing_folder_is_refused(folder):
    """STO-007 refused."""
    with pytest.raises(BlockLogShortenedError):
        scan(folder, 0)


OTHER_NETWORK = encode_segment_header(bytes(32), 2)
FOREIGN = {
    "another network's segment without records": (2, OTHER_NETWORK),
    "another network's segment with a record": (2, OTHER_NETWORK + encode_frame(2, bytes(32), b"x")),
    "a segment of another height": (2, encode_segment_header(NETWORK, 1)),
    "a segment that would follow later": (3, encode_segment_header(NETWORK, 3)),
    "another file under a segment's name": (2, b"notes of the operator, longer than the header of a segment" * 3),
}


@pytest.mark.parametrize(("height", "content"), FOREIGN.values(), ids=FOREIGN)
@pytest.mark.parametrize("acknowledged", [0, 1])
def test_file_that_no_crash_left_is_refused_and_left_alone(folder, height, content, acknowledged):
    """STO-008 refused: whatever stands in the place of the next segment is deleted only if a crash can have left it."""
    make_log(folder, [5, 5], 1)
    path = folder / f"{height:020}.blk"
    path.write_bytes(content)
    with pytest.raises((BlockLogAlteredError, BlockLogShortenedError)):
        scan(folder, acknowledged)
    assert path.read_bytes() == content


def test_segment_of_another_network_is_refused(folder):
    """STO-004 refused."""
    make_log(folder, [5])
    path = folder / segments(folder)[0]
    path.write_bytes(encode_segment_header(bytes(32), 0) + path.read_bytes()[SEGMENT_HEADER_BYTES:])
    with pytest.raises(BlockLogAlteredError):
        scan(folder, 0)


def test_segment_of_another_version_is_refused_by_name(folder, monkeypatch):
    """STO-004 refused."""
    make_log(folder, [5])
    path = folder / segments(folder)[0]
    monkeypatch.setattr("yunhe.storage.segment_format.VERSION", 2)
    header = encode_segment_header(NETWORK, 0)
    monkeypatch.undo()
    path.write_bytes(header + path.read_bytes()[SEGMENT_HEADER_BYTES:])
    with pytest.raises(StoreFormatError, match="version 2"):
        scan(folder, 0)


def test_other_files_beside_the_segments_are_left_alone(folder):
    make_log(folder, [5])
    for name in ("lost+found", "notes.txt", "1.blk", f"{0:020}.blk.bak"):
        (folder / name).write_bytes(b"x")
    open_log(folder, 0).close()
    assert len(segments(folder)) == 5


def test_frame_sizes_are_those_of_the_specification():
    assert (SEGMENT_HEADER_BYTES, FRAME_HEAD_BYTES, CHECKSUM_BYTES) == (84, 48, 32)


@contextmanager
def file_size_limit(limit):
    """The kernel refuses to let any file grow beyond `limit` bytes, writing what fits."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("room", [0, 1, 47, 500])
def test_file_that_may_not_grow_halts_the_log_and_loses_nothing(folder, room):
    """STO-009: the kernel itself refuses, in the middle of a record; the restart cuts what it had written."""
    records = make_log(folder, [5, 5])
    log = open_log(folder, 1)
    size = (folder / segments(folder)[0]).stat().st_size
    with file_size_limit(size + room), pytest.raises(DiskFullError, match="make room"):
        log.append_many([new_record(make_record(2, 5000))])
    assert log.size == 2
    assert contents(log) == records
    with pytest.raises(StoreHaltedError):
        log.append_many([new_record(make_record(2, 5000))])
    log.close()
    again = open_log(folder, 1)
    assert contents(again) == records
    assert (folder / segments(folder)[0]).stat().st_size == size
    again.append_many([new_record(make_record(2, 5000))])
    assert again.read(2) == make_record(2, 5000)
    again.close()


FAULTS = {errno.ENOSPC: DiskFullError, errno.EDQUOT: DiskFullError, errno.EIO: DiskFailedError, errno.EROFS: DiskReadOnlyError}


@pytest.mark.parametrize(("number", "named"), FAULTS.items(), ids=[errno.errorcode[number] for number in FAULTS])
@pytest.mark.parametrize("call", ["pwrite", "fdatasync", "open", "fsync"])
def test_refused_system_call_halts_the_log(folder, monkeypatch, number, named, call):
    """STO-009: no system call of an append may fail unnoticed, and none is tried again."""
    records = make_log(folder, [5, 5], 1)
    log = open_log(folder, 1, 1)
    with monkeypatch.context() as patched:

        def refuse(*arguments):
            raise OSError(number, os.strerror(number))

        patched.setattr(os, call, refuse)
        with pytest.raises(named) as caught:
            log.append_many([new_record(make_record(2))])
        assert isinstance(caught.value.__cause__, OSError)
    with pytest.raises(StoreHaltedError):
        log.append_many([new_record(make_record(2))])
    log.close()
    again = open_log(folder, 1, 1)
    assert contents(again)[:2] == records
    again.append_many([new_record(make_record(again.size))])
    again.close()


def test_block_that_was_not_acknowledged_is_written_once_more_at_the_start(folder, monkeypatch):
    """STO-008: it may be in the system's memory alone, marked there as written by an fsync that failed."""
    make_log(folder, [5, 5, 5])
    found = scan(folder, 2).segments[0]
    whole = found.path.read_bytes()
    calls = []
    written, synced = files.write_at, files.sync
    monkeypatch.setattr(files, "write_at", lambda d, p, offset, data: (calls.append((offset, data)), written(d, p, offset, data)))
    monkeypatch.setattr(files, "sync", lambda d, p: (calls.append("sync"), synced(d, p)))
    open_log(folder, 0).close()
    assert calls == [(found.offsets[1], whole[found.offsets[1] :]), "sync"]
    calls.clear()
    open_log(folder, 2).close()
    assert calls == []
    assert found.path.read_bytes() == whole
