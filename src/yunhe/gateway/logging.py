"""The node's log: one JSON object a line, or text for people. It holds no keys, tokens, passphrases or contents of records.

What is logged of a request has its id and its caller's name; what becomes of a transaction is logged with its id, at level `debug` unless
it was dropped. An address is logged by its host, because its path or query may be a secret.
"""

import contextlib
import io
import logging
import os
import sys
from pathlib import Path
from typing import TextIO, cast

import structlog
from structlog.typing import Processor

from yunhe.errors import InvalidConfigurationError
from yunhe.storage.files import disk_refusals

_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


class LogStream(io.TextIOBase):
    """Appends whole lines to the log. What the disk does not take goes to standard error: a log that is full must not stop the node."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def write(self, text: str) -> int:
        """Write at once, and keep nothing for later."""
        try:
            os.write(self._descriptor, text.encode("utf-8", "backslashreplace"))
        except OSError:
            # A node in the background has nobody at its standard error, and then there is nowhere to say it.
            with contextlib.suppress(OSError):
                sys.stderr.write(text)
        return len(text)


def configure_logging(path: Path | None, level: str, form: str = "json") -> None:
    """Send the log to a file, or to standard error.

    Args:
        path: the file, which is appended to; None for standard error.
        level: the least severe messages that are logged, as the setting `log_level` has it.
        form: `json` or `text`.

    Raises:
        InvalidConfigurationError: the file cannot be opened.
        DiskFullError: no room for it.
        DiskReadOnlyError: its disk is read-only.
    """
    stream: TextIO = sys.stderr
    if path is not None:
        try:
            with disk_refusals(path):
                path.parent.mkdir(parents=True, exist_ok=True)
                stream = cast("TextIO", LogStream(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)))
        except OSError as error:
            raise InvalidConfigurationError(f"the log {path} cannot be opened: {error.strerror}") from error
    named: list[Processor] = [structlog.processors.add_log_level, structlog.processors.TimeStamper(fmt="iso", utc=True)]
    rendered: list[Processor] = [structlog.processors.format_exc_info, _renderer(form)]
    structlog.configure(
        processors=[structlog.contextvars.merge_contextvars, *named, *rendered],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
        logger_factory=structlog.WriteLoggerFactory(stream),
        cache_logger_on_first_use=False,
    )
    # Uvicorn's own messages (a broken connection, say) belong in the same file, in the same form.
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=named, processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *rendered]
        )
    )
    logging.basicConfig(handlers=[handler], level=max(_LEVELS[level], logging.WARNING), force=True)


def _renderer(form: str) -> Processor:
    if form == "json":
        return structlog.processors.JSONRenderer(ensure_ascii=False)
    # Values are quoted, so that nobody who can choose one can make it look like another line.
    return structlog.processors.LogfmtRenderer(key_order=["timestamp", "level", "event"], drop_missing=True)
