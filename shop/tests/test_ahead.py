"""What is read ahead of whoever works on it."""

import threading
from collections.abc import Iterator
from contextlib import closing

import pytest
from django.db import connection
from django.db.transaction import TransactionManagementError

from deploy.embedded.process import wait_until
from shop.ahead import read_ahead


def test_items_come_in_their_order() -> None:
    assert list(read_ahead(range(5))) == [0, 1, 2, 3, 4]
    assert list(read_ahead([None, None])) == [None, None]
    assert list(read_ahead([])) == []


def test_the_next_item_is_made_while_its_caller_is_busy_and_no_other() -> None:
    made: list[int] = []
    second = threading.Event()

    def items() -> Iterator[int]:
        for number in range(3):
            made.append(number)
            if number == 1:
                second.set()
            yield number

    with closing(read_ahead(items())) as reading:
        assert next(reading) == 0
        assert second.wait(timeout=30)

    assert wait_until(_has_ended, seconds=30)
    assert made == [0, 1]


def test_what_making_an_item_raises_is_raised_when_its_turn_comes() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise LookupError("gone")

    reading = read_ahead(items())
    assert next(reading) == 1
    with pytest.raises(LookupError, match="gone"):
        next(reading)


def test_who_leaves_does_not_wait_for_what_is_being_made() -> None:
    begun, may_end, ended = threading.Event(), threading.Event(), threading.Event()

    def items() -> Iterator[int]:
        yield 1
        begun.set()
        may_end.wait(timeout=30)
        ended.set()

    with closing(read_ahead(items())) as reading:
        assert next(reading) == 1
        assert begun.wait(timeout=30)

    assert not ended.is_set()
    may_end.set()
    assert ended.wait(timeout=30)


@pytest.mark.django_db
def test_in_a_transaction_that_it_would_not_see_nothing_is_read_ahead() -> None:
    with pytest.raises(TransactionManagementError):
        list(read_ahead([1]))


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("read", [1, 3])
def test_no_connection_is_left_open_also_if_the_rest_is_not_wanted(read: int) -> None:
    with closing(read_ahead(_backend() for _ in range(3))) as reading:
        backends = {next(reading) for _ in range(read)}

    assert len(backends) == 1
    assert not backends & {_backend()}
    assert wait_until(lambda: not _is_there(*backends), seconds=30)


def _has_ended() -> bool:
    """Whether no reader is left: each does all that it was asked to, and ends."""
    return not any(thread.name.startswith("read-ahead") for thread in threading.enumerate())


def _backend() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])


def _is_there(backend: int) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT FROM pg_stat_activity WHERE pid = %s", [backend])
        return cursor.fetchone() is not None
