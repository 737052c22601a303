"""Dead letters: what gave up and why, to be started again or discarded with a reason."""

import json
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from unfold import widgets

from apps.orders.models import Order
from shop.admin import (
    DialogForm,
    ReadOnlyAdmin,
    button,
    label,
    leave_dialog,
    link,
    log_changes,
    preformatted,
)
from tasks.models import DeadLetter
from tasks.replaying import Outcome, replay, why_not

Status = DeadLetter.Status
STATUS_COLORS: dict[str, str] = {
    Status.OPEN: "danger",
    Status.REPLAYED: "info",
    Status.SUCCEEDED: "success",
}
_NAMED = 10
_LARGEST_ORDER_ID = 2**63 - 1


class StatusFilter(admin.SimpleListFilter):
    """Open ones unless another status is asked for."""

    title = "status"
    parameter_name = "status__exact"

    def lookups(self, _request: HttpRequest, _admin: Any) -> list[tuple[str, str]]:
        others = [(status.value, status.label) for status in Status if status != Status.OPEN]
        return [*others, ("all", "all")]

    def choices(self, changelist: Any) -> Any:
        first, *others = super().choices(changelist)
        is_open = self.value() in (None, Status.OPEN)
        yield {**first, "display": "open", "selected": is_open}
        yield from others

    def queryset(self, _request: HttpRequest, letters: QuerySet[Any]) -> QuerySet[Any]:
        status = self.value() or Status.OPEN
        return letters if status == "all" else letters.filter(status=status)


class ReasonForm(forms.Form):
    reason = forms.CharField(
        max_length=200,
        widget=widgets.UnfoldAdminTextInputWidget,
        help_text="Kept with the letter, for whoever looks at it later.",
    )


class ReasonDialog(ReasonForm, DialogForm):
    """The same, behind a button."""


@admin.register(DeadLetter)
class DeadLetterAdmin(ReadOnlyAdmin[DeadLetter]):
    list_display = ("name", "state", "reason", "order", "times", "replays", "last_at")
    list_filter = (StatusFilter, "task", "queue")
    date_hierarchy = "last_at"
    search_fields = ("reason",)
    search_help_text = "Order number or id, task id, task, or words of the reason"
    ordering = ("-last_at", "-pk")
    actions = ("replay", "discard")
    actions_detail = ("replay_this", "discard_this")
    fieldsets = (
        (
            None,
            {
                "fields": (
                    "reason",
                    "task",
                    ("state", "order"),
                    ("queue", "attempts"),
                    ("first_at", "last_at"),
                    "times",
                )
            },
        ),
        ("What a replay starts again", {"fields": ("obstacle", "start", "steps")}),
        ("What came of it", {"fields": ("story",)}),
        ("Error", {"fields": ("traceback",)}),
        ("Original message", {"fields": ("original",)}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[DeadLetter]:
        number = Order.objects.filter(pk=OuterRef("order_id")).values("number")
        letters = super().get_queryset(request).annotate(order_number=Subquery(number))
        return letters.defer("message", "error")  # long, and only one letter's page shows them

    def get_search_results(
        self, _request: HttpRequest, queryset: QuerySet[DeadLetter], search_term: str
    ) -> tuple[QuerySet[DeadLetter], bool]:
        term = search_term.strip()
        of_order = Order.objects.filter(number__startswith=term.upper()).values("pk")
        found = Q(reason__icontains=term) | Q(task__icontains=term) | Q(task_id=term)
        found |= Q(order_id__in=of_order)
        if term.isdecimal() and int(term) <= _LARGEST_ORDER_ID:
            found |= Q(order_id=int(term))
        return queryset.filter(found), False

    @admin.display(description="task", ordering="task")
    def name(self, letter: DeadLetter) -> str:
        """A task without its module, a topic as it is."""
        is_task = letter.task.startswith("tasks.")
        return letter.task.rpartition(".")[2] if is_task else letter.task

    @admin.display(description="status", ordering="status")
    def state(self, letter: DeadLetter) -> str:
        return label(letter.get_status_display(), color=STATUS_COLORS.get(letter.status))

    @admin.display(ordering="order_id")
    def order(self, letter: Any) -> str:
        if letter.order_number is None:
            return f"{letter.order_id} (there is none)" if letter.order_id else ""
        url = reverse("admin:orders_order_change", args=[letter.order_id])
        return link(url, letter.order_number)

    @admin.display(description="can be replayed")
    def obstacle(self, letter: DeadLetter) -> str:
        return why_not(letter) or "Yes."

    @admin.display(description="first")
    def start(self, letter: DeadLetter) -> str:
        arguments = [*letter.args, letter.arguments]
        return _lines([letter.task, letter.task_id, json.dumps(arguments)[1:-1]])

    @admin.display(description="then")
    def steps(self, letter: DeadLetter) -> str:
        names = [
            step if isinstance(step, str) else f"{step['task']}\n{step['task_id']}"
            for step in letter.chain
        ]
        return _lines(names) if names else "nothing"

    @admin.display(description="replays")
    def story(self, letter: DeadLetter) -> str:
        return _lines(_story(letter))

    @admin.display(description="last lines of the traceback")
    def traceback(self, letter: DeadLetter) -> str:
        return preformatted(letter.error)

    @admin.display(description="as the broker returned it")
    def original(self, letter: DeadLetter) -> str:
        if letter.message is None:
            return "not seen yet"
        return preformatted(json.dumps(letter.message, indent=2, ensure_ascii=False))

    def has_settle_permission(self, request: HttpRequest, _letter_id: object = None) -> bool:
        return bool(request.user.has_perm("tasks.change_deadletter"))

    def get_actions_detail(self, request: HttpRequest, object_id: str) -> list[Any]:
        """Only a letter that can be replayed, or discarded, has that button."""
        letter = self.get_object(request, object_id)
        if letter is None or letter.resolved_at is not None:
            return []
        buttons: list[Any] = super().get_actions_detail(request, object_id)  # type: ignore[misc]  # Unfold's
        return [one for one in buttons if one.path != "replay_this" or not why_not(letter)]

    @admin.action(permissions=["settle"], description="Replay")
    def replay(self, request: HttpRequest, letters: QuerySet[DeadLetter]) -> None:
        self._replay(request, letters)

    @button(
        "Replay",
        icon="replay",
        question="The task, and the steps that follow it, are started again, with their ids."
        " Has what made it give up been mended?",
        permission="settle",
    )
    def replay_this(
        self, request: HttpRequest, _form: object, *, object_id: str
    ) -> HttpResponse:
        self._replay(request, DeadLetter.objects.filter(pk=object_id))
        return leave_dialog(reverse("admin:tasks_deadletter_change", args=[object_id]))

    @admin.action(permissions=["settle"], description="Discard")
    def discard(
        self, request: HttpRequest, letters: QuerySet[DeadLetter]
    ) -> HttpResponse | None:
        form = ReasonForm(request.POST if "reason" in request.POST else None)
        if form.is_valid():
            self._discard(request, letters, form.cleaned_data["reason"])
            return None
        context = {
            **self.admin_site.each_context(request),
            "title": "Discard dead letters",
            "opts": self.opts,
            "form": form,
            "letters": letters.unsettled(),  # type: ignore[attr-defined]  # its own QuerySet
        }
        return TemplateResponse(request, "tasks/admin/discard.html", context)

    @button(
        "Discard",
        icon="delete",
        question="The letter is closed. An order that is still pending is started afresh within"
        " half an hour; to end that, cancel it.",
        permission="settle",
        is_dangerous=True,
        form=ReasonDialog,
    )
    def discard_this(self, request: HttpRequest, form: Any, *, object_id: str) -> HttpResponse:
        letters = DeadLetter.objects.filter(pk=object_id)
        self._discard(request, letters, form.cleaned_data["reason"])
        return leave_dialog(reverse("admin:tasks_deadletter_change", args=[object_id]))

    def _replay(self, request: HttpRequest, letters: QuerySet[DeadLetter]) -> None:
        chosen = DeadLetter.objects.filter(pk__in=list(letters.values_list("pk", flat=True)))
        outcome = replay(chosen, now=timezone.now())
        log_changes(request, outcome.replayed, "Replayed.")
        level = messages.WARNING if outcome.refused else messages.SUCCESS
        self.message_user(request, _sentence(outcome), level)

    def _discard(
        self, request: HttpRequest, letters: QuerySet[DeadLetter], reason: str
    ) -> None:
        chosen = DeadLetter.objects.filter(pk__in=list(letters.values_list("pk", flat=True)))
        discarded = chosen.discard(reason=reason, now=timezone.now())
        log_changes(request, discarded, f"Discarded: {reason}")
        self.message_user(request, f"Dead letters discarded: {len(discarded)}.")


def _lines(lines: list[str]) -> str:
    return preformatted("\n".join(lines))


def _story(letter: DeadLetter) -> list[str]:
    lines = []
    if letter.replayed_at:
        lines.append(f"Replayed {letter.replays} times, last at {letter.replayed_at:%c}.")
    if letter.status == Status.REPLAYED:
        lines.append("Nothing was heard of it yet.")
    elif letter.status == Status.OPEN and letter.replays:
        lines.append(f"It gave up again at {letter.last_at:%c}.")
    elif letter.resolved_at:
        word = letter.get_status_display()
        lines.append(f"{word.capitalize()} at {letter.resolved_at:%c}: {letter.resolution}")
    return lines or ["Nobody has replayed or discarded it."]


def _sentence(outcome: Outcome) -> str:
    number = len(outcome.replayed)
    sentence = f"Dead letters started again: {number}."
    if not outcome.refused:
        return sentence
    named = ", ".join(
        f"{letter.task} ({letter.task_id[:8]}): {reason}"
        for letter, reason in outcome.refused[:_NAMED]
    )
    more = len(outcome.refused) - _NAMED
    tail = f" And {more} more." if more > 0 else ""
    return f"{sentence} Refused: {len(outcome.refused)}. {named}{tail}"
