"""Work that only one process of the shop does at a time, whichever machine it runs on."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.db import Error as DatabaseError
from django.db import connection


@contextmanager
def alone(lock: int, *, waiting: Callable[[], None]) -> Iterator[None]:
    """Runs while nobody else holds `lock` in this database; calls `waiting` if it has to wait.

    The lock is the connection's: a process that dies gives it back, and a machine that is gone
    after a minute (`tcp_keepalives_idle` in shop/settings/databases.py).
    """
    if not _lock(lock):
        waiting()
        while not _lock(lock):
            time.sleep(0.5)
    try:
        yield
    finally:
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_unlock(%s)", [lock])
        except DatabaseError:  # which must not hide why the work has failed
            connection.close()  # and with it the lock, if the connection was not lost anyway


def is_taken(lock: int) -> bool:
    """Whether somebody holds it in this moment."""
    held = """
        SELECT EXISTS (
            SELECT FROM pg_locks WHERE locktype = 'advisory' AND granted
            AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
            AND (classid::bigint << 32) | objid::bigint = %s
        )
    """
    with connection.cursor() as cursor:
        cursor.execute(held, [lock])
        return bool(cursor.fetchone()[0])


def _lock(lock: int) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [lock])
        return bool(cursor.fetchone()[0])
