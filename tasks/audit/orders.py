"""I3 to I6 and I10: each order's history, its way, its key, its payment and its price."""

from apps.orders.models import Order
from tasks.audit.invariant import Guards, Invariant

_MOVES = sorted((old.value, new.value) for old, nexts in Order.NEXT.items() for new in nexts)

LEGALITY = Invariant(
    code="I3",
    title="legality",
    facts={
        "changes": """
            SELECT order_id, old, new,
                   lag(new) OVER history AS before, lead(id) OVER history AS later
            FROM orders_orderstatuschange
            WHERE %(order)s::bigint IS NULL OR order_id = %(order)s::bigint
            WINDOW history AS (PARTITION BY order_id ORDER BY id)
        """,
        "legal": "SELECT * FROM unnest(%(olds)s::text[], %(news)s::text[])",
        "chosen": """
            SELECT * FROM orders_order
            WHERE %(order)s::bigint IS NULL OR id = %(order)s::bigint
        """,
    },
    figures="""
        SELECT (SELECT count(*) FROM chosen) AS "orders",
               (SELECT count(*) FROM changes) AS "status changes"
    """,
    violations="""
        SELECT number, concat(
            'from ''', old, ''' to ''', new, ''' after ''', before, '''; the order is ', status)
        FROM changes JOIN orders_order ON orders_order.id = order_id
        WHERE old <> coalesce(before, '')
           OR NOT CASE WHEN before IS NULL THEN new = 'pending'
                       ELSE (old::text, new::text) IN (SELECT * FROM legal) END
           OR (later IS NULL AND new <> status)
        UNION ALL
        SELECT number, 'has no history'
        FROM chosen WHERE NOT EXISTS (
            SELECT FROM orders_orderstatuschange AS change WHERE change.order_id = chosen.id
        )
    """,
    parameters={"olds": [old for old, _ in _MOVES], "news": [new for _, new in _MOVES]},
)

# An order is on its way for as long as the latest message about it is young, and not only the
# order: after an outage the relay announces orders that are hours old. A replay counts the
# same way.
NONE_LOST = Invariant(
    code="I4",
    title="no lost order",
    facts={
        "pending": """
            SELECT id, number, placed_at FROM orders_order
            WHERE status = 'pending' AND (%(order)s::bigint IS NULL OR id = %(order)s::bigint)
        """,
        "announced": """
            SELECT payload ->> 'order_id' AS order_id FROM outbox_outboxmessage
            WHERE sent_at IS NULL AND gave_up_at IS NULL OR sent_at >= %(cutoff)s
        """,
        "seen": """
            SELECT order_id FROM tasks_deadletter
            WHERE status = 'open' OR status = 'replayed' AND replayed_at >= %(cutoff)s
        """,
    },
    figures="""
        SELECT count(*) AS "pending orders",
               count(*) FILTER (WHERE placed_at < %(cutoff)s) AS "of them late"
        FROM pending
    """,
    violations="""
        SELECT number, concat('pending since ', to_char(placed_at, 'YYYY-MM-DD HH24:MI:SS'),
                              ' and nothing is on its way, or open, for it')
        FROM pending
        WHERE placed_at < %(cutoff)s
          AND NOT EXISTS (SELECT FROM announced WHERE announced.order_id = pending.id::text)
          AND NOT EXISTS (SELECT FROM seen WHERE seen.order_id = pending.id)
    """,
)

ONE_PER_KEY = Invariant(
    code="I5",
    title="one order per key",
    facts={
        "keyed": """
            SELECT number, customer_id, idempotency_key, request_hash,
                   %(order)s::bigint IS NULL OR id = %(order)s::bigint AS is_meant
            FROM orders_order WHERE idempotency_key IS NOT NULL
        """
    },
    figures="""SELECT count(*) FILTER (WHERE is_meant) AS "orders with a key" FROM keyed""",
    violations="""
        SELECT min(number), concat('has its key in common with ', count(*) - 1, ' more orders')
        FROM keyed GROUP BY customer_id, idempotency_key
        HAVING count(*) > 1 AND bool_or(is_meant)
        UNION ALL
        SELECT number, 'has a key, and no hash of its request'
        FROM keyed WHERE request_hash = '' AND is_meant
    """,
    guards=Guards(
        uniques={
            "one_order_per_key": "btree (customer_id, idempotency_key)"
            " WHERE (idempotency_key IS NOT NULL)"
        }
    ),
)

# Nothing is charged yet. An order that is paid in another way must not pass unseen.
NO_DOUBLE_CHARGE = Invariant(
    code="I6",
    title="no double charge",
    facts={
        "chosen": """
            SELECT number, payment_method FROM orders_order
            WHERE %(order)s::bigint IS NULL OR id = %(order)s::bigint
        """
    },
    figures="""
        SELECT count(*) FILTER (WHERE payment_method = %(on_delivery)s)
            AS "to be paid on delivery: nothing to check"
        FROM chosen
    """,
    violations="""
        SELECT number, 'is not paid on delivery, and no line checks its payments yet'
        FROM chosen WHERE payment_method <> %(on_delivery)s
    """,
    parameters={"on_delivery": Order.PaymentMethod.CASH_ON_DELIVERY.value},
)

PRICE = Invariant(
    code="I10",
    title="price",
    facts={
        "items": """
            SELECT order_id, count(*) AS lines, sum(line_total) AS total,
                   bool_and(line_total = unit_price * quantity) AS is_right
            FROM orders_orderitem
            WHERE %(order)s::bigint IS NULL OR order_id = %(order)s::bigint
            GROUP BY order_id
        """,
        "priced": """
            SELECT number, currency, orders_order.total, coalesce(items.lines, 0) AS lines,
                   coalesce(items.total, 0) AS sum, coalesce(is_right, true) AS is_right
            FROM orders_order LEFT JOIN items ON items.order_id = orders_order.id
            WHERE %(order)s::bigint IS NULL OR orders_order.id = %(order)s::bigint
        """,
        "usual": """
            SELECT currency FROM orders_order GROUP BY currency ORDER BY count(*) DESC LIMIT 1
        """,
    },
    figures="""
        SELECT count(*) AS "orders", coalesce(sum(lines), 0) AS "order lines" FROM priced
    """,
    violations="""
        SELECT number, concat('total ', total, ' ', currency, '; ', lines, ' lines with ', sum,
                              CASE WHEN NOT is_right THEN ', not all price times quantity' END)
        FROM priced
        WHERE total <> sum OR NOT is_right OR lines = 0
           OR currency <> (SELECT currency FROM usual)
    """,
    guards=Guards(checks=["line_total_is_price_times_quantity"]),
)
