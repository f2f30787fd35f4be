"""The audit log: what was done is there with who and outcome, and no line can be changed unseen."""

import json
import multiprocessing
import os
from pathlib import Path

import pytest

from yunhe.errors import AuditDamagedError, DiskFullError, MalformedError
from yunhe.limits import AUDIT_TEXT_CHARS_MAX
from yunhe.node import audit
from yunhe.node.audit import AUDIT_FILE, append, audited, files_aside, local_actor, read_audit, record


def fill(folder: Path, count: int = 4) -> list[bytes]:
    for number in range(count):
        append(folder, "user a", "token create", {"name": f"t{number}"}, "done", 1000 + number)
    return (folder / AUDIT_FILE).read_bytes().splitlines(keepends=True)


def test_entries_come_back_as_they_were_added_in_a_file_for_the_owner_alone(tmp_path: Path) -> None:
    """STO-030."""
    assert read_audit(tmp_path) == []
    fill(tmp_path)
    entries = read_audit(tmp_path)
    assert [(entry.number, entry.time_ms, entry.subject) for entry in entries] == [(n + 1, 1000 + n, {"name": f"t{n}"}) for n in range(4)]
    assert (tmp_path / AUDIT_FILE).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("place", [0, 1, 2])
def test_line_that_was_altered_taken_out_moved_or_put_in_is_found(tmp_path: Path, place: int) -> None:
    """STO-030 refused: at every place that another line follows."""
    lines = fill(tmp_path)
    changed = {
        "altered": [*lines[:place], lines[place].replace(b"user a", b"user b"), *lines[place + 1 :]],
        "respelt": [*lines[:place], lines[place].replace(b":", b": ", 1), *lines[place + 1 :]],
        "garbled": [*lines[:place], b"?\n", *lines[place + 1 :]],
        "taken out": [*lines[:place], *lines[place + 1 :]],
        "twice": [*lines[: place + 1], lines[place], *lines[place + 1 :]],
        "moved": [*lines[:place], lines[place + 1], lines[place], *lines[place + 2 :]],
    }
    for parts in changed.values():
        (tmp_path / AUDIT_FILE).write_bytes(b"".join(parts))
        with pytest.raises(AuditDamagedError, match="does not follow"):
            read_audit(tmp_path)


@pytest.mark.parametrize("cut", [1, 10, 100])
def test_line_that_a_crash_cut_off_stays_and_is_covered_by_the_next(tmp_path: Path, cut: int) -> None:
    """STO-031; and refused when the torn line is changed afterwards."""
    file = tmp_path / AUDIT_FILE
    lines = fill(tmp_path)
    file.write_bytes(b"".join(lines)[:-cut])
    assert len(read_audit(tmp_path)) == (4 if cut == 1 else 3)
    append(tmp_path, "user a", "stop", {}, "done", 5)
    entries = read_audit(tmp_path)
    assert (entries[-1].action, entries[-1].number, len(entries)) == ("stop", len(entries), 5 if cut == 1 else 4)
    assert file.read_bytes().startswith(b"".join(lines)[:-cut])
    torn = file.read_bytes().splitlines(keepends=True)
    torn[3] = b"x\n"
    file.write_bytes(b"".join(torn))
    with pytest.raises(AuditDamagedError):
        read_audit(tmp_path)


def _add(folder: Path) -> None:
    for _ in range(20):
        append(folder, "user a", "x", {}, "done", 1)


def test_processes_that_add_at_once_make_one_chain(tmp_path: Path) -> None:
    """STO-031."""
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=_add, args=(tmp_path,)) for _ in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [entry.number for entry in read_audit(tmp_path)] == list(range(1, 41))


def test_refusal_is_recorded_with_its_code_and_goes_on(tmp_path: Path) -> None:
    with pytest.raises(MalformedError), audited(tmp_path, "token create", {"name": "A" * 1000, "days": 3}):
        raise MalformedError("no")
    with audited(tmp_path, "token revoke", {"name": "a"}):
        pass
    refused, done = read_audit(tmp_path)
    assert (refused.outcome, refused.actor, refused.subject) == (
        "MALFORMED",
        local_actor(),
        {"name": "A" * AUDIT_TEXT_CHARS_MAX, "days": 3},
    )
    assert (done.outcome, done.action) == ("done", "token revoke")


def test_text_of_a_stranger_makes_no_line_of_its_own(tmp_path: Path) -> None:
    append(tmp_path, "user a", "x", {"name": 'a\n{"number":2}\r\u2028"'}, "done", 1)
    (entry,) = read_audit(tmp_path)
    assert entry.subject["name"] == 'a\n{"number":2}\r\u2028"'


def test_action_whose_entry_the_disk_refuses_stands_and_is_logged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(_descriptor: int, _data: bytes) -> int:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(os, "write", refuse)
    with pytest.raises(DiskFullError):
        append(tmp_path, "user a", "stop", {}, "done", 1)
    logged: list[dict[str, object]] = []
    monkeypatch.setattr(
        audit, "_log", type("Log", (), {"error": lambda _self, event, **fields: logged.append(fields | {"event": event})})()
    )
    record(tmp_path, "user a", "stop", {}, "done")
    assert [(line["action"], line["outcome"]) for line in logged] == [("stop", "done")]


def test_entry_is_canonical_json(tmp_path: Path) -> None:
    (line,) = fill(tmp_path, 1)
    assert line == json.dumps(json.loads(line), sort_keys=True, separators=(",", ":")).encode() + b"\n"


def test_file_that_is_large_is_put_aside_and_the_chain_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """STO-032 accepted: whole, by many processes' entries; and with the oldest moved away."""
    monkeypatch.setattr(audit, "AUDIT_FILE_BYTES_MAX", 1000)
    fill(tmp_path, 20)
    aside = files_aside(tmp_path)
    assert len(aside) == 3
    assert all(path.stat().st_size < 1600 and path.stat().st_mode & 0o777 == 0o600 for path in aside)
    entries = read_audit(tmp_path)
    assert [entry.number for entry in entries] == list(range(1, len(entries) + 1))
    assert [entry.subject for entry in entries if entry.action != "continue"] == [{"name": f"t{n}"} for n in range(20)]
    assert [entry.subject["after"] for entry in entries if entry.action == "continue"] == [path.name for path in aside]
    # A crash right after a file was put aside.
    (tmp_path / AUDIT_FILE).rename(tmp_path / f"audit-{entries[-1].number:010}.jsonl")
    append(tmp_path, "user a", "stop", {}, "done", 1)
    assert [entry.action for entry in read_audit(tmp_path)][-2:] == ["continue", "stop"]
    aside[0].unlink()
    kept = read_audit(tmp_path)
    assert (kept[0].action, kept[-1].action) == ("continue", "stop")


@pytest.mark.parametrize("cut", [1, 5, 150])
def test_first_line_of_a_file_that_a_crash_cut_off_breaks_no_chain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cut: int) -> None:
    """STO-031, STO-032: and neither the line before it, in the file that was put aside, nor what is left of it changes unseen."""
    fill(tmp_path)
    aside = tmp_path / "audit-0000000004.jsonl"
    (tmp_path / AUDIT_FILE).rename(aside)
    append(tmp_path, "user a", "stop", {}, "done", 1)
    file = tmp_path / AUDIT_FILE
    file.write_bytes(file.read_bytes().splitlines(keepends=True)[0][:-cut])
    append(tmp_path, "user a", "start", {}, "done", 2)
    append(tmp_path, "user a", "stop", {}, "done", 3)
    entries = read_audit(tmp_path)
    assert [entry.number for entry in entries] == list(range(1, len(entries) + 1))
    # A line that lacks nothing but its end is an entry.
    assert [entry.action for entry in entries[4:]] == ["continue", "start", "stop"]
    for path, old, new in ((aside, b"t3", b"t4"), (file, b'"action":"c', b'"action":"d')):
        before = path.read_bytes()
        path.write_bytes(before.replace(old, new, 1))
        with pytest.raises(AuditDamagedError, match="does not follow"):
            read_audit(tmp_path)
        path.write_bytes(before)
    aside.unlink()
    assert [entry.action for entry in read_audit(tmp_path)] == ["continue", "start", "stop"]


@pytest.mark.parametrize("fault", ["a file in the middle is gone", "a first line is gone", "an altered line", "all before is gone"])
def test_fault_in_files_that_were_put_aside_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str) -> None:
    """STO-032 refused."""
    monkeypatch.setattr(audit, "AUDIT_FILE_BYTES_MAX", 1000)
    fill(tmp_path, 20)
    aside = files_aside(tmp_path)
    lines = aside[1].read_bytes().splitlines(keepends=True)
    if fault == "a file in the middle is gone":
        aside[1].unlink()
    elif fault == "an altered line":
        aside[1].write_bytes(b"".join(lines).replace(b"user a", b"user b", 1))
    else:
        aside[1].write_bytes(b"".join(lines[1:]))
        if fault == "all before is gone":
            aside[0].unlink()
    with pytest.raises(AuditDamagedError, match="does not follow"):
        read_audit(tmp_path)


def test_file_that_was_put_aside_is_never_written_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """STO-032: whatever is in the file."""
    monkeypatch.setattr(audit, "AUDIT_FILE_BYTES_MAX", 10)
    (tmp_path / "audit-0000000000.jsonl").write_text("evidence\n")
    (tmp_path / AUDIT_FILE).write_text("no entry at all\n")
    append(tmp_path, "user a", "stop", {}, "done", 1)
    assert (tmp_path / "audit-0000000000.jsonl").read_text() == "evidence\n"
