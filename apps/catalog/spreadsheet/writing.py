"""The rows of a sheet, written into the shop in few statements."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from apps.catalog.importing.shelving import brands_of, categories_of
from apps.catalog.models import Brand, Category, Product, Variant
from apps.catalog.spreadsheet.planning import Change, PlannedProduct, PlannedRow

_PRODUCT_FIELDS = {
    "name": "name",
    "description": "description",
    "attributes": "attributes",
    "published": "is_published",
}
_VARIANT_FIELDS = {"variant": "name", "price": "price", "active": "is_active"}

_BATCH = 250  # rows a statement: what one costs grows with their square


@dataclass(frozen=True, kw_only=True)
class Written:
    products_made: list[Product]
    products_changed: list[Product]
    variants_made: list[Variant]
    variants_changed: list[Variant]


def write(rows: Sequence[PlannedRow]) -> Written:
    """Make and change what the rows say, in the transaction of the caller. Stock stays."""
    planned = list({id(row.planned): row.planned for row in rows}.values())
    different = [(one, one.changes) for one in planned if one.is_new or one.changes]
    said = [_said(one, changes) for one, changes in different]
    categories = categories_of(
        dict.fromkeys(one["category"] for one in said if "category" in one)
    )
    brands = brands_of(dict.fromkeys(one["brand"] for one in said if one.get("brand")))
    for (one, _), new in zip(different, said, strict=True):
        _set_product(one.product, new, categories, brands)
    changed_rows = [row for row in rows if row.is_new or _own_changes(row)]
    products_made = [one.product for one, _ in different if one.is_new]
    products_changed = [one.product for one, _ in different if not one.is_new]
    Product.objects.bulk_create(products_made, batch_size=_BATCH)
    Product.objects.bulk_update(
        products_changed,
        [*_PRODUCT_FIELDS.values(), "brand_id", "category_id"],
        batch_size=_BATCH,
    )
    for row in changed_rows:
        _set(row.variant, row.said, _VARIANT_FIELDS)
        if row.is_new:
            row.variant.product = row.planned.product
    variants_made = [row.variant for row in changed_rows if row.is_new]
    variants_changed = [row.variant for row in changed_rows if not row.is_new]
    Variant.objects.bulk_create(variants_made, batch_size=_BATCH)
    Variant.objects.bulk_update(
        variants_changed, list(_VARIANT_FIELDS.values()), batch_size=_BATCH
    )
    return Written(
        products_made=products_made,
        products_changed=products_changed,
        variants_made=variants_made,
        variants_changed=variants_changed,
    )


def _said(planned: PlannedProduct, changes: Iterable[Change]) -> dict[str, Any]:
    return {change.column: planned.said[change.column][1] for change in changes}


def _own_changes(row: PlannedRow) -> bool:
    return len(row.changes) > len(row.planned.changes)


def _set_product(
    product: Product,
    said: dict[str, Any],
    categories: dict[tuple[str, ...], Category],
    brands: dict[str, Brand],
) -> None:
    _set(product, said, _PRODUCT_FIELDS)
    if "category" in said:
        product.category = categories[said["category"]]
    if "brand" in said:
        product.brand = brands[said["brand"]] if said["brand"] else None


def _set(row: Product | Variant, said: dict[str, Any], fields: dict[str, str]) -> None:
    for column, name in fields.items():
        if column in said:
            setattr(row, name, said[column])
