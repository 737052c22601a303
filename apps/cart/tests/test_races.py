"""Changes of one cart at the same time, in real threads with real commits."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import pytest
from pytest_django import Settings

from apps.accounts.models import Customer
from apps.cart.models import Cart, CartItem
from tests.builders import fill_cart, make_customer, make_variant
from tests.clients import CART, ITEMS, guest, item, log_in, logged_in
from tests.concurrently import run_at_once

pytestmark = pytest.mark.django_db(transaction=True)


def _statuses(calls: Sequence[Callable[[], Any]]) -> list[int]:
    """How the calls were answered, all made at once."""
    answers: list[Any] = run_at_once(calls)
    return [answer.status_code for answer in answers]


def test_sixteen_first_adds_of_one_variant_add_up_in_one_cart() -> None:
    ada, mug = make_customer(), make_variant(on_hand=50)
    clients = [logged_in(ada) for _ in range(16)]
    answers = _statuses([partial(c.post, ITEMS, item(mug, 2)) for c in clients])
    assert answers == [201] * 16
    assert Cart.objects.count() == 1
    assert CartItem.objects.get().quantity == 32


def test_adds_at_once_do_not_pass_the_limit_of_units(settings: Settings) -> None:
    settings.CART_MAX_QUANTITY = 10
    ada, mug = make_customer(), make_variant(on_hand=50)
    fill_cart(ada, {mug: 1})
    clients = [logged_in(ada) for _ in range(16)]
    answers = _statuses([partial(c.post, ITEMS, item(mug)) for c in clients])
    assert (answers.count(201), answers.count(400)) == (9, 7)
    assert CartItem.objects.get().quantity == 10


def test_adds_at_once_do_not_pass_the_limit_of_items(settings: Settings) -> None:
    settings.CART_MAX_ITEMS = 5
    ada = make_customer()
    variants = [make_variant(f"SKU{n}") for n in range(16)]
    pairs = [(logged_in(ada), variant) for variant in variants]
    calls = [partial(c.post, ITEMS, item(v)) for c, v in pairs]
    answers = _statuses(calls)
    assert (answers.count(201), answers.count(400)) == (5, 11)
    assert CartItem.objects.count() == 5


def test_a_guests_cart_is_merged_once_by_eight_calls_at_once() -> None:
    ada, mug = make_customer(), make_variant(on_hand=50)
    client = guest()
    token = client.post(ITEMS, item(mug, 2)).cookies["guest"].value
    clients = [guest() for _ in range(8)]
    for one in clients:
        one.cookies["guest"] = token
        log_in(one, ada)
    answers = _statuses([partial(c.get, CART) for c in clients])
    assert answers == [200] * 8
    assert CartItem.objects.get().quantity == 2
    assert CartItem.objects.get().cart.customer == ada
    assert not Customer.objects.filter(token_hash__isnull=False).exists()


def test_what_a_guest_adds_while_the_cart_is_merged_is_counted_at_most_once() -> None:
    ada, mug = make_customer(), make_variant(on_hand=500)
    for _ in range(10):
        CartItem.objects.all().delete()
        anonymous, known = guest(), guest()
        token = anonymous.post(ITEMS, item(mug, 2)).cookies["guest"].value
        known.cookies["guest"] = token
        log_in(known, ada)
        answers = _statuses(
            [partial(known.get, CART), partial(anonymous.post, ITEMS, item(mug, 3))]
        )
        assert answers == [200, 201]
        assert CartItem.objects.get(cart__customer=ada).quantity in (2, 5)


def test_what_a_user_adds_while_the_cart_is_merged_is_counted_exactly_once() -> None:
    ada, mug = make_customer(), make_variant(on_hand=500)
    fill_cart(ada, {mug: 1})
    for _ in range(10):
        CartItem.objects.update(quantity=1)
        merging = guest()
        merging.post(ITEMS, item(mug, 2))
        log_in(merging, ada)
        adding = partial(logged_in(ada).post, ITEMS, item(mug, 3))
        assert _statuses([partial(merging.get, CART), adding]) == [200, 201]
        assert CartItem.objects.get().quantity == 6
