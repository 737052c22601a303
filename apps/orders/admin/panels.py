"""Everything that is known about one order, as tables of its page."""

from collections import defaultdict
from typing import Any

from django.urls import reverse
from django.utils.html import format_html, format_html_join

from apps.catalog.models import StockMovement
from apps.orders.models import Order
from shop.admin import link, panel
from shop.mail.models import OutgoingEmail
from shop.outbox.models import OutboxMessage


def panels_of(order: Order) -> list[dict[str, Any]]:
    """What waits (if anything), items, statuses, e-mails and movements; five statements."""
    waiting = _requests(order)
    known = [_items(order), _statuses(order), _emails(order), _movements(order)]
    return [waiting, *known] if waiting["table"]["rows"] else known


def printed(address: dict[str, str]) -> str:
    """The address as on a parcel, line by line."""
    part = defaultdict(str, address)
    lines = [
        part["full_name"],
        part["address_line1"],
        part["address_line2"],
        f"{part['postal_code']} {part['city']}",
        part["state"],
        part["country_name"],
        part["phone"],
    ]
    return format_html_join("", "{}<br>", ((line,) for line in lines if line))


def _items(order: Order) -> dict[str, Any]:
    rows: list[list[Any]] = [
        [_variant(item.variant_id, item.sku), item.name, item.unit_price, item.quantity]
        + [item.line_total]
        for item in order.items.order_by("pk")
    ]
    total = format_html("<strong>{} {}</strong>", order.total, order.currency)
    rows.append(["", "", "", format_html("<strong>{}</strong>", "Total"), total])
    headers = ["SKU", "name", "unit price", "quantity", "line total"]
    return panel("Items", headers, rows, empty="None.")


def _variant(variant_id: int, sku: str) -> str:
    return link(reverse("admin:catalog_variant_change", args=[variant_id]), sku)


def _requests(order: Order) -> dict[str, Any]:
    waiting = OutboxMessage.objects.waiting().filter(payload__order_id=order.pk)
    rows = [
        [
            link(
                reverse("admin:outbox_outboxmessage_change", args=[message.pk]), message.topic
            ),
            message.created_at,
            message.attempts,
            message.last_error,
        ]
        for message in waiting.order_by("pk")
    ]
    return panel(
        "Waiting to be carried out",
        ["message", "since", "attempts", "last error"],
        rows,
        empty="Nothing.",
    )


def _statuses(order: Order) -> dict[str, Any]:
    rows = [
        [change.get_new_display(), change.get_old_display() or "placed", change.changed_at]
        for change in order.status_changes.order_by("pk")
    ]
    return panel("Statuses", ["status", "before", "since"], rows, empty="None.")


def _emails(order: Order) -> dict[str, Any]:
    emails = OutgoingEmail.objects.filter(reference=order.reference).defer("text", "html")
    rows = [
        [
            link(reverse("admin:mail_outgoingemail_change", args=[email.pk]), email.subject),
            email.to,
            email.get_status_display(),
            email.sent_at or "",
        ]
        for email in emails.order_by("pk")
    ]
    headers = ["subject", "to", "status", "sent at"]
    return panel("E-mails", headers, rows, empty="None was written yet.")


def _movements(order: Order) -> dict[str, Any]:
    movements = StockMovement.objects.filter(reference=order.reference)
    rows = [
        [
            _variant(movement.variant_id, movement.variant.sku),
            movement.get_kind_display(),
            movement.quantity,
            movement.booked_at,
        ]
        for movement in movements.select_related("variant").order_by("pk")
    ]
    headers = ["SKU", "kind", "quantity", "booked at"]
    return panel("Stock movements", headers, rows, empty="None.")
