"""Ordering the cart over HTTP."""

from decimal import Decimal
from typing import Any

import pytest

from apps.accounts.models import Customer
from apps.cart.models import CartItem
from apps.catalog.models import Product, StockItem, StockMovement, Variant
from apps.orders.models import Order
from shop.outbox.models import OutboxMessage
from tests.builders import (
    NOT_SENDABLE,
    fill_cart,
    make_address,
    make_customer,
    make_variant,
)
from tests.clients import (
    CART,
    ITEMS,
    PLACE_ORDER,
    JsonClient,
    guest,
    item,
    log_in,
    logged_in,
    order_form,
)
from tests.statements import counted

pytestmark = pytest.mark.django_db


def _refused(answer: Any, status: int, code: str) -> dict[str, Any]:
    """The refusal's body; and nothing was ordered, held or announced."""
    assert answer["Content-Type"] == "application/problem+json"
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert not Order.objects.exists()
    assert not OutboxMessage.objects.exists()
    assert not StockMovement.objects.exclude(kind="receipt").exists()
    body: dict[str, Any] = answer.json()
    return body


def test_answers_201_with_the_pending_order_and_empties_the_cart() -> None:
    ada, mug, cup = make_customer(), make_variant(on_hand=5), make_variant("CUP", on_hand=5)
    home, office = make_address(ada), make_address(ada, city="Leeds", country="IE")
    fill_cart(ada, {mug: 2, cup: 1})
    client = logged_in(ada)
    answer = client.post(PLACE_ORDER, order_form(home.pk, billing_address_id=office.pk))
    assert answer.status_code == 201
    assert "Idempotent-Replayed" not in answer
    order, stored = answer.json(), Order.objects.get()
    assert (order["order_number"], order["status"]) == (stored.number, "pending")
    assert (order["total"], order["currency"]) == ("28.50", "EUR")
    assert (order["payment_method"], order["email"]) == ("cod", "ada@example.com")
    assert order["items"] == [
        {
            "variant_id": mug.pk,
            "sku": "MUG",
            "name": "Mug",
            "unit_price": "9.50",
            "quantity": 2,
            "line_total": "19.00",
        },
        {
            "variant_id": cup.pk,
            "sku": "CUP",
            "name": "Cup",
            "unit_price": "9.50",
            "quantity": 1,
            "line_total": "9.50",
        },
    ]
    assert order["shipping_address"] == home.as_printed()
    assert order["billing_address"]["country_name"] == "Ireland"
    assert [change["status"] for change in order["status_changes"]] == ["pending"]
    assert client.get(CART).json()["items"] == []
    assert OutboxMessage.objects.get().payload == {"order_id": stored.pk}
    assert set(StockItem.objects.values_list("reserved", flat=True)) == {1, 2}


def test_bills_where_it_ships_if_no_billing_address_is_given() -> None:
    ada = make_customer()
    fill_cart(ada, {make_variant(on_hand=5): 1})
    home = make_address(ada)
    form = {"shipping_address_id": home.pk, "payment_method": "cod"}
    order = logged_in(ada).post(PLACE_ORDER, form).json()
    assert order["billing_address"] == order["shipping_address"] == home.as_printed()


def test_works_for_a_guest_who_gives_an_email() -> None:
    client, mug = guest(), make_variant(on_hand=5)
    client.post(ITEMS, item(mug, 2))
    address = make_address(Customer.objects.get())
    refused = client.post(PLACE_ORDER, order_form(address.pk))
    assert list(_refused(refused, 400, "invalid")["errors"]) == ["email"]
    answer = client.post(PLACE_ORDER, order_form(address.pk, email="guest@example.com"))
    assert (answer.status_code, answer.json()["email"]) == (201, "guest@example.com")


def test_writes_to_another_email_if_a_user_gives_one() -> None:
    ada = make_customer()
    fill_cart(ada, {make_variant(on_hand=5): 1})
    form = order_form(make_address(ada).pk, email="office@example.com")
    assert logged_in(ada).post(PLACE_ORDER, form).json()["email"] == "office@example.com"


def test_orders_what_a_guest_put_in_before_logging_in() -> None:
    ada, client, mug = make_customer(), guest(), make_variant(on_hand=5)
    client.post(ITEMS, item(mug, 2))
    log_in(client, ada)
    answer = client.post(PLACE_ORDER, order_form(make_address(ada).pk))
    assert (answer.status_code, answer.json()["total"]) == (201, "19.00")
    assert Order.objects.get().customer == ada
    assert answer.cookies["guest"].value == ""


def test_the_two_calls_of_the_product_brief_work_as_they_are_written() -> None:
    mug = make_variant(on_hand=5)
    product = Product.objects.create(
        pk=1, name="Plate", slug="plate", category=mug.product.category
    )
    plate = Variant.objects.create(pk=1, product=product, sku="PLATE", price=Decimal("4.00"))
    StockItem.objects.create(variant=plate, on_hand=5)
    ada = make_customer()
    make_address(ada, pk=1)
    client = JsonClient()
    added = client.post(
        "/api/orders/cart/items/", {"product_id": 1, "variant_id": 1, "quantity": 2}
    )
    assert (added.status_code, added.json()["total"]) == (201, "8.00")
    log_in(client, ada)
    placed = client.post(
        "/api/orders/orders/create/",
        {"shipping_address_id": 1, "billing_address_id": 1, "payment_method": "cod"},
    )
    assert (placed.status_code, placed.json()["status"]) == (201, "pending")
    assert placed.json()["total"] == "8.00"


def test_refuses_short_stock_naming_what_is_there_and_holds_nothing() -> None:
    ada, mug, cup = make_customer(), make_variant(on_hand=1), make_variant("CUP", on_hand=9)
    fill_cart(ada, {mug: 2, cup: 1})
    answer = logged_in(ada).post(PLACE_ORDER, order_form(make_address(ada).pk))
    problem = _refused(answer, 409, "out_of_stock")
    assert problem["items"] == [{"sku": "MUG", "wanted": 2, "available": 1}]
    assert not StockItem.objects.filter(reserved__gt=0).exists()
    assert CartItem.objects.count() == 2


def test_refuses_what_is_no_longer_sold() -> None:
    ada, mug = make_customer(), make_variant(on_hand=5)
    fill_cart(ada, {mug: 2})
    Variant.objects.update(is_active=False)
    answer = logged_in(ada).post(PLACE_ORDER, order_form(make_address(ada).pk))
    problem = _refused(answer, 409, "out_of_stock")
    assert problem["items"] == [{"sku": "MUG", "wanted": 2, "available": 0}]


def test_refuses_a_total_that_is_not_the_agreed_one() -> None:
    ada, mug = make_customer(), make_variant(on_hand=5)
    fill_cart(ada, {mug: 2})
    client, address = logged_in(ada), make_address(ada)
    form = order_form(address.pk, expected_total="18.99")
    problem = _refused(client.post(PLACE_ORDER, form), 409, "total_changed")
    assert problem["total"] == "19.00"
    form["expected_total"] = "19.00"
    assert client.post(PLACE_ORDER, form).status_code == 201


@pytest.mark.parametrize("who", ["never had a cart", "emptied it", "a stranger"])
def test_refuses_an_empty_cart(who: str) -> None:
    ada = make_customer()
    if who == "emptied it":
        fill_cart(ada, {})
    client = guest() if who == "a stranger" else logged_in(ada)
    form = order_form(make_address(ada).pk, email="ada@example.com")
    _refused(client.post(PLACE_ORDER, form), 400, "empty_cart")
    assert Customer.objects.count() == 1


@pytest.mark.parametrize("field", ["shipping_address_id", "billing_address_id"])
@pytest.mark.parametrize("whose", ["bob's", "a guest's", "nobody's"])
def test_answers_404_for_an_address_of_somebody_else(field: str, whose: str) -> None:
    ada, bob = make_customer(), make_customer("bob")
    fill_cart(ada, {make_variant(on_hand=5): 1})
    visitor, _ = Customer.objects.new_guest()
    foreign = make_address(visitor if whose == "a guest's" else bob).pk
    form = order_form(make_address(ada).pk)
    form[field] = foreign + 1000 if whose == "nobody's" else foreign
    _refused(logged_in(ada).post(PLACE_ORDER, form), 404, "not_found")
    assert CartItem.objects.count() == 1


def test_never_takes_prices_or_a_status_from_the_body() -> None:
    ada, bob, mug = make_customer(), make_customer("bob"), make_variant(on_hand=5)
    fill_cart(ada, {mug: 2})
    form = order_form(
        make_address(ada).pk,
        price="0.01",
        total="0.01",
        unit_price="0.01",
        line_total="0.01",
        discount="99",
        currency="XXX",
        status="delivered",
        number="AAAAAAAAAAAA",
        customer=bob.pk,
        placed_at="2001-01-01T00:00:00Z",
        idempotency_key="k",
        items=[],
        id=77,
    )
    assert logged_in(ada).post(PLACE_ORDER, form).status_code == 201
    order = Order.objects.get()
    assert (str(order.total), order.currency, order.status) == ("19.00", "EUR", "pending")
    assert (order.customer, order.idempotency_key) == (ada, None)
    assert order.number != "AAAAAAAAAAAA"
    assert order.pk != 77
    assert order.placed_at.year > 2001
    assert order.items.get().quantity == 2


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("shipping_address_id", [None, True, "x", 1.5, 0, -1, 2**63, [], {}, "1e9", "1_0"]),
        ("billing_address_id", [None, True, "x", 1.5, 0, -1, 2**63, [], {}, "1e9", "١"]),
        ("payment_method", [None, True, "card", "", 1, [], {}]),
        ("email", [None, True, "", "nobody", "a@b", [], {}, *NOT_SENDABLE]),
        ("expected_total", [None, True, "x", -1, "NaN", "Infinity", 1.234, 10**15, [], {}]),
    ],
)
def test_refuses_an_impossible_value(field: str, values: list[Any]) -> None:
    ada = make_customer()
    fill_cart(ada, {make_variant(on_hand=5): 1})
    client, form = logged_in(ada), order_form(make_address(ada).pk)
    for value in values:
        answer = client.post(PLACE_ORDER, {**form, field: value})
        assert list(_refused(answer, 400, "invalid")["errors"]) == [field], value


@pytest.mark.parametrize(
    ("body", "code"), [("", "invalid"), ("[]", "invalid"), ("{", "parse_error")]
)
def test_refuses_a_body_that_is_no_object(body: str, code: str) -> None:
    ada = make_customer()
    fill_cart(ada, {make_variant(on_hand=5): 1})
    client = logged_in(ada)
    answer = client.generic("POST", PLACE_ORDER, body, content_type="application/json")
    _refused(answer, 400, code)


def test_refuses_what_is_not_json() -> None:
    ada = make_customer()
    fill_cart(ada, {make_variant(on_hand=5): 1})
    body = f"shipping_address_id={make_address(ada).pk}&payment_method=cod"
    answer = logged_in(ada).generic("POST", PLACE_ORDER, body, content_type="text/plain")
    _refused(answer, 415, "unsupported_media_type")


def test_takes_the_same_few_statements_whatever_the_number_of_items() -> None:
    counts = {}
    for items in (1, 3, 30):
        customer = make_customer(f"buyer{items}")
        skus = [make_variant(f"SKU{items}-{n}", on_hand=5) for n in range(items)]
        fill_cart(customer, dict.fromkeys(skus, 2))
        client, form = logged_in(customer), order_form(make_address(customer).pk)
        with counted() as statements:
            answer = client.post(PLACE_ORDER, form, HTTP_IDEMPOTENCY_KEY="k")
        assert len(answer.json()["items"]) == items
        counts[items] = len(statements)
    # BEGIN, COMMIT and savepoints aside: user, customer, addresses, the 9 of check_out, and
    # the new order's items and statuses.
    assert counts == {1: 14, 3: 14, 30: 14}
