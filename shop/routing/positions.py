"""Positions in the primary's write-ahead log, as numbers that grow with every write."""

from django.db import DEFAULT_DB_ALIAS, connections

# Reached by no standby: who asks for it reads the primary.
NEVER = 2**64 - 1


def position(lsn: str) -> int:
    """The number of what PostgreSQL writes as 16/B374D848; raises ValueError."""
    high, low = lsn.split("/")
    return (int(high, 16) << 32) | int(low, 16)


def lsn(position: int) -> str:
    """As PostgreSQL writes it."""
    return f"{position >> 32:X}/{position & 0xFFFFFFFF:X}"


def primary_position() -> int:
    """Where the primary is now: a standby that has replayed this has all that is committed.

    The insert position, because with synchronous_commit off a commit is not yet written.
    """
    with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
        cursor.execute("SELECT pg_current_wal_insert_lsn()::text")
        (lsn,) = cursor.fetchone()
    return position(lsn)
