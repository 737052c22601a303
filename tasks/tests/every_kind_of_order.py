"""A sound shop with an order of every kind, as an audit at LATER must find it."""

from datetime import datetime, timedelta

from apps.accounts.models import Customer
from apps.catalog import inventory
from apps.catalog.models import Variant
from apps.orders import emails, fulfilment
from apps.orders.checkout import ORDER_PLACED, place_order
from apps.orders.models import Order, Status
from shop.mail.models import OutgoingEmail
from shop.outbox.models import OutboxMessage
from tasks.models import DeadLetter
from tests.builders import NOON, make_customer, make_line, make_purchase, make_variant

LATER = NOON + timedelta(hours=1)
JUST_NOW = LATER - timedelta(minutes=5)


def make_every_kind_of_order() -> dict[str, Order]:
    """By kind: the orders of one shop, each with what belongs to it."""
    ada, mug, cup = make_customer(), make_variant(on_hand=40), make_variant("CUP", on_hand=40)
    inventory.correct({mug.pk: -1}, reference="count-1", now=NOON, reason="broken")
    inventory.correct({cup.pk: 2}, reference="count-2", now=NOON, reason="found")
    shop = _Shop(ada, mug, cup)
    shop.make_pending()
    shop.make_confirmed()
    shop.make_moved()
    shop.make_cancelled()
    # The database's clock has no noon.
    OutgoingEmail.objects.update(created_at=NOON, announced_at=NOON)
    return shop.orders


class _Shop:
    def __init__(self, ada: Customer, mug: Variant, cup: Variant) -> None:
        self._ada, self._mug, self._cup = ada, mug, cup
        self.orders: dict[str, Order] = {}

    def make_pending(self) -> None:
        self._place("waiting", is_announced=False)
        self._place("young", now=JUST_NOW)
        # Hours old, and only now did the relay come back.
        self._announced(self._place("announced late"), now=JUST_NOW)
        fulfilment.update_inventory(self._place("sold", now=JUST_NOW).pk, now=JUST_NOW)
        self._letter(self._place("dead"), task="tasks.order_pipeline.confirm")
        self._letter(self._place("replayed"), task="tasks.order_pipeline.confirm")
        DeadLetter.objects.filter(order_id=self.orders["replayed"].pk).update(
            status="replayed", replays=1, replayed_at=JUST_NOW
        )

    def make_confirmed(self) -> None:
        for kind in ("mailed", "bounced", "unknown", "mail tried again", "mail given up"):
            self._confirm(kind)
        self._mail("mailed", status="sent", sent_at=NOON)
        self._mail("bounced", status="bounced")
        self._mail("unknown", status="unknown", claimed_at=NOON)
        self._mail("mail tried again", attempts=3, claimed_at=JUST_NOW)
        self._mail("mail given up", attempts=91, claimed_at=NOON)
        self._letter(self.orders["mail given up"], task="tasks.email.send_order_confirmation")

    def make_moved(self) -> None:
        steps = (fulfilment.start_processing, fulfilment.ship, fulfilment.deliver)
        kinds = ("processing", "shipped", "delivered")
        for number, kind in enumerate(kinds, start=1):
            order = self._confirm(kind)
            emails.send_confirmation(order.pk, now=NOON)
            for step in steps[:number]:
                step(order.pk, now=NOON)
        self._requested(self.orders["shipped"], fulfilment.SHIPMENT_REQUESTED)
        # Asked too early: refused, and that can be seen.
        self._requested(self.orders["shipped"], fulfilment.PROCESSING_REQUESTED)
        self._requested(self.orders["mailed"], fulfilment.DELIVERY_REPORTED)
        self._letter(self.orders["mailed"], task="tasks.order_pipeline.deliver")
        self._give_up(self.orders["mailed"])
        order = self._confirm("refunded")
        emails.send_confirmation(order.pk, now=NOON)
        for step in steps:
            step(order.pk, now=NOON)
        self._refund(order)

    def make_cancelled(self) -> None:
        for kind in ("cancelled early", "cancelled and refunded"):
            fulfilment.cancel(self._place(kind).pk, now=NOON)
        self._refund(self.orders["cancelled and refunded"])
        fulfilment.update_inventory(self._place("cancelled when sold").pk, now=NOON)
        fulfilment.cancel(self.orders["cancelled when sold"].pk, now=NOON)
        fulfilment.cancel(self._confirm("cancelled unmailed").pk, now=NOON)
        emails.send_confirmation(self._confirm("cancelled mailed").pk, now=NOON)
        fulfilment.cancel(self.orders["cancelled mailed"].pk, now=NOON)

    def _place(self, kind: str, *, now: datetime = NOON, is_announced: bool = True) -> Order:
        # One variant at two prices, and another one.
        lines = [make_line(self._mug), make_line(self._mug, unit_price="7.00")]
        lines.append(make_line(self._cup, 1))
        purchase = make_purchase(self._ada, idempotency_key=kind, request_hash="hash")
        order = place_order(purchase, lines=lines, now=now)
        if is_announced:
            self._announced(order, now=now)
        self.orders[kind] = order
        return order

    def _announced(self, order: Order, *, now: datetime) -> None:
        mine = OutboxMessage.objects.filter(topic=ORDER_PLACED, payload={"order_id": order.pk})
        mine.update(sent_at=now)

    def _confirm(self, kind: str) -> Order:
        order = self._place(kind)
        fulfilment.confirm(order.pk, now=NOON)
        return order

    def _mail(self, kind: str, **values: object) -> None:
        OutgoingEmail.objects.filter(reference=self.orders[kind].reference).update(**values)

    def _requested(self, order: Order, topic: str) -> None:
        OutboxMessage.publish(topic, order_id=order.pk)
        OutboxMessage.objects.filter(topic=topic).update(sent_at=NOON)
        if topic == fulfilment.PROCESSING_REQUESTED:
            self._letter(order, task="tasks.order_pipeline.start_processing")

    def _give_up(self, order: Order) -> None:
        OutboxMessage.publish("order.unheard_of", order_id=order.pk)
        message = OutboxMessage.objects.get(topic="order.unheard_of")
        OutboxMessage.objects.filter(pk=message.pk).update(gave_up_at=NOON)
        self._letter(order, task=message.topic, task_id=str(message.uuid))

    def _letter(self, order: Order, *, task: str, task_id: str = "") -> None:
        DeadLetter.objects.record(
            task_id=task_id or f"{task} {order.pk}",
            now=NOON,
            task=task,
            arguments={"order_id": order.pk},
            order_id=order.pk,
            reason="refused",
        )

    def _refund(self, order: Order) -> None:
        order.refresh_from_db()
        order.move_to(Status.REFUNDED, now=NOON)
