"""Renamings that products follow, and who is in their way."""

import time
from collections.abc import Callable

from django.db import connection

from apps.catalog.search.indexing.renaming import follow_renamings
from apps.catalog.search.models import Renaming

_CAN_BEGIN = """
    SELECT NOT EXISTS (
        SELECT FROM search_renaming
        WHERE (horizon <= pg_snapshot_xmin(pg_current_snapshot())::text::bigint) IS NOT TRUE
    )
"""
_IS_WAITED_FOR = """
    SELECT EXISTS (
        SELECT FROM pg_locks WHERE NOT granted AND transactionid = pg_current_xact_id()::xid
    )
"""


def follow() -> int:
    """Until all have followed: another test's transactions may run in the same server."""
    total, ends_at = 0, time.monotonic() + 30
    while Renaming.objects.exists():
        total += follow_renamings(until=time.monotonic() + 5)
        assert time.monotonic() < ends_at
    return total


def note() -> None:
    """All renamings are noted, and whoever was writing then has ended: the next run begins."""
    follow_renamings(until=0)
    _wait_until(lambda: _is_true(_CAN_BEGIN))


def wait_for_a_waiter() -> None:
    """Until somebody waits for what this transaction has locked."""
    _wait_until(lambda: _is_true(_IS_WAITED_FOR))


def _wait_until(is_so: Callable[[], bool]) -> None:
    ends_at = time.monotonic() + 30
    while not is_so():
        assert time.monotonic() < ends_at
        time.sleep(0.02)


def _is_true(query: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(query)
        return bool(cursor.fetchone()[0])
