"""A word finds what it is written like elsewhere, whatever stands beside it."""

import pytest

from apps.catalog.search import rules
from apps.catalog.search.models import Synonym
from apps.catalog.search.postgres.asking import clauses_of
from apps.catalog.search.tests.goods import answer, make_goods, names

pytestmark = pytest.mark.django_db


def say_the_same(terms: str) -> None:
    Synonym.objects.create(terms=terms)
    rules.forget()


@pytest.mark.parametrize("q", ["lcd tv", "tv lcd", "lcd tvs", "LCDs TV"])
def test_neighbours_are_found_in_all_of_their_spellings_though_some_have_them_as_one(
    q: str,
) -> None:
    for name in ("LCD for a TV", "Stand for TVs, LCD", "Box of LCDs for TVs", "LCDs of a TV"):
        make_goods(name)
    make_goods("Lcdtv, of which nobody knows what tvlcd, lcdtvs and lcdstv are")
    make_goods("TV")
    assert answer(q=q)["total"] == 5


def test_what_is_written_as_one_is_found_in_both_spellings() -> None:
    for name in ("HDTV", "Stand for HDTVs", "HD TVs", "TV"):
        make_goods(name)
    assert sorted(names(q="hd tv")) == ["HD TVs", "HDTV", "Stand for HDTVs"]


def test_what_is_written_as_one_comes_no_earlier_for_being_rare() -> None:
    for n in range(14):
        make_goods(f"Pot {n}")
    for name in ("Mouse x", "Mouse y", "Pad x", "Pad y", "Mouse pad", "Mousepad xl"):
        make_goods(name)
    assert names(q="mouse pad") == ["Mouse pad", "Mousepad xl"]


@pytest.mark.parametrize(
    "terms", ["watch, headphones", "smart, clever", "watch, wrist band", "watch tower, castle"]
)
def test_a_synonym_of_one_of_two_words_takes_nothing_from_what_has_them_as_one(
    terms: str,
) -> None:
    make_goods("Smartwatch")
    make_goods("Smart watch tower")
    say_the_same(terms)
    assert {"Smartwatch", "Smart watch tower"} == set(names(q="smart watch"))


@pytest.mark.parametrize(
    ("terms", "name"),
    [
        ("watch, headphones", "Headphones, smart"),
        ("smart, clever", "Clever watch"),
        ("watch, wrist band", "Wrist band, very smart"),
    ],
)
def test_a_synonym_holds_for_each_of_two_words_that_some_have_as_one(
    terms: str, name: str
) -> None:
    make_goods("Smartwatch")
    make_goods(name)
    make_goods("Band for a smart wrist")
    say_the_same(terms)
    assert sorted(names(q="smart watch")) == sorted(["Smartwatch", name])


@pytest.mark.parametrize("q", ["grey lcd tv", "gray lcd tvs", "GREY LCDs TV"])
def test_the_words_of_a_typed_term_stand_apart_in_all_of_their_spellings(q: str) -> None:
    for name in ("TVs, gray, LCD", "TV of grey, not an LCD", "Rack for LCDs and TVs, gray"):
        make_goods(name)
    make_goods("Television")
    make_goods("Gray LCD")
    say_the_same("grey lcd tv, television")
    assert answer(q=q)["total"] == 4


def test_another_term_is_found_in_all_spellings_where_its_words_stand_together() -> None:
    for name in ("Gray TV", "Grey TVs", "Television", "TV, a gray one"):
        make_goods(name)
    say_the_same("television, grey tv")
    assert sorted(names(q="television")) == ["Gray TV", "Grey TVs", "Television"]


def test_of_a_term_of_many_words_not_all_combinations_are_asked_for() -> None:
    words = ["tv", "lcd", "dvd", "cd", "gpu", "cpu"]
    (clause,) = clauses_of(words, groups=[(tuple(words), ("box",))])
    assert len(clause.alternatives) == 9
