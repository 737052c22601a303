"""What is sold most is the most popular, and what hardly changes is left alone."""

from datetime import timedelta

import pytest

from apps.catalog import inventory
from apps.catalog.models import Product
from apps.catalog.popularity import measure_popularity
from tests.builders import NOON, make_variant

pytestmark = pytest.mark.django_db


def sell(sku: str, units: int, *, days_ago: int = 1) -> None:
    variant = make_variant(sku, on_hand=units)
    then = NOON - timedelta(days=days_ago)
    inventory.reserve({variant.pk: units}, reference=f"order-{sku}", now=then)
    inventory.sell(reference=f"order-{sku}", now=then)


def popularity() -> dict[str, float]:
    rows = Product.objects.order_by("slug").values_list("slug", "popularity")
    return {slug: round(value, 3) for slug, value in rows}


def test_the_most_sold_is_1_and_the_unsold_0() -> None:
    sell("MUG", 99)
    sell("POT", 9)
    make_variant("JUG", on_hand=5)
    assert measure_popularity(now=NOON) == 2
    assert popularity() == {"jug": 0, "mug": 1, "pot": 0.5}


def test_what_was_sold_long_ago_or_came_back_does_not_count() -> None:
    sell("MUG", 9)
    sell("OLD", 9, days_ago=91)
    sell("BACK", 9)
    inventory.put_back(reference="order-BACK", now=NOON)
    measure_popularity(now=NOON)
    assert popularity() == {"back": 0, "mug": 1, "old": 0}


def test_a_second_time_and_a_small_change_write_nothing() -> None:
    sell("MUG", 999)
    sell("POT", 500)
    measure_popularity(now=NOON)
    assert measure_popularity(now=NOON) == 0
    inventory.reserve({make_variant("X", on_hand=2).pk: 1}, reference="o", now=NOON)
    pot = Product.objects.get(slug="pot").variants.get()
    inventory.receive({pot.pk: 1}, reference="more", now=NOON)
    inventory.reserve({pot.pk: 1}, reference="order-9", now=NOON)
    inventory.sell(reference="order-9", now=NOON)
    assert measure_popularity(now=NOON) == 0


def test_a_shop_that_sold_nothing_is_no_error() -> None:
    make_variant("MUG")
    assert measure_popularity(now=NOON) == 0
