"""The broker's exchanges and queues. Web, relay and workers all load this one declaration.

Topic exchange, quorum queues, dead letters kept at least once: RabbitMQ's documentation of
quorum queues and Celery's of native delayed delivery. Other transports ignore the arguments.
"""

from kombu import Exchange, Queue

ORDER, EMAIL, SEARCH = "order.process", "email.send_order_confirmation", "search.index_product"
MAINTENANCE = "shop.maintenance"

_QUORUM = {"x-queue-type": "quorum"}
# Looking at a message and putting it back counts as a delivery. Without a limit RabbitMQ 4
# drops it at the 21st look; -1 means none there, but to 3.10 it means the first.
_FOR_KEEPING = {**_QUORUM, "x-delivery-limit": 1_000_000}
_UNROUTED = Exchange("shop.unrouted", type="fanout", durable=True)
# Topic, not direct: on a direct exchange a waiting retry occupies the worker.
# The alternate exchange catches a chain step that was sent with a wrong key.
SHOP = Exchange(
    "shop", type="topic", durable=True, arguments={"alternate-exchange": _UNROUTED.name}
)
DEAD_LETTERS = Exchange("shop.dlx", type="topic", durable=True)


def _work_queue(name: str) -> Queue:
    return Queue(
        name,
        SHOP,
        routing_key=name,
        durable=True,
        queue_arguments={
            **_QUORUM,
            # The last stop. ShopTask's guard acts at 5: a low limit here kills innocents,
            # because a worker's death also counts for messages that it never started.
            "x-delivery-limit": 20,
            "x-dead-letter-exchange": DEAD_LETTERS.name,
            # Named, because after a delayed retry the message's own key is another one.
            "x-dead-letter-routing-key": name,
            "x-dead-letter-strategy": "at-least-once",
            "x-overflow": "reject-publish",  # at-least-once demands it
        },
    )


def _dead_queue(name: str) -> Queue:
    return Queue(
        f"{name}.dead",
        DEAD_LETTERS,
        routing_key=name,
        durable=True,
        queue_arguments=_FOR_KEEPING,
    )


# What beat sends comes again by itself: late is worthless, and what expires must not be taken
# for a dead letter. So this queue has nowhere to put one.
_MAINTENANCE_QUEUE = Queue(
    MAINTENANCE, SHOP, routing_key=MAINTENANCE, durable=True, queue_arguments=_QUORUM
)
WORK_QUEUES = [*(_work_queue(name) for name in (ORDER, EMAIL, SEARCH)), _MAINTENANCE_QUEUE]
# Never in CELERY_TASK_QUEUES: a worker without -Q would consume its own dead letters.
DEAD_QUEUES = [_dead_queue(name) for name in (ORDER, EMAIL, SEARCH)]
UNROUTED_QUEUE = Queue("shop.unrouted", _UNROUTED, durable=True, queue_arguments=_FOR_KEEPING)
# In this order: a work queue without its dead-letter queue could only hold back what gave up.
ALL_QUEUES = [*DEAD_QUEUES, UNROUTED_QUEUE, *WORK_QUEUES]
