"""What people and programs send that is no search: refused by name, or harmless."""

from typing import Any

import pytest

from apps.catalog.search.tests.goods import SUGGEST, URL, make_goods
from apps.catalog.search.vocabulary import refresh_vocabulary
from tests.clients import guest

pytestmark = pytest.mark.django_db

REFUSED: list[tuple[str, Any]] = [
    ("q", "x" * 10_000),
    ("q", "mug\x00"),
    ("colour", "Red"),
    ("q__in", "mug"),
    ("brand", ["x"] * 51),
    ("brand", "x" * 111),
    ("attribute", "Colour"),
    ("attribute", ":Red"),
    ("attribute", "Colour:"),
    ("attribute", "x" * 82),
    ("attribute", [f"Name {n}:x" for n in range(9)]),
    ("price_min", "-1"),
    ("price_min", "NaN"),
    ("price_max", "Infinity"),
    ("price_max", "1e999999999"),
    ("price_max", "9" * 5000),
    ("price_min", "0.001"),
    ("price_min", "cheap"),
    ("in_stock", "maybe"),
    ("sort", "id"),
    ("sort", "name,price"),
    ("sort", "name; DROP TABLE catalog_product"),
    ("page", "0"),
    ("page", "-1"),
    ("page", str(10**6)),
    ("page", "9" * 5000),
    ("page", "first"),
    ("page_size", "0"),
    ("page_size", "-5"),
    ("page_size", "many"),
    ("page", "1_0"),
    ("page", "\u0661"),
    ("page", " 1"),
    ("page", "+1"),
    ("page_size", "1_0"),
    ("page_size", "\uff11"),
    ("price_min", "\u0661"),
    ("price_max", "1_000"),
    ("price_max", "1e1"),
    ("price_min", "-0"),
    ("price_min", "5."),
    ("q", ["mug", "pan"]),
    ("sort", ["name", "price"]),
    ("in_stock", ["true", "false"]),
    ("price_min", ["1", "2"]),
    ("price_max", ["1", "1"]),
    ("page", ["1", "2"]),
    ("page_size", ["1", ""]),
    ("page", ""),
    ("page_size", ""),
    ("sort", ""),
    ("in_stock", ""),
    ("price_min", ""),
    ("price_max", ""),
    ("brand", ""),
    ("category", ["kitchen", ""]),
    ("attribute", ""),
    ("attribute", ["x:1"] * 51),
    ("category", ["x"] * 51),
]


@pytest.mark.parametrize(("name", "value"), REFUSED)
def test_is_refused_by_the_name_of_its_parameter(name: str, value: Any) -> None:
    make_goods("Mug")
    answer = guest().get(URL, {name: value})
    assert answer.status_code == 400, answer.content
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["code"] == "invalid"
    assert list(answer.json()["errors"]) == [name]


HARMLESS = [
    "mug' OR 1=1 --",
    "mug & | ! <-> :* ( )",
    "'''",
    "\\",
    "\\'",
    "%",
    "_____",
    "*",
    "mug*",
    "name:mug",
    "+mug -pan ~2 ^4",
    '"mug',
    "mug AND OR NOT",
    "{{7*7}} ${x}",
    "the of and",
    "\x01\x02\x03\x1b[31m",
    "\u202e\u200b\ufeff",
    "é́́́́",
    "ﬃ ½ ß ø",
    "马克杯",
    "кружка",
    "🫖",
    "-",
    "- - -",
    "a-b-c-d-e-f",
    "1 2 3 4 5",
    "9" * 299,
    "x" * 300,
    "x-" * 150,
    "힣" * 300,
    "ﷴ" * 300,
    "ﷴ" * 250 + " 1",
    "-".join(["blqx", "bmqx", "bnqx"] * 20),
    "mug " * 75,
    " ".join(f"w{n}" for n in range(75)),
    "a1b2c3d4e5",
]


@pytest.mark.parametrize("text", HARMLESS)
def test_is_only_words_to_the_search(text: str) -> None:
    make_goods("Mug")
    refresh_vocabulary()
    assert guest().get(URL, {"q": text}).status_code == 200
    assert guest().get(SUGGEST, {"q": text}).status_code == 200


def test_an_odd_value_that_means_something_is_taken() -> None:
    make_goods("Mug")
    for params in (
        {"q": ""},
        {"q": "   "},
        {"page_size": 10**6},
        {"price_min": "10", "price_max": "5.5"},
        {"page": "007"},
        {"brand": ["no-such", "no-such"]},
        {"category": ["no-such", "neither"]},
        {"attribute": "No such:thing"},
        {"attribute": "a:b:c"},
    ):
        answer = guest().get(URL, params)
        assert answer.status_code == 200, (params, answer.content)
        assert answer.json()["page_size"] <= 100


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_nobody_can_write(method: str) -> None:
    assert getattr(guest(), method)(URL).status_code == 405


def test_a_suggestion_refuses_what_a_search_refuses() -> None:
    for params in ({"q": "x" * 301}, {"q": "\x00"}, {"q": ["a", "b"]}, {"limit": "10"}):
        assert guest().get(SUGGEST, params).status_code == 400
