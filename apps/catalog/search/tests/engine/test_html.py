"""What is shown of a product that was found, as HTML."""

import pytest

from apps.catalog.search import engine, postgres
from apps.catalog.search.rules import Rules
from apps.catalog.search.tests.engine.index import Index
from apps.catalog.search.tests.goods import make_goods
from apps.catalog.search.wanted import Wanted

pytestmark = pytest.mark.django_db


def test_escapes_what_is_no_markup_of_ours(index: Index) -> None:
    make_goods("Mug <script>alert(1)</script> & co", slug="evil", description='A "mug" <b>')
    for q in ("mug", ""):
        (hit,) = index.found(q).hits
        for text in (hit.name_html, hit.excerpt_html):
            plain = text.replace("<mark>", "").replace("</mark>", "")
            assert "<" not in plain
    (hit,) = index.found("mug").hits
    assert hit.name_html.startswith("<mark>Mug</mark> &lt;script&gt;")


def test_shows_no_character_that_html_has_no_place_for(index: Index) -> None:
    make_goods("\x02Mug\x1b", slug="mug", description="A\x03 \x7fmug\x01.\tBlue\n")
    index.fill()
    for each in (engine, postgres):
        (hit,) = each.search(Wanted(q="mug"), rules=Rules()).hits
        assert hit.name_html == "<mark>Mug</mark>"
        assert hit.excerpt_html.strip() == "A <mark>mug</mark>.\tBlue"
        (hit,) = each.search(Wanted(), rules=Rules()).hits
        assert (hit.name_html, hit.excerpt_html) == ("Mug", "")
