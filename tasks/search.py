"""Brings what changed into the search indexes, on a queue of its own. Beat starts it often."""

import logging
import time

from celery import shared_task
from django.conf import settings
from django.db import OperationalError
from django.utils import timezone
from elasticsearch import ApiError, TransportError

from apps.catalog.search.indexing import comparing, indexes, rebuilding
from apps.catalog.search.indexing.draining import drain_batch
from apps.catalog.search.indexing.renaming import follow_renamings
from apps.catalog.search.indexing.writing import EngineAway
from shop.clock import database_time
from tasks.maintenance import MaintenanceTask
from tasks.models import SEARCH, Heartbeat

# Seconds; below beat's interval, so that runs do not pile up on the few processes that also do
# the maintenance. The next run goes on.
_LONGEST = 4
_LONGEST_FOR_RENAMINGS = 3
# No index_products lives longer than the limit, and what it sent last is soon with the engine.
_ALL_HAVE_ENDED_AFTER = settings.CELERY_TASK_TIME_LIMIT + 5

log = logging.getLogger(__name__)


@shared_task(base=MaintenanceTask)
def index_products() -> int:
    """Returns how many were dirty. While the engine is away they wait, and nothing fails."""
    started = time.monotonic()
    ends_at = started + _LONGEST
    try:
        follow_renamings(until=started + _LONGEST_FOR_RENAMINGS)
    except OperationalError as error:  # somebody holds one of the products
        log.warning("search: a renaming waits: %s", error)
    total = 0
    try:
        while done := drain_batch():
            total += done
            if time.monotonic() > ends_at:
                break
    except EngineAway as error:
        log.warning("search: the engine is away: %s", error)
    return total


# A catalogue that takes longer is a matter for manage.py init_search.
@shared_task(base=MaintenanceTask, soft_time_limit=280, time_limit=290)
def rebuild_index() -> str:
    """What somebody has asked for in the admin; returns what came of it."""
    try:
        rebuilt = rebuilding.rebuild(clock=timezone.now)
    except rebuilding.AlreadyRunning as error:
        return str(error)
    return f"{rebuilt.index.name}: {rebuilt.documents} products"


@shared_task(base=MaintenanceTask, soft_time_limit=280, time_limit=290)
def compare_index() -> str:
    """Drop old indexes, compare the live one with the database, mark what differs, and sweep
    the tombstones.

    What it found is a heartbeat, and a line of the log if it is anything.
    """
    if not settings.SEARCH_URL:
        return "there is no engine"
    _drop_old_indexes()  # first, so that a comparison that fails keeps none
    live = indexes.live_index()
    if live is None:
        return "there is no index"
    found = comparing.settled(live.name, with_content=True, patience=3)
    comparing.mark(found)
    if found.different:
        log.error("search: %d of %d products differed", found.different, found.products)
    facts = {"index": live.name, "products": found.products, "different": found.different}
    Heartbeat.objects.beat(SEARCH, facts=facts, now=database_time())
    _sweep_tombstones()
    return f"{found.different} of {found.products} differed"


def _drop_old_indexes() -> None:
    try:
        rebuilding.prune(now=timezone.now())
    except rebuilding.AlreadyRunning as error:  # then that drops what is old
        log.info("search: nothing is dropped: %s", error)
    except (ApiError, TransportError) as error:
        log.warning("search: nothing is dropped: %s", error)


def _sweep_tombstones() -> None:
    try:
        swept = rebuilding.sweep_tombstones(wait=lambda: time.sleep(_ALL_HAVE_ENDED_AFTER))
    except rebuilding.AlreadyRunning as error:  # the new index has none
        log.info("search: no tombstone is swept: %s", error)
    except (ApiError, TransportError) as error:
        log.warning("search: no tombstone is swept: %s", error)
    else:
        log.info("search: %d tombstones swept", swept)
