"""I7 and I8: every e-mail once, and every message accounted for."""

from apps.orders import fulfilment
from apps.orders.checkout import ORDER_PLACED
from apps.orders.emails import CONFIRMATION
from apps.orders.models import Status
from tasks import order_pipeline
from tasks.audit.invariant import Guards, Invariant

ONE_CONFIRMATION = Invariant(
    code="I7",
    title="one confirmation",
    facts={
        "confirmed": """
            SELECT purchase.id, purchase.number
            FROM orders_orderstatuschange AS change
            JOIN orders_order AS purchase ON purchase.id = change.order_id
            WHERE change.new = 'confirmed'
              AND (%(order)s::bigint IS NULL OR purchase.id = %(order)s::bigint)
        """,
        "emails": """
            SELECT reference, kind, status, created_at, announced_at, claimed_at, sent_at
            FROM mail_outgoingemail
            WHERE %(reference)s::text IS NULL OR reference = %(reference)s::text
        """,
        "confirmations": "SELECT reference FROM emails WHERE kind = %(confirmation)s",
        "repeated": """
            SELECT reference, kind, count(*) AS times FROM emails
            GROUP BY reference, kind HAVING count(*) > 1
        """,
        # The few that may be wrong, so that only they are looked up.
        "doubtful": """
            SELECT emails.*, purchase.id AS order_id, purchase.status AS order_status,
                   coalesce(purchase.number, emails.reference) AS whose
            FROM emails LEFT JOIN orders_order AS purchase
              ON purchase.id = substring(reference FROM '^order-([0-9]{1,18})$')::bigint
            WHERE emails.status IN ('queued', 'sending', 'withdrawn')
               OR emails.status = 'sent' AND emails.sent_at IS NULL
        """,
    },
    figures="""
        SELECT (SELECT count(*) FROM confirmed) AS "confirmed orders",
               count(*) AS "e-mails",
               count(*) FILTER (WHERE status = 'unknown') AS "unknown",
               count(*) FILTER (WHERE status IN ('queued', 'sending')) AS "unsent"
        FROM emails
    """,
    violations="""
        SELECT coalesce(confirmed.number, orders_order.number, reference), CASE
            WHEN confirmed.id IS NULL THEN 'has a confirmation, and was never confirmed'
            ELSE 'was confirmed, and has no confirmation' END
        FROM confirmed FULL JOIN confirmations
          ON confirmations.reference = 'order-' || confirmed.id
        LEFT JOIN orders_order
          ON orders_order.id = substring(reference FROM '^order-([0-9]{1,18})$')::bigint
        WHERE confirmed.id IS NULL OR reference IS NULL
        UNION ALL
        SELECT coalesce(number, reference), concat('has ', times, ' e-mails ', kind)
        FROM repeated LEFT JOIN orders_order
          ON orders_order.id = substring(reference FROM '^order-([0-9]{1,18})$')::bigint
        UNION ALL
        SELECT whose, concat('its e-mail ', kind, ' is ', status, ' and nobody works on it')
        FROM doubtful
        WHERE (status = 'sending'
               OR status = 'queued' AND NOT EXISTS (
                   SELECT FROM tasks_deadletter AS letter
                   WHERE letter.order_id = doubtful.order_id
                     AND (letter.status = 'open'
                          OR letter.status = 'replayed' AND letter.replayed_at >= %(cutoff)s)))
          AND greatest(created_at, announced_at, claimed_at) < %(cutoff)s
        UNION ALL
        SELECT whose, concat('its e-mail ', kind, ' counts as sent, and has no time')
        FROM doubtful WHERE status = 'sent'
        UNION ALL
        SELECT whose, concat('its e-mail ', kind, ' is withdrawn, and the order is ',
                             coalesce(order_status, 'unknown'))
        FROM doubtful
        WHERE status = 'withdrawn'
          AND coalesce(order_status, '') NOT IN ('cancelled', 'refunded')
    """,
    guards=Guards(uniques={"one_email_per_reference_and_kind": "btree (reference, kind)"}),
    parameters={"confirmation": CONFIRMATION},
)

# What staff ask of an order, and by which task and status one can see that it was done.
_REQUESTS = {
    fulfilment.PROCESSING_REQUESTED: (order_pipeline.start_processing.name, Status.PROCESSING),
    fulfilment.SHIPMENT_REQUESTED: (order_pipeline.ship.name, Status.SHIPPED),
    fulfilment.DELIVERY_REPORTED: (order_pipeline.deliver.name, Status.DELIVERED),
    fulfilment.CANCELLATION_REQUESTED: (order_pipeline.cancel.name, Status.CANCELLED),
}

# Published = processed + queued + dead. A placed order that is still pending counts as queued
# here: whether that has lasted too long is I4's question, which knows all its announcements.
# A topic that is about no status leaves nothing to see but a dead letter.
ACCOUNTED_FOR = Invariant(
    code="I8",
    title="dead letters complete",
    facts={
        "requests": """
            SELECT * FROM unnest(%(topics)s::text[], %(tasks)s::text[], %(statuses)s::text[])
                AS request (topic, task, status)
        """,
        "messages": """
            SELECT id, uuid, topic, sent_at, gave_up_at, payload ->> 'order_id' AS argument
            FROM outbox_outboxmessage
            WHERE %(order)s::bigint IS NULL OR payload ->> 'order_id' = %(order)s::bigint::text
        """,
        "letters": """
            SELECT * FROM tasks_deadletter
            WHERE %(order)s::bigint IS NULL OR order_id = %(order)s::bigint
        """,
        "refused": "SELECT DISTINCT task, arguments ->> 'order_id' AS argument FROM letters",
        "accounts": """
            SELECT messages.id, topic, argument, CASE
                WHEN gave_up_at IS NOT NULL THEN 'dead'
                WHEN sent_at IS NULL OR pending.id IS NOT NULL THEN 'queued'
                WHEN requests.topic IS NULL OR done.id IS NOT NULL THEN 'processed'
                WHEN refused.task IS NOT NULL THEN 'dead'
                WHEN sent_at >= %(cutoff)s THEN 'queued'
                ELSE 'lost' END AS account
            FROM messages
            LEFT JOIN orders_order AS pending
              ON topic = %(order_placed)s AND pending.id::text = argument
                 AND pending.status = 'pending'
            LEFT JOIN requests USING (topic)
            LEFT JOIN orders_orderstatuschange AS done
              ON done.order_id::text = argument AND done.new = requests.status
            LEFT JOIN refused USING (task, argument)
        """,
    },
    figures="""
        SELECT count(*) AS "messages",
               count(*) FILTER (WHERE account = 'processed') AS "processed",
               count(*) FILTER (WHERE account = 'queued') AS "queued",
               count(*) FILTER (WHERE account = 'dead') AS "dead",
               (SELECT count(*) FROM letters) AS "dead letters",
               (SELECT count(*) FROM letters WHERE status = 'open') AS "open"
        FROM accounts
    """,
    violations="""
        SELECT concat('message ', id), concat(topic, ' was published; no status and no dead '
            'letter says what became of it; order id ', argument)
        FROM accounts WHERE account = 'lost'
        UNION ALL
        SELECT concat('message ', id), concat(topic, ' was given up, and has no dead letter')
        FROM messages
        WHERE gave_up_at IS NOT NULL
          AND NOT EXISTS (SELECT FROM letters WHERE task_id = messages.uuid::text)
        UNION ALL
        SELECT concat('message ', id), concat(topic, ' counts as sent and as given up')
        FROM messages WHERE gave_up_at IS NOT NULL AND sent_at IS NOT NULL
        UNION ALL
        SELECT concat('dead letter ', id), concat(task, ' is ', status, ': reason, attempts or '
            'times are missing or do not fit')
        FROM letters
        WHERE reason = '' OR attempts < 1 OR times < 1 OR first_at > last_at OR NOT CASE status
            WHEN 'open' THEN resolved_at IS NULL
            WHEN 'replayed' THEN resolved_at IS NULL AND replayed_at IS NOT NULL AND replays > 0
            ELSE resolved_at IS NOT NULL END
    """,
    guards=Guards(uniques={"one_dead_letter_per_task_id": "btree (task_id)"}),
    parameters={
        "order_placed": ORDER_PLACED,
        "topics": list(_REQUESTS),
        "tasks": [task for task, _ in _REQUESTS.values()],
        "statuses": [status.value for _, status in _REQUESTS.values()],
    },
)
