"""Brings what changed into the search indexes, on a queue of its own. Beat starts it often."""

import time

from celery import shared_task

from apps.catalog.search.indexing.draining import drain_batch
from tasks.maintenance import MaintenanceTask

# Seconds; below beat's interval, so that runs do not pile up on the few threads that also do
# the maintenance. The next run goes on.
_LONGEST = 4


@shared_task(base=MaintenanceTask)
def index_products() -> int:
    """Returns how many were dirty."""
    ends_at = time.monotonic() + _LONGEST
    total = done = drain_batch()
    while done and time.monotonic() < ends_at:
        done = drain_batch()
        total += done
    return total
