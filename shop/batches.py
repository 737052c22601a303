"""Many, some at a time."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

Item = TypeVar("Item")


def batched(items: Iterable[Item], *, size: int) -> Iterator[list[Item]]:
    """The items in their order, so many at a time, the last ones perhaps fewer; none is taken
    before its batch is asked for. Python has it from 3.12 on."""
    coming = iter(items)
    while batch := list(islice(coming, size)):
        yield batch
