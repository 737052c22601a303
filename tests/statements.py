"""Counts SQL statements, transaction control aside."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection
from django.test.utils import CaptureQueriesContext

_CONTROL = ("BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE SAVEPOINT")


class Statements(list[str]):
    """The statements of the block, filled when it ends."""


@contextmanager
def counted() -> Iterator[Statements]:
    """`with counted() as statements:` and afterwards `len(statements)`."""
    statements = Statements()
    with CaptureQueriesContext(connection) as captured:
        yield statements
    statements.extend(
        query["sql"] for query in captured if not query["sql"].startswith(_CONTROL)
    )
