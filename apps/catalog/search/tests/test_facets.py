"""What a search can be narrowed down by, with how much there is of it."""

import random

import pytest

from apps.catalog.models import Category, Product, Variant
from apps.catalog.search import facets
from apps.catalog.search.postgres import counting, ranking
from apps.catalog.search.rules import Rules
from apps.catalog.search.searching import search
from apps.catalog.search.tests.by_hand import (
    COLOURS,
    assert_equals_rows,
    make_drives,
    make_tops,
    some_selection,
    some_shop,
)
from apps.catalog.search.tests.goods import answer, facet, make_goods
from apps.catalog.search.wanted import Wanted
from tests.statements import counted

pytestmark = pytest.mark.django_db


@pytest.fixture
def mugs() -> None:
    """Five mugs of two brands."""
    for name, brand, colours, price, units in [
        ("Mug one", "Hardwick", ["Red"], "5.00", 1),
        ("Mug two", "Hardwick", ["Blue"], "6.00", 0),
        ("Mug three", "Hardwick", ["Red", "Blue"], "7.00", 1),
        ("Mug four", "Larch", ["Blue"], "8.00", 1),
        ("Mug five", "Larch", ["Green"], "9.00", 0),
    ]:
        make_goods(name, brand=brand, attributes={"Colour": colours}, price=price, units=units)


@pytest.mark.usefixtures("mugs")
def test_counts_what_was_found() -> None:
    found = answer(q="mug")
    assert facet(found, "brand") == {"hardwick": 3, "larch": 2}
    assert facet(found, "category") == {"kitchen": 5}
    assert facet(found, "in_stock") == {"true": 3, "false": 2}
    assert facet(found, "Colour") == {"Blue": 3, "Red": 2, "Green": 1}
    price = next(each for each in found["facets"] if each["name"] == "price")
    assert (price["lowest"], price["highest"]) == ("5.00", "9.00")
    assert found["facets_are_exact"]


@pytest.mark.usefixtures("mugs")
def test_a_facet_counts_what_all_selections_but_its_own_leave_over() -> None:
    found = answer(q="mug", brand="hardwick", attribute="Colour:Red")
    assert found["total"] == 2
    assert facet(found, "brand") == {"hardwick": 2}
    assert facet(found, "Colour") == {"Blue": 2, "Red": 2}
    assert facet(found, "in_stock") == {"true": 2, "false": 0}


@pytest.mark.usefixtures("mugs")
def test_values_of_one_facet_are_alternatives_and_facets_hold_together() -> None:
    found = answer(q="mug", attribute=["Colour:Red", "Colour:Green"])
    assert found["total"] == 3
    both = answer(q="mug", attribute=["Colour:Red", "Colour:Green"], brand=["larch"])
    assert [product["name"] for product in both["results"]] == ["Mug five"]


@pytest.mark.usefixtures("mugs")
def test_a_selected_value_is_shown_also_when_nothing_has_it() -> None:
    found = answer(q="mug", brand=["larch"], attribute="Colour:Red")
    assert found["total"] == 0
    assert facet(found, "Colour") == {"Blue": 1, "Green": 1, "Red": 0}
    assert facet(found, "brand") == {"hardwick": 2, "larch": 0}


@pytest.mark.usefixtures("mugs")
def test_price_and_stock_narrow_down_each_by_some_active_variant() -> None:
    assert answer(q="mug", price_min="6", price_max="8.00")["total"] == 3
    assert answer(q="mug", in_stock="false")["total"] == 2
    two = Product.objects.get(name="Mug two")
    Variant.objects.create(product=two, sku="GOLD", price=500, is_active=False)
    assert answer(q="mug", price_min="100")["total"] == 0


def test_a_category_counts_what_is_in_those_inside_it() -> None:
    mug = make_goods("Mug", category="Kitchen")
    cups = Category.objects.create(name="Cups", slug="cups", parent=mug.category)
    cup = make_goods("Mug for two")
    Product.objects.filter(pk=cup.pk).update(category=cups)
    assert facet(answer(q="mug"), "category") == {"kitchen": 2, "cups": 1}
    assert answer(q="mug", category="kitchen")["total"] == 2
    narrowed = answer(q="mug", category="cups")
    assert narrowed["total"] == 1
    assert facet(narrowed, "category") == {"kitchen": 2, "cups": 1}


def test_categories_of_one_name_are_told_apart_by_what_is_around_them() -> None:
    tops = make_tops()
    with counted() as statements:
        found = search(Wanted(), rules=Rules())
    (shown,) = [each.values for each in found.facets if each.name == "category"]
    assert {one.value: one.label for one in shown} == tops
    assert sum('FROM "catalog_category"' in each for each in statements) == 1


def test_says_when_there_is_more_than_it_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    for n in range(4):
        make_goods(f"Mug {n}", brand="Hardwick")
    monkeypatch.setattr(ranking, "DEEPEST", 3)
    monkeypatch.setattr(counting, "DEEPEST", 3)
    found = search(Wanted(q="mug"), rules=Rules())
    assert (found.total, found.facets_are_exact) == (4, False)
    narrowed = search(Wanted(q="mug", brands=("hardwick",)), rules=Rules())
    assert not narrowed.facets_are_exact


@pytest.mark.slow
def test_equals_what_one_counts_by_hand_for_two_hundred_selections() -> None:
    chance = random.Random(7)
    shop = some_shop(chance)
    for _ in range(200):
        wanted = some_selection(chance)
        assert_equals_rows(wanted, search(wanted, rules=Rules()), shop)


def test_shows_the_attributes_that_tell_most_products_apart() -> None:
    for n in range(10):
        make_goods(
            f"Mug {n}",
            attributes={
                "Colour": [COLOURS[n % 2]],
                "Made of": ["Steel"],
                "Size": ["S"] if n else ["M"],
                "Story": ["x" * 41],
                "Ratio 1:2": ["yes" if n else "no"],
            },
        )
    shown = [each["name"] for each in answer(q="mug")["facets"] if each["type"] == "attribute"]
    assert shown == ["Colour", "Size"]


def test_shows_first_what_most_products_have_however_many_values_each_has() -> None:
    drives = make_drives()
    found = answer(q="drive")
    assert [each["name"] for each in found["facets"] if each["type"] == "attribute"] == drives
    assert facet(found, "Works with") == dict.fromkeys(sorted(COLOURS), 6)
    narrowed = answer(q="drive", attribute="Works with:Red")
    assert facet(narrowed, "Works with") == dict.fromkeys(sorted(COLOURS), 6)


def test_brings_at_most_eight_attributes_and_twenty_values() -> None:
    for n in range(25):
        make_goods(f"Mug {n}", attributes={f"Kind {k}": [f"{n} {k}"] for k in range(10)})
    attributes = [each for each in answer(q="mug")["facets"] if each["type"] == "attribute"]
    assert len(attributes) == 8
    assert {len(each["values"]) for each in attributes} == {20}


def test_of_many_products_a_value_is_shown_that_one_in_five_hundred_has() -> None:
    shown_from = {found: facets.least_count(found) for found in (200, 201, 1499, 1500, 10_000)}
    assert shown_from == {200: 1, 201: 2, 1499: 2, 1500: 3, 10_000: 20}


@pytest.mark.usefixtures("mugs")
def test_counts_a_selected_value_of_which_too_few_have_it_to_be_shown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(facets, "_FEW", 4)
    assert facet(answer(q="mug"), "Colour") == {"Blue": 3, "Red": 2}
    found = answer(q="mug", attribute="Colour:Green")
    assert found["total"] == 1
    assert facet(found, "Colour") == {"Blue": 3, "Red": 2, "Green": 1}


def test_asks_for_many_products_as_one_value() -> None:
    ids = [make_goods("Mug", slug=f"mug-{n}").pk for n in range(3)]
    with counted() as statements:
        search(Wanted(q="mug", page_size=1), rules=Rules())
    listed = [each for each in statements if all(str(pk) in each for pk in ids)]
    assert len(listed) == 5
    assert all("'{" in each and "ARRAY[" not in each for each in listed)
