"""What is no search, straight at the engine: words, and nothing else."""

import pytest

from apps.catalog.search import engine
from apps.catalog.search.engine import asking
from apps.catalog.search.rules import Rules
from apps.catalog.search.tests.engine.index import Index
from apps.catalog.search.tests.goods import make_goods
from apps.catalog.search.tests.test_bad_input import HARMLESS
from apps.catalog.search.wanted import Wanted

pytestmark = pytest.mark.django_db

_LONG = [
    *("x" * 10_000, "mug " * 2500, "a-" * 5000, "mugg " + "a-" * 5000),
    " ".join(f"w{n}" for n in range(2000)),
]


def test_is_only_words_to_the_engine(index: Index) -> None:
    make_goods("Mug")
    make_goods("Pan")
    index.fill()
    for text in [*HARMLESS, *_LONG]:
        engine.search(Wanted(q=text), rules=Rules())


def test_forty_words_have_no_more_clauses_than_an_engine_takes(index: Index) -> None:
    words = [f"{first}{second}ing" for first in "mnop" for second in "stuvwxyzab"]
    for word in words:
        make_goods(word, sku=word)
    assert index.found(" ".join(words)).total == 0  # none has three quarters of them


def test_what_is_longer_than_any_word_is_not_taken_for_another() -> None:
    near = str(asking.mistyped(["x" * 41, "mugs"], groups=()).query)
    assert near.count("fuzziness") == 1  # of the mugs


def test_an_operator_or_wildcard_selects_nothing_more(index: Index) -> None:
    make_goods("Mug")
    make_goods("Pan")
    for q in ("mug OR pan", "mug | pan", "*", "m*", "p?n", "/.*/", "name:pan", "_id:*", "-mug"):
        assert "Pan" not in index.names(q) or q in ("mug OR pan", "mug | pan", "name:pan"), q
    assert index.names("*") == []
    for value in ("*", "larch OR hardwick", "../..", '"', "x" * 10_000):
        assert index.found("", brands=(value,), attributes={value[:40]: (value,)}).total == 0
