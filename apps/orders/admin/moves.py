"""What a person may ask of an order. Asking writes an outbox message; a task does the rest."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest

from apps.orders import fulfilment
from apps.orders.models import Order, Status
from shop.admin import log_changes
from shop.outbox.models import OutboxMessage

_NAMED = 10


@dataclass(frozen=True, kw_only=True)
class Move:
    """A request for orders: what it is called, what it announces, and where it leads."""

    title: str
    icon: str
    topic: str
    leads_to: Status
    promise: str
    question: str

    def fits(self, order: Order) -> bool:
        return self.leads_to in Order.NEXT[Status(order.status)]


START_PROCESSING = Move(
    title="Start processing",
    icon="package_2",
    topic=fulfilment.PROCESSING_REQUESTED,
    leads_to=Status.PROCESSING,
    promise="will be processed",
    question="Somebody packs this order now.",
)
SHIP = Move(
    title="Ship",
    icon="local_shipping",
    topic=fulfilment.SHIPMENT_REQUESTED,
    leads_to=Status.SHIPPED,
    promise="will be shipped",
    question="The parcel leaves. A shipped order cannot be cancelled any more.",
)
DELIVER = Move(
    title="Mark as delivered",
    icon="where_to_vote",
    topic=fulfilment.DELIVERY_REPORTED,
    leads_to=Status.DELIVERED,
    promise="will be marked as delivered",
    question="The parcel has arrived.",
)
CANCEL = Move(
    title="Cancel order",
    icon="cancel",
    topic=fulfilment.CANCELLATION_REQUESTED,
    leads_to=Status.CANCELLED,
    promise="will be cancelled",
    question="Its stock is given back. This cannot be undone.",
)


@transaction.atomic
def request_move(
    move: Move, orders: QuerySet[Order], *, request: HttpRequest
) -> tuple[bool, str]:
    """Ask `move` of every order whose status allows it: whether all did, and a sentence.

    The number of statements does not depend on the number of orders.
    """
    found = list(orders.only("number", "status").order_by("pk"))
    fitting = [order for order in found if move.fits(order)]
    if fitting:
        OutboxMessage.publish_many(
            move.topic,
            [{"order_id": order.pk} for order in fitting],
            contexts=[{"order": order.number} for order in fitting],
        )
        log_changes(request, fitting, f"Requested: {move.title}.")
    others = [order for order in found if not move.fits(order)]
    return not others, _sentence(move, fitting, skipped=others)


def _sentence(move: Move, fitting: Sequence[Order], *, skipped: Sequence[Order]) -> str:
    if len(fitting) == 1:
        orders = f"Order {fitting[0].number}"
    else:
        orders = f"{len(fitting) or 'No'} orders"
    sentence = f"{orders} {move.promise}."
    if not skipped:
        return sentence
    names = ", ".join(f"{order.number} is {order.status}" for order in skipped[:_NAMED])
    more = len(skipped) - _NAMED
    return f"{sentence} Skipped: {names}{f' and {more} more' if more > 0 else ''}."
