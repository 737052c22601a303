"""A guest who logs in finds the cart that he filled before."""

import pytest
from pytest_django import Settings

from apps.accounts.models import Address, Customer
from apps.cart.models import Cart, CartItem
from tests.builders import fill_cart, make_address, make_customer, make_variant
from tests.clients import CART, ITEMS, JsonClient, guest, item, log_in, logged_in
from tests.statements import counted

pytestmark = pytest.mark.django_db


def _quantities(customer: Customer) -> dict[str, int]:
    return dict(
        CartItem.objects.filter(cart__customer=customer)
        .order_by("pk")
        .values_list("variant__sku", "quantity")
    )


def _with_token(token: str) -> JsonClient:
    client = guest()
    client.cookies["guest"] = token
    return client


def test_moves_the_guests_items_to_the_user_and_ends_the_guest() -> None:
    ada, mug, client = make_customer(), make_variant(on_hand=9), guest()
    token = client.post(ITEMS, item(mug, 2)).cookies["guest"].value
    log_in(client, ada)
    answer = client.get(CART)
    assert [(i["sku"], i["quantity"]) for i in answer.json()["items"]] == [("MUG", 2)]
    assert (answer.cookies["guest"].value, answer.cookies["guest"]["max-age"]) == ("", 0)
    assert _quantities(ada) == {"MUG": 2}
    assert Cart.objects.get().customer == ada
    assert _with_token(token).get(CART).json()["items"] == []
    assert not Customer.objects.filter(token_hash__isnull=False).exists()


def test_adds_up_what_both_have_and_keeps_the_rest() -> None:
    ada, client = make_customer(), guest()
    mug, cup, pan = make_variant(), make_variant("CUP"), make_variant("PAN")
    fill_cart(ada, {mug: 1, cup: 1})
    client.post(ITEMS, item(mug, 2))
    client.post(ITEMS, item(pan, 3))
    log_in(client, ada)
    assert client.get(CART).json()["item_count"] == 7
    assert _quantities(ada) == {"MUG": 3, "CUP": 1, "PAN": 3}
    assert CartItem.objects.count() == 3


def test_adds_up_no_further_than_the_limits(settings: Settings) -> None:
    settings.CART_MAX_QUANTITY, settings.CART_MAX_ITEMS = 5, 2
    ada, client = make_customer(), guest()
    mug, cup, pan = make_variant(), make_variant("CUP"), make_variant("PAN")
    fill_cart(ada, {mug: 4})
    client.post(ITEMS, item(cup, 1))
    client.post(ITEMS, item(mug, 4))
    settings.CART_MAX_ITEMS = 3
    client.post(ITEMS, item(pan, 1))
    settings.CART_MAX_ITEMS = 2
    log_in(client, ada)
    client.get(CART)
    assert _quantities(ada) == {"MUG": 5, "CUP": 1}
    assert CartItem.objects.count() == 2


@pytest.mark.parametrize("call", ["add", "change", "remove"])
def test_happens_at_whichever_call_comes_first(call: str) -> None:
    ada, mug, client = make_customer(), make_variant(on_hand=9), guest()
    item_id = client.post(ITEMS, item(mug, 2)).json()["items"][0]["id"]
    log_in(client, ada)
    if call == "add":
        answer = client.post(ITEMS, item(mug, 1))
    elif call == "change":
        answer = client.patch(f"{ITEMS}{item_id}/", {"quantity": 7})
    else:
        answer = client.delete(f"{ITEMS}{item_id}/")
    expected = {"add": {"MUG": 3}, "change": {"MUG": 7}, "remove": {}}[call]
    assert answer.status_code == (201 if call == "add" else 200)
    assert _quantities(ada) == expected
    assert answer.cookies["guest"].value == ""


def test_happens_once_though_the_cookie_comes_again() -> None:
    ada, mug, client = make_customer(), make_variant(on_hand=9), guest()
    token = client.post(ITEMS, item(mug, 2)).cookies["guest"].value
    log_in(client, ada)
    for _ in range(2):
        client.cookies["guest"] = token
        answer = client.get(CART)
        assert answer.json()["item_count"] == 2
        assert answer.cookies["guest"].value == ""
    assert _quantities(ada) == {"MUG": 2}


def test_takes_the_cookie_away_even_if_the_call_itself_is_refused() -> None:
    ada, mug, client = make_customer(), make_variant(on_hand=9), guest()
    client.post(ITEMS, item(mug, 2))
    log_in(client, ada)
    answer = client.delete(f"{ITEMS}{2**40}/")
    assert answer.status_code == 404
    assert answer.cookies["guest"].value == ""
    assert _quantities(ada) == {"MUG": 2}


def test_moves_the_guests_addresses_without_disturbing_the_users_default() -> None:
    ada, mug, client = make_customer(), make_variant(on_hand=9), guest()
    home = make_address(ada, is_default=True)
    client.post(ITEMS, item(mug))
    visitor = Customer.objects.get(user=None)
    shed = make_address(visitor, city="Leeds", is_default=True)
    log_in(client, ada)
    client.get(CART)
    assert set(ada.addresses.all()) == {home, shed}
    assert list(Address.objects.filter(is_default=True)) == [home]


def test_moves_the_addresses_of_a_guest_whose_cart_is_empty() -> None:
    ada, client = make_customer(), guest()
    visitor, client.cookies["guest"] = Customer.objects.new_guest()
    address = make_address(visitor, is_default=True)
    log_in(client, ada)
    assert client.get(CART).cookies["guest"].value == ""
    assert list(ada.addresses.all()) == [address]
    visitor.refresh_from_db()
    assert visitor.token_hash is None


def test_moves_no_more_addresses_than_fit_and_those_the_newest(settings: Settings) -> None:
    settings.ADDRESS_MAX = 3
    ada, client = make_customer(), guest()
    home = make_address(ada)
    visitor, client.cookies["guest"] = Customer.objects.new_guest()
    _, *newest = [make_address(visitor) for _ in range(3)]
    log_in(client, ada)
    client.get(CART)
    assert set(ada.addresses.all()) == {home, *newest}


def test_costs_an_account_without_the_cookie_nothing_afterwards() -> None:
    ada, client = make_customer(), guest()
    client.post(ITEMS, item(make_variant(on_hand=9)))
    log_in(client, ada)
    client.get(CART)
    with counted() as statements:
        client.get(CART)
    assert len(statements) == 3, statements  # user, customer, items


def test_does_not_touch_another_guest_or_another_user() -> None:
    ada, bob, mug = make_customer(), make_customer("bob"), make_variant(on_hand=9)
    client, other = guest(), guest()
    client.post(ITEMS, item(mug, 1))
    other.post(ITEMS, item(mug, 5))
    fill_cart(bob, {mug: 7})
    log_in(client, ada)
    client.get(CART)
    assert (_quantities(ada), _quantities(bob)) == ({"MUG": 1}, {"MUG": 7})
    assert other.get(CART).json()["item_count"] == 5


def test_needs_a_cookie() -> None:
    ada, mug = make_customer(), make_variant(on_hand=9)
    guest().post(ITEMS, item(mug, 2))
    assert logged_in(ada).get(CART).json()["items"] == []


def test_takes_the_cookie_of_https_away_as_it_was_set(settings: Settings) -> None:
    settings.COOKIE_SECURE = True
    ada, client = make_customer(), guest()
    client.post(ITEMS, item(make_variant(on_hand=9)))
    log_in(client, ada)
    cookie = client.get(CART).cookies["__Host-guest"]
    assert (cookie.value, cookie["secure"], cookie["path"]) == ("", True, "/")
    assert _quantities(ada) == {"MUG": 1}
