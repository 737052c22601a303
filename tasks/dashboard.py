"""The admin's first page: what an operator asks first, each number a link to its list."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.db.models import Count, Q
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from apps.catalog.models import Product
from apps.orders.models import Order, Status
from shop.mail.models import OutgoingEmail
from shop.outbox.models import OutboxMessage
from tasks.models import DeadLetter


@dataclass(frozen=True, kw_only=True)
class Card:
    """A number and the list that it counts. `needs_a_look` is for what should be 0."""

    title: str
    number: int
    url: str
    needs_a_look: bool = False


def numbers(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Unfold's callback: adds the cards whose lists the person may see."""
    may_view = request.user.has_perm
    look = _look_at_orders() if may_view("orders.view_order") else []
    if may_view("tasks.view_deadletter"):
        look.append(_dead_letters())
    if may_view("outbox.view_outboxmessage"):
        look.append(_outbox())
    if may_view("mail.view_outgoingemail"):
        look.extend(_emails())
    if may_view("catalog.view_product"):
        look.append(_sold_out())
    today = _orders_of_today() if may_view("orders.view_order") else []
    return {**context, "look": look, "today": today}


def _list_url(model: str, **query: Any) -> str:
    return f"{reverse(f'admin:{model}_changelist')}?{urlencode(query)}"


def _look_at_orders() -> list[Card]:
    stalled = Order.objects.stalled(now=timezone.now()).count()
    return [
        Card(
            title="Orders pending for more than 5 minutes",
            number=stalled,
            url=_list_url("orders_order", pipeline="stalled"),
            needs_a_look=stalled > 0,
        )
    ]


def _dead_letters() -> Card:
    number = DeadLetter.objects.open().count()
    url = _list_url("tasks_deadletter", status__exact="open")
    return Card(title="Dead letters", number=number, url=url, needs_a_look=number > 0)


def _outbox() -> Card:
    """Waiting is normal for a second or two, so this is never an alarm by itself."""
    return Card(
        title="Outbox messages waiting",
        number=OutboxMessage.objects.waiting().count(),
        url=_list_url("outbox_outboxmessage", state="waiting"),
    )


def _emails() -> list[Card]:
    unsure = OutgoingEmail.objects.unsure(now=timezone.now()).count()
    bounced = OutgoingEmail.objects.filter(status=OutgoingEmail.Status.BOUNCED).count()
    return [
        Card(
            title="E-mails unknown or stuck",
            number=unsure,
            url=_list_url("mail_outgoingemail", certainty="unsure"),
            needs_a_look=unsure > 0,
        ),
        Card(
            title="E-mails bounced",
            number=bounced,
            url=_list_url("mail_outgoingemail", status__exact="bounced"),
            needs_a_look=bounced > 0,
        ),
    ]


def _sold_out() -> Card:
    sold_out = Product.objects.published().with_available().filter(Q(available__lte=0))
    return Card(
        title="Published products sold out",
        number=sold_out.count(),
        url=_list_url("catalog_product", is_published__exact=1, stock="out"),
    )


def _orders_of_today() -> list[Card]:
    now = timezone.now()
    placed = Order.objects.filter(placed_at__date=now.date()).values_list("status")
    by_status = dict(placed.annotate(Count("pk")).order_by())
    day = {
        "placed_at__year": now.year,
        "placed_at__month": now.month,
        "placed_at__day": now.day,
    }
    return [
        Card(
            title=status.label,
            number=by_status.get(status, 0),
            url=_list_url("orders_order", status__exact=status.value, **day),
        )
        for status in Status
    ]
