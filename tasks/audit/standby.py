"""A connection to the standby, for the audit alone."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.utils import ConnectionHandler

from shop.settings.env import database


class NoStandby(Exception):
    """DATABASE_REPLICA_URL is not set."""


@contextmanager
def standby_connection() -> Iterator[BaseDatabaseWrapper]:
    """Connected to the first standby for as long as it is open; raises NoStandby."""
    if not settings.DATABASE_REPLICA_URL:
        raise NoStandby("There is no standby: DATABASE_REPLICA_URL is not set.")
    url = settings.DATABASE_REPLICA_URL.split()[0]
    primary, standby = settings.DATABASES["default"], database(url)
    # The same limits of waiting as on the primary.
    standby["OPTIONS"] = {**primary["OPTIONS"], **standby["OPTIONS"]}
    connection = ConnectionHandler({"default": standby})["default"]
    try:
        yield connection
    finally:
        connection.close()
