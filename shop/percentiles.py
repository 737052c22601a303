"""How long most of many took."""

from collections.abc import Sequence
from datetime import timedelta
from typing import TypeVar

Value = TypeVar("Value", float, timedelta)


def percentile(values: Sequence[Value], percent: float) -> Value:
    """Of the values in order, the one after so much of 100 of them, in their own unit.

    Between two values it rises evenly; of a few it is never more than the largest. Raises
    IndexError if there are none.
    """
    ordered = sorted(values)
    place = (len(ordered) - 1) * percent / 100
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)
