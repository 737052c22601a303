"""What `manage.py check --database default` and `migrate` refuse."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.db import Error as DatabaseError
from django.db import connections


@register(Tags.database)
def replicas_are_standbys(
    databases: Sequence[str] | None = None, **_: Any
) -> list[CheckMessage]:
    """A standby that is away is no error; a server that takes writes is."""
    if not databases:
        return []
    return [
        Error(
            f"{alias} is a primary: DATABASE_REPLICA_URL must name a standby.",
            id="routing.E001",
        )
        for alias in settings.REPLICAS
        if _takes_writes(alias)
    ]


def _takes_writes(alias: str) -> bool:
    try:
        with connections[alias].cursor() as cursor:
            cursor.execute("SELECT pg_is_in_recovery()")
            (is_standby,) = cursor.fetchone()
    except DatabaseError:
        return False
    return not is_standby
