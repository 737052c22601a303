"""Reading ahead: the next is read while what was read before is worked on."""

from collections.abc import Generator, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from django.db import connection, connections
from django.db.transaction import TransactionManagementError

Item = TypeVar("Item")


def read_ahead(items: Iterable[Item]) -> Generator[Item]:
    """The items in their order; while the caller is busy with one, another thread makes the
    next, and only that. Raises what making an item raises.

    The thread has database connections of its own and reads from the primary; it would not see
    the caller's transaction: inside one, TransactionManagementError is raised. Close the
    generator if it is not read to its end. That does not wait for what is just being made:
    whoever has run out of time has other things to do.
    """
    if connection.in_atomic_block:
        raise TransactionManagementError("what is read ahead does not see this transaction")
    coming = iter(items)
    end = object()
    reader = ThreadPoolExecutor(max_workers=1, thread_name_prefix="read-ahead")
    try:
        following = reader.submit(next, coming, end)
        while (item := following.result()) is not end:
            following = reader.submit(next, coming, end)
            yield item  # type: ignore[misc]  # not the end, which is no Item
    finally:
        reader.submit(connections.close_all)
        reader.shutdown(wait=False)
