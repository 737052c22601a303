"""What means the same, as the shopkeeper says: for an engine and for PostgreSQL."""

import pytest

from apps.catalog.models import Product
from apps.catalog.search import engine, postgres
from apps.catalog.search.models import Synonym
from apps.catalog.search.rules import Rules
from apps.catalog.search.synonyms import groups_of
from apps.catalog.search.tests.engine.index import Index
from apps.catalog.search.tests.goods import make_goods
from apps.catalog.search.wanted import Found, Wanted
from apps.catalog.search.words import MOST_WORDS

pytestmark = pytest.mark.django_db


def both(q: str, *synonyms: str) -> list[Found]:
    """What the engine finds, and what PostgreSQL does."""
    rules = Rules(synonyms=groups_of(Synonym(terms=terms) for terms in synonyms))
    return [each.search(Wanted(q=q), rules=rules) for each in (engine, postgres)]


def names(found: Found) -> list[str]:
    known = dict(Product.objects.values_list("pk", "name"))
    return [known[hit.product_id] for hit in found.hits]


@pytest.mark.parametrize("q", ["black printer", "printers black", "black laser printer"])
def test_a_term_of_several_words_still_finds_all_that_has_them(index: Index, q: str) -> None:
    for name in ("Printer", "Laser printer", "Label, laser, printer", "Rather large printer"):
        make_goods(name, attributes={"Colour": ["Black"], "Kind": ["Laser"]})
    index.fill()
    rules = "black printer, zzyzx", "printer black, wobble", "laser printer, jet"
    without, found = both(q), both(q, *rules)
    assert [sorted(names(each)) for each in found] == [sorted(names(each)) for each in without]
    assert [each.relaxed for each in found] == [False, False]
    # To the engine the order is the same as well.
    assert (names(found[0]), len(found[0].hits)) == (names(without[0]), 4)


def test_the_other_terms_are_one_thing_each(index: Index) -> None:
    for name in ("Memory stick", "Blue stick of memory", "USB drive", "Drive with USB"):
        make_goods(name)
    index.fill()
    for found in both("memory stick", "memory stick, usb drive"):
        assert sorted(names(found)) == ["Blue stick of memory", "Memory stick", "USB drive"]


@pytest.mark.parametrize("q", ["smart watch", "router dir655", "large mousepad"])
def test_each_word_of_a_term_may_still_be_written_otherwise(index: Index, q: str) -> None:
    for name in ("Smartwatch", "DIR-655 wireless router", "Mouse pad, large"):
        make_goods(name)
    index.fill()
    without, _ = both(q)
    found, in_postgresql = both(q, f"{q}, zzyzx")
    assert (names(found), found.total) == (names(without), 1)
    assert found.hits == without.hits  # with the same marks
    assert names(in_postgresql) == names(found)


def test_a_number_of_a_term_is_not_what_it_is_about(index: Index) -> None:
    make_goods("Sticker, 8 of them", description="For an iPhone.")
    index.fill()
    for rules in ([], ["iphone 8, zzyzx"]):
        found, _ = both("iphone 8", *rules)
        assert found.total == 0


def test_what_is_made_for_a_term_of_several_words_comes_last(index: Index) -> None:
    make_goods("Printer of steel, with ink for lasers, in a rather small box")
    make_goods("Laser printer tray")
    index.fill()
    for rules in ([], ["laser printer, zzyzx"]):
        found, _ = both("laser printer", *rules)
        assert names(found)[-1] == "Laser printer tray"


def test_a_term_of_several_words_says_as_much_as_its_words_together(index: Index) -> None:
    for number in range(12):
        make_goods(f"Steel pot {number}")
    make_goods("Pot for a camp fire")
    index.fill()
    for rules in ([], ["camp fire, zzyzx"]):
        for found in both("camp fire pot steel", *rules):
            assert (names(found), found.relaxed) == (["Pot for a camp fire"], True)


def test_a_rule_of_many_terms_is_asked_for_as_a_whole_if_there_is_room(index: Index) -> None:
    make_goods("Larch stylus term 19, black")
    index.fill()
    models = ", ".join(f"x{n}y{n}" for n in range(19))  # each may be written in many ways
    for q in ("gizmoq", "larch gizmoq black stylus"):
        for rule in (f"gizmoq, {_terms(20)}", f"gizmoq, {models}, term 19"):
            assert [found.total for found in both(q, rule)] == [1, 1]


def test_what_there_is_no_room_for_is_the_last_of_what_means_the_same(index: Index) -> None:
    """Each word is there, and the room that a short rule leaves is for the long ones."""
    make_goods("Alpha beta gamma")
    make_goods("Term 19 beta gamma")
    index.fill()
    rules = [f"alpha, {_terms(60)}", f"beta, {_terms(2)}", f"gamma, {_terms(2)}"]
    found, _ = both("alpha beta gamma", *rules)
    assert sorted(names(found)) == ["Alpha beta gamma", "Term 19 beta gamma"]


def _terms(number: int) -> str:
    return ", ".join(f"term {n}" for n in range(number))


_LETTERS = "abcdefghijklmnopqrstuvwxyz"


@pytest.mark.parametrize("number", [1, 2, 8, MOST_WORDS])
def test_many_synonyms_make_no_more_clauses_than_an_engine_takes(
    index: Index, number: int
) -> None:
    words = [f"{one}{two}q" for one in "xy" for two in _LETTERS][:number]
    # Each with 52 phrases for what is looked for.
    rules = [
        ", ".join([word, *(f"{word} {a} {b}{a}" for a in "cd" for b in _LETTERS)])
        for word in words
    ]
    make_goods("Mug")
    index.fill()
    for q in (" ".join(words), f"mug {' '.join(words)}"):
        for some in (rules, rules[-1:]):
            found, _ = both(q, *some)
            assert found.total == 0
    make_goods(f"Set of {' '.join(words)}")
    index.fill()
    found, _ = both(" ".join(words), *rules)
    assert (found.total, found.relaxed) == (1, False)


def test_synonyms_count_at_once(index: Index) -> None:
    make_goods("Settee")
    assert index.found("sofa").total == 0
    rules = Rules(synonyms=((("sofa",), ("settee",)),))
    assert index.found("sofa", rules=rules).total == 1


def test_more_synonyms_than_an_engine_takes_are_cut(index: Index) -> None:
    make_goods("Mug ab1cd1")
    many = tuple((f"ab{n}cd{n}",) for n in range(1, 99))
    rules = Rules(synonyms=(many,))
    assert index.found("ab50cd50 mug nothing", rules=rules).total == 0
    assert index.found("ab2cd2", rules=rules).total == 1
