"""A message that kills whoever works on it, every time."""

import os
import signal

from celery import shared_task

from chaos.faults.plan import note


@shared_task
def die(*, number: int) -> None:
    note("poisoned", str(number))
    os.kill(os.getpid(), signal.SIGKILL)
