"""Pages of results, what is marked in them, and what they cost."""

import json
from collections.abc import Iterator

import pytest
from pytest_django import Settings

from apps.catalog.search import rules
from apps.catalog.search.tests.goods import SUGGEST, URL, answer, make_goods
from apps.catalog.search.vocabulary import refresh_vocabulary
from tests.clients import guest
from tests.limits import forget_calls
from tests.statements import counted

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("sort", ["relevance", "newest", "name", "-name", "price", "-price"])
@pytest.mark.parametrize("q", ["", "mug"])
def test_pages_do_not_overlap_and_leave_nothing_out(q: str, sort: str) -> None:
    for n in range(11):
        make_goods("Mug", slug=f"mug-{n}", units=n % 2)
    seen = [
        product["slug"]
        for page in (1, 2, 3, 4)
        for product in answer(q=q, sort=sort, page=page, page_size=3)["results"]
    ]
    assert sorted(seen) == sorted(f"mug-{n}" for n in range(11))
    beyond = answer(q=q, sort=sort, page=5, page_size=3)
    assert (beyond["results"], beyond["total"]) == ([], 11)


def test_marks_what_matched_and_escapes_all_else() -> None:
    make_goods(
        "<img src='mug'> & \x02Mugs\x03 <i>mug</i>",
        slug="evil",
        description='For "mugs" & <b>every</b> mug\'s handle.',
    )
    product = answer(q="mug")["results"][0]
    assert product["name_html"] == (
        "&lt;img src=&#x27;<mark>mug</mark>&#x27;&gt; &amp; <mark>Mugs</mark>"
        " &lt;i&gt;<mark>mug</mark>&lt;/i&gt;"
    )
    excerpt = product["excerpt_html"]
    assert "<mark>mugs</mark>&quot; &amp; " in excerpt
    assert "<" not in excerpt.replace("<mark>", "").replace("</mark>", "")


def test_marks_accents_and_shows_no_excerpt_where_nothing_matched() -> None:
    make_goods("Café press", description="Brews.")
    product = answer(q="cafe")["results"][0]
    assert product["name_html"] == "<mark>Café</mark> press"
    assert product["excerpt_html"] == ""


MARKED = [
    ("laptop", "Desktop/Laptop", "Desktop/<mark>Laptop</mark>"),
    ("hd4646", "Kettle HD4646/00", "Kettle <mark>HD4646</mark>/00"),
    ("scanner", "printer/scanner.part", "printer/<mark>scanner</mark>.part"),
    ("2.4 ghz", "Mouse,2.4GHz~2.5", "Mouse,<mark>2.4GHz</mark>~2.5"),
    ("usb 3", "USB 3.0 hub", "<mark>USB</mark> <mark>3.0</mark> hub"),
    ("dir655", "D-Link DIR-655", "D-Link <mark>DIR-655</mark>"),
    ("smørrebrød", "Smorrebrod & knives", "<mark>Smorrebrod</mark> &amp; knives"),
    ("key ring", "Smørrebrød keys_rings", "Smørrebrød <mark>keys</mark>_<mark>rings</mark>"),
]


@pytest.mark.parametrize(("q", "name", "marked"), MARKED)
def test_marks_words_wherever_they_stand(q: str, name: str, marked: str) -> None:
    make_goods(name, description="A knife.")
    assert answer(q=q)["results"][0]["name_html"] == marked


def test_shows_where_most_of_what_matched_stands_together() -> None:
    before, between = "It is blue. " + "one two " * 30, " three four" * 30
    description = f"{before}A blue enamel mug, washed{between} by a mug. {between}"
    make_goods("Blue enamel mug", description=description)
    excerpt = answer(q="blue enamel mug")["results"][0]["excerpt_html"]
    assert "A <mark>blue</mark> <mark>enamel</mark> <mark>mug</mark>, washed" in excerpt
    assert excerpt.startswith("It is <mark>blue</mark>. one two")
    assert excerpt.count(" … ") == 1
    assert len(excerpt.replace("<mark>", "").replace("</mark>", "").split()) == 2 * 20 + 1


def test_a_search_for_mark_up_is_answered_without_any() -> None:
    make_goods("Script lantern")
    found = answer(q="<script>lanetrn</script>")
    assert found["did_you_mean"] == "script lantern script"
    assert "<script>" not in json.dumps(found)


def test_takes_as_many_statements_for_one_product_as_for_twenty() -> None:
    make_goods("Mug", slug="first")
    refresh_vocabulary()
    costs = []
    for count in (1, 20):
        for n in range(count):
            make_goods(
                "Mug",
                slug=f"mug-{count}-{n}",
                brand=f"Brand {n}",
                attributes={"Colour": [f"{n}"]},
            )
        rules.forget()
        with counted() as statements:
            guest().get(URL, {"q": "mug", "brand": "brand-1", "attribute": "Colour:1"})
        costs.append(len(statements))
    assert costs[0] == costs[1] <= 17, costs


def test_the_schema_shows_an_example_of_each_parameter_that_the_shop_takes() -> None:
    schema = guest().get("/api/schema/", {"format": "json"}).json()
    for url in (URL, SUGGEST):
        parameters = schema["paths"][url]["get"]["parameters"]
        assert parameters
        for parameter in parameters:
            (example,) = parameter["examples"].values()
            asked = guest().get(url, {parameter["name"]: example["value"]})
            assert asked.status_code == 200, (parameter["name"], asked.content)


def test_suggests_searches_that_find_something_and_products() -> None:
    for name in ("Stoneware mug", "Stoneware bowl", "Stool", "Pan"):
        make_goods(name)
    refresh_vocabulary()
    answered = guest().get(SUGGEST, {"q": "sto"})
    assert answered.headers["Cache-Control"] == "max-age=60"
    suggested = answered.json()
    assert suggested["queries"] == ["stoneware", "stool"]
    assert {each["name"] for each in suggested["products"]} == {
        "Stoneware mug",
        "Stoneware bowl",
        "Stool",
    }
    both = guest().get(SUGGEST, {"q": "Stoneware B"}).json()
    assert both["queries"] == ["stoneware bowl"]
    assert [each["name"] for each in both["products"]] == ["Stoneware bowl"]
    assert guest().get(SUGGEST, {"q": ""}).json()["queries"] == []
    assert guest().get(SUGGEST, {"q": "xyz"}).json()["products"] == []


def test_suggests_what_is_typed_with_letters_of_other_languages() -> None:
    make_goods("Smørrebrød Łódź")
    refresh_vocabulary()
    for q in ("smør", "SMØRREBRØD łó", "smorrebrod lo"):
        suggested = guest().get(SUGGEST, {"q": q}).json()
        assert [each["name"] for each in suggested["products"]] == ["Smørrebrød Łódź"]
        assert len(suggested["queries"]) == 1


@pytest.mark.parametrize(
    ("q", "suggested"),
    [
        ("w", ["wire"]),
        ("cable w", ["cable wire"]),
        *((q, []) for q in ("th", "inc", "bes", "in", "cable f", "cable for")),
    ],
)
def test_suggests_no_word_that_is_not_looked_for(q: str, suggested: list[str]) -> None:
    make_goods("The best cable for boxes, with plugs, inches long, and of wire")
    refresh_vocabulary()
    assert guest().get(SUGGEST, {"q": q}).json()["queries"] == suggested


@pytest.fixture
def low_rate(settings: Settings) -> Iterator[None]:
    settings.THROTTLE_RATES = settings.THROTTLE_RATES | {"search": 2, "suggest": 3}
    yield
    forget_calls()


@pytest.mark.usefixtures("low_rate")
def test_refuses_who_searches_too_often_but_not_who_types() -> None:
    codes = [guest().get(URL, REMOTE_ADDR="192.0.2.1").status_code for _ in range(3)]
    assert codes == [200, 200, 429]
    codes = [guest().get(SUGGEST, REMOTE_ADDR="192.0.2.1").status_code for _ in range(4)]
    assert codes == [200, 200, 200, 429]
