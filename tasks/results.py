"""What django-celery-results keeps for the admin, without a say in what happens to a task."""

import logging
from typing import Any

from celery import states
from django.db import Error as DatabaseError
from django_celery_results.backends import DatabaseBackend

from shop.scrubbing import scrub

log = logging.getLogger(__name__)


class ResultBackend(DatabaseBackend):  # type: ignore[misc]  # the library has no types
    """Stores how a task ended, and nothing about its retries.

    A result is a note for people. When it cannot be written, Celery would take that for an
    internal error and refuse the message: so a failure to write is logged and no more.
    """

    def _store_result(
        self, task_id: str, result: Any, status: str, traceback: Any = None, **kwargs: Any
    ) -> Any:
        # The row of a retry would stay for ever: the success that follows is not stored.
        if status == states.RETRY:
            return result
        try:
            return super()._store_result(
                task_id, _scrubbed(result), status, _scrubbed(traceback), **kwargs
            )
        except DatabaseError as error:
            log.error("the result of task %s was not stored: %s", task_id, type(error).__name__)
            return result


def _scrubbed(value: Any) -> Any:
    """An error's text may name a person: a database quotes the row that it refused."""
    if isinstance(value, dict):
        return {name: _scrubbed(part) for name, part in value.items()}
    if isinstance(value, list | tuple):
        return [_scrubbed(part) for part in value]
    return scrub(value) if isinstance(value, str) else value
