"""Outgoing e-mails as they were written, and a person's word on those nobody can be sure of."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html

from shop.admin import (
    ReadOnlyAdmin,
    button,
    label,
    leave_dialog,
    log_changes,
    preformatted,
)
from shop.mail.models import OutgoingEmail

Status = OutgoingEmail.Status
STATUS_COLORS: dict[str, str] = {
    Status.QUEUED: "info",
    Status.SENDING: "info",
    Status.SENT: "success",
    Status.BOUNCED: "danger",
    Status.UNKNOWN: "warning",
}


class UnsureFilter(admin.SimpleListFilter):
    title = "certainty"
    parameter_name = "certainty"

    def lookups(self, _request: HttpRequest, _admin: Any) -> list[tuple[str, str]]:
        return [("unsure", "Unknown, or sending for more than 10 minutes")]

    def queryset(self, _request: HttpRequest, emails: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() != "unsure":
            return emails
        return emails & OutgoingEmail.objects.unsure(now=timezone.now())


@admin.register(OutgoingEmail)
class OutgoingEmailAdmin(ReadOnlyAdmin[OutgoingEmail]):
    list_display = ("subject", "to", "colored_status", "created_at", "sent_at")
    list_filter = ("status", UnsureFilter, "kind")
    date_hierarchy = "created_at"
    search_fields = ("to", "reference", "subject")
    search_help_text = "Address, reference (order-17) or order number"
    ordering = ("-pk",)
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("to", "colored_status"),
                    ("kind", "reference"),
                    ("created_at", "sent_at"),
                    ("claimed_at", "withdrawn_at"),
                    "attempts",
                    "last_error",
                )
            },
        ),
        ("What it says", {"fields": ("subject", "plain_text", "preview")}),
    )
    actions = ("mark_sent",)
    actions_detail = ("mark_this_sent",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[OutgoingEmail]:
        emails = super().get_queryset(request)
        is_list = (
            request.resolver_match and request.resolver_match.kwargs.get("object_id") is None
        )
        return emails.defer("text", "html") if is_list else emails

    @admin.display(description="status", ordering="status")
    def colored_status(self, email: OutgoingEmail) -> str:
        return label(email.get_status_display(), color=STATUS_COLORS.get(email.status))

    @admin.display(description="text")
    def plain_text(self, email: OutgoingEmail) -> str:
        return preformatted(email.text)

    @admin.display(description="HTML")
    def preview(self, email: OutgoingEmail) -> str:
        """The HTML part in a frame that runs no scripts and has no rights of this page."""
        return format_html(
            '<iframe sandbox srcdoc="{}" title="The e-mail\'s HTML part"'
            ' style="width: 100%; height: 40rem; background: white"></iframe>',
            email.html,
        )

    def has_settle_permission(self, request: HttpRequest, _email_id: object = None) -> bool:
        return bool(request.user.has_perm("mail.change_outgoingemail"))

    def get_actions_detail(self, request: HttpRequest, object_id: str) -> list[Any]:
        """Only an e-mail that nobody can be sure of has a button."""
        email = self.get_object(request, object_id)
        if email is None or email.status != Status.UNKNOWN:
            return []
        buttons: list[Any] = super().get_actions_detail(request, object_id)  # type: ignore[misc]  # Unfold's
        return buttons

    @admin.action(permissions=["settle"], description="Mark as sent (only unknown ones)")
    def mark_sent(self, request: HttpRequest, emails: QuerySet[OutgoingEmail]) -> None:
        self._settle(request, emails)

    @button(
        "Mark as sent",
        icon="mark_email_read",
        question="Did the customer get this e-mail? Then it counts as sent and is settled.",
        permission="settle",
    )
    def mark_this_sent(
        self, request: HttpRequest, _form: object, *, object_id: str
    ) -> HttpResponse:
        self._settle(request, OutgoingEmail.objects.filter(pk=object_id))
        return leave_dialog(reverse("admin:mail_outgoingemail_change", args=[object_id]))

    def _settle(self, request: HttpRequest, emails: QuerySet[OutgoingEmail]) -> None:
        unknown = list(emails.filter(status=Status.UNKNOWN).only("reference", "kind"))
        settled = OutgoingEmail.objects.filter(pk__in=[email.pk for email in unknown])
        number = settled.settle_as_sent()
        log_changes(request, unknown, "Marked as sent.")
        self.message_user(request, f"E-mails marked as sent: {number}.", messages.SUCCESS)
