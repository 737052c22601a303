"""What happens to an order after it was placed. Every step may run any number of times.

Each step locks the order's row, does what the status calls for, and returns the status that
it found or made: a repeat, or a step that was overtaken by a cancellation, changes nothing.
"""

from datetime import datetime

from django.db import transaction

from apps.catalog import inventory
from apps.orders import emails
from apps.orders.models import Order, Status
from shop.mail.models import OutgoingEmail

PROCESSING_REQUESTED = "order.processing_requested"
SHIPMENT_REQUESTED = "order.shipment_requested"
DELIVERY_REPORTED = "order.delivery_reported"
CANCELLATION_REQUESTED = "order.cancellation_requested"


@transaction.atomic
def update_inventory(order_id: int, *, now: datetime) -> Status:
    """Turn the order's reservation into a sale while it is pending."""
    order = Order.objects.locked(order_id)
    if order.status == Status.PENDING:
        inventory.sell(reference=order.reference, now=now)
    return Status(order.status)


@transaction.atomic
def confirm(order_id: int, *, now: datetime) -> Status:
    """Confirm a pending order and queue its one confirmation e-mail."""
    order = Order.objects.locked(order_id)
    if order.status == Status.PENDING:
        # Already done by update_inventory; a confirmation that overtook it must do it here,
        # because nobody sells for an order that is no longer pending.
        inventory.sell(reference=order.reference, now=now)
        order.move_to(Status.CONFIRMED, now=now)
        emails.queue_confirmation(order)
    return Status(order.status)


def start_processing(order_id: int, *, now: datetime) -> Status:
    """The order is being packed; raises WrongStatus unless it is confirmed."""
    return _advance(order_id, Status.PROCESSING, now=now)


def ship(order_id: int, *, now: datetime) -> Status:
    """The parcel left; raises WrongStatus unless the order is confirmed or processing."""
    return _advance(order_id, Status.SHIPPED, now=now)


def deliver(order_id: int, *, now: datetime) -> Status:
    """The parcel arrived; raises WrongStatus unless the order is shipped."""
    return _advance(order_id, Status.DELIVERED, now=now)


@transaction.atomic
def cancel(order_id: int, *, now: datetime) -> Status:
    """Cancel and give the stock back, once; raises WrongStatus when the parcel has left."""
    order = Order.objects.locked(order_id)
    if not order.has_been(Status.CANCELLED):
        order.move_to(Status.CANCELLED, now=now)
        inventory.put_back(reference=order.reference, now=now)
        OutgoingEmail.objects.withdraw(reference=order.reference, now=now)
    return Status(order.status)


@transaction.atomic
def _advance(order_id: int, status: Status, *, now: datetime) -> Status:
    order = Order.objects.locked(order_id)
    if not order.has_been(status):  # a message may come again after later steps
        order.move_to(status, now=now)
    return Status(order.status)
