"""Adding to the cart."""

from decimal import Decimal

import pytest
from pytest_django import Settings

from apps.accounts.models import Customer
from apps.cart.models import Cart, CartItem
from apps.catalog.models import StockMovement, Variant
from tests.builders import fill_cart, make_customer, make_variant
from tests.clients import CART, ITEMS, guest, item, logged_in
from tests.statements import counted

pytestmark = pytest.mark.django_db


def test_works_for_a_guest_and_sets_the_cookie_that_finds_the_cart_again() -> None:
    mug, client = make_variant(on_hand=5), guest()
    answer = client.post(ITEMS, item(mug, 2))
    assert answer.status_code == 201
    assert [(i["sku"], i["quantity"]) for i in answer.json()["items"]] == [("MUG", 2)]
    cookie = answer.cookies["guest"]
    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Lax", "/")
    assert client.get(CART).json() == answer.json()
    assert guest().get(CART).json()["items"] == []
    assert not StockMovement.objects.exclude(kind="receipt").exists()


def test_sets_no_second_cookie_for_the_same_guest() -> None:
    mug, client = make_variant(on_hand=5), guest()
    client.post(ITEMS, item(mug))
    assert not client.post(ITEMS, item(mug)).cookies
    assert Customer.objects.count() == Cart.objects.count() == 1


def test_keeps_the_token_out_of_the_database() -> None:
    client = guest()
    token = client.post(ITEMS, item(make_variant())).cookies["guest"].value
    assert Customer.objects.get().token_hash not in (None, token)


def test_gives_a_new_guest_to_a_cookie_that_nobody_knows() -> None:
    client = guest()
    client.cookies["guest"] = "guessed"
    answer = client.post(ITEMS, item(make_variant()))
    assert answer.status_code == 201
    assert answer.cookies["guest"].value != "guessed"


def test_needs_no_cookie_for_who_is_logged_in() -> None:
    ada, mug = make_customer(), make_variant(on_hand=5)
    answer = logged_in(ada).post(ITEMS, item(mug))
    assert not answer.cookies
    assert Cart.objects.get().customer == ada


def test_adds_up_with_what_is_there_of_the_same_variant() -> None:
    ada, mug, cup = make_customer(), make_variant(on_hand=9), make_variant("CUP")
    fill_cart(ada, {mug: 2, cup: 1})
    answer = logged_in(ada).post(ITEMS, item(mug, 3)).json()
    assert [(i["sku"], i["quantity"]) for i in answer["items"]] == [("MUG", 5), ("CUP", 1)]
    assert answer == logged_in(ada).get(CART).json()


def test_takes_one_if_no_quantity_is_given() -> None:
    mug = make_variant(on_hand=5)
    body = {"product_id": mug.product_id, "variant_id": mug.pk}
    assert guest().post(ITEMS, body).json()["items"][0]["quantity"] == 1


def test_takes_the_only_variant_on_sale_if_none_is_named() -> None:
    mug = make_variant(on_hand=5)
    make_variant("MUG-OLD", product=mug.product)
    Variant.objects.filter(sku="MUG-OLD").update(is_active=False)
    answer = guest().post(ITEMS, {"product_id": mug.product_id})
    assert answer.json()["items"][0]["variant_id"] == mug.pk


def test_names_the_choices_if_a_product_has_several_variants() -> None:
    red = make_variant("RED")
    blue = make_variant("BLUE", product=red.product)
    answer = guest().post(ITEMS, {"product_id": red.product_id})
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")
    [text] = answer.json()["errors"]["variant_id"]
    assert f"{red.pk} (RED)" in text
    assert f"{blue.pk} (BLUE)" in text
    assert not CartItem.objects.exists()


def test_refuses_a_variant_of_another_product() -> None:
    mug, cup = make_variant(on_hand=5), make_variant("CUP", on_hand=5)
    body = {"product_id": cup.product_id, "variant_id": mug.pk}
    answer = guest().post(ITEMS, body)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")
    assert list(answer.json()["errors"]) == ["variant_id"]
    assert not Customer.objects.exists()


@pytest.mark.parametrize("missing", ["product", "variant", "both", "only product"])
def test_answers_404_for_what_does_not_exist(missing: str) -> None:
    mug = make_variant(on_hand=5)
    body = {
        "product": {"product_id": mug.product_id + 1, "variant_id": mug.pk},
        "variant": {"product_id": mug.product_id, "variant_id": mug.pk + 1},
        "both": {"product_id": mug.product_id + 1, "variant_id": mug.pk + 1},
        "only product": {"product_id": mug.product_id + 1},
    }[missing]
    answer = guest().post(ITEMS, body)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert not answer.cookies
    assert not Customer.objects.exists()


@pytest.mark.parametrize("what", ["variant", "product"])
def test_answers_404_for_what_is_not_on_sale(what: str) -> None:
    mug = make_variant(on_hand=5)
    if what == "variant":
        Variant.objects.update(is_active=False)
    else:
        mug.product.is_published = False
        mug.product.save()
    assert guest().post(ITEMS, item(mug)).status_code == 404
    assert guest().post(ITEMS, {"product_id": mug.product_id}).status_code == 404
    assert not CartItem.objects.exists()


def test_is_not_a_reservation_so_more_than_there_is_can_be_added() -> None:
    mug = make_variant(on_hand=1)
    answer = guest().post(ITEMS, item(mug, 3))
    assert answer.status_code == 201
    assert answer.json()["items"][0]["problems"] == ["short_stock"]


def test_remembers_the_price_that_was_seen_last() -> None:
    ada, mug = make_customer(), make_variant(on_hand=5)
    fill_cart(ada, {mug: 1})
    mug.price = Decimal("10.00")
    mug.save()
    added = logged_in(ada).post(ITEMS, item(mug)).json()["items"][0]
    assert (added["price_when_added"], added["problems"]) == ("10.00", [])


def test_refuses_more_units_than_a_cart_may_hold(settings: Settings) -> None:
    settings.CART_MAX_QUANTITY = 10
    ada, mug = make_customer(), make_variant(on_hand=50)
    client = logged_in(ada)
    assert client.post(ITEMS, item(mug, 10)).status_code == 201
    answer = client.post(ITEMS, item(mug, 1))
    assert (answer.status_code, answer.json()["code"]) == (400, "cart_limit")
    assert CartItem.objects.get().quantity == 10


def test_refuses_too_many_units_of_a_stranger_and_makes_no_guest(
    settings: Settings,
) -> None:
    settings.CART_MAX_QUANTITY = 10
    answer = guest().post(ITEMS, item(make_variant(), 11))
    assert (answer.status_code, answer.json()["code"]) == (400, "cart_limit")
    assert not answer.cookies
    assert not Customer.objects.exists()


def test_refuses_more_items_than_a_cart_may_hold(settings: Settings) -> None:
    settings.CART_MAX_ITEMS = 2
    ada, mug, cup = make_customer(), make_variant(), make_variant("CUP")
    fill_cart(ada, {mug: 1, cup: 1})
    client = logged_in(ada)
    answer = client.post(ITEMS, item(make_variant("PAN")))
    assert (answer.status_code, answer.json()["code"]) == (400, "cart_limit")
    assert client.post(ITEMS, item(mug)).status_code == 201
    assert CartItem.objects.count() == 2


@pytest.mark.parametrize("items", [0, 1, 30])
def test_takes_few_statements_whatever_is_in_the_cart(items: int) -> None:
    ada, mug = make_customer(), make_variant(on_hand=5)
    fill_cart(ada, {make_variant(f"SKU{n}", on_hand=5): 1 for n in range(items)})
    client = logged_in(ada)
    with counted() as statements:
        assert len(client.post(ITEMS, item(mug)).json()["items"]) == items + 1
    assert len(statements) == 6  # user, variant, customer, cart, items, item


def test_takes_five_statements_for_a_guest() -> None:
    mug, client = make_variant(on_hand=5), guest()
    for _ in ("first", "second"):
        with counted() as statements:
            client.post(ITEMS, item(mug))
        assert len(statements) == 5
