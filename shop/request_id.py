"""One id a request, from the proxy's X-Request-ID or new: on its answer and its log lines."""

import logging
import re
import uuid
from collections.abc import Callable
from time import monotonic

from django.http import HttpRequest, HttpResponse

from shop import log_context

_HEADER = "X-Request-ID"
_ACCEPTED = re.compile(r"[A-Za-z0-9._-]{8,64}")
_logger = logging.getLogger(__name__)


class RequestIdMiddleware:
    """Sets `request.request_id`, returns it as a header, and logs one line a request."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.headers.get(_HEADER, "")
        request_id = given if _ACCEPTED.fullmatch(given) else uuid.uuid4().hex
        request.request_id = request_id  # type: ignore[attr-defined]
        started = monotonic()
        log_context.begin(request_id=request_id)
        try:
            answer = self.get_response(request)
            _log(
                request, answer.status_code, milliseconds=round(1000 * (monotonic() - started))
            )
        finally:
            log_context.end()
        answer[_HEADER] = request_id
        return answer


def _log(request: HttpRequest, status: int, *, milliseconds: int) -> None:
    level = logging.ERROR if status >= 500 else logging.INFO
    if request.path.startswith("/health/"):  # asked every few seconds
        level = logging.DEBUG
    fields = {
        "method": request.method,
        # The route and not the path: what somebody typed there may be a name or an address.
        "route": f"/{match.route}" if (match := request.resolver_match) else "none",
        "status": status,
        "duration_ms": milliseconds,
    }
    _logger.log(level, "request", extra=fields)
