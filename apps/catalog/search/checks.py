"""What is checked at every start."""

from decimal import Decimal
from typing import Any

from django.core.checks import CheckMessage, Error, register

from apps.catalog.models import Category, Product, Variant
from apps.catalog.search.engine.document import ProductDocument


@register()
def documents_are_whole(**_: Any) -> list[CheckMessage]:
    """A library that leaves fields out would index empty documents, and nobody would notice."""
    prepared, mapped = set(ProductDocument().prepare(_product())), set(_mapping())
    if prepared == mapped:
        return []
    return [
        Error(
            "A search document has other fields than its mapping: "
            f"{', '.join(sorted(prepared ^ mapped))}.",
            hint="Install the versions of requirements/base.txt.",
            id="search.E001",
        )
    ]


def _product() -> Any:
    """One of which everything is known without a database."""
    variant: Any = Variant(sku="MUG", price=Decimal(1))
    variant.available = 1
    product: Any = Product(name="Mug", slug="mug", category_id=1)
    product.offers, product.path = [variant], [Category(name="Kitchen", slug="kitchen")]
    product.for_what = product.facets = product.skus = []
    return product


def _mapping() -> dict[str, Any]:
    properties: dict[str, Any] = ProductDocument._doc_type.mapping.to_dict()["properties"]
    return properties
