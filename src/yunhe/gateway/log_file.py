"""The file of the node's log: whole lines, rotated by size, and opened anew when whoever rotates it from outside says so.

What the disk does not take goes to standard error: a log that is full must not stop the node. A rotation that the disk refuses leaves the
log where it is. One process writes the file; its threads may do so at once.
"""

import contextlib
import io
import os
import sys
import threading
from pathlib import Path
from typing import Final

from yunhe.errors import InvalidConfigurationError
from yunhe.storage.files import disk_refusals

_MODE: Final = 0o644


class LogFile(io.TextIOBase):
    """Appends lines to a file."""

    def __init__(self, path: Path, bytes_max: int = 0, kept: int = 0) -> None:
        """Open the file, and make it and its folder where they are missing.

        Args:
            path: the file; those before it have its name with `.1`, `.2` and so on, the newest first.
            bytes_max: a line that would make the file larger begins another one; 0 for any size.
            kept: how many files before it are kept.

        Raises:
            InvalidConfigurationError: it cannot be opened.
            DiskFullError: no room for it.
            DiskReadOnlyError: its disk is read-only.
        """
        self._path = path
        self._bytes_max = bytes_max
        self._kept = kept
        self._lock = threading.Lock()
        self._is_moved = False
        try:
            with disk_refusals(path):
                path.parent.mkdir(parents=True, exist_ok=True)
                self._descriptor = self._open()
        except OSError as error:
            raise InvalidConfigurationError(f"the log {path} cannot be opened: {error.strerror}") from error

    def reopen(self) -> None:
        """Write nothing more to the file that is open: the next line goes to the one that has the name then. For signal handlers."""
        self._is_moved = True

    def write(self, text: str) -> int:
        """Write at once, and keep nothing for later."""
        data = text.encode("utf-8", "backslashreplace")
        with self._lock:
            # In a disk that refuses these the file that is open is as good as another.
            with contextlib.suppress(OSError):
                self._turn(len(data))
            try:
                os.write(self._descriptor, data)
            except OSError:
                # A node in the background has nobody at its standard error, and then there is nowhere to say it.
                with contextlib.suppress(OSError):
                    sys.stderr.write(text)
        return len(text)

    def close(self) -> None:
        """Close the file; a second call does nothing."""
        with self._lock:
            if not self.closed:
                os.close(self._descriptor)
            super().close()

    def _open(self) -> int:
        return os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, _MODE)

    def _turn(self, more_bytes: int) -> None:
        """Begin another file where it is time to."""
        size = os.fstat(self._descriptor).st_size
        if not self._is_moved and 0 < self._bytes_max < size + more_bytes and size > 0:
            self._shift()
            self._is_moved = True
        if self._is_moved:
            # Before the file is opened, so that a signal that comes meanwhile is heeded.
            self._is_moved = False
            try:
                fresh = self._open()
            except OSError:
                # The file that is open has another name already: the next line tries again, and shifts nothing.
                self._is_moved = True
                raise
            os.close(self._descriptor)
            self._descriptor = fresh

    def _shift(self) -> None:
        """Give every file the name after its own; the oldest goes if no name is free."""
        if self._kept == 0:
            self._path.unlink()
            return
        # A shift that was refused half way left a free name: those above it have moved.
        free = next((number for number in range(1, self._kept) if not self._numbered(number).exists()), self._kept)
        for number in range(free - 1, 0, -1):
            self._numbered(number).replace(self._numbered(number + 1))
        self._path.replace(self._numbered(1))

    def _numbered(self, number: int) -> Path:
        return self._path.with_name(f"{self._path.name}.{number}")
