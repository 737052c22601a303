"""What is shown of a product that was found, as HTML."""

import pytest

from apps.catalog.search.tests.engine.index import Index
from apps.catalog.search.tests.goods import make_goods

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
