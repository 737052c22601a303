"""Percentiles of times."""

from datetime import timedelta

import pytest

from shop.percentiles import percentile


@pytest.mark.parametrize(
    ("percent", "expected"), [(0, 1.0), (50, 3.0), (75, 4.0), (95, 8.0), (100, 9.0)]
)
def test_lie_among_the_values_in_whatever_order_they_come(
    percent: float, expected: float
) -> None:
    assert percentile([9.0, 1.0, 2.0, 4.0, 3.0], percent) == pytest.approx(expected)


def test_of_one_value_are_that_value() -> None:
    assert {percentile([7.0], percent) for percent in (0, 50, 99, 100)} == {7.0}


def test_of_durations_are_durations() -> None:
    times = [timedelta(seconds=n) for n in (1, 2, 4)]
    assert percentile(times, 50) == timedelta(seconds=2)
    assert percentile(times, 75) == timedelta(seconds=3)


def test_of_nothing_there_are_none() -> None:
    with pytest.raises(IndexError):
        percentile([], 50)
