"""Changing the quantity of an item, and taking it out."""

import pytest
from pytest_django import Settings

from apps.accounts.models import Customer
from apps.cart.models import Cart, CartItem
from tests.builders import fill_cart, make_customer, make_variant
from tests.clients import CART, ITEMS, guest, item, logged_in
from tests.statements import counted

pytestmark = pytest.mark.django_db


def _path(cart: Cart, sku: str = "MUG") -> str:
    return f"{ITEMS}{cart.items.get(variant__sku=sku).pk}/"


def test_sets_the_quantity_and_answers_with_the_whole_cart() -> None:
    ada, mug, cup = make_customer(), make_variant(on_hand=9), make_variant("CUP", on_hand=9)
    cart = fill_cart(ada, {mug: 2, cup: 1})
    client = logged_in(ada)
    answer = client.patch(_path(cart), {"quantity": 5})
    assert answer.status_code == 200
    assert [i["quantity"] for i in answer.json()["items"]] == [5, 1]
    assert answer.json() == client.get(CART).json()


def test_removes_with_a_quantity_of_zero() -> None:
    ada, mug, cup = make_customer(), make_variant(on_hand=9), make_variant("CUP", on_hand=9)
    cart = fill_cart(ada, {mug: 2, cup: 1})
    answer = logged_in(ada).patch(_path(cart), {"quantity": 0})
    assert answer.status_code == 200
    assert [i["sku"] for i in answer.json()["items"]] == ["CUP"]
    assert CartItem.objects.get().variant == cup


def test_takes_the_item_out_and_answers_with_the_rest() -> None:
    ada, mug, cup = make_customer(), make_variant(on_hand=9), make_variant("CUP", on_hand=9)
    cart = fill_cart(ada, {mug: 2, cup: 1})
    client, path = logged_in(ada), _path(cart)
    answer = client.delete(path)
    assert answer.status_code == 200
    assert [i["sku"] for i in answer.json()["items"]] == ["CUP"]
    assert client.delete(path).status_code == 404
    assert CartItem.objects.get().variant == cup


def test_works_for_a_guest() -> None:
    client = guest()
    added = client.post(ITEMS, item(make_variant(on_hand=9))).json()["items"][0]
    path = f"{ITEMS}{added['id']}/"
    assert client.patch(path, {"quantity": 4}).json()["item_count"] == 4
    assert client.delete(path).json()["items"] == []


@pytest.mark.parametrize("method", ["patch", "delete"])
@pytest.mark.parametrize("who", ["bob", "a guest", "a stranger"])
def test_answers_404_for_the_item_of_somebody_else(method: str, who: str) -> None:
    ada, mug = make_customer(), make_variant(on_hand=9)
    cart = fill_cart(ada, {mug: 2})
    client = logged_in(make_customer("bob")) if who == "bob" else guest()
    if who == "a guest":
        client.post(ITEMS, item(mug))
    customers = Customer.objects.count()
    answer = getattr(client, method)(_path(cart), {"quantity": 1})
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert cart.items.get().quantity == 2
    assert not answer.cookies
    assert Customer.objects.count() == customers
    assert not Cart.objects.filter(customer__user__email="bob@example.com").exists()


def test_refuses_more_units_than_a_cart_may_hold(settings: Settings) -> None:
    settings.CART_MAX_QUANTITY = 10
    ada, mug = make_customer(), make_variant(on_hand=50)
    cart = fill_cart(ada, {mug: 2})
    answer = logged_in(ada).patch(_path(cart), {"quantity": 11})
    assert (answer.status_code, answer.json()["code"]) == (400, "cart_limit")
    assert cart.items.get().quantity == 2


@pytest.mark.parametrize("items", [1, 30])
def test_takes_five_statements_whatever_is_in_the_cart(items: int) -> None:
    ada, mug = make_customer(), make_variant(on_hand=5)
    others = {make_variant(f"SKU{n}", on_hand=5): 1 for n in range(items)}
    cart = fill_cart(ada, {mug: 1, **others})
    client, path = logged_in(ada), _path(cart)
    with counted() as statements:
        client.patch(path, {"quantity": 2})
    assert len(statements) == 5  # user, customer, cart, items, item
