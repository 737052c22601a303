"""An engine that is away is not waited for by everybody."""

import pytest
from django.core.cache import cache

from apps.catalog.search import breaker
from apps.catalog.search.breaker import Turn

pytestmark = pytest.mark.usefixtures("no_failures_counted")


def fail(times: int) -> None:
    for _ in range(times):
        breaker.failed()


def test_is_asked_until_it_has_failed_three_times() -> None:
    fail(2)
    assert breaker.turn() is Turn.ASK
    assert breaker.turn() is Turn.ASK
    fail(1)
    assert breaker.turn() is not Turn.ASK


def test_is_tried_by_one_caller_while_it_is_away() -> None:
    fail(breaker.FAILURES)
    assert breaker.turn() is Turn.LEAVE  # it has just been tried
    cache.delete("search:probe")  # as if the time were over
    assert [breaker.turn() for _ in range(3)] == [Turn.TRY, Turn.LEAVE, Turn.LEAVE]


def test_is_asked_by_everybody_once_it_has_answered() -> None:
    fail(breaker.FAILURES)
    breaker.answered()
    assert {breaker.turn() for _ in range(5)} == {Turn.ASK}
    fail(breaker.FAILURES - 1)
    assert breaker.turn() is Turn.ASK
