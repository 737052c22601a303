"""A batch of offered products, brought into the shop: what is missing is made, what differs is
changed, and what is as offered is not touched, so that a second time changes nothing."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models.functions import Lower

from apps.catalog import inventory
from apps.catalog.importing.addresses import free_slug, wanted_slug
from apps.catalog.importing.offers import OfferedProduct, OfferedVariant
from apps.catalog.importing.shelving import brands_of, categories_of
from apps.catalog.models import Product, StockMovement, Variant

# The ledger knows the opening stock by it.
RECEIPT = "import"

_PRODUCT_FIELDS = ("name", "description", "brand_id", "category_id", "attributes")
_VARIANT_FIELDS = ("name", "price")
_BATCH = 250  # rows a statement: what one costs grows with their square


@dataclass(kw_only=True)
class Written:
    """What became of a batch; `refused` says by the offer's place in it what is wrong."""

    products_made: int = 0
    products_changed: int = 0
    products_unchanged: int = 0
    variants_made: int = 0
    units_received: int = 0
    refused: dict[int, str] = field(default_factory=dict)


def write(
    offered: Sequence[OfferedProduct], *, claimed: set[int], units: int, now: datetime
) -> Written:
    """Bring the offers into the shop, in the transaction of the caller.

    `claimed` are the ids of products that earlier offers of this run have set: no second one
    may. `units` is the opening stock of a variant whose offer names none.
    """
    written = Written()
    batch = _Batch(offered)
    accepted = []
    for place, offer in enumerate(offered):
        reason = batch.claim(offer, claimed)
        if reason:
            written.refused[place] = reason
        else:
            accepted.append(offer)
    pairs = _products(accepted, batch, written)
    variants = _variants(pairs, batch, written)
    written.units_received = _receive(accepted, variants, units=units, now=now)
    return written


class _Batch:
    """What the shop has already of what is offered, by SKU; its products are locked."""

    def __init__(self, offered: Sequence[OfferedProduct]) -> None:
        skus = [variant.sku.lower() for offer in offered for variant in offer.variants]
        found = Variant.objects.alias(lower_sku=Lower("sku")).filter(lower_sku__in=skus)
        self.variants = {variant.sku.lower(): variant for variant in found}
        owners = {variant.product_id for variant in found}
        locked = Product.objects.select_for_update().filter(pk__in=owners).order_by("pk")
        self._products = {product.pk: product for product in locked}

    def product_of(self, offer: OfferedProduct) -> Product | None:
        owners = self._owners(offer)
        return self._products[owners.pop()] if owners else None

    def claim(self, offer: OfferedProduct, claimed: set[int]) -> str:
        """Why the offer cannot be taken, empty if it can; its product is claimed then."""
        owners = self._owners(offer)
        if len(owners) > 1:
            names = sorted(self._products[owner].name for owner in owners)
            return f"its SKUs belong to {len(owners)} products of the shop: {'; '.join(names)}"
        if owners & claimed:
            name = self._products[next(iter(owners))].name
            return f"an earlier line has set the product that its SKU belongs to: {name}"
        claimed |= owners
        return ""

    def _owners(self, offer: OfferedProduct) -> set[int]:
        known = (self.variants.get(variant.sku.lower()) for variant in offer.variants)
        return {variant.product_id for variant in known if variant is not None}


def _products(
    accepted: Sequence[OfferedProduct], batch: _Batch, written: Written
) -> list[tuple[OfferedProduct, Product]]:
    """Each offer with its product, made or brought up to date."""
    categories = categories_of(dict.fromkeys(offer.category for offer in accepted))
    brands = brands_of(dict.fromkeys(offer.brand for offer in accepted if offer.brand))
    taken = _taken_slugs(accepted)
    made, changed, pairs = [], [], []
    for offer in accepted:
        values = {
            "name": offer.name,
            "description": offer.description,
            "brand_id": brands[offer.brand].pk if offer.brand else None,
            "category_id": categories[offer.category].pk,
            "attributes": offer.attributes,
        }
        product = batch.product_of(offer)
        if product is None:
            slug = free_slug(offer.name, offer.sku, model=Product, taken=taken)
            product = Product(slug=slug, **values)
            made.append(product)
        elif _set(product, values):
            changed.append(product)
        pairs.append((offer, product))
    Product.objects.bulk_create(made)
    Product.objects.bulk_update(changed, _PRODUCT_FIELDS, batch_size=_BATCH)
    written.products_made = len(made)
    written.products_changed = len(changed)
    written.products_unchanged = len(pairs) - len(made) - len(changed)
    return pairs


def _taken_slugs(accepted: Sequence[OfferedProduct]) -> set[str]:
    wanted = [wanted_slug(offer.name, offer.sku, model=Product) for offer in accepted]
    return set(Product.objects.filter(slug__in=wanted).values_list("slug", flat=True))


def _set(row: Product | Variant, values: dict[str, Any]) -> bool:
    """Whether anything was different. What the offer leaves empty stays as it is."""
    different = {
        name: value
        for name, value in values.items()
        if value not in ("", None, {}) and getattr(row, name) != value
    }
    for name, value in different.items():
        setattr(row, name, value)
    return bool(different)


def _variants(
    pairs: Iterable[tuple[OfferedProduct, Product]], batch: _Batch, written: Written
) -> dict[str, Variant]:
    """The variants by SKU in lower case, made or brought up to date."""
    made: list[Variant] = []
    changed: list[Variant] = []
    variants: dict[str, Variant] = {}
    for offer, product in pairs:
        for each in offer.variants:
            values = {"name": each.name, "price": each.price}
            variant = batch.variants.get(each.sku.lower())
            if variant is None:
                variant = Variant(product=product, sku=each.sku, **values)
                made.append(variant)
            elif _set(variant, values):
                changed.append(variant)
            variants[each.sku.lower()] = variant
    Variant.objects.bulk_create(made)
    Variant.objects.bulk_update(changed, _VARIANT_FIELDS, batch_size=_BATCH)
    written.variants_made = len(made)
    return variants


def _receive(
    accepted: Iterable[OfferedProduct],
    variants: dict[str, Variant],
    *,
    units: int,
    now: datetime,
) -> int:
    """Book the opening stock of each variant for which nothing was booked yet; its units."""
    wanted = {
        variants[each.sku.lower()].pk: _opening(each, units)
        for offer in accepted
        for each in offer.variants
    }
    booked = StockMovement.objects.filter(variant_id__in=wanted).values_list("variant_id")
    known = {variant_id for (variant_id,) in booked.distinct()}
    new = {pk: number for pk, number in wanted.items() if number and pk not in known}
    inventory.receive(new, reference=RECEIPT, now=now, reason="Opening stock")
    return sum(new.values())


def _opening(variant: OfferedVariant, units: int) -> int:
    return units if variant.units is None else variant.units
