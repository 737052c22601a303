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
from shop.clock import database_time
from tasks.answers import Answer
from tasks.stuck import ask, questions_for


@dataclass(frozen=True, kw_only=True)
class Card:
    """A number that is no alarm, and the list that it counts."""

    title: str
    number: int
    url: str


def numbers(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Unfold's callback: adds the cards whose lists the person may see."""
    may_view = request.user.has_perm
    look: list[Answer | Card] = [*ask(questions_for(may_view), now=database_time())]
    if may_view("catalog.view_product"):
        look.append(_sold_out())
    today = _orders_of_today() if may_view("orders.view_order") else []
    return {**context, "look": look, "today": today}


def _list_url(model: str, **query: Any) -> str:
    return f"{reverse(f'admin:{model}_changelist')}?{urlencode(query)}"


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
