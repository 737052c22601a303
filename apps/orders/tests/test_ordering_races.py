"""Clicks at the same time, in real threads with real commits."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import pytest
from django.db import connection, connections, transaction

from apps.accounts.models import Customer
from apps.cart.models import Cart, CartItem
from apps.catalog.models import StockItem
from apps.orders.models import Order
from shop.outbox.models import OutboxMessage
from tests.builders import fill_cart, make_address, make_customer, make_variant
from tests.clients import ITEMS, PLACE_ORDER, item, logged_in, order_form
from tests.concurrently import run_at_once

pytestmark = pytest.mark.django_db(transaction=True)


def _click(customer: Customer, form: dict[str, Any], keys: list[str]) -> list[Any]:
    """The answers to one click for each key, all at once."""
    clients = [logged_in(customer) for _ in keys]
    calls = [
        partial(client.post, PLACE_ORDER, form, HTTP_IDEMPOTENCY_KEY=key)
        for client, key in zip(clients, keys, strict=True)
    ]
    answers: list[Any] = run_at_once(calls)
    return answers


def test_sixteen_clicks_with_one_key_make_one_order_and_sixteen_equal_answers() -> None:
    ada, mug = make_customer(), make_variant(on_hand=50)
    fill_cart(ada, {mug: 2})
    answers = _click(ada, order_form(make_address(ada).pk), ["click"] * 16)
    assert [answer.status_code for answer in answers] == [201] * 16
    assert [answer.json() for answer in answers] == [answers[0].json()] * 16
    replayed = [answer.headers.get("Idempotent-Replayed") for answer in answers]
    assert Counter(replayed) == {"true": 15, None: 1}
    assert Order.objects.count() == OutboxMessage.objects.count() == 1
    assert StockItem.objects.get().reserved == 2


def test_sixteen_clicks_with_different_keys_make_one_order_of_one_cart() -> None:
    ada, mug = make_customer(), make_variant(on_hand=50)
    fill_cart(ada, {mug: 2})
    form = order_form(make_address(ada).pk)
    answers = _click(ada, form, [f"click{n}" for n in range(16)])
    outcomes = Counter((answer.status_code, answer.json().get("code")) for answer in answers)
    assert outcomes == {(201, None): 1, (400, "empty_cart"): 15}
    assert Order.objects.count() == OutboxMessage.objects.count() == 1
    assert StockItem.objects.get().reserved == 2


def test_what_is_added_during_checkout_is_ordered_or_stays_in_the_cart() -> None:
    ada, mug, cup = make_customer(), make_variant(on_hand=500), make_variant("CUP", on_hand=500)
    form = order_form(make_address(ada).pk)
    for _ in range(10):
        fill_cart(ada, {mug: 1})
        answers: list[Any] = run_at_once(
            [
                partial(logged_in(ada).post, PLACE_ORDER, form),
                partial(logged_in(ada).post, ITEMS, item(cup)),
            ]
        )
        assert [answer.status_code for answer in answers] == [201, 201]
        order = Order.objects.latest("pk")
        ordered = order.items.filter(sku="CUP").count()
        assert ordered + CartItem.objects.count() == 1
        CartItem.objects.all().delete()


@contextmanager
def _cart_held_by_another_connection() -> Iterator[None]:
    """The cart's row stays locked, and this thread's connection does not wait for long."""
    locked, done = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic():
            Cart.objects.select_for_update().get()
            locked.set()
            done.wait(timeout=10)
        connections.close_all()

    holder = threading.Thread(target=hold)
    holder.start()
    try:
        assert locked.wait(timeout=10)
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '100ms'")
        yield
    finally:
        done.set()
        holder.join()
        with connection.cursor() as cursor:
            cursor.execute("RESET lock_timeout")


def test_answers_in_flight_when_the_cart_is_held_for_too_long() -> None:
    ada, mug = make_customer(), make_variant(on_hand=5)
    fill_cart(ada, {mug: 2})
    client, form = logged_in(ada), order_form(make_address(ada).pk)
    with _cart_held_by_another_connection():
        answer = client.post(PLACE_ORDER, form, HTTP_IDEMPOTENCY_KEY="click")
    assert (answer.status_code, answer.json()["code"]) == (409, "in_flight")
    assert not Order.objects.exists()
    assert client.post(PLACE_ORDER, form, HTTP_IDEMPOTENCY_KEY="click").status_code == 201
