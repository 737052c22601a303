"""PostgreSQL's own word for what went wrong."""

from django.db import DatabaseError


def sqlstate(error: DatabaseError) -> str | None:
    """PostgreSQL's five-character code of an error, from either driver."""
    cause = error.__cause__
    code = getattr(cause, "sqlstate", None) or getattr(cause, "pgcode", None)
    return str(code) if code else None
