"""What the log lines of a task have in common, and the one line that says how it ended.

By Celery's own signals and not around the task's call, because Celery says what went wrong,
publishes the next step and keeps the result after the call has returned. Celery catches what
a receiver raises: a log line is no reason to fail a task.
"""

import logging
from contextvars import ContextVar
from time import monotonic
from typing import Any

from celery.signals import task_postrun, task_prerun

from shop import log_context
from tasks.queues import queue_of

_LONGEST = 200
_started: ContextVar[float] = ContextVar("started")
log = logging.getLogger(__name__)


def carried_by(request: Any) -> dict[str, str]:
    """Request id and order number that came with the task's message, as far as it had them."""
    return log_context.carried_by(request.get("headers"))


@task_prerun.connect
def _begin(task: Any, **_: Any) -> None:
    request = task.request
    _started.set(monotonic())
    log_context.begin(
        **carried_by(request),
        task=task.name,
        task_id=str(request.id),
        attempt=request.retries + 1,
        queue=queue_of(task.app, task.name),
    )


@task_postrun.connect
def _end(state: str | None, retval: Any, **_: Any) -> None:
    """One line: what the task returned, or that it is retried, failed or refused, and why."""
    fields: dict[str, str | int] = {
        "outcome": (state or "lost").lower(),
        "duration_ms": round(1000 * (monotonic() - _started.get())),
    }
    if state == "SUCCESS":
        fields["outcome"] = str(retval)[:_LONGEST]
    elif state == "RETRY":
        fields["reason"] = str(retval)[:_LONGEST]
    elif retval is not None:
        fields["reason"] = f"{type(retval).__name__}: {retval}"[:_LONGEST]
    log.info("task", extra=fields)
    log_context.end()
