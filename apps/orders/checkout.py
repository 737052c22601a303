"""From cart to order: one transaction that holds the stock and announces the order."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import transaction

from apps.accounts.models import Customer
from apps.cart.models import Cart
from apps.catalog import inventory
from apps.orders.models import Order, OrderItem, OrderStatusChange, Status
from shop.errors import ShopError
from shop.money import to_money
from shop.outbox.models import OutboxMessage

ORDER_PLACED = "order.placed"


class EmptyCart(ShopError):
    code = "empty_cart"
    http_status = 400


class TotalChanged(ShopError):
    """The total is not the one that the shopper agreed to; `total` names the current one."""

    code = "total_changed"


class KeyReused(ShopError):
    """The idempotency key belongs to an order that was placed by another request."""

    code = "idempotency_key_reused"
    http_status = 422


@dataclass(frozen=True, kw_only=True)
class Line:
    """One thing to buy, at the price that it is bought for."""

    variant_id: int
    sku: str
    name: str
    quantity: int
    unit_price: Decimal

    @property
    def total(self) -> Decimal:
        return to_money(self.unit_price * self.quantity)


@dataclass(frozen=True, kw_only=True)
class Purchase:
    """Who buys, and everything about the order that is not a line.

    A second purchase with the same customer and `idempotency_key` is the first one;
    `request_hash` tells whether it asks for the same thing.
    """

    customer: Customer
    email: str
    shipping_address: dict[str, Any]
    billing_address: dict[str, Any]
    payment_method: str
    idempotency_key: str | None = None
    request_hash: str = ""


@transaction.atomic
def check_out(
    purchase: Purchase, *, now: datetime, expected_total: Decimal | None = None
) -> tuple[Order, bool]:
    """The order made of the customer's cart, and whether it is new.

    The cart's row lock makes simultaneous clicks wait for each other: the first places the
    order, the others get the same one by their key, or find the cart empty. Raises EmptyCart,
    OutOfStock, TotalChanged or KeyReused, and then nothing is changed.
    """
    cart = Cart.objects.select_for_update().filter(customer=purchase.customer).first()
    earlier = placed_before(purchase)
    if earlier is not None:
        return earlier, False
    lines = _lines_of(cart) if cart is not None else []
    if cart is None or not lines:
        raise EmptyCart("The cart is empty.")
    _agree_on_total(lines, expected_total)
    order = place_order(purchase, lines=lines, now=now)
    cart.items.all().delete()
    return order, True


def placed_before(purchase: Purchase) -> Order | None:
    """The order that this purchase's key already made, if any; raises KeyReused."""
    if purchase.idempotency_key is None:
        return None
    order = Order.objects.filter(
        customer=purchase.customer, idempotency_key=purchase.idempotency_key
    ).first()
    if order is not None and order.request_hash != purchase.request_hash:
        raise KeyReused("This Idempotency-Key was used with another request.")
    return order


def _lines_of(cart: Cart) -> list[Line]:
    items = cart.items.select_related("variant__product").order_by("pk")
    gone = [item.variant.sku for item in items if not item.variant.is_on_sale]
    if gone:
        raise inventory.OutOfStock(
            f"No longer sold: {', '.join(gone)}.",
            items=[
                {"sku": item.variant.sku, "wanted": item.quantity, "available": 0}
                for item in items
                if not item.variant.is_on_sale
            ],
        )
    return [
        Line(
            variant_id=item.variant_id,
            sku=item.variant.sku,
            name=item.variant.full_name,
            quantity=item.quantity,
            unit_price=item.variant.price,
        )
        for item in items
    ]


def _agree_on_total(lines: Sequence[Line], expected: Decimal | None) -> None:
    total = sum(line.total for line in lines)
    if expected is not None and expected != total:
        raise TotalChanged(f"The total is {total}, not {expected}.", total=str(total))


@transaction.atomic
def place_order(purchase: Purchase, *, lines: Sequence[Line], now: datetime) -> Order:
    """A pending order with its stock held and `order.placed` in the outbox, or nothing.

    Raises OutOfStock. Two purchases with one key raise IntegrityError for the later.
    """
    order = Order.objects.create(
        customer=purchase.customer,
        email=purchase.email,
        payment_method=purchase.payment_method,
        shipping_address=purchase.shipping_address,
        billing_address=purchase.billing_address,
        currency=settings.SHOP_CURRENCY,
        total=sum((line.total for line in lines), Decimal(0)),
        placed_at=now,
        idempotency_key=purchase.idempotency_key,
        request_hash=purchase.request_hash,
    )
    units: Counter[int] = Counter()
    for line in lines:
        units[line.variant_id] += line.quantity
    inventory.reserve(units, reference=order.reference, now=now)
    OrderItem.objects.bulk_create([_item(order, line) for line in lines])
    OrderStatusChange.objects.create(order=order, new=Status.PENDING, changed_at=now)
    OutboxMessage.publish(ORDER_PLACED, order_id=order.pk)
    return order


def _item(order: Order, line: Line) -> OrderItem:
    return OrderItem(
        order=order,
        variant_id=line.variant_id,
        sku=line.sku,
        name=line.name,
        unit_price=line.unit_price,
        quantity=line.quantity,
        line_total=line.total,
    )
