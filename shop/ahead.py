"""Reading ahead: the next is read while what was read before is worked on."""

from collections.abc import Generator, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from django.db import connections

Item = TypeVar("Item")


def read_ahead(items: Iterable[Item]) -> Generator[Item]:
    """The items in their order; each is made in another thread while its caller is busy with
    the one before, and not more than one at a time. Raises what making an item raises.

    The thread has database connections of its own, and reads outside of the caller's
    transaction, from the primary. Close the generator if it is not read to its end.
    """
    coming = iter(items)
    end = object()
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="read-ahead") as reader:
        try:
            following = reader.submit(next, coming, end)
            while (item := following.result()) is not end:
                following = reader.submit(next, coming, end)
                yield item  # type: ignore[misc]  # not the end, which is no Item
        finally:
            reader.submit(connections.close_all)
