"""Which announcement starts which tasks: one dictionary.

Task ids are derived from the message's uuid, so a message that is published twice repeats the
same ids, and everything that remembers ids sees one task.
"""

import uuid
from collections.abc import Callable
from typing import Any

from celery import Task
from celery.canvas import Signature

from apps.orders import checkout, fulfilment, restarting
from shop.outbox.models import OutboxMessage
from tasks import email, order_pipeline

Payload = dict[str, Any]


class UnknownTopic(Exception):
    """No handler starts anything for this topic."""


def steps_for(message: OutboxMessage) -> list[Signature[Any]]:
    """The chain that the message starts, first step first, with fixed task ids.

    Raises UnknownTopic, or TypeError when the payload does not fit the topic.
    """
    try:
        handler = HANDLERS[message.topic]
    except KeyError:
        raise UnknownTopic(f"nothing handles {message.topic!r}") from None
    steps = handler(**message.payload)
    for step in steps:
        step.set(task_id=str(uuid.uuid5(message.uuid, str(step.task))))
    return steps


def _start_pipeline(*, order_id: int) -> list[Signature[Any]]:
    tasks = (
        order_pipeline.update_inventory,
        order_pipeline.confirm,
        email.send_order_confirmation,
    )
    return [task.si(order_id=order_id) for task in tasks]


def _single(task: Task[Any, Any]) -> Callable[..., list[Signature[Any]]]:
    return lambda *, order_id: [task.si(order_id=order_id)]


HANDLERS: dict[str, Callable[..., list[Signature[Any]]]] = {
    checkout.ORDER_PLACED: _start_pipeline,
    restarting.CONFIRMATION_REQUESTED: _single(email.send_order_confirmation),
    fulfilment.PROCESSING_REQUESTED: _single(order_pipeline.start_processing),
    fulfilment.SHIPMENT_REQUESTED: _single(order_pipeline.ship),
    fulfilment.DELIVERY_REPORTED: _single(order_pipeline.deliver),
    fulfilment.CANCELLATION_REQUESTED: _single(order_pipeline.cancel),
}
