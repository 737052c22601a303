"""A request's reads and its token; see scope.py and token.py."""

import logging
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.db import DatabaseError, InterfaceError
from django.http import HttpRequest, HttpResponse

from shop.routing import token
from shop.routing.positions import NEVER, primary_position
from shop.routing.scope import Scope, current, scope, will_be_repeated

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
        after = token.wanted_position(request)
        with scope(replica_ok=is_safe, after=after, is_repeatable=is_safe) as reads:
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
            reads.replica_ok = False

    def process_exception(self, request: HttpRequest, _error: Exception) -> Any:
        """What failed on a standby is done once more, on the primary.

        A standby may die, end a query that is in the way of replay, or have a column less
        than the code knows; none of it is the shopper's business.
        """
        reads, match = current(), request.resolver_match
        if reads is None or match is None or not will_be_repeated():
            return None
        reads.go_on()
        return match.func(request, *match.args, **match.kwargs)


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
