"""A shopper cancels an order."""

import pytest

from apps.accounts.models import Customer
from apps.catalog.models import StockItem, StockMovement
from apps.orders import fulfilment
from apps.orders.checkout import place_order
from apps.orders.models import Order, Status
from tests.builders import (
    NOON,
    make_address,
    make_customer,
    make_line,
    make_purchase,
    make_variant,
)
from tests.clients import ITEMS, ORDERS, PLACE_ORDER, guest, item, logged_in, order_form

pytestmark = pytest.mark.django_db

_STEPS = [fulfilment.update_inventory, fulfilment.confirm, fulfilment.start_processing]


def _order(customer: Customer) -> Order:
    mug = make_variant(on_hand=5)
    return place_order(make_purchase(customer), lines=[make_line(mug, 2)], now=NOON)


def _path(order: Order) -> str:
    return f"{ORDERS}{order.number}/cancel/"


@pytest.mark.parametrize("steps", range(len(_STEPS) + 1))
def test_cancels_before_the_parcel_leaves_and_the_stock_comes_back(steps: int) -> None:
    ada = make_customer()
    order = _order(ada)
    for step in _STEPS[:steps]:
        step(order.pk, now=NOON)
    answer = logged_in(ada).post(_path(order))
    assert (answer.status_code, answer.json()["status"]) == (200, "cancelled")
    assert answer.json()["status_changes"][-1]["status"] == "cancelled"
    stock = StockItem.objects.get()
    assert (stock.on_hand, stock.reserved) == (5, 0)


def test_answers_a_repeat_the_same_and_gives_the_stock_back_once() -> None:
    ada = make_customer()
    order = _order(ada)
    client = logged_in(ada)
    first, again = client.post(_path(order)), client.post(_path(order).lower())
    assert (first.status_code, again.status_code) == (200, 200)
    assert first.json() == again.json()
    assert StockMovement.objects.filter(kind__in=["release", "restock"]).count() == 1
    assert StockItem.objects.get().available == 5


@pytest.mark.parametrize("last", ["shipped", "delivered"])
def test_refuses_when_the_parcel_has_left(last: str) -> None:
    ada = make_customer()
    order = _order(ada)
    for step in [*_STEPS, fulfilment.ship]:
        step(order.pk, now=NOON)
    if last == "delivered":
        fulfilment.deliver(order.pk, now=NOON)
    answer = logged_in(ada).post(_path(order))
    assert (answer.status_code, answer.json()["code"]) == (409, "wrong_status")
    assert Order.objects.get().status == last
    assert StockItem.objects.get().on_hand == 3


def test_works_for_a_guest() -> None:
    client = guest()
    client.post(ITEMS, item(make_variant(on_hand=5), 2))
    address = make_address(Customer.objects.get())
    client.post(PLACE_ORDER, order_form(address.pk, email="guest@example.com"))
    assert client.post(_path(Order.objects.get())).json()["status"] == "cancelled"


@pytest.mark.parametrize("body", ["", "a=1"])
@pytest.mark.parametrize(
    "kind",
    ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain"],
)
def test_refuses_what_a_form_on_a_foreign_page_could_send(kind: str, body: str) -> None:
    ada = make_customer()
    order, client = _order(ada), logged_in(ada)
    answer = client.generic("POST", _path(order), body, content_type=kind)
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")
    assert Order.objects.get().status == Status.PENDING
    assert client.post(_path(order), {}).status_code == 200


@pytest.mark.parametrize("who", ["bob", "a stranger"])
def test_answers_404_for_the_order_of_somebody_else(who: str) -> None:
    order = _order(make_customer())
    client = guest() if who == "a stranger" else logged_in(make_customer("bob"))
    assert client.post(_path(order)).status_code == 404
    assert Order.objects.get().status == Status.PENDING
    assert StockItem.objects.get().reserved == 2


@pytest.mark.parametrize("method", ["get", "put", "patch", "delete"])
def test_cancels_by_post_alone(method: str) -> None:
    ada = make_customer()
    order = _order(ada)
    answer = getattr(logged_in(ada), method)(_path(order))
    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")
    assert Order.objects.get().status == Status.PENDING
