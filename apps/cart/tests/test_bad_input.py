"""What makes no sense is refused with a stable code and changes nothing."""

from typing import Any

import pytest

from apps.accounts.models import Customer
from apps.cart.models import CartItem
from tests.builders import fill_cart, make_customer, make_variant
from tests.clients import ITEMS, JsonClient, guest, logged_in

pytestmark = pytest.mark.django_db

NOT_A_NUMBER = ["1.5", '"1e9"', '"many"', '""', "true", "false", "null", "[]", "[1]", "{}"]
# Python would take them for numbers.
NOT_PLAIN_DIGITS = ['"1_0"', '"１２"', '"١"', '" 2"', '"2\\n"', '"+2"', '"2.0"']
NOT_A_NUMBER += NOT_PLAIN_DIGITS
TOO_SMALL = ["-1", "-9223372036854775809"]
TOO_LARGE = [str(2**31), str(2**63), str(2**64), "1e9", "9" * 400]
NOT_JSON = ["NaN", "1e400", "Infinity", "-Infinity", "9" * 5000, "01", "'1'"]


def _send(client: JsonClient, method: str, path: str, body: str) -> Any:
    return client.generic(method, path, body, content_type="application/json")


def _code(answer: Any) -> tuple[int, str]:
    assert answer["Content-Type"] == "application/problem+json"
    return answer.status_code, answer.json()["code"]


@pytest.mark.parametrize(
    ("value", "code"),
    [
        *((value, "invalid") for value in [*NOT_A_NUMBER, *TOO_SMALL, "0"]),
        *((value, "cart_limit") for value in TOO_LARGE),
        *((value, "parse_error") for value in NOT_JSON),
    ],
)
def test_refuses_to_add_an_impossible_quantity(value: str, code: str) -> None:
    mug = make_variant(on_hand=5)
    body = f'{{"product_id": {mug.product_id}, "variant_id": {mug.pk}, "quantity": {value}}}'
    answer = _send(guest(), "POST", ITEMS, body)
    assert _code(answer) == (400, code)
    if code == "invalid":
        assert list(answer.json()["errors"]) == ["quantity"]
    assert not answer.cookies
    assert not Customer.objects.exists()


@pytest.mark.parametrize(
    ("value", "code"),
    [
        *((value, "invalid") for value in [*NOT_A_NUMBER, *TOO_SMALL]),
        *((value, "cart_limit") for value in TOO_LARGE),
        *((value, "parse_error") for value in NOT_JSON),
    ],
)
def test_refuses_to_set_an_impossible_quantity(value: str, code: str) -> None:
    ada = make_customer()
    cart = fill_cart(ada, {make_variant(on_hand=5): 2})
    path = f"{ITEMS}{cart.items.get().pk}/"
    answer = _send(logged_in(ada), "PATCH", path, f'{{"quantity": {value}}}')
    assert _code(answer) == (400, code)
    assert cart.items.get().quantity == 2


@pytest.mark.parametrize("field", ["product_id", "variant_id"])
@pytest.mark.parametrize(
    ("value", "code"),
    [
        *((value, "invalid") for value in [*NOT_A_NUMBER, *TOO_SMALL, "0", str(2**63)]),
        *((value, "parse_error") for value in NOT_JSON),
    ],
)
def test_refuses_an_impossible_id(field: str, value: str, code: str) -> None:
    mug = make_variant(on_hand=5)
    ids = {"product_id": str(mug.product_id), "variant_id": str(mug.pk), field: value}
    body = ", ".join(f'"{name}": {text}' for name, text in ids.items())
    answer = _send(guest(), "POST", ITEMS, f"{{{body}}}")
    assert _code(answer) == (400, code)
    if code == "invalid":
        assert list(answer.json()["errors"]) == [field]
    assert not Customer.objects.exists()


def test_takes_digits_in_quotes_for_a_number() -> None:
    mug = make_variant(on_hand=5)
    body = f'{{"product_id": "{mug.product_id}", "variant_id": {mug.pk}, "quantity": "2"}}'
    assert _send(guest(), "POST", ITEMS, body).status_code == 201
    assert CartItem.objects.get().quantity == 2


@pytest.mark.parametrize("method", ["POST", "PATCH"])
@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("", "invalid"),
        ("{", "parse_error"),
        ("[]", "invalid"),
        ("null", "invalid"),
        ("7", "invalid"),
        ('"text"', "invalid"),
        ("{}", "invalid"),
        ("[" * 100_000, "parse_error"),
        ("\x00", "parse_error"),
    ],
)
def test_refuses_a_body_that_is_no_object(method: str, body: str, code: str) -> None:
    ada = make_customer()
    cart = fill_cart(ada, {make_variant(on_hand=5): 2})
    path = ITEMS if method == "POST" else f"{ITEMS}{cart.items.get().pk}/"
    assert _code(_send(logged_in(ada), method, path, body)) == (400, code)
    assert cart.items.get().quantity == 2


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "x/y"])
def test_refuses_what_is_not_json(kind: str) -> None:
    mug = make_variant(on_hand=5)
    body = f"product_id={mug.product_id}&quantity=1"
    answer = guest().generic("POST", ITEMS, body, content_type=kind)
    assert _code(answer) == (415, "unsupported_media_type")
    assert not Customer.objects.exists()


def test_ignores_prices_and_other_fields_that_are_the_shops_to_say() -> None:
    mug, bob = make_variant(on_hand=5), make_customer("bob")
    body = {
        "product_id": mug.product_id,
        "variant_id": mug.pk,
        "unit_price": "0.01",
        "price": "0.01",
        "price_when_added": "0.01",
        "line_total": "0.01",
        "total": "0.01",
        "currency": "XXX",
        "discount": "99",
        "customer": bob.pk,
        "cart": 1,
        "id": 77,
    }
    added = guest().post(ITEMS, body).json()
    assert (added["total"], added["currency"]) == ("9.50", "EUR")
    stored = CartItem.objects.get()
    assert str(stored.unit_price) == "9.50"
    assert stored.pk != 77
    assert stored.cart.customer != bob


@pytest.mark.parametrize("item_id", ["0", str(2**63), "9" * 30])
def test_answers_404_for_an_item_id_that_cannot_be(item_id: str) -> None:
    ada = make_customer()
    fill_cart(ada, {make_variant(on_hand=5): 2})
    answer = logged_in(ada).patch(f"{ITEMS}{item_id}/", {"quantity": 1})
    assert _code(answer) == (404, "not_found")
