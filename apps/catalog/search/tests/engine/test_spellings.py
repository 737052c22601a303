"""A word is one in both of its spellings, for an engine and for PostgreSQL."""

from itertools import chain

import pytest

from apps.catalog.models import Product
from apps.catalog.search import engine, postgres
from apps.catalog.search.models import Synonym
from apps.catalog.search.rules import Rules
from apps.catalog.search.spellings import PAIRS, other_spelling, same_word
from apps.catalog.search.synonyms import groups_of
from apps.catalog.search.tests.engine.index import Index
from apps.catalog.search.tests.goods import make_goods
from apps.catalog.search.wanted import Found, Wanted

pytestmark = pytest.mark.django_db

_SYNONYMS = "television, tv", "couch, grey sofa", "chair, settee"
_NAMES = [
    "TV",
    "Stand for TVs",
    "Television",
    "Blank DVDs",
    "Rug, grey",
    "Gray sofa",
    "Multi-color lights",
    "Wedding centrepiece",
    "Center piece",
    "Whiskey",
    "Adaptor made of steel, with a long cable",
    "Adapter, red",
    "Adapter, blue",
    "Adapter, white",
    "Labels, 100 pcs",
    "PC",
    "GPS receiver",
    "Paper GP 501",
    "Organic shirt",
    "Coloring book in leather",
]
_FOUND = {
    "tv": ["Stand for TVs", "TV", "Television"],
    "TVs": ["Stand for TVs", "TV", "Television"],
    "television": ["Stand for TVs", "TV", "Television"],
    "dvd": ["Blank DVDs"],
    "dvds": ["Blank DVDs"],
    "gray": ["Gray sofa", "Rug, grey"],
    "grey": ["Gray sofa", "Rug, grey"],
    "grey sofa": ["Gray sofa"],
    "couch": ["Gray sofa"],
    "multi-colour": ["Multi-color lights"],
    "multi-colour lights": ["Multi-color lights"],
    "centre piece": ["Center piece", "Wedding centrepiece"],
    "whisky": ["Whiskey"],
    "whiskies": ["Whiskey"],
    "pc": ["PC"],
    "gps": ["GPS receiver"],
    "organiser": [],
    "colour": ["Coloring book in leather", "Multi-color lights"],
    "leather settee": [],
}


@pytest.fixture
def goods(index: Index) -> None:
    for name in _NAMES:
        make_goods(name)
    index.fill()


def found_by(q: str) -> tuple[Found, Found]:
    rules = Rules(synonyms=groups_of(Synonym(terms=terms) for terms in _SYNONYMS))
    return tuple(each.search(Wanted(q=q), rules=rules) for each in (engine, postgres))


def names(found: Found) -> list[str]:
    known = dict(Product.objects.values_list("pk", "name"))
    return [known[hit.product_id] for hit in found.hits]


@pytest.mark.usefixtures("goods")
def test_both_find_the_same() -> None:
    by = {q: found_by(q) for q in _FOUND}
    assert {q: sorted(names(one)) for q, (one, _) in by.items()} == _FOUND
    assert {q: sorted(names(other)) for q, (_, other) in by.items()} == _FOUND
    assert [q for q, found in by.items() if any(each.relaxed for each in found)] == []


@pytest.mark.usefixtures("goods")
@pytest.mark.parametrize("q", ["adapter", "adaptor"])
def test_what_few_write_otherwise_does_not_come_first(q: str) -> None:
    for found in found_by(q):
        assert names(found)[3:] == ["Adaptor made of steel, with a long cable"]


def test_no_word_is_in_two_pairs() -> None:
    words = [*chain(*PAIRS)]
    assert len(set(words)) == len(words)


@pytest.mark.parametrize("pair", PAIRS)
def test_a_pair_is_one_word_also_in_the_plural(pair: tuple[str, str]) -> None:
    one, other = pair
    assert other_spelling(one) == other
    assert same_word(one) == same_word(other) == same_word(f"{one}s")
    assert same_word(f"{other}s") == same_word(other) or other.endswith("s")


@pytest.mark.parametrize(
    ("written", "qs"),
    [
        ("Sony DSC-H20 camera", ["dsch20", "sony dsch20", "dsc h20"]),
        ("TP-LINK TL-WN727N stick", ["tlwn727n", "tl wn 727 n", "wn727n"]),
        ("Laptop i7-720QM", ["i7720qm", "720 qm"]),
        ("Screen 15.6in SSE4.2", ["15.6 in", "15.6in", "sse"]),
        ("Filter 7µm", ["7µm", "7μm", "7 µm"]),
        ("Intel Core™2 Duo", ["core 2 duo", "core2duo", "intel core"]),
        ("Paper 250g/m²", ["250g/m²", "250 g/m2", "m²"]),
        ("Cafe\u0301 press", ["café", "cafe"]),
        ("Чёрный ноутбук", ["черный", "чёрный"]),
        ("Φορητός υπολογιστής", ["υπολογιστής", "φορητος υπολογιστης"]),
    ],
)
def test_finds_a_word_however_it_is_written_as_postgresql_does(
    index: Index, written: str, qs: list[str]
) -> None:
    make_goods(written, slug="it")
    make_goods("Mug")
    assert [index.names(q) for q in qs] == [[written]] * len(qs)
    found = [postgres.search(Wanted(q=q), rules=Rules()).total for q in qs]
    assert found == [1] * len(qs)
