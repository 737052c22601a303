"""What the throttles have counted, for tests."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.cache import cache

_redis: Any = cache  # what django-redis has beyond a cache of Django's


def counters() -> dict[str, int]:
    """The key of each counter and the seconds that it still lives."""
    return {key: _redis.ttl(key) for key in _redis.keys("throttle:*")}  # noqa: SIM118


def age_counters(*, to: int) -> None:
    """Let all windows end in so many seconds."""
    for key in counters():
        _redis.expire(key, to)


def forget_calls() -> None:
    _redis.delete_pattern("throttle:*")


@contextmanager
def without_redis(settings: Any) -> Iterator[None]:
    """Point the cache at a port where nobody listens."""
    here = settings.CACHES
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        url = f"redis://127.0.0.1:{nobody.getsockname()[1]}/0"
        settings.CACHES = {"default": {**here["default"], "LOCATION": url}}
        try:
            yield
        finally:
            settings.CACHES = here
