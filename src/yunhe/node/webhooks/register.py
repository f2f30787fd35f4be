"""The register of webhooks, in a small database in the node's folder: who gets what, how far each is, and what could not be delivered.

It is local to the node and no part of the ledger. A place that is lost with a power cut sends some events again, with the same identifiers.
"""

import json
import os
import sqlite3
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from yunhe.errors import DiskFailedError, InvalidConfigurationError, WebhookNotFoundError
from yunhe.node.events import EventFilter, EventPlace, Scalar

_VERSION: Final = 1
_TABLES: Final = """
CREATE TABLE hooks (
    id TEXT PRIMARY KEY, url TEXT NOT NULL, secret TEXT NOT NULL, contract TEXT, event TEXT, conditions TEXT NOT NULL,
    created_ms INTEGER NOT NULL, reached TEXT NOT NULL
) STRICT;
CREATE TABLE dead_letters (
    hook TEXT NOT NULL REFERENCES hooks ON DELETE CASCADE, number INTEGER PRIMARY KEY AUTOINCREMENT, event TEXT NOT NULL,
    reason TEXT NOT NULL, time_ms INTEGER NOT NULL, again INTEGER NOT NULL DEFAULT 0, UNIQUE (hook, event)
) STRICT;
"""


@dataclass(frozen=True, slots=True)
class Hook:
    """A registered webhook."""

    id: str
    url: str
    secret: str = field(repr=False)
    filter: EventFilter
    created_ms: int
    reached: str
    """Identifier of the last event, or height of the last block, that was dealt with."""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """An event that could not be delivered."""

    event: str
    """Its identifier."""
    reason: str
    time_ms: int
    again: bool
    """Whether it waits to be tried again."""


class Register:
    """The open database. Thread-safe."""

    def __init__(self, path: Path) -> None:
        """Open or make the database.

        Raises:
            DiskFailedError: the disk has no room for it, or refused.
            InvalidConfigurationError: it cannot be used.
        """
        self._lock = threading.Lock()
        try:
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
            self._database = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
            self._database.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON;")
            (version,) = self._database.execute("PRAGMA user_version").fetchone()
            if version == 0:
                self._database.executescript(f"BEGIN; {_TABLES} PRAGMA user_version={_VERSION}; COMMIT;")
        except sqlite3.OperationalError as error:
            # STO-009: no room and a refused operation of the disk are no fault of the file.
            if error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR):
                raise DiskFailedError(
                    f"the disk refuses to hold the register of webhooks {path}: {error}; make room, or check it"
                ) from error
            raise InvalidConfigurationError(f"the register of webhooks {path} cannot be used: {error}") from error
        except (OSError, sqlite3.Error) as error:
            raise InvalidConfigurationError(f"the register of webhooks {path} cannot be used: {error}") from error
        if version not in (0, _VERSION):
            self._database.close()
            raise InvalidConfigurationError(f"{path} is of version {version}; this version of Yunhe knows {_VERSION}")

    def close(self) -> None:
        """Close the database."""
        with self._lock:
            self._database.close()

    def add(self, hook: Hook) -> None:
        """Register a webhook; it is durable when this returns."""
        row = (
            hook.id,
            hook.url,
            hook.secret,
            hook.filter.contract,
            hook.filter.name,
            json.dumps(dict(hook.filter.where)),
            hook.created_ms,
            hook.reached,
        )
        self._write("INSERT INTO hooks VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)
        self._make_durable()

    def remove(self, hook: str) -> None:
        """Forget a webhook and its dead letters.

        Raises:
            WebhookNotFoundError: there is none with this identifier.
        """
        if self._write("DELETE FROM hooks WHERE id = ?", (hook,)) == 0:
            raise WebhookNotFoundError(f"there is no webhook {hook}")
        self._make_durable()

    def all(self) -> list[Hook]:
        """Return all webhooks, oldest first."""
        rows = self._read("SELECT id, url, secret, contract, event, conditions, created_ms, reached FROM hooks ORDER BY created_ms, id", ())
        return [_hook(row) for row in rows]

    def require(self, hook: str) -> Hook:
        """Return a webhook.

        Raises:
            WebhookNotFoundError: there is none with this identifier.
        """
        rows = self._read("SELECT id, url, secret, contract, event, conditions, created_ms, reached FROM hooks WHERE id = ?", (hook,))
        if not rows:
            raise WebhookNotFoundError(f"there is no webhook {hook}")
        return _hook(rows[0])

    def advance(self, hook: str, reached: str) -> None:
        """Keep how far a webhook is."""
        self._write("UPDATE hooks SET reached = ? WHERE id = ?", (reached, hook))

    def bury(self, hook: str, event: str, reason: str, time_ms: int) -> None:
        """Keep an event that could not be delivered, as tried for the last time."""
        self._write(
            "INSERT INTO dead_letters (hook, event, reason, time_ms) VALUES (?, ?, ?, ?) "
            "ON CONFLICT (hook, event) DO UPDATE SET reason = excluded.reason, time_ms = excluded.time_ms, again = 0",
            (hook, event, reason, time_ms),
        )

    def dead_letters(self, hook: str, limit: int, after: int = 0, *, again: bool | None = None) -> list[tuple[int, DeadLetter]]:
        """Return up to `limit` dead letters with their numbers, ascending, those above `after`; by `again`, those that wait or do not."""
        rows = self._read(
            "SELECT number, event, reason, time_ms, again FROM dead_letters "
            "WHERE hook = ? AND number > ? AND again = ifnull(?, again) ORDER BY number LIMIT ?",
            (hook, after, again, limit),
        )
        return [(number, DeadLetter(event, reason, time_ms, bool(again))) for number, event, reason, time_ms, again in rows]

    def count_dead(self, hook: str) -> int:
        """Return how many dead letters a webhook has."""
        return int(self._read("SELECT count(*) FROM dead_letters WHERE hook = ?", (hook,))[0][0])

    def try_again(self, hook: str) -> int:
        """Mark all dead letters of a webhook to be tried again, and return how many there are."""
        return self._write("UPDATE dead_letters SET again = 1 WHERE hook = ?", (hook,))

    def next_again(self, hook: str) -> str | None:
        """Return the identifier of the first dead letter to be tried again, or None."""
        rows = self._read("SELECT event FROM dead_letters WHERE hook = ? AND again = 1 ORDER BY number LIMIT 1", (hook,))
        return str(rows[0][0]) if rows else None

    def first_unsent(self) -> int | None:
        """Return the lowest height from which something has still to be sent; None when nothing ever will be."""
        # STO-036
        heights = [EventPlace.after(hook.reached).height for hook in self.all()]
        waiting = self._read("SELECT event FROM dead_letters WHERE again = 1", ())
        heights += [int(event.partition(".")[0]) for (event,) in waiting]
        return min(heights, default=None)

    def revive(self, hook: str, event: str) -> None:
        """Forget a dead letter that was delivered after all."""
        self._write("DELETE FROM dead_letters WHERE hook = ? AND event = ?", (hook, event))

    def _write(self, statement: str, parameters: tuple[object, ...]) -> int:
        with self._lock:
            return self._database.execute(statement, parameters).rowcount

    def _read(self, statement: str, parameters: tuple[object, ...]) -> list[tuple[Any, ...]]:
        with self._lock:
            return self._database.execute(statement, parameters).fetchall()

    def _make_durable(self) -> None:
        with self._lock:
            self._database.execute("PRAGMA wal_checkpoint(FULL)").fetchall()


def _hook(row: tuple[Any, ...]) -> Hook:
    identifier, url, secret, contract, event, conditions, created_ms, reached = row
    where: Mapping[str, Scalar] = json.loads(conditions)
    return Hook(identifier, url, secret, EventFilter(contract, event, where), created_ms, reached)
