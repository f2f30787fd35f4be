"""The audit log: what operators did to a node, who, when and with what outcome, in a file that only grows.

Each entry is one line of canonical JSON and names the hash of the line before it, so that a line that was altered, taken out or put in is
found. It holds names and no secrets. An action that took place is not undone because its entry could not be written: that is told in the
node's log, or to whoever ran the command. Rules: docs/spec/storage.md, "Audit log" (STO-030, STO-031). Reasons: docs/adr/0017-audit-log.md.
"""

import fcntl
import hashlib
import json
import os
import pwd
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

import structlog

from yunhe.errors import AuditDamagedError, YunheError
from yunhe.limits import AUDIT_TEXT_CHARS_MAX
from yunhe.storage import files

AUDIT_FILE: Final = "audit.jsonl"
DONE: Final = "done"
"""Outcome of what was not refused; a refusal has its code."""
_NOTHING: Final = hashlib.sha256(b"").hexdigest()
"""What the first entry names as the line before it."""
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
    """SHA-256 of the line before, in hexadecimal."""


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
    path = folder / AUDIT_FILE
    with files.named_refusals(path):
        descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, _FILE_MODE)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            last, number, is_whole = _last(descriptor)
            shown = {name: value[:AUDIT_TEXT_CHARS_MAX] if isinstance(value, str) else value for name, value in subject.items()}
            entry = AuditEntry(number + 1, time_ms, actor, action, shown, outcome, hashlib.sha256(last).hexdigest() if last else _NOTHING)
            # STO-031: what a crash cut off stays, as a line of its own that the chain covers.
            os.write(descriptor, (b"" if is_whole else b"\n") + _line(entry))
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def read_audit(folder: Path) -> list[AuditEntry]:
    """Return all entries, oldest first, after the chain of their hashes was checked.

    Raises:
        AuditDamagedError: a line is not what was written, or one is missing before another.
        DiskFailedError: the system refused to read.
    """
    path = folder / AUDIT_FILE
    if not path.exists():
        return []
    with files.named_refusals(path):
        data = path.read_bytes()
    entries: list[AuditEntry] = []
    before = b""
    for line in data.split(b"\n"):
        if not line:
            continue
        entry = _parse(line)
        if entry is not None:
            # STO-030
            expected = hashlib.sha256(before).hexdigest() if before else _NOTHING
            if entry.previous != expected or entry.number != len(entries) + 1 or _line(entry) != line + b"\n":
                raise AuditDamagedError(
                    f"{path}: entry {entry.number} does not follow what is before it; a line was altered, taken out or put in: "
                    "keep the file, compare it with a copy, and look into who had access"
                )
            entries.append(entry)
        before = line
    return entries


def _last(descriptor: int) -> tuple[bytes, int, bool]:
    """Return the last line, the number of the last entry, and whether the file ends with the end of a line."""
    size = os.fstat(descriptor).st_size
    tail = os.pread(descriptor, min(size, _TAIL_BYTES), max(size - _TAIL_BYTES, 0))
    lines = [line for line in tail.split(b"\n") if line]
    numbers = [entry.number for line in lines if (entry := _parse(line)) is not None]
    return lines[-1] if lines else b"", numbers[-1] if numbers else 0, not tail or tail.endswith(b"\n")


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
