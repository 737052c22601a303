"""A request's reads and its token; see scope.py and token.py."""

import logging
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.db import DatabaseError, InterfaceError
from django.http import HttpRequest, HttpResponse

from shop.routing import token
from shop.routing.positions import NEVER, primary_position
from shop.routing.replicas import replica
from shop.routing.scope import Scope, current, scope

_SAFE = {"GET", "HEAD", "OPTIONS"}
log = logging.getLogger(__name__)


class RoutingMiddleware:
    """Opens the request's scope, and gives whoever wrote a token.

    It stands outside of everything that opens a transaction: the token is taken after COMMIT.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if settings.REPLICA_ROUTING == "off" or not settings.REPLICAS:
            return self.get_response(request)
        is_safe = request.method in _SAFE
        with scope(replica_ok=is_safe, after=token.wanted_position(request)) as reads:
            response = self.get_response(request)
            has_written = reads.has_written
        if has_written:
            token.attach(response, position=_position())
        if settings.DEBUG:
            response["X-Database"] = _report(reads)
        return response

    def process_view(self, request: HttpRequest, *_: Any) -> None:
        """Staff act on what they see, so the admin reads nothing that may be late."""
        reads, match = current(), request.resolver_match
        if reads is not None and match is not None and "admin" in match.namespaces:
            reads.is_primary_only = True

    def process_exception(self, request: HttpRequest, error: Exception) -> Any:
        """What failed on a standby is done once more, on the primary.

        A standby may die, end a query that is in the way of replay, or have a column less
        than the code knows; none of it is the shopper's business.
        """
        reads = current()
        if not can_repeat(error) or reads is None or reads.replica is None:
            return None
        replica(reads.replica).failed(error)
        log.warning("%s failed, the primary is asked: %s", reads.replica, type(error).__name__)
        reads.is_primary_only = True
        reads.why = f"{reads.replica}: failed"
        match = request.resolver_match
        return match.func(request, *match.args, **match.kwargs) if match else None


def can_repeat(error: Exception) -> bool:
    """Whether what failed so, in this request, can be done once more on the primary."""
    reads = current()
    return (
        isinstance(error, DatabaseError | InterfaceError)
        and reads is not None
        and reads.replica is not None
        and reads.replica_ok
        and not reads.has_written
        and not reads.is_primary_only
    )


def _position() -> int:
    try:
        return primary_position()
    except (DatabaseError, InterfaceError) as error:
        # The write is committed and this answer must go out: then by no standby for a while.
        log.warning("no position of the primary: %s", type(error).__name__)
        return NEVER


def _report(reads: Scope) -> str:
    counted = ", ".join(f"{alias} {number}" for alias, number in reads.statements.items())
    return "; ".join(part for part in (counted or "none", reads.why) if part)
