"""Stock: the only module that moves it.

Every move is one statement for all variants: lock their totals in id order, write the ledger,
change the totals by what was written. So two orders cannot deadlock, a repeated move writes
nothing and changes nothing, and the number of statements does not grow with the order.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from apps.catalog.models import StockItem, StockMovement, Variant
from shop.errors import ShopError

Kind = StockMovement.Kind
Quantities = Mapping[int, int]  # variant id -> units


class OutOfStock(ShopError):
    """Less is available than was asked for; `items` names SKU, wanted and available."""

    code = "out_of_stock"


@transaction.atomic
def receive(quantities: Quantities, *, reference: str, now: datetime, reason: str = "") -> None:
    """Book goods that arrived; the same reference again changes nothing."""
    _make_stock_items(quantities)
    _book(Kind.RECEIPT, quantities, reference=reference, now=now, reason=reason)


@transaction.atomic
def correct(quantities: Quantities, *, reference: str, now: datetime, reason: str) -> None:
    """Book what a count found, more or less.

    Raises OutOfStock, and books nothing, if units that are promised to orders would go.
    """
    _make_stock_items(quantities)
    _book(Kind.CORRECTION, quantities, reference=reference, now=now, reason=reason)


@transaction.atomic
def reserve(quantities: Quantities, *, reference: str, now: datetime) -> None:
    """Hold stock for `reference`: all of it or, raising OutOfStock, none of it."""
    _book(Kind.RESERVATION, quantities, reference=reference, now=now)


@transaction.atomic
def sell(*, reference: str, now: datetime) -> None:
    """Turn what `reference` holds into a sale: on hand and reserved both fall, once."""
    _, held = _sold_and_held(reference)
    _book(Kind.SALE, held, reference=reference, now=now)


@transaction.atomic
def put_back(*, reference: str, now: datetime) -> None:
    """Undo what the ledger shows for `reference`: restock what was sold, release the rest."""
    sold, held = _sold_and_held(reference)
    _book(Kind.RESTOCK, sold, reference=reference, now=now)
    _book(Kind.RELEASE, held, reference=reference, now=now)


def _sold_and_held(reference: str) -> tuple[dict[int, int], dict[int, int]]:
    """What `reference` has sold, and what it still holds, by the ledger."""
    booked: dict[str, dict[int, int]] = {kind: {} for kind in Kind.values}
    rows = StockMovement.objects.filter(reference=reference)
    for kind, variant_id, quantity in rows.values_list("kind", "variant_id", "quantity"):
        booked[kind][variant_id] = quantity
    sold, gone = booked[Kind.SALE], booked[Kind.SALE] | booked[Kind.RELEASE]
    reserved = booked[Kind.RESERVATION]
    held = {variant: units for variant, units in reserved.items() if variant not in gone}
    return sold, held


def _make_stock_items(variant_ids: Iterable[int]) -> None:
    StockItem.objects.bulk_create(
        [StockItem(variant_id=variant_id) for variant_id in sorted(variant_ids)],
        ignore_conflicts=True,
    )


# The WHERE of `moved` is the promise itself: whatever the move, what is reserved stays between
# nothing and what is on hand. `stock_never_oversold` says it again, for every other writer.
_BOOK = """
    WITH wanted AS (
        SELECT * FROM unnest(%(variants)s::bigint[], %(units)s::int[]) AS w(variant_id, units)
    ), locked AS MATERIALIZED (
        SELECT variant_id FROM catalog_stockitem
        WHERE variant_id = ANY(%(variants)s) ORDER BY variant_id FOR UPDATE
    ), booked AS (
        INSERT INTO catalog_stockmovement
            (variant_id, kind, quantity, reference, reason, booked_at)
        SELECT variant_id, %(kind)s, units, %(reference)s, %(reason)s, %(now)s
        FROM wanted JOIN locked USING (variant_id)
        ON CONFLICT (reference, variant_id, kind) DO NOTHING
        RETURNING variant_id, quantity AS units
    ), moved AS (
        UPDATE catalog_stockitem AS stock
        SET on_hand = stock.on_hand + %(on_hand)s * booked.units,
            reserved = stock.reserved + %(reserved)s * booked.units
        FROM booked
        WHERE stock.variant_id = booked.variant_id
          AND stock.reserved + %(reserved)s * booked.units
              BETWEEN 0 AND stock.on_hand + %(on_hand)s * booked.units
        RETURNING stock.variant_id
    )
    SELECT wanted.variant_id FROM wanted
    LEFT JOIN locked ON locked.variant_id = wanted.variant_id
    LEFT JOIN booked ON booked.variant_id = wanted.variant_id
    LEFT JOIN moved ON moved.variant_id = wanted.variant_id
    WHERE locked.variant_id IS NULL
       OR (booked.variant_id IS NOT NULL AND moved.variant_id IS NULL)
"""


def _book(
    kind: Kind, quantities: Quantities, *, reference: str, now: datetime, reason: str = ""
) -> None:
    """Move all of `quantities` or, raising OutOfStock, none; repeats are absorbed."""
    if not quantities:
        return
    on_hand, reserved = StockMovement.EFFECT[kind]
    values: dict[str, Any] = {
        "variants": list(quantities),
        "units": list(quantities.values()),
        "kind": kind.value,
        "reference": reference,
        "reason": reason,
        "now": now,
        "on_hand": on_hand,
        "reserved": reserved,
    }
    with connection.cursor() as cursor:
        cursor.execute(_BOOK, values)
        short = [variant_id for (variant_id,) in cursor.fetchall()]
    if short:
        raise _out_of_stock({variant_id: quantities[variant_id] for variant_id in short})


def _out_of_stock(wanted: Quantities) -> OutOfStock:
    variants = Variant.objects.filter(pk__in=wanted).select_related("stock").order_by("sku")
    items = [
        {
            "sku": variant.sku,
            "wanted": wanted[variant.pk],
            "available": variant.stock.available if hasattr(variant, "stock") else 0,
        }
        for variant in variants
    ]
    skus = ", ".join(variant.sku for variant in variants)
    return OutOfStock(f"Not enough stock of {skus}.", items=items)
