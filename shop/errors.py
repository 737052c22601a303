"""Errors as RFC 9457 problem details, in one shape for every view."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.db import OperationalError
from django.http import Http404
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import exception_handler, set_rollback


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
    if isinstance(error, OperationalError):
        return _database_problem(context)
    if isinstance(error, RequestDataTooBig):
        return _problem(413, "too_large", "The request body is too large.", context)
    answer = exception_handler(error, dict(context))
    if answer is None:
        return None
    problem = _from_framework(error, answer, context)
    for header in ("WWW-Authenticate", "Retry-After", "Allow"):
        if header in answer:
            problem[header] = answer[header]
    return problem


def _from_framework(error: Exception, answer: Response, context: Mapping[str, Any]) -> Response:
    """Django's and DRF's own exceptions, field errors under `errors`."""
    if isinstance(error, exceptions.ValidationError):
        return _problem(
            400, "invalid", "Some fields are not valid.", context, errors=answer.data
        )
    code = {404: "not_found", 415: "unsupported_media_type"}.get(answer.status_code)
    if code is None and isinstance(error, exceptions.APIException):
        codes = error.get_codes()
        code = codes if isinstance(codes, str) else None
    detail = "Not found." if isinstance(error, Http404) else _text_of(answer.data)
    return _problem(answer.status_code, code or "error", detail, context)


def _text_of(data: Any) -> str:
    return str(data.get("detail", "")) if isinstance(data, Mapping) else ""


def _database_problem(context: Mapping[str, Any]) -> Response:
    """The database is busy or away: nothing was changed, so the caller may try again."""
    set_rollback()
    detail = "The shop is busy. Nothing was changed; please try again."
    answer = _problem(503, "try_again", detail, context)
    answer["Retry-After"] = "2"
    return answer


def _problem(
    status: int, code: str, detail: str, context: Mapping[str, Any], **facts: Any
) -> Response:
    request = context.get("request")
    body = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "code": code,
        "request_id": getattr(request, "request_id", None),
        **facts,
    }
    return Response(body, status=status, content_type="application/problem+json")
