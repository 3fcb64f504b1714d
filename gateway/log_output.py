"""Where log lines go: standard error, one line per event, JSON unless a person is looking."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING, Any, TextIO, cast

import structlog

from gateway.log_writer import LogWriter

if TYPE_CHECKING:
    from gateway.config.settings import LogSettings


def configure_logs(settings: LogSettings) -> None:
    """Set up structlog for this process. Standard output stays free for what a command prints."""
    structured = settings.format == "json" or (settings.format == "auto" and not sys.stderr.isatty())
    writer = LogWriter(sys.stderr)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *(_json() if structured else _console()),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(settings.level),
        logger_factory=structlog.WriteLoggerFactory(file=cast("TextIO", writer)),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(level=logging.WARNING, stream=cast("TextIO", writer))


def _json() -> list[Any]:
    return [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(ensure_ascii=False)]


def _console() -> list[Any]:
    # Plain tracebacks: the pretty ones show local variables, passwords among them. Values are quoted, so that
    # one from outside cannot forge a line (ASVS 16.4.1).
    return [
        structlog.dev.ConsoleRenderer(
            exception_formatter=structlog.dev.plain_traceback, repr_native_str=True, colors=sys.stderr.isatty()
        )
    ]
