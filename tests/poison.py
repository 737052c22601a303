"""Tasks that end badly, for a worker that a test starts."""

import os
import time
from contextlib import suppress
from pathlib import Path

from celery import shared_task
from celery.exceptions import SoftTimeLimitExceeded

from apps.orders.models import Order


@shared_task
def kill_worker(*, order_id: int) -> None:  # noqa: ARG001 looks like any other task
    """Leaves a mark each time."""
    with Path(os.environ["POISON_RUNS"]).open("a") as marks:
        marks.write("x")
    os._exit(1)


@shared_task(max_retries=2)
def reach_nobody(*, order_id: int) -> None:
    raise ConnectionError(f"nobody answers about {order_id}")


@shared_task(max_retries=0)
def ask_database(*, order_id: int) -> bool:
    return Order.objects.filter(pk=order_id).exists()


@shared_task(max_retries=2)
def reach_at_fifth_try(*, order_id: int) -> str:
    marks = Path(os.environ["POISON_RUNS"])
    with marks.open("a") as file:
        file.write("x")
    if len(marks.read_text()) < 5:
        raise ConnectionError(f"nobody answers about {order_id}")
    return "reached"


@shared_task(soft_time_limit=1, time_limit=2)
def never_end(*, order_id: int) -> None:  # noqa: ARG001 looks like any other task
    """Leaves a mark, and does not listen when its time is up."""
    Path(os.environ["POISON_RUNS"]).touch()
    while True:
        with suppress(SoftTimeLimitExceeded):
            time.sleep(60)
