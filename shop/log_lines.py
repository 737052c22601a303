"""How a log record becomes a line: JSON for machines, `key=value` for people.

A line has the record's text, the fields that are bound (shop/log_context.py) and those named in
_FIELDS; nothing else that a record carries gets into it. Code logs ids and never people. What
a library or the text of an error says all the same, shop/scrubbing.py takes out.
"""

import logging
from typing import Any

from structlog import dev, processors
from structlog.contextvars import merge_contextvars
from structlog.stdlib import ExtraAdder, ProcessorFormatter, add_log_level, add_logger_name
from structlog.typing import EventDict, Processor

from shop.scrubbing import scrub

# What code of ours may add to a line by `extra=`.
_FIELDS = ("method", "path", "status", "outcome", "reason", "duration_ms")
_FIRST = ("timestamp", "level", "logger", "event")
_LONGEST = 8000  # characters of one field: the last ones, where a traceback says what it is


def formatter(*, form: str) -> logging.Formatter:
    """The formatter of every handler; `form` is json or lines."""
    return ProcessorFormatter(
        foreign_pre_chain=[
            merge_contextvars,
            ExtraAdder(_FIELDS),
            _add_task_of_celery,
            add_log_level,
            add_logger_name,
            processors.TimeStamper(fmt="iso", utc=True),
            processors.format_exc_info,
        ],
        processors=[ProcessorFormatter.remove_processors_meta, _in_order, _without_people]
        + [_RENDERERS[form]],
    )


def _add_task_of_celery(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """Celery's lines about a task, also those of a process that does not run it, name it."""
    facts = getattr(event["_record"], "data", None)
    if isinstance(facts, dict) and "id" in facts and "name" in facts:
        event.setdefault("task", facts["name"])
        event.setdefault("task_id", facts["id"])
    return event


def _in_order(_logger: Any, _method: str, event: EventDict) -> EventDict:
    return {name: event.pop(name) for name in _FIRST} | dict(event)


def _without_people(_logger: Any, _method: str, event: EventDict) -> EventDict:
    return {name: _scrubbed(value) for name, value in event.items()}


def _scrubbed(value: object) -> object:
    if value is None or isinstance(value, bool | int | float):
        return value
    return scrub(str(value))[-_LONGEST:]


_RENDERERS: dict[str, Processor] = {
    "json": processors.JSONRenderer(),
    "lines": dev.ConsoleRenderer(
        colors=False, pad_event_to=0, exception_formatter=dev.plain_traceback
    ),
}
