"""How a log record becomes a line: JSON for machines, `key=value` for people.

A line has the record's text, the fields that are bound (shop/log_context.py) and those named
here; nothing else that a record carries gets into it. Code logs ids and never people. What
a library or the text of an error says all the same, shop/scrubbing.py takes out.
"""

import logging
import logging.config
import os
from typing import Any

from structlog import dev, processors
from structlog.contextvars import merge_contextvars
from structlog.stdlib import ExtraAdder, ProcessorFormatter, add_log_level, add_logger_name
from structlog.typing import EventDict, Processor

from shop.scrubbing import scrub

# Bound, or given by `extra=`, and in this order behind the text.
_CONTEXT = ("request_id", "order", "task", "task_id", "attempt", "queue")
_FINDINGS = ("method", "route", "status", "outcome", "reason", "duration_ms")
_ORDER = ("timestamp", "level", "logger", "event", *_CONTEXT, *_FINDINGS)
_LONGEST = 8000  # characters of one field: the last ones, where a traceback says what it is


def configure(config: dict[str, Any]) -> None:
    """Django's LOGGING_CONFIG: as usual, and what Python warns of is logged, too."""
    logging.config.dictConfig(config)
    logging.captureWarnings(True)


def formatter(*, form: str | None = None) -> logging.Formatter:
    """The formatter of every handler; `form` is json or lines.

    Without one it is what LOG_FORMAT says: for granian, which logs before Django is there.
    """
    return ProcessorFormatter(
        foreign_pre_chain=[
            merge_contextvars,
            ExtraAdder((*_CONTEXT, *_FINDINGS)),
            add_log_level,
            add_logger_name,
            processors.TimeStamper(fmt="iso", utc=True),
            processors.format_exc_info,
        ],
        processors=[ProcessorFormatter.remove_processors_meta, _in_order, _without_people]
        + [_RENDERERS[form or os.environ.get("LOG_FORMAT", "json")]],
    )


def _in_order(_logger: Any, _method: str, event: EventDict) -> EventDict:
    return {name: event[name] for name in _ORDER if name in event} | dict(event)


def _without_people(_logger: Any, _method: str, event: EventDict) -> EventDict:
    return {name: _scrubbed(value) for name, value in event.items()}


def _scrubbed(value: object) -> object:
    if value is None or isinstance(value, bool | int | float):
        return value
    return scrub(str(value))[-_LONGEST:]


_RENDERERS: dict[str, Processor] = {
    "json": processors.JSONRenderer(),
    "lines": dev.ConsoleRenderer(
        colors=False,
        pad_event_to=0,
        sort_keys=False,
        exception_formatter=dev.plain_traceback,
    ),
}
