"""Limits on how often an address may call: counted in Redis in one atomic step.

The framework's own throttle reads, compares and writes, so that calls at the same time pass
it together.
"""

import hashlib
from ipaddress import IPv4Address, ip_address
from typing import Any

from django.conf import settings
from django.core.cache import cache
from redis.exceptions import RedisError
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

_WINDOW = 60  # seconds
_redis: Any = cache  # what django-redis has beyond a cache of Django's


class Throttle(BaseThrottle):
    """At most settings.THROTTLE_RATES[scope] calls a minute from one address."""

    scope: str
    # What happens while Redis is away: calls pass, unless this says that they may not.
    refuses_without_cache = False

    _key: str

    def allow_request(self, request: Request, view: APIView) -> bool:  # noqa: ARG002
        subject = self.subject(request)
        if subject is None:
            return True
        # Hashed, so that Redis holds no address of a person and keys stay short.
        digest = hashlib.sha256(subject.encode()).hexdigest()
        self._key = f"throttle:{self.scope}:{digest}"
        try:
            calls = _count(self._key)
        except RedisError:
            return not self.refuses_without_cache
        return calls <= settings.THROTTLE_RATES[self.scope]

    def subject(self, request: Request) -> str | None:
        """Whose calls are counted together; None when this call is not to be counted."""
        return _network(self.get_ident(request))

    def wait(self) -> float:
        """Seconds until the window ends in which the call was refused."""
        try:
            return max(1, _redis.ttl(self._key) or 0)
        except RedisError:
            return _WINDOW


def _network(ident: str) -> str:
    """What one subscriber has: an IPv4 address, or all 2**64 addresses of an IPv6 network."""
    try:
        address = ip_address(ident)
    except ValueError:
        return ident
    if isinstance(address, IPv4Address):
        return ident
    return str(address.ipv4_mapped or int(address) >> 64)


def _count(key: str) -> int:
    """How many calls there were in the key's window, this one among them."""
    while True:
        cache.add(key, 0, timeout=_WINDOW)
        try:
            return cache.incr(key)
        except ValueError:  # the window ended between the two
            continue
