"""What a search finds, and in which order."""

from typing import Any

import pytest

from apps.catalog.models import Category, Product, Variant
from apps.catalog.search.models import SearchText
from apps.catalog.search.postgres.asking import clauses_of
from apps.catalog.search.tests.goods import answer, make_goods, names
from tests.clients import guest
from tests.statements import counted

pytestmark = pytest.mark.django_db


def test_finds_what_has_all_of_the_words_wherever_they_stand() -> None:
    make_goods("Enamel mug", brand="Hardwick", attributes={"Colour": ["Blue"]})
    make_goods("Glass mug", brand="Hardwick")
    make_goods("Enamel pan")
    assert names(q="blue hardwick mug") == ["Enamel mug"]
    assert sorted(names(q="MUGS")) == ["Enamel mug", "Glass mug"]


def test_finds_everything_that_is_on_sale_when_nothing_is_asked_for() -> None:
    make_goods("Mug")
    hidden, empty = make_goods("Hidden mug"), make_goods("Empty mug")
    Product.objects.filter(pk=hidden.pk).update(is_published=False)
    Variant.objects.filter(product=empty).update(is_active=False)
    found = answer()
    assert [product["name"] for product in found["results"]] == ["Mug"]
    assert found["total"] == 1
    assert names(q="mug") == ["Mug"]


def test_answers_an_empty_shop() -> None:
    found = answer(q="mug")
    assert (found["total"], found["results"], found["did_you_mean"]) == (0, [], None)
    assert answer()["total"] == 0


def test_a_word_in_the_name_counts_more_than_one_in_the_description() -> None:
    make_goods("Tray", description="Carries any mug, mug after mug.")
    make_goods("Mug")
    assert names(q="mug") == ["Mug", "Tray"]


def test_a_rare_word_counts_more_than_one_that_is_everywhere() -> None:
    for n in range(8):
        make_goods(f"Steel pot {n}", description="Of steel.")
    make_goods("Lantern rack", description="Of steel, for a pot.")
    make_goods("Steel rack", description="For a lantern, for a pot.")
    # Also where the other word is what is looked for, and counts twice.
    assert names(q="steel lantern")[0] == names(q="lantern steel")[0] == "Lantern rack"


def test_what_is_only_mentioned_somewhere_is_not_what_a_search_is_about() -> None:
    make_goods("Television", attributes={"Apps": ["Netflix, YouTube"]})
    make_goods("Remote control", description="With a key for Netflix.")
    assert answer(q="netflix")["total"] == 0
    make_goods("Netflix voucher")
    assert names(q="netflix")[0] == "Netflix voucher"


def test_a_number_alone_says_nothing_about_what_is_wanted() -> None:
    make_goods("Dock 11 W", description="Charges any iPhone.")
    assert answer(q="iphone 11")["total"] == 0


def test_finds_what_is_said_by_the_one_value_of_an_attribute() -> None:
    make_goods("Hoodie", attributes={"Material": ["Wool"]})
    assert names(q="wool") == ["Hoodie"]


@pytest.mark.parametrize(
    "q", ["DIR-655", "dir655", "dir 655", "ICE-1399", "ice1399", "Dir-655"]
)
def test_finds_a_model_number_or_sku_however_it_is_written(q: str) -> None:
    make_goods("Router DIR-655 wireless", sku="ICE-1399")
    make_goods("Router DIR-600 wireless", sku="ICE-1400")
    assert names(q=q) == ["Router DIR-655 wireless"]


@pytest.mark.parametrize("q", ["smart watch", "smartwatch"])
def test_finds_words_that_are_written_as_one_or_as_two(q: str) -> None:
    make_goods("Smartwatch Active")
    make_goods("Smart watch Classic")
    make_goods("Watch glass")
    assert sorted(names(q=q)) == ["Smart watch Classic", "Smartwatch Active"]


@pytest.mark.parametrize("q", ["keyboard", "mousepad"])
def test_halves_of_a_word_count_only_where_they_stand_together(q: str) -> None:
    make_goods("Keyboard with a board for every key, and a mousepad")
    make_goods("Key", description="Key, key ring, board. Pad, mouse, mouse.", brand="Board")
    make_goods("Key board, mouse pad")
    found = answer(q=q)
    assert found["total"] == 2
    marked = [product["name_html"] for product in found["results"]]
    assert not any("a <mark>board" in name or "every <mark>key" in name for name in marked)


@pytest.mark.parametrize(
    ("q", "meant"),
    [("labtop", "laptop"), ("notbook", "notebook"), ("notcharger", None), ("withcable", None)],
)
def test_a_mistyped_word_is_not_taken_for_its_halves(q: str, meant: str | None) -> None:
    make_goods("Laptop notebook")
    make_goods("Lab table with a top")
    make_goods("Book, not a charger, with cable")
    found = answer(q=q)
    assert found["did_you_mean"] == meant
    assert [each["name"] for each in found["results"]] == ["Laptop notebook"] * bool(meant)


def test_what_stands_there_as_two_words_is_not_mistyped() -> None:
    make_goods("Mouse pad")
    make_goods("Mousepaw lantern")
    assert answer(q="mousepad lantern")["did_you_mean"] is None


def test_a_search_of_hundreds_of_letters_asks_for_no_more_than_it_has() -> None:
    with counted() as statements:
        answer(q="abc" * 100)
        answer(q=" ".join(["abcdefg"] * 37))
    assert max(map(len, statements)) < 5_000


def test_in_a_title_that_was_pasted_no_words_are_taken_together() -> None:
    make_goods("Tin ab1cd")
    assert answer(q="ab1cd2 ab1c d mug pot jug pan lid cup")["total"] == 0  # ab1cd is a half


def test_a_word_that_is_mistyped_may_say_nothing() -> None:
    make_goods("Mug with lid")
    found = answer(q="mug wiht lid")
    assert (found["total"], found["did_you_mean"]) == (1, "mug with lid")
    assert answer(q="wiht")["total"] == 0


@pytest.mark.parametrize("q", ["istanbul", "İSTANBUL", "чай", "ЧАЙ", "ハンガ"])
def test_only_latin_letters_lose_their_marks(q: str) -> None:
    make_goods("İstanbul чай ハンガ", slug="first")
    make_goods("чаи ハンカ", slug="other")
    assert names(q=q) == ["İstanbul чай ハンガ"]


def test_accents_and_case_make_no_difference() -> None:
    make_goods("Café press")
    assert names(q="CAFE") == names(q="café") == ["Café press"]


def test_takes_a_word_that_nothing_has_for_one_like_it_and_says_so() -> None:
    make_goods("Stoneware mug")
    make_goods("Lantern")
    found = answer(q="stonewrae mug")
    assert [product["name"] for product in found["results"]] == ["Stoneware mug"]
    assert (found["relaxed"], found["did_you_mean"]) == (True, "stoneware mug")


@pytest.mark.parametrize("typo", ["lanetrn", "lantrn", "lanterrn", "lamtern", "antern"])
def test_forgives_one_slip_of_each_kind(typo: str) -> None:
    make_goods("Lantern")
    assert names(q=typo) == ["Lantern"]


@pytest.mark.parametrize(("typo", "meant"), [("hmdi", "hdmi"), ("tnak", "tank")])
def test_knows_two_letters_that_changed_places_in_a_short_word(typo: str, meant: str) -> None:
    make_goods("Hdmi")
    make_goods("Tank")
    assert answer(q=typo)["did_you_mean"] == meant


def test_corrects_nothing_in_a_title_that_was_pasted() -> None:
    make_goods("Lantern 11 22 33 44 55 66 77 88")
    assert names(q="lanetrn 11 22 33 44 55 66 77") == ["Lantern 11 22 33 44 55 66 77 88"]
    assert answer(q="the lanetrn 11 22 33 44 55 66 77")["total"] == 1  # “the” says nothing
    assert answer(q="lanetrn 11 22 33 44 55 66 77 88")["did_you_mean"] is None


@pytest.mark.parametrize("word", ["hat", "zebra", "lxxtern", "123", "l4ntern"])
def test_finds_nothing_rather_than_something_else(word: str) -> None:
    make_goods("Lantern", sku="A")
    make_goods("Cat", sku="B")
    found = answer(q=word)
    assert (found["total"], found["did_you_mean"]) == (0, None)


def test_leaves_out_a_word_that_says_little_when_nothing_has_all_of_them() -> None:
    for n in range(12):
        make_goods(f"Steel pot {n}", brand="Hardwick")
    make_goods("Stoneware lantern with a handle")
    found = answer(q="stoneware lantern handle steel")
    assert [product["name"] for product in found["results"]] == [
        "Stoneware lantern with a handle"
    ]
    assert found["relaxed"]


def test_does_not_leave_out_what_the_search_is_about() -> None:
    for n in range(12):
        make_goods(f"Steel pot {n}")
    make_goods("Lantern")
    assert answer(q="steel kettle")["total"] == 0
    assert answer(q="steel kettle lantern")["total"] == 0


def test_what_is_sold_out_comes_after_what_can_be_bought() -> None:
    make_goods("Mug", slug="first", units=0)
    make_goods("Mug", slug="second")
    make_goods("Mug", slug="third", units=0)
    assert [product["slug"] for product in answer(q="mug")["results"]][0] == "second"


def test_shows_the_price_and_stock_of_the_rows() -> None:
    product = make_goods("Mug", price="9.50", units=3)
    refreshed = answer(q="mug")["results"][0]
    assert (refreshed["price_from"], refreshed["in_stock"]) == ("9.50", True)
    Variant.objects.filter(product=product).update(price="7.00")
    assert answer(q="mug")["results"][0]["price_from"] == "7.00"


def test_a_change_is_found_at_once_without_the_words_being_counted() -> None:
    product = make_goods("Mug", category="Kitchen")
    inner = Category.objects.create(name="Cups", slug="cups", parent=product.category)

    def total(q: str) -> int:
        count: int = guest().get("/api/catalog/search/", {"q": q}).json()["total"]
        return count

    product.name = "Beaker"
    product.category = inner
    product.save()
    assert (total("mug"), total("beaker"), total("cups"), total("kitchen")) == (0, 1, 1, 1)
    variant = product.variants.get()
    variant.sku = "NEW-77"
    variant.save()
    assert total("new-77") == 1
    Variant.objects.all().update(is_active=False)
    Product.objects.filter(pk=product.pk).update(attributes={"Colour": ["Teal"]})
    assert total("teal") == 0
    Variant.objects.all().update(is_active=True)
    assert total("teal") == 1


def test_a_product_that_is_deleted_is_not_found_and_leaves_nothing() -> None:
    product = make_goods("Mug", units=0)
    product.variants.all().delete()
    product.delete()
    assert not SearchText.objects.exists()
    assert answer(q="mug")["total"] == 0


SORTED: list[Any] = [
    ("name", ["Mug a", "Mug b", "Mug c"]),
    ("-name", ["Mug c", "Mug b", "Mug a"]),
    ("price", ["Mug b", "Mug c", "Mug a"]),
    ("-price", ["Mug a", "Mug c", "Mug b"]),
    ("newest", ["Mug c", "Mug b", "Mug a"]),
]


@pytest.mark.parametrize(("sort", "expected"), SORTED)
def test_sorts_as_it_is_told_whatever_is_sold_out(sort: str, expected: list[str]) -> None:
    make_goods("Mug a", price="3.00")
    make_goods("Mug b", price="1.00", units=0)
    make_goods("Mug c", price="2.00")
    assert names(q="mug", sort=sort) == expected


def test_sorts_names_without_case_and_accents() -> None:
    for name in ("Zyxel mug", "iiyama mug", "Émile mug", "Abc mug", "eta mug"):
        make_goods(name)
    in_order = ["Abc mug", "Émile mug", "eta mug", "iiyama mug", "Zyxel mug"]
    assert names(q="mug", sort="name") == in_order
    assert names(q="mug", sort="-name") == in_order[::-1]


def test_a_word_that_is_said_again_and_again_is_asked_for_once() -> None:
    assert len(clauses_of(["mug"] * 40, groups=())) == 1


@pytest.mark.parametrize(
    ("written", "q", "marked"),
    [
        ("Paper 250g/m²", "m2", "Paper 250g/<mark>m²</mark>"),
        ("υπολογιστής", "υπολογιστης", "<mark>υπολογιστής</mark>"),
    ],
)
def test_marks_what_is_typed_in_other_letters(written: str, q: str, marked: str) -> None:
    make_goods(written, slug="it")
    assert [product["name_html"] for product in answer(q=q)["results"]] == [marked]
