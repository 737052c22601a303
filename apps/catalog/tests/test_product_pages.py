"""Paging through the list: every product once, whatever the order and whatever is equal."""

import base64
import json
from datetime import timedelta
from typing import Any

import pytest

from apps.catalog.models import Product
from tests.builders import NOON, make_variant
from tests.clients import guest

pytestmark = pytest.mark.django_db

URL = "/api/catalog/products/"
ORDERS = ["name", "-name", "price", "-price", "newest"]


def fill_shelves(count: int = 11) -> None:
    """Products of which several have the same name, price and age."""
    for n in range(count):
        product = make_variant(f"MUG-{n}", price=f"{n // 4 + 1}.00").product
        Product.objects.filter(pk=product.pk).update(
            name=f"Mug {n // 5}", created_at=NOON + timedelta(hours=n // 6)
        )


def page(url: str = URL, **params: Any) -> dict[str, Any]:
    answer = guest().get(url, params)
    assert answer.status_code == 200, answer.content
    body: dict[str, Any] = answer.json()
    return body


def ids(body: dict[str, Any]) -> list[int]:
    return [product["id"] for product in body["results"]]


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("size", [1, 2, 3, 5, 11, 12])
def test_forwards_and_back_again_shows_each_product_once(order: str, size: int) -> None:
    fill_shelves()
    everything = ids(page(order=order))
    assert len(set(everything)) == 11
    body = page(order=order, page_size=size)
    assert body["previous"] is None
    forwards = ids(body)
    while body["next"]:
        body = page(body["next"])
        forwards += ids(body)
    assert forwards == everything
    backwards = ids(body)
    while body["previous"]:
        body = page(body["previous"])
        backwards = ids(body) + backwards
    assert backwards == everything
    assert size < 11 or body["next"] is None


def test_a_product_that_comes_or_goes_in_front_moves_nothing() -> None:
    fill_shelves(6)
    first = page(order="name", page_size=2)
    rest = ids(page(order="name"))[2:]
    Product.objects.filter(pk=ids(first)[0]).update(is_published=False)
    newcomer = make_variant("AAA").product
    newcomer.name = "AAA"
    newcomer.save()
    second = page(first["next"])
    assert ids(second) == rest[:2]


def test_a_link_keeps_what_was_asked_for() -> None:
    fill_shelves(6)
    body = page(order="-price", page_size=2, price_max="1.00")
    seen = ids(body)
    while body["next"]:
        body = page(body["next"])
        seen += ids(body)
    assert seen == ids(page(order="-price", price_max="1.00"))
    assert len(seen) == 4


def test_a_page_has_24_products_and_never_more_than_100() -> None:
    fill_shelves(102)
    assert len(ids(page())) == 24
    assert len(ids(page(page_size=10**6))) == 100


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize(
    "cursor",
    [
        [],
        {},
        1,
        None,
        ["Mug 1"],
        ["Mug 1", 1],
        ["Mug\x00", 1, False],
        ["a" * 201, 1, False],
        [None, 1, False],
        [1, 1, False],
        ["1.00", "1", False],
        ["1.00", 1.5, False],
        ["1.00", True, False],
        ["1.00", None, False],
        ["NaN", 1, [], 1],
        ["\ud800", 1, False],
    ],
)
def test_a_forged_cursor_is_refused(order: str, cursor: Any) -> None:
    fill_shelves(3)
    answer = guest().get(URL, {"order": order, "cursor": encoded(cursor)})
    assert answer.status_code == 400, answer.content
    assert list(answer.json()["errors"]) == ["cursor"]


@pytest.mark.parametrize("order", ["price", "-price", "newest"])
@pytest.mark.parametrize("value", ["", "NaN", "Infinity", "1e999999", "cheap", "2026-13-45"])
def test_a_cursor_of_another_order_is_refused(order: str, value: str) -> None:
    fill_shelves(3)
    answer = guest().get(URL, {"order": order, "cursor": encoded([value, 1, False])})
    assert answer.status_code == 400, answer.content


@pytest.mark.parametrize("backwards", [True, False])
@pytest.mark.parametrize(
    "value",
    [
        "9999-12-31T23:59:59-23:59",
        "9999-12-31 23:59:59-23:59",
        "0001-01-01T00:00:00+23:59",
        "2026-11-24",
        "2026-11-24 12:00:00",
        "2026-11-24T12:00:00+01:00",
    ],
)
def test_a_cursor_with_a_time_that_the_shop_never_wrote_is_refused(
    value: str, backwards: bool
) -> None:
    fill_shelves(3)
    answer = guest().get(URL, {"order": "newest", "cursor": encoded([value, 1, backwards])})
    assert answer.status_code == 400, answer.content
    assert list(answer.json()["errors"]) == ["cursor"]


@pytest.mark.parametrize("pk", [2**63, -(2**63) - 1, 10**30])
def test_a_cursor_with_an_impossible_id_is_no_crash(pk: int) -> None:
    fill_shelves(3)
    for backwards in (False, True):
        cursor = encoded(["Mug 0", pk, backwards])
        assert guest().get(URL, {"order": "name", "cursor": cursor}).status_code == 200


def test_a_cursor_nested_like_a_bomb_is_refused() -> None:
    bomb = base64.urlsafe_b64encode(b"[" * 5000).decode()
    assert guest().get(URL, {"cursor": bomb}).status_code == 400


def encoded(cursor: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(cursor).encode()).decode()
