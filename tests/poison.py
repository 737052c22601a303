"""A task that kills the process that runs it, and leaves a mark each time."""

import os
from pathlib import Path

from celery import shared_task


@shared_task
def kill_worker(*, order_id: int) -> None:  # noqa: ARG001 looks like any other task
    with Path(os.environ["POISON_RUNS"]).open("a") as marks:
        marks.write("x")
    os._exit(1)
