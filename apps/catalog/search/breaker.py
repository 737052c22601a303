"""When the engine is not asked: it failed again and again, and everybody would wait for it.

In the cache, so that all processes know. Without a cache the engine is simply asked.
"""

from contextlib import suppress
from enum import Enum, auto

from django.core.cache import cache
from redis.exceptions import RedisError

_OPEN, _FAILURES, _PROBE = "search:away", "search:failures", "search:probe"
FAILURES = 3  # in _COUNTED_FOR
_COUNTED_FOR = 10  # seconds
_AWAY_FOR = 60  # seconds, each failed probe from its own moment on
_PROBE_EVERY = 2  # seconds; one caller each time finds out whether it is back


class Turn(Enum):
    """What a caller should do."""

    ASK = auto()  # the engine is well
    TRY = auto()  # it was away: this one finds out whether it is back
    LEAVE = auto()


def turn() -> Turn:
    """What this caller should do; one every two seconds is to TRY."""
    try:
        if not cache.get(_OPEN):
            return Turn.ASK
        return Turn.TRY if cache.add(_PROBE, True, timeout=_PROBE_EVERY) else Turn.LEAVE
    except RedisError:
        return Turn.ASK


def failed() -> None:
    with suppress(RedisError, ValueError):  # the count ended between the two
        cache.add(_FAILURES, 0, timeout=_COUNTED_FOR)
        if cache.incr(_FAILURES) >= FAILURES or cache.get(_OPEN):
            cache.set(_OPEN, True, timeout=_AWAY_FOR)
            cache.set(_PROBE, True, timeout=_PROBE_EVERY)  # it has just been tried


def answered() -> None:
    with suppress(RedisError):
        if cache.get(_OPEN):
            cache.delete_many([_OPEN, _FAILURES])
