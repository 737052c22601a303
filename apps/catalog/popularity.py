"""How much of each product is sold: what the ledger of stock says of the last three months."""

from datetime import datetime, timedelta

from django.db import connection

_LOOKS_BACK = timedelta(days=90)

# Logarithmic: between one sale and ten lies as much as between ten and a hundred. What hardly
# moves is left alone, or every index would be written anew each night.
_MEASURE = """
    WITH sold AS (
        SELECT variant.product_id,
               sum(CASE movement.kind WHEN 'sale' THEN quantity ELSE -quantity END) AS units
        FROM catalog_stockmovement AS movement
        JOIN catalog_variant AS variant ON variant.id = movement.variant_id
        WHERE movement.kind IN ('sale', 'restock') AND movement.booked_at >= %(since)s
        GROUP BY variant.product_id
    ), most AS (
        SELECT greatest(max(units), 1) AS units FROM sold
    ), measured AS (
        SELECT product.id,
               coalesce(ln(1 + greatest(sold.units, 0)) / ln(1 + most.units), 0) AS popularity
        FROM catalog_product AS product
        CROSS JOIN most
        LEFT JOIN sold ON sold.product_id = product.id
    ), locked AS MATERIALIZED (
        SELECT product.id, measured.popularity
        FROM catalog_product AS product JOIN measured USING (id)
        WHERE abs(measured.popularity - product.popularity) > 0.01
        ORDER BY product.id FOR NO KEY UPDATE OF product
    )
    UPDATE catalog_product AS product SET popularity = locked.popularity
    FROM locked WHERE product.id = locked.id
"""


def measure_popularity(*, now: datetime) -> int:
    """Set every product's popularity, 0 to 1, from its sales; returns how many have changed."""
    with connection.cursor() as cursor:
        cursor.execute(_MEASURE, {"since": now - _LOOKS_BACK})
        return int(cursor.rowcount)
