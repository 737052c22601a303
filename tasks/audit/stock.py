"""I1 and I2: stock totals, the ledger and the orders tell one story, and each thing once."""

from tasks.audit.invariant import Guards, Invariant

_OF_VARIANTS = {
    "booked": """
        SELECT variant_id,
               sum(CASE WHEN kind IN ('receipt', 'correction', 'restock') THEN quantity
                        WHEN kind = 'sale' THEN -quantity ELSE 0 END) AS on_hand,
               sum(CASE WHEN kind = 'reservation' THEN quantity
                        WHEN kind IN ('release', 'sale') THEN -quantity ELSE 0 END) AS reserved
        FROM catalog_stockmovement
        WHERE %(variants)s::bigint[] IS NULL OR variant_id = ANY(%(variants)s::bigint[])
        GROUP BY variant_id
    """,
    "promised": """
        SELECT item.variant_id, sum(item.quantity) AS units
        FROM orders_order AS pending
        JOIN orders_orderitem AS item ON item.order_id = pending.id
        WHERE pending.status = 'pending'
          AND (%(variants)s::bigint[] IS NULL OR item.variant_id = ANY(%(variants)s::bigint[]))
          AND NOT EXISTS (
              SELECT FROM catalog_stockmovement AS sale
              WHERE sale.reference = 'order-' || pending.id
                AND sale.variant_id = item.variant_id AND sale.kind = 'sale'
          )
        GROUP BY item.variant_id
    """,
    "totals": """
        SELECT variant_id, coalesce(stock.on_hand, 0) AS on_hand,
               coalesce(stock.reserved, 0) AS reserved,
               coalesce(booked.on_hand, 0) AS booked_on_hand,
               coalesce(booked.reserved, 0) AS booked_reserved,
               coalesce(promised.units, 0) AS promised
        FROM (
            SELECT * FROM catalog_stockitem
            WHERE %(variants)s::bigint[] IS NULL OR variant_id = ANY(%(variants)s::bigint[])
        ) AS stock
        FULL JOIN booked USING (variant_id) FULL JOIN promised USING (variant_id)
    """,
}
_OF_ORDERS = {
    "bought": """
        SELECT order_id, variant_id, sum(quantity) AS units
        FROM orders_orderitem
        WHERE %(order)s::bigint IS NULL OR order_id = %(order)s::bigint
        GROUP BY order_id, variant_id
    """,
    "moved": """
        SELECT reference, variant_id,
               sum(CASE kind WHEN 'reservation' THEN quantity ELSE 0 END) AS reserved,
               sum(CASE kind WHEN 'sale' THEN quantity ELSE 0 END) AS sold,
               sum(CASE kind WHEN 'release' THEN quantity ELSE 0 END) AS released,
               sum(CASE kind WHEN 'restock' THEN quantity ELSE 0 END) AS restocked
        FROM catalog_stockmovement
        WHERE kind IN ('reservation', 'sale', 'release', 'restock')
          AND (%(reference)s::text IS NULL OR reference = %(reference)s::text)
        GROUP BY reference, variant_id
    """,
    "lines": """
        SELECT coalesce(number, reference) AS subject,
               coalesce(bought.variant_id, moved.variant_id) AS variant_id,
               coalesce(status, 'unknown') AS status,
               status = 'cancelled' OR status = 'refunded' AND EXISTS (
                   SELECT FROM orders_orderstatuschange AS change
                   WHERE change.order_id = orders_order.id AND change.new = 'cancelled'
               ) AS is_cancelled,
               coalesce(units, 0) AS units, coalesce(reserved, 0) AS reserved,
               coalesce(sold, 0) AS sold, coalesce(released, 0) AS released,
               coalesce(restocked, 0) AS restocked
        FROM bought FULL JOIN moved
          ON moved.reference = 'order-' || order_id AND moved.variant_id = bought.variant_id
        LEFT JOIN orders_order ON orders_order.id = order_id
    """,
}

CONSERVATION = Invariant(
    code="I1",
    title="conservation",
    facts={**_OF_VARIANTS, **_OF_ORDERS},
    figures="""
        SELECT (SELECT count(*) FROM totals) AS "stock items",
               (SELECT count(*) FROM orders_orderitem
                WHERE %(order)s::bigint IS NULL OR order_id = %(order)s::bigint
               ) AS "order lines",
               (SELECT count(*) FROM orders_order
                WHERE status = 'pending'
                  AND (%(order)s::bigint IS NULL OR id = %(order)s::bigint)
               ) AS "pending orders"
    """,
    violations="""
        SELECT variant.sku, concat(
            'on hand ', on_hand, ' and reserved ', reserved, '; by the ledger ',
            booked_on_hand, ' and ', booked_reserved, '; pending orders hold ', promised)
        FROM totals JOIN catalog_variant AS variant ON variant.id = variant_id
        WHERE on_hand <> booked_on_hand OR reserved <> booked_reserved
           OR reserved <> promised OR NOT reserved BETWEEN 0 AND on_hand
        UNION ALL
        SELECT subject, concat(
            'is ', status, ' with ', units, ' ', variant.sku, '; by the ledger reserved ',
            reserved, ', sold ', sold, ', released ', released, ', restocked ', restocked)
        FROM lines JOIN catalog_variant AS variant ON variant.id = variant_id
        WHERE reserved <> units OR NOT CASE
            WHEN status = 'pending' THEN sold IN (0, units) AND released + restocked = 0
            WHEN is_cancelled THEN sold IN (0, units) AND restocked = sold
                                   AND released = units - sold
            ELSE sold = units AND released + restocked = 0
        END
    """,
    guards=Guards(checks=["stock_never_oversold"]),
)

ONCE = Invariant(
    code="I2",
    title="ledger idempotence",
    facts={
        "repeated": """
            SELECT reference, variant_id, kind, count(*) AS times,
                   substring(reference FROM '^order-([0-9]{1,18})$')::bigint AS order_id
            FROM catalog_stockmovement
            WHERE %(reference)s::text IS NULL OR reference = %(reference)s::text
            GROUP BY reference, variant_id, kind HAVING count(*) > 1
        """
    },
    figures="""
        SELECT (SELECT count(*) FROM catalog_stockmovement
                WHERE %(reference)s::text IS NULL OR reference = %(reference)s::text
               ) AS "movements",
               (SELECT count(*) FROM orders_orderstatuschange
                WHERE %(order)s::bigint IS NULL OR order_id = %(order)s::bigint
               ) AS "status changes"
    """,
    violations="""
        SELECT coalesce(number, reference), concat('has ', times, ' times ', kind, ' of ', sku)
        FROM repeated JOIN catalog_variant ON catalog_variant.id = variant_id
        LEFT JOIN orders_order ON orders_order.id = order_id
    """,
    guards=Guards(
        uniques={
            "one_movement_per_reference": "btree (reference, variant_id, kind)",
            "each_status_is_entered_once": "btree (order_id, new)",
        },
        append_only=["catalog_stockmovement", "orders_orderstatuschange"],
    ),
)
