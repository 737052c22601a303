"""A lock of the database: one holds it, whatever becomes of the work under it."""

from contextlib import suppress

import pytest
from django.db import OperationalError, connection

from shop.alone import alone, is_taken
from tests.concurrently import run_at_once

pytestmark = pytest.mark.django_db(transaction=True)

_LOCK = 7_263_599


def test_gives_the_lock_back_also_when_the_work_fails() -> None:
    def fail() -> None:
        with alone(_LOCK, waiting=lambda: None):
            assert is_taken(_LOCK)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert not is_taken(_LOCK)


def test_a_lost_connection_gives_the_lock_back_and_hides_no_error() -> None:
    def lose_the_connection() -> None:
        with alone(_LOCK, waiting=lambda: None), connection.cursor() as cursor:
            with suppress(OperationalError):
                cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
            raise ZeroDivisionError

    (outcome,) = run_at_once([lose_the_connection])
    assert isinstance(outcome, ZeroDivisionError)
    assert not is_taken(_LOCK)
