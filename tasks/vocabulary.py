"""Counts the words of the catalogue anew, for the search in PostgreSQL."""

from celery import shared_task

from apps.catalog.search.vocabulary import refresh_vocabulary
from tasks.maintenance import MaintenanceTask


# A large catalogue takes its seconds.
@shared_task(base=MaintenanceTask, soft_time_limit=280, time_limit=290)
def refresh() -> int:
    return refresh_vocabulary()
