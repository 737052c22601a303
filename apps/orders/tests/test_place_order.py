"""Placing an order: everything or nothing, in a number of statements that does not grow."""

from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from apps.catalog.inventory import OutOfStock
from apps.catalog.models import StockItem, StockMovement
from apps.orders.checkout import (
    EmptyCart,
    KeyReused,
    TotalChanged,
    check_out,
    place_order,
)
from apps.orders.models import Order, OrderStatusChange, Status
from shop.outbox.models import OutboxMessage
from tests.builders import (
    NOON,
    fill_cart,
    make_customer,
    make_line,
    make_purchase,
    make_variant,
)
from tests.statements import counted

pytestmark = pytest.mark.django_db


def test_turns_the_cart_into_a_pending_order_with_its_stock_held_and_announced() -> None:
    ada, mug, cup = make_customer(), make_variant(on_hand=5), make_variant("CUP", on_hand=5)
    cart = fill_cart(ada, {mug: 2, cup: 1})
    order, is_new = check_out(make_purchase(ada), now=NOON)
    assert is_new
    assert (order.status, order.total) == (Status.PENDING, Decimal("28.50"))
    assert [(item.sku, item.quantity) for item in order.items.order_by("pk")] == [
        ("MUG", 2),
        ("CUP", 1),
    ]
    assert list(StockItem.objects.order_by("pk").values_list("on_hand", "reserved")) == [
        (5, 2),
        (5, 1),
    ]
    assert not cart.items.exists()
    message = OutboxMessage.objects.get()
    assert (message.topic, message.payload) == ("order.placed", {"order_id": order.pk})
    change = OrderStatusChange.objects.get()
    assert (change.old, change.new, change.changed_at) == ("", "pending", NOON)


def test_refuses_short_stock_and_changes_nothing() -> None:
    ada, mug = make_customer(), make_variant(on_hand=1)
    cart = fill_cart(ada, {mug: 2})
    with pytest.raises(OutOfStock), transaction.atomic():
        check_out(make_purchase(ada), now=NOON)
    assert not Order.objects.exists()
    assert not OutboxMessage.objects.exists()
    assert not StockMovement.objects.filter(kind="reservation").exists()
    assert cart.items.count() == 1


def test_refuses_an_empty_cart_and_one_that_was_never_made() -> None:
    ada, bob = make_customer(), make_customer("bob")
    fill_cart(ada, {})
    for customer in (ada, bob):
        with pytest.raises(EmptyCart), transaction.atomic():
            check_out(make_purchase(customer), now=NOON)
    assert not Order.objects.exists()


def test_takes_the_price_of_today_and_not_the_one_in_the_cart() -> None:
    ada, mug = make_customer(), make_variant(on_hand=5, price="9.50")
    fill_cart(ada, {mug: 2})
    mug.price = Decimal("10.00")
    mug.save()
    with pytest.raises(TotalChanged) as caught, transaction.atomic():
        check_out(make_purchase(ada), now=NOON, expected_total=Decimal("19.00"))
    assert caught.value.facts == {"total": "20.00"}
    order, _ = check_out(make_purchase(ada), now=NOON, expected_total=Decimal("20.00"))
    assert order.total == Decimal("20.00")


def test_gives_the_same_order_for_the_same_key() -> None:
    ada, mug = make_customer(), make_variant(on_hand=5)
    fill_cart(ada, {mug: 2})
    purchase = make_purchase(ada, idempotency_key="k1", request_hash="a")
    first, _ = check_out(purchase, now=NOON)
    again, is_new = check_out(purchase, now=NOON)
    assert (again, is_new) == (first, False)
    assert OutboxMessage.objects.count() == 1
    other = make_purchase(ada, idempotency_key="k1", request_hash="b")
    with pytest.raises(KeyReused), transaction.atomic():
        check_out(other, now=NOON)


def test_two_customers_may_use_the_same_key() -> None:
    mug = make_variant(on_hand=5)
    for name in ("ada", "bob"):
        customer = make_customer(name)
        fill_cart(customer, {mug: 1})
        check_out(make_purchase(customer, idempotency_key="k1"), now=NOON)
    assert Order.objects.count() == 2


def test_one_order_may_hold_a_sku_twice_at_two_prices() -> None:
    ada, mug = make_customer(), make_variant(on_hand=5)
    lines = [make_line(mug, 2, unit_price="9.50"), make_line(mug, 1, unit_price="0.00")]
    order = place_order(make_purchase(ada), lines=lines, now=NOON)
    assert order.total == Decimal("19.00")
    assert StockItem.objects.get().reserved == 3


@pytest.mark.parametrize("items", [1, 3, 30])
def test_takes_the_same_few_statements_whatever_the_number_of_items(items: int) -> None:
    ada = make_customer()
    variants = [make_variant(f"SKU{n}", on_hand=5) for n in range(items)]
    fill_cart(ada, dict.fromkeys(variants, 2))
    purchase = make_purchase(ada, idempotency_key="k1")
    with counted() as statements:
        check_out(purchase, now=NOON)
    assert len(statements) == 9


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"status": "lost"}, "order_status_is_known"),
        ({"total": Decimal(-1)}, "order_total_not_negative"),
    ],
)
def test_the_database_refuses_an_impossible_order(change: dict[str, object], rule: str) -> None:
    ada, mug = make_customer(), make_variant(on_hand=5)
    place_order(make_purchase(ada), lines=[make_line(mug)], now=NOON)
    with pytest.raises(IntegrityError, match=rule), transaction.atomic():
        Order.objects.update(**change)


def test_the_database_refuses_a_line_whose_total_is_not_price_times_quantity() -> None:
    ada, mug = make_customer(), make_variant(on_hand=5)
    order = place_order(make_purchase(ada), lines=[make_line(mug, 2)], now=NOON)
    rule = "line_total_is_price_times_quantity"
    with pytest.raises(IntegrityError, match=rule), transaction.atomic():
        order.items.update(line_total=Decimal("1.00"))
