"""From cart to order: one transaction that holds the stock and announces the order."""

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import OperationalError, transaction

from apps.accounts.models import Address, Customer
from apps.cart.models import Cart
from apps.catalog import inventory
from apps.orders.models import Order, OrderItem, OrderStatusChange, Status
from shop.errors import NotFound, ShopError
from shop.money import to_money
from shop.outbox.models import OutboxMessage
from shop.sqlstate import sqlstate

ORDER_PLACED = "order.placed"
_LOCK_TIMED_OUT = "55P03"  # PostgreSQL's lock_not_available


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


class InFlight(ShopError):
    """Another request has held the cart for longer than a shopper would wait."""

    code = "in_flight"


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


@dataclass(frozen=True, kw_only=True)
class OrderForm:
    """What a shopper sends to order the cart; the ids are the shopper's own addresses."""

    shipping_address_id: int
    billing_address_id: int
    payment_method: str
    email: str
    expected_total: Decimal | None = None

    @property
    def request_hash(self) -> str:
        """Equal for equal forms, however their JSON was written."""
        canonical = json.dumps(asdict(self), sort_keys=True, default=str)
        return hashlib.sha256(canonical.encode()).hexdigest()


def order_cart(
    form: OrderForm, *, customer: Customer, idempotency_key: str | None, now: datetime
) -> tuple[Order, bool]:
    """What check_out returns and raises; NotFound for an address of somebody else.

    A key that made an order gives that order, also after its addresses were deleted.
    """
    ids = (form.shipping_address_id, form.billing_address_id)
    known = customer.addresses.in_bulk(ids)
    purchase = Purchase(
        customer=customer,
        email=form.email,
        shipping_address=_printed(known.get(form.shipping_address_id)),
        billing_address=_printed(known.get(form.billing_address_id)),
        payment_method=form.payment_method,
        idempotency_key=idempotency_key,
        request_hash=form.request_hash,
    )
    if any(address_id not in known for address_id in ids):
        earlier = placed_before(purchase)
        if earlier is None:
            raise NotFound("There is no such address.")
        return earlier, False
    return check_out(purchase, now=now, expected_total=form.expected_total)


def _printed(address: Address | None) -> dict[str, Any]:
    return address.as_printed() if address else {}


@transaction.atomic
def check_out(
    purchase: Purchase, *, now: datetime, expected_total: Decimal | None = None
) -> tuple[Order, bool]:
    """The order made of the customer's cart, and whether it is new.

    The cart's row lock makes simultaneous clicks wait for each other: the first places the
    order, the others get the same one by their key, or find the cart empty. Raises EmptyCart,
    OutOfStock, TotalChanged, KeyReused or InFlight, and then nothing is changed.
    """
    cart = _locked_cart(purchase.customer)
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


def _locked_cart(customer: Customer) -> Cart | None:
    try:
        return Cart.objects.select_for_update().filter(customer=customer).first()
    except OperationalError as error:
        if sqlstate(error) != _LOCK_TIMED_OUT:
            raise
        raise InFlight("Another request is working on this cart; try again.") from error


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
    OutboxMessage.publish_many(
        ORDER_PLACED, [{"order_id": order.pk}], contexts=[{"order": order.number}]
    )
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
