"""Reading the cart: today's prices, and what to know before ordering."""

from decimal import Decimal

import pytest

from apps.accounts.models import Customer
from apps.cart.models import Cart
from apps.catalog import inventory
from tests.builders import NOON, fill_cart, make_customer, make_variant
from tests.clients import CART, guest, logged_in
from tests.statements import counted

pytestmark = pytest.mark.django_db

EMPTY = {"items": [], "total": "0.00", "currency": "EUR", "item_count": 0}


def test_is_empty_for_a_stranger_and_makes_no_row_and_no_cookie() -> None:
    answer = guest().get(CART)
    assert (answer.status_code, answer.json()) == (200, EMPTY)
    assert not answer.cookies
    assert not Customer.objects.exists()
    assert not Cart.objects.exists()


def test_is_empty_for_a_customer_who_never_had_one_and_makes_none() -> None:
    answer = logged_in(make_customer()).get(CART)
    assert (answer.status_code, answer.json()) == (200, EMPTY)
    assert not Cart.objects.exists()


def test_is_empty_for_a_guessed_cookie() -> None:
    fill_cart(make_customer(), {make_variant(on_hand=5): 1})
    client = guest()
    client.cookies["guest"] = "guessed"
    assert client.get(CART).json() == EMPTY


def test_shows_every_item_with_its_price_and_the_totals() -> None:
    ada, mug, cup = make_customer(), make_variant(on_hand=5), make_variant("CUP", on_hand=9)
    cart = fill_cart(ada, {mug: 2, cup: 1})
    fill_cart(make_customer("bob"), {mug: 5})
    answer = logged_in(ada).get(CART).json()
    assert answer["items"][0] == {
        "id": cart.items.get(variant=mug).pk,
        "product_id": mug.product_id,
        "variant_id": mug.pk,
        "sku": "MUG",
        "name": "Mug",
        "quantity": 2,
        "unit_price": "9.50",
        "price_when_added": "9.50",
        "line_total": "19.00",
        "available": 5,
        "problems": [],
    }
    assert [item["sku"] for item in answer["items"]] == ["MUG", "CUP"]
    assert (answer["total"], answer["currency"], answer["item_count"]) == ("28.50", "EUR", 3)


def test_prices_at_today_and_says_that_the_price_has_changed() -> None:
    ada, mug = make_customer(), make_variant(on_hand=5)
    fill_cart(ada, {mug: 2})
    mug.price = Decimal("10.00")
    mug.save()
    answer = logged_in(ada).get(CART).json()
    item = answer["items"][0]
    assert (item["unit_price"], item["price_when_added"]) == ("10.00", "9.50")
    assert (item["line_total"], answer["total"]) == ("20.00", "20.00")
    assert item["problems"] == ["price_changed"]


@pytest.mark.parametrize(
    ("on_hand", "problems"), [(0, ["out_of_stock"]), (1, ["short_stock"]), (2, [])]
)
def test_says_when_there_is_not_enough(on_hand: int, problems: list[str]) -> None:
    ada, mug = make_customer(), make_variant(on_hand=on_hand)
    fill_cart(ada, {mug: 2})
    item = logged_in(ada).get(CART).json()["items"][0]
    assert (item["available"], item["problems"]) == (on_hand, problems)


def test_does_not_count_as_available_what_is_held_for_others() -> None:
    ada, mug = make_customer(), make_variant(on_hand=5)
    inventory.reserve({mug.pk: 4}, reference="bob", now=NOON)
    fill_cart(ada, {mug: 2})
    item = logged_in(ada).get(CART).json()["items"][0]
    assert (item["available"], item["problems"]) == (1, ["short_stock"])


@pytest.mark.parametrize("what", ["variant", "product"])
def test_says_what_is_no_longer_sold(what: str) -> None:
    ada, mug = make_customer(), make_variant(on_hand=5)
    fill_cart(ada, {mug: 2})
    if what == "variant":
        mug.is_active = False
        mug.save()
    else:
        mug.product.is_published = False
        mug.product.save()
    item = logged_in(ada).get(CART).json()["items"][0]
    assert (item["available"], item["problems"]) == (0, ["not_sold"])


@pytest.mark.parametrize("items", [1, 30])
def test_takes_three_statements_whatever_is_in_it(items: int) -> None:
    ada = make_customer()
    fill_cart(ada, {make_variant(f"SKU{n}", on_hand=5): 1 for n in range(items)})
    client = logged_in(ada)
    with counted() as statements:
        assert len(client.get(CART).json()["items"]) == items
    assert len(statements) == 3  # user, customer, items
