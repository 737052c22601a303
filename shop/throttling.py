"""Limits on how often an address may call: counted in Redis in one atomic step.

The framework's own throttle reads, compares and writes, so that calls at the same time pass
it together.
"""

import hashlib

from django.conf import settings
from django.core.cache import cache
from redis.exceptions import RedisError
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

_WINDOW = 60  # seconds


class Throttle(BaseThrottle):
    """At most settings.THROTTLE_RATES[scope] calls a minute from one address."""

    scope: str
    # What happens while Redis is away: calls pass, unless this says that they may not.
    refuses_without_cache = False

    def allow_request(self, request: Request, view: APIView) -> bool:  # noqa: ARG002
        subject = self.subject(request)
        if subject is None:
            return True
        # Hashed, so that Redis holds no address of a person and keys stay short.
        digest = hashlib.sha256(subject.encode()).hexdigest()
        try:
            calls = _count(f"throttle:{self.scope}:{digest}")
        except RedisError:
            return not self.refuses_without_cache
        return calls <= settings.THROTTLE_RATES[self.scope]

    def subject(self, request: Request) -> str | None:
        """Whose calls are counted together; None when this call is not to be counted."""
        return self.get_ident(request)

    def wait(self) -> float:
        return _WINDOW


def _count(key: str) -> int:
    """How many calls there were in the key's window, this one among them."""
    while True:
        cache.add(key, 0, timeout=_WINDOW)
        try:
            return cache.incr(key)
        except ValueError:  # the window ended between the two
            continue
