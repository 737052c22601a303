"""Names and descriptions as HTML, with <mark> around what a search has matched."""

from collections.abc import Sequence
from html import escape

from apps.catalog.search.postgres.database import rows
from apps.catalog.search.postgres.matching import Match
from apps.catalog.search.wanted import Hit

# Nobody types them, and what has them in a text loses them first: only then is it escaped.
_OPEN, _CLOSE = "\x02", "\x03"

_HEADLINES = """
    SELECT
        product.id,
        ts_headline(
            'search_english', translate(product.name, %(marks)s, ''),
            %(stems)s::tsquery, 'HighlightAll=true, ' || %(options)s
        ),
        ts_headline(
            'search_english', translate(left(product.description, 20000), %(marks)s, ''),
            %(stems)s::tsquery, 'MaxFragments=2, MaxWords=20, MinWords=8, ' || %(options)s
        )
    FROM catalog_product AS product WHERE product.id = ANY(%(ids)s)
"""
_NAMES = "SELECT id, name, '' FROM catalog_product WHERE id = ANY(%(ids)s)"


def hits(ids: Sequence[int], *, match: Match) -> list[Hit]:
    """A hit for each id, in that order."""
    params = {
        "ids": list(ids),
        "stems": match.stems,
        "marks": _OPEN + _CLOSE,
        "options": f'StartSel={_OPEN}, StopSel={_CLOSE}, FragmentDelimiter=" … "',
    }
    found = rows(_HEADLINES if match.stems else _NAMES, params)
    texts = {pk: (name, excerpt) for pk, name, excerpt in found}
    # A product that was deleted meanwhile is no hit any more.
    return [_hit(pk, *texts[pk]) for pk in ids if pk in texts]


def _hit(pk: int, name: str, excerpt: str) -> Hit:
    return Hit(
        product_id=pk,
        name_html=_html(name),
        excerpt_html=_html(excerpt) if _OPEN in excerpt else "",
    )


def _html(text: str) -> str:
    return escape(text).replace(_OPEN, "<mark>").replace(_CLOSE, "</mark>")
