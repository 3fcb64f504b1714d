"""Where log lines go: standard error, one line per event, JSON unless a person is looking."""

from __future__ import annotations

import logging
import sys
from typing import TYPE_CHECKING, Any, TextIO, cast

import structlog

from gateway.log_writer import LogWriter, ThreadlessWriter

if TYPE_CHECKING:
    from structlog.typing import EventDict

    from gateway.config.settings import LogSettings


def configure_logs(settings: LogSettings, *, threads: bool = True, worker: int | None = None) -> LogWriter | None:
    """Set up structlog for this process. Standard output stays free for what a command prints.

    A process that forks must not have `threads`. `worker`: its number stands in every line. Gives what has to be closed
    where a process ends without the functions of `atexit`.
    """
    structured = settings.format == "json" or (settings.format == "auto" and not sys.stderr.isatty())
    writer = LogWriter(sys.stderr) if threads else None
    stream = cast("TextIO", writer or ThreadlessWriter(sys.stderr))
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            *([] if worker is None else [_Numbered(worker)]),
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *(_json() if structured else _console()),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(settings.level),
        logger_factory=structlog.WriteLoggerFactory(file=stream),
        cache_logger_on_first_use=False,
    )
    # What was set up before a fork belongs to the parent.
    logging.basicConfig(level=logging.WARNING, stream=stream, force=worker is not None)
    return writer


class _Numbered:
    """Add the number of the worker."""

    def __init__(self, worker: int) -> None:
        self._worker = worker

    def __call__(self, _logger: object, _method: str, event: EventDict) -> EventDict:
        event["worker"] = self._worker
        return event


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
