"""What is no search, straight at the engine: words, and nothing else."""

import pytest

from apps.catalog.search import engine
from apps.catalog.search.rules import Rules
from apps.catalog.search.tests.engine.index import Index
from apps.catalog.search.tests.goods import make_goods
from apps.catalog.search.tests.test_bad_input import HARMLESS
from apps.catalog.search.wanted import Wanted
from apps.catalog.search.words import FEW, MOST_WORDS

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


@pytest.mark.parametrize("number", [8, 40])
def test_words_that_many_are_like_have_no_more_clauses_than_an_engine_takes(
    index: Index, number: int
) -> None:
    words = [f"{first}{second}inglys" for first in "mnop" for second in "stuvwxyzab"][:number]
    for word in words:
        like = [f"{word[:4]}{a}{b}{word[6:]}" for a in "abcdefghij" for b in "cdefg"]
        few = {f"Like {n}": [" ".join(like[n : n + 4])] for n in range(0, 50, 4)}
        product = make_goods(" ".join(like[:20]), sku=word, slug=word, attributes=few)
        for n in range(0, 50, 10):
            product.variants.create(sku=like[n], name=" ".join(like[n : n + 10]), price=1)
    wrong = " ".join(f"{word[:4]}qq{word[6:]}" for word in words)
    assert index.found(wrong).total == 0  # no product has them all


def test_forty_words_may_each_be_written_in_many_ways(index: Index) -> None:
    make_goods("Mug")
    words = [f"ab{number}cd{number}" for number in range(MOST_WORDS)]
    assert index.found(" ".join(words)).total == 0
    assert index.found(" ".join(words[:FEW])).total == 0


def test_an_operator_or_wildcard_selects_nothing_more(index: Index) -> None:
    make_goods("Mug")
    make_goods("Pan")
    for q in ("mug OR pan", "mug | pan", "*", "m*", "p?n", "/.*/", "name:pan", "_id:*", "-mug"):
        assert "Pan" not in index.names(q) or q in ("mug OR pan", "mug | pan", "name:pan"), q
    assert index.names("*") == []
    for value in ("*", "larch OR hardwick", "../..", '"', "x" * 10_000):
        assert index.found("", brands=(value,), attributes={value[:40]: (value,)}).total == 0
