"""One id a request, from the proxy's X-Request-ID or new, on every answer and error."""

import logging
import re
import uuid
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

_HEADER = "X-Request-ID"
_ACCEPTED = re.compile(r"[A-Za-z0-9._-]{8,64}")


class RequestIdMiddleware:
    """Sets `request.request_id` and returns it as a header."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.headers.get(_HEADER, "")
        request_id = given if _ACCEPTED.fullmatch(given) else uuid.uuid4().hex
        request.request_id = request_id  # type: ignore[attr-defined]
        answer = self.get_response(request)
        answer[_HEADER] = request_id
        return answer


class RequestIdFilter(logging.Filter):
    """Gives a log record the id of the request that it is about, or a dash."""

    def filter(self, record: logging.LogRecord) -> bool:
        request = getattr(record, "request", None)
        record.request_id = getattr(request, "request_id", "-")
        return True
