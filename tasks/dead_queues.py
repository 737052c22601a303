"""The dead-letter queues on a broker that fills none by itself: the embedded Redis."""

from typing import Any

from celery import Celery

from shop.topology import DEAD_LETTERS, DEAD_QUEUES

# Among such a message's headers: why it gave up.
GAVE_UP_HEADER = "x-gave-up"


def broker_buries(app: Celery) -> bool:
    """Whether what a worker refuses lands on the queue's dead-letter queue by itself."""
    return bool(app.conf.broker_url.startswith("amqp"))


def bury(app: Celery, body: Any, *, queue: str, **options: Any) -> None:
    """Put a message on the dead-letter queue of `queue`; `options` are kombu's of publish.

    Raises what the transport raises when the broker is away.
    """
    with app.producer_or_acquire() as producer:
        producer.publish(
            body,
            exchange=DEAD_LETTERS,
            routing_key=queue,
            declare=DEAD_QUEUES,
            delivery_mode=2,  # on disk
            **options,
        )
