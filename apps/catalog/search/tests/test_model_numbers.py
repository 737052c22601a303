"""Decimals, model numbers and SKUs, however they are written."""

import pytest

from apps.catalog.search.models import Word
from apps.catalog.search.tests.goods import SUGGEST, URL, answer, make_goods, names
from apps.catalog.search.vocabulary import refresh_vocabulary
from tests.clients import guest

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("written", ["USB 3.0 cable", "USB3.0 cable"])
@pytest.mark.parametrize("q", ["usb 3.0", "usb3.0", "usb3", "usb 3", "USB-3.0", "cable usb 3"])
def test_finds_a_version_with_its_zero_and_without(q: str, written: str) -> None:
    make_goods(written)
    make_goods("USB 2.0 cable with 3 plugs and 0 adapters")
    assert names(q=q)[0] == written


@pytest.mark.parametrize("written", ["Jack 3.5mm", "Jack 3.5 mm", "Jack (3.5mm)."])
@pytest.mark.parametrize("q", ["3.5mm", "3.5 mm", "jack 3.5mm"])
def test_finds_a_measure_with_and_without_a_space(q: str, written: str) -> None:
    make_goods(written)
    make_goods("Jack 5 mm, 3 of them")
    assert names(q=q) == [written]


def test_a_decimal_is_one_word() -> None:
    make_goods("Laptop 15.6")
    make_goods("Laptop 15 with 6 keys")
    assert names(q="15.6 laptop") == ["Laptop 15.6"]
    assert names(q="laptop 15") == ["Laptop 15 with 6 keys"]


def test_a_part_that_says_nothing_does_not_vanish() -> None:
    make_goods("Laptop i7")
    make_goods("Cable of 7 m, a 4 pin plug")
    make_goods("Paper A4")
    assert (names(q="i7"), names(q="a4")) == (["Laptop i7"], ["Paper A4"])


def test_what_only_has_another_version_does_not_come_first() -> None:
    make_goods("USB 2.0 hub", description="With 3 ports, 0 fans and USB 2.0, USB 2.0.")
    make_goods("Hub with four ports and a lamp", attributes={"Ports": ["USB 3.0"]})
    assert names(q="usb 3.0 hub")[0] == "Hub with four ports and a lamp"


@pytest.mark.parametrize(
    ("written", "qs"),
    [
        ("HP364XL", ["hp364xl", "hp 364 xl", "hp364 xl", "hp 364xl", "HP-364XL"]),
        ("HP 364 XL", ["hp364xl", "hp 364xl", "hp364 xl"]),
        ("core2duo", ["core 2 duo", "core2 duo", "core2duo"]),
        ("Core 2 Duo", ["core2duo", "core2 duo"]),
        ("P238C", ["p238c", "p 238 c", "p238 c"]),
        ("WH-1000XM4", ["wh1000xm4", "wh 1000 xm4", "wh-1000xm4", "1000 xm 4"]),
    ],
)
def test_finds_letters_and_digits_as_one_word_or_as_several(
    written: str, qs: list[str]
) -> None:
    make_goods(f"Thing {written}", sku="A")
    make_goods("Thing HP 300 XL core P236C", sku="B")
    assert {q: names(q=q) for q in qs} == {q: [f"Thing {written}"] for q in qs}


@pytest.mark.parametrize(
    "q", ["ICE-1399", "ice1399", "ice 1399", "1399", "router ice-1399", "ice 1399 router"]
)
def test_finds_an_sku_however_it_is_written(q: str) -> None:
    make_goods("Router", sku="ICE-1399")
    make_goods("Router", slug="other", sku="ICE-1400")
    assert [product["slug"] for product in answer(q=q)["results"]] == ["router"]


def test_finds_an_sku_of_many_parts_before_the_words_were_counted() -> None:
    make_goods("Router", sku="AB-12-CD")
    for q in ("ab 12 cd", "ab-12 cd", "ab12cd"):
        assert guest().get(URL, {"q": q}).json()["total"] == 1, q
    assert guest().get(URL, {"q": "ab 13 cd"}).json()["total"] == 0


def test_a_part_of_an_sku_may_be_a_word_that_says_nothing() -> None:
    make_goods("Router", sku="A-12-IN")
    assert guest().get(URL, {"q": "a 12 in"}).json()["total"] == 1


def test_how_all_skus_begin_is_no_word() -> None:
    make_goods("Router", sku="ICE-1399")
    make_goods("Bowl", sku="ICE-1400-Blue")
    for q in ("ice", "blue", "rice", "bleu"):
        found = answer(q=q)
        assert (found["total"], found["did_you_mean"]) == (0, None), q
    assert not Word.objects.filter(word__contains="ice").exists()


def test_an_sku_of_letters_is_found_as_a_whole() -> None:
    make_goods("Router", sku="Flagship")
    make_goods("Bowl", sku="FLAG-SHIP")
    assert sorted(names(q="flagship")) == ["Bowl", "Router"]


@pytest.mark.parametrize("q", ["ICE-13", "ice13", "ice 13", "139"])
def test_suggests_a_product_whose_sku_begins_like_it(q: str) -> None:
    make_goods("Router", sku="ICE-1399")
    make_goods("Bowl", sku="ICE-1400")
    refresh_vocabulary()
    suggested = guest().get(SUGGEST, {"q": q}).json()
    assert [product["name"] for product in suggested["products"]] == ["Router"]


@pytest.mark.parametrize("q", ["dvi-i", "DVI-I cable", "cable dvi-i"])
def test_a_part_that_says_nothing_does_not_vanish_behind_a_hyphen(q: str) -> None:
    make_goods("Cable DVI-I")
    make_goods("Cable DVI")
    make_goods("Cable DVI-D, i of 2")
    assert names(q=q) == ["Cable DVI-I"]


@pytest.mark.parametrize("q", ["all-in-one", "in-ear", "plug-in"])
def test_finds_a_word_of_which_parts_say_nothing(q: str) -> None:
    make_goods("Allinone with an in-ear plug-in", sku="A")
    make_goods("All-in-one with an inear plugin", sku="B")
    make_goods("One ear, one plug", sku="C")
    assert answer(q=q)["total"] == 2


def test_of_a_word_that_nobody_knows_the_parts_that_say_something_are_looked_for() -> None:
    make_goods("New mug")
    assert names(q="as-new mug") == ["New mug"]
    make_goods("Mug, as-new")
    assert names(q="as-new mug") == ["Mug, as-new"]
