"""A guest who logs in takes his orders along."""

from functools import partial
from typing import Any

import pytest

from apps.accounts.models import Customer
from apps.catalog.models import Variant
from apps.orders.models import Order
from tests.builders import fill_cart, make_address, make_customer, make_variant
from tests.clients import (
    CART,
    ITEMS,
    ORDERS,
    PLACE_ORDER,
    JsonClient,
    guest,
    item,
    log_in,
    logged_in,
    order_form,
)
from tests.concurrently import run_at_once

pytestmark = pytest.mark.django_db


def _order(client: JsonClient, variant: Variant, key: str) -> str:
    """The number of what the guest orders, to an address of his own."""
    client.post(ITEMS, item(variant))
    visitor = Customer.objects.get(token_hash__isnull=False)
    address = visitor.addresses.first() or make_address(visitor)
    form = order_form(address.pk, email="guest@example.com")
    answer = client.post(PLACE_ORDER, form, HTTP_IDEMPOTENCY_KEY=key)
    assert answer.status_code == 201, answer.content
    return str(answer.json()["order_number"])


@pytest.mark.parametrize("has_filled_another_cart", [True, False])
def test_moves_the_guests_orders(has_filled_another_cart: bool) -> None:
    ada, bob, mug, client = (
        make_customer(),
        make_customer("bob"),
        make_variant(on_hand=9),
        guest(),
    )
    number = _order(client, mug, "k")
    token = client.cookies["guest"].value
    if has_filled_another_cart:
        client.post(ITEMS, item(mug))
    log_in(client, ada)
    assert client.get(CART).cookies["guest"].value == ""
    assert client.get(f"{ORDERS}{number}/").json()["order_number"] == number
    assert Order.objects.get().customer == ada
    assert Order.objects.get().idempotency_key == "k"
    stranger = guest()
    stranger.cookies["guest"] = token
    for other in (stranger, logged_in(bob)):
        assert other.get(f"{ORDERS}{number}/").status_code == 404


@pytest.mark.parametrize("path", [ORDERS, ORDERS + "{number}/"])
def test_shows_the_guests_orders_to_who_asks_for_them_first(path: str) -> None:
    ada, client = make_customer(), guest()
    number = _order(client, make_variant(on_hand=9), "k")
    log_in(client, ada)
    answer = client.get(path.format(number=number))
    assert number in answer.content.decode()
    assert answer.cookies["guest"].value == ""


def test_cancels_an_order_that_was_placed_before_logging_in() -> None:
    ada, client = make_customer(), guest()
    number = _order(client, make_variant(on_hand=9), "k")
    log_in(client, ada)
    assert client.post(f"{ORDERS}{number}/cancel/").json()["status"] == "cancelled"


def test_a_key_that_both_have_used_stays_with_the_users_order() -> None:
    ada, mug = make_customer(), make_variant(on_hand=9)
    mine, client = logged_in(ada), guest()
    fill_cart(ada, {mug: 1})
    form = order_form(make_address(ada).pk)
    own = mine.post(PLACE_ORDER, form, HTTP_IDEMPOTENCY_KEY="k").json()["order_number"]
    both, other = _order(client, mug, "k"), _order(client, mug, "other")
    log_in(client, ada)
    assert client.get(CART).status_code == 200
    keys = dict(ada.orders.values_list("number", "idempotency_key"))
    assert keys == {own: "k", both: None, other: "other"}
    again = mine.post(PLACE_ORDER, form, HTTP_IDEMPOTENCY_KEY="k")
    assert (again.json()["order_number"], again["Idempotent-Replayed"]) == (own, "true")


@pytest.mark.django_db(transaction=True)
def test_an_order_placed_while_the_guest_logs_in_is_found_afterwards() -> None:
    ada, mug = make_customer(), make_variant(on_hand=90)
    for _ in range(10):
        placing, known = guest(), guest()
        placing.post(ITEMS, item(mug))
        known.cookies["guest"] = placing.cookies["guest"].value
        log_in(known, ada)
        address = make_address(Customer.objects.get(token_hash__isnull=False))
        form = order_form(address.pk, email="guest@example.com")
        answers: list[Any] = run_at_once(
            [partial(known.get, CART), partial(placing.post, PLACE_ORDER, form)]
        )
        assert answers[0].status_code == 200
        # The cart was gone, or only its address, or the order came first.
        assert answers[1].status_code in (201, 400, 404)
    assert set(Order.objects.values_list("customer", flat=True)) <= {ada.pk}
