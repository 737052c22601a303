"""The admin's page of everything that is stuck."""

from collections.abc import Sequence
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.html import format_html_join
from django.utils.timesince import timesince

from shop.admin import label, link
from tasks.stuck import Answer, ask, questions_for

_SHOWN = 5


def may_view(request: HttpRequest) -> bool:
    """Whether there is a question whose answer the person may know."""
    return bool(questions_for(request.user.has_perm))


def stuck(request: HttpRequest) -> HttpResponse:
    questions = questions_for(request.user.has_perm)
    if not questions:
        raise PermissionDenied
    answers = ask(questions, now=timezone.now(), examples=_SHOWN)
    troubled = [answer for answer in answers if answer.needs_a_look]
    context = {
        **admin.site.each_context(request),
        "title": "Stuck",
        "table": _table(troubled),
        "well": [answer for answer in answers if not answer.needs_a_look],
    }
    return TemplateResponse(request, "tasks/admin/stuck.html", context)


def _table(answers: Sequence[Answer]) -> dict[str, Any]:
    headers = ["what is stuck", "number", "oldest", "the oldest ones"]
    return {"headers": headers, "rows": [_row(answer) for answer in answers]}


def _row(answer: Answer) -> list[str]:
    age = f"{timesince(answer.oldest, depth=1)} ago" if answer.oldest else ""
    examples = format_html_join(
        "", "<div>{}</div>", ([link(each.url, each.text)] for each in answer.examples)
    )
    return [
        link(answer.url, answer.title),
        label(str(answer.number), color="danger"),
        age,
        examples,
    ]
