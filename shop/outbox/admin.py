"""The outbox, to see what waits, what was sent and what gave up. Nothing is edited here."""

import uuid
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from shop.admin import ReadOnlyAdmin, label
from shop.outbox.models import OutboxMessage


class StateFilter(admin.SimpleListFilter):
    title = "state"
    parameter_name = "state"

    def lookups(self, _request: HttpRequest, _admin: Any) -> list[tuple[str, str]]:
        return [("waiting", "Waiting"), ("sent", "Sent"), ("gave-up", "Gave up")]

    def queryset(self, _request: HttpRequest, messages: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "waiting":
            return messages.filter(sent_at=None, gave_up_at=None)
        if self.value() == "sent":
            return messages.exclude(sent_at=None)
        if self.value() == "gave-up":
            return messages.exclude(gave_up_at=None)
        return messages


@admin.register(OutboxMessage)
class OutboxMessageAdmin(ReadOnlyAdmin[OutboxMessage]):
    list_display = ("id", "topic", "payload", "state", "attempts", "created_at", "sent_at")
    list_filter = (StateFilter, "topic")
    date_hierarchy = "created_at"
    search_fields = ("topic",)
    search_help_text = "Order id, uuid of the message, or topic"
    ordering = ("-pk",)
    fields = (
        ("topic", "state"),
        "uuid",
        "payload",
        ("created_at", "sent_at"),
        ("attempts", "next_attempt_at"),
        "gave_up_at",
        "last_error",
    )

    @admin.display()
    def state(self, message: OutboxMessage) -> str:
        if message.gave_up_at:
            return label("gave up", color="danger")
        if message.sent_at:
            return label("sent", color="success")
        return label("waiting", color="warning")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[OutboxMessage], search_term: str
    ) -> tuple[QuerySet[OutboxMessage], bool]:
        term = search_term.strip()
        if term.isdecimal():
            return queryset.filter(payload__order_id=int(term)), False
        try:
            return queryset.filter(uuid=uuid.UUID(term)), False
        except ValueError:
            return super().get_search_results(request, queryset, search_term)
