"""Orders whose message was lost on its way are announced again.

Nothing here knows why a message was lost. Each function finds what should long have gone on
by itself and writes a fresh outbox message in the transaction that notes the time, so that any
number of callers, at once or one after the other, announce it once. Every step that is started
may run twice.

`held` are the dead letters that a person has yet to decide about: rows with an `order_id`.
Orders named there are left alone.
"""

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Exists, F, OuterRef, QuerySet, TextField, Value
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast, Concat

from apps.orders import emails
from apps.orders.checkout import ORDER_PLACED
from apps.orders.models import Order, Status
from shop.mail.models import OutgoingEmail
from shop.outbox.models import OutboxMessage

CONFIRMATION_REQUESTED = "order.confirmation_requested"
# Longer than all that a step of the pipeline may wait for: its retries, 903 s at most
# (tasks/base.py), and a killed worker's message on Redis, 300 s and up to 100 s more.
RESTART_AFTER = timedelta(minutes=25)
_MAILED_FOR = timedelta(days=7)  # a confirmation of last month's order confuses its reader
_HAVE_BEEN_CONFIRMED = (Status.CONFIRMED, Status.PROCESSING, Status.SHIPPED, Status.DELIVERED)


@transaction.atomic
def restart_pending(*, now: datetime, held: "QuerySet[Any]", limit: int) -> int:
    """Announce up to `limit` orders that are pending and have lost their chain; how many."""
    silent = Order.objects.filter(
        ~Exists(held.filter(order_id=OuterRef("pk"))),
        ~_is_waiting(ORDER_PLACED, reference=_reference_of(OuterRef("pk"))),
        status=Status.PENDING,
        announced_at__lt=now - RESTART_AFTER,
    )
    ids = list(_claim(silent.values_list("pk", flat=True), limit))
    Order.objects.filter(pk__in=ids).update(announced_at=now)
    _publish(ORDER_PLACED, ids)
    return len(ids)


@transaction.atomic
def queue_missing_emails(*, now: datetime, limit: int) -> int:
    """Write the confirmation of confirmed orders that have none; for how many."""
    written = OutgoingEmail.objects.filter(
        kind=emails.CONFIRMATION, reference=_reference_of(OuterRef("pk"))
    )
    unmailed = Order.objects.filter(
        ~Exists(written),
        status__in=_HAVE_BEEN_CONFIRMED,
        placed_at__gte=now - _MAILED_FOR,
    )
    orders = list(_claim(unmailed, limit))
    for order in orders:
        emails.queue_confirmation(order)
    _publish(CONFIRMATION_REQUESTED, [order.pk for order in orders])
    return len(orders)


@transaction.atomic
def announce_forgotten_emails(*, now: datetime, held: "QuerySet[Any]", limit: int) -> int:
    """Announce up to `limit` confirmations that are queued and have lost their task."""
    held = held.alias(about=_reference_of(F("order_id")))
    forgotten = OutgoingEmail.objects.forgotten(now=now).filter(
        ~Exists(held.filter(about=OuterRef("reference"))),
        ~_is_waiting(CONFIRMATION_REQUESTED, reference=OuterRef("reference")),
        kind=emails.CONFIRMATION,
    )
    found = list(_claim(forgotten.only("reference"), limit))
    OutgoingEmail.objects.filter(pk__in=[email.pk for email in found]).update(announced_at=now)
    _publish(CONFIRMATION_REQUESTED, [Order.id_of(email.reference) for email in found])
    return len(found)


def _reference_of(order_id: Any) -> Concat:
    """Order.reference, in SQL."""
    return Concat(Value("order-"), Cast(order_id, TextField()), output_field=TextField())


def _is_waiting(topic: str, *, reference: Any) -> Exists:
    """Whether the relay has yet to publish such a message about this order."""
    # As text: a payload may hold anything, and must not stop this for all other orders.
    about = _reference_of(KeyTextTransform("order_id", "payload"))
    waiting = OutboxMessage.objects.waiting().filter(topic=topic)
    return Exists(waiting.alias(about=about).filter(about=reference))


def _claim(rows: "QuerySet[Any, Any]", limit: int) -> "QuerySet[Any, Any]":
    """The oldest of these, each for one caller only."""
    return rows.order_by("pk").select_for_update(skip_locked=True)[:limit]


def _publish(topic: str, order_ids: list[int]) -> None:
    numbers = dict(Order.objects.filter(pk__in=order_ids).values_list("pk", "number"))
    OutboxMessage.publish_many(
        topic,
        [{"order_id": order_id} for order_id in order_ids],
        contexts=[
            {"order": numbers[order_id]} if order_id in numbers else {}
            for order_id in order_ids
        ],
    )
