"""Errors as RFC 9457 problem details, in one shape for every view and for unknown addresses."""

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.views import defaults
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.settings import api_settings
from rest_framework.views import exception_handler, set_rollback

from shop.routing.scope import will_be_repeated

PROBLEM_JSON = "application/problem+json"

_HEADERS = ("WWW-Authenticate", "Retry-After", "Allow")
_logger = logging.getLogger(__name__)


class ShopError(Exception):
    """An expected refusal: raised where the rule is, shown to the caller as it is.

    `code` is stable and meant for programs, `facts` are further members of the answer.
    """

    code = "error"
    http_status = 409

    def __init__(self, detail: str, **facts: Any) -> None:
        super().__init__(detail)
        self.detail = detail
        self.facts = facts


class NotFound(ShopError):
    """Not there, or not the caller's: both look alike from outside."""

    code = "not_found"
    http_status = 404


def problem_details(error: Exception, context: Mapping[str, Any]) -> Response | None:
    """DRF's exception handler: a problem+json answer, or None for what is a bug (500)."""
    if isinstance(error, ShopError):
        set_rollback()
        return _problem(error.http_status, error.code, error.detail, context, **error.facts)
    if isinstance(error, OperationalError | InterfaceError):
        # What failed on a standby flies on to the middleware, which asks the primary.
        return None if will_be_repeated() else _database_problem(error, context)
    if isinstance(error, RequestDataTooBig):
        return _problem(413, "too_large", "The request body is too large.", context)
    answer = exception_handler(error, dict(context))
    if answer is None:
        return None
    problem = _from_framework(error, answer, context)
    for header in _HEADERS:
        if header in answer:
            problem[header] = answer[header]
    return problem


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler400: what was refused before a view was found."""
    if _is_for_api(request):
        return _plain_problem(request, 400, "bad_request", "The request is not valid.")
    return defaults.bad_request(request, exception)


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """Django's handler404: an address that the shop does not have."""
    if _is_for_api(request):
        return _plain_problem(request, 404, "not_found", "Not found.")
    return defaults.page_not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's handler500: a bug; the answer tells nothing but the request's id."""
    if _is_for_api(request):
        detail = "Something went wrong on our side."
        return _plain_problem(request, 500, "server_error", detail)
    return defaults.server_error(request)


def _is_for_api(request: HttpRequest) -> bool:
    return request.path.startswith("/api/")


def _plain_problem(request: HttpRequest, status: int, code: str, detail: str) -> JsonResponse:
    body = _body(request, status, code, detail)
    return JsonResponse(body, status=status, content_type=PROBLEM_JSON)


def _from_framework(error: Exception, answer: Response, context: Mapping[str, Any]) -> Response:
    """Django's and DRF's own exceptions, field errors under `errors`."""
    if isinstance(error, exceptions.ValidationError):
        errors = answer.data
        if not isinstance(errors, Mapping):
            errors = {api_settings.NON_FIELD_ERRORS_KEY: errors}
        return _problem(400, "invalid", "Some fields are not valid.", context, errors=errors)
    detail = "Not found." if answer.status_code == 404 else str(answer.data["detail"])
    return _problem(answer.status_code, _code_of(error, answer), detail, context)


def _code_of(error: Exception, answer: Response) -> str:
    if not isinstance(error, exceptions.APIException):  # Django's Http404, PermissionDenied
        return "not_found" if answer.status_code == 404 else "permission_denied"
    # The token library puts its code into the answer, the framework keeps it in the error.
    return str(answer.data.get("code") or error.get_codes())


def _database_problem(error: Exception, context: Mapping[str, Any]) -> Response:
    """A lock not got, a query too slow, a server away: the caller may try again."""
    set_rollback()
    _logger.warning("The database refused a request: %s", error)
    detail = "The shop is busy. Please try again in a moment."
    answer = _problem(503, "try_again", detail, context)
    answer["Retry-After"] = "2"
    return answer


def _problem(
    status: int, code: str, detail: str, context: Mapping[str, Any], **facts: Any
) -> Response:
    body = _body(context.get("request"), status, code, detail) | facts
    return Response(body, status=status, content_type=PROBLEM_JSON)


def _body(request: object, status: int, code: str, detail: str) -> dict[str, Any]:
    return {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "code": code,
        "request_id": getattr(request, "request_id", None),
    }
