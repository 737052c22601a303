"""A small shop to search in."""

from decimal import Decimal
from typing import Any

from apps.catalog import inventory
from apps.catalog.models import Brand, Category, Product, Variant
from apps.catalog.search.vocabulary import refresh_vocabulary
from tests.builders import NOON
from tests.clients import guest

URL = "/api/catalog/search/"
SUGGEST = "/api/catalog/search/suggest/"


def make_goods(
    name: str, *, category: str = "Kitchen", brand: str = "", **fields: Any
) -> Product:
    """A product on sale, one of it in stock unless `units` says otherwise."""
    units, price = fields.pop("units", 1), fields.pop("price", "9.50")
    slug = fields.pop("slug", name.lower().replace(" ", "-"))
    shelf, _ = Category.objects.get_or_create(slug=category.lower(), name=category)
    maker = None
    if brand:
        maker, _ = Brand.objects.get_or_create(slug=brand.lower(), name=brand)
    sku = fields.pop("sku", f"SKU{Variant.objects.count()}")
    product = Product.objects.create(
        name=name, slug=slug, category=shelf, brand=maker, **fields
    )
    variant = Variant.objects.create(product=product, sku=sku, price=Decimal(price))
    if units:
        inventory.receive({variant.pk: units}, reference=f"receipt-{sku}", now=NOON)
    return product


def answer(**params: Any) -> dict[str, Any]:
    """The search's answer, after the words were counted."""
    refresh_vocabulary()
    response = guest().get(URL, params)
    assert response.status_code == 200, response.content
    found: dict[str, Any] = response.json()
    return found


def names(**params: Any) -> list[str]:
    """The names of what was found, in order."""
    return [product["name"] for product in answer(**params)["results"]]


def suggestions(q: str) -> tuple[list[str], list[str]]:
    """What is suggested, after the words were counted: searches, and names of products."""
    refresh_vocabulary()
    response = guest().get(SUGGEST, {"q": q})
    assert response.status_code == 200, response.content
    found = response.json()
    return found["queries"], [product["name"] for product in found["products"]]


def facet(found: dict[str, Any], name: str) -> dict[str, int]:
    """The counts of a facet by value."""
    values = next(each["values"] for each in found["facets"] if each["name"] == name)
    return {each["value"]: each["count"] for each in values}
