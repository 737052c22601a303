"""Many, some at a time."""

from itertools import count

from shop.batches import batched


def test_all_come_in_their_order_and_the_last_ones_are_fewer() -> None:
    assert list(batched("abcde", size=2)) == [["a", "b"], ["c", "d"], ["e"]]


def test_nothing_has_no_batch() -> None:
    assert list(batched([], size=2)) == []


def test_no_more_is_taken_than_the_batch_that_is_asked_for() -> None:
    numbers = count()
    assert next(batched(numbers, size=3)) == [0, 1, 2]
    assert next(numbers) == 3
