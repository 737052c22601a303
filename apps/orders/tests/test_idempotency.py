"""A repeated order with the same Idempotency-Key has no second effect."""

from typing import Any

import pytest
from django.db import IntegrityError, transaction

from apps.accounts.models import Customer
from apps.catalog.models import StockItem
from apps.orders import fulfilment
from apps.orders.checkout import place_order
from apps.orders.models import Order
from shop.outbox.models import OutboxMessage
from tests.builders import (
    NOON,
    fill_cart,
    make_address,
    make_customer,
    make_line,
    make_purchase,
    make_variant,
)
from tests.clients import ITEMS, PLACE_ORDER, JsonClient, guest, item, logged_in, order_form

pytestmark = pytest.mark.django_db


def _place(client: JsonClient, form: dict[str, Any], key: str = "click") -> Any:
    return client.post(PLACE_ORDER, form, HTTP_IDEMPOTENCY_KEY=key)


def test_gives_the_same_order_again_and_says_so() -> None:
    ada, mug = make_customer(), make_variant(on_hand=5)
    fill_cart(ada, {mug: 2})
    client, form = logged_in(ada), order_form(make_address(ada).pk)
    first, again = _place(client, form), _place(client, form)
    assert (first.status_code, again.status_code) == (201, 201)
    assert "Idempotent-Replayed" not in first
    assert again["Idempotent-Replayed"] == "true"
    assert first.json() == again.json()
    assert Order.objects.count() == OutboxMessage.objects.count() == 1
    assert StockItem.objects.get().reserved == 2


def test_gives_the_same_order_though_the_cart_was_filled_again() -> None:
    ada, mug = make_customer(), make_variant(on_hand=5)
    fill_cart(ada, {mug: 2})
    client, form = logged_in(ada), order_form(make_address(ada).pk)
    first = _place(client, form)
    client.post(ITEMS, item(mug, 1))
    assert _place(client, form).json() == first.json()
    assert StockItem.objects.get().reserved == 2


def test_gives_the_order_as_it_is_now() -> None:
    ada, mug = make_customer(), make_variant(on_hand=5)
    fill_cart(ada, {mug: 2})
    client, form = logged_in(ada), order_form(make_address(ada).pk)
    _place(client, form)
    fulfilment.cancel(Order.objects.get().pk, now=NOON)
    assert _place(client, form).json()["status"] == "cancelled"


def test_gives_the_same_order_after_its_address_was_deleted() -> None:
    ada, mug = make_customer(), make_variant(on_hand=5)
    fill_cart(ada, {mug: 2})
    address = make_address(ada)
    client, form = logged_in(ada), order_form(address.pk)
    first = _place(client, form)
    address.delete()
    again = _place(client, form)
    assert (again.status_code, again.json()) == (201, first.json())
    assert again["Idempotent-Replayed"] == "true"
    assert _place(client, form, "other").status_code == 404


def test_takes_the_same_body_however_it_is_written() -> None:
    ada, mug = make_customer(), make_variant(on_hand=5)
    fill_cart(ada, {mug: 2})
    address = make_address(ada).pk
    client = logged_in(ada)
    _place(client, order_form(address, expected_total="19.00"))
    same = {
        "expected_total": 19,
        "payment_method": "cod",
        "billing_address_id": str(address),
        "shipping_address_id": address,
        "unknown": "field",
    }
    assert _place(client, same)["Idempotent-Replayed"] == "true"
    assert Order.objects.count() == 1


@pytest.mark.parametrize("field", ["shipping_address_id", "email", "expected_total"])
def test_refuses_the_key_with_another_body(field: str) -> None:
    ada, mug = make_customer(), make_variant(on_hand=5)
    fill_cart(ada, {mug: 2})
    client, form = logged_in(ada), order_form(make_address(ada).pk)
    _place(client, form)
    other = {
        "shipping_address_id": make_address(ada).pk,
        "email": "office@example.com",
        "expected_total": "19.00",
    }
    fill_cart(ada, {mug: 1})
    answer = _place(client, {**form, field: other[field]})
    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")
    assert Order.objects.count() == 1
    assert StockItem.objects.get().reserved == 2


def test_makes_a_second_order_with_another_key_and_a_filled_cart() -> None:
    ada, mug = make_customer(), make_variant(on_hand=5)
    client, form = logged_in(ada), order_form(make_address(ada).pk)
    for key in ("one", "two"):
        fill_cart(ada, {mug: 1})
        assert _place(client, form, key).status_code == 201
    assert Order.objects.count() == 2


def test_keeps_the_keys_of_two_customers_apart() -> None:
    mug = make_variant(on_hand=5)
    numbers = set()
    for name in ("ada", "bob"):
        customer = make_customer(name)
        fill_cart(customer, {mug: 1})
        form = order_form(make_address(customer).pk)
        numbers.add(_place(logged_in(customer), form).json()["order_number"])
    assert len(numbers) == 2


def test_works_for_a_guest() -> None:
    client, mug = guest(), make_variant(on_hand=5)
    client.post(ITEMS, item(mug, 2))
    address = make_address(Customer.objects.get())
    form = order_form(address.pk, email="guest@example.com")
    first, again = _place(client, form), _place(client, form)
    assert first.json() == again.json()
    assert Order.objects.count() == 1


def test_a_refused_order_leaves_the_key_free() -> None:
    ada, mug = make_customer(), make_variant(on_hand=1)
    cart = fill_cart(ada, {mug: 2})
    client, form = logged_in(ada), order_form(make_address(ada).pk)
    assert _place(client, form).status_code == 409
    cart.items.update(quantity=1)
    answer = _place(client, form)
    assert answer.status_code == 201
    assert "Idempotent-Replayed" not in answer


@pytest.mark.parametrize("key", ["", " ", "a b", "a\tb", "ключ", "k" * 256, "a\x7f"])
def test_refuses_a_key_that_is_not_visible_ascii(key: str) -> None:
    ada = make_customer()
    fill_cart(ada, {make_variant(on_hand=5): 1})
    answer = _place(logged_in(ada), order_form(make_address(ada).pk), key)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_idempotency_key")
    assert not Order.objects.exists()


@pytest.mark.parametrize("key", ["!", "~" * 255, '"quoted"', "8e03978e-40d5-43dd-bc93"])
def test_takes_any_visible_ascii_as_key(key: str) -> None:
    ada = make_customer()
    fill_cart(ada, {make_variant(on_hand=5): 1})
    assert _place(logged_in(ada), order_form(make_address(ada).pk), key).status_code == 201
    assert Order.objects.get().idempotency_key == key


def test_the_database_refuses_a_second_order_with_the_key() -> None:
    ada, mug = make_customer(), make_variant(on_hand=5)
    purchase = make_purchase(ada, idempotency_key="click")
    place_order(purchase, lines=[make_line(mug)], now=NOON)
    with pytest.raises(IntegrityError, match="one_order_per_key"), transaction.atomic():
        place_order(purchase, lines=[make_line(mug)], now=NOON)
    assert Order.objects.count() == 1
