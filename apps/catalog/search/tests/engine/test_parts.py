"""What is looked for comes before its parts, for an engine and for PostgreSQL."""

import pytest

from apps.catalog.models import Product
from apps.catalog.search import engine, postgres
from apps.catalog.search.models import Synonym
from apps.catalog.search.parts import thing_of
from apps.catalog.search.postgres.database import rows
from apps.catalog.search.rules import Rules
from apps.catalog.search.synonyms import groups_of
from apps.catalog.search.tests.engine.index import Index
from apps.catalog.search.tests.goods import make_goods
from apps.catalog.search.wanted import Wanted

pytestmark = pytest.mark.django_db

_SYNONYMS = "laptop, portable computer", "playstation 5, ps5"
_LAPTOP = "Silver laptop 14, of aluminium, in a rather small box, with dock"
_WATCH = "Smartwatch of steel, in a rather small box, with strap"
_TV = "Flat TV of black glass, in a rather small box, with mount"
_CONSOLE = "PlayStation 5 of black plastic, in a rather small box, with cable"
_PHONE = "Iphone 8 of black glass, in a rather small box, with case"
_MAKE_UP = "Make-up of ground stones, in a rather small box, with bag"
_BATTERY = "Battery of steel, silver, in a rather small box, with cable"
_JEWELRY = "Jewelry of steel, silver, in a rather small box, with case"
# What is shorter fits better, so that a part would come first.
_GOODS = {
    _LAPTOP: "",
    "Laptop lock, 14 mm": "",
    "Silver laptop bag": "",
    "Silver cover for laptops of 14": "",
    "Wireless mouse for laptop": "",
    "Laptop of tin, 16, in a rather small box, and a wireless mouse": "",
    "Black cable": "",
    "Cable of copper, black, three metres long": "",
    "Larch-Wood desk lamp": "Larch-Wood",
    "Larch-Wood chair, quite large, with arms, for the garden": "Larch-Wood",
    _WATCH: "",
    "Smartwatch strap": "",
    _TV: "",
    "Mount for TVs": "",
    _BATTERY: "",
    "Battery charger": "",
    _JEWELRY: "",
    "Jewelry case": "",
    "Stand for PlayStation 5": "",
    "Stand for PS5": "",
    _CONSOLE: "",
    _PHONE: "",
    "Iphone 8 case": "",
    "Sticker of thin paper, quite small, with a lot of glue, for walls or an iPhone8": "",
    _MAKE_UP: "",
    "Make-up bag": "",
    "Smart clock": "",
    "Smartphone with a holder for a phone": "",
    "Smartphone of cardboard, with which children can play at home": "",
}


@pytest.fixture
def goods(index: Index) -> None:
    for name, brand in _GOODS.items():
        make_goods(name, brand=brand)
    index.fill()


def orders(q: str) -> list[list[str]]:
    """What the engine finds, and what PostgreSQL does."""
    rules = Rules(synonyms=groups_of(Synonym(terms=terms) for terms in _SYNONYMS))
    known = dict(Product.objects.values_list("pk", "name"))
    found = (each.search(Wanted(q=q), rules=rules) for each in (engine, postgres))
    return [[known[hit.product_id] for hit in each.hits] for each in found]


@pytest.mark.usefixtures("goods")
@pytest.mark.parametrize(
    ("q", "first"),
    [
        ("silver laptop", _LAPTOP),
        ("laptops silver 14", _LAPTOP),
        ("laptop 14", _LAPTOP),
        ("portable computer 14", _LAPTOP),
        ("silver latpop", _LAPTOP),
        ("smart watch", _WATCH),
        ("smartphone", "Smartphone with a holder for a phone"),
        ("battery", _BATTERY),
        ("tv", _TV),
        ("tvs", _TV),
        ("jewelry", _JEWELRY),
        ("jewellery", _JEWELRY),
        ("playstation 5", _CONSOLE),
        ("ps5", _CONSOLE),
        ("make-up", _MAKE_UP),
        ("iphone 8", _PHONE),
        ("mouse for laptop", "Wireless mouse for laptop"),
        ("wireless mouse", "Wireless mouse for laptop"),
    ],
)
def test_a_thing_comes_before_what_is_made_for_it(q: str, first: str) -> None:
    for found in orders(q):
        assert (found[0], len(found) > 1) == (first, True)


@pytest.mark.usefixtures("goods")
@pytest.mark.parametrize(
    ("q", "first"),
    [
        ("laptop lock", "Laptop lock, 14 mm"),
        ("laptop bags", "Silver laptop bag"),
        ("cable black", "Black cable"),
        ("larch-wood", "Larch-Wood desk lamp"),
    ],
)
def test_a_part_comes_first_when_it_is_looked_for_or_its_brand_is(q: str, first: str) -> None:
    assert [found[0] for found in orders(q)] == [first, first]


_BAG, _INK = "Bag, grey", "Ink, black"


@pytest.mark.parametrize(
    ("q", "first"),
    [
        ("photo ink", _INK),
        ("inks for photos", _INK),
        ("phtoo ink", _INK),
        ("small photo ink", _INK),
        ("photo inkk", _INK),
        ("small photo inkk", _INK),
        ("ink photo", "Photo"),
        ("laptop bag", _BAG),
    ],
)
def test_the_word_for_what_is_looked_for_counts_more_than_the_others(
    index: Index, q: str, first: str
) -> None:
    """What is shorter would come first."""
    make_goods(_INK, attributes={"Use": ["photo"]})
    make_goods("Photo", attributes={"Made of": ["ink"]})
    make_goods(_BAG, attributes={"Use": ["laptop"]})
    make_goods("Laptop", attributes={"With": ["bag"]})
    for number in range(10):
        make_goods(f"Small marble no. {number}")
    index.fill()
    for found in orders(q):
        assert (found[0], len(found)) == (first, 2)


@pytest.mark.parametrize(
    ("q", "word"),
    [
        ("black T-shirts", "t-shirts"),
        ("the Mouse FOR my laptop", "mouse"),
        ("laptop 16gb 15.6", "laptop"),
        ("laptop with charger", "laptop"),
        ("laptop without battery", "laptop"),
        ("iphone8", "iphone8"),
        ("laptop shelves", "shelves"),
        ("pouch black", None),
        ("for laptops", None),
        ("", None),
    ],
)
def test_the_last_word_says_what_is_looked_for(q: str, word: str | None) -> None:
    assert thing_of(q).word == word


@pytest.mark.parametrize(
    ("q", "counted"),
    [
        ("photo ink", [1, 2]),
        ("laptop bag", [1, 2]),
        ("bag for laptops", [2, 1, 1]),
        ("charger iphone", [1, 1]),
        ("label printer", [1, 1]),
        ("photo ink 364xl", [1, 1, 1]),
        ("ink for photo 364", [1, 1, 1, 1]),
    ],
)
def test_a_word_counts_twice_only_if_it_is_surely_what_is_looked_for(
    q: str, counted: list[int]
) -> None:
    assert [thing_of(q).counts([word]) for word in q.split()] == counted


@pytest.mark.parametrize(
    ("name", "stems"),
    [
        ("Laptop lock", ["laptop"]),
        ("Mouse wrist pillow", ["mous", "wrist"]),
        ("Desk and monitor arms", ["monitor"]),
        ("Keyboard/mouse mat", ["keyboard", "mous"]),
        ("Book shelves", ["book"]),
        ("Galaxy S8+ case", ["galaxi", "s8"]),
        ("Galaxy 8 Plus case", ["plus"]),
        ("Batteries for the camera", ["camera"]),
        ("Charger for phones - 2 m cable", ["m", "phone"]),
        ("Charger for iPhone 8, iPhone X, iPad", ["iphon"]),
        ("Camera battery charger", ["batteri", "camera"]),
        ("Printer, tray included", []),
        ("Printer (tray included)", []),
        ("Printer [tray included]", []),
        ("Printer + tray", []),
        ("Printer – tray included", []),  # noqa: RUF001
        ("Printer WITH tray", []),
        ("Printer incl. tray", []),
        ("Printer w/ tray", []),
        ("Printer dock photo printer", []),
        ("Server, rack mounted", []),
        ("Telephone corded black", []),
        ("Shirt long sleeve", []),
        ("Larch-Wood desk lamp", ["desk"]),
        ("Canapé cases", ["canap"]),
        ("500 labels", []),
        ("For", []),
        ("", []),
    ],
)
def test_a_name_says_what_a_thing_is_for(name: str, stems: list[str]) -> None:
    statement = "SELECT search_for_what(%(name)s, 'LARCH-Wood')"
    assert rows(statement, {"name": name}) == [(stems,)]
