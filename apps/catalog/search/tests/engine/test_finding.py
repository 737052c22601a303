"""What the engine finds, and in which order."""

import itertools
from types import SimpleNamespace

import pytest
from elasticsearch import ConnectionTimeout

from apps.catalog.models import Product
from apps.catalog.search import engine, searching
from apps.catalog.search.boosts import Rule, key_of
from apps.catalog.search.empty import empty_of
from apps.catalog.search.engine import client
from apps.catalog.search.engine.document import ALIAS
from apps.catalog.search.models import EmptySearch
from apps.catalog.search.rules import Rules
from apps.catalog.search.tests.engine.index import Index
from apps.catalog.search.tests.goods import make_goods
from apps.catalog.search.wanted import Found, Wanted

pytestmark = pytest.mark.django_db


def test_finds_what_has_all_of_the_words_wherever_they_stand(index: Index) -> None:
    make_goods("Enamel mug", brand="Hardwick", attributes={"Colour": ["Blue"]})
    make_goods("Glass mug", brand="Hardwick")
    make_goods("Enamel pan")
    assert index.names("blue hardwick mug") == ["Enamel mug"]
    assert sorted(index.names("MUGS")) == ["Enamel mug", "Glass mug"]
    assert not index.found("mug").relaxed
    assert index.found("mug").engine in ("opensearch", "elasticsearch")


def test_finds_only_what_is_on_sale(index: Index) -> None:
    make_goods("Mug")
    hidden = make_goods("Hidden mug")
    assert len(index.names("mug")) == 2
    Product.objects.filter(pk=hidden.pk).update(is_published=False)
    assert index.names("mug") == ["Mug"]
    assert index.names() == ["Mug"]


@pytest.mark.parametrize(
    "q",
    [
        *("DIR-655", "dir655", "dir 655", "router dir 655"),
        *("ICE-1399", "ice1399", "ice 1399", "1399", "router ICE-1399", "ice 1399 router"),
    ],
)
def test_finds_a_model_number_or_sku_however_it_is_written(index: Index, q: str) -> None:
    make_goods("Router DIR-655 wireless", sku="ICE-1399")
    make_goods("Router DIR-600 wireless", sku="ICE-1400")
    assert index.names(q) == ["Router DIR-655 wireless"]


def test_a_part_of_an_sku_is_no_word(index: Index) -> None:
    make_goods("Mug", sku="ICE-1399")
    assert index.names("ice") == []


@pytest.mark.parametrize("q", ["hp364xl", "hp 364 xl", "HP 364XL"])
def test_finds_it_also_where_letters_and_digits_change_twice(index: Index, q: str) -> None:
    make_goods("HP 364XL ink")
    make_goods("HP 350XL ink")
    assert index.names(q) == ["HP 364XL ink"]


@pytest.mark.parametrize(
    "q", ["usb 3.0", "usb3.0", "usb3", "usb 3", "USB 3.0 cable", "cable usb-3.0"]
)
def test_a_decimal_is_one_word(index: Index, q: str) -> None:
    make_goods("USB 3.0 cable")
    make_goods("USB cable 3 ft, 0.5 mm")
    make_goods("USB 2.0 cable")
    found = index.names(q)
    assert found[0] == "USB 3.0 cable"
    assert "USB 2.0 cable" not in found


@pytest.mark.parametrize("q", ["3.5mm plug", "3.5 mm plug", "plug 3.5MM"])
def test_a_unit_may_be_written_with_its_number(index: Index, q: str) -> None:
    make_goods("Plug 3.5mm")
    make_goods("Plug 3.5 mm")
    make_goods("Plug 5 mm 3")
    assert sorted(index.names(q)) == ["Plug 3.5 mm", "Plug 3.5mm"]


@pytest.mark.parametrize(
    "q", ["the mug", "mugs for children", "cheap children's mug", "mug of"]
)
def test_words_that_say_nothing_are_not_looked_for(index: Index, q: str) -> None:
    make_goods("Mug, children")
    assert index.names(q) == ["Mug, children"]
    assert not index.found(q).relaxed


@pytest.mark.parametrize(
    "q", ["startech", "startech.com", "Core™2 duo", "core 2", "get'r", "a_1"]
)
def test_signs_between_letters_part_words(index: Index, q: str) -> None:
    make_goods("StarTech.com Core™2 Duo Get'r A_1")
    assert index.found(q).total == 1
    assert not index.found(q).relaxed


@pytest.mark.parametrize("q", ["smart watch", "smartwatch"])
def test_finds_words_that_are_written_as_one_or_as_two(index: Index, q: str) -> None:
    make_goods("Smartwatch Active")
    make_goods("Smart watch Classic")
    make_goods("Watch glass")
    assert sorted(index.names(q)) == ["Smart watch Classic", "Smartwatch Active"]
    assert not index.found(q).relaxed


@pytest.mark.parametrize("q", ["wifi", "wi-fi", "wi fi"])
def test_finds_them_also_in_an_attribute(index: Index, q: str) -> None:
    make_goods("Router", attributes={"Network": ["Wi-Fi"]})
    make_goods("Bridge", attributes={"Network": ["Wi-Fi, Bluetooth"]})
    make_goods("Cable", attributes={"Network": ["Ethernet"]})
    assert sorted(index.names(q)) == ["Bridge", "Router"]


def test_what_is_written_as_one_does_not_come_first_because_few_write_it_so(
    index: Index,
) -> None:
    make_goods("Mousepad made of cork, with a wrist rest")
    for colour in ("red", "blue", "grey"):
        make_goods(f"Mouse pad, {colour}")
    assert index.names("mouse pad")[-1] == "Mousepad made of cork, with a wrist rest"


# The last two are letters that an engine may take for no word, or for several.
@pytest.mark.parametrize(
    "word",
    [
        *("drone", "hat", "zebra", "lxxtern", "l4ntern", "1661"),
        *("\U00010570" * 4, "\u624b\u624b\u624b\u624b"),
    ],
)
def test_finds_nothing_rather_than_something_else(index: Index, word: str) -> None:
    for name in ("Drive", "Cat", "Lantern", "Card 1660"):
        make_goods(name)
    found = index.found(word)
    assert (found.total, found.did_you_mean) == (0, None)


def test_a_word_that_is_mistyped_beside_another_word_is_found(index: Index) -> None:
    make_goods("Smartwatch 1660")
    found = index.found("smrtwacth 1660")
    assert (found.total, found.relaxed) == (1, True)


def test_takes_a_word_that_nothing_has_for_one_like_it_and_says_so(index: Index) -> None:
    make_goods("Stoneware mug")
    make_goods("Lantern")
    found = index.found("stonewrae mug")
    assert [hit.name_html for hit in found.hits] == ["<mark>Stoneware</mark> <mark>mug</mark>"]
    assert (found.relaxed, found.did_you_mean) == (True, "stoneware mug")


@pytest.mark.parametrize("q", ["", "mug", "mugg", "mug no-such-thing"])
def test_an_empty_index_finds_nothing(index: Index, q: str) -> None:
    found = index.found(q)
    assert (found.total, found.did_you_mean, list(found.hits)) == (0, None, [])


def test_what_is_only_mentioned_somewhere_is_not_what_a_search_is_about(index: Index) -> None:
    make_goods("Television", attributes={"Apps": ["Netflix, YouTube"]})
    make_goods("Remote control", description="With a key for Netflix.")
    assert index.found("netflix").total == 0
    make_goods("Netflix voucher")
    assert index.names("netflix")[0] == "Netflix voucher"


def test_does_not_leave_out_what_the_search_is_about(index: Index) -> None:
    for n in range(12):
        make_goods(f"Steel pot {n}", slug=f"pot-{n}")
    make_goods("Steel lantern")
    assert index.found("steel pot kettle").total == 0
    found = index.found("steel pot lantren")
    assert [hit.name_html for hit in found.hits] == ["<mark>Steel</mark> <mark>lantern</mark>"]
    assert (found.relaxed, found.did_you_mean) == (True, "steel pot lantern")


def test_what_is_sold_out_comes_after_what_can_be_bought(index: Index) -> None:
    make_goods("Mug", slug="first", units=0)
    second = make_goods("Mug", slug="second")
    make_goods("Mug", slug="third", units=0)
    assert index.found("mug").hits[0].product_id == second.pk


def test_a_boost_moves_a_product_up_and_none_when_an_order_is_asked_for(index: Index) -> None:
    first, second = make_goods("Mug", slug="a"), make_goods("Mug", slug="b")
    for product in (first, second):
        rule = Rule(words=frozenset(), factor=3.0, product_id=product.pk)
        boosted = Rules(boosts=(rule,))
        assert index.found("mug", rules=boosted).hits[0].product_id == product.pk
        in_order = index.found("mug", sort="name", rules=boosted)
        assert in_order.hits[0].product_id == first.pk


def test_a_boost_of_a_query_counts_for_what_is_taken_for_it(index: Index) -> None:
    first, second = make_goods("Lantern", slug="a"), make_goods("Lantern", slug="b")
    for product in (first, second):
        boost = Rule(words=key_of(["lantern"]), factor=3.0, product_id=product.pk)
        found = index.found("lantren", rules=Rules(boosts=(boost,)))
        assert (found.hits[0].product_id, found.total) == (product.pk, 2)
    boost = Rule(words=key_of(["lantren"]), factor=3.0, product_id=first.pk)
    found = index.found("lantren", rules=Rules(boosts=(boost,)))
    assert found.hits[0].product_id == second.pk  # the newest of equals


def test_an_empty_search_finds_nothing_and_says_who_was_asked(index: Index) -> None:
    make_goods("Cover for Tablet Pro")
    empty = Rules(empty=empty_of([EmptySearch(query="tablet pro")]))
    for q in ("tablet pro", "tablte pro"):
        found = index.found(q, rules=empty)
        assert found.total == 1
        kept = searching.search(Wanted(q=q), rules=empty)
        assert kept == Found(engine=found.engine)


def test_pages_do_not_overlap(index: Index) -> None:
    for number in range(7):
        make_goods("Mug", slug=f"mug-{number}")
    for sort in ("relevance", "newest", "name", "-name", "price", "-price"):
        pages = [index.found("mug", sort=sort, page=n, page_size=3) for n in (1, 2, 3, 4)]
        ids = [hit.product_id for page in pages for hit in page.hits]
        assert len(ids) == len(set(ids)) == 7
        assert {page.total for page in pages} == {7}


def test_keeps_an_answer_until_the_index_changes(index: Index) -> None:
    first = make_goods("Mug", slug="first")
    assert index.found("mug").total == 1
    before = _answers_kept()
    again = engine.search(Wanted(q="mug"), rules=Rules())
    assert (again.total, _answers_kept()) == (1, before + 1)
    Product.objects.filter(pk=first.pk).update(is_published=False)
    assert index.found("mug").total == 0


def _answers_kept() -> int:
    """How often the engine has answered with what it had answered before."""
    kept = client.client().indices.stats(index=ALIAS, metric="request_cache")
    return int(kept["_all"]["total"]["request_cache"]["hit_count"])


def test_selects_by_an_attribute_whatever_its_name(index: Index) -> None:
    make_goods("Light mug", attributes={"Weight [kg] > x": ["1"]})
    make_goods("Heavy mug", attributes={"Weight [kg] > x": ["2"]})
    assert index.names("mug", attributes={"Weight [kg] > x": ("1",)}) == ["Light mug"]


def test_all_questions_of_a_search_share_its_time(
    index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_goods("Lantern")
    index.fill()
    moments = itertools.count()  # each look at the clock is a second later than the last
    monkeypatch.setattr(client, "time", SimpleNamespace(monotonic=lambda: next(moments)))
    monkeypatch.setattr(client, "SEARCH_TIMEOUT", 10)
    engine.search(Wanted(q="lantren"), rules=Rules())
    monkeypatch.setattr(client, "SEARCH_TIMEOUT", 2)  # enough for the first question
    with pytest.raises(ConnectionTimeout):
        engine.search(Wanted(q="lantren"), rules=Rules())


def test_what_is_said_several_times_asks_for_nothing_more(index: Index) -> None:
    make_goods("Cable hub")
    make_goods("Mug")
    assert index.found("mug mug mug hub").total == 0


def test_a_mistyped_part_of_a_word_with_a_hyphen_is_found(index: Index) -> None:
    make_goods("Anti-slip mat")
    found = index.found("anti-slpi")
    assert (found.total, found.relaxed) == (1, True)


def test_a_word_that_is_mistyped_may_say_nothing(index: Index) -> None:
    make_goods("Mug with lid")
    make_goods("Mug, lid")
    found = index.found("mug wiht lid")
    assert (found.total, found.did_you_mean) == (2, "mug with lid")
    assert index.found("wiht").total == 0


def test_a_part_of_an_sku_may_be_a_word_that_says_nothing(index: Index) -> None:
    make_goods("Mug", sku="A-12-IN")
    assert index.names("a 12 in") == ["Mug"]


def test_an_sku_of_signs_alone_is_not_found_with_everything(index: Index) -> None:
    make_goods("Mug", sku="---")
    make_goods("Lantern")
    assert index.names("lantren") == ["Lantern"]


def test_a_word_that_is_only_mentioned_is_taken_for_no_other(index: Index) -> None:
    make_goods("Drono")
    make_goods("Drive", description="No drone.")
    found = index.found("drone")
    assert (found.total, found.did_you_mean) == (0, None)
