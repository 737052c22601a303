"""Which announcement starts which tasks: one dictionary.

Task ids are derived from the message's uuid, so a message that is published twice repeats the
same ids, and everything that remembers ids sees one task.
"""

import uuid
from collections.abc import Callable
from typing import Any

from celery import Task
from celery.canvas import Signature

from apps.catalog.search.indexing.rebuilding import REBUILD_REQUESTED
from apps.orders import checkout, fulfilment, restarting
from shop import log_context
from shop.outbox.models import OutboxMessage
from tasks import email, order_pipeline, search
from tasks.arguments import known_arguments
from tasks.reading import READ_AFTER_HEADER
from tasks.steps import TASK_RESUMED, start_resumed

Payload = dict[str, Any]


class UnknownTopic(Exception):
    """No handler starts anything for this topic."""


def steps_for(message: OutboxMessage) -> list[Signature[Any]]:
    """The chain that the message starts, first step first, with fixed task ids.

    Each step's message has the request id and order number of the outbox message as headers,
    and the first the position at which it was claimed; the others get theirs from the worker.

    Fields of the payload that the handler does not know are left out. Raises UnknownTopic,
    UnknownTask, or TypeError when the payload does not fit the topic.
    """
    try:
        handler = HANDLERS[message.topic]
    except KeyError:
        raise UnknownTopic(f"nothing handles {message.topic!r}") from None
    if not isinstance(message.payload, dict):
        raise TypeError(f"the payload is no object: {message.payload!r}")
    steps = handler(**known_arguments(handler, message.payload, of=message.topic))
    for step in steps:
        if "task_id" not in step.options:
            step.set(task_id=str(uuid.uuid5(message.uuid, str(step.task))))
        context = log_context.carried_by(message.context)
        step.set(headers={**context, **step.options.get("headers", {})})
    if position := getattr(message, "position", None):  # it was claimed
        steps[0].options["headers"][READ_AFTER_HEADER] = position
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


def _rebuild_index() -> list[Signature[Any]]:
    return [search.rebuild_index.si()]


HANDLERS: dict[str, Callable[..., list[Signature[Any]]]] = {
    TASK_RESUMED: start_resumed,
    checkout.ORDER_PLACED: _start_pipeline,
    restarting.CONFIRMATION_REQUESTED: _single(email.send_order_confirmation),
    fulfilment.PROCESSING_REQUESTED: _single(order_pipeline.start_processing),
    fulfilment.SHIPMENT_REQUESTED: _single(order_pipeline.ship),
    fulfilment.DELIVERY_REPORTED: _single(order_pipeline.deliver),
    fulfilment.CANCELLATION_REQUESTED: _single(order_pipeline.cancel),
    REBUILD_REQUESTED: _rebuild_index,
}
