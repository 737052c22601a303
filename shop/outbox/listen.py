"""Waiting for outbox rows on PostgreSQL's LISTEN/NOTIFY, on Django's own connection.

Needs a connection that stays: no pooler in transaction mode between relay and database.
"""

import select
from typing import Any

from django.db import connection

_CHANNEL = "outbox"  # named by the trigger on the outbox table


def listen() -> None:
    """Subscribe this connection; again after every reconnect."""
    with connection.cursor() as cursor:
        cursor.execute(f"LISTEN {_CHANNEL}")


def wait_for_messages(*, timeout: float) -> None:
    """Return when a row was committed, or after `timeout` seconds; raises OperationalError
    when the database went away."""
    connection.ensure_connection()
    raw = connection.connection
    with connection.wrap_database_errors:
        if callable(raw.notifies):  # psycopg 3
            # It ends with the first; what came along with that one it keeps for the next call.
            list(raw.notifies(timeout=timeout, stop_after=1))
        else:
            _wait_by_psycopg2(raw, timeout)


def _wait_by_psycopg2(raw: Any, timeout: float) -> None:
    if not raw.notifies:
        select.select([raw], [], [], timeout)
    raw.poll()
    raw.notifies.clear()
