"""The admin's page of everything that is stuck."""

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from shop.clock import database_time
from tasks.stuck import ask, questions_for

_SHOWN = 5


def may_view(request: HttpRequest) -> bool:
    """Whether there is a question whose answer the person may know."""
    return bool(questions_for(request.user.has_perm))


def stuck(request: HttpRequest) -> HttpResponse:
    now = database_time()
    questions = questions_for(request.user.has_perm)
    if not questions:
        raise PermissionDenied
    answers = ask(questions, now=now, examples=_SHOWN)
    context = {
        **admin.site.each_context(request),
        "title": "Stuck",
        "now": now,
        "troubled": [answer for answer in answers if answer.needs_a_look],
        "well": [answer for answer in answers if not answer.needs_a_look],
    }
    return TemplateResponse(request, "tasks/admin/stuck.html", context)
