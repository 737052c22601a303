"""What beat starts: shop/settings/schedule.py says when. By the database's clock, always."""

from typing import Any

from celery import shared_task

from apps.catalog.popularity import measure_popularity
from apps.catalog.search.vocabulary import refresh_vocabulary
from shop.celery import app
from shop.clock import database_time
from tasks import dead_letters, sweeper, watching
from tasks.audit.nightly import nightly_audit
from tasks.base import ShopTask
from tasks.models import SWEEPER, Heartbeat


class MaintenanceTask(ShopTask):
    """Comes again by itself: it is neither retried nor delivered twice, and leaves no letter.

    A failure is in the log and among the task failures, and the part's heartbeat grows old.
    """

    abstract = True
    autoretry_for: tuple[type[Exception], ...] = ()
    acks_late = False

    def leave_letter(self, *_: Any, **__: Any) -> None:
        return


@shared_task(base=MaintenanceTask)
def watch() -> dict[str, Any]:
    return watching.watch(app, now=database_time())


@shared_task(base=MaintenanceTask)
def sweep() -> dict[str, int]:
    now = database_time()
    swept = sweeper.sweep(now=now)
    Heartbeat.objects.beat(SWEEPER, facts=swept, now=now)
    return swept


@shared_task(base=MaintenanceTask)
def collect_dead_letters() -> int:
    return dead_letters.collect_dead_letters(now=database_time())


@shared_task(base=MaintenanceTask)
def prune() -> int:
    return sweeper.prune(now=database_time())


# Longer than a step of an order may take.
@shared_task(base=MaintenanceTask, soft_time_limit=280, time_limit=290)
def audit() -> str:
    return nightly_audit(now=database_time())


@shared_task(base=MaintenanceTask)
def measure_popularity_of_products() -> int:
    return measure_popularity(now=database_time())


# Longer than a step of an order may take, where the catalogue is large.
@shared_task(base=MaintenanceTask, soft_time_limit=280, time_limit=290)
def count_words() -> int:
    return refresh_vocabulary()
