"""The facets that the engine counts: those that one counts by hand."""

import random

import pytest

from apps.catalog.search import engine, postgres
from apps.catalog.search.engine import selecting
from apps.catalog.search.engine.client import client
from apps.catalog.search.engine.document import ALIAS
from apps.catalog.search.rules import Rules
from apps.catalog.search.tests.by_hand import (
    assert_equals_rows,
    make_drives,
    make_tops,
    some_selection,
    some_shop,
)
from apps.catalog.search.tests.engine.index import Index
from apps.catalog.search.tests.goods import make_goods
from apps.catalog.search.wanted import Wanted
from tests.statements import counted

pytestmark = pytest.mark.django_db


@pytest.mark.slow
def test_equals_rows_and_postgresql_for_two_hundred_selections(index: Index) -> None:
    chance = random.Random(7)
    shop = some_shop(chance)
    index.fill()
    for _ in range(200):
        wanted = some_selection(chance)
        found = engine.search(wanted, rules=Rules())
        assert_equals_rows(wanted, found, shop)
        if found.total:
            assert found.facets == postgres.search(wanted, rules=Rules()).facets, wanted


def test_a_price_between_those_of_two_variants_is_no_price_of_the_product(
    index: Index,
) -> None:
    product = make_goods("Mug", price="5.00")
    product.variants.create(sku="GOLD", name="Gold", price=50)
    assert index.found("mug", price_min=10, price_max=40).total == 0
    assert index.found("mug", price_min=40).total == 1
    assert index.found("mug", price_max=10).total == 1


def test_a_selected_value_is_shown_also_when_nothing_has_it(index: Index) -> None:
    make_goods("Mug", brand="Hardwick", attributes={"Colour": ["Red"]})
    make_goods("Pan", brand="Larch", attributes={"Colour": ["Blue"]})
    index.fill()
    wanted = Wanted(brands=("larch",), attributes={"Colour": ("Red",)})
    found = engine.search(wanted, rules=Rules())
    assert found.total == 0
    assert found.facets == postgres.search(wanted, rules=Rules()).facets


def test_at_most_eight_attributes_and_twenty_values_the_same_as_of_postgresql(
    index: Index,
) -> None:
    for number in range(25):
        attributes = {f"Kind {kind}": [f"{number % 23} {kind}"] for kind in range(10)}
        make_goods(f"Mug {number}", attributes=attributes)
    wanted = Wanted(q="mug")
    index.fill()
    found = engine.search(wanted, rules=Rules())
    assert found.facets == postgres.search(wanted, rules=Rules()).facets
    shown = [facet for facet in found.facets if facet.type == "attribute"]
    assert len(shown) == 8
    assert {len(facet.values) for facet in shown} == {20}


def test_shows_first_what_most_products_have_the_same_as_postgresql(index: Index) -> None:
    drives = make_drives()
    found = index.found("drive")
    assert [facet.name for facet in found.facets if facet.type == "attribute"] == drives
    for wanted in (Wanted(q="drive"), Wanted(attributes={"Languages": ("29",)})):
        counted = engine.search(wanted, rules=Rules()).facets
        assert counted == postgres.search(wanted, rules=Rules()).facets


def test_one_statement_says_how_brands_and_categories_are_called(index: Index) -> None:
    make_goods("Mug", brand="KITCHEN", category="Kitchen")
    index.fill()
    with counted() as statements:
        facets = engine.search(Wanted(q="mug"), rules=Rules()).facets
    assert [
        (facet.name, each.value, each.label)
        for facet in facets
        if facet.type == "terms"
        for each in facet.values
    ] == [("brand", "kitchen", "KITCHEN"), ("category", "kitchen", "Kitchen")]
    assert len(statements) == 1, statements


def test_tells_categories_of_one_name_apart_the_same_as_postgresql(index: Index) -> None:
    tops = make_tops()
    found = index.found()
    (shown,) = [each.values for each in found.facets if each.name == "category"]
    assert {one.value: one.label for one in shown} == tops
    assert found.facets == postgres.search(Wanted(), rules=Rules()).facets


def test_counts_an_attribute_that_is_selected_whatever_its_name(index: Index) -> None:
    for n, weight in enumerate(["1", "2", "2"]):
        weights = {"[kg] .* \\ #@ é": [weight], "[kg] xx \\ #@ é": ["9"]}
        make_goods(f"Mug {n}", attributes=weights)
    wanted = Wanted(q="mug", attributes={"[kg] .* \\ #@ é": ("1",)})
    index.fill()
    found = engine.search(wanted, rules=Rules())
    assert found.facets == postgres.search(wanted, rules=Rules()).facets
    (facet,) = [each for each in found.facets if each.name in wanted.attributes]
    assert {each.value: each.count for each in facet.values} == {"1": 1, "2": 2}


@pytest.mark.parametrize("q", ["", "mug"])
def test_says_when_there_are_more_values_than_it_counts(
    q: str, index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        make_goods(f"Mug {number}", attributes={"Colour": ["Red"], "Number": [f"{number}"]})
    assert index.found(q).facets_are_exact
    monkeypatch.setitem(selecting.IN_ORDER, "size", 2)
    exact = index.found(q)
    assert exact.facets_are_exact
    assert exact.facets == postgres.search(Wanted(q=q), rules=Rules()).facets
    monkeypatch.setitem(selecting.MOST_FREQUENT, "size", 2)
    assert not index.found(q).facets_are_exact


def test_what_is_too_much_to_count_in_order_is_counted_beside_the_selections(
    index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number, colour in enumerate(["Red", "Red", "Blue", "Blue"]):
        attributes = {"Colour": [colour], "Size": ["S" if number == 3 else "M"]}
        make_goods("Mug", slug=f"mug-{number}", brand=colour, attributes=attributes)
    index.fill()
    monkeypatch.setitem(selecting.IN_ORDER, "size", 1)
    wanted = Wanted(q="mug", brands=("blue",), attributes={"Colour": ("Blue",)})
    found = engine.search(wanted, rules=Rules())
    assert found.facets == postgres.search(wanted, rules=Rules()).facets
    (sizes,) = [facet.values for facet in found.facets if facet.name == "Size"]
    assert {one.value: one.count for one in sizes} == {"S": 1, "M": 1}


def questions() -> int:
    """How often the engine has searched the index."""
    stats = client().indices.stats(index=ALIAS, metric="search")
    return int(stats["_all"]["total"]["search"]["query_total"])


@pytest.mark.parametrize(("q", "asked"), [("", 1), ("mug", 2), ("tea", 1)])
def test_is_asked_once_more_only_for_what_is_found(
    q: str, asked: int, index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        attributes = {"Number": [f"{number}"]}
        make_goods(f"Mug {number}", description="For tea.", attributes=attributes)
    index.fill()
    monkeypatch.setitem(selecting.IN_ORDER, "size", 2)
    before = questions()
    found = engine.search(Wanted(q=q), rules=Rules())
    assert (questions() - before, found.total) == (asked, 0 if q == "tea" else 3)
