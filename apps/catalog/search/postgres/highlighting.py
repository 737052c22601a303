"""Names and descriptions as HTML, with <mark> around what a search has matched."""

from bisect import bisect_right
from collections.abc import Sequence
from html import escape

from apps.catalog.search.postgres.database import rows
from apps.catalog.search.postgres.marking import Place, Stems, Text
from apps.catalog.search.postgres.matching import Match
from apps.catalog.search.wanted import Hit, as_html_has_it

# In what follows of a description nothing is marked.
_TEXTS = """
    SELECT id, name, left(description, 20000) FROM catalog_product WHERE id = ANY(%(ids)s)
"""
_NAMES = "SELECT id, name, '' FROM catalog_product WHERE id = ANY(%(ids)s)"
# Of an excerpt; words of each fragment, and of those the ones before what matched.
_FRAGMENTS, _WORDS, _BEFORE = 2, 20, 5
_LOOKED_AT = 100  # of what matched, to choose the fragments: each is compared with each


def hits(ids: Sequence[int], *, match: Match) -> list[Hit]:
    """A hit for each id, in that order."""
    found = rows(_TEXTS if match.marked else _NAMES, {"ids": list(ids)})
    texts = {pk: (_text(name), _text(description)) for pk, name, description in found}
    stems = Stems((text for both in texts.values() for text in both), phrases=match.marked)
    # A product that was deleted meanwhile is no hit any more.
    shown = ((pk, *texts[pk]) for pk in ids if pk in texts)
    return [
        Hit(
            product_id=pk,
            name_html=_html(name.text, stems.places_in(name), (0, len(name.text))),
            excerpt_html=_excerpt(description, stems.places_in(description)),
        )
        for pk, name, description in shown
    ]


def _text(written: str) -> Text:
    return Text(as_html_has_it(written))


def _excerpt(text: Text, marks: Sequence[Place]) -> str:
    """Where most of what matched stands together; "" if nothing did."""
    fragments = sorted(_fragments(text, marks))
    return " … ".join(_html(text.text, marks, fragment) for fragment in fragments)


def _fragments(text: Text, marks: Sequence[Place]) -> list[Place]:
    """Those with the most different marks, none of which shares a word with another."""
    marks = marks[:_LOOKED_AT]
    starts = [start for start, _ in text.words]
    last = max(0, len(starts) - _WORDS)
    firsts = {min(last, max(0, bisect_right(starts, at) - 1 - _BEFORE)) for at, _ in marks}
    marked = {
        first: {text.text[at:to].lower() for at, to in marks if start <= at and to <= end}
        for first in firsts
        for start, end in [_fragment(text, first)]
    }
    chosen: list[int] = []
    for first in sorted(firsts, key=lambda first: (-len(marked[first]), first)):
        if len(chosen) < _FRAGMENTS and all(abs(first - one) >= _WORDS for one in chosen):
            chosen.append(first)
    return [_fragment(text, first) for first in chosen]


def _fragment(text: Text, first: int) -> Place:
    behind = first + _WORDS
    start = text.words[first][0] if first else 0
    return start, text.words[behind - 1][1] if behind < len(text.words) else len(text.text)


def _html(text: str, marks: Sequence[Place], shown: Place) -> str:
    """What is shown of the text, escaped."""
    place, end = shown
    pieces: list[str] = []
    for start, stop in marks:
        if place <= start and stop <= end:
            marked = f"<mark>{escape(text[start:stop])}</mark>"
            pieces += [escape(text[place:start]), marked]
            place = stop
    return "".join([*pieces, escape(text[place:end])])
