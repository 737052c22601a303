"""Listing and reading one's own orders."""

import pytest

from apps.accounts.models import Customer
from apps.orders import fulfilment
from apps.orders.checkout import place_order
from apps.orders.models import Order
from tests.builders import (
    NOON,
    make_address,
    make_customer,
    make_line,
    make_purchase,
    make_variant,
)
from tests.clients import ITEMS, ORDERS, PLACE_ORDER, guest, item, logged_in, order_form
from tests.statements import counted

pytestmark = pytest.mark.django_db


def _order(customer: Customer, *, items: int = 1) -> Order:
    made = Order.objects.count()
    lines = [make_line(make_variant(f"SKU{made}-{n}", on_hand=5)) for n in range(items)]
    return place_order(make_purchase(customer), lines=lines, now=NOON)


def test_lists_own_orders_newest_first() -> None:
    ada = make_customer()
    first, second = _order(ada), _order(ada)
    _order(make_customer("bob"))
    answer = logged_in(ada).get(ORDERS)
    assert answer.status_code == 200
    assert answer.json()["results"] == [
        {
            "order_number": order.number,
            "status": "pending",
            "total": "9.50",
            "currency": "EUR",
            "placed_at": "2026-11-24T12:00:00Z",
        }
        for order in (second, first)
    ]


def test_pages_through_all_of_them() -> None:
    ada = make_customer()
    numbers = [_order(ada).number for _ in range(5)][::-1]
    client, seen, path = logged_in(ada), [], f"{ORDERS}?page_size=2"
    while path:
        page = client.get(path).json()
        seen.append([order["order_number"] for order in page["results"]])
        path = page["next"]
    assert seen == [numbers[:2], numbers[2:4], numbers[4:]]


def test_refuses_a_cursor_that_is_none() -> None:
    answer = logged_in(make_customer()).get(f"{ORDERS}?cursor=none")
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")


def test_lists_nothing_for_a_stranger() -> None:
    _order(make_customer())
    answer = guest().get(ORDERS)
    assert (answer.status_code, answer.json()["results"]) == (200, [])
    assert not answer.cookies


@pytest.mark.parametrize("change", [str.upper, str.lower])
def test_finds_an_order_by_its_number_in_any_case(change: type) -> None:
    ada = make_customer()
    order = _order(ada, items=2)
    fulfilment.confirm(order.pk, now=NOON)
    answer = logged_in(ada).get(f"{ORDERS}{change(order.number)}/")
    assert answer.status_code == 200
    body = answer.json()
    assert (body["order_number"], body["status"]) == (order.number, "confirmed")
    assert [i["sku"] for i in body["items"]] == ["SKU0-0", "SKU0-1"]
    assert body["shipping_address"]["city"] == body["billing_address"]["city"] == "London"
    assert body["status_changes"] == [
        {"status": "pending", "changed_at": "2026-11-24T12:00:00Z"},
        {"status": "confirmed", "changed_at": "2026-11-24T12:00:00Z"},
    ]


def test_shows_a_guest_his_order_and_nobody_else() -> None:
    client = guest()
    client.post(ITEMS, item(make_variant(on_hand=5)))
    address = make_address(Customer.objects.get())
    placed = client.post(PLACE_ORDER, order_form(address.pk, email="guest@example.com")).json()
    path = f"{ORDERS}{placed['order_number']}/"
    assert client.get(path).json() == placed
    assert [o["order_number"] for o in client.get(ORDERS).json()["results"]] == [
        placed["order_number"]
    ]
    assert guest().get(path).status_code == 404


@pytest.mark.parametrize("number", ["{own}0", "%00", "AAAAAAAAAAAA", "1", "ß", "-", "a" * 300])
def test_answers_404_for_a_number_that_does_not_exist(number: str) -> None:
    ada = make_customer()
    number = number.replace("{own}", _order(ada).number[:-1])
    answer = logged_in(ada).get(f"{ORDERS}{number}/")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_answers_404_for_the_order_of_somebody_else() -> None:
    order = _order(make_customer())
    client = logged_in(make_customer("bob"))
    unknown = client.get(f"{ORDERS}AAAAAAAAAAAA/")
    answer = client.get(f"{ORDERS}{order.number}/")
    assert answer.status_code == 404
    assert {**answer.json(), "request_id": ""} == {**unknown.json(), "request_id": ""}


@pytest.mark.parametrize("items", [1, 30])
def test_takes_five_statements_for_one_order_whatever_is_in_it(items: int) -> None:
    ada = make_customer()
    order = _order(ada, items=items)
    client = logged_in(ada)
    with counted() as statements:
        assert len(client.get(f"{ORDERS}{order.number}/").json()["items"]) == items
    assert len(statements) == 5  # user, customer, order, items, status changes


@pytest.mark.parametrize("orders", [1, 20])
def test_takes_three_statements_for_the_list_however_long(orders: int) -> None:
    ada = make_customer()
    for _ in range(orders):
        _order(ada)
    client = logged_in(ada)
    with counted() as statements:
        assert len(client.get(ORDERS).json()["results"]) == orders
    assert len(statements) == 3  # user, customer, orders
