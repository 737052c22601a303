"""The one clock that all processes share."""

from datetime import datetime

from django.db import connection


def database_time() -> datetime:
    """The database's time, for what must not happen early where a machine's clock is wrong."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        (now,) = cursor.fetchone()
    assert isinstance(now, datetime)  # noqa: S101 for the type checker
    return now
