"""The node's log: one JSON object a line, or text for people. It holds no keys, tokens, passphrases or contents of records.

What is logged of a request has its id and its caller's name; what becomes of a transaction is logged with its id, at level `debug` unless
it was dropped. An address is logged by its host, because its path or query may be a secret.
"""

import logging
import sys
from typing import TextIO, cast

import structlog
from structlog.typing import Processor

from yunhe.gateway.log_file import LogFile

_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


def configure_logging(file: LogFile | None, level: str, form: str = "json") -> None:
    """Send the log to a file, or to standard error.

    Args:
        file: open; None for standard error.
        level: the least severe messages that are logged, as the setting `log_level` has it.
        form: `json` or `text`.
    """
    stream = sys.stderr if file is None else cast("TextIO", file)
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
