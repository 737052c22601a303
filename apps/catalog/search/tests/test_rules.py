"""What the shopkeeper knows better than the ranking: synonyms, boosts and empty searches."""

import pytest
from django.db import connection

from apps.catalog.models import Brand, Category, Product
from apps.catalog.search import rules, searching
from apps.catalog.search.boosts import rules_of
from apps.catalog.search.empty import empty_of
from apps.catalog.search.models import Boost, EmptySearch, Synonym
from apps.catalog.search.rules import Rules, read_rules
from apps.catalog.search.synonyms import groups_of
from apps.catalog.search.tests.goods import answer, make_goods, names, suggestions
from apps.catalog.search.wanted import Wanted
from tests.statements import counted

pytestmark = pytest.mark.django_db


def say_the_same(terms: str) -> None:
    Synonym.objects.create(terms=terms)
    rules.forget()


def boost(query: str = "", **fields: object) -> None:
    Boost.objects.create(query=query, **fields)
    rules.forget()


def leave_empty(query: str, **fields: object) -> None:
    EmptySearch.objects.create(query=query, **fields)
    rules.forget()


def test_a_synonym_finds_the_other_word_both_ways() -> None:
    make_goods("Sofa")
    make_goods("Couch")
    assert names(q="couch") == ["Couch"]
    say_the_same("sofa, couch")
    assert sorted(names(q="couch")) == sorted(names(q="Sofas")) == ["Couch", "Sofa"]


def test_a_synonym_may_be_several_words() -> None:
    make_goods("Memory stick blue")
    make_goods("USB drive blue")
    make_goods("Blue stick of memory")
    say_the_same("memory stick, usb drive")
    assert "USB drive blue" in names(q="blue memory stick")
    # The other term is one thing: its words stand together.
    assert sorted(names(q="usb drives blue")) == ["Memory stick blue", "USB drive blue"]


def test_a_synonym_that_is_not_active_does_nothing() -> None:
    make_goods("Sofa")
    Synonym.objects.create(terms="sofa, couch", is_active=False)
    rules.forget()
    assert names(q="couch") == []


def test_what_a_synonym_stands_for_is_no_typo() -> None:
    make_goods("Settee")
    say_the_same("settee, sofa")
    assert names(q="sofa") == ["Settee"]


def test_how_well_a_word_fits_is_worked_out_once_however_many_it_stands_for() -> None:
    make_goods("Sofa for a couch and a settee")
    say_the_same("sofa, couch, settee")
    with counted() as statements:
        assert names(q="sofa couch settee")
    (ranked,) = (each for each in statements if "ts_rank" in each)
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN VERBOSE {ranked}")
        plan = [line for (line,) in cursor.fetchall() if "ts_rank(" in line]
    # By the name and by the rest; what is above the lowest step only names what that brings.
    assert plan[-1].count("ts_rank(") == 2 * len(["sofa", "couch", "settee"])


def test_a_boost_moves_a_product_a_brand_or_a_category_up_or_down() -> None:
    for name in ("Mug x", "Mug y", "Mug z"):
        make_goods(name, brand=name[-1:].upper(), category=f"Shelf {name[-1:]}")
    assert names(q="mug")[0] == "Mug z"  # the newest of equals
    boost(product=Product.objects.get(name="Mug x"), factor=3)
    assert names(q="mug")[0] == "Mug x"
    boost(brand=Brand.objects.get(name="Y"), factor=5)
    assert names(q="mug") == ["Mug y", "Mug x", "Mug z"]
    boost(category=Category.objects.get(name="Shelf y"), factor=0.1)
    assert names(q="mug") == ["Mug x", "Mug z", "Mug y"]
    assert names(q="") == ["Mug x", "Mug z", "Mug y"]
    assert names(q="mug", sort="name") == ["Mug x", "Mug y", "Mug z"]


def test_a_boost_of_a_category_counts_for_what_is_inside_it() -> None:
    make_goods("Mug x", category="Kitchen")
    make_goods("Mug y", category="Garden")
    cups = Category.objects.create(name="Cups", slug="cups", parent=Category.objects.first())
    Product.objects.filter(name="Mug x").update(category=cups)
    assert names(q="mug")[0] == "Mug y"
    boost(category=Category.objects.get(slug="kitchen"), factor=2)
    assert names(q="mug")[0] == "Mug x"


def test_boosts_of_categories_take_one_statement_however_many() -> None:
    for n in range(3):
        shelf = make_goods(f"Mug {n}", category=f"Shelf {n}").category
        Category.objects.create(name="Cups", slug=f"cups-{n}", parent=shelf)
        boost(category=shelf)
    with counted() as statements:
        read = read_rules()
    assert [len(rule.category_ids) for rule in read.boosts] == [2, 2, 2]
    assert len(statements) == 4  # the synonyms, the boosts, their tree, and the empty searches


@pytest.mark.parametrize("query", ["!!", "🫖", "the", "\u200b"])
def test_a_boost_of_a_query_without_a_word_counts_for_nothing(query: str) -> None:
    make_goods("Mug x")
    make_goods("Mug y")
    boost(query, product=Product.objects.get(name="Mug x"), factor=10)
    assert names(q="mug") == ["Mug y", "Mug x"]
    assert names() == ["Mug y", "Mug x"]


def test_a_boost_of_a_query_counts_for_its_words_in_any_order_and_no_others() -> None:
    make_goods("Blue mug x")
    make_goods("Blue mug y")
    boost("mug blue", product=Product.objects.get(name="Blue mug x"))
    assert names(q="BLUE mugs")[0] == "Blue mug x"
    assert names(q="mug")[0] == "Blue mug y"


@pytest.mark.parametrize("q", ["blue lantren", "steel blue lantren"])
def test_a_boost_of_a_query_counts_for_what_is_taken_for_it(q: str) -> None:
    for name in ("Blue lantern x", "Blue lantern y", *(f"Steel pot {n}" for n in range(12))):
        make_goods(name)
    right = q.replace("lantren", "lantern")
    assert answer(q=q)["did_you_mean"] == right
    assert names(q=q) == ["Blue lantern y", "Blue lantern x"]
    boost(right, product=Product.objects.get(name="Blue lantern x"), factor=2)
    boost(q, product=Product.objects.get(name="Blue lantern y"), factor=5)
    assert names(q=q) == ["Blue lantern x", "Blue lantern y"]


@pytest.mark.parametrize(
    "q",
    [
        "tablet pro",
        "Pro TABLETS",
        "cheapest tablet pro",
        "tablet-pro",
        "tabletpro",
        "tablte pro",
    ],
)
def test_an_empty_search_finds_nothing_however_it_is_typed(q: str) -> None:
    make_goods("Cover for Tablet Pro")
    assert names(q=q) == ["Cover for Tablet Pro"]
    leave_empty("tablet pro")
    found = answer(q=q)
    assert (found["total"], found["results"], found["facets"]) == (0, [], [])
    assert (found["did_you_mean"], found["relaxed"]) == (None, False)
    assert found["engine"] == "postgres"


@pytest.mark.parametrize(
    "query", ["all-in-one tablet", "t-shirt", "make up", "15.6-inch tablet"]
)
def test_an_empty_search_counts_with_hyphens_or_without(query: str) -> None:
    leave_empty(query)
    assert read_rules().leaves_empty(query.replace("-", " "))
    assert read_rules().leaves_empty(query.replace(" ", "-"))


def test_an_empty_search_leaves_all_others_as_they_are() -> None:
    make_goods("Cover for Tablet Pro, series S, which you make of leather, 35mm")
    for query in ("tablet pro", "tablet series s", "make up leather", "3.5mm", "3 5 tablet"):
        leave_empty(query)
    for q in ("tablet", "tablet pro cover", "tablet series", "make leather", "35mm", ""):
        assert answer(q=q)["total"] == 1, q
    assert not read_rules().leaves_empty("35 tablet")


def test_an_empty_search_is_taken_for_no_other_word() -> None:
    make_goods("Stylish mug")
    assert answer(q="stylush")["did_you_mean"] == "stylish"
    leave_empty("stylush")
    assert names(q="stylush") == []
    assert names(q="stylish") == ["Stylish mug"]


def test_an_empty_search_stays_empty_whatever_is_selected() -> None:
    make_goods("Cover for Tablet Pro", brand="Larch")
    leave_empty("tablet pro")
    found = answer(q="tablet pro", brand="larch", sort="price", page=2)
    assert (found["total"], found["facets"]) == (0, [])


def test_an_empty_search_that_is_not_active_or_has_no_word_does_nothing() -> None:
    make_goods("Tablet")
    leave_empty("tablet", is_active=False)
    for query in ("the", "!!", "cheap"):
        leave_empty(query)
    assert names(q="tablet") == names(q="") == ["Tablet"]


def test_an_empty_search_is_not_suggested() -> None:
    make_goods("Tablet pro case")
    assert suggestions("tablet pr") == (["tablet pro"], ["Tablet pro case"])
    leave_empty("tablet pro")
    assert suggestions("tablet pr") == ([], ["Tablet pro case"])
    assert suggestions("tablet pro") == ([], [])


def test_rules_that_nobody_has_saved_can_be_tried() -> None:
    sofa = make_goods("Sofa")
    tried = Rules(
        synonyms=groups_of([Synonym(terms="sofa, couch")]),
        boosts=rules_of([Boost(product=sofa, factor=2)]),
    )
    hits = searching.search(Wanted(q="couch"), rules=tried).hits
    assert [hit.product_id for hit in hits] == [sofa.pk]
    assert searching.search(Wanted(q="couch")).total == 0
    empty = Rules(empty=empty_of([EmptySearch(query="sofa")]))
    assert searching.search(Wanted(q="sofa"), rules=empty).total == 0
    assert searching.search(Wanted(q="sofa")).total == 1
