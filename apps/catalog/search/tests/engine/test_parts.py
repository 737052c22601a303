"""What is looked for comes before its parts, for an engine and for PostgreSQL."""

import pytest

from apps.catalog.models import Product
from apps.catalog.search import engine, postgres
from apps.catalog.search.models import Synonym
from apps.catalog.search.postgres.database import rows
from apps.catalog.search.rules import Rules
from apps.catalog.search.synonyms import groups_of
from apps.catalog.search.tests.engine.index import Index
from apps.catalog.search.tests.goods import make_goods
from apps.catalog.search.wanted import Wanted

pytestmark = pytest.mark.django_db

_SYNONYMS = "laptop, portable computer"
# What is shorter fits better, so that a part would come first.
_GOODS = {
    "Silver laptop 14, of aluminium, in a rather small box, with dock": "",
    "Laptop lock, 14 mm": "",
    "Silver laptop bag": "",
    "Silver sleeve for laptops of 14": "",
    "Black cable": "",
    "Cable of copper, black, three metres long": "",
    "Larch desk lamp": "Larch",
    "Larch chair, of solid wood, with arms, for the garden": "Larch",
}
_LAPTOP = "Silver laptop 14, of aluminium, in a rather small box, with dock"


@pytest.fixture
def goods(index: Index) -> None:
    for name, brand in _GOODS.items():
        make_goods(name, brand=brand)
    index.fill()


def orders(q: str) -> list[list[str]]:
    """What the engine finds, and what PostgreSQL does."""
    rules = Rules(synonyms=groups_of([Synonym(terms=_SYNONYMS)]))
    known = dict(Product.objects.values_list("pk", "name"))
    found = (each.search(Wanted(q=q), rules=rules) for each in (engine, postgres))
    return [[known[hit.product_id] for hit in each.hits] for each in found]


@pytest.mark.usefixtures("goods")
@pytest.mark.parametrize(
    "q", ["laptop", "laptops", "silver laptop", "laptop 14", "portable computer", "latpop"]
)
def test_a_thing_comes_before_what_is_made_for_it(q: str) -> None:
    for found in orders(q):
        assert (found[0], len(found) > 2) == (_LAPTOP, True)


@pytest.mark.usefixtures("goods")
@pytest.mark.parametrize(
    ("q", "first"),
    [
        ("laptop lock", "Laptop lock, 14 mm"),
        ("laptop bags", "Silver laptop bag"),
        ("cable black", "Black cable"),
        ("larch", "Larch desk lamp"),
    ],
)
def test_a_part_comes_first_when_it_is_looked_for_or_its_brand_is(q: str, first: str) -> None:
    assert [found[0] for found in orders(q)] == [first, first]


@pytest.mark.parametrize(
    ("name", "stems"),
    [
        ("Laptop lock", ["laptop"]),
        ("Mouse wrist pillow", ["mous", "wrist"]),
        ("Mouse with cable", []),
        ("Keyboard/mouse support", ["keyboard", "mous"]),
        ("Batteries for the camera", ["camera"]),
        ("Charger for phones - 2 m cable", ["m", "phone"]),
        ("Camera battery charger", ["batteri", "camera"]),
        ("Printer, tray included", []),
        ("Printer dock photo printer", []),
        ("Larch desk lamp", ["desk"]),
        ("Canapé cases", ["canap"]),
        ("500 labels", []),
        ("For", []),
        ("", []),
    ],
)
def test_a_name_says_what_a_thing_is_for(name: str, stems: list[str]) -> None:
    statement = "SELECT search_for_what(%(name)s, 'Larch')"
    assert rows(statement, {"name": name}) == [(stems,)]
