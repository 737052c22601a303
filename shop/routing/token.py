"""The token by which a caller never reads a state older than his own last write."""

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponseBase

from shop.routing.positions import NEVER

HEADER = "X-Read-Token"
LIFETIME = 60  # seconds; longer than REPLICA_MAX_LAG, beyond which no standby is read
_SALT = "shop.routing.token"


def cookie_name() -> str:
    return "__Host-read-token" if settings.COOKIE_SECURE else "read-token"


def wanted_position(request: HttpRequest) -> int:
    """What a standby must have replayed before this caller may read it.

    The newest of what his cookie and his header say, nothing if he has neither. What is
    forged, expired or unreadable counts as newer than any standby: he reads the primary.
    """
    given = (request.COOKIES.get(cookie_name()), request.headers.get(HEADER))
    return max((_position_in(token) for token in given if token), default=0)


def attach(response: HttpResponseBase, *, position: int) -> None:
    """Give the caller of a request that wrote his token: a cookie, and a header for clients
    without a jar. No cache may keep such an answer, or others would get his token."""
    token = signing.dumps(position, salt=_SALT)
    response.set_cookie(
        cookie_name(),
        token,
        max_age=LIFETIME,
        secure=settings.COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
    response[HEADER] = token
    response["Cache-Control"] = "private, no-store"


def _position_in(token: str) -> int:
    try:
        position = signing.loads(token, salt=_SALT, max_age=LIFETIME)
    except signing.BadSignature:
        return NEVER
    return position if isinstance(position, int) else NEVER
