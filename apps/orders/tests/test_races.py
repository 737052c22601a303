"""Races in real threads with real commits: one unit is sold once, one order moves once."""

from collections import Counter
from functools import partial

import pytest
from django.db.models import Sum

from apps.catalog.inventory import OutOfStock
from apps.catalog.models import StockItem, StockMovement
from apps.orders import fulfilment
from apps.orders.checkout import check_out, place_order
from apps.orders.models import Order, Status, WrongStatus
from shop.mail.models import OutgoingEmail
from shop.outbox.models import OutboxMessage
from tests.builders import (
    NOON,
    fill_cart,
    make_customer,
    make_line,
    make_purchase,
    make_variant,
)
from tests.concurrently import run_at_once
from tests.servers import figures

pytestmark = pytest.mark.django_db(transaction=True)


def test_thirty_two_buyers_of_seven_mugs_make_exactly_seven_orders() -> None:
    mug = make_variant(on_hand=7)
    purchases = []
    for n in range(32):
        customer = make_customer(f"buyer{n}")
        fill_cart(customer, {mug: 1})
        purchases.append(make_purchase(customer))
    outcomes = run_at_once([partial(check_out, purchase, now=NOON) for purchase in purchases])
    lost = Counter(type(o).__name__ for o in outcomes if isinstance(o, Exception))
    assert lost == {"OutOfStock": 25}
    assert Order.objects.count() == OutboxMessage.objects.count() == 7
    stock = StockItem.objects.get()
    assert (stock.on_hand, stock.reserved) == (7, 7)


def test_baskets_in_opposite_order_neither_deadlock_nor_oversell() -> None:
    skus = [make_variant(f"SKU{n}", on_hand=20) for n in range(6)]
    calls = []
    for n in range(32):
        customer = make_customer(f"buyer{n}")
        order_of_lines = skus if n % 2 else skus[::-1]
        lines = [make_line(variant) for variant in order_of_lines]
        purchase = make_purchase(customer)
        calls.append(partial(place_order, purchase, lines=lines, now=NOON))
    outcomes = run_at_once(calls)
    lost = Counter(type(o).__name__ for o in outcomes if isinstance(o, Exception))
    assert lost == {"OutOfStock": 12}
    assert set(StockItem.objects.values_list("on_hand", "reserved")) == {(20, 20)}
    assert StockMovement.objects.filter(kind="reservation").count() == 20 * 6


def test_sixteen_clicks_with_one_key_make_one_order() -> None:
    ada, mug = make_customer(), make_variant(on_hand=50)
    fill_cart(ada, {mug: 2})
    purchase = make_purchase(ada, idempotency_key="click", request_hash="a")
    outcomes = run_at_once([lambda: check_out(purchase, now=NOON)] * 16)
    assert not [o for o in outcomes if isinstance(o, Exception)]
    assert {order.pk for order, _ in outcomes} == {Order.objects.get().pk}  # type: ignore[misc]
    assert [is_new for _, is_new in outcomes].count(True) == 1  # type: ignore[misc]
    assert StockItem.objects.get().reserved == 2


def test_sixteen_clicks_without_a_key_make_one_order() -> None:
    ada, mug = make_customer(), make_variant(on_hand=50)
    fill_cart(ada, {mug: 2})
    outcomes = run_at_once([lambda: check_out(make_purchase(ada), now=NOON)] * 16)
    lost = Counter(type(o).__name__ for o in outcomes if isinstance(o, Exception))
    assert lost == {"EmptyCart": 15}
    assert Order.objects.count() == 1


def run_chain(order_id: int) -> Status:
    fulfilment.update_inventory(order_id, now=NOON)
    return fulfilment.confirm(order_id, now=NOON)


@pytest.mark.parametrize("chain_starts_late", [False, True])
def test_cancel_against_the_chain_puts_the_stock_back_once(chain_starts_late: bool) -> None:
    """A hundred orders each way: the cancellation meets the chain at every possible point."""
    mug = make_variant(on_hand=500)
    seen: Counter[str] = Counter()
    ada = make_customer()
    for _ in range(100):
        order = place_order(make_purchase(ada), lines=[make_line(mug, 3)], now=NOON)
        if chain_starts_late:
            fulfilment.update_inventory(order.pk, now=NOON)
        outcomes = run_at_once(
            [
                partial(run_chain, order.pk),
                partial(fulfilment.cancel, order.pk, now=NOON),
                partial(fulfilment.cancel, order.pk, now=NOON),
            ]
        )
        assert not [o for o in outcomes if isinstance(o, Exception)], outcomes
        order.refresh_from_db()
        assert order.status == Status.CANCELLED
        seen["confirmed first" if order.status_changes.count() == 3 else "cancelled first"] += 1
    stock = StockItem.objects.get()
    assert (stock.on_hand, stock.reserved) == (500, 0)
    undone = StockMovement.objects.filter(kind__in=["restock", "release"])
    assert undone.aggregate(units=Sum("quantity"))["units"] == 300
    assert not OutgoingEmail.objects.exclude(status="withdrawn").exists()
    figures.append(f"cancel against the chain, 100 orders: {dict(seen)}")


def test_eight_confirmations_at_once_confirm_once_and_queue_one_email() -> None:
    ada, mug = make_customer(), make_variant(on_hand=5)
    order = place_order(make_purchase(ada), lines=[make_line(mug)], now=NOON)
    steps = [fulfilment.update_inventory, fulfilment.confirm] * 4
    outcomes = run_at_once([partial(step, order.pk, now=NOON) for step in steps])
    assert not [o for o in outcomes if isinstance(o, Exception)], outcomes
    assert order.status_changes.count() == 2
    assert OutgoingEmail.objects.count() == 1
    stock = StockItem.objects.get()
    assert (stock.on_hand, stock.reserved) == (4, 0)


def test_ship_against_cancel_lets_one_of_them_win() -> None:
    ada, mug = make_customer(), make_variant(on_hand=500)
    for _ in range(30):
        order = place_order(make_purchase(ada), lines=[make_line(mug)], now=NOON)
        fulfilment.update_inventory(order.pk, now=NOON)
        fulfilment.confirm(order.pk, now=NOON)
        outcomes = run_at_once(
            [
                partial(fulfilment.ship, order.pk, now=NOON),
                partial(fulfilment.cancel, order.pk, now=NOON),
            ]
        )
        failed = [o for o in outcomes if isinstance(o, Exception)]
        assert [type(error) for error in failed] == [WrongStatus]
    shipped = Order.objects.filter(status=Status.SHIPPED).count()
    stock = StockItem.objects.get()
    assert (stock.on_hand, stock.reserved) == (500 - shipped, 0)


def test_out_of_stock_names_what_is_left_at_that_moment() -> None:
    mug = make_variant(on_hand=3)
    ada, bob = make_customer(), make_customer("bob")
    place_order(make_purchase(ada), lines=[make_line(mug, 2)], now=NOON)
    with pytest.raises(OutOfStock) as caught:
        place_order(make_purchase(bob), lines=[make_line(mug, 2)], now=NOON)
    assert caught.value.facts["items"] == [{"sku": "MUG", "wanted": 2, "available": 1}]
