"""The text of every e-mail about an order."""

from datetime import datetime

from django.conf import settings
from django.template.loader import render_to_string

from apps.orders.models import Order
from shop.mail.models import Content, OutgoingEmail

CONFIRMATION = "order-confirmation"


def queue_confirmation(order: Order) -> None:
    """Write the order's one confirmation, to be sent after the transaction."""
    OutgoingEmail.objects.queue(
        reference=order.reference,
        kind=CONFIRMATION,
        to=order.email,
        content=_confirmation(order),
    )


def send_confirmation(order_id: int, *, now: datetime) -> str:
    """The e-mail's status after trying to send it, or "none" if the order has none.

    An order that was cancelled before it was confirmed has none. Raises NotTaken.
    """
    email = OutgoingEmail.objects.filter(
        reference=Order(pk=order_id).reference, kind=CONFIRMATION
    ).first()
    return email.send(now=now) if email is not None else "none"


def _confirmation(order: Order) -> Content:
    facts = {
        "shop": settings.SHOP_NAME,
        "order": order,
        "items": list(order.items.order_by("pk")),
        "address": order.shipping_address,
    }
    return Content(
        subject=f"Your order {order.number} is confirmed",
        text=render_to_string("orders/confirmation.txt", facts),
        html=render_to_string("orders/confirmation.html", facts),
    )
