"""The audit log: what operators did to a node, who, when and with what outcome, in files that only grow.

Each entry is one line of canonical JSON and names the hash of the line before it, so that a line that was altered, taken out or put in is
found. It holds names and no secrets. An action that took place is not undone because its entry could not be written: that is told in the
node's log, or to whoever ran the command. A file that is large enough is put aside under the number of its last entry; nothing is deleted.
Rules: docs/spec/storage.md, "Audit log" (STO-030 to STO-032). Reasons: docs/adr/0017-audit-log.md.
"""

import fcntl
import hashlib
import json
import os
import pwd
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

import structlog

from yunhe.errors import AuditDamagedError, YunheError
from yunhe.limits import AUDIT_FILE_BYTES_MAX, AUDIT_TEXT_CHARS_MAX
from yunhe.storage import files

AUDIT_FILE: Final = "audit.jsonl"
CONTINUE: Final = "continue"
"""Action of the first entry of a file that follows one that was put aside."""
DONE: Final = "done"
"""Outcome of what was not refused; a refusal has its code."""
_ASIDE: Final = re.compile(r"audit-([0-9]{10})\.jsonl", re.ASCII)
"""A file that was put aside, by the number of its last entry."""
_FILE_MODE: Final = 0o600
_TAIL_BYTES: Final = 64 * 1024
"""More than a line has."""

Subject: TypeAlias = Mapping[str, str | int | bool | None]
_log = structlog.get_logger("yunhe.node")


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One action of an operator."""

    number: int
    """From 1."""
    time_ms: int
    """Milliseconds since 1970-01-01 UTC, by the machine's clock."""
    actor: str
    """`user NAME` of the system, or `token NAME` of the API."""
    action: str
    """Such as `token create`."""
    subject: dict[str, str | int | bool | None]
    """What it was done to."""
    outcome: str
    """`done`, or the code of the refusal."""
    previous: str
    """SHA-256 in hexadecimal of the entry's line before, and of the lines between that are none."""


def local_actor() -> str:
    """Return who runs this process."""
    number = os.getuid()
    try:
        return f"user {pwd.getpwuid(number).pw_name}"
    except KeyError:
        return f"user {number}"


@contextmanager
def audited(folder: Path, action: str, subject: Subject) -> Iterator[None]:
    """Record an action of whoever runs this process, when it is over.

    Args:
        folder: the node's.
        action: its name.
        subject: what it is done to; no secrets.
    """
    try:
        yield
    except YunheError as error:
        record(folder, local_actor(), action, subject, error.code)
        raise
    record(folder, local_actor(), action, subject, DONE)


def record(folder: Path, actor: str, action: str, subject: Subject, outcome: str) -> None:
    """Add an entry; durable on return. That it cannot be added is logged, because the action has taken place."""
    try:
        append(folder, actor, action, subject, outcome, time.time_ns() // 1_000_000)
    except YunheError as error:
        _log.error("an operator's action could not be recorded", actor=actor, action=action, outcome=outcome, reason=error.message)


def append(folder: Path, actor: str, action: str, subject: Subject, outcome: str, time_ms: int) -> None:
    """Add an entry; durable on return. Several processes may do so.

    Raises:
        DiskFullError: no room.
        DiskFailedError: the system refused.
    """
    shown = {name: value[:AUDIT_TEXT_CHARS_MAX] if isinstance(value, str) else value for name, value in subject.items()}
    with _locked(folder) as descriptor:
        before, number, is_whole = _last(descriptor)
        # STO-031: what a crash cut off stays, as a line of its own that the chain covers.
        data = b"" if is_whole else b"\n"
        if number == 0 and (aside := files_aside(folder)):
            # STO-032: the newest file that was put aside goes on here.
            with files.opened_for_reading(aside[-1]) as put_aside:
                earlier, number, _ = _last(put_aside)
            hashed = _hash(earlier + before)
            first = _line(AuditEntry(number + 1, time_ms, actor, CONTINUE, {"after": aside[-1].name}, DONE, hashed))
            before, number, data = [first.rstrip(b"\n")], number + 1, data + first
        data += _line(AuditEntry(number + 1, time_ms, actor, action, shown, outcome, _hash(before)))
        os.write(descriptor, data)
        os.fsync(descriptor)


@contextmanager
def _locked(folder: Path) -> Iterator[int]:
    """Open the file that takes entries now, for nobody else; one that is large enough is put aside before."""
    path = folder / AUDIT_FILE
    with files.named_refusals(path):
        while True:
            descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, _FILE_MODE)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX)
                if _is_named(path, descriptor):
                    aside = folder / f"audit-{_last(descriptor)[1]:010}.jsonl"
                    # STO-032: nothing is written over, whatever somebody made of the numbers.
                    if os.fstat(descriptor).st_size < AUDIT_FILE_BYTES_MAX or aside.exists():
                        yield descriptor
                        return
                    path.rename(aside)
                    files.sync_directory(folder)
            finally:
                os.close(descriptor)


def _is_named(path: Path, descriptor: int) -> bool:
    """Return whether nobody else put the file aside before it was locked."""
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def files_aside(folder: Path) -> list[Path]:
    """Return the files that were put aside, oldest first."""
    return sorted(path for path in folder.iterdir() if _ASIDE.fullmatch(path.name))


def read_audit(folder: Path) -> list[AuditEntry]:
    """Return all entries, oldest first, after the chain of their hashes was checked.

    Raises:
        AuditDamagedError: a line is not what was written, or one is missing before another. The oldest files may have been moved away.
        DiskFailedError: the system refused to read.
    """
    entries: list[AuditEntry] = []
    before: list[bytes] = []
    with files.named_refusals(folder / AUDIT_FILE):
        contents = [(path, path.read_bytes()) for path in (*files_aside(folder), folder / AUDIT_FILE) if path.exists()]
    for path, data in contents:
        for line in data.split(b"\n"):
            if not line:
                continue
            entry = _parse(line)
            if entry is None:
                before.append(line)
                continue
            # STO-032: what was put aside before may be kept elsewhere.
            is_first_kept = not entries and entry.action == CONTINUE
            # STO-030
            is_next = entry.previous == _hash(before) and entry.number == (entries[-1].number + 1 if entries else 1)
            if not (is_next or is_first_kept) or _line(entry) != line + b"\n":
                raise AuditDamagedError(
                    f"{path}: entry {entry.number} does not follow what is before it; a line was altered, taken out or put in: "
                    "keep the file, compare it with a copy, and look into who had access"
                )
            entries.append(entry)
            before = [line]
    return entries


def _hash(lines: Sequence[bytes]) -> str:
    """Return the hash of lines, the last without its end; the first entry names that of nothing."""
    return hashlib.sha256(b"\n".join(lines)).hexdigest()


def _last(descriptor: int) -> tuple[list[bytes], int, bool]:
    """Return the last entry's line and those after it, its number, and whether the file ends with the end of a line.

    Without an entry, all lines and 0.
    """
    size = os.fstat(descriptor).st_size
    tail = os.pread(descriptor, min(size, _TAIL_BYTES), max(size - _TAIL_BYTES, 0))
    lines = [line for line in tail.split(b"\n") if line]
    is_whole = not tail or tail.endswith(b"\n")
    for position in reversed(range(len(lines))):
        if (entry := _parse(lines[position])) is not None:
            return lines[position:], entry.number, is_whole
    return lines, 0, is_whole


def _line(entry: AuditEntry) -> bytes:
    return json.dumps(asdict(entry), sort_keys=True, separators=(",", ":")).encode() + b"\n"


def _parse(line: bytes) -> AuditEntry | None:
    """Return a line's entry; None for what is none."""
    try:
        value: dict[str, Any] = json.loads(line)
        entry = AuditEntry(**value)
    except (ValueError, TypeError, RecursionError):
        return None
    return entry if type(entry.number) is int and type(entry.time_ms) is int else None
